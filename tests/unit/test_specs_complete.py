"""Every refusal code of every pure rule module has an example that is allowed and one that is refused."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.settings import PROJECT
from tests.spec_tables import SpecFault, parse, rooms, rows

PURE = "rules are pure: no effects, no pages, no database, no other package"
_CODE = re.compile(r"[a-z][a-z_0-9]*\.[a-z][a-z_0-9]*")


def pure_modules() -> list[Path]:
    """The modules that import-linter keeps pure; nothing else says which those are."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (names,) = [contract["source_modules"] for contract in contracts if contract["name"] == PURE]
    return [PROJECT / (name.replace(".", "/") + ".py") for name in sorted(names)]


def codes(path: Path) -> Iterator[str]:
    """Every text of the form `noun.reason` outside of docstrings: refusals are built with nothing else of that form."""
    yield from (
        node.value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _CODE.fullmatch(node.value)
    )


def test_every_rules_module_is_held_pure() -> None:
    assert set((PROJECT / "hub").glob("*/*rules.py")) <= set(pure_modules())


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "refused"])
@pytest.mark.parametrize("path", pure_modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_code_has_an_example(path: Path, allowed: bool) -> None:
    shown = {row.code for room in rooms() for row in rows(room) if row.allowed is allowed}
    wanted = "允许" if allowed else "拒绝"
    missing = sorted(set(codes(path)) - shown)
    assert missing == [], f"no row of {wanted} in tests/specs/*.md: {missing}; see tests/specs/README.md"


def test_no_table_is_about_a_code_that_no_rule_knows() -> None:
    known = {code for path in pure_modules() for code in codes(path)}
    assert {row.code for room in rooms() for row in rows(room)} <= known


def test_every_page_of_tables_is_run() -> None:
    modules = {path.name for path in Path(__file__).parent.glob("test_*_spec.py")}
    assert [room for room in rooms() if f"test_{room}_spec.py" not in modules] == []


GOOD = """# 室 room

## `a.b` 说明

情形 case: `ask`

| 甲<br>one | 结果<br>result |
| --- | --- |
| 是 | 允许 |
| 否 | 拒绝，同时 `c.d` |
"""
FAULTS = [
    ("## `a.b` 说明", "## a.b 说明"),
    ("## `a.b` 说明", "## `a.b`"),
    ("情形 case: `ask`", "情形 case: ask"),
    ("情形 case: `ask`", ""),
    ("甲<br>one", "one"),
    ("甲<br>one", "甲"),
    ("甲<br>one", "结果<br>result"),
    ("| 结果<br>result |", "| 乙<br>two |"),
    ("| 是 | 允许 |", "| 是 |"),
    ("| 是 | 允许 |", "| | 允许 |"),
    ("| 是 | 允许 |", "| 是 | 可以 |"),
    ("同时 `c.d`", "同时"),
]


@pytest.mark.parametrize(("old", "new"), FAULTS)
def test_page_with_a_fault_is_refused(old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(SpecFault, match=r"room\.md:\d+"):
        list(parse(GOOD.replace(old, new, 1), room="room"))


def test_row_is_held_to_exactly_its_codes_and_all_of_its_columns() -> None:
    allowed, refused = parse(GOOD, room="room")
    assert (allowed.expected, refused.expected) == (set(), {"a.b", "c.d"})
    with pytest.raises(AssertionError, match="reads no column"):
        allowed.holds({"ask": lambda row: ()})
    with pytest.raises(AssertionError, match=r"room\.md:10"):
        refused.holds({"ask": lambda row: ()})
    with pytest.raises(SpecFault, match="asks no case"):
        allowed.holds({})
    with pytest.raises(SpecFault, match="means nothing"):
        allowed.day("one", None)  # type: ignore[arg-type]
