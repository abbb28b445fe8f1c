"""R01, R03, R11: every cell of a table rests on at least ten units, and says so.

Definition:
- R01: a count from 1 to 9 in a column of counts or a crosstab, also as "7 of 19". Taken-out cells ("<10", *, …)
are fine. - R03: a count of 0, and a share of exactly 0 % or 100 % (an empty or full cell tells on its whole
group), where the pack
  says "flag". Rows and columns of totals are exempt from the share rule.
- R11: a share beside its count n stands for share x n units; fewer than ten are a small cell.
- A table of shares, means or sums without any counts: the counts are recomputed from the extract if every figure comes
  out again from it and judged as above; else DOC_MISSING, "no counts given".
Default: FLAG below 10. Source: ACRO safe_threshold 10, ABS rule of 10, OpenSAFELY (OUTPUT-CONTROL R01, R03, R11).
Note: years, codes, ages and percentages are told apart by column name and content; see `roles`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import MAX_EACH, finding, limited
from anonymize.screen.recompute import counts_behind
from anonymize.screen.roles import Role, Table
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_STEP: Final = Text(
    "请合并类别或抑制该单元格（连同可推算它的合计），然后重新提交。",
    "Merge categories or suppress the cell (and a total that would give it back), then submit again.",
)


class SmallCells:
    """Counts below the threshold, empty and full cells, tables without counts."""

    id = "R01"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        found: list[Finding] = []
        for table in subject.tables:
            context.deadline.check()
            if not _is_list(table):
                found += self._table(subject, table, context)
        yield from limited(found)

    def _table(self, subject: Subject, table: Table, context: Context) -> Iterator[Finding]:
        counts = table.columns(Role.COUNT)
        for column in counts:
            yield from self._counts(subject, table, column, context)
        shares = table.columns(Role.SHARE)
        if counts:
            yield from self._numerators(subject, table, counts, context)
        elif (shares or table.columns(Role.MEASURE)) and not _is_model(table):
            yield from self._without_counts(subject, table, context)
        if context.pack.zero_cells == "flag":
            for column in shares:
                yield from self._full(subject, table, column)

    def _counts(self, subject: Subject, table: Table, column: int, context: Context) -> Iterator[Finding]:
        limit, zero = context.pack.min_cell, context.pack.zero_cells == "flag"
        parts = table.parts.get(column)
        small: list[int] = []
        empty: list[int] = []
        for row, number in enumerate(table.numbers[column]):
            values = [number.value] if number is not None else []
            if parts is not None and (pair := parts[row]) is not None:
                values = [float(value) for value in pair]
            if any(0 < value < limit for value in values):
                small.append(row)
            elif zero and any(value == 0 for value in values):
                empty.append(row)
        for row in small[:MAX_EACH]:
            yield self._small(subject, table.grid.place(row, column), limit, "R01")
        for row in empty[:MAX_EACH]:
            yield self._empty(subject, table.grid.place(row, column))
        if more := len(small[MAX_EACH:]) + len(empty[MAX_EACH:]):
            yield self._more(subject, table.grid.column_place(column), more)

    def _numerators(self, subject: Subject, table: Table, counts: list[int], context: Context) -> Iterator[Finding]:
        """Shares beside exactly one column of counts: share x n, where n itself is large enough."""
        bases = [column for column in counts if table.named[column]] or counts
        if len(bases) != 1:
            return
        for column in table.columns(Role.SHARE):
            fraction = _is_fraction(table, column)
            if _is_composition(table, column, bases[0]):
                continue
            for row, number in enumerate(table.numbers[column]):
                base = table.numbers[bases[0]][row]
                if number is None or base is None or base.value < context.pack.min_cell:
                    continue
                units = number.value / (1 if fraction and not number.percent else 100) * base.value
                if 0.5 <= units < context.pack.min_cell - 0.5:
                    yield self._small(subject, table.grid.place(row, column), context.pack.min_cell, "R11")

    def _without_counts(self, subject: Subject, table: Table, context: Context) -> Iterator[Finding]:
        for index in context.extracts:
            behind = counts_behind(table, index, context.deadline)
            if behind is not None:
                limit = context.pack.min_cell
                for (row, column), count in behind.items():
                    if 0 < count < limit:
                        yield self._small(subject, table.grid.place(row, column), limit, "R01")
                return
        yield finding(
            self.id,
            Code.DOC_MISSING,
            Level.FLAG,
            subject.name,
            where=table.grid.where,
            text=Text(
                "表中有比例、均值或金额，但没有给出人数，且无法由脱敏数据包复算。",
                "The table shows shares, means or amounts without the counts behind them, "
                "and they do not come out of the extract.",
            ),
            next_step=Text(
                "请加一列 n（每格的人数），或说明每格人数不少于 10。",
                "Add a column n (units behind each cell), or say that none is below 10.",
            ),
        )

    def _full(self, subject: Subject, table: Table, column: int) -> Iterator[Finding]:
        if column in table.total_columns:
            return
        fraction = _is_fraction(table, column)
        whole = 1.0 if fraction else 100.0
        for row, number in enumerate(table.numbers[column]):
            if number is None or row in table.total_rows:
                continue
            if number.value == 0 or number.value == (100.0 if number.percent else whole):
                yield finding(
                    "R03",
                    Code.SMALL_CELL,
                    Level.FLAG,
                    subject.name,
                    where=table.grid.place(row, column),
                    text=Text(
                        "该比例为 0% 或 100%，透露了整个群体的情况。",
                        "This share is 0 % or 100 %, which tells on the whole group.",
                    ),
                    next_step=_STEP,
                )

    def _small(self, subject: Subject, where: str, limit: int, rule: str) -> Finding:
        return finding(
            rule,
            Code.SMALL_CELL,
            Level.FLAG,
            subject.name,
            where=where,
            text=Text(f"该单元格的人数低于阈值 {limit}。", f"The cell rests on fewer than {limit} units."),
            next_step=_STEP,
        )

    def _more(self, subject: Subject, where: str, count: int) -> Finding:
        return finding(
            self.id,
            Code.SMALL_CELL,
            Level.FLAG,
            subject.name,
            where=where,
            text=Text(
                f"该列另有 {count} 个单元格为小计数或 0。", f"{count} more cells of this column are small or empty."
            ),
            next_step=_STEP,
        )

    def _empty(self, subject: Subject, where: str) -> Finding:
        return finding(
            "R03",
            Code.SMALL_CELL,
            Level.FLAG,
            subject.name,
            where=where,
            text=Text(
                "该单元格人数为 0，透露了该类别无人。", "The count is 0, which tells that the category holds nobody."
            ),
            next_step=_STEP,
        )


def _is_list(table: Table) -> bool:
    """A single column of numbers under no name (a list of labels, coordinates of an axis) is no table."""
    return (
        table.grid.width == 1 and not table.named[0] and table.roles[0] is not Role.SHARE and not table.grid.header[0]
    )


_MODEL_WORDS: Final = (
    "coef", "estimate", "std err", "stderr", "p value", "z value", "t value", "系数", "标准误", "auc", "ks", "iv",
    "woe", "weight", "intercept",
)  # fmt: skip


def _is_model(table: Table) -> bool:
    """A table of coefficients or of a model's quality, whose units are those of the whole model."""
    from anonymize.detect.headers import header_has

    return any(header_has(header, _MODEL_WORDS) for header in table.grid.header)


def _is_fraction(table: Table, column: int) -> bool:
    """Whether shares are written from 0 to 1 instead of 0 to 100."""
    values = [number.value for number in table.numbers[column] if number is not None and not number.percent]
    return bool(values) and max(values) <= 1.0


def _is_composition(table: Table, column: int, base: int) -> bool:
    """Whether a share is the count's own part of a total, of the table or of a group: then their ratio is constant."""
    labels = table.columns(Role.LABEL)
    groupings = [["" for _ in range(table.grid.rows)], *([*table.grid.columns[label]] for label in labels)]
    return any(_proportional(table, column, base, groups) for groups in groupings)


def _proportional(table: Table, column: int, base: int, groups: list[str]) -> bool:
    """Whether in every group of two rows or more one total explains all shares, within their rounding."""
    totals: dict[str, list[tuple[float, float]]] = {}
    sizes: dict[str, int] = {}
    for row, group in enumerate(groups):
        share, count = table.numbers[column][row], table.numbers[base][row]
        if share is None or count is None or row in table.total_rows:
            continue
        slack = 0.51 * 10.0**-share.decimals
        low, high = max(share.value - slack, 1e-12), share.value + slack
        totals.setdefault(group, []).append((count.value / high, count.value / low))
        sizes[group] = sizes.get(group, 0) + 1
    if not totals or max(sizes.values()) < 2:
        return False
    return all(max(low for low, _ in spans) <= min(high for _, high in spans) for spans in totals.values())


RULE: Final = SmallCells()
