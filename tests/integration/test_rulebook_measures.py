"""The page on the Measures tells of things that exist."""

import ast
import importlib
from pathlib import Path

import pytest

from hub.errors import InvalidInput
from hub.ledger.events import EventKind
from hub.rulebook import measures
from hub.rulebook.measures import Article, Standing, articles, load_articles
from hub.settings import PROJECT
from hub.web.app import ROOMS

PATHS = {getattr(route, "path", "") for room in ROOMS for route in room.routes}
by_number = pytest.mark.parametrize("article", articles(), ids=lambda article: str(article.number))


def exists(dotted: str) -> bool:
    """Whether the last name is made in the module before it, not only imported there."""
    module, _, name = dotted.rpartition(".")
    found = getattr(importlib.import_module(module), name, None)
    return callable(found) and found.__name__ == name


def names_in(file: str) -> set[str]:
    module = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@by_number
def test_every_function_named_exists(article: Article) -> None:
    assert [name for name in article.functions if not exists(name)] == []


@by_number
def test_every_event_named_is_a_kind_of_event(article: Article) -> None:
    assert set(article.events) <= {kind.value for kind in EventKind}


@by_number
def test_every_page_named_is_served(article: Article) -> None:
    assert set(article.pages) <= PATHS


@by_number
def test_every_test_named_exists(article: Article) -> None:
    named = [test.split("::") for test in article.tests]
    assert [name for file, name in named if not name.startswith("test_") or name not in names_in(file)] == []


def test_page_is_what_the_data_say_now() -> None:
    written = measures.PAGE.read_text(encoding="utf-8")
    assert written == measures.page(articles()), "run: .venv/bin/python -m hub.rulebook.measures"


def test_page_has_a_section_for_each_of_the_32_articles_and_hides_no_gap() -> None:
    text = measures.page(articles())
    assert text.count("\n## ") == 32
    open_ones = [article for article in articles() if article.standing is not Standing.BUILT]
    assert text.count("- Missing: ") == len(open_ones)


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    assert measures.write(tmp_path / "page.md")
    assert not measures.write(tmp_path / "page.md")


TEXT = measures.FILE.read_text(encoding="utf-8")
FAULTS = [
    (TEXT.replace("number = 2\n", "number = 3\n"), "articles[2].number"),
    (TEXT[: TEXT.index("\n[[articles]]\nnumber = 32")], "articles"),
    (TEXT.replace('standing = "partly"', 'standing = "built"', 1), "articles[1].missing"),
    (TEXT.replace('standing = "partly"', 'standing = "not_yet"', 1), "articles[1].standing"),
    (TEXT.replace('standing = "not_yet"', 'standing = "partly"', 1), "articles[5].standing"),
    (TEXT.replace("missing = {", "lacking = {", 1), "articles[1].lacking"),
    (TEXT.replace('standing = "partly"', 'standing = "nearly"', 1), "articles[1].standing"),
    (TEXT.replace("pages = []", 'pages = ["/ledger"]', 1), "articles[5].standing"),
]


@pytest.mark.parametrize(("text", "place"), FAULTS)
def test_data_that_promise_too_much_or_hide_a_gap_are_refused(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "measures.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_articles(file)
    assert caught.value.refusals[0].subject == f"measures.toml: {place}"
