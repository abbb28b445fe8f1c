"""Numbers and times as whole steps on a grid, so that fresh values look like the real ones: whole yuan, whole days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

MAX_DECIMALS: Final = 6
_FINE: Final = 2**40
"""Steps between the smallest and the largest of numbers that have no common step."""
_LARGEST: Final = 2**52
"""Beyond this, floats no longer hold every whole number."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A column's values as `base` + step number x `step`.

    Units: `base` and `step` in `unit` parts of the column's unit (1 for whole numbers and times, 10**d for decimals);
    `offset` moves values off the grid where the grid is only an aid.
    """

    dtype: pl.DataType
    base: float
    step: float
    unit: float
    offset: float

    def steps(self, values: pl.Series) -> Codes:
        """The step of each value; no nulls."""
        numbers = _numbers(values)
        if numbers.dtype.kind == "i":
            return (numbers.astype(np.int64) - int(self.base)) // int(self.step)
        scaled = (numbers * self.unit - self.base) / self.step
        return (np.rint(scaled) if self.offset == 0 else np.floor(scaled)).astype(np.int64)

    def values(self, steps: Codes) -> pl.Series:
        """The values of steps, in the column's type."""
        if not self.dtype.is_float() and not self.dtype.is_decimal():
            physical = pl.Series(int(self.base) + steps * int(self.step), dtype=pl.Int64)
            physical = physical.cast(pl.Int32) if self.dtype == pl.Date else physical
            return physical.cast(self.dtype)
        return pl.Series((self.base + (steps + self.offset) * self.step) / self.unit).cast(self.dtype)


def lay_grid(column: pl.Series) -> Grid | None:
    """The grid of a column, or None when its values are no quantities: text, truth values, numbers beyond 64 bits."""
    dtype = column.dtype
    if not (dtype.is_numeric() or dtype.is_temporal()) or dtype in (pl.UInt64, pl.Int128):
        return None
    numbers = _numbers(column.drop_nulls().unique())
    if not len(numbers):
        return None
    low = numbers.min()
    if numbers.dtype.kind == "i":
        if int(numbers.max()) - int(low) >= _LARGEST:
            return None
        return Grid(dtype=dtype, base=int(low), step=_common(numbers - low), unit=1, offset=0)
    for decimals in range(MAX_DECIMALS + 1):
        unit = 10**decimals
        if float(np.abs(numbers).max()) * unit >= _LARGEST:
            break
        scaled = np.rint(numbers * unit)
        if bool((scaled / unit == numbers).all()):
            whole = scaled.astype(np.int64)
            return Grid(dtype=dtype, base=int(whole.min()), step=_common(whole - whole.min()), unit=unit, offset=0)
    width = (float(numbers.max()) - float(low)) or 1.0
    if not np.isfinite(width):
        return None
    return Grid(dtype=dtype, base=float(low), step=width / _FINE, unit=1, offset=0.5)


def _common(steps: Codes) -> int:
    return int(np.gcd.reduce(steps)) or 1


def _numbers(values: pl.Series) -> npt.NDArray[np.int64] | npt.NDArray[np.float64]:
    if values.dtype.is_temporal():
        return values.to_physical().cast(pl.Int64).to_numpy()
    if values.dtype.is_integer():
        return values.cast(pl.Int64).to_numpy()
    return values.cast(pl.Float64).to_numpy()
