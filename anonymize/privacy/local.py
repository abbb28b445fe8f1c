"""Local recoding: each class of rows gets the finest labels that cover its own members, not one level for all rows.

Three phases, all on distinct rows with their weights:
1. Peel (`peel.py`). Generalizations are tried from cheap to dear; whatever rows already stand together safely under one
   are released as classes and leave. What is left at the end is gathered row by row with its nearest rows. Where the
   target is not monotone, parts of groups are released too, and nothing is gathered.
2. Settle the rest: rows in no class join the class that this costs least, of those that stay safe with them, or are
   removed where that is allowed and costs less.
3. Mend (`mend.py`). Dear classes are dissolved into others, and rows move from classes that can spare them, where that
   lowers the loss.
Finally every class is labelled anew from its members. Rows are counted as people; equal rows stay together.

The result is no proven optimum: finding that is NP-hard (Meyerson and Williams 2004). It says how far the bound is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Histogram, fold
from anonymize.privacy.labels import Labels
from anonymize.privacy.lattice import Unreachable
from anonymize.privacy.mend import Classes, mend
from anonymize.privacy.models import Models
from anonymize.privacy.peel import Walk, peel
from anonymize.target import Target

MEND_WORK: Final = 200
"""Labels looked at while mending, for each cell of the distinct rows: about a tenth of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRecoding:
    """What local recoding found.

    Shape: `levels` has one row per distinct row of the histogram and one column per quasi-identifier: positions among
    the levels that may be released. `kept` has one entry per distinct row; where it is false the row is removed.
    Units: loss and lower_bound are NCP from 0 to 1, removed rows counting 1.
    """

    levels: npt.NDArray[np.int32]
    kept: npt.NDArray[np.bool_]
    loss: float
    lower_bound: float
    suppressed: int
    classes: int


def recode_locally(
    histogram: Histogram, target: Target, *, walk: Walk = Walk(), mend_work: int = MEND_WORK
) -> LocalRecoding | Unreachable:
    """Classes that meet the target, with a loss as low as a walk from cheap to dear finds.

    The same rows give the same answer in any order, on every machine.
    """
    labels = [Labels(column) for column in histogram.columns]
    models = Models(histogram, target)
    members, rest = peel(histogram, labels, models, walk=walk)
    if not members:
        return Unreachable(suppressed=histogram.rows)
    classes = Classes(histogram=histogram, labels=labels, members=members, models=models)
    allowed = int(target.suppression_limit * histogram.rows + 1e-9)
    removed = _settle(classes, rest, allowed=allowed)
    if int(histogram.weights[removed].sum()) > allowed:
        removed = _unite(classes, removed)
    if int(histogram.weights[removed].sum()) > allowed:
        return Unreachable(suppressed=int(histogram.weights[removed].sum()))
    mend(classes, work=mend_work * len(histogram.weights) * len(labels))
    removed = _settle(classes, removed, allowed=int(histogram.weights[removed].sum()))
    return _result(classes, removed, models)


def _settle(classes: Classes, rest: Sequence[int], *, allowed: int) -> list[int]:
    """Let each row of the rest join a class; the rows that are removed instead."""
    removed: list[int] = []
    for row in rest:
        weight = int(classes.histogram.weights[row])
        cost, nearest = classes.cheapest_for(row)
        if cost > weight * len(classes.labels) and weight <= allowed:
            allowed -= weight
            removed.append(row)
        elif np.isfinite(cost):
            classes.join(row, nearest)
        else:
            removed.append(row)
    return removed


def _unite(classes: Classes, removed: list[int]) -> list[int]:
    """Make one class of the rows that no class bears and as few classes, largest first, as it takes to be safe."""
    order = np.argsort(-classes.people, kind="stable")[: classes.count]
    rows = list(removed)
    for count, number in enumerate(order, start=1):
        rows += classes.members[int(number)]
        one = np.zeros(len(rows), dtype=np.int64)
        weight = classes.histogram.weights[rows]
        if classes.models.meets(one, 1, rows=np.asarray(rows), weight=weight)[0] and classes.covered(rows):
            classes.unite([int(number) for number in order[:count]], removed)
            return []
    return removed


def _result(classes: Classes, removed: list[int], models: Models) -> LocalRecoding:
    histogram = classes.histogram
    kept = np.ones(len(histogram.weights), dtype=np.bool_)
    kept[removed] = False
    levels = np.zeros((len(histogram.weights), len(classes.labels)), dtype=np.int32)
    cost = np.zeros(len(histogram.weights))
    number = classes.number_of_row()
    for column, (labels, shown) in enumerate(zip(classes.labels, classes.shown, strict=True)):
        label = shown[number]
        levels[:, column] = np.where(kept, labels.level[label], len(labels.at_level) - 1)
        cost += np.where(kept, labels.loss[label], 1.0)
    cells = histogram.rows * len(classes.labels)
    return LocalRecoding(
        levels=levels,
        kept=kept,
        loss=float((cost * histogram.weights).sum()) / cells,
        lower_bound=_lower_bound(histogram, models) / cells,
        suppressed=int(histogram.weights[removed].sum()),
        classes=classes.count,
    )


def _lower_bound(histogram: Histogram, models: Models) -> float:
    """Loss that nothing avoids, summed over cells: rows not safe as they are lose detail in one column at least."""
    ids, count = np.zeros(len(histogram.weights), dtype=np.int64), 1
    least = np.full(len(histogram.weights), float(len(histogram.columns)))
    for column, codes in zip(histogram.columns, histogram.quasi, strict=True):
        ids, count = fold(ids, count, codes, len(column.leaves))
        if len(column.levels) > 1:
            least = np.minimum(least, column.levels[1].loss_of_leaf[codes])
    safe = models.meets(ids, count, rows=np.arange(len(ids)), weight=histogram.weights)
    return float((least * histogram.weights)[~safe[ids]].sum())
