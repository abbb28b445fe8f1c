"""The first phase of local recoding: release safe groups of rows, from the cheapest generalization to the dearest.

A small lattice is walked whole, in the order of what its nodes cost on average. A large one (16 columns make millions
of nodes) is walked where the data are: some of the rows left are drawn, the class each would form with its nearest rows
is looked up, and the cheapest of these generalizations are tried on all rows left. In the end, when few are left, each
is looked at by itself, always the one first whose class costs least.

Where the target is not monotone (t, entropy and recursive l, delta), a group that misses it may hold a part that meets
it: as many people as the bound of `models.py` allows, the surplus of its commonest sensitive values left out. Such
parts are released on the way, at nodes spread evenly from cheap to dear; what is left at the end joins classes that
bear it.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Codes, Histogram
from anonymize.privacy.labels import Costs, Ids, Labels
from anonymize.privacy.models import Models
from anonymize.target import Target

DRAWN: Final = 100
"""Rows drawn for each round through a large lattice."""
CHEAPEST: Final = 0.15
"""Share of the generalizations looked up in a round that are tried."""
NEAR: Final = 24
"""Rows from which a class is gathered, at least; four for each person that it needs."""
PARTS: Final = (1.0, 0.8)
"""Parts of a group tried, as shares of the most that could be kept of it."""
SEED: Final = 20_261_124

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """Where one way of walking gives over to the next.

    Units: a lattice of more than `nodes` nodes is walked where the data are; `few_rows` distinct rows left, or fewer,
    are looked at one by one. Where the target is not monotone, rows are visited `spread` times each.
    """

    nodes: int = 20_000
    few_rows: int = 1_000
    spread: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A class that one row forms with its nearest. Units: cost is NCP of its cells, summed over one row."""

    cost: float
    rows: tuple[int, ...]
    levels: tuple[int, ...]


def peel(
    histogram: Histogram, labels: Sequence[Labels], models: Models, *, walk: Walk
) -> tuple[list[list[int]], list[int]]:
    """Classes of distinct rows that meet the target, and the rows that are in none.

    Shape: every distinct row of the histogram is in one class or in the rest, once.
    """
    peeling = _Peel(histogram=histogram, labels=labels, models=models, target=models.target, walk=walk)
    peeling.run()
    return peeling.released, [int(row) for row in peeling.alive]


@dataclass(slots=True, kw_only=True)
class _Peel:
    histogram: Histogram
    labels: Sequence[Labels]
    models: Models
    target: Target
    walk: Walk
    released: list[list[int]] = field(init=False, default_factory=list)
    alive: Codes = field(init=False)
    weights: Codes = field(init=False)
    """Of the rows left, like `left_codes`."""
    codes: list[Ids] = field(init=False)
    left_codes: list[Ids] = field(init=False)
    keys: list[list[Keys]] = field(init=False)
    means: list[list[float]] = field(init=False)
    """What a cell of each column costs at each level, on average over all rows."""
    chance: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.means = [
            [float(np.average(level.loss_of_leaf[codes], weights=self.histogram.weights)) for level in column.levels]
            for column, codes in zip(self.histogram.columns, self.histogram.quasi, strict=True)
        ]
        self.chance = np.random.default_rng(SEED)
        self.alive = np.arange(len(self.histogram.weights), dtype=np.int64)
        self.weights = self.histogram.weights
        self.codes = [codes.astype(np.int32) for codes in self.histogram.quasi]
        self.left_codes = list(self.codes)
        # A random number for each label: rows with equal sums stand under equal labels, but for odds of 2 to the -64 or
        # so; should that happen, a class gets coarser labels than it needs, and nothing worse.
        self.keys = [[self._numbers(labels.count)[at] for at in labels.at_level] for labels in self.labels]

    def _numbers(self, count: int) -> Keys:
        return self.chance.integers(0, 2**64, size=count, dtype=np.uint64)

    def run(self) -> None:
        nodes = prod(len(labels.steps) for labels in self.labels)
        self._release_under([0] * len(self.labels))
        if not self.models.monotone:
            self._walk_spread(nodes)
            return
        if nodes <= self.walk.nodes:
            self._walk_lattice()
        else:
            self._walk_data()
        self._gather_rest()

    def _walk_lattice(self) -> None:
        """Every node, from cheap to dear on average over all rows."""
        for node in self._ranked(list(product(*(labels.steps for labels in self.labels)))):
            if len(self.alive) <= self.walk.few_rows:
                return
            self._release_under(node)

    def _ranked(self, nodes: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Nodes from cheap to dear."""
        costs = sum(np.asarray(mean)[[node[c] for node in nodes]] for c, mean in enumerate(self.means))
        return [nodes[position] for position in np.argsort(costs, kind="stable")]

    def _walk_spread(self, count: int) -> None:
        """Nodes from cheap to dear, as many as row visits are left for; of a large lattice, some that are drawn."""
        visits = self.walk.spread * len(self.alive)
        if count <= self.walk.nodes:
            nodes = self._ranked(list(product(*(labels.steps for labels in self.labels))))
        else:
            nodes = self._ranked([self._draw_node(n / self.walk.spread) for n in range(self.walk.spread + 1)])
        place = 0
        while place < len(nodes) and len(self.alive):
            self._release_under(nodes[place])
            visits -= len(self.alive)
            step = (len(nodes) - 1 - place) * len(self.alive) // max(visits, 1)
            place = len(nodes) - 1 if visits <= 0 and place < len(nodes) - 1 else place + max(1, step)

    def _draw_node(self, height: float) -> tuple[int, ...]:
        """A node whose columns all cost about `height`, from 0 at the finest to 1 at the coarsest."""
        drawn: list[int] = []
        for labels, means in zip(self.labels, self.means, strict=True):
            most = means[labels.steps[-1]] * np.clip(height + self.chance.normal(0, 0.2) * (0 < height < 1), 0, 1)
            drawn.append(max(step for step in labels.steps if means[step] <= most + 1e-12 or step == labels.steps[0]))
        return tuple(drawn)

    def _walk_data(self) -> None:
        """The nodes that rows left over point at, the cheapest of each round."""
        while len(self.alive) > self.walk.few_rows:
            before = len(self.alive)
            drawn = self.chance.choice(self.alive, size=min(DRAWN, before), replace=False)
            found: dict[tuple[int, ...], float] = {}
            for gathered in filter(None, (self._gather(int(row)) for row in drawn)):
                found[gathered.levels] = min(gathered.cost, found.get(gathered.levels, gathered.cost))
            ranked = sorted((cost, levels) for levels, cost in found.items())
            for _, levels in ranked[: max(1, int(CHEAPEST * len(ranked)))]:
                self._release_under(levels)
            if len(self.alive) == before:
                return

    def _release_under(self, levels: Sequence[int]) -> None:
        """Release every group of rows left that is safe under these levels."""
        key = self.keys[0][levels[0]][self.left_codes[0]]
        for column in range(1, len(levels)):
            key += self.keys[column][levels[column]][self.left_codes[column]]
        order = np.argsort(key, kind=None if self.models.monotone else "stable")
        ordered = key[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        if np.add.reduceat(self.weights[order], starts).max() < self.target.k:
            return
        sizes = np.diff(starts, append=len(order))
        group = np.repeat(np.arange(len(starts)), sizes)
        taken = self._take(group, len(starts), rows=self.alive[order], weight=self.weights[order])
        if not taken.any():
            return
        rows = self.alive[order[taken]]
        ends = np.flatnonzero(np.diff(group[taken])) + 1
        self.released.extend(np.sort(part).tolist() for part in np.split(rows, ends))
        staying = np.ones(len(order), dtype=np.bool_)
        staying[order[taken]] = False
        self._keep(staying)

    def _take(self, group: Codes, groups: int, *, rows: Codes, weight: Codes) -> npt.NDArray[np.bool_]:
        """The rows to release: groups that meet the target, and parts of others that do."""
        if self.models.monotone:
            return self.models.meets(group, groups, rows=rows, weight=weight)[group]
        judged = self.models.judge(group, groups, rows=rows, weight=weight, bound=True)
        taken, left = judged.meets[group], ~judged.meets & (judged.keepable > 0)
        for share in PARTS:
            inside = np.flatnonzero(left[group])
            if not len(inside):
                break
            number = np.cumsum(left) - 1
            parts = {"rows": rows[inside], "weight": weight[inside]}
            wanted = np.floor(judged.keepable[left] * share).astype(np.int64)
            picked = inside[self.models.part_of(number[group[inside]], int(left.sum()), wanted=wanted, **parts)]
            fits = self.models.meets(group[picked], groups, rows=rows[picked], weight=weight[picked])
            taken[picked] |= fits[group[picked]]
            left &= ~fits
        return taken

    def _keep(self, staying: npt.NDArray[np.bool_]) -> None:
        """Only these of the rows left are left from here on."""
        self.alive = self.alive[staying]
        self.weights = self.weights[staying]
        self.left_codes = [codes[staying] for codes in self.left_codes]

    def _gather_rest(self) -> None:
        """Row by row, always the one whose class costs least; looked up again when others took its rows."""
        queue = [
            (gathered.cost, row, gathered)
            for row, gathered in ((int(row), self._gather(int(row))) for row in self.alive)
            if gathered is not None
        ]
        heapq.heapify(queue)
        left = np.zeros(len(self.histogram.weights), dtype=np.bool_)
        left[self.alive] = True
        while queue:
            _, row, gathered = heapq.heappop(queue)
            if not left[row]:
                continue
            if left[list(gathered.rows)].all():
                self.released.append(sorted(gathered.rows))
                left[list(gathered.rows)] = False
                continue
            self._keep(left[self.alive])
            again = self._gather(row)
            if again is not None:
                heapq.heappush(queue, (again.cost, row, again))
        self._keep(left[self.alive])

    def _gather(self, row: int) -> Gathered | None:
        """The class that a row forms with rows left, taken in one by one, always the one that costs least."""
        shown = [int(labels.at_level[0][codes[row]]) for labels, codes in zip(self.labels, self.codes, strict=True)]
        cost = np.zeros(len(self.alive), dtype=np.float32)
        for labels, codes, label in zip(self.labels, self.left_codes, shown, strict=True):
            cost += labels.cost_by_label(label)[codes]
        cost[np.searchsorted(self.alive, row)] = np.inf
        for near in (max(NEAR, 4 * self.target.k), len(cost)):
            nearest = np.sort(np.argpartition(cost, near - 1)[:near]) if near < len(cost) else np.arange(len(cost))
            pool = nearest[np.isfinite(cost[nearest])]
            gathered = self._gather_from(row, pool, shown, cost[pool])
            if gathered is not None or near >= len(cost):
                return gathered
        return None

    def _gather_from(self, row: int, pool: Codes, shown: list[int], cost: Costs) -> Gathered | None:
        """The same, from some of the rows left, given as positions, with what each costs at first."""
        codes = [codes[pool] for codes in self.left_codes]
        taken, people = [row], int(self.histogram.weights[row])
        while (missing := people < self.target.k) or not self._diverse(taken):
            if not missing:
                cost[~self._brings_new(taken, self.alive[pool])] = np.inf
            nearest = int(cost.argmin()) if len(cost) else -1
            if nearest < 0 or not np.isfinite(cost[nearest]):
                return None
            taken.append(int(self.alive[pool[nearest]]))
            people += int(self.weights[pool[nearest]])
            shown = [
                int(labels.joined_by_label(label)[own[nearest]])
                for labels, own, label in zip(self.labels, codes, shown, strict=True)
            ]
            gone = np.isinf(cost)
            gone[nearest] = True
            cost = np.zeros(len(pool), dtype=np.float32)
            for labels, own, label in zip(self.labels, codes, shown, strict=True):
                cost += labels.cost_by_label(label)[own]
            cost[gone] = np.inf
        pairs = list(zip(self.labels, shown, strict=True))
        return Gathered(
            cost=float(sum(labels.loss[label] for labels, label in pairs)),
            rows=tuple(taken),
            levels=tuple(int(labels.level[label]) for labels, label in pairs),
        )

    def _diverse(self, rows: Sequence[int]) -> bool:
        wanted = self.target.l
        return wanted is None or all(len(_known(values[rows])) >= wanted for values in self.histogram.sensitive)

    def _brings_new(self, taken: Sequence[int], rows: Codes) -> npt.NDArray[np.bool_]:
        """Which rows have a sensitive value that the class still needs."""
        brings = np.zeros(len(rows), dtype=np.bool_)
        for values in self.histogram.sensitive:
            present = _known(values[taken])
            if self.target.l is not None and len(present) < self.target.l:
                brings |= (values[rows] >= 0) & ~np.isin(values[rows], present)
        return brings


def _known(values: Codes) -> Codes:
    """The distinct values other than null."""
    distinct = np.unique(values)
    return distinct[distinct >= 0]
