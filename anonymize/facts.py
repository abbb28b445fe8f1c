"""What the checks of fitness need to know of a table, counted piece by piece and added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

Hashes = npt.NDArray[np.uint64]

EXACT_ROWS: Final = 1 << 20
"""Up to so many rows distinct values are counted one by one; beyond, a like number of them stands for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Counts over the rows of a table, or of a piece of it.

    Shape: `nulls` for every column, `not_finite` for those of floats, `hashes` for codes and texts: the distinct ones
    below a ceiling that depends on the rows of the whole table (`of_rows`), so that few are kept.
    """

    schema: pl.Schema
    rows: int
    of_rows: int
    nulls: Mapping[str, int]
    not_finite: Mapping[str, int]
    hashes: Mapping[str, Hashes]

    @classmethod
    def of(cls, frame: pl.DataFrame, *, of_rows: int | None = None, counted: Sequence[str] | None = None) -> Self:
        """The facts of a frame, which is one of several where the whole has `of_rows` rows."""
        whole = frame.height if of_rows is None else of_rows
        names = frame.columns if counted is None else counted
        return cls(
            schema=frame.schema,
            rows=frame.height,
            of_rows=whole,
            nulls={column.name: column.null_count() for column in frame.get_columns()},
            not_finite={
                column.name: int((~column.is_finite()).sum())
                for column in frame.get_columns()
                if column.dtype.is_float()
            },
            hashes={name: _hashes(frame[name], whole) for name in names if _is_code(frame[name].dtype)},
        )

    @classmethod
    def total(cls, parts: Sequence[Self]) -> Self:
        """The facts of a table from those of its pieces."""
        first = parts[0]
        return cls(
            schema=first.schema,
            rows=sum(part.rows for part in parts),
            of_rows=first.of_rows,
            nulls={name: sum(part.nulls[name] for part in parts) for name in first.nulls},
            not_finite={name: sum(part.not_finite[name] for part in parts) for name in first.not_finite},
            hashes={name: np.unique(np.concatenate([part.hashes[name] for part in parts])) for name in first.hashes},
        )

    def distinct(self, column: str) -> int | None:
        """Distinct values of a column, nulls aside; None where they were not counted. Exact up to `EXACT_ROWS` rows,
        beyond that to about one in a thousand.
        """
        if column not in self.hashes:
            return None
        return len(self.hashes[column]) * _share(self.of_rows)


def _is_code(dtype: pl.DataType) -> bool:
    return dtype == pl.String or dtype.is_integer()


def _hashes(column: pl.Series, rows: int) -> Hashes:
    values = column.drop_nulls()
    hashes: Hashes = (values.unique() if rows <= EXACT_ROWS else values).hash().to_numpy()
    if rows > EXACT_ROWS:
        hashes = hashes[hashes < np.uint64(2**64 // _share(rows))]
    return np.unique(hashes)


def _share(rows: int) -> int:
    """One in so many hashes is kept."""
    return -(-rows // EXACT_ROWS)
