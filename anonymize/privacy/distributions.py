"""How far the distribution of each column, and the ties between columns, moved from source to extract.

A coarser cell is read as an analyst who knows nothing else would read it: its people spread evenly over the values it
covers. What is compared is the whole source with the rows that are left, so removed rows count too. Pictures and
figures only: no value is named.

Sources: Levina and Bickel 2001 for the earth mover's (Wasserstein) distance; Bergsma 2013, Cramér's V without its bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.privacy.covers import as_numbers, covered_values, positions
from anonymize.techniques.dependence import cramers_v
from anonymize.techniques.generalize import Generalize

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

MAX_TIED: Final = 20
"""Columns whose ties are compared, pair by pair: the first so many."""
GROUPS: Final = 10
"""Groups that a column's values are joined into for ties, and numbers for distances: tenths by rank, or the
commonest."""
_MAX_TABLE: Final = 1_000_000
"""Pairs of cells counted in one table; more are spread row by row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far one column's distribution moved.

    Units: from 0, the same, to 1, wholly apart. `wasserstein` is a share of the range of the column, None for columns
    that are no numbers.
    """

    total_variation: float
    hellinger: float
    wasserstein: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "total_variation": round(self.total_variation, 6),
            "hellinger": round(self.hellinger, 6),
            "wasserstein": None if self.wasserstein is None else round(self.wasserstein, 6),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """How far ties between pairs of columns moved, by Cramér's V.

    Units: absolute changes from 0 to 1; `largest_pair` names the two columns.
    """

    pairs: int
    mean_change: float
    largest_change: float
    largest_pair: tuple[str, str] | None

    def as_json(self) -> dict[str, Any]:
        return {
            "pairs": self.pairs,
            "mean_change": round(self.mean_change, 6),
            "largest_change": round(self.largest_change, 6),
            "largest_pair": None if self.largest_pair is None else list(self.largest_pair),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One column before and after, as numbers.

    Shape: `before` has one position among `values` per row of the source, `after` one among the distinct cells per row
    released; `cell`, `value` and `share` say how the people of each cell spread over values, one entry per pair;
    `group` has one entry per value.
    """

    name: str
    values: pl.Series
    cells: int
    before: Ids
    after: Ids
    cell: Ids
    value: Ids
    share: Floats
    group: Ids

    @property
    def group_shares(self) -> Floats:
        """For each cell the share of its people in each group of values."""
        return _table(self.cell, self.group[self.value], self.share, (self.cells, int(self.group.max(initial=0)) + 1))


def compare_column(
    before: pl.Series, after: pl.Series, *, technique: Generalize | None, weights: Floats, table: str
) -> Compared:
    """One column of two tables, ready to be measured.

    Shape: `weights` people per row of `before`.
    """
    if before.dtype.is_numeric() and after.dtype.is_numeric():
        before, after = before.cast(pl.Float64), after.cast(pl.Float64)
    # What is released as it is, or changed into other values, has values of its own beside those of the source.
    same = technique is None and not after.dtype.is_nested() and after.dtype == before.dtype
    values, of = positions(pl.concat([before, after]) if same else before)
    cells, of_cell = positions(after)
    if same:
        cell, value = np.arange(len(cells)), _first(of_cell, of[len(before) :], len(cells))
        share = np.ones(len(cells))
    else:
        place = Place(table=table, column=before.name)
        covered = covered_values(cells, values, technique=technique, place=place, null_is_anything=False)
        cell = np.repeat(np.arange(len(cells)), [len(members) for members in covered])
        value = np.concatenate([*covered, np.zeros(0, dtype=np.int64)])
        share = np.repeat(1.0, len(cell)) / np.maximum(np.bincount(cell, minlength=len(cells)), 1)[cell]
    own = of[: len(before)]
    return Compared(
        name=before.name,
        values=values,
        cells=len(cells),
        before=own,
        after=of_cell,
        cell=cell,
        value=value,
        share=share,
        group=_groups(values, _people(own, weights, len(values))),
    )


def measure_distance(column: Compared, *, before: Floats, after: Floats) -> Distance:
    """The distance of one column's distribution after from that before.

    Shape: people per row before, and per row after.
    """
    source = _people(column.before, before, len(column.values))
    people = _people(column.after, after, column.cells)
    released = _people(column.value, people[column.cell] * column.share, len(column.values))
    p, q = _shares(source), _shares(released)
    numbers = as_numbers(column.values)
    wasserstein = None if numbers is None else _wasserstein(numbers, p, q)
    if numbers is not None and len(numbers) > GROUPS * GROUPS:
        # Changed numbers seldom meet a source value exactly: compared by tenths, as far as they lie in the same one.
        p, q = (_people(column.group, share, 1) for share in (p, q))
    return Distance(
        total_variation=float(np.abs(p - q).sum() / 2),
        hellinger=float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum()))),
        wasserstein=wasserstein,
    )


def measure_ties(columns: Sequence[Compared], *, before: Floats, after: Floats) -> Ties | None:
    """How far the ties of all pairs of the first columns moved; None without a pair.

    Shape: people per row before, and per row after.
    """
    tied = columns[:MAX_TIED]
    shares = [column.group_shares for column in tied]
    changes: dict[tuple[str, str], float] = {}
    for (one, of_one), (other, of_other) in combinations(zip(tied, shares, strict=True), 2):
        shape = (of_one.shape[1], of_other.shape[1])
        source = _table(one.group[one.before], other.group[other.before], before, shape)
        released = _spread(one.after, other.after, after, of_one, of_other)
        # To twelve digits: sums of floats depend on their order.
        changes[one.name, other.name] = round(abs(cramers_v(source) - cramers_v(released)), 12)
    if not changes:
        return None
    largest = max(changes, key=lambda pair: changes[pair])
    return Ties(
        pairs=len(changes),
        mean_change=sum(changes.values()) / len(changes),
        largest_change=changes[largest],
        largest_pair=largest,
    )


def _spread(one: Ids, other: Ids, weights: Floats, of_one: Floats, of_other: Floats) -> Floats:
    """People by pairs of groups, from their cells and how each cell spreads."""
    if len(of_one) * len(of_other) <= _MAX_TABLE:
        return of_one.T @ _table(one, other, weights, (len(of_one), len(of_other))) @ of_other
    return of_one[one].T @ (weights[:, None] * of_other[other])


def _table(one: Ids, other: Ids, weights: Floats, shape: tuple[int, int]) -> Floats:
    return _people(one * shape[1] + other, weights, shape[0] * shape[1]).reshape(shape)


def _people(of: Ids, weights: Floats, count: int) -> Floats:
    return np.bincount(of, weights=weights, minlength=count).astype(np.float64)


def _first(of: Ids, values: Ids, count: int) -> Ids:
    """The value that stands behind each cell, where cells are values."""
    first = np.zeros(count, dtype=np.int64)
    first[of] = values
    return first


def _groups(values: pl.Series, people: Floats) -> Ids:
    """Up to `GROUPS` groups of values, null one of its own: numbers by rank, others the commonest and the rest."""
    known = ~values.is_null().to_numpy()
    numbers = as_numbers(values)
    group = np.zeros(len(values), dtype=np.int64)
    if numbers is not None and int(known.sum()) > GROUPS:
        order = np.argsort(np.where(known, numbers, np.inf), kind="stable")
        reached = np.cumsum(people[order]) - people[order] / 2
        group[order] = np.minimum(reached / max(people[known].sum(), 1) * GROUPS, GROUPS - 1).astype(np.int64)
    else:
        # Of equally common values the one that sorts first: no order of rows decides.
        names = values.cast(pl.String, strict=False).rank("ordinal").fill_null(0).to_numpy()
        order = np.lexsort((names, -np.where(known, people, -1)))
        group[order] = np.minimum(np.arange(len(values)), GROUPS - 1)
    group[~known] = GROUPS
    _, dense = np.unique(group, return_inverse=True)
    return dense.astype(np.int64)


def _shares(people: Floats) -> Floats:
    total = people.sum()
    return people / total if total else people


def _wasserstein(numbers: Floats, p: Floats, q: Floats) -> float:
    """Earth mover's distance of two distributions over numbers, as a share of their range; nulls are left out."""
    known = ~np.isnan(numbers)
    order = np.argsort(numbers[known], kind="stable")
    at, apart = numbers[known][order], _shares(p[known]) - _shares(q[known])
    width = at[-1] - at[0] if len(at) else 0.0
    if not width:
        return 0.0
    return float((np.abs(np.cumsum(apart[order]))[:-1] * np.diff(at)).sum() / width)
