"""Single records among other rows: a row that equals one of few units of the extract in three or more values.

The row match looks at whole tables and misses one record among aggregates. Here every submitted value that few units of
the extract hold leads to those units, and their other values are compared with the rest of the row, exactly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import NULL, ExtractIndex, Hashes, Precision, hashed

LEAST_EQUAL: Final = 3
"""Equal values of one row and one unit. Source: R46, "three or more columns at full precision"."""
_SHUFFLES: Final = 10
_CHUNK: Final = 20_000

Numbers = npt.NDArray[np.int64]


def lone_rows(columns: list[pl.Series], index: ExtractIndex, *, rare: int, deadline: Deadline) -> tuple[int, float]:
    """Rows that equal a unit of the extract in three or more values, one of them held by fewer than `rare` units.

    Returns how many rows, and how many chance gives on average (each column shuffled on its own).
    """
    if len(columns) < LEAST_EQUAL or not index.rows:
        return 0, 0.0
    submitted = np.stack([hashed(column, Precision.FULL) for column in columns], axis=1)
    leads = _Leads(index, rare)
    hits = len(_equal_rows(submitted, leads, deadline))
    if not hits:
        return 0, 0.0
    by_chance = []
    for seed in range(_SHUFFLES):
        chance = np.random.default_rng(seed)
        shuffled = np.stack([chance.permutation(submitted[:, c]) for c in range(submitted.shape[1])], axis=1)
        by_chance.append(len(_equal_rows(shuffled, leads, deadline)))
    return hits, float(np.mean(by_chance))


class _Leads:
    """For each column of an extract its values in order, and the rows that hold them; built when first asked for."""

    def __init__(self, index: ExtractIndex, rare: int) -> None:
        self.index = index
        self.rare = rare
        self._ordered: dict[str, tuple[Hashes, Numbers]] = {}

    def pairs(self, column: str, values: Hashes) -> tuple[Numbers, Numbers]:
        """(position in `values`, row of the extract) for values that fewer than `rare` units hold in this column."""
        distinct = self.index.distinct(column, Precision.FULL)
        if not len(distinct) or len(distinct) * self.rare < self.index.rows // self.rare:
            return _none()
        at = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
        wanted = np.flatnonzero((distinct[at] == values) & (values != NULL))
        if not len(wanted):
            return _none()
        ordered, rows = self._in_order(column)
        first = np.searchsorted(ordered, values[wanted], side="left")
        held = np.searchsorted(ordered, values[wanted], side="right") - first
        few = held < self.rare
        wanted, first, held = wanted[few], first[few], held[few]
        if not len(wanted):
            return _none()
        offsets = np.arange(int(held.sum())) - np.repeat(np.cumsum(held) - held, held)
        return np.repeat(wanted, held), rows[np.repeat(first, held) + offsets]

    def _in_order(self, column: str) -> tuple[Hashes, Numbers]:
        if column not in self._ordered:
            hashes = self.index.hashes(column, Precision.FULL)
            order = np.argsort(hashes)
            self._ordered[column] = (hashes[order], order.astype(np.int64))
        return self._ordered[column]


def _none() -> tuple[Numbers, Numbers]:
    return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)


def _equal_rows(submitted: Hashes, leads: _Leads, deadline: Deadline) -> set[int]:
    """Submitted rows that equal some unit in enough values."""
    found: set[int] = set()
    for position in range(submitted.shape[1]):
        for column in leads.index.columns:
            deadline.check()
            ours, theirs = leads.pairs(column, submitted[:, position])
            for start in range(0, len(ours), _CHUNK):
                part = slice(start, start + _CHUNK)
                found.update(_enough(submitted, ours[part], theirs[part], leads.index))
    return found


def _enough(submitted: Hashes, ours: Numbers, theirs: Numbers, index: ExtractIndex) -> list[int]:
    """Of candidate pairs those with enough equal values; each value of either side counts once."""
    row = submitted[ours]
    units = np.stack([index.hashes_at(column, theirs) for column in index.columns], axis=1)
    equal = (row[:, :, None] == units[:, None, :]) & (row != NULL)[:, :, None]
    count = np.minimum(equal.any(axis=2).sum(axis=1), equal.any(axis=1).sum(axis=1))
    return [int(number) for number in ours[count >= LEAST_EQUAL]]
