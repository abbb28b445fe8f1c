"""The Chinese of the hub: `python -m hub.web.catalogs extract|compile|check`.

Sentences are marked where they are written: `msg("…")` in rules and actions, `_("…")` and `{% trans %}` in templates.
`extract` brings the catalog up to date with them, `compile` makes the files that are read at run time (not in git),
`check` fails when a sentence has no Chinese, a doubtful one, other placeholders, or is said no more.
"""

from __future__ import annotations

import gettext
import io
import os
import re
import string
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HUB = Path(__file__).resolve().parent.parent
LOCALES = Path(__file__).resolve().parent / "locales"
DOMAIN = "zhakou"
LOCALE = "zh_Hans_CN"

_METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS: dict[str, dict[str, str]] = {"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
_KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "ngettext": (1, 2), "msg": (1,)}
_VOLATILE = (
    *(b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By', b'"Report-Msgid-Bugs-To', b'"Last-Translator'),
    *(b'"Project-Id-Version', b'"Language-Team'),
)
_HALF = re.compile(r"[\u4e00-\u9fff}][,;:!?()]|[,;:!?()][\u4e00-\u9fff{]")
"""A half-width sign beside a Chinese character or a value."""
_PERCENT = re.compile(r"%\((\w+)\)[sd]")


def source_catalog() -> Catalog:
    """Every sentence of the hub as it is written now, without its Chinese."""
    catalog = Catalog(project="zhakou", locale=LOCALE, charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        HUB, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, comment_tags=(), directory_filter=_ours
    )
    for filename, _line, message, _comments, _context in found:
        catalog.add(message, locations=[(f"hub/{filename}", 0)])
    return catalog


def _ours(directory: str | os.PathLike[str]) -> bool:
    return Path(directory).name not in {"node_modules", "__pycache__", "static", "locales"}


def po_path(locale: str = LOCALE) -> Path:
    """The catalog people edit."""
    return LOCALES / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_path(locale: str = LOCALE) -> Path:
    """The catalog programs read."""
    return po_path(locale).with_suffix(".mo")


def read_catalog(locale: str = LOCALE) -> Catalog:
    """The catalog as committed."""
    with po_path(locale).open("rb") as stream:
        return read_po(stream, locale=locale, domain=DOMAIN)


def extract(locale: str = LOCALE) -> int:
    """Bring the catalog up to date: new sentences come empty, unsaid ones go. Returns how many are empty."""
    catalog = read_catalog(locale) if po_path(locale).exists() else Catalog(locale=locale, domain=DOMAIN)
    catalog.update(source_catalog(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    write_catalog(catalog, locale)
    return sum(1 for message in catalog if message.id and not _complete(message.string))


def write_catalog(catalog: Catalog, locale: str = LOCALE) -> None:
    """Write the catalog people edit, without lines that change although no sentence did (dates, names of tools)."""
    catalog.header_comment = "# The Chinese of the hub. `python -m hub.web.catalogs extract` keeps it up to date."
    text = io.BytesIO()
    write_po(text, catalog, width=110, sort_output=True, include_lineno=False)
    kept = [line for line in text.getvalue().splitlines(keepends=True) if not line.startswith(_VOLATILE)]
    _replace(po_path(locale), b"".join(kept))


def compile_catalog(locale: str = LOCALE) -> Path:
    """Write the file that is read at run time."""
    binary = io.BytesIO()
    write_mo(binary, read_catalog(locale))
    _replace(mo_path(locale), binary.getvalue())
    return mo_path(locale)


def load(locale: str = LOCALE) -> gettext.GNUTranslations:
    """The translations; compiled in memory when the compiled file is missing, older than its source or unreadable."""
    compiled = mo_path(locale)
    try:
        if compiled.stat().st_mtime_ns >= po_path(locale).stat().st_mtime_ns:
            with compiled.open("rb") as stream:
                return gettext.GNUTranslations(stream)
    except OSError:
        pass  # never compiled, or not readable for this user: the source is read instead, in the next lines
    binary = io.BytesIO()
    write_mo(binary, read_catalog(locale))
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def faults(locale: str = LOCALE) -> list[str]:
    """Everything that is wrong with the catalog, one line each; empty when it is whole."""
    committed = read_catalog(locale)
    said = {message.id: message for message in source_catalog() if message.id}
    known = {message.id: message for message in committed if message.id}
    found = [f"no entry: {identifier!r}" for identifier in said if identifier not in known]
    found += [f"no longer said: {identifier!r}" for identifier in known if identifier not in said]
    found += [f"marked obsolete: {identifier!r}" for identifier in committed.obsolete]
    for identifier, message in known.items():
        if not _complete(message.string):
            found.append(f"no Chinese: {identifier!r}")
        elif message.fuzzy:
            found.append(f"fuzzy: {identifier!r}")
        elif any(_HALF.search(text) for text in _texts(message.string) if "://" not in text):
            found.append(f"half-width signs: {identifier!r}")
        elif len({frozenset(placeholders(text)) for text in _texts(identifier) + _texts(message.string)}) > 1:
            found.append(f"other placeholders: {identifier!r}")
    return found


def placeholders(text: str) -> Iterator[str]:
    """Names of the values that go into a sentence, of both kinds: `{name}` and `%(name)s`."""
    yield from _PERCENT.findall(text)
    if "%(" not in text:
        try:
            yield from (name for _, name, _, _ in string.Formatter().parse(text) if name is not None)
        except ValueError:
            yield "a brace that does not close"


def _texts(value: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [value or ""] if isinstance(value, str | None) else list(value)


def _complete(value: str | list[str] | tuple[str, ...] | None) -> bool:
    return bool(_texts(value)) and all(_texts(value))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as stream:
        stream.write(content)
    os.chmod(stream.name, 0o644)
    os.replace(stream.name, path)


def main(arguments: list[str]) -> int:
    """The three commands. Exit code 0 when done, 24 when the check finds a fault, 2 on bad usage."""
    match arguments:
        case ["extract"]:
            missing = extract()
            print(f"{po_path().relative_to(HUB.parent)}: {missing} without Chinese")
            return 0
        case ["compile"]:
            print(compile_catalog().relative_to(HUB.parent))
            return 0
        case ["check"]:
            found = faults()
            for line in found:
                print(line, file=sys.stderr)
            print(f"{len(found)} fault(s)")
            return 24 if found else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
