"""Work done once for each distinct value: columns of people's data repeat themselves, and techniques are dear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

_SAMPLE: Final = 4_096


def once(values: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`change` of the distinct values, spread over the rows again.

    Shape: `change` gives one value for each it gets, the same for equal ones and null for null.
    """
    if not _repeats(values):
        return change(values)
    coded = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    distinct = pl.Series(values.name, coded.dictionary, dtype=values.dtype)
    return change(distinct).gather(pl.Series(coded.indices)).alias(values.name)


def _repeats(values: pl.Series) -> bool:
    """Whether the column seems to have fewer than half as many values as rows; with more, finding them does not pay.

    Of n values drawn from D equally common ones about n * n / 2D are repeats.
    """
    sample = values.gather_every(max(1, len(values) // _SAMPLE))
    repeats = len(sample) - sample.n_unique()
    if len(sample) == len(values):
        return 2 * repeats >= len(values)
    return repeats * len(values) > len(sample) ** 2
