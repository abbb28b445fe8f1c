"""Policies of the cases: hierarchies from files, written out as groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anonymize.bench.cases import Case
from anonymize.bench.score import STAR, Hierarchy
from anonymize.toml import write_toml

REASON: Final = "measured by the bench"


def policy_text(case: Case, hierarchies: Mapping[str, Hierarchy]) -> str:
    """The policy of a case, as TOML."""
    columns: dict[str, Any] = {}
    for name, hierarchy in hierarchies.items():
        if name == case.sensitive:
            columns[name] = {"class": "sensitive_attr", "technique": "keep", "reason": REASON}
        else:
            columns[name] = {
                "class": "quasi_id",
                "technique": "generalize",
                "reason": REASON,
                "params": _params(hierarchy),
            }
    modes = {"recoding": case.recoding, **({} if case.cells == "labels" else {"cells": case.cells})}
    return write_toml(
        {"format": 1, "name": "bench", "version": "1", **modes, "target": dict(case.target), "columns": columns}
    )


def _params(hierarchy: Hierarchy) -> dict[str, Any]:
    """Groups from the columns of a hierarchy file; its last column, which hides all, is every policy's last level.

    A hierarchy with nothing between gets one group of everything as its last level, so that levels count alike.
    """
    between = len(hierarchy[0]) - 2
    levels: list[dict[str, list[str]]] = []
    for level in range(1, between + 1):
        groups: dict[str, list[str]] = {}
        for row in hierarchy:
            members = groups.setdefault(row[level], [])
            if row[level - 1] not in members:
                members.append(row[level - 1])
        levels.append(groups)
    if not levels:
        return {"kind": "groups", "levels": [{WHOLE: [row[0] for row in hierarchy]}], "max_level": 1}
    return {"kind": "groups", "levels": levels}


WHOLE: Final = "any"


def scored(hierarchy: Hierarchy) -> Hierarchy:
    """The hierarchy as its policy's labels spell it, for the scorer."""
    last = WHOLE if len(hierarchy[0]) == 2 else STAR
    return [[*row[:-1], last] for row in hierarchy]
