"""Sample: a part of the rows of an extract in which k and l hold as they do in the whole.

What must hold:
1. At most a tenth of the rows and at most 50,000.
2. Every class of the sample has k rows and l sensitive values, at the levels of the full extract: labels and types are
   the same on both rungs, and a person's row is nowhere finer than there. (A search of its own for the sample would
   give levels that cross those of the full extract; joined by pseudonym, the two would leave fewer than k alike.)
3. Every row has the same chance of being drawn, up to rounding: a large class gives its share of rows; of the classes
   whose share would be below k, some are drawn, by chance in proportion to their size, and give k rows each.
4. Which rows is decided by the licence's key and nothing else.

Source: systematic sampling with probabilities proportional to size, Madow 1949.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.chance import Chance
from anonymize.errors import BadInput, TargetNotMet
from anonymize.rung import MAX_SAMPLE_RATE, MAX_SAMPLE_ROWS
from anonymize.text import Text

_CLASS: Final = "class"
_PLACE: Final = "place"
_VALUE: Final = "value"

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The rows drawn, and the classes they lie in.

    Shape: `rows` are positions in the extract, ascending; `drawn` and `whole` have one entry per class of the sample:
    its rows there, and its rows in the full table.
    """

    rows: Indices
    drawn: Indices
    whole: Indices

    @property
    def k_map(self) -> int:
        """Rows of the full table that are like a row of the sample, at the least."""
        return int(self.whole.min())

    def risk_in_population(self) -> dict[str, Any]:
        """Risk of the sample when the attacker does not know who is in it, the full table being the population.

        Units: shares from 0 to 1.
        Source: El Emam 2013, chapter 16: journalist 1 / min F, marketer the mean over rows of 1 / F.
        """
        return {
            "k_map": self.k_map,
            "journalist_max": 1 / self.k_map,
            "marketer": float((self.drawn / self.whole).sum() / self.drawn.sum()),
        }


def sample_size(rows: int, *, asked: int | None, table: str) -> int:
    """How many rows a sample of a table may have: the number asked for, or the most allowed.

    Raises:
        BadInput: more was asked for than is allowed, or less than one.
    """
    most = min(math.floor(rows * MAX_SAMPLE_RATE), MAX_SAMPLE_ROWS)
    if asked is None:
        return most
    if not 1 <= asked <= most:
        raise BadInput(
            code="sample.rows_not_allowed",
            subject=table,
            text=Text(
                f"表 {table} 的抽样行数被拒绝：应为 1 至 {most}（不超过 {float(MAX_SAMPLE_RATE):.0%}，"
                f"且不超过 {MAX_SAMPLE_ROWS} 行）。",
                f"Rows asked of table {table} refused: a sample has 1 to {most} rows (at most "
                f"{float(MAX_SAMPLE_RATE):.0%} of the table and at most {MAX_SAMPLE_ROWS}).",
            ),
            next_step=Text("请减少行数，或不写行数。", "Ask for fewer rows, or name no number."),
        )
    return asked


def draw_sample(
    extract: pl.DataFrame,
    *,
    quasi: Sequence[str],
    sensitive: Sequence[str],
    size: int,
    k: int,
    l: int | None,  # noqa: E741 - the field's own name
    chance: Chance,
    table: str,
) -> Sample:
    """Draw at most `size` rows so that each class has at least k rows and l values of every sensitive attribute.

    Shape: `extract` in keyed order, meeting k and l as a whole.
    Raises:
        TargetNotMet: no class with its k rows fits into the sample.
    """
    place = _class_of_rows(extract, quasi)
    order = chance.order("rows", extract.height)
    order = order[np.argsort(place[order], kind="stable")]
    sizes = np.bincount(place)
    starts = np.cumsum(sizes) - sizes
    needed = _rows_needed(extract, sensitive, place=place, order=order, starts=starts, k=k, diversity=l)
    taken = _rows_taken(sizes, needed, size=size, chance=chance)
    if not taken.any():
        raise _too_small(table, size=size, k=k)
    position = np.arange(extract.height) - np.repeat(starts, sizes)
    rows = np.sort(order[position < np.repeat(taken, sizes)])
    drawn = taken > 0
    return Sample(rows=rows, drawn=taken[drawn], whole=sizes[drawn])


def _class_of_rows(extract: pl.DataFrame, quasi: Sequence[str]) -> Indices:
    """The number of each row's class; classes are numbered as they first occur."""
    if not quasi:
        return np.zeros(extract.height, dtype=np.int64)
    keys = [f"q{number}" for number in range(len(quasi))]
    frame = extract.select(pl.col(name).alias(key) for name, key in zip(quasi, keys, strict=True))
    rows = frame.with_row_index(_PLACE)
    grouped = rows.group_by(keys, maintain_order=True).agg(pl.col(_PLACE)).with_row_index(_CLASS)
    numbered = grouped.select(_CLASS, _PLACE).explode(_PLACE).sort(_PLACE)
    return numbered[_CLASS].to_numpy().astype(np.int64)


def _rows_needed(
    extract: pl.DataFrame,
    sensitive: Sequence[str],
    *,
    place: Indices,
    order: Indices,
    starts: Indices,
    k: int,
    diversity: int | None,
) -> Indices:
    """How many rows of each class, in the order drawn, it takes until k and l are met."""
    needed = np.full(len(starts), k, dtype=np.int64)
    if diversity is None:
        return needed
    classes = place[order]
    position = np.arange(extract.height) - starts[classes]
    for name in sensitive:
        drawn = pl.DataFrame({_CLASS: classes, _PLACE: position, _VALUE: extract[name].gather(pl.Series(order))})
        first = drawn.drop_nulls(_VALUE).group_by(_CLASS, _VALUE).agg(pl.col(_PLACE).min())
        last = first.group_by(_CLASS).agg(pl.col(_PLACE).sort().get(diversity - 1, null_on_oob=True))
        reached = last.drop_nulls(_PLACE)
        rows = np.full(len(starts), extract.height + 1, dtype=np.int64)
        rows[reached[_CLASS].to_numpy()] = reached[_PLACE].to_numpy() + 1
        needed = np.maximum(needed, rows)
    return needed


def _rows_taken(sizes: Indices, needed: Indices, *, size: int, chance: Chance) -> Indices:
    """Rows to take of each class: none, or at least what it needs; together at most `size`."""
    rate = size / int(sizes.sum())
    share = np.floor(sizes * rate + 1e-9).astype(np.int64)
    taken = np.where(share >= needed, share, 0)
    small = np.flatnonzero((taken == 0) & (needed <= np.minimum(sizes, size)))
    odds = sizes[small] * rate / needed[small]
    units = math.floor(odds.sum() + chance.uniform("units", 1)[0])
    if len(small) and not units and not taken.any():
        units = 1
    if units:
        order = chance.order("classes", len(small))
        steps = np.cumsum(odds[order]) * (units / odds.sum()) - chance.uniform("start", 1)[0]
        passed = np.floor(steps).astype(np.int64)
        picked = small[order[np.diff(passed, prepend=-1) > 0]]
        fits = np.cumsum(needed[picked]) <= size - int(taken.sum())
        taken[picked[fits]] = needed[picked[fits]]
    return taken


def _too_small(table: str, *, size: int, k: int) -> TargetNotMet:
    return TargetNotMet(
        code="sample.too_small",
        subject=table,
        text=Text(
            f"表 {table} 的抽样被拒绝：最多 {size} 行的样本容不下任何一个达到目标 k = {k} 的等价类，没有写出任何文件。",
            f"Sample of table {table} refused: its {size} rows at most hold no class that meets the target k = {k}. "
            "Nothing was written.",
        ),
        next_step=Text("请改用合成样例，或使用更大的表。", "Take the synthetic sample instead, or use a larger table."),
    )
