"""l-diversity on counts: which groups of rows are diverse enough, and how much of a group could be kept.

All three models hold for a group that is put together from groups for which they hold (Machanavajjhala et al. 2006), so
that rows kept in diverse classes are, taken together, diverse as well. Null is no value: an unknown hides nobody.
"""

from __future__ import annotations

from typing import assert_never

import numpy as np
import numpy.typing as npt

from anonymize.target import LModel

Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-9


def diverse(counts: Floats, *, l: int, model: LModel, c: float | None) -> npt.NDArray[np.bool_]:  # noqa: E741
    """Which groups are diverse enough.

    Shape: `counts` has a row per group and a column per value other than null.
    """
    match model:
        case LModel.DISTINCT:
            return np.asarray((counts > 0).sum(axis=1) >= l)
        case LModel.ENTROPY:
            return np.asarray(_entropy(counts) >= np.log(l) - TOLERANCE)
        case LModel.RECURSIVE:
            return np.asarray(counts.max(axis=1, initial=0) < (c or 0) * _tail(counts, l) - TOLERANCE)
        case _ as unknown:
            assert_never(unknown)


def keepable(counts: Floats, *, l: int, model: LModel, c: float | None) -> Floats:  # noqa: E741
    """How many rows with a value can at most be kept of each group in diverse classes, however it is split.

    A bound from above: what is kept is most diverse where the commonest values are cut to one height.
    """
    enough = (counts > 0).sum(axis=1) >= l
    match model:
        case LModel.DISTINCT:
            kept = counts.sum(axis=1)
        case LModel.ENTROPY:
            kept = _keepable_entropy(counts, l)
        case LModel.RECURSIVE:
            kept = np.minimum(counts, (c or 0) * _tail(counts, l)[:, None]).sum(axis=1)
        case _ as unknown:
            assert_never(unknown)
    return np.where(enough, np.floor(kept + 1e-6), 0)


def _entropy(counts: Floats) -> Floats:
    total = np.maximum(counts.sum(axis=1), 1e-300)
    weighed: Floats = (counts * np.log(np.where(counts > 0, counts, 1))).sum(axis=1)
    return np.where(counts.sum(axis=1) > 0, np.log(total) - weighed / total, -np.inf)


def _tail(counts: Floats, l: int) -> Floats:  # noqa: E741
    """Rows of all values from the l-th commonest on."""
    if counts.shape[1] < l:
        return np.zeros(len(counts))
    commonest = np.partition(counts, counts.shape[1] - l + 1, axis=1)[:, counts.shape[1] - l + 1 :]
    tail: Floats = counts.sum(axis=1) - commonest.sum(axis=1)
    return tail


def _keepable_entropy(counts: Floats, l: int) -> Floats:  # noqa: E741
    low, high = np.zeros(len(counts)), counts.max(axis=1, initial=0)
    for _ in range(40):
        middle = (low + high) / 2
        fits = _entropy(np.minimum(counts, middle[:, None])) >= np.log(l) - TOLERANCE
        low, high = np.where(fits, middle, low), np.where(fits, high, middle)
    return np.asarray(np.minimum(counts, high[:, None]).sum(axis=1))
