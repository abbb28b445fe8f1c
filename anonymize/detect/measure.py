"""Means and extremes of a series as plain numbers; polars types them as anything a cell can be."""

from __future__ import annotations

import polars as pl


def mean_of(column: pl.Series) -> float:
    """The mean of a column of numbers or truths; 0 for an empty one."""
    mean = column.cast(pl.Float64).mean()
    return mean if isinstance(mean, float) else 0.0


def extremes(column: pl.Series) -> tuple[float, float]:
    """The smallest and the largest number of a column; (0, 0) for an empty one."""
    numbers = column.cast(pl.Float64)
    low, high = numbers.min(), numbers.max()
    return (low, high) if isinstance(low, float) and isinstance(high, float) else (0.0, 0.0)
