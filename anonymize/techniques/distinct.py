"""Work done once for each distinct value: columns of people's data repeat themselves, and techniques are dear."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

_SAMPLE: Final = 4_096
_REPEATS: Final = 0.5
"""Share of distinct values in a sample above which finding them costs more than it saves."""


def once(values: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`change` of the distinct values, spread over the rows again.

    Shape: `change` gives one value for each it gets, the same for equal ones and null for null.
    """
    sample = values.gather_every(max(1, len(values) // _SAMPLE))
    if sample.n_unique() > len(sample) * _REPEATS:
        return change(values)
    coded = values.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    distinct = pl.Series(values.name, coded.dictionary, dtype=values.dtype)
    return change(distinct).gather(pl.Series(coded.indices)).alias(values.name)
