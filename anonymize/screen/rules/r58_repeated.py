"""R58: rows that repeat are records; an aggregate names every group once.

Definition: of a table of two or more columns and ten or more rows, at least one row in twenty (and five) equals an
earlier one in every cell. Default: FLAG. Source: own; closes part of the hole of R46 for few coarse columns, whose rows
are rare nowhere. The k-anonymity of a dataset product (R58 proper) comes later.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.grid import Grid
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

LEAST_REPEATED: Final = 5
LEAST_SHARE: Final = 0.05


class Repeated:
    """Rows that equal an earlier row."""

    id = "R58"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        for grid in subject.grids:
            context.deadline.check()
            count = repeated_rows(grid)
            if grid.rows >= context.pack.row_minimum and count >= max(LEAST_REPEATED, LEAST_SHARE * grid.rows):
                yield finding(
                    self.id,
                    Code.QUASI_K,
                    Level.FLAG,
                    subject.name,
                    where=grid.where,
                    text=Text(
                        f"{grid.rows} 行中有 {count} 行与前面的行完全相同，像是逐人记录而不是汇总表。",
                        f"Of {grid.rows} rows {count} equal an earlier one, which looks like records.",
                    ),
                    next_step=Text(
                        "请按类别汇总为计数表（每组一行，附 n）。",
                        "Aggregate by category: one row a group, with its n.",
                    ),
                )


def repeated_rows(grid: Grid) -> int:
    """Rows that equal an earlier row in every cell; 0 for a single column, where values repeat by nature."""
    if grid.pieces or grid.width < 2:
        return 0
    rows = [row for row in zip(*grid.columns, strict=True) if any(row)]
    return len(rows) - len(set(rows))


RULE: Final = Repeated()
