"""The last phases of local recoding: rows join the class that this costs least, and dear classes are mended.

A row that joins a class can coarsen its labels, and all its members pay for that; a row that joins a class whose labels
cover it already costs no one anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.privacy.histogram import Histogram
from anonymize.privacy.labels import Labels
from anonymize.privacy.models import Models, Tally

_LEAST_GAIN: Final = 1e-6
"""Below this a gain may be rounding."""


class Classes:
    """Classes of distinct rows with their labels, kept up as rows move.

    Shape: `shown[c]` has one label per class for column c; `cost` the loss of one row of each class, summed over its
    cells; `people` the number of people in it, 0 once it is dissolved.
    """

    def __init__(
        self, *, histogram: Histogram, labels: Sequence[Labels], members: list[list[int]], models: Models
    ) -> None:
        self.histogram = histogram
        self.models = models
        self.labels = labels
        self.members = members
        self.looked_at = 0
        self._codes = [codes.astype(np.int32) for codes in histogram.quasi]
        self.shown = [np.zeros(len(members), dtype=np.int32) for _ in labels]
        self.people = np.zeros(len(members), dtype=np.float64)
        self.cost = np.zeros(len(members), dtype=np.float32)
        self._label_all()
        self._tally = None if models.monotone else self._count_all()

    def _count_all(self) -> Tally:
        rows = np.concatenate([np.asarray(members, dtype=np.int64) for members in self.members])
        group = np.repeat(np.arange(len(self.members)), [len(members) for members in self.members])
        return self.models.tally(group, len(self.members), rows=rows, weight=self.histogram.weights[rows])

    @property
    def count(self) -> int:
        return int((self.people > 0).sum())

    def _label_all(self) -> None:
        """The finest labels that cover each class, for all classes in one go."""
        rows = np.concatenate([np.asarray(members, dtype=np.int64) for members in self.members])
        sizes = np.array([len(members) for members in self.members])
        starts = np.cumsum([0, *sizes[:-1]])
        self.people = np.add.reduceat(self.histogram.weights[rows], starts).astype(np.float64)
        for column, labels in enumerate(self.labels):
            found = np.full(len(sizes), -1, dtype=np.int32)
            for at in labels.at_level:
                label = at[self._codes[column][rows]]
                low, high = np.minimum.reduceat(label, starts), np.maximum.reduceat(label, starts)
                np.copyto(found, low, where=(found < 0) & (low == high))
            self.shown[column] = found
        self.cost = sum(
            (labels.loss[shown] for labels, shown in zip(self.labels, self.shown, strict=True)),
            start=np.zeros(len(sizes), dtype=np.float32),
        )

    def label(self, number: int) -> None:
        """The finest labels that cover the members of a class."""
        rows = np.asarray(self.members[number])
        self.people[number] = self.histogram.weights[rows].sum()
        total = np.float32(0)
        for column, labels in enumerate(self.labels):
            codes = self._codes[column][rows]
            shown = next(int(at[codes[0]]) for at in labels.at_level if (at[codes] == at[codes[0]]).all())
            self.shown[column][number] = shown
            total += labels.loss[shown]
        self.cost[number] = total

    def cheapest_for(self, row: int, *, but: int = -1) -> tuple[float, int]:
        """The class that a row joins at least cost, other than `but`.

        Units: NCP summed over all cells that change: the row's own, and those of the members whose labels coarsen.
        Infinite when no class can take it.
        """
        after = np.zeros(len(self.people), dtype=np.float32)
        for column, labels in enumerate(self.labels):
            after += labels.cost_by_leaf(int(self._codes[column][row]))[self.shown[column]]
        self.looked_at += len(after) * len(self.labels)
        weight = float(self.histogram.weights[row])
        with np.errstate(invalid="ignore"):
            cost = (after - self.cost) * self.people + after * weight
        cost[(self.people == 0) | ~np.isfinite(after)] = np.inf
        if but >= 0:
            cost[but] = np.inf
        if self._tally is not None:
            cost[~self.models.safe_with(self._tally, row)] = np.inf
            self.looked_at += len(after) * self.models.width
        number = int(cost.argmin())
        return float(cost[number]), number

    def join(self, row: int, number: int) -> None:
        self.members[number].append(row)
        self.label(number)
        if self._tally is not None:
            self.models.move(self._tally, row, number, sign=1)

    def covered(self, rows: Sequence[int]) -> bool:
        """Whether labels that may be released cover these rows together."""
        return all(
            bool((labels.at_level[-1][codes[rows]] == labels.at_level[-1][codes[rows[0]]]).all())
            for labels, codes in zip(self.labels, self._codes, strict=True)
        )

    def unite(self, numbers: Sequence[int], rows: Sequence[int]) -> None:
        """Make one class of several, and of rows that are in none: it takes the place of the first."""
        first, others = numbers[0], numbers[1:]
        moved = [*rows, *(row for number in others for row in self.members[number])]
        for number in others:
            self.dissolve(number)
        self.members[first].extend(moved)
        self.label(first)
        if self._tally is not None:
            for row in moved:
                self.models.move(self._tally, row, first, sign=1)

    def leave(self, row: int, number: int) -> None:
        self.members[number].remove(row)
        self.label(number)
        if self._tally is not None:
            self.models.move(self._tally, row, number, sign=-1)

    def dissolve(self, number: int) -> None:
        if self._tally is not None:
            for row in self.members[number]:
                self.models.move(self._tally, row, number, sign=-1)
        self.members[number], self.people[number] = [], 0

    def number_of_row(self) -> npt.NDArray[np.int64]:
        """The class of each distinct row; 0 for a row that is in none."""
        answer = np.zeros(len(self.histogram.weights), dtype=np.int64)
        for number, members in enumerate(self.members):
            answer[members] = number
        return answer

    def stays_safe(self, number: int, *, without: int) -> bool:
        """Whether a class still meets the target when one row leaves."""
        rows = [row for row in self.members[number] if row != without]
        if not rows:
            return False
        one = np.zeros(len(rows), dtype=np.int64)
        return bool(self.models.meets(one, 1, rows=np.asarray(rows), weight=self.histogram.weights[rows])[0])


def mend(classes: Classes, *, work: int) -> None:
    """Dissolve classes and move rows where it lowers the loss, dearest first, until `work` labels were looked at.

    Every class that is left meets the target: joining does not break it, or only classes that bear it are joined. Where
    it can break it, rows move one by one, and no class is dissolved.
    """
    limit = classes.looked_at + work
    for number in np.argsort(-classes.cost, kind="stable"):
        if classes.looked_at >= limit or classes.cost[number] <= 0:
            return
        if classes.people[number]:
            _mend_one(classes, int(number))


def _mend_one(classes: Classes, number: int) -> None:
    rows = sorted(classes.members[number])
    ways = {row: classes.cheapest_for(row, but=number) for row in rows}
    own = float(classes.cost[number])
    whole = classes.models.monotone
    if whole and sum(cost for cost, _ in ways.values()) < own * classes.people[number] - _LEAST_GAIN:
        classes.dissolve(number)
        for row, (_, other) in ways.items():
            classes.join(row, other)
        return
    weights = classes.histogram.weights
    gains = sorted((cost - own * int(weights[row]), row, other) for row, (cost, other) in ways.items())
    for gain, row, other in gains:
        if gain < -_LEAST_GAIN and classes.stays_safe(number, without=row):
            classes.leave(row, number)
            classes.join(row, other)
            return
