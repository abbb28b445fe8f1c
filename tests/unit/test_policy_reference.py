"""docs/reference/policy.md against the reader of policies: every key, no other, and every example is read."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anonymize.policy import ALLOWED, parse_policy
from anonymize.strict import Fields
from anonymize.target import read_target
from anonymize.techniques.generalize import _READERS
from anonymize.techniques.registry import NAMES, WITH_PARAMS
from anonymize.toml import write_toml
from tests.anonymize_cases import AGE, QUASI_KEPT

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "policy.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^#{2,4} `?([^`\n]+)`?\n(.*?)(?=^#{2,4} |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL))


def keys(section: str) -> set[str]:
    """The keys that a section's table lists, one or more in the first cell of a row."""
    table = SECTIONS[section].partition("| class | techniques |")[0]
    return set(re.findall(r"^\| `([a-z_]+)` \|", table, flags=re.MULTILINE))


def examples(section: str) -> list[dict[str, Any]]:
    return [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", SECTIONS[section], flags=re.DOTALL)]


def read_policy(document: dict[str, Any]) -> object:
    return parse_policy(write_toml(whole(document)))


def read_target_alone(document: dict[str, Any]) -> object:
    """The target by itself: what recodings offer for it is another question."""
    return read_target(Fields(document["target"], "target"))


def asked(
    monkeypatch: pytest.MonkeyPatch, documents: list[dict[str, Any]], read: Callable[..., object] = read_policy
) -> dict[str, set[str]]:
    """Every key that reading the documents asks for, by the path of its table."""
    found: dict[str, set[str]] = {}
    has, raw = Fields.has, Fields.raw

    def record(fields: Fields, key: str) -> None:
        found.setdefault(re.sub(r"^columns\.[^.]+", "columns.*", fields.path), set()).add(key)

    def spied_has(fields: Fields, key: str) -> bool:
        record(fields, key)
        return has(fields, key)

    def spied_raw(fields: Fields, key: str) -> Any:
        record(fields, key)
        return raw(fields, key)

    monkeypatch.setattr(Fields, "has", spied_has)
    monkeypatch.setattr(Fields, "raw", spied_raw)
    for document in documents:
        read(document)
    return found


def whole(document: dict[str, Any]) -> dict[str, Any]:
    """A policy around an example: what it does not say itself is filled in."""
    target = document.get("target", {"k": 5})
    columns = document.get("columns", {"age": AGE})
    if not any(rule["class"] == "quasi_id" for rule in columns.values()):
        columns = {**columns, "filled_in": QUASI_KEPT}
    return {"format": 1, "name": "x", "version": "1", **document, "target": target, "columns": columns}


HIERARCHIES = sorted(_READERS)
WITH = sorted(set(WITH_PARAMS) - {"generalize"})


@pytest.mark.parametrize("technique", WITH)
def test_every_parameter_of_a_technique_is_listed_and_no_other(technique: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examples(technique)
    assert asked(monkeypatch, examples(technique))["columns.*.params"] == keys(technique)


@pytest.mark.parametrize("kind", HIERARCHIES)
def test_every_parameter_of_a_hierarchy_is_listed_and_no_other(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = keys("generalize")
    assert examples(kind)
    assert asked(monkeypatch, examples(kind))["columns.*.params"] - shared == keys(kind)


def test_what_all_hierarchies_share_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = asked(monkeypatch, [example for kind in HIERARCHIES for example in examples(kind)])["columns.*.params"]
    own = set().union(*(keys(kind) for kind in HIERARCHIES))
    assert found - own == keys("generalize")


def test_every_other_key_is_listed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    sections = ("Top level", "[sample]")
    found = asked(monkeypatch, [example for section in sections for example in examples(section)])
    assert found[""] == keys("Top level")
    assert found["sample"] == keys("[sample]")
    assert found["columns.*"] == keys("[columns.NAME]")


def test_every_key_of_the_target_is_listed_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = examples("[target]") + examples("[target.population]")
    found = asked(monkeypatch, documents, read=read_target_alone)
    assert found["target"] == keys("[target]")
    assert found["target.population"] == keys("[target.population]")


def test_every_technique_has_its_section_and_none_is_made_up() -> None:
    written = re.findall(r"^### `([a-z_]+)`$", PAGE, flags=re.MULTILINE)
    assert sorted(written) == sorted(NAMES)
    assert sorted(re.findall(r"^#### `([a-z_]+)`$", PAGE, flags=re.MULTILINE)) == HIERARCHIES


@pytest.mark.parametrize("column_class", sorted(ALLOWED))
def test_techniques_of_a_class_are_those_allowed(column_class: str) -> None:
    row = re.search(rf"^\| `{column_class}` \| (.*) \|$", PAGE, flags=re.MULTILINE)
    assert row is not None
    assert row.group(1).split(", ") == [name for cls in ALLOWED if cls == column_class for name in ALLOWED[cls]]
