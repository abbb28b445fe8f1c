"""Findings in numbers that a person can read: the first ones each, the rest as one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

MAX_EACH: Final = 20
"""Findings of one rule on one file that are listed singly."""


def limited(findings: Sequence[Finding]) -> list[Finding]:
    """At most `MAX_EACH` findings, and one more that counts the rest.

    The strictest come first and are never dropped.
    """
    order = {Level.BLOCK: 0, Level.FLAG: 1, Level.NOTE: 2}
    listed = sorted(findings, key=lambda finding: order[finding.level])
    if len(listed) <= MAX_EACH:
        return listed
    rest = listed[MAX_EACH:]
    first = rest[0]
    more = Finding(
        rule=first.rule,
        code=first.code,
        level=first.level,
        file=first.file,
        where="",
        text=Text(
            f"同类问题还有 {len(rest)} 处，未逐条列出。",
            f"{len(rest)} more findings of this rule are not listed singly.",
        ),
        next_step=first.next_step,
    )
    return [*listed[:MAX_EACH], more]


def finding(rule: str, code: Code, level: Level, file: str, *, where: str, text: Text, next_step: Text) -> Finding:
    """A finding; short for rules."""
    return Finding(rule=rule, code=code, level=level, file=file, where=where, text=text, next_step=next_step)
