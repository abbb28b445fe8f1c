"""Local recoding with tight cells: the partition that costs least when each class is released with what it holds.

Four phases, all on distinct rows with their weights:
1. Peel (`peel.py`), as for labels, but each level is priced at what k people drawn from one of its labels would cost as
   a tight cell. A value set of five far ages is cheap where the label over them is dear, so other rows meet.
2. Split. A class of 2k people or more is cut into neighbouring ones: unlike a label, a tight cell gets cheaper by it.
3. Settle the rest: rows in no class join the one that this costs least, or are removed where that is allowed and costs
   less.
4. Mend. Dear classes are dissolved, or give up rows, where other classes take these at less.
No proven optimum (finding that is NP-hard); the result says how far the bound is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, prod
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.privacy.histogram import Codes, Histogram, fold
from anonymize.privacy.labels import Labels
from anonymize.privacy.lattice import Unreachable
from anonymize.privacy.local import recode_locally
from anonymize.privacy.models import Models
from anonymize.privacy.peel import Walk, peel
from anonymize.privacy.tight_classes import TightClasses, meets
from anonymize.target import Target
from anonymize.techniques.cells import TightColumn
from anonymize.techniques.generalize import Level, Leveled

Floats = npt.NDArray[np.float64]

MEND_WORK: Final = 1_500
"""Cells looked at while mending, for each cell of the distinct rows."""
FEW_ROWS: Final = 2_000
"""Up to so many distinct rows the classes of labels are a second start: it costs little there, and in small tables
either may come out ahead. In larger ones labels were always far behind, but not under t and other models that a part of
a class may miss."""
_LEAST_GAIN: Final = 1e-6
"""Below this a gain may be rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TightRecoding:
    """What the search for tight cells found.

    Shape: `number` has one class per distinct row, -1 where the row is removed; `cells` one series per column with one
    cell per class, None for a column that is kept exact; `losses` one row per class and one entry per column.
    Units: loss and lower_bound are NCP from 0 to 1, removed rows counting 1.
    """

    number: Codes
    cells: tuple[pl.Series | None, ...]
    losses: Floats
    loss: float
    lower_bound: float
    suppressed: int

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        return self.number >= 0

    @property
    def classes(self) -> int:
        return len(self.losses)


def recode_tightly(
    histogram: Histogram,
    columns: Sequence[TightColumn],
    target: Target,
    *,
    walk: Walk = Walk(),
    mend_work: int = MEND_WORK,
) -> TightRecoding | Unreachable:
    """Classes that meet the target, whose cells hold as little beyond their rows as a walk from cheap to dear finds.

    The same rows give the same answer in any order, on every machine.
    """
    models = Models(histogram, target)
    priced = replace(histogram, columns=_price(histogram, columns, target.k, nodes=walk.nodes))
    members, rest = peel(priced, [Labels(column) for column in priced.columns], models, walk=walk)
    dearest = np.argsort([-column.levels[-1].loss_of_leaf.max() for column in priced.columns], kind="stable")
    by_cost = [histogram.quasi[place] for place in dearest]
    work = mend_work * len(histogram.weights) * len(columns)

    def finish(members: Sequence[list[int]], rest: Sequence[int]) -> TightRecoding | Unreachable:
        parts = [part for rows in members for part in _split(histogram, models, rows, by_cost=by_cost)]
        missed = [part for part in parts if not (models.monotone or meets(histogram, models, part))]
        if len(missed) == len(parts):
            return Unreachable(suppressed=histogram.rows)
        parts = [part for part in parts if part not in missed] if missed else parts
        classes = TightClasses(histogram=histogram, columns=columns, members=parts, models=models)
        removed = _settle(classes, [*rest, *(row for part in missed for row in part)])
        if int(histogram.weights[removed].sum()) > _allowed(histogram, target):
            removed = _settle_together(classes, removed)
        if (suppressed := int(histogram.weights[removed].sum())) > _allowed(histogram, target):
            return Unreachable(suppressed=suppressed)
        _mend(classes, work=work)
        return _result(classes, columns)

    found = finish(members, rest)
    if len(histogram.weights) > FEW_ROWS and models.monotone:
        return found
    other = finish(*_classes_of_labels(histogram, target, walk))
    return other if _loss(other) < _loss(found) else found


def _loss(found: TightRecoding | Unreachable) -> float:
    return inf if isinstance(found, Unreachable) else found.loss


def _allowed(histogram: Histogram, target: Target) -> int:
    """People that may be removed."""
    return int(target.suppression_limit * histogram.rows + 1e-9)


def _classes_of_labels(histogram: Histogram, target: Target, walk: Walk) -> tuple[list[list[int]], list[int]]:
    """The classes that local recoding with labels makes, and the rows it removes."""
    found = recode_locally(histogram, target, walk=walk)
    if isinstance(found, Unreachable):
        return [], []
    ids, count = np.zeros(len(histogram.weights), dtype=np.int64), 1
    for place, (column, codes) in enumerate(zip(histogram.columns, histogram.quasi, strict=True)):
        labels = Labels(column)
        shown = np.stack(labels.at_level)[found.levels[:, place], codes].astype(np.int64)
        ids, count = fold(ids, count, shown, labels.count)
    classes = [np.flatnonzero(found.kept & (ids == number)).tolist() for number in range(count)]
    return [rows for rows in classes if rows], np.flatnonzero(~found.kept).tolist()


def _price(histogram: Histogram, columns: Sequence[TightColumn], k: int, *, nodes: int) -> tuple[Leveled, ...]:
    """Columns whose levels cost what k people under one label cost as a tight cell, on average.

    Where the lattice has more nodes than that, a set column is exact or free and nothing between: what lies between
    costs a set little less than free, and takes the search most of its time.
    """
    whole = prod(len(column.leveled.levels) for column in columns) <= nodes
    priced: list[Leveled] = []
    for column, codes in zip(columns, histogram.quasi, strict=True):
        levels = column.leveled.levels
        if not whole and column.ends is None and len(levels) > 2:
            levels = (levels[0], levels[-1])
        people = np.bincount(codes, weights=histogram.weights, minlength=len(column.member)).astype(np.float64)
        costs = [_expected(column, level, people, k) * column.unit for level in levels]
        priced.append(
            replace(
                column.leveled,
                levels=tuple(replace(level, loss_of_leaf=cost) for level, cost in zip(levels, costs, strict=True)),
            )
        )
    return tuple(priced)


def _expected(column: TightColumn, level: Level, people: Floats, k: int) -> Floats:
    """Leaves beyond the first that a tight cell covers on average, when k people under one label share it.

    Shape: one entry per leaf: that of its label.
    """
    block = level.block_of_leaf
    total = np.maximum(np.bincount(block, weights=people, minlength=level.blocks), 1)
    if column.ends is None:
        _, first = np.unique(column.member, return_index=True)
        share = np.bincount(column.member, weights=people) / total[block[first]]
        covered = column.covered * (1 - (1 - share) ** k)
        return (np.bincount(block[first], weights=covered, minlength=level.blocks) - 1).clip(0)[block]
    known = np.arange(len(column.ends.first))
    order = known[np.argsort(block[known], kind="stable")]
    held, own = block[order], people[order]
    inside = np.bincount(held, weights=own, minlength=level.blocks)
    valued = np.maximum(inside, 1)
    before = (np.cumsum(own) - own - (np.cumsum(inside) - inside)[held]) / valued[held]
    up_to = np.minimum(before + own / valued[held], 1)
    first, last = column.ends.first[order], column.ends.last[order]
    spread = last * (up_to**k - before**k) - first * ((1 - before) ** k - (1 - up_to) ** k)
    if column.exact:
        spread -= (last - first) * (up_to - before) ** k
    answer = np.bincount(held, weights=spread, minlength=level.blocks)
    null = 1 - inside / total
    return (answer + (1 - null**k - (1 - null) ** k)).clip(0)[block]


def _split(histogram: Histogram, models: Models, rows: list[int], *, by_cost: Sequence[Codes]) -> list[list[int]]:
    """A class cut into neighbouring classes that meet the target, rows in the order of the dearest columns first."""
    weights, k = histogram.weights, models.target.k
    if len(rows) < 2 or int(weights[rows].sum()) < 2 * k:
        return [rows]
    at = np.asarray(rows)
    ordered = at[np.lexsort([codes[at] for codes in reversed(by_cost)])].tolist()
    parts: list[list[int]] = [[]]
    people = 0
    for row, weight in zip(ordered, weights[ordered].tolist(), strict=True):
        parts[-1].append(row)
        people += weight
        if people >= k and meets(histogram, models, parts[-1]):
            parts.append([])
            people = 0
    while len(parts) > 1 and not meets(histogram, models, parts[-1]):
        left = parts.pop()
        parts[-1] += left
    return parts


def _settle(classes: TightClasses, rest: Sequence[int]) -> list[int]:
    """Let each row of the rest join a class; the rows that are removed instead."""
    removed: list[int] = []
    allowed = _allowed(classes.histogram, classes.models.target)
    for row in rest:
        weight = int(classes.histogram.weights[row])
        cost, nearest = classes.cheapest_for(row)
        joined = [*classes.members[nearest], row]
        if not np.isfinite(cost) or not classes.meets(joined) or (cost > weight * classes.width and weight <= allowed):
            allowed -= weight
            removed.append(row)
        else:
            classes.put(nearest, joined)
    return removed


def _settle_together(classes: TightClasses, rows: Sequence[int]) -> list[int]:
    """Let rows that fit into no class one by one take classes in, the cheapest first, until they are safe together.

    The rows that are removed instead.
    """
    removed: list[int] = []
    for part in np.unique(classes.part[list(rows)]).tolist():
        together = [row for row in rows if classes.part[row] == part]
        taken: list[int] = []
        for number in classes.nearest_to(together):
            if taken and classes.meets(together):
                break
            together += classes.members[number]
            taken.append(number)
        if not taken or not classes.meets(together):
            removed += [row for row in rows if classes.part[row] == part]
            continue
        for number in taken[1:]:
            classes.put(number, [])
        classes.put(taken[0], together)
    return removed


def _mend(classes: TightClasses, *, work: int) -> None:
    """Dissolve classes and move rows where it lowers the loss, dearest first, until `work` cells were looked at."""
    limit = classes.looked_at + work
    for number in np.argsort(-classes.cost, kind="stable").tolist():
        if classes.looked_at >= limit:
            return
        if classes.people[number] and classes.cost[number] > 0:
            _mend_one(classes, number)


def _mend_one(classes: TightClasses, number: int) -> None:
    rows = sorted(classes.members[number])
    ways = {row: classes.cheapest_for(row, but=number) for row in rows}
    loss = classes.total_of(rows)
    if sum(cost for cost, _ in ways.values()) < loss - _LEAST_GAIN and _dissolve(classes, number, ways):
        return
    while len(rows) > 1:
        gains = [(left + ways[row][0] - loss, row) for row, left in zip(rows, classes.without(rows), strict=True)]
        best = next(((gain, row) for gain, row in sorted(gains) if classes.meets([r for r in rows if r != row])), None)
        if best is None or best[0] > -_LEAST_GAIN:
            return
        row, left = best[1], [kept for kept in rows if kept != best[1]]
        cost, other = classes.cheapest_for(row, but=number)
        joined = [*classes.members[other], row]
        if classes.total_of(left) + cost - loss > -_LEAST_GAIN or not classes.meets(joined):
            return
        classes.put(number, left)
        classes.put(other, joined)
        rows, loss = left, classes.total_of(left)


def _dissolve(classes: TightClasses, number: int, ways: dict[int, tuple[float, int]]) -> bool:
    """Let every row of a class join its own cheapest, if that is cheaper when they all do."""
    takers: dict[int, list[int]] = {}
    for row, (_, other) in ways.items():
        takers.setdefault(other, list(classes.members[other])).append(row)
    before = classes.total_of(classes.members[number]) + sum(classes.total_of(classes.members[at]) for at in takers)
    after = sum(classes.total_of(rows) for rows in takers.values())
    if after > before - _LEAST_GAIN or not all(classes.meets(rows) for rows in takers.values()):
        return False
    classes.put(number, [])
    for other, rows in takers.items():
        classes.put(other, rows)
    return True


def _result(classes: TightClasses, columns: Sequence[TightColumn]) -> TightRecoding:
    histogram = classes.histogram
    number = np.full(len(histogram.weights), -1, dtype=np.int64)
    members = [part for part in classes.members if part]
    for place, part in enumerate(members):
        number[part] = place
    kept = number >= 0
    made = [
        column.cells(codes[kept], number[kept], len(members))
        for column, codes in zip(columns, histogram.quasi, strict=True)
    ]
    losses = np.stack([loss for _, loss in made], axis=1)
    people = np.bincount(number[kept], weights=histogram.weights[kept], minlength=len(members))
    suppressed = int(histogram.weights[~kept].sum())
    cells = histogram.rows * len(columns)
    return TightRecoding(
        number=number,
        cells=tuple(cell for cell, _ in made),
        losses=losses,
        loss=(float((losses.sum(axis=1) * people).sum()) + suppressed * len(columns)) / cells,
        lower_bound=_lower_bound(classes, columns) / cells,
        suppressed=suppressed,
    )


def _lower_bound(classes: TightClasses, columns: Sequence[TightColumn]) -> float:
    """Loss that nothing avoids, summed over cells: whoever can't stay among equals shares a cell with another leaf."""
    histogram = classes.histogram
    ids, count = np.zeros(len(histogram.weights), dtype=np.int64), 1
    for column, codes in zip(columns, histogram.quasi, strict=True):
        ids, count = fold(ids, count, column.member[codes], int(column.member.max()) + 1)
    judged = classes.models.judge(ids, count, rows=np.arange(len(ids)), weight=histogram.weights, bound=True)
    least = min((column.unit for column in columns if column.kind is not None), default=float(len(columns)))
    alone = sum(
        (column.least_losses()[codes] for column, codes in zip(columns, histogram.quasi, strict=True)),
        start=np.zeros(len(ids)),
    )
    return float((histogram.weights * alone).sum()) + int((judged.people - judged.keepable).sum()) * least
