"""R46: no rows of the extract in the output.

Definition: `rowmatch` maps columns by content and counts rows whose combination few units of the extract have,
less what shuffled columns give. Default: BLOCK if the excess is at least 0.20 and covers ten rows; BLOCK too if
nearly all rows of a table of four or more tied columns occur in the extract (coarse microdata); FLAG if any row
matches three or more columns exactly, beyond chance. Source: own measurements, OUTPUT-CONTROL R46. Known hole: a
single column released by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from anonymize.screen.coarse import CoarseMatch, coarse_match
from anonymize.screen.context import Context
from anonymize.screen.extract_index import ExtractIndex, Precision
from anonymize.screen.findings import finding, limited
from anonymize.screen.grid import Grid
from anonymize.screen.lone_rows import LEAST_EQUAL, lone_rows
from anonymize.screen.rowmatch import RowMatch, best_match, columns_of
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_PRECISIONS: Final = {
    Precision.FULL: Text("原值", "values as they are"),
    Precision.FOUR: Text(" 4 位有效数字", "4 significant digits"),
    Precision.THREE: Text(" 3 位有效数字", "3 significant digits"),
    Precision.TWO: Text(" 2 位有效数字", "2 significant digits"),
    Precision.WHOLE: Text("整数", "whole numbers"),
}
_STEP: Final = Text(
    "请提交汇总结果（分组计数、均值），不要提交记录。",
    "Submit aggregates (counts, means of groups) instead of records.",
)
_TURNED: Final = 10
"""Columns from which a table is also tried with rows and columns exchanged."""


class Rows:
    """Records in tables of any file."""

    id = "R46"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        found: list[Finding] = []
        for grid in subject.grids:
            for turned in _both_ways(grid):
                for index in context.extracts:
                    context.deadline.check()
                    found += self._grid(subject, turned, index, context)
        yield from limited(found)

    def _grid(self, subject: Subject, grid: Grid, index: ExtractIndex, context: Context) -> Iterator[Finding]:
        columns = columns_of(grid.columns)
        headers = grid.header
        rare, deadline = context.pack.rare_units, context.deadline
        if grid.rows >= context.pack.row_minimum:
            match = best_match(columns, headers, index, rare=rare, enough=context.pack.row_excess, deadline=deadline)
            if (
                match is not None
                and match.excess >= context.pack.row_excess
                and match.excess * match.rows >= context.pack.row_minimum
            ):
                yield self._block(subject, grid, match)
                return
            coarse = coarse_match(columns, headers, index, deadline=deadline)
            if coarse is not None:
                yield self._coarse(subject, grid, coarse)
                return
        if grid.pieces:
            return
        hits, chance = lone_rows(columns, index, rare=rare, deadline=deadline)
        if _beyond_chance(hits, chance):
            yield self._flag(subject, grid, hits)

    def _block(self, subject: Subject, grid: Grid, match: RowMatch) -> Finding:
        precision = _PRECISIONS[match.precision]
        share, chance = f"{match.share:.0%}", f"{match.coincidence:.0%}"
        return finding(
            self.id,
            Code.RAW_ROWS,
            Level.BLOCK,
            subject.name,
            where=grid.where,
            text=Text(
                f"比对 {match.rows} 行，其中 {share} 与脱敏数据包的记录相符"
                f"（偶然相符约 {chance}；比对 {match.columns} 列，精度为{precision.zh}）。",
                f"Of {match.rows} rows compared, {share} are records of the extract (by chance {chance}; "
                f"{match.columns} columns, {precision.en}).",
            ),
            next_step=_STEP,
        )

    def _coarse(self, subject: Subject, grid: Grid, match: CoarseMatch) -> Finding:
        share, chance = f"{match.share:.0%}", f"{match.coincidence:.0%}"
        return finding(
            self.id,
            Code.RAW_ROWS,
            Level.BLOCK,
            subject.name,
            where=grid.where,
            text=Text(
                f"{match.columns} 列逐行取自脱敏数据包：{match.rows} 行中 {share} 的组合在其中出现（偶然 {chance}）。",
                f"{match.columns} columns follow the extract row by row: of {match.rows} rows, "
                f"{share} occur in it (by chance {chance}).",
            ),
            next_step=_STEP,
        )

    def _flag(self, subject: Subject, grid: Grid, hits: int) -> Finding:
        return finding(
            self.id,
            Code.RAW_ROWS,
            Level.FLAG,
            subject.name,
            where=grid.where,
            text=Text(
                f"{hits} 行有 {LEAST_EQUAL} 个或更多取值与脱敏数据包中的某条记录完全相同。",
                f"{hits} rows equal a record of the extract in {LEAST_EQUAL} or more values.",
            ),
            next_step=Text(
                "请说明这些行不是个人记录，或将其合并、四舍五入。",
                "Explain why these rows are no records, or merge or round them.",
            ),
        )


def _both_ways(grid: Grid) -> Iterator[Grid]:
    if grid.rows and grid.width >= 2:
        yield grid
    if grid.width >= _TURNED and 2 <= grid.rows <= 60:
        yield grid.transposed()


def _beyond_chance(hits: int, chance: float) -> bool:
    """Whether so many rows are unlikely (below 1 in 50) if chance gives `chance` on average (Poisson)."""
    if hits == 0:
        return False
    mean = chance + 0.01
    term = total = math.exp(-mean)
    for count in range(1, hits):
        term *= mean / count
        total += term
    return 1 - total < 0.02


RULE: Final = Rows()
