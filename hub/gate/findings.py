"""The machine's findings as people read them: what blocks comes first and alone, repetitions are folded away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.message import Message, both

SINGLY = 5
"""Findings of one rule on one file that are shown before the rest of them is folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One finding on a page. It holds no cell value."""

    rule: str
    code: str
    level: str
    file: str
    where: Message | None
    """None for the whole file."""
    text: Message
    next_step: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """Findings to be read at once, and those behind one line."""

    open: tuple[Shown, ...]
    folded: tuple[Shown, ...]


def arrange(findings: Sequence[Mapping[str, Any]]) -> Arranged:
    """Order findings for reading.

    Where anything blocks, everything else waits behind one line: a request that is blocked for being rows of the
    extract need not also be read cell by cell. Where nothing blocks, reviewers decide, and only repetitions fold.

    Args:
        findings: Those of a report as the screen wrote it (`hub.gate.screening.Report`).
    """
    shown = [_read(finding) for finding in findings]
    blocking = tuple(one for one in shown if one.level == "block")
    if blocking:
        return Arranged(open=blocking, folded=tuple(one for one in shown if one.level != "block"))
    seen: dict[tuple[str, str], int] = {}
    opened: list[Shown] = []
    folded: list[Shown] = []
    for one in sorted(shown, key=lambda one: one.level != "flag"):
        seen[one.rule, one.file] = seen.get((one.rule, one.file), 0) + 1
        (opened if seen[one.rule, one.file] <= SINGLY else folded).append(one)
    return Arranged(open=tuple(opened), folded=tuple(folded))


def _read(finding: Mapping[str, Any]) -> Shown:
    zh, en = finding["i18n"]["zh"], finding["i18n"]["en"]
    where = str(finding.get("where", ""))
    return Shown(
        rule=finding["rule"],
        code=finding["code"],
        level=finding["level"],
        file=finding["file"],
        where=both(en=en.get("where", where), zh=zh.get("where", where)) if where else None,
        text=both(en=en["text"], zh=zh["text"]),
        next_step=both(en=en["next_step"], zh=zh["next_step"]),
    )
