"""A sensitive attribute over the whole table, before any row is removed: what t-closeness is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.target import TDistance

VALUE: Final = "value"
ROWS: Final = "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """The distribution of one sensitive attribute as it is released, and how far apart its values are.

    Shape: `values` has one row per distinct value, ascending, null (if any) last: the value, the rows that have it, and
    `label1` to `label<n>` with its labels at the levels of its hierarchy between the exact value and "*".
    """

    name: str
    distance: TDistance
    values: pl.DataFrame

    @property
    def label_names(self) -> list[str]:
        return [name for name in self.values.columns if name not in (VALUE, ROWS)]

    @property
    def levels(self) -> tuple[npt.NDArray[np.int64], ...]:
        """The label of each value but null as a number, at the levels from the exact one to below the top."""
        known = self.values.filter(pl.col(VALUE).is_not_null())
        labels = [known[name].rank("dense").cast(pl.Int64).to_numpy() - 1 for name in self.label_names]
        return (np.arange(known.height, dtype=np.int64), *labels)


def whole_of(
    values: pl.Series,
    *,
    distance: TDistance,
    labels: Sequence[pl.Series] = (),
    weights: pl.Series | None = None,
) -> Whole:
    """The distribution of a column.

    Shape: `values` has a row per person, or per `weights` people alike; `labels` are given for its distinct values in
    ascending order, null left out, level by level.
    """
    people = pl.len() if weights is None else pl.col("weight").sum()
    frame = pl.DataFrame({VALUE: values.alias(VALUE)} | ({} if weights is None else {"weight": weights}))
    counted = frame.group_by(VALUE).agg(people.cast(pl.Int64).alias(ROWS)).sort(VALUE, nulls_last=True)
    missing = pl.Series([None] * counted[VALUE].null_count(), dtype=pl.String)
    shown = [pl.concat([level.cast(pl.String), missing]).alias(f"label{n}") for n, level in enumerate(labels, start=1)]
    return Whole(name=values.name, distance=distance, values=counted.with_columns(shown))
