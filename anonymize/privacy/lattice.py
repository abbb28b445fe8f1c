"""The best full-domain generalization: one level per quasi-identifier, least loss, target met. Branch and bound.

Levels are assigned column by column. A group of rows that misses the target under the levels assigned so far (with
all other columns hidden) misses it in every completion too, since further columns only split it. So at every step the
rows already lost, and the loss already suffered, are lower bounds: a branch is cut when it must remove more rows than
allowed, or can't lose less than the best found. What is never cut is enumerated: the answer is the optimum, and the
result says so. When the work limit ends the search early, the result says how far the bound is.

Loss: NCP, the mean over all rows and quasi-identifiers of (|S| - 1) / (n - 1); every cell of a removed row counts 1.
Both "at least k rows" and "at least l distinct values" are monotone in this sense.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Codes, Histogram, fold, groups_that_meet
from anonymize.target import Target
from anonymize.techniques.generalize import Level

Floats = npt.NDArray[np.float64]

WORK_LIMIT: Final = 4_000_000_000
"""Row visits before the search settles for the best found: minutes on one core. Counted, not timed, so that the same
table gives the same answer on every machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalization:
    """A solution of the search.

    Shape: `levels` in the order of the histogram's columns.
    Units: loss and lower_bound are NCP from 0 to 1; the optimum lies between them, and at `loss` when proven.
    """

    levels: tuple[int, ...]
    loss: float
    suppressed: int
    proven_optimal: bool
    lower_bound: float
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No generalization meets the target: hiding every quasi-identifier as far as allowed still removes this many."""

    suppressed: int


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

    Shape: arrays with one entry per merged row; `row` is one row of the histogram that stands for it.
    """

    row: Codes
    group: Codes
    groups: int
    weight: Codes
    loss: Floats
    lost: int


@dataclass(slots=True, kw_only=True)
class _Search:
    histogram: Histogram
    target: Target
    work_limit: int
    order: list[int] = field(init=False)
    rest: list[Codes] = field(init=False)
    rest_loss: list[Floats] = field(init=False)
    allowed: int = field(init=False)
    best: float = field(init=False, default=inf)
    best_levels: dict[int, int] = field(init=False, default_factory=dict)
    best_lost: int = field(init=False, default=0)
    nodes: int = field(init=False, default=0)
    work: int = field(init=False, default=0)
    open_bound: float = field(init=False, default=inf)

    def __post_init__(self) -> None:
        columns = self.histogram.columns
        # Most distinct first: what splits most is decided first, and cuts most.
        self.order = sorted(range(len(columns)), key=lambda c: (-len(columns[c].leaves), c))
        self.allowed = int(self.target.suppression_limit * self.histogram.rows + 1e-9)
        self._number_rests()

    def _number_rests(self) -> None:
        """For each depth: what the columns not yet assigned (and the sensitive ones) still tell apart, as a number."""
        size = len(self.histogram.weights)
        ids, count = np.zeros(size, dtype=np.int64), 1
        for codes in self.histogram.sensitive if self.target.l is not None else ():
            ids, count = fold(ids, count, codes + 1, int(codes.max()) + 2)
        self.rest, loss = [ids], np.zeros(size)
        self.rest_loss = [loss]
        for column in reversed(self.order):
            leveled = self.histogram.columns[column]
            codes = self.histogram.quasi[column]
            ids, count = fold(ids, count, codes, len(leveled.leaves))
            loss = loss + leveled.levels[0].loss_of_leaf[codes]
            self.rest.insert(0, ids)
            self.rest_loss.insert(0, loss)

    def run(self) -> Generalization | Unreachable:
        size = len(self.histogram.weights)
        start = _Branch(
            row=np.arange(size, dtype=np.int64),
            group=np.zeros(size, dtype=np.int64),
            groups=1,
            weight=self.histogram.weights,
            loss=np.zeros(size),
            lost=0,
        )
        coarsest = self._descend_coarsest(start)
        if coarsest.lost > self.allowed or coarsest.lost == self.histogram.rows:
            return Unreachable(suppressed=coarsest.lost)
        self._visit(start, 0, {})
        total = self.histogram.rows * len(self.order)
        proven = self.open_bound >= self.best
        return Generalization(
            levels=tuple(self.best_levels[column] for column in range(len(self.order))),
            loss=self.best / total,
            suppressed=self.best_lost,
            proven_optimal=proven,
            lower_bound=min(self.best, self.open_bound) / total,
            nodes=self.nodes,
        )

    def _descend_coarsest(self, branch: _Branch) -> _Branch:
        """The coarsest generalization: it removes the fewest rows, and is the first solution."""
        levels: dict[int, int] = {}
        for depth, column in enumerate(self.order):
            level = self.histogram.columns[column].levels[-1]
            branch = self._assign(branch, depth, level)
            levels[column] = level.number
        if branch.lost <= self.allowed:
            self._offer(branch, levels)
            # A hair above itself, so that it is found again unless finer levels lose no more.
            self.best += 1e-9
        return branch

    def _visit(self, branch: _Branch, depth: int, levels: dict[int, int]) -> None:
        column = self.order[depth]
        children: list[tuple[float, int, _Branch]] = []
        for level in self.histogram.columns[column].levels:
            child = self._assign(branch, depth, level)
            bound = self._bound(child, depth + 1)
            if child.lost <= self.allowed and bound < self.best:
                children.append((bound, level.number, child))
        children.sort(key=lambda child: child[:2])
        for bound, number, child in children:
            if bound >= self.best:
                return
            assigned = {**levels, column: number}
            if depth + 1 == len(self.order):
                self._offer(child, assigned)
            elif self.work >= self.work_limit:
                self.open_bound = min(self.open_bound, bound)
            else:
                self._visit(self._merge(child, depth + 1), depth + 1, assigned)

    def _assign(self, branch: _Branch, depth: int, level: Level) -> _Branch:
        """The branch after one more column got its level: groups split, groups that miss the target are lost."""
        self.nodes += 1
        self.work += len(branch.row)
        codes = self.histogram.quasi[self.order[depth]][branch.row]
        group, groups = fold(branch.group, branch.groups, level.block_of_leaf[codes], level.blocks)
        sensitive = [values[branch.row] for values in self.histogram.sensitive]
        safe = groups_that_meet(group, groups, weight=branch.weight, sensitive=sensitive, target=self.target)
        standing = safe[group]
        numbers = np.cumsum(safe) - 1
        return _Branch(
            row=branch.row[standing],
            group=numbers[group[standing]],
            groups=int(safe.sum()),
            weight=branch.weight[standing],
            loss=(branch.loss + level.loss_of_leaf[codes])[standing],
            lost=branch.lost + int(branch.weight[~standing].sum()),
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
        )

    def _bound(self, branch: _Branch, depth: int) -> float:
        """Loss that no completion can avoid, as a sum over cells; exact when every column is assigned."""
        standing = float((branch.weight * (branch.loss + self.rest_loss[depth][branch.row])).sum())
        return standing + branch.lost * len(self.order)

    def _offer(self, branch: _Branch, levels: dict[int, int]) -> None:
        loss = self._bound(branch, len(self.order))
        if loss < self.best:
            self.best, self.best_levels, self.best_lost = loss, levels, branch.lost
