"""R44: cells that a spreadsheet would run as a formula.

Definition: a cell that begins with = @ or, unless it is a number or a mark, with + or -. Default: FLAG.
Source: common practice against CSV injection (OWASP).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import MAX_EACH, finding, limited
from anonymize.screen.grid import Grid
from anonymize.screen.numbers import read_number
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_FORMULA: Final = re.compile(r"\s*(?:[=@＝＠]|[+\-＋－]\s*(?=[A-Za-z(\"'@=]))\s*\S")


_PLAIN: Final = frozenset("0123456789.")


class Formula:
    """A leading = @ + - in front of something that is no number."""

    id = "R44"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        found: list[Finding] = []
        for grid in (grid for grid in subject.grids if not grid.pieces):
            context.deadline.check()
            for index, column in enumerate(grid.columns):
                rows = [row for row, text in enumerate(column) if runs(text)]
                found += [self._cell(subject, grid, row, index) for row in rows[: 2 * MAX_EACH]]
            found += [self._cell(subject, grid, -1, index) for index, text in enumerate(grid.header) if runs(text)]
        yield from limited(found)

    def _cell(self, subject: Subject, grid: Grid, row: int, column: int) -> Finding:
        where = grid.place(row, column) if row >= 0 else f"{grid.where} header of column {column + 1}".strip()
        return finding(
            self.id,
            Code.HIDDEN_CONTENT,
            Level.FLAG,
            subject.name,
            where=where,
            text=Text("该单元格会被表格软件当作公式执行。", "A spreadsheet would run this cell as a formula."),
            next_step=Text("请在单元格前加单引号或改写内容。", "Put a single quote in front of it or rewrite it."),
        )


def runs(text: str) -> bool:
    """Whether a spreadsheet would take a cell for a formula."""
    return text[:1] not in _PLAIN and bool(_FORMULA.match(text)) and read_number(text) is None


RULE: Final = Formula()
