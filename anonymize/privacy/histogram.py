"""The table as the search sees it: distinct rows of coded quasi-identifiers, and how many people share each.

Memory and time of the search grow with distinct rows, not with rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.techniques.generalize import Leveled, code_values

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Distinct combinations of exact values of all quasi-identifiers and all sensitive attributes.

    Shape: `quasi[c]` and `sensitive[s]` hold one code per combination, `weights` the number of rows that have it and
    `population` the number of people of the population, if there is one; a combination may be found in one of them
    alone. A sensitive code of -1 is null. `trees[s]` gives the label of each sensitive value at each level below the
    top, if a hierarchical distance asks for it. Combinations come in ascending order of codes, whatever the order of
    the rows; `of_row` says which combination each row of the table has.
    """

    columns: tuple[Leveled, ...]
    quasi: tuple[Codes, ...]
    sensitive: tuple[Codes, ...]
    weights: Codes
    population: Codes
    of_row: Codes
    trees: tuple[tuple[Codes, ...], ...] = ()

    @property
    def rows(self) -> int:
        return int(self.weights.sum())


def build_histogram(
    columns: Sequence[Leveled],
    sensitive: Sequence[Codes],
    *,
    weights: Codes | None = None,
    population: Sequence[Codes] = (),
    people: Codes | None = None,
    trees: Sequence[Sequence[Codes]] = (),
) -> Histogram:
    """Count the distinct rows.

    Shape: every column and every sensitive array has one entry per row of the table; at least one column. A row of the
    table stands for one person, or for `weights` people alike. `population` holds, for each column, one leaf for each
    row of the population, which stands for one person or for `people` alike; their sensitive values nobody knows.
    """
    parts = [column.codes for column in columns] + list(sensitive)
    rows = len(parts[0])
    if population:
        unknown = np.full(len(population[0]), -1, dtype=np.int64)
        known = [*population, *(unknown for _ in sensitive)]
        parts = [np.concatenate(pair) for pair in zip(parts, known, strict=True)]
    ids = np.zeros(len(parts[0]), dtype=np.int64)
    count = 1
    for part in parts:
        low = int(part.min()) if len(part) else 0
        ids, count = fold(ids, count, part - low, int(part.max()) - low + 1 if len(part) else 1)
    count = count if len(ids) else 0
    first = np.zeros(count, dtype=np.int64)
    first[ids[::-1]] = np.arange(len(ids) - 1, -1, -1)
    picked = [part[first] for part in parts]
    return Histogram(
        columns=tuple(columns),
        quasi=tuple(picked[: len(columns)]),
        sensitive=tuple(picked[len(columns) :]),
        weights=np.bincount(ids[:rows], weights=weights, minlength=count).astype(np.int64),
        population=np.bincount(ids[rows:], weights=people, minlength=count).astype(np.int64),
        of_row=ids[:rows],
        trees=tuple(tuple(levels) for levels in trees),
    )


def fold(ids: Codes, count: int, codes: Codes, blocks: int) -> tuple[Codes, int]:
    """Refine a numbering by one more column: dense numbers of the pairs (id, code), in ascending order of pairs.

    Shape: `ids` below `count`, `codes` below `blocks`; the answer is below the returned count.
    """
    pairs = ids * blocks + codes
    space = count * blocks
    if space <= max(4 * len(pairs), 1 << 16):
        present = np.zeros(space, dtype=bool)
        present[pairs] = True
        numbers = np.cumsum(present) - 1
        return numbers[pairs], int(numbers[-1]) + 1 if space else 0
    unique, inverse = np.unique(pairs, return_inverse=True)
    return inverse.astype(np.int64), len(unique)


def sensitive_codes(values: pl.Series) -> Codes:
    """Codes of a sensitive column: 0 upwards in ascending order of value, -1 for null."""
    return code_values(values, values.unique().drop_nulls().sort())
