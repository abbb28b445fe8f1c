"""The reference pages are what the code says now, and the code says something about each thing."""

import re

import pytest

from hub import reference
from hub.ledger.events import EventKind


@pytest.mark.parametrize("name", ["commands.md", "settings.md", "states.md", "refusals.md", "events.md", "access.md"])
def test_reference_page_is_what_the_code_says(name: str) -> None:
    page = reference.FOLDER / name
    assert page.read_text(encoding="utf-8") == reference.pages()[name], "run: .venv/bin/python -m hub.reference"


@pytest.mark.parametrize("name", ["settings.md", "refusals.md", "events.md", "commands.md", "access.md"])
def test_nothing_in_a_reference_page_lacks_its_meaning(name: str) -> None:
    rows = re.findall(r"^\| `.*\|$", reference.pages()[name], flags=re.MULTILINE)
    assert rows
    assert [row for row in rows if re.search(r"\| +\|", row)] == []


def test_every_command_has_its_sentence() -> None:
    sections = reference.pages()["commands.md"].split("\n## ")[1:]
    assert sections
    assert [section.splitlines()[0] for section in sections if not section.splitlines()[2].strip()] == []


def test_writing_again_changes_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("reference")
    assert len(reference.write(folder)) == 6
    assert reference.write(folder) == ()


def test_every_listed_event_is_written_by_some_code() -> None:
    """An event in the list that nothing writes would promise evidence that is never there."""
    listing = reference.PROJECT / "hub" / "ledger" / "events.py"
    words = reference.PROJECT / "hub" / "web" / "words.py"
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (reference.PROJECT / "hub").rglob("*.py")
        if path not in (listing, words)
    )
    assert [kind.name for kind in EventKind if f"EventKind.{kind.name}" not in code] == []
