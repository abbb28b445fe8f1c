"""A good generalization of a lattice too large to search whole: from a first one, levels are changed while that helps.

One column to any of its levels, the best such step first; where none helps, one column a level coarser and then the
best step. It ends where neither helps, which need not be the optimum, or when its share of the work limit is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import numpy as np

from anonymize.privacy.histogram import Codes, Histogram, fold
from anonymize.privacy.models import Flags, Models
from anonymize.privacy.objective import Objective

Node = tuple[int, ...]
Score = tuple[int, float]
Groups = tuple[Codes, int]

VISIT: Final = 1_000
"""Rows that one look at a few rows counts for: numpy's fixed cost."""


@dataclass(slots=True, kw_only=True)
class Descent:
    """Shape: a node holds the position of a level for each column of the histogram.

    Units: a score is the rows removed above the `allowed`, then the cost; less is better. `work` is rows looked at.
    """

    histogram: Histogram
    models: Models
    objective: Objective
    allowed: int
    work_limit: int
    work: int = 0
    looked: int = 0
    _rows: Codes = field(init=False)

    def __post_init__(self) -> None:
        self._rows = np.arange(len(self.histogram.weights), dtype=np.int64)

    def descend(self, node: Node) -> tuple[Node, Score]:
        """The node that can't be bettered by one step or two, or the best when the work ended."""
        score = self._score(node, self._groups(node))
        while self.work < self.work_limit:
            best, found = self._step(node, score)
            if best == node:
                best, found = self._two_steps(node, score)
            if best == node:
                break
            node, score = best, found
        return node, score

    def lost(self, node: Node) -> int:
        """Rows removed at a node."""
        group, groups = self._groups(node)
        safe = self._safe(group, groups)[group]
        return int(self.histogram.weights[~safe].sum())

    def _two_steps(self, node: Node, score: Score) -> tuple[Node, Score]:
        for column, position in enumerate(node):
            if position + 1 == len(self.histogram.columns[column].levels) or self.work >= self.work_limit:
                continue
            coarser = (*node[:column], position + 1, *node[column + 1 :])
            best, found = self._step(coarser, score)
            if found < score and best != node:
                return best, found
        return node, score

    def _step(self, node: Node, score: Score) -> tuple[Node, Score]:
        """The best node that differs in one column, if its score is less; else the same node."""
        start: Groups = (np.zeros(len(self._rows), dtype=np.int64), 1)
        columns = range(len(node))
        before = list(accumulate(columns, lambda groups, c: self._split(groups, c, node[c]), initial=start))
        after = start
        best, found = node, score
        for column in reversed(columns):
            others = self._fold(before[column], after)
            for position in range(len(self.histogram.columns[column].levels)):
                if position == node[column]:
                    continue
                if self.work >= self.work_limit:
                    return best, found
                other = (*node[:column], position, *node[column + 1 :])
                reached = self._score(other, self._split(others, column, position))
                if reached < found:
                    best, found = other, reached
            after = self._split(after, column, node[column])
        return best, found

    def _groups(self, node: Node) -> Groups:
        groups: Groups = (np.zeros(len(self._rows), dtype=np.int64), 1)
        for column, position in enumerate(node):
            groups = self._split(groups, column, position)
        return groups

    def _split(self, groups: Groups, column: int, position: int) -> Groups:
        level = self.histogram.columns[column].levels[position]
        return self._fold(groups, (level.block_of_leaf[self.histogram.quasi[column]], level.blocks))

    def _fold(self, one: Groups, other: Groups) -> Groups:
        self.work += max(len(self._rows), VISIT)
        return fold(*one, *other)

    def _safe(self, group: Codes, groups: int) -> Flags:
        judged = self.models.judge(group, groups, rows=self._rows, weight=self.histogram.weights, bound=False)
        self.work += max(len(self._rows), VISIT) + (0 if self.models.monotone else groups * self.models.width)
        return np.asarray((judged.keepable > 0) & judged.possible)

    def _score(self, node: Node, groups: Groups) -> Score:
        self.looked += 1
        group, count = groups
        safe = self._safe(group, count)
        standing, weight = safe[group], self.histogram.weights
        lost = int(weight[~standing].sum())
        excess = max(lost - self.allowed, 0)
        if excess or not safe.any():
            return excess or 1, float(lost)
        loss = np.zeros(len(self._rows))
        for column, position in enumerate(node):
            loss += self.objective.cells[column][position][self.histogram.quasi[column]]
        numbers = np.cumsum(safe) - 1
        cost = self.objective.cost(
            group=numbers[group[standing]],
            groups=int(safe.sum()),
            weight=weight[standing],
            loss=loss[standing],
            lost=lost,
        )
        return 0, cost
