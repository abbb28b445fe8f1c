"""The target's privacy models, held against groups of rows: the one place where the search asks what is safe.

Counting rows, distinct values and people of a population is monotone: a group that misses such a model misses it
however it is split. Entropy and recursive l, t and delta are not, since a part of a group may meet what the whole does
not. For these a bound is given instead: how many rows of the group can at most be kept. It rests on every model here
holding for a union of classes when it holds for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymize.privacy.closeness import (
    TOLERANCE,
    Closeness,
    equal_distance,
    hierarchical_distance,
    ordered_distance,
)
from anonymize.privacy.diversity import diverse, keepable
from anonymize.privacy.histogram import Codes, Histogram, fold
from anonymize.target import LModel, Target, TDistance

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CELLS: int = 4_000_000
"""Counts of values by group are taken for so many cells at once, which bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Shape: one entry per group. Units: rows; `keepable` is all of a group that meets the target.

    `possible` is false when a group of the population is too rare among the rows that can be kept, whatever is done.
    """

    people: Codes
    meets: Flags
    keepable: Codes
    possible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Shape: one entry, or one row, per class; a column of `counts[s]` per value of a sensitive attribute, and null."""

    people: Floats
    population: Floats | None
    counts: list[Floats]


class Models:
    """A target over the sensitive attributes, and the population, of one histogram."""

    def __init__(self, histogram: Histogram, target: Target) -> None:
        self.target = target
        self._weights = histogram.weights
        self._population = histogram.population if target.population is not None else None
        asked = histogram.sensitive if target.needs_sensitive else ()
        self._values = [int(codes.max(initial=-1)) + 1 for codes in asked]
        # Null comes last, where its share belongs.
        self._codes = [
            np.where(codes < 0, values, codes).astype(np.int64)
            for codes, values in zip(asked, self._values, strict=True)
        ]
        self._closeness = (
            [self._close(histogram, number) for number in range(len(asked))] if target.t is not None else []
        )
        loose = target.population is None or target.population.delta_max == 1
        self._sparse = target.t is None and target.l_model is LModel.DISTINCT
        self.monotone = self._sparse and loose
        self.width = sum(self._values)

    def _close(self, histogram: Histogram, number: int) -> Closeness:
        counts = np.bincount(self._codes[number], weights=self._weights, minlength=self._values[number] + 1)
        shares = counts / max(counts.sum(), 1)
        match self.target.t_distance:
            case TDistance.EQUAL:
                return equal_distance(shares)
            case TDistance.HIERARCHICAL:
                return hierarchical_distance(shares, histogram.trees[number])
            case TDistance.ORDERED:
                return ordered_distance(shares)

    def meets(self, group: Codes, groups: int, *, rows: Codes, weight: Codes) -> Flags:
        """Which groups meet the target.

        Shape: `group`, `rows` (of the histogram) and `weight` have one entry per row; the answer one per group.
        """
        return self.judge(group, groups, rows=rows, weight=weight, bound=False).meets

    def judge(self, group: Codes, groups: int, *, rows: Codes, weight: Codes, bound: bool) -> Judged:
        """The same; with `bound` also how many rows of each group can at most be kept by splitting it."""
        people, target_l = np.bincount(group, weights=weight, minlength=groups), self.target.l
        keep = np.where(people >= self.target.k, people, 0).astype(np.float64)
        meets = keep > 0
        population = self._population_of(group, groups, rows)
        if population is not None:
            self._hold_against_population(population, keep, meets)
        if self._sparse and target_l is not None:
            for codes, values in zip(self._codes, self._values, strict=True):
                known = codes[rows] < values
                meets &= _distinct(group[known], groups, codes[rows[known]], values) >= target_l
            keep[~meets] = 0
        elif self._codes and meets.any():
            standing = keep > 0
            number = np.cumsum(standing) - 1
            inside = standing[group]
            left = np.flatnonzero(standing)
            dense = number[group[inside]]
            for part, _, counts in self._counted(dense, len(left), rows=rows[inside], weight=weight[inside]):
                fits, most = self._hold(counts, bound=bound)
                meets[left[part]] &= fits
                keep[left[part]] = np.minimum(keep[left[part]], most)
        keep[keep < self.target.k] = 0
        keep = np.where(meets, people, keep if bound else 0)
        return Judged(
            people=people.astype(np.int64),
            meets=meets,
            keepable=keep.astype(np.int64),
            possible=population is None or bool((keep >= self._delta_min * population - TOLERANCE).all()),
        )

    def part_of(self, group: Codes, groups: int, *, rows: Codes, weight: Codes, wanted: Codes) -> Flags:
        """Rows of each group, about `wanted` people of it, whose sensitive values are nearer to the target than all.

        Shape: one entry per row; rows are taken in their order. What is taken is still to be judged.
        """
        taken = np.ones(len(group), dtype=np.bool_)
        if not self._codes:
            return _first_within(group, weight, wanted[group].astype(np.float64))
        quota = np.zeros((len(self._codes), len(group)))
        for part, at, counts in self._counted(group, groups, rows=rows, weight=weight):
            for number, one in enumerate(counts):
                most = self._quotas(number, one, wanted[part].astype(np.float64))
                quota[number, at] = most[group[at] - (part.start or 0), self._codes[number][rows[at]]]
        for number, codes in enumerate(self._codes):
            taken &= _first_within(group * (self._values[number] + 1) + codes[rows], weight, quota[number])
        return taken

    def _quotas(self, number: int, counts: Floats, wanted: Floats) -> Floats:
        """How many people with each value to take, so that together they are as wanted."""
        if self.target.t is None:
            low, high = np.zeros(len(counts)), counts.max(axis=1, initial=0)
            for _ in range(30):
                middle = (low + high) / 2
                fits = np.minimum(counts, middle[:, None]).sum(axis=1) <= wanted
                low, high = np.where(fits, middle, low), np.where(fits, high, middle)
            return np.asarray(np.minimum(counts, high[:, None]))
        fair = np.minimum(counts, self._closeness[number].shares * wanted[:, None])
        room = counts - fair
        share = (wanted - fair.sum(axis=1)) / np.maximum(room.sum(axis=1), TOLERANCE)
        return np.asarray(fair + room * np.clip(share, 0, 1)[:, None])

    def tally(self, group: Codes, groups: int, *, rows: Codes, weight: Codes) -> Tally:
        """People by class and value, to be kept up while rows move."""
        counts = [np.zeros((groups, values + 1)) for values in self._values]
        for part, _, found in self._counted(group, groups, rows=rows, weight=weight) if self._codes else ():
            for whole, one in zip(counts, found, strict=True):
                whole[part] = one
        population = self._population_of(group, groups, rows)
        people = np.bincount(group, weights=weight, minlength=groups).astype(np.float64)
        return Tally(people=people, population=population, counts=counts)

    def safe_with(self, tally: Tally, row: int) -> Flags:
        """Which of the classes tallied still meet the target when a row of the histogram joins them."""
        weight = int(self._weights[row])
        keep = tally.people + weight
        meets = keep >= self.target.k
        if tally.population is not None and self._population is not None:
            self._hold_against_population(tally.population + self._population[row], keep.copy(), meets)
        counts = []
        for codes, whole in zip(self._codes, tally.counts, strict=True):
            one = whole.copy()
            one[:, codes[row]] += weight
            counts.append(one)
        return meets & self._hold(counts, bound=False)[0] if counts else meets

    def move(self, tally: Tally, row: int, number: int, *, sign: int) -> None:
        """Count a row in (`sign` 1) or out (-1) of a class."""
        tally.people[number] += sign * int(self._weights[row])
        if tally.population is not None and self._population is not None:
            tally.population[number] += sign * int(self._population[row])
        for codes, whole in zip(self._codes, tally.counts, strict=True):
            whole[number, codes[row]] += sign * int(self._weights[row])

    @property
    def _delta_min(self) -> float:
        return 0.0 if self.target.population is None else self.target.population.delta_min

    def _population_of(self, group: Codes, groups: int, rows: Codes) -> Floats | None:
        if self._population is None:
            return None
        return np.bincount(group, weights=self._population[rows], minlength=groups).astype(np.float64)

    def _hold_against_population(self, population: Floats, keep: Floats, meets: Flags) -> None:
        bounds = self.target.population
        if bounds is None:
            return
        few = population < (bounds.k_map or 0)
        most = np.floor(bounds.delta_max * population + TOLERANCE)
        meets &= ~few & (keep <= most)
        np.copyto(keep, np.where(few, 0, np.minimum(keep, most)))

    def _counted(
        self, group: Codes, groups: int, *, rows: Codes, weight: Codes
    ) -> Iterator[tuple[slice, Codes, list[Floats]]]:
        """Rows by group and value, for each sensitive attribute, so many groups at once as memory allows.

        Shape: the groups, the positions of their rows, and a row of counts per group.
        """
        order = np.arange(len(group))
        widest = max(self._values) + 1
        step = max(1, _CELLS // widest)
        if groups > step:
            order = np.argsort(group, kind="stable")
            group, rows, weight = group[order], rows[order], weight[order]
        for start in range(0, groups, step):
            stop = min(groups, start + step)
            low, high = (0, len(group)) if groups <= step else np.searchsorted(group, [start, stop])
            counts = []
            for codes, values in zip(self._codes, self._values, strict=True):
                cells = (group[low:high] - start) * (values + 1) + codes[rows[low:high]]
                found = np.bincount(cells, weights=weight[low:high], minlength=(stop - start) * (values + 1))
                counts.append(found.astype(np.float64).reshape(stop - start, values + 1))
            yield slice(start, stop), order[low:high], counts

    def _hold(self, counts: list[Floats], *, bound: bool) -> tuple[Flags, Floats]:
        """Which of the groups counted meet l and t, and, where asked, how much of those that do not can be kept."""
        target, meets = self.target, np.ones(len(counts[0]), dtype=np.bool_)
        most = np.full(len(counts[0]), np.inf)
        for number, one in enumerate(counts):
            if target.l is not None:
                fits = diverse(one[:, :-1], l=target.l, model=target.l_model, c=target.c)
                if bound and not fits.all():
                    kept = keepable(one[~fits, :-1], l=target.l, model=target.l_model, c=target.c)
                    most[~fits] = np.minimum(most[~fits], np.where(kept > 0, kept + one[~fits, -1], 0))
                meets &= fits
            if target.t is not None:
                close = self._closeness[number]
                fits = close.distance(one) <= target.t + TOLERANCE
                if bound and not fits.all():
                    most[~fits] = np.minimum(most[~fits], close.keepable(one[~fits], target.t))
                meets &= fits
        return meets, most


def _first_within(group: Codes, weight: Codes, most: Floats) -> Flags:
    """The first rows of each group that together stay within a number of people."""
    order = np.argsort(group, kind="stable")
    ordered, people = group[order], np.cumsum(weight[order])
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    before = np.repeat((people - weight[order])[starts], np.diff(starts, append=len(order)))
    taken = np.zeros(len(group), dtype=np.bool_)
    taken[order] = people - before <= most[order] + 1e-6
    return taken


def _distinct(group: Codes, groups: int, values: Codes, count: int) -> Codes:
    """Distinct values in each group."""
    pairs, found = fold(group, groups, values, max(count, 1))
    first = np.zeros(found, dtype=np.int64)
    first[pairs] = group
    return np.bincount(first, minlength=groups) if len(group) else np.zeros(groups, dtype=np.int64)


def groups_that_meet(group: Codes, groups: int, *, weight: Codes, sensitive: Sequence[Codes], target: Target) -> Flags:
    """Which groups of rows hold at least k people and l distinct values of every sensitive attribute.

    Shape: `group`, `weight` and each of `sensitive` have one entry per row; the answer one per group.
    """
    meets = np.asarray(np.bincount(group, weights=weight, minlength=groups) >= target.k)
    for values in sensitive if target.l is not None else ():
        known = values >= 0
        meets &= _distinct(group[known], groups, values[known], int(values.max(initial=-1)) + 1) >= (target.l or 0)
    return meets
