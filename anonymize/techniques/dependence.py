"""Which columns of a table hang together, and how: a tree of pairs, some of them triples, in cells of k rows or more.

No count below k is used, nor one that is the difference of two others: a row of a table is known by its cells from k
on, by its total if that is k or more, and by what lies between the two if that is k or more.

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
MAX_SECOND_COLUMNS: Final = 30
"""Columns that may have a second parent: triples to look at grow with the square of their number."""
PRIOR_ROWS: Final = 1.0
"""Rows with the coarser distribution (overall, or given one parent) added to every row of a table."""

Codes = npt.NDArray[np.int64]
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How one column is drawn: on its own, or given one or two columns drawn before it.

    Shape: `shares` has one row per group of the parent, or pair of groups of two (one row without a parent), one column
    per group of the child; each row adds up to 1. `second_groups` is the number of groups of the second parent.
    """

    column: int
    parent: int | None
    shares: Shares
    second: int | None = None
    second_groups: int = 1


def fit_tree(codes: Sequence[Codes], groups: Sequence[int], *, k: int) -> tuple[Link, ...]:
    """Fit the model; a parent comes before its children.

    Shape: `codes[c]` has one group below `groups[c]` per row, -1 where the value is withheld; columns without any
    group take no part.
    """
    counted = [column[:MAX_COUNTED_ROWS] for column in codes]
    columns = [column for column, count in enumerate(groups) if count]
    alone = {column: _overall(counted[column], groups[column], k=k) for column in columns}
    links: list[Link] = []
    order = _order(counted, groups, columns[:MAX_TREE_COLUMNS], k=k)
    for place, (column, parent) in enumerate(order):
        if parent is None:
            links.append(Link(column=column, parent=None, shares=alone[column][None, :]))
            continue
        table = count_pairs(counted[parent], counted[column], (groups[parent], groups[column]))
        first = Link(column=column, parent=parent, shares=_given(table, alone[column][None, :], k=k))
        before = [other for other, _ in order[:place] if other != parent] if len(order) <= MAX_SECOND_COLUMNS else []
        links.append(_with_second(first, before, counted, groups, k=k))
    links += [Link(column=column, parent=None, shares=alone[column][None, :]) for column in columns[MAX_TREE_COLUMNS:]]
    return tuple(links)


def draw_groups(links: Sequence[Link], *, rows: int, chance: Chance, use: str) -> dict[int, Codes]:
    """Draw the groups of whole rows from the model, by column."""
    drawn: dict[int, Codes] = {}
    for link in links:
        given = np.zeros(rows, dtype=np.int64) if link.parent is None else drawn[link.parent]
        if link.second is not None:
            given = given * link.second_groups + drawn[link.second]
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


def _with_second(first: Link, before: Sequence[int], codes: Sequence[Codes], groups: Sequence[int], *, k: int) -> Link:
    """The link with the second parent that tells most beyond the first, if one tells anything."""
    column, parent = first.column, first.parent
    if parent is None:
        return first
    best, most = first, 0.0
    for second in before:
        width = groups[second]
        both = np.where((codes[parent] >= 0) & (codes[second] >= 0), codes[parent] * width + codes[second], -1)
        table = count_pairs(both, codes[column], (groups[parent] * width, groups[column]))
        known = np.repeat(first.shares, width, axis=0)
        shares = _given(table, known, k=k)
        gain = _gain(table, known, shares, k=k)
        if gain > most + 1e-9:
            link = Link(column=column, parent=parent, shares=shares, second=second, second_groups=width)
            best, most = link, gain
    return best


def _gain(table: Shares, known: Shares, shares: Shares, *, k: int) -> float:
    """Nats per row by which `shares` tells the safe counts better than `known`, less one for each cell it takes."""
    safe, rest = _known_counts(table, k=k)
    filled = safe > 0
    gain = (safe[filled] * np.log(shares[filled] / known[filled])).sum()
    others = [np.where(filled, 0.0, each).sum(axis=1) for each in (shares, known)]
    told = (rest[:, 0] > 0) & (others[1] > 0)
    gain += (rest[told, 0] * np.log(others[0][told] / others[1][told])).sum()
    return float(gain - filled.sum()) / max(float(table.sum()), 1.0)


def _given(table: Shares, known: Shares, *, k: int) -> Shares:
    """The distribution in each row of a table, from its safe counts and what is known without it.

    Shape: `known` has one row, or one per row of `table`, each adding up to 1; the answer likewise.
    """
    safe, rest = _known_counts(table, k=k)
    # What lies in the emptied cells is spread over them as the coarser distribution has it.
    emptied = np.where(safe > 0, 0.0, known)
    held = emptied.sum(axis=1, keepdims=True)
    spread = np.divide(emptied, held, out=np.zeros_like(emptied), where=held > 0)
    given: Shares = safe + rest * spread + PRIOR_ROWS * known
    given /= given.sum(axis=1, keepdims=True)
    return given


def _known_counts(table: Shares, *, k: int) -> tuple[Shares, Shares]:
    """The cells of at least k rows, and for each row of the table what lies in the others.

    Shape: a row of the table below k has neither. Where the others hold fewer than k rows between them, the smallest
    cell joins them, so that none can be had by subtraction.
    """
    total = table.sum(axis=1, keepdims=True)
    safe = np.where((table >= k) & (total >= k), table, 0.0)
    rest = np.where(total >= k, total, 0.0) - safe.sum(axis=1, keepdims=True)
    bare = np.flatnonzero((rest[:, 0] > 0) & (rest[:, 0] < k))
    smallest = np.where(safe > 0, safe, np.inf).argmin(axis=1)[bare]
    rest[bare, 0] += safe[bare, smallest]
    safe[bare, smallest] = 0.0
    return safe, rest


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
