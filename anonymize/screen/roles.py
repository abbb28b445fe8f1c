"""What the columns of a table are: counts, shares, measures, labels. By their names first, then by their content."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from anonymize.detect.headers import header_has, header_words
from anonymize.screen.grid import Grid
from anonymize.screen.numbers import COUNTED_UNITS, Number, is_suppressed, read_number, read_part_of_whole


class Role(StrEnum):
    """What a column's cells are."""

    LABEL = "label"
    COUNT = "count"
    SHARE = "share"
    MEASURE = "measure"
    CHANGE = "change"


_CHANGE_WORDS: Final = (
    "增长", "增速", "同比", "环比", "增幅", "降幅", "涨幅", "变化", "增减", "growth", "change", "yoy", "mom",
    "qoq", "diff", "delta",
)  # fmt: skip
_SHARE_WORDS: Final = (
    "占比", "比例", "比重", "百分比", "构成", "%", "share", "shares", "pct", "percent", "percentage", "proportion",
    "prevalence",
)  # fmt: skip
_SHARE_HEADS: Final = ("rate", "ratio", "share", "pct", "percent")
"""Words that make a share only at the end of a name: rate_marriage is a rating."""
_NOT_A_SHARE: Final = ("利率", "汇率", "税率", "频率", "功率", "效率", "概率", "增长率", "斜率", "费率", "倍率")
_STATISTIC_WORDS: Final = (
    "平均", "均值", "人均", "户均", "中位", "标准差", "方差", "最大", "最小", "最高", "最低", "分位", "指数",
    "系数", "得分", "评分", "分数", "权重", "mean", "avg", "average", "median", "std", "sd", "var", "variance",
    "min", "max", "quantile", "p25", "p50", "p75", "p90", "index", "score", "coef", "coefficient", "estimate",
    "se", "stderr", "std err", "p value", "pvalue", "t value", "z value", "auc", "ks", "r2", "weight", "lower",
    "upper", "ci", "odds ratio", "hr", "or", "iv", "woe", "psi", "gini", "intercept", "alpha", "beta", "lambda",
)  # fmt: skip
_AMOUNT_WORDS: Final = (
    "金额", "收入", "支出", "面积", "价", "费", "元", "额", "产值", "补贴", "时长", "天数", "里程", "长度", "重量",
    "容量", "温度", "amount", "amt", "income", "revenue", "cost", "price", "area", "value", "duration", "days",
    "hours", "minutes", "distance", "sum",
)  # fmt: skip
_COUNT_WORDS: Final = (
    "人数", "人次", "计数", "数量", "频数", "户数", "件数", "家数", "例数", "次数", "个数", "样本量", "样本数",
    "单量", "件量", "诊量", "理量", "人口", "n", "nobs", "count", "counts", "cnt", "freq", "frequency", "num",
    "size", "cases", "obs", "observations", "persons", "people", "population", "households", "headcount",
    "contributors", "units", "firms", "patients", "tickets", "vehicles", "number of", "value counts", "len", "rs",
    "renshu", "hs", "hushu", "shuliang", "sl",
)  # fmt: skip
_NOT_A_NUMBER_OF: Final = (
    "指数", "系数", "分数", "参数", "倍数", "百分数", "函数", "平均数", "中位数", "众数", "岁数", "天数", "年数",
    "月数", "层数", "基数", "小数", "序数", "对数", "分位数", "级数", "位数", "代数", "小时数", "分钟数", "均数",
    "楼层数",
)  # fmt: skip
_TOTAL_WORDS: Final = (
    "合计", "总计", "共计", "小计", "总数", "全部", "全区", "全市", "total", "totals", "all", "overall", "sum",
    "margin", "grand total", "全体", "总体", "总人数", "总户数", "合计人数",
)  # fmt: skip
_LONGEST_TOTAL: Final = 16
_MARKS: Final = re.compile(r"^[\s*]+|[\s*:：]+$|\s*[(（](?:人|户|家|件|人次)[)）]\s*$")
_LABEL_WORDS: Final = (
    "代码", "编码", "编号", "年份", "年度", "年", "月份", "月", "日期", "季度", "星期", "时段", "小时", "序号",
    "排名", "排序", "级别", "等级", "组", "段", "年龄", "性别", "类别", "类型", "街道", "网格", "分类", "科目",
    "指标", "项目", "名称", "code", "id", "year", "month", "date", "day", "quarter", "week", "weekday", "hour",
    "rank", "no", "level", "grade", "group", "band", "bin", "age", "gender", "sex", "category", "type", "class",
    "key", "label", "name", "street", "grid", "seed", "epochs", "depth", "iterations", "version", "k", "format",
    "unnamed 0", "index", "x", "y", "term",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A grid read as statistics: the role of each column, the numbers in it, which rows and columns are totals.

    Shape: `numbers[c][r]` is the number of a cell or None; `suppressed[c][r]` whether it was taken out.
    `parts[c]` holds the two counts of each cell of a column of the form "7 of 19".
    """

    grid: Grid
    roles: tuple[Role, ...]
    named: tuple[bool, ...]
    numbers: tuple[list[Number | None], ...]
    parts: dict[int, list[tuple[int, int] | None]]
    total_rows: frozenset[int]
    total_columns: frozenset[int]

    def columns(self, role: Role) -> list[int]:
        return [index for index, own in enumerate(self.roles) if own is role]

    def suppressed(self, row: int, column: int) -> bool:
        return self.numbers[column][row] is None and is_suppressed(self.grid.columns[column][row])


def is_total(text: str) -> bool:
    """Whether a label names a total."""
    plain = _MARKS.sub("", text[:80]).lower()
    return len(plain) <= _LONGEST_TOTAL and plain in _TOTAL_WORDS


def named_role(header: str) -> Role | None:
    """The role that a column's name tells; None if it tells none."""
    if header_has(header, _CHANGE_WORDS):
        return Role.CHANGE
    whole = header_words(header)[0]
    rate = "率" in whole and not any(word in whole for word in _NOT_A_SHARE)
    latin = header_words(header)[1].strip()
    head = latin.rpartition(" ")[2] in _SHARE_HEADS
    if header_has(header, _SHARE_WORDS) or "%" in header or rate or head:
        return Role.SHARE
    if header_has(header, _STATISTIC_WORDS):
        return Role.MEASURE
    unit = any(f"({unit})" in whole for unit in COUNTED_UNITS)
    number_of = "数" in whole and not any(word in whole for word in _NOT_A_NUMBER_OF)
    if header_has(header, _COUNT_WORDS) or unit or number_of:
        return Role.COUNT
    if header_has(header, _AMOUNT_WORDS):
        return Role.MEASURE
    if is_total(header):
        return None
    return Role.LABEL if header_has(header, _LABEL_WORDS) else None


def read_table_of(grid: Grid) -> Table:
    """A grid with its columns' roles.

    Note: whole numbers under names that tell nothing count as counts, unless the table has a named column of counts:
    a crosstab names its columns by categories.
    """
    numbers = tuple(_numbers(column) for column in grid.columns)
    parts = {
        index: found
        for index, column in enumerate(grid.columns)
        if (found := _parts(column, numbers[index])) is not None
    }
    roles: list[Role | None] = []
    for index in range(grid.width):
        roles.append(_role(grid, numbers[index], index, parted=index in parts))
    named = tuple(named_role(header) is Role.COUNT for header in grid.header)
    for index in range(grid.width):
        if roles[index] is None:
            roles[index] = _role_by_content(grid, numbers, index, named=named, roles=roles)
    total_rows = frozenset(
        row
        for row in range(grid.rows)
        if any(is_total(grid.columns[c][row]) for c in range(grid.width) if roles[c] is Role.LABEL)
    )
    return Table(
        grid=grid,
        roles=tuple(role or Role.LABEL for role in roles),
        named=named,
        numbers=numbers,
        parts=parts,
        total_rows=total_rows,
        total_columns=frozenset(c for c in range(grid.width) if is_total(grid.header[c])),
    )


def _numbers(column: list[str]) -> list[Number | None]:
    """The numbers of a column; each distinct cell is read once."""
    read = {text: read_number(text) for text in set(column)}
    return [read[text] for text in column]


def _parts(column: list[str], numbers: list[Number | None]) -> list[tuple[int, int] | None] | None:
    if any(numbers):
        return None
    found = [read_part_of_whole(text) for text in column]
    held = sum(part is not None for part in found)
    return found if held and held * 2 >= sum(bool(text.strip()) for text in column) else None


def _role(grid: Grid, numbers: list[Number | None], index: int, *, parted: bool) -> Role | None:
    if parted:
        return Role.COUNT
    held = [number for number in numbers if number is not None]
    filled = sum(1 for text in grid.columns[index] if text.strip() and not is_suppressed(text))
    if not held or len(held) * 2 < filled:
        return Role.LABEL
    role = named_role(grid.header[index])
    if role is None and any(number.unit in COUNTED_UNITS for number in held):
        return Role.COUNT
    if role is None and all(number.percent for number in held):
        return Role.SHARE
    if role is Role.LABEL and not all(number.whole for number in held):
        return Role.MEASURE
    return role


def _role_by_content(
    grid: Grid,
    numbers: tuple[list[Number | None], ...],
    index: int,
    *,
    named: tuple[bool, ...],
    roles: list[Role | None],
) -> Role:
    held = [number for number in numbers[index] if number is not None]
    distinct = len({number.value for number in held}) == len(held)
    if (
        index == 0
        and distinct
        and grid.width > 1
        and grid.rows > 1
        and all(number.whole for number in held)
        and not any(named[:1])
    ):
        return Role.LABEL
    if all(number.whole and number.value >= 0 for number in held):
        counted = [column for column in range(grid.width) if named[column] and not is_total(grid.header[column])]
        if not counted or is_total(grid.header[index]) or _adds_up(numbers, counted, roles):
            return Role.COUNT
        return Role.MEASURE
    if all(0 <= number.value <= 1 for number in held) and _sums_to_one(numbers, index, roles):
        return Role.SHARE
    return Role.MEASURE


def _adds_up(numbers: tuple[list[Number | None], ...], counted: list[int], roles: list[Role | None]) -> bool:
    """Whether the columns without a role add up to a named column of counts: then they are its parts."""
    parts = [column for column, role in enumerate(roles) if role is None]
    for column in counted:
        sums = [_total([numbers[part][row] for part in parts]) for row in range(len(numbers[column]))]
        pairs = [(a, b.value) for a, b in zip(sums, numbers[column], strict=True) if a is not None and b is not None]
        if pairs and all(abs(a - b) < 0.5 for a, b in pairs):
            return True
    return False


def _sums_to_one(numbers: tuple[list[Number | None], ...], index: int, roles: list[Role | None]) -> bool:
    """Whether fractions are parts of one: down the column, along every row, or over the whole table."""
    parts = [column for column, role in enumerate(roles) if role in {None, Role.SHARE, Role.MEASURE}]
    down = _total(numbers[index])
    rows = [_total([numbers[part][row] for part in parts]) for row in range(len(numbers[index]))]
    all_cells = _total([number for part in parts for number in numbers[part]])
    tolerance = 0.02
    return (
        (down is not None and abs(down - 1) <= tolerance)
        or (bool(rows) and all(total is not None and abs(total - 1) <= tolerance for total in rows))
        or (all_cells is not None and abs(all_cells - 1) <= tolerance)
    )


def _total(numbers: list[Number | None]) -> float | None:
    held = [number.value for number in numbers if number is not None]
    return sum(held) if held else None
