"""R18: a table of more than 5,000 rows is hardly an aggregate.

Default: FLAG. Source: OpenSAFELY, 5,000 rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text


class Rows:
    """Rows of the longest table."""

    id = "R18"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        limit = context.pack.max_rows
        for grid in (grid for grid in subject.grids if not grid.pieces):
            if max(grid.rows, grid.width) > limit:
                rows = max(grid.rows, grid.width)
                yield finding(
                    self.id,
                    Code.SIZE_LIMIT,
                    Level.FLAG,
                    subject.name,
                    where=grid.where,
                    text=Text(f"表格有 {rows} 行，超过 {limit} 行。", f"The table has {rows} rows, more than {limit}."),
                    next_step=Text(
                        "请合并类别、进一步汇总，或说明为何需要这么多行。",
                        "Merge categories, aggregate further, or say why so many rows are needed.",
                    ),
                )


RULE: Final = Rows()
