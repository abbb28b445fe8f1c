"""Every refusal in the source cites a basis and says what to do next; no field of a form is named by its code.

What the pure rules refuse is asked in each row of the tables (`tests.spec_tables.explains`). Here is the rest: what is
refused by actions, pages, settings and commands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.errors import NotFound, Refusal, house_rule
from hub.message import msg
from hub.rulebook.bases import registry
from hub.settings import PROJECT
from hub.web.fields import FIELDS
from tests.spec_tables import explains

HUB = PROJECT / "hub"
SOURCES = sorted(HUB.rglob("*.py"))
GETTERS = {"text", "optional", "many", "ticked", "number", "day", "one_of", "file"}
GENERAL = house_rule("no_family_of_this_name")


def calls(path: Path) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def refusals(path: Path) -> Iterator[dict[str, ast.expr]]:
    """The arguments of every refusal that a file builds, wrappers of one room (`_refusal(rule, …)`) included."""
    names, cited = wrapper(path)
    for call in calls(path):
        if not isinstance(call.func, ast.Name):
            continue
        given = {word.arg: word.value for word in call.keywords if word.arg}
        if call.func.id == "Refusal":
            yield given
        elif call.func.id == "_refusal" and "rule" in names:
            yield {**cited, **dict(zip(names, call.args, strict=False)), **given}


def wrapper(path: Path) -> tuple[list[str], dict[str, ast.expr]]:
    """Names of the arguments of a file's `_refusal`, and the basis that it cites by itself."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "_refusal":
            names = [argument.arg for argument in node.args.args]
            built = [
                call for call in ast.walk(node) if isinstance(call, ast.Call) and ast.unparse(call.func) == "Refusal"
            ]
            given = {word.arg: word.value for call in built for word in call.keywords if word.arg == "basis"}
            asked = "basis" in names and len(node.args.defaults) == 0
            return names, {} if asked else {str(name): value for name, value in given.items()}
    return [], {}


def code_of(given: dict[str, ast.expr]) -> str:
    rule = given.get("rule")
    return rule.value if isinstance(rule, ast.Constant) and isinstance(rule.value, str) else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_code_without_a_law_belongs_to_a_house_rule(path: Path) -> None:
    codes = {code_of(given) for given in refusals(path) if "basis" not in given} - {""}
    missing = sorted(code for code in codes if house_rule(code) == GENERAL)
    assert missing == [], f"add the family of {missing} to `_ARTICLES` in hub/errors.py, or cite a basis"


@pytest.mark.parametrize("code", ["form.missing", "not_found", "row.changed", "no_family_of_this_name", ""])
def test_house_rule_is_an_entry_of_the_registry(code: str) -> None:
    assert [entry.document.id for entry in registry().resolve(house_rule(code))] == ["house"]


def test_every_house_rule_is_explained_to_readers() -> None:
    page = (PROJECT / "docs" / "explanation" / "refusals.md").read_text(encoding="utf-8")
    rules = [basis for basis in registry().bases.values() if basis.document.id == "house"]
    assert len(rules) == page.count("| 第")
    for rule in rules:
        assert f"| {rule.article} | {rule.zh}<br>{rule.en} |" in page


def test_refusal_cannot_be_built_without_a_basis() -> None:
    built = Refusal(rule="form.missing", subject="", text=msg("x"), next_step=msg("y"))
    assert built.basis == house_rule("form.missing")


def test_refusal_that_explains_nothing_is_found() -> None:
    good = Refusal(
        rule="export.empty",
        subject="",
        text=msg("Nothing is chosen from the outbox."),
        next_step=msg("Fill in the field and send the form again."),
    )
    explains(good)
    for bad in (
        replace(good, basis="某法 第一条"),
        replace(good, text=msg("The field {field} is empty.", field="title_zh")),
        replace(good, next_step=msg("Nobody translated this.")),
    ):
        with pytest.raises((AssertionError, NotFound)):
            explains(bad)


@pytest.mark.parametrize("path", sorted(HUB.glob("*/pages.py")), ids=lambda path: path.parent.name)
def test_every_field_of_a_form_has_words(path: Path) -> None:
    asked = set()
    for call in calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr in GETTERS and call.args:
            owner = ast.unparse(call.func.value)
            if owner == "form" or owner.endswith(".form"):
                name = call.args[0]
                first = name.values[0] if isinstance(name, ast.JoinedStr) else name
                if isinstance(first, ast.Constant):
                    asked.add(str(first.value).split(".")[0])
    assert asked - set(FIELDS) == set(), "add their words to hub/web/fields.py"
