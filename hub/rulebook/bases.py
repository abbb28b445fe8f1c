"""The legal-basis registry: what every refusal and threshold may cite, and whether it binds on a day.

A text in `basis=` is resolved here. Citations are written `<document> <article>`; several stand in one text, parted by
`；`, `;` or `,`. What does not resolve is a fault of the code, and a test looks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from hub.errors import NotFound, Refusal
from hub.message import msg
from hub.rulebook.model import Basis, BasisStatus, Document, Mark
from hub.rulebook.strict import Table, read

FILE = Path(__file__).parent / "bases.toml"
_PARTS = re.compile(r"\s*[；;,]\s*")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Documents and their articles, by id and by citation."""

    documents: Mapping[str, Document]
    bases: Mapping[str, Basis]
    by_cite: Mapping[str, Basis]

    def basis(self, basis_id: str) -> Basis:
        """One entry by its id.

        Raises:
            NotFound: There is none.
        """
        found = self.bases.get(basis_id)
        if found is None:
            raise _unknown(basis_id)
        return found

    def resolve(self, citation: str) -> tuple[Basis, ...]:
        """The entries that a text cites, in its order; empty for an empty text.

        Raises:
            NotFound: A part of the text is no citation of the registry.
        """
        found = self.look_up(citation)
        for part, basis in found:
            if basis is None:
                raise _unknown(part)
        return tuple(basis for _, basis in found if basis is not None)

    def look_up(self, citation: str) -> tuple[tuple[str, Basis | None], ...]:
        """Each part of a text with its entry, or without one: people type citations that the registry does not hold."""
        parts = [part for part in _PARTS.split(citation.strip()) if part]
        return tuple((part, self.by_cite.get(part)) for part in parts)

    def in_force(self, day: date) -> tuple[Basis, ...]:
        """The entries that bind on `day`, in the order of the file."""
        return tuple(basis for basis in self.bases.values() if basis.document.in_force(day))


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry that comes with the product."""
    return load_registry(FILE)


def load_registry(path: Path) -> Registry:
    """Read a registry.

    Raises:
        InvalidInput: Something in it is missing, unknown, doubled or contradicts itself; the refusal names the place.
    """
    content = read(path)
    documents = {name: _document(name, table) for name, table in content.each("documents")}
    bases: dict[str, Basis] = {}
    by_cite: dict[str, Basis] = {}
    for name, table in content.each("bases"):
        basis = _basis(name, table, documents)
        bases[name] = basis
        for cite in (basis.document.cite, *basis.document.aliases):
            if by_cite.setdefault(f"{cite} {basis.article}", basis) is not basis:
                raise table.refused("article", msg("Another entry is cited by the same words."))
    content.close()
    return Registry(documents=documents, bases=bases, by_cite=by_cite)


def _document(name: str, table: Table) -> Document:
    document = Document(
        id=_slug(name, table),
        cite=table.text("cite"),
        aliases=table.texts("aliases"),
        zh=table.text("zh"),
        en=table.text("en"),
        number=table.text("number", may_be_empty=True),
        status=table.member("status", BasisStatus),
        since=table.day("from") if table.has("from") else None,
        until=table.day("to") if table.has("to") else None,
        source=table.member("source", Mark),
    )
    table.close()
    match document.status:
        case BasisStatus.DRAFT:
            fits = document.since is None and document.until is None
        case BasisStatus.IN_FORCE:
            fits = document.since is not None and (document.until is None or document.since < document.until)
        case BasisStatus.SUPERSEDED:
            fits = document.since is not None and document.until is not None and document.since < document.until
    if not fits:
        raise table.refused("status", msg("The dates do not fit the status."))
    return document


def _basis(name: str, table: Table, documents: Mapping[str, Document]) -> Basis:
    document = documents.get(table.text("document"))
    if document is None:
        raise table.refused("document", msg("No such document is listed."))
    basis = Basis(
        id=_slug(name, table),
        document=document,
        article=table.text("article"),
        zh=table.text("zh"),
        en=table.text("en"),
        source=table.member("source", Mark),
    )
    table.close()
    if _PARTS.search(basis.cite):
        raise table.refused("article", msg("A citation holds no comma or semicolon; they part one from the next."))
    return basis


def _slug(name: str, table: Table) -> str:
    if not _SLUG.fullmatch(name):
        raise table.refused("-", msg("An id is made of small letters, digits and single hyphens."))
    return name


def _unknown(subject: str) -> NotFound:
    return NotFound(
        Refusal(
            rule="rulebook.no_basis",
            subject=subject,
            text=msg("The registry of legal bases holds no such entry."),
            next_step=msg("Cite an entry as `zhakou rules` lists it, or add it to the registry with its source."),
        )
    )
