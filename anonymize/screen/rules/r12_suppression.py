"""R12: a suppressed cell can't be computed from the totals that were kept.

Definition: with row, column and group totals as equations, no suppressed cell is determined. Default: exact recovery
BLOCK. Source: Handbook on SDC, chapter 4; tau-Argus practice. Intervals that are narrow but not exact come later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import finding, limited
from anonymize.screen.margins import recoverable_cells
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text


class Suppression:
    """Taken-out counts that follow from kept totals."""

    id = "R12"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        found: list[Finding] = []
        for table in subject.tables:
            context.deadline.check()
            cells = set(recoverable_cells(table))
            if table.parts:
                cells |= set(recoverable_cells(table, 0))
            found += [self._recovered(subject, table.grid.place(row, column)) for row, column in sorted(cells)]
        yield from limited(found)

    def _recovered(self, subject: Subject, where: str) -> Finding:
        return finding(
            self.id,
            Code.SMALL_CELL,
            Level.BLOCK,
            subject.name,
            where=where,
            text=Text(
                "该被抑制的单元格可由合计精确推算。",
                "This suppressed cell follows exactly from the totals that were kept.",
            ),
            next_step=Text(
                "请在同一行和同一列各再抑制一个单元格，或去掉合计，然后重新提交。",
                "Suppress a second cell in its row and in its column, or drop the totals, then submit again.",
            ),
        )


RULE: Final = Suppression()
