"""Classes of rows with what their tight cells cost, kept up as rows move between them.

A row costs a class whatever its values add to the class's sets, and however far they stretch its intervals; all
members pay for it. What one row would cost every class is a sum over columns of arrays with one entry per class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import inf
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Codes, Histogram
from anonymize.privacy.models import Models
from anonymize.techniques.cells import Ends, TightColumn

Costs = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

DENSE: Final = 2**25
"""Entries of a table of members by classes, at most; beyond, holders of each member are listed."""


class Pricing(Protocol):
    """One column's part of what classes cost.

    Units: NCP of one cell.
    """

    costs: Floats
    """Of the cell of each class at the start."""

    def cost(self, leaves: Collection[int]) -> float:
        """Of a cell that holds these leaves, at least one."""

    def without(self, leaves: Sequence[int]) -> list[float]:
        """Of a cell that holds these leaves, one per row, when one of the rows leaves; one answer per row."""

    def joined(self, leaf: int) -> Costs:
        """What the cell of each class costs more when it takes in a leaf."""

    def show(self, number: int, before: Collection[int], after: Collection[int]) -> None:
        """The leaves of a class changed; either may be empty."""


class SetPricing:
    """Value sets: each member that a class does not hold yet adds the leaves it covers."""

    def __init__(self, column: TightColumn, codes: Codes, number: Codes, classes: int) -> None:
        self._member = column.member.tolist()
        self._add = (column.covered * column.unit).tolist()
        self._unit = column.unit
        self._classes = classes
        members = column.member[codes]
        held, _ = np.unique(np.stack([number, members]), axis=1, return_counts=True)
        covered = np.bincount(held[0], weights=column.covered[held[1]], minlength=classes).astype(np.float64)
        self.costs = (covered - 1) * column.unit
        self._absent: npt.NDArray[np.bool_] | None = None
        self._holders: list[set[int]] = []
        if len(self._add) * classes <= DENSE:
            self._absent = np.ones((len(self._add), classes), dtype=np.bool_)
            self._absent[members, number] = False
        else:
            self._holders = [set() for _ in self._add]
            for member, at in zip(members.tolist(), number.tolist(), strict=True):
                self._holders[member].add(at)

    def cost(self, leaves: Collection[int]) -> float:
        return float(sum(self._add[member] for member in {self._member[leaf] for leaf in leaves})) - self._unit

    def without(self, leaves: Sequence[int]) -> list[float]:
        members = [self._member[leaf] for leaf in leaves]
        rows, whole = Counter(members), self.cost(leaves)
        return [whole - self._add[member] if rows[member] == 1 else whole for member in members]

    def joined(self, leaf: int) -> Costs:
        member = self._member[leaf]
        add = np.float32(self._add[member])
        if self._absent is not None:
            missing: Costs = self._absent[member] * add
            return missing
        answer = np.full(self._classes, add)
        holders = self._holders[member]
        answer[np.fromiter(holders, dtype=np.int64, count=len(holders))] = 0
        return answer

    def show(self, number: int, before: Collection[int], after: Collection[int]) -> None:
        old, new = ({self._member[leaf] for leaf in leaves} for leaves in (before, after))
        for member in old - new:
            self._mark(member, number, held=False)
        for member in new - old:
            self._mark(member, number, held=True)

    def _mark(self, member: int, number: int, *, held: bool) -> None:
        if self._absent is not None:
            self._absent[member, number] = not held
        elif held:
            self._holders[member].add(number)
        else:
            self._holders[member].discard(number)


class IntervalPricing:
    """Intervals: a cell costs the leaves from its first to its last, and one more where it also holds null."""

    def __init__(self, column: TightColumn, ends: Ends, codes: Codes, number: Codes, classes: int) -> None:
        self._unit, self._null, self._exact = column.unit, column.null, column.exact
        self._first, self._last = ends.first.tolist(), ends.last.tolist()
        own = np.arange(len(ends.first))
        self._plain = column.exact and bool((ends.first == ends.last).all() and (np.diff(ends.first) > 0).all())
        known = codes != self._null
        self._low = np.full(classes, inf, dtype=np.float32)
        self._high = np.full(classes, -inf, dtype=np.float32)
        np.minimum.at(self._low, number[known], ends.first[codes[known]].astype(np.float32))
        np.maximum.at(self._high, number[known], ends.last[codes[known]].astype(np.float32))
        self._holds_null = np.bincount(number[~known], minlength=classes) > 0
        least, most = np.full(classes, len(own)), np.full(classes, -1)
        np.minimum.at(least, number[known], codes[known])
        np.maximum.at(most, number[known], codes[known])
        self._alone = np.where(least == most, least, -1)
        """The leaf of a class that holds one alone."""
        valued, open_cell = most >= 0, (most >= 0) & ~((least == most) & column.exact)
        spread = np.zeros(classes)
        spread[open_cell] = ends.last[most[open_cell]] - ends.first[least[open_cell]]
        self.costs: Floats = (spread + (valued & self._holds_null)) * column.unit

    def cost(self, leaves: Collection[int]) -> float:
        known = [leaf for leaf in leaves if leaf != self._null]
        if not known:
            return 0.0
        low, high = min(known), max(known)
        covered = 0 if low == high and self._exact else self._last[high] - self._first[low]
        return float((covered + (len(known) < len(leaves))) * self._unit)

    def without(self, leaves: Sequence[int]) -> list[float]:
        rows, whole = Counter(leaves), self.cost(leaves)
        known = [leaf for leaf in rows if leaf != self._null]
        edges = {min(known), max(known), self._null} if known else {self._null}
        lone = {leaf for leaf in edges if rows[leaf] == 1}
        fewer = {leaf: self.cost([other for other in rows if other != leaf]) for leaf in lone}
        return [fewer.get(leaf, whole) for leaf in leaves]

    def joined(self, leaf: int) -> Costs:
        valued = self._high >= 0
        if leaf == self._null:
            beside: Costs = (valued & ~self._holds_null) * np.float32(self._unit)
            return beside
        low, high = np.float32(self._first[leaf]), np.float32(self._last[leaf])
        with np.errstate(invalid="ignore"):
            now = self._high - self._low
            after = np.maximum(self._high, high) - np.minimum(self._low, low)
        if self._exact and not self._plain:
            now[self._alone >= 0] = 0
            after[(self._alone == leaf) | ~valued] = 0
        now[~valued] = 0
        more = after - now
        more[self._holds_null & ~valued] += 1
        cost: Costs = more * np.float32(self._unit)
        return cost

    def show(self, number: int, before: Collection[int], after: Collection[int]) -> None:
        known = [leaf for leaf in after if leaf != self._null]
        self._holds_null[number] = len(known) < len(after)
        self._low[number] = self._first[min(known)] if known else inf
        self._high[number] = self._last[max(known)] if known else -inf
        self._alone[number] = known[0] if len(set(known)) == 1 else -1


class TightClasses:
    """Classes of distinct rows; a class that was dissolved has no people.

    Shape: `cost` is the loss of one row of each class, summed over its cells.
    """

    def __init__(
        self, *, histogram: Histogram, columns: Sequence[TightColumn], members: list[list[int]], models: Models
    ) -> None:
        self.histogram, self.models, self.members = histogram, models, members
        self.looked_at = 0
        self.width = len(columns)
        rows = np.concatenate([np.asarray(part, dtype=np.int64) for part in members])
        number = np.repeat(np.arange(len(members)), [len(part) for part in members])
        self.codes = np.stack(histogram.quasi, axis=1)
        self._priced = [place for place, column in enumerate(columns) if column.kind is not None]
        self._pricings: list[Pricing] = [
            _pricing(columns[place], self.codes[rows, place], number, len(members)) for place in self._priced
        ]
        self.part = self._parts(columns)
        """What rows must agree in to stand in one class at all."""
        self._part = np.array([self.part[part[0]] for part in members], dtype=np.int64)
        self.people = np.bincount(number, weights=histogram.weights[rows], minlength=len(members))
        self.cost = sum((price.costs for price in self._pricings), start=np.zeros(len(members)))

    def _parts(self, columns: Sequence[TightColumn]) -> Codes:
        ids = np.zeros(len(self.codes), dtype=np.int64)
        for place, column in enumerate(columns):
            _, pairs = np.unique(
                ids * (int(column.part.max()) + 1) + column.part[self.codes[:, place]], return_inverse=True
            )
            ids = pairs.astype(np.int64)
        return ids

    def cost_of(self, rows: Sequence[int]) -> float:
        """The loss of one row of a class with these members."""
        held = list(zip(*self.codes[np.asarray(rows)].tolist(), strict=True))
        return sum(price.cost(set(held[place])) for place, price in zip(self._priced, self._pricings, strict=True))

    def without(self, rows: Sequence[int]) -> list[float]:
        """The loss of all people of a class when one of its rows leaves, summed over cells; one answer per row."""
        held = list(zip(*self.codes[np.asarray(rows)].tolist(), strict=True))
        self.looked_at += len(rows) * self.width
        each = np.zeros(len(rows))
        for place, price in zip(self._priced, self._pricings, strict=True):
            each += price.without(held[place])
        weights = self.histogram.weights[np.asarray(rows)]
        left: list[float] = (each * (weights.sum() - weights)).tolist()
        return left

    def total_of(self, rows: Sequence[int]) -> float:
        """The loss of all people of a class, summed over cells; 0 without members."""
        return self.cost_of(rows) * int(self.histogram.weights[np.asarray(rows)].sum()) if rows else 0.0

    def cheapest_for(self, row: int, *, but: int = -1) -> tuple[float, int]:
        """The class that a row joins at least cost, other than `but`.

        Units: NCP summed over all cells that change. Infinite when no class can take it.
        """
        more = np.zeros(len(self.people), dtype=np.float32)
        for place, price in zip(self._priced, self._pricings, strict=True):
            more += price.joined(int(self.codes[row, place]))
        self.looked_at += len(more) * self.width
        cost = more * self.people + (more + self.cost) * float(self.histogram.weights[row])
        cost[(self.people == 0) | (self._part != self.part[row])] = inf
        if but >= 0:
            cost[but] = inf
        number = int(cost.argmin())
        return float(cost[number]), number

    def nearest_to(self, rows: Sequence[int]) -> list[int]:
        """The classes that rows could share a class with, by what taking in all these rows would cost one of theirs."""
        more = np.zeros(len(self.people))
        for place, price in zip(self._priced, self._pricings, strict=True):
            for leaf in set(self.codes[np.asarray(rows), place].tolist()):
                more += price.joined(leaf)
        more[(self.people == 0) | (self._part != self.part[rows[0]])] = inf
        return [int(number) for number in np.argsort(more, kind="stable") if np.isfinite(more[number])]

    def put(self, number: int, rows: list[int]) -> None:
        """Give a class these members; none dissolves it."""
        before, after = (
            [set(held) for held in zip(*self.codes[np.asarray(part)].tolist(), strict=True)] if part else None
            for part in (self.members[number], rows)
        )
        for place, price in zip(self._priced, self._pricings, strict=True):
            price.show(number, before[place] if before else (), after[place] if after else ())
        self.members[number] = rows
        self.people[number] = self.histogram.weights[np.asarray(rows)].sum() if rows else 0
        self.cost[number] = self.cost_of(rows) if rows else 0.0

    def meets(self, rows: Sequence[int]) -> bool:
        """Whether these rows may stand as a class."""
        return meets(self.histogram, self.models, rows)


def meets(histogram: Histogram, models: Models, rows: Sequence[int]) -> bool:
    """Whether a class of these rows meets the target."""
    at = np.asarray(rows, dtype=np.int64)
    weight = histogram.weights[at]
    if not len(at) or weight.sum() < models.target.k:
        return False
    if not models.target.needs_sensitive:
        return True
    return bool(models.meets(np.zeros(len(at), dtype=np.int64), 1, rows=at, weight=weight)[0])


def _pricing(column: TightColumn, codes: Codes, number: Codes, classes: int) -> Pricing:
    if column.ends is None:
        return SetPricing(column, codes, number, classes)
    return IntervalPricing(column, column.ends, codes, number, classes)
