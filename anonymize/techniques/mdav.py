"""Groups of k to 2k - 1 near records: maximum distance to average vector (MDAV).

Everything is counted in whole numbers, so that the groups are the same on every machine; ties go to the record that
comes first. MDAV is quadratic: more than `BLOCK` records are first cut in halves at the median of the widest column.

Source: Domingo-Ferrer, Mateo-Sanz 2002; Domingo-Ferrer, Torra 2005 (MDAV-generic); blocks as in Solé, Muntés-Mulero,
Nin 2012.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

BLOCK: Final = 2_048
_FINE: Final = 2**12
"""Parts of a standard deviation in which distances are counted."""
_FAR: Final = 2**20
"""Distances end here: no column can outweigh all others, no sum leaves 64 bits."""
MAX_COLUMNS: Final = 32

Codes = npt.NDArray[np.int64]


def group_records(steps: Codes, *, k: int) -> Codes:
    """The group of each record, numbered from 0.

    Shape: `steps` has one row per record, in an order that does not depend on their source, and one column per
    attribute; at least k records.
    """
    if steps.shape[1] == 1:
        return _group_line(steps[:, 0], k=k)
    points = _standardized(steps)
    groups = np.empty(len(points), dtype=np.int64)
    number = 0
    for block in _blocks(points, np.arange(len(points)), k=k):
        for members in _mdav(points[block], k=k):
            groups[block[members]] = number
            number += 1
    return groups


def _standardized(steps: Codes) -> Codes:
    """Steps as parts of their standard deviation around the mean; a column of one value is 0 throughout."""
    ordered = np.sort(steps, axis=0).astype(np.float64)
    spread = ordered.std(axis=0)
    scaled = (steps - ordered.mean(axis=0)) / np.where(spread > 0, spread, 1.0) * _FINE
    whole: Codes = np.clip(np.rint(scaled), -_FAR, _FAR).astype(np.int64)
    return whole


def _blocks(points: Codes, rows: Codes, *, k: int) -> list[Codes]:
    """The records cut at medians until no part has more than `BLOCK`, each of at least 2k."""
    done: list[Codes] = []
    waiting = [rows]
    while waiting:
        part = waiting.pop()
        if len(part) <= max(BLOCK, 4 * k):
            done.append(part)
            continue
        held = points[part]
        widest = int(np.argmax(held.max(axis=0) - held.min(axis=0)))
        order = np.argsort(held[:, widest], kind="stable")
        half = len(part) // 2
        waiting += [np.sort(part[order[half:]]), np.sort(part[order[:half]])]
    return done


def _mdav(points: Codes, *, k: int) -> list[Codes]:
    """Groups of positions in `points`."""
    left = np.arange(len(points))
    groups: list[Codes] = []
    while len(left) >= 2 * k:
        far = _farthest(points[left], np.rint(points[left].mean(axis=0)).astype(np.int64))
        if len(left) < 3 * k:
            near = _nearest(points[left], far, k=k)
            groups.append(left[near])
            left = np.delete(left, near)
            break
        other = _farthest(points[left], points[left[far]])
        other_point = points[left[other]]
        near = _nearest(points[left], far, k=k)
        groups.append(left[near])
        left = np.delete(left, near)
        # The record opposite may itself be near the first (all alike): then the one nearest to it takes its place.
        start = int(np.argmin(_distances(points[left], other_point)))
        near = _nearest(points[left], start, k=k)
        groups.append(left[near])
        left = np.delete(left, near)
    groups.append(left)
    return groups


def _distances(points: Codes, centre: Codes) -> Codes:
    apart = points - centre
    squares: Codes = np.einsum("ij,ij->i", apart, apart)
    return squares


def _farthest(points: Codes, centre: Codes) -> int:
    return int(np.argmax(_distances(points, centre)))


def _nearest(points: Codes, start: int, *, k: int) -> Codes:
    """The `k` records nearest to one of them, itself among them; of equally near ones the first."""
    distances = _distances(points, points[start])
    distances[start] = -1
    edge = np.partition(distances, k - 1)[k - 1]
    nearer = np.flatnonzero(distances < edge)
    return np.sort(np.concatenate([nearer, np.flatnonzero(distances == edge)[: k - len(nearer)]]))


def _group_line(steps: Codes, *, k: int) -> Codes:
    """MDAV on one column: the farthest records are the two ends, so groups are cut from both ends inwards."""
    order = np.argsort(steps, kind="stable")
    count = len(order)
    pairs = max(0, (count - k) // (2 * k))  # while 3k or more are left, a group goes from either end
    number = np.zeros(count, dtype=np.int64)
    number[: k * pairs] = np.repeat(np.arange(pairs), k)
    number[count - k * pairs :] = np.repeat(np.arange(pairs, 2 * pairs), k)
    rest = slice(k * pairs, count - k * pairs)
    number[rest] = 2 * pairs
    left = count - 2 * k * pairs
    if left >= 2 * k:
        inner = steps[order[rest]].astype(np.float64)
        low_is_farther = inner.mean() - inner[0] >= inner[-1] - inner.mean()
        middle = np.arange(left) >= (k if low_is_farther else left - k)
        number[rest] = 2 * pairs + middle
    groups = np.empty(count, dtype=np.int64)
    groups[order] = number
    return groups
