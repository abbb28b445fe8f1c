"""Whether a submitted table holds rows of an extract (R46), by content alone.

Method: for each submitted column find the extract column that holds its values; hash rows over the mapped
columns; count rows whose combination occurs in the extract for few units. What remains the same when the columns
are shuffled is coincidence and is subtracted. Shuffling keeps the coarse columns together (the groups of an
aggregate are real combinations, and breaking them would make every aggregate look like rows).
Source: OUTPUT-CONTROL.md, "Record match, how and how well".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import NULL, ExtractIndex, Hashes, Precision, hashed, mixed

COVERAGE: Final = 0.5
"""Share of a submitted column's values that an extract column must hold to be its origin. The measured method used 0.9;
half withstands a release in which half of the rows are false, and the shuffles take care of the coincidences."""
MAX_ROWS: Final = 20_000
"""Rows of a submission that are compared, evenly spread; more rows than 5,000 are flagged anyhow."""
MAX_COLUMNS: Final = 60
SHUFFLES: Final = 3
_BITMAP: Final = np.uint64((1 << 22) - 1)
_SEED: Final = 46


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMatch:
    """The best match of one table with one extract.

    Units: shares of the compared rows; `share` occur in the extract for few units, `coincidence` would by chance;
    `rows` compared, `columns` mapped; `whole_share` is the share of rows that occur at all, however often.
    """

    precision: Precision
    rows: int
    columns: int
    share: float
    coincidence: float
    informative: int

    @property
    def excess(self) -> float:
        return max(0.0, self.share - self.coincidence)


@dataclass(slots=True)
class Mapped:
    """Submitted columns with their origins at one precision: salted hashes on both sides."""

    names: list[str]
    submitted: list[Hashes]
    extract: list[Hashes]
    cardinality: list[int]

    def without(self, index: int) -> Mapped:
        def keep(items: list[Hashes]) -> list[Hashes]:
            return items[:index] + items[index + 1 :]

        return Mapped(
            self.names[:index] + self.names[index + 1 :],
            keep(self.submitted),
            keep(self.extract),
            self.cardinality[:index] + self.cardinality[index + 1 :],
        )


def columns_of(columns: tuple[list[str], ...]) -> list[pl.Series]:
    """The columns of a table as series of text, at most `MAX_COLUMNS` and `MAX_ROWS`, rows evenly spread."""
    rows = len(columns[0]) if columns else 0
    step = -(-rows // MAX_ROWS) if rows else 1
    return [pl.Series(column[::step], dtype=pl.String) for column in columns[:MAX_COLUMNS]]


def best_match(
    columns: list[pl.Series],
    headers: tuple[str, ...],
    index: ExtractIndex,
    *,
    rare: int,
    enough: float,
    deadline: Deadline,
) -> RowMatch | None:
    """The match with the largest excess over the precisions; the search ends at the first that reaches `enough`.

    None: at no precision two columns have an origin in the extract.
    """
    best: RowMatch | None = None
    for precision in Precision:
        deadline.check()
        mapped = map_columns(columns, headers, index, precision)
        if len(mapped.names) < 2:
            continue
        match = _measure(_pruned(mapped, rare, deadline), rare, precision)
        if best is None or match.excess > best.excess:
            best = match
        if best.excess >= enough:
            break
    return best


def map_columns(
    columns: list[pl.Series], headers: tuple[str, ...], index: ExtractIndex, precision: Precision
) -> Mapped:
    """One origin for each submitted column, each extract column used once; the likeliest pairs first.

    Likeliest: most values held, then the same name, then the most similar distribution (for columns of few values).
    """
    hashes = [hashed(column, precision) for column in columns]
    pairs: list[tuple[float, int, str]] = []
    for number, values in enumerate(hashes):
        held = values[values != NULL]
        if len(held) < max(2, len(values) // 2) or len(np.unique(held)) < 2:
            continue
        for name in index.columns:
            coverage = float(_within(held, index.distinct(name, precision)).mean())
            if coverage < COVERAGE:
                continue
            same = 0.5 if headers[number].strip().lower() == name.strip().lower() else 0.0
            pairs.append((coverage + same + _likeness(held, index, name, precision), number, name))
    pairs.sort(key=lambda pair: (-pair[0], pair[1], pair[2]))
    mapped = Mapped([], [], [], [])
    used: set[int] = set()
    for _, number, name in pairs:
        if number in used or name in mapped.names:
            continue
        used.add(number)
        salt = np.uint64(0x9E3779B97F4A7C15 * (index.columns.index(name) + 1) % 2**64)
        mapped.names.append(name)
        mapped.submitted.append(mixed(hashes[number] ^ salt))
        mapped.extract.append(mixed(index.hashes(name, precision) ^ salt))
        mapped.cardinality.append(len(index.distinct(name, precision)))
    return mapped


def _within(values: Hashes, distinct: Hashes) -> npt.NDArray[np.bool_]:
    if not len(distinct):
        return np.zeros(len(values), dtype=np.bool_)
    at = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
    found: npt.NDArray[np.bool_] = distinct[at] == values
    return found


def _likeness(held: Hashes, index: ExtractIndex, name: str, precision: Precision) -> float:
    """1 minus the total variation distance of two columns of few values; 0 for columns of many."""
    distinct = index.distinct(name, precision)
    if len(distinct) > 1_000:
        return 0.0
    whole = index.hashes(name, precision)
    theirs = np.bincount(np.searchsorted(distinct, whole[whole != NULL]), minlength=len(distinct))
    inside = held[_within(held, distinct)]
    ours = np.bincount(np.searchsorted(distinct, inside), minlength=len(distinct))
    distance = np.abs(theirs / max(1, theirs.sum()) - ours / max(1, ours.sum())).sum() / 2
    return float(1.0 - distance)


def _pruned(mapped: Mapped, rare: int, deadline: Deadline) -> Mapped:
    """Drop columns while that lets more rows match: a wrong origin or a changed column hides the others."""
    best = float(_rare_rows(mapped, rare).mean())
    while len(mapped.names) > 2:
        deadline.check()
        tried = [(float(_rare_rows(mapped.without(i), rare).mean()), i) for i in range(len(mapped.names))]
        gain, at = max(tried)
        if gain <= best + 1e-9:
            return mapped
        best, mapped = gain, mapped.without(at)
    return mapped


def _rare_rows(mapped: Mapped, rare: int) -> npt.NDArray[np.bool_]:
    counts = occurrences(summed(mapped.submitted), summed(mapped.extract))
    result: npt.NDArray[np.bool_] = (counts > 0) & (counts < rare)
    return result


def summed(hashes: list[Hashes]) -> Hashes:
    total = hashes[0].copy()
    with np.errstate(over="ignore"):
        for other in hashes[1:]:
            total += other
    return total


def occurrences(submitted: Hashes, extract: Hashes) -> npt.NDArray[np.int64]:
    """How many rows of the extract have the combination of each submitted row."""
    wanted, inverse = np.unique(submitted, return_inverse=True)
    bitmap = np.zeros(int(_BITMAP) + 1, dtype=np.bool_)
    bitmap[(wanted & _BITMAP).astype(np.int64)] = True
    likely = extract[bitmap[(extract & _BITMAP).astype(np.int64)]]
    at = np.minimum(np.searchsorted(wanted, likely), len(wanted) - 1)
    hits = at[wanted[at] == likely]
    counts: npt.NDArray[np.int64] = np.bincount(hits, minlength=len(wanted))[inverse]
    return counts


def _measure(mapped: Mapped, rare: int, precision: Precision) -> RowMatch:
    """Observed share of rare rows, and the share that stays when the informative columns are shuffled."""
    rows = len(mapped.submitted[0])
    keys = _key_columns(mapped, rare)
    informative = [i for i in range(len(mapped.names)) if i not in keys]
    share = float(_rare_rows(mapped, rare).mean())
    by_chance = [_shuffled(mapped, informative, rare, seed) for seed in range(SHUFFLES)] if informative else [share]
    by_chance += [_shuffled(mapped, list(range(len(mapped.names))), rare, seed) for seed in range(SHUFFLES)]
    half = len(by_chance) // 2
    coincidence = max(float(np.mean(by_chance[:half] or by_chance)), float(np.mean(by_chance[half:])))
    return RowMatch(
        precision=precision,
        rows=rows,
        columns=len(mapped.names),
        share=share,
        coincidence=coincidence,
        informative=len(informative),
    )


def _key_columns(mapped: Mapped, rare: int) -> set[int]:
    """Coarse columns whose combinations are common in the extract: the groups of an aggregate."""
    keys: list[int] = []
    for index in sorted(range(len(mapped.names)), key=lambda i: mapped.cardinality[i]):
        trial = [*keys, index]
        counts = occurrences(summed([mapped.submitted[i] for i in trial]), summed([mapped.extract[i] for i in trial]))
        if float((counts >= rare).mean()) < 0.5:
            break
        keys = trial
    return set(keys)


def _shuffled(mapped: Mapped, which: list[int], rare: int, seed: int) -> float:
    chance = np.random.default_rng(_SEED + seed)
    submitted = list(mapped.submitted)
    for index in which:
        submitted[index] = chance.permutation(submitted[index])
    return float(_rare_rows(Mapped(mapped.names, submitted, mapped.extract, mapped.cardinality), rare).mean())
