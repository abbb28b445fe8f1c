"""The best full-domain generalization: one level per quasi-identifier, least loss, target met. Branch and bound.

Levels are assigned column by column. Further columns only split the groups of rows that stand together under the levels
assigned so far (with all other columns hidden), so a prefix tells what no completion can avoid:

- A group below k people or l distinct values stays below it however it is split: its rows are lost.
- Entropy and recursive l, t and delta may hold in a part of a group that misses them. But whatever is kept of it is a
  union of classes that hold them, and so holds them itself: that bounds how much of it can be kept (`models.py`).
- Cells at the levels assigned, and at the finest levels of the columns to come, cost what they cost (`objective.py`).

A branch is cut when it must remove more rows than allowed, or can't cost less than the best found. What is never cut is
enumerated: the answer is the optimum, and the result says so.

A lattice too large for that is left after a share of the work limit. Then levels are changed one by one while that
helps (`descent.py`), and branch and bound begins anew with what was found. When the limit ends the search, the best
found is the answer, and the result says how far the bound is: nothing in the branches left open costs less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.privacy.descent import VISIT, Descent
from anonymize.privacy.histogram import Codes, Histogram, fold
from anonymize.privacy.models import Models
from anonymize.privacy.objective import Objective, build_objective
from anonymize.target import Metric, Target

Floats = npt.NDArray[np.float64]

WORK_LIMIT: Final = 750_000_000
"""Row visits before the search settles for the best found: about a minute on one core. Counted, not timed, so that the
same table gives the same answer on every machine."""

_FIRST: Final = 4
"""The share of the work limit after which a search not ended begins anew from a better first solution: 1 / 4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalization:
    """A solution of the search.

    Shape: `levels` in the order of the histogram's columns.
    Units: `loss` is NCP from 0 to 1. `searched` is what the search made small and `lower_bound` what it can't be below,
    in units of `metric`: the optimum lies between them, and at `searched` when proven.
    """

    levels: tuple[int, ...]
    loss: float
    suppressed: int
    proven_optimal: bool
    lower_bound: float
    nodes: int
    metric: Metric = Metric.NCP
    searched: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No generalization was found to meet the target: hiding all as far as allowed still removes this many rows.

    `proven` is false when the search ended before it had looked everywhere.
    """

    suppressed: int
    proven: bool = True


def search_generalization(
    histogram: Histogram, target: Target, *, work_limit: int = WORK_LIMIT
) -> Generalization | Unreachable:
    """The generalization of least loss that meets the target within its suppression limit.

    Of equally good ones the same is chosen for any order of the rows.
    """
    search = _Search(histogram=histogram, target=target, work_limit=work_limit)
    return search.run()


@dataclass(slots=True, kw_only=True)
class _Branch:
    """Rows still standing under the levels assigned so far, merged as far as they can't be told apart any more.

    Shape: arrays with one entry per merged row; `row` is one row of the histogram that stands for it. `keepable` and
    `doomed` have one entry per group: how many of its people can be kept at most, and how many can't.
    """

    row: Codes
    group: Codes
    groups: int
    weight: Codes
    loss: Floats
    lost: int
    keepable: Codes
    doomed: Codes
    possible: bool = True

    @property
    def least_lost(self) -> int:
        return self.lost + int(self.doomed.sum())


@dataclass(slots=True, kw_only=True)
class _Search:
    histogram: Histogram
    target: Target
    work_limit: int
    models: Models = field(init=False)
    objective: Objective = field(init=False)
    order: list[int] = field(init=False)
    rest: list[Codes] = field(init=False)
    rest_loss: list[Floats] = field(init=False)
    allowed: int = field(init=False)
    best: float = field(init=False, default=inf)
    below: float = field(init=False, default=inf)
    best_levels: dict[int, int] = field(init=False, default_factory=dict)
    best_lost: int = field(init=False, default=0)
    nodes: int = field(init=False, default=0)
    work: int = field(init=False, default=0)
    stop_at: int = field(init=False, default=0)
    open_bound: float = field(init=False, default=inf)

    def __post_init__(self) -> None:
        columns = self.histogram.columns
        self.models = Models(self.histogram, self.target)
        self.objective = build_objective(self.histogram, self.target)
        # Most distinct first: what splits most is decided first, and cuts most.
        self.order = sorted(range(len(columns)), key=lambda c: (-len(columns[c].leaves), c))
        self.allowed = int(self.target.suppression_limit * self.histogram.rows + 1e-9)
        self._number_rests()

    def _number_rests(self) -> None:
        """For each depth: what the columns not yet assigned (and the sensitive ones) still tell apart, as a number."""
        size = len(self.histogram.weights)
        ids, count = np.zeros(size, dtype=np.int64), 1
        for codes in self.histogram.sensitive if self.target.needs_sensitive else ():
            ids, count = fold(ids, count, codes + 1, int(codes.max()) + 2)
        if self.target.population is not None:
            # People of the population stand for themselves: a merged row counts those of one row of the histogram.
            ids, count = np.arange(size, dtype=np.int64), size
        self.rest, loss = [ids], np.zeros(size)
        self.rest_loss = [loss]
        for column in reversed(self.order):
            leveled = self.histogram.columns[column]
            codes = self.histogram.quasi[column]
            ids, count = fold(ids, count, codes, len(leveled.leaves))
            loss = loss + self.objective.cells[column][0][codes]
            self.rest.insert(0, ids)
            self.rest_loss.insert(0, loss)

    def run(self) -> Generalization | Unreachable:
        coarsest = self._descend_coarsest()
        reached = coarsest.lost <= self.allowed and coarsest.lost < self.histogram.rows and coarsest.possible
        if not reached and self.models.monotone:
            return Unreachable(suppressed=coarsest.lost)
        lower = self._branch_and_bound(self.work_limit // _FIRST)
        if lower < self.best and self.work < self.work_limit:
            self._descend()
            lower = max(lower, self._branch_and_bound(self.work_limit))
        if not self.best_levels:
            return Unreachable(suppressed=coarsest.lost, proven=lower == inf)
        nodes = self.nodes
        return Generalization(
            levels=tuple(self.best_levels[column] for column in range(len(self.order))),
            loss=self._loss(),
            suppressed=self.best_lost,
            proven_optimal=lower >= self.best,
            lower_bound=self.objective.value(min(self.best, lower)),
            nodes=nodes,
            metric=self.target.metric,
            searched=self.objective.value(self.best),
        )

    def _branch_and_bound(self, stop_at: int) -> float:
        """Search until the work is done or as much as given; what no generalization costs less than."""
        self.stop_at, self.open_bound = stop_at, inf
        # A hair above the best found, so that it is found again unless finer levels lose no more.
        self.below = self.best + 1e-9
        self._visit(self._start(), 0, {})
        return min(self.best, self.open_bound)

    def _descend(self) -> None:
        """Change the levels of the best found, or of the coarsest, while that helps, for half of the work left."""
        levels = [column.levels for column in self.histogram.columns]
        numbers = [[level.number for level in column] for column in levels]
        node = tuple(
            own.index(self.best_levels[column]) if self.best_levels else len(own) - 1
            for column, own in enumerate(numbers)
        )
        descent = Descent(
            histogram=self.histogram,
            models=self.models,
            objective=self.objective,
            allowed=self.allowed,
            work_limit=(self.work_limit - self.work) // 2,
        )
        node, (excess, cost) = descent.descend(node)
        self.work += descent.work
        self.nodes += descent.looked
        if not excess and cost < self.best:
            self.best, self.best_lost = cost, descent.lost(node)
            self.best_levels = {column: numbers[column][position] for column, position in enumerate(node)}

    def _start(self) -> _Branch:
        size, rows = len(self.histogram.weights), self.histogram.rows
        return _Branch(
            row=np.arange(size, dtype=np.int64),
            group=np.zeros(size, dtype=np.int64),
            groups=1,
            weight=self.histogram.weights,
            loss=np.zeros(size),
            lost=0,
            keepable=np.array([rows], dtype=np.int64),
            doomed=np.zeros(1, dtype=np.int64),
        )

    def _descend_coarsest(self) -> _Branch:
        """The coarsest generalization: where the target is monotone it removes the fewest rows. The first solution."""
        levels: dict[int, int] = {}
        branch = self._start()
        for depth, column in enumerate(self.order):
            last = len(self.histogram.columns[column].levels) - 1
            branch = self._assign(branch, depth, last)
            levels[column] = self.histogram.columns[column].levels[last].number
        if branch.lost <= self.allowed:
            self._offer(branch, levels)
        return branch

    def _visit(self, branch: _Branch, depth: int, levels: dict[int, int]) -> None:
        column = self.order[depth]
        children: list[tuple[float, int, _Branch]] = []
        for position, level in enumerate(self.histogram.columns[column].levels):
            child = self._assign(branch, depth, position)
            if not child.possible or child.least_lost > self.allowed:
                continue
            bound = self._bound(child, depth + 1)
            if bound < self.below:
                children.append((bound, level.number, child))
        children.sort(key=lambda child: child[:2])
        for bound, number, child in children:
            if bound >= self.below:
                return
            assigned = {**levels, column: number}
            if depth + 1 == len(self.order):
                self._offer(child, assigned)
            elif self.work >= self.stop_at:
                self.open_bound = min(self.open_bound, bound)
            else:
                self._visit(self._merge(child, depth + 1), depth + 1, assigned)

    def _assign(self, branch: _Branch, depth: int, position: int) -> _Branch:
        """The branch after one more column got its level: groups split, groups of which nothing is kept are lost."""
        self.nodes += 1
        self.work += max(len(branch.row), VISIT)
        column = self.order[depth]
        level = self.histogram.columns[column].levels[position]
        codes = self.histogram.quasi[column][branch.row]
        group, groups = fold(branch.group, branch.groups, level.block_of_leaf[codes], level.blocks)
        whole = depth + 1 == len(self.order)
        judged = self.models.judge(group, groups, rows=branch.row, weight=branch.weight, bound=not whole)
        if not self.models.monotone:
            self.work += groups * self.models.width
        safe = judged.keepable > 0
        standing = safe[group]
        numbers = np.cumsum(safe) - 1
        return _Branch(
            row=branch.row[standing],
            group=numbers[group[standing]],
            groups=int(safe.sum()),
            weight=branch.weight[standing],
            loss=(branch.loss + self.objective.cells[column][position][codes])[standing],
            lost=branch.lost + int(branch.weight[~standing].sum()),
            keepable=judged.keepable[safe],
            doomed=(judged.people - judged.keepable)[safe],
            possible=judged.possible,
        )

    def _merge(self, branch: _Branch, depth: int) -> _Branch:
        """Rows of one group with the same rest are one from here on; what is assigned cost them the same."""
        rest = self.rest[depth][branch.row]
        pairs, _ = fold(branch.group, branch.groups, rest, int(rest.max()) + 1 if len(rest) else 1)
        _, first = np.unique(pairs, return_index=True)
        if len(first) == len(pairs):
            return branch
        return _Branch(
            row=branch.row[first],
            group=branch.group[first],
            groups=branch.groups,
            weight=np.bincount(pairs, weights=branch.weight).astype(np.int64),
            loss=branch.loss[first],
            lost=branch.lost,
            keepable=branch.keepable,
            doomed=branch.doomed,
        )

    def _bound(self, branch: _Branch, depth: int) -> float:
        """Cost that no completion can avoid; exact when every column is assigned."""
        loss = branch.loss + self.rest_loss[depth][branch.row]
        if depth == len(self.order):
            return self.objective.cost(
                group=branch.group, groups=branch.groups, weight=branch.weight, loss=loss, lost=branch.lost
            )
        return self.objective.bound(
            group=branch.group,
            weight=branch.weight,
            loss=loss,
            lost=branch.lost,
            keepable=branch.keepable,
            doomed=branch.doomed,
        )

    def _offer(self, branch: _Branch, levels: dict[int, int]) -> None:
        cost = self._bound(branch, len(self.order))
        if cost < self.below and branch.groups and branch.possible:
            self.below = self.best = cost
            self.best_levels, self.best_lost = levels, branch.lost

    def _loss(self) -> float:
        """NCP of the best levels found, whatever was searched for."""
        branch, cells = self._start(), 0.0
        for depth, column in enumerate(self.order):
            levels = self.histogram.columns[column].levels
            numbers = [level.number for level in levels]
            branch = self._assign(branch, depth, numbers.index(self.best_levels[column]))
        for column in self.order:
            level = self.histogram.columns[column].at(self.best_levels[column])
            cells += float((branch.weight * level.loss_of_leaf[self.histogram.quasi[column][branch.row]]).sum())
        width = len(self.order)
        return (cells + branch.lost * width) / (self.histogram.rows * width)
