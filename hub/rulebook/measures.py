"""`python -m hub.rulebook.measures` writes `docs/reference/measures.md`: the Measures, article by article.

For each of the 32 articles: which function fulfils it, where its evidence is, which test proves it, and what is
missing. The data stand in `measures.toml`; titles and contents come from the registry. A test holds every name in it
against the tree, so that a function that was renamed or a test that was dropped is seen. What must hold of the data:
1. The articles are 1 to 32, each once, in order.
2. An article that is fulfilled, wholly or in part, names a function and a test; one that is not names neither.
3. Whatever is not wholly fulfilled says in both languages what is missing; what is says nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from hub.message import msg
from hub.rulebook.bases import registry
from hub.rulebook.model import Basis
from hub.rulebook.strict import Table, read

FILE = Path(__file__).parent / "measures.toml"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "measures.md"
ARTICLES = 32
_MADE = (
    "<!-- Made by `python -m hub.rulebook.measures` from data; change hub/rulebook/measures.toml, not this page. -->"
)


class Standing(StrEnum):
    """How far an article is fulfilled."""

    BUILT = "built"
    PARTLY = "partly"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article of the Measures in this product.

    `functions` are dotted names, `events` kinds of ledger events, `pages` paths of the portal, `tests` are
    `<file>::<name>`.
    """

    number: int
    zh: str
    en: str
    standing: Standing
    functions: tuple[str, ...]
    events: tuple[str, ...]
    pages: tuple[str, ...]
    tests: tuple[str, ...]
    missing_zh: str
    missing_en: str

    @property
    def basis(self) -> Basis:
        """The article's entry in the registry."""
        return registry().basis(f"putuo-measures-{self.number}")


@lru_cache(maxsize=1)
def articles() -> tuple[Article, ...]:
    """The articles as the product stands now."""
    return load_articles(FILE)


def load_articles(path: Path) -> tuple[Article, ...]:
    """Read the articles.

    Raises:
        InvalidInput: One of the points 1 to 3 does not hold; the refusal names the place.
    """
    content = read(path)
    rows = content.rows("articles")
    content.close()
    found = tuple(_article(row, number) for number, row in enumerate(rows, 1))
    if len(found) != ARTICLES:
        raise content.refused("articles", msg("The Measures have {count} articles.", count=ARTICLES))  # 1
    return found


def _article(row: Table, number: int) -> Article:
    if row.number("number") != number:
        raise row.refused("number", msg("The articles stand here in their order."))  # 1
    missing = row.table("missing") if row.has("missing") else None
    article = Article(
        number=number,
        zh=row.text("zh"),
        en=row.text("en"),
        standing=row.member("standing", Standing),
        functions=row.texts("functions"),
        events=row.texts("events"),
        pages=row.texts("pages"),
        tests=row.texts("tests"),
        missing_zh=missing.text("zh") if missing else "",
        missing_en=missing.text("en") if missing else "",
    )
    if missing:
        missing.close()
    row.close()
    named = (article.functions, article.tests, article.events, article.pages)
    if article.standing is Standing.NOT_YET:
        if any(named):
            raise row.refused("standing", msg("What is not built names no function, evidence or test."))  # 2
    elif not (article.functions and article.tests):
        raise row.refused("standing", msg("What is built names a function and a test."))  # 2
    if (article.standing is Standing.BUILT) is (missing is not None):
        raise row.refused("missing", msg("What is missing is said wherever something is, and only there."))  # 3
    return article


def page(found: Sequence[Article]) -> str:
    """The reference page, ending in one newline."""
    counted = {standing: sum(1 for article in found if article.standing is standing) for standing in Standing}
    document = found[0].basis.document
    lines = [
        _MADE,
        "",
        "# The Measures, article by article",
        "",
        f"{document.zh}. {document.en}.",
        "",
        f"Of {len(found)} articles {counted[Standing.BUILT]} are fulfilled, {counted[Standing.PARTLY]} in part, "
        f"{counted[Standing.NOT_YET]} not yet. Every function, event, page and test named here exists; a test looks.",
        "",
    ]
    for article in found:
        lines += _section(article)
    return "\n".join(lines).rstrip() + "\n"


def _section(article: Article) -> list[str]:
    said = {
        Standing.BUILT: "fulfilled 已实现",
        Standing.PARTLY: "in part 部分实现",
        Standing.NOT_YET: "not yet 尚未实现",
    }
    basis = article.basis
    lines = [f"## {article.number}. {article.en} {basis.article} {article.zh}", ""]
    lines += [f"{basis.en} {basis.zh}", "", f"- Standing: **{said[article.standing]}**"]
    for title, names in (
        ("Functions", article.functions),
        ("Evidence in the ledger", article.events),
        ("Pages", article.pages),
        ("Tests", article.tests),
    ):
        if names:
            lines.append(f"- {title}: " + ", ".join(f"`{name}`" for name in names))
    if article.missing_en:
        lines.append(f"- Missing: {article.missing_en} {article.missing_zh}")
    return [*lines, ""]


def write(path: Path = PAGE) -> bool:
    """Write the page if it differs; whether it did."""
    text = page(articles())
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    if write():
        sys.stdout.write(f"{PAGE.name}\n")
