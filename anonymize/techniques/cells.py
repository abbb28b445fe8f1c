"""Tight cells: a class of rows is released with exactly what it holds per column, typed, instead of hierarchy labels.

- A value set: a list of the column's own type, sorted, null last where the class holds rows without a value.
- An interval: low and high, both inclusive; a third field says whether the class also holds rows without a value (it is
  there only where the column has such rows at all).
A cell of one value is a set of one, or an interval with equal ends, so a column has one type throughout. A policy's
finest level holds here too: above level 0 sets list that level's labels, and intervals end where its bands end. Values
below `bottom` or from `top` on are never told apart in an interval of several values: that end is open (null).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups
from anonymize.techniques.dates import AgeBands, CalendarDates
from anonymize.techniques.generalize import CellKind, Generalize, Leveled
from anonymize.techniques.intervals import Intervals
from anonymize.techniques.listed import Listed
from anonymize.text import Text

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

OR_NULL: Final = "or_null"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What an interval shows for each known leaf, as low and high end, and which leaves lie between.

    Shape: one entry per leaf other than null, ascending; a null among `low` or `high` is an open end. `first` and
    `last` are positions among all leaves of the hierarchy.
    """

    low: pl.Series
    high: pl.Series
    first: Codes
    last: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class TightColumn:
    """A quasi-identifier as tight cells see it.

    Shape: `member` has one member per leaf: itself at level 0, else its label at the finest level that may be released;
    `covered` the leaves under each member. `part` says which leaves may stand in one cell at all (the coarsest level
    that may be released). `ends` is there for intervals. `kind` is None for a column that is kept exact.
    Units: `leaves` counts all leaves of the hierarchy, null included where the column has it.
    """

    leveled: Leveled
    kind: CellKind | None
    leaves: int
    member: Codes
    covered: Floats
    part: Codes
    ends: Ends | None
    exact: bool
    max_members: int | None

    @property
    def null(self) -> int:
        """The leaf that is null; -1 without one."""
        return len(self.leveled.leaves) - 1 if self.leveled.leaves.null_count() else -1

    @property
    def unit(self) -> float:
        """What one more leaf costs a cell, as NCP."""
        return 1 / (self.leaves - 1) if self.leaves > 1 else 0.0

    def least_losses(self) -> Floats:
        """What the cell of each leaf costs at the least, alone in its class; one entry per leaf."""
        if self.ends is None:
            return (self.covered[self.member] - 1) * self.unit
        wide = np.zeros(len(self.member)) if self.exact else np.append(self.ends.last - self.ends.first, 0.0)
        return wide[: len(self.member)] * self.unit

    def words(self, alone: float) -> Text:
        """What the released column holds; `alone` is the share of its rows whose cell holds one value."""
        if self.kind is CellKind.INTERVAL:
            zh, en = "按等价类给出所含取值的区间（含两端）", "the interval of what each class holds, both ends included"
        else:
            zh, en = "按等价类列出所含的全部取值", "the set of values that each class holds"
        if not self.exact:
            zh, en = (
                f"{zh}，取值为第 {self.leveled.levels[0].number} 层",
                f"{en}, at level {self.leveled.levels[0].number}",
            )
        return Text(f"{zh}（{alone:.1%} 的行只有一个取值）", f"{en} ({alone:.1%} of the rows: a single one)")

    def cells(self, codes: Codes, number: Codes, count: int) -> tuple[pl.Series | None, Floats]:
        """The cell of each class and its loss; no cells for a column that is kept exact.

        Shape: `codes` and `number` have one leaf and one class per distinct row; classes are numbered from 0 to
        `count` - 1, each with a row.
        """
        if self.kind is None:
            return None, np.zeros(count)
        if self.ends is None:
            return self._sets(codes, number, count)
        return self._intervals(self.ends, codes, number, count)

    @property
    def members(self) -> pl.Series:
        """What is listed for each member, ascending, null last."""
        finest = self.leveled.levels[0].number
        if finest == 0:
            return self.leveled.leaves
        labels = self.leveled.labels[finest - 1]
        _, first = np.unique(self.member, return_index=True)
        return labels.gather(pl.Series(first))

    def _sets(self, codes: Codes, number: Codes, count: int) -> tuple[pl.Series, Floats]:
        pairs = pl.DataFrame({"class": number, "member": self.member[codes], "part": self.part[codes]}).unique()
        if self.max_members is not None:
            large = pl.len().over("class") > self.max_members
            whole = pairs.select("part", "member").unique()
            spread = pairs.filter(large).select("class", "part").unique().join(whole, on="part")
            pairs = pl.concat([pairs.filter(~large), spread.select("class", "member", "part")])
        pairs = pairs.sort("class", "member")
        shown = self.members.gather(pairs["member"])
        cells = (
            pl.DataFrame({"class": pairs["class"], "shown": shown}).group_by("class", maintain_order=True).agg("shown")
        )
        covered = np.bincount(
            pairs["class"].to_numpy(), weights=self.covered[pairs["member"].to_numpy()], minlength=count
        )
        loss = (covered - 1.0).astype(np.float64) * self.unit
        return cells["shown"].alias(self.leveled.name), loss

    def _intervals(self, ends: Ends, codes: Codes, number: Codes, count: int) -> tuple[pl.Series, Floats]:
        known = codes != self.null
        if not known.any():
            unknown = pl.Struct({"low": ends.low.dtype, "high": ends.high.dtype, OR_NULL: pl.Boolean()})
            return pl.Series(self.leveled.name, [None] * count, dtype=unknown), np.zeros(count)
        low = np.full(count, len(self.leveled.leaves), dtype=np.int64)
        high = np.full(count, -1, dtype=np.int64)
        np.minimum.at(low, number[known], codes[known])
        np.maximum.at(high, number[known], codes[known])
        null = np.bincount(number[~known], minlength=count) > 0
        valued = high >= 0
        low[~valued], high[~valued] = 0, 0
        alone = (low == high) & self.exact
        covered = np.where(alone, 1, ends.last[high] - ends.first[low] + 1)
        loss: Floats = np.where(valued, covered - 1 + null, 0) * self.unit
        fields = {"low": ends.low.gather(pl.Series(low)), "high": ends.high.gather(pl.Series(high))}
        if self.exact:
            own = self.leveled.leaves.gather(pl.Series(low))
            fields = {name: shown.zip_with(pl.Series(~alone), own) for name, shown in fields.items()}
        if self.null >= 0:
            fields[OR_NULL] = pl.Series(null)
        frame = pl.DataFrame(fields).with_columns(valued=pl.Series(valued))
        cell = pl.when("valued").then(pl.struct(*fields)).alias(self.leveled.name)
        return frame.select(cell).to_series(), loss


def holds_one(cells: pl.Series) -> pl.Series:
    """Which tight cells hold a single value; null is one too.

    Shape: one boolean per cell, no nulls.
    """
    if isinstance(cells.dtype, pl.List):
        return cells.list.len() == 1
    ends = cells.struct.unnest()
    one = ends["low"].eq_missing(ends["high"]) & ends["low"].is_not_null()
    return cells.is_null() | (one & ~ends[OR_NULL] if OR_NULL in ends.columns else one)


def tight_column(leveled: Leveled, technique: Generalize | None, *, place: Place) -> TightColumn:
    """A quasi-identifier prepared for tight cells; without a technique it is kept exact.

    Raises:
        BadInput: the policy asks for intervals of a column that is no number or date, or of groups above level 0, or
            for sets where values are coded at the ends.
    """
    finest, leaves = leveled.levels[0], leveled.leaves
    total = len(leaves)
    if technique is not None and technique.hierarchy.domain is not None:
        total = technique.hierarchy.domain + leaves.null_count()
    covered = finest.loss_of_leaf * (total - 1) + 1
    _, first = np.unique(finest.block_of_leaf, return_index=True)
    kind = None if technique is None else _kind(leveled, technique, place)
    ends = None if technique is None or kind is not CellKind.INTERVAL else _ends(leveled, technique, place)
    return TightColumn(
        leveled=leveled,
        kind=kind,
        leaves=total,
        member=finest.block_of_leaf,
        covered=covered[first],
        part=leveled.levels[-1].block_of_leaf,
        ends=ends,
        exact=finest.number == 0,
        max_members=None if technique is None else technique.max_members,
    )


def _kind(leveled: Leveled, technique: Generalize, place: Place) -> CellKind:
    """What the policy says, or an interval for bands and dates of numbers and dates, a set for all else."""
    dtype = leveled.leaves.dtype
    measured = dtype.is_numeric() or dtype.is_temporal()
    hierarchy, level = technique.hierarchy, technique.min_level
    bounded = isinstance(hierarchy, Bands | CalendarDates) and level < hierarchy.depth - 1
    bounded |= isinstance(hierarchy, AgeBands | Intervals) and level == 0
    if technique.cell is CellKind.INTERVAL and not (measured and (bounded or level == 0)):
        raise place.refuse(
            "column.no_intervals",
            found=Text(
                "规则要求区间，但该列不是数字或日期，或 min_level 的标签没有起止值",
                "the policy asks for intervals, but it is no number or date, or its labels at min_level have no ends",
            ),
            next_step=Text(
                '请在规则中改为 cell = "set"，或改用 bands、dates、ages，或取 min_level = 0。',
                'Set cell = "set", or use bands, dates or ages, or min_level = 0.',
            ),
        )
    kind = technique.cell or (CellKind.INTERVAL if measured and bounded else CellKind.SET)
    if kind is CellKind.SET and level == 0 and _coded(hierarchy):
        raise place.refuse(
            "column.coded_ends",
            found=Text(
                "规则合并了两端的取值（top、bottom），取值集合会逐个列出这些值",
                "the policy codes its ends (top, bottom), and a value set would list those values one by one",
            ),
            next_step=Text(
                '请改为 cell = "interval"（该列须为数字或日期），或取 min_level = 1。',
                'Set cell = "interval" (for numbers and dates), or min_level = 1.',
            ),
        )
    return kind


def _coded(hierarchy: Any) -> bool:
    match hierarchy:
        case Bands():
            return hierarchy.top is not None or hierarchy.bottom is not None
        case AgeBands():
            return hierarchy.top is not None
        case _:
            return False


def _ends(leveled: Leveled, technique: Generalize, place: Place) -> Ends:
    known = leveled.leaves.drop_nulls()
    hierarchy, order = technique.hierarchy, _quantities(known)
    low, high = (
        hierarchy.ends(known, technique.min_level, place)
        if isinstance(hierarchy, Bands | CalendarDates | AgeBands)
        else (known, known)
    )
    domain = order
    if isinstance(hierarchy, Groups | Listed) and known.dtype.is_numeric():
        listed = hierarchy.levels[0] if isinstance(hierarchy, Groups) else hierarchy.rows
        domain = pl.Series([row[0] for row in listed]).cast(pl.Float64, strict=False).drop_nulls().sort().to_numpy()
    lows = np.where(low.is_null().to_numpy(), -np.inf, _quantities(low))
    highs = np.where(high.is_null().to_numpy(), np.inf, _quantities(high))
    return Ends(
        low=low,
        high=high,
        first=np.searchsorted(domain, lows, side="left").astype(np.int64),
        last=np.searchsorted(domain, highs, side="right").astype(np.int64) - 1,
    )


def _quantities(values: pl.Series) -> Floats:
    """Numbers that lie as the values do; null counts as 0."""
    numbers = values.cast(pl.Datetime("us")) if values.dtype in (pl.Date, pl.Datetime) else values
    numbers = numbers.to_physical() if numbers.dtype.is_temporal() else numbers
    return numbers.cast(pl.Float64).fill_null(0).to_numpy()
