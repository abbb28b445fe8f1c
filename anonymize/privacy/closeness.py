"""t-closeness on counts: how far groups of rows are from the whole table, and how much of a group could be kept.

All three distances are the least work of moving one distribution into the other (earth mover's distance), so a mix of
distributions is never farther from the whole than the farthest of them. What the search prunes by rests on that:
classes within t of the whole together hold rows that are, as one group, within t as well.

- Equal: any two values are 1 apart. Half the L1 distance of the shares.
- Hierarchical: two values are as far apart as their lowest common label is high, over the height of the hierarchy.
  That is the mean of the equal distances at the levels below the top.
- Ordered: neighbours in ascending order are 1 / (m - 1) apart, m values. The mean difference of cumulated shares.

Source: Li, Li and Venkatasubramanian 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

TOLERANCE = 1e-9
"""Sums of shares are rounded: a distance this much above t still counts as t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """The whole table's distribution of one sensitive attribute, and how far apart its values are.

    Shape: `shares` has one entry per value in ascending order and, as its last, that of null; they add up to 1.
    `joined[h]` says which values are one at level h: a row of zeros and ones per value, a column per label. Empty where
    the distance is ordered.
    """

    shares: Floats
    joined: tuple[Floats, ...]

    def distance(self, counts: Floats) -> Floats:
        """The distance of each group.

        Shape: `counts` has a row per group, none empty, and a column per value and null.
        """
        apart = counts / counts.sum(axis=1, keepdims=True) - self.shares
        if self.joined:
            # What lies above the whole equals what lies below it.
            return _mean([np.maximum(apart @ one, 0).sum(axis=1) for one in self.joined])
        steps = len(self.shares) - 2
        answer: Floats = np.abs(np.cumsum(apart[:, :-2], axis=1)).sum(axis=1) / max(steps, 1)
        return answer

    def keepable(self, counts: Floats, t: float) -> Floats:
        """How many rows of each group can at most be kept in classes within t of the whole, however it is split.

        A bound from above: s rows of a group hold a value on at most all rows that have it, so what the value lacks of
        its share of s is missing in any choice; it only grows with s.
        """
        low, high = np.zeros(len(counts)), counts.sum(axis=1)
        while (high - low > 0.5).any():
            middle = np.ceil((low + high) / 2)
            fits = self._least_distance(counts, middle) <= t + TOLERANCE
            low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
        return low

    def _least_distance(self, counts: Floats, rows: Floats) -> Floats:
        kept = np.maximum(rows, 1)[:, None]
        if self.joined:
            return _mean([np.maximum(self.shares @ one - counts @ one / kept, 0).sum(axis=1) for one in self.joined])
        below, whole = np.cumsum(counts[:, :-2], axis=1), np.cumsum(self.shares[:-2])
        most = below / kept
        least = 1 - (counts.sum(axis=1, keepdims=True) - below) / kept
        lacking = np.maximum(whole - most, 0) + np.maximum(least - whole, 0)
        answer: Floats = lacking.sum(axis=1) / max(len(self.shares) - 2, 1)
        return answer


def _mean(levels: Sequence[Floats]) -> Floats:
    return np.asarray(np.sum(levels, axis=0) / len(levels), dtype=np.float64)


def equal_distance(shares: Floats) -> Closeness:
    return Closeness(shares=shares, joined=(np.eye(len(shares)),))


def hierarchical_distance(shares: Floats, levels: Sequence[Codes]) -> Closeness:
    """Shape: `levels` gives the label of each value but null, at the levels from the exact one to below the top."""
    joined = []
    for labels in levels:
        one = np.zeros((len(shares), int(labels.max(initial=-1)) + 2))
        one[np.arange(len(labels)), labels] = 1
        one[-1, -1] = 1
        joined.append(one)
    return Closeness(shares=shares, joined=tuple(joined))


def ordered_distance(shares: Floats) -> Closeness:
    return Closeness(shares=shares, joined=())
