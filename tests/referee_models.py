"""The privacy models once more, row by row and from their definitions, to hold the search and files against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from anonymize.target import LModel, Target, TDistance

ALMOST = 1e-9


def class_meets(members: Sequence[Any], whole: Sequence[Any], target: Target, tree: Mapping[Any, Any]) -> bool:
    """Whether a class with these sensitive values meets k, l and t; `tree` gives the label of each value."""
    if len(members) < target.k:
        return False
    if target.l is not None and not _diverse(Counter(value for value in members if value is not None), target):
        return False
    return target.t is None or distance(members, whole, target.t_distance, tree) <= target.t + ALMOST


def _diverse(counts: Counter[Any], target: Target) -> bool:
    wanted, ranked = target.l or 0, sorted(counts.values(), reverse=True)
    match target.l_model:
        case LModel.DISTINCT:
            return len(ranked) >= wanted
        case LModel.ENTROPY:
            shares = [count / sum(ranked) for count in ranked]
            return bool(shares) and exp(-sum(share * log(share) for share in shares)) >= wanted - ALMOST
        case LModel.RECURSIVE:
            return bool(ranked) and ranked[0] < (target.c or 0) * sum(ranked[wanted - 1 :]) - ALMOST


def distance(members: Sequence[Any], whole: Sequence[Any], kind: TDistance, tree: Mapping[Any, Any]) -> float:
    """The distance of two lists of sensitive values."""
    inside, outside = Counter(members), Counter(whole)
    values = sorted(value for value in outside if value is not None)
    apart = {value: inside[value] / len(members) - outside[value] / len(whole) for value in outside}
    match kind:
        case TDistance.EQUAL:
            return sum(map(abs, apart.values())) / 2
        case TDistance.HIERARCHICAL:
            labels: Counter[Any] = Counter()
            for value, difference in apart.items():
                labels[tree.get(value)] += difference  # type: ignore[assignment]  # shares, not counts
            return (sum(map(abs, apart.values())) + sum(map(abs, labels.values()))) / 4
        case TDistance.ORDERED:
            steps = [sum(apart[value] for value in values[: place + 1]) for place in range(len(values) - 1)]
            return sum(map(abs, steps)) / max(len(values) - 1, 1)
