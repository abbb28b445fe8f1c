"""Which columns of a table hang together, and how: a tree of pairs, counted in cells of at least k rows.

Source: Chow and Liu 1968, the tree of largest mutual information; Bergsma 2013, Cramér's V without its bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.chance import Chance

MAX_TREE_COLUMNS: Final = 100
"""Columns tied to others at most; those after them are drawn on their own."""
MAX_COUNTED_ROWS: Final = 200_000
"""Rows that pairs are counted in at most: the first in keyed order, so a random part."""
PRIOR_ROWS: Final = 1.0
"""Rows with the column's overall distribution added to every row of a pair's table, against empty ones."""

Codes = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How one column is drawn: on its own, or given another column drawn before it.

    Shape: `shares` has one row per group of the parent (one row without a parent), one column per group of the child;
    each row adds up to 1.
    """

    column: int
    parent: int | None
    shares: Shares


def fit_tree(codes: Sequence[Codes], groups: Sequence[int], *, k: int) -> tuple[Link, ...]:
    """Fit the model; a parent comes before its children.

    Shape: `codes[c]` has one group below `groups[c]` per row, -1 where the value is withheld; columns without any
    group take no part.
    """
    counted = [column[:MAX_COUNTED_ROWS] for column in codes]
    columns = [column for column, count in enumerate(groups) if count]
    alone = {column: _overall(counted[column], groups[column], k=k) for column in columns}
    links: list[Link] = []
    for column, parent in _order(counted, groups, columns[:MAX_TREE_COLUMNS], k=k):
        shares = alone[column][None, :]
        if parent is not None:
            pairs = safe_pairs(counted[parent], counted[column], (groups[parent], groups[column]), k=k)
            given = pairs + PRIOR_ROWS * alone[column]
            shares = given / given.sum(axis=1, keepdims=True)
        links.append(Link(column=column, parent=parent, shares=shares))
    links += [Link(column=column, parent=None, shares=alone[column][None, :]) for column in columns[MAX_TREE_COLUMNS:]]
    return tuple(links)


def draw_groups(links: Sequence[Link], *, rows: int, chance: Chance, use: str) -> dict[int, Codes]:
    """Draw the groups of whole rows from the model, by column."""
    drawn: dict[int, Codes] = {}
    for link in links:
        given = np.zeros(rows, dtype=np.int64) if link.parent is None else drawn[link.parent]
        ends = np.cumsum(link.shares, axis=1)
        ends[:, -1] = 1.0
        u = chance.uniform(f"group {link.column} {use}", rows)
        drawn[link.column] = (ends[given] <= u[:, None]).sum(axis=1).astype(np.int64)
    return drawn


def safe_pairs(one: Codes, other: Codes, shape: tuple[int, int], *, k: int) -> Shares:
    """Rows by pairs of groups; cells below k rows are emptied, rows with a withheld value are not counted."""
    table = count_pairs(one, other, shape)
    return np.where(table >= k, table, 0.0)


def count_pairs(one: Codes, other: Codes, shape: tuple[int, int]) -> Shares:
    """Rows by pairs of groups, all cells."""
    both = (one >= 0) & (other >= 0)
    cells = np.bincount(one[both] * shape[1] + other[both], minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.float64)


def cramers_v(table: Shares) -> float:
    """How closely two columns hang together, from 0 (not at all) to 1; without the bias of few rows.

    Shape: rows by pairs of groups; empty groups don't count. A table with one group on a side gives 0.
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows = table.sum()
    if rows < 2 or min(table.shape) < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / rows
    square = float(((table - expected) ** 2 / expected).sum() / rows)
    high, wide = table.shape
    square = max(0.0, square - (high - 1) * (wide - 1) / (rows - 1))
    most = min(high - (high - 1) ** 2 / (rows - 1), wide - (wide - 1) ** 2 / (rows - 1)) - 1
    return float(min(1.0, np.sqrt(square / most))) if most > 0 else 0.0


def _overall(codes: Codes, groups: int, *, k: int) -> Shares:
    counts = np.bincount(codes[codes >= 0], minlength=groups).astype(np.float64)
    safe = np.where(counts >= k, counts, 0.0)
    # Cut to the first rows, a small group may fall below k: then all are drawn alike, which tells nothing.
    shares: Shares = safe / safe.sum() if safe.any() else np.full(groups, 1 / groups)
    return shares


def _order(
    codes: Sequence[Codes], groups: Sequence[int], columns: Sequence[int], *, k: int
) -> list[tuple[int, int | None]]:
    """Each column with its parent in the tree of largest mutual information, parents first (Prim)."""
    if not columns:
        return []
    shared: dict[tuple[int, int], float] = {}
    for one, other in combinations(columns, 2):
        information = _information(safe_pairs(codes[one], codes[other], (groups[one], groups[other]), k=k))
        shared[one, other] = shared[other, one] = information
    order: list[tuple[int, int | None]] = [(columns[0], None)]
    best = {column: (shared[columns[0], column], columns[0]) for column in columns[1:]}
    while best:
        column = max(best, key=lambda name: (round(best[name][0], 9), -name))
        strength, parent = best.pop(column)
        order.append((column, parent if strength > 0 else None))
        for other, (known, _) in best.items():
            if shared[column, other] > known + 1e-9:
                best[other] = (shared[column, other], column)
    return order


def _information(table: Shares) -> float:
    """Mutual information in nats; 0 for an empty table."""
    rows = table.sum()
    if not rows:
        return 0.0
    share = table / rows
    apart = np.outer(share.sum(axis=1), share.sum(axis=0))
    filled = share > 0
    return float((share[filled] * np.log(share[filled] / apart[filled])).sum())
