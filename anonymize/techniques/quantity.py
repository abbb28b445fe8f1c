"""Numbers as techniques calculate with them: 64-bit whole numbers or floats, anything else refused in words."""

from __future__ import annotations

import polars as pl

from anonymize.errors import Place
from anonymize.techniques.grid import Grid, lay_grid
from anonymize.text import Text


def need_numbers(values: pl.Series, place: Place, *, what: Text) -> pl.Series:
    """The column as Int64 (whole numbers) or Float64 (others, decimals among them).

    Raises:
        BadInput: it holds no numbers, NaN or infinity, or whole numbers beyond 64 bits; the words begin with `what`.
    """
    dtype = values.dtype
    if not dtype.is_numeric():
        raise place.refuse(
            "column.not_a_number",
            found=Text(f"{what.zh}要求该列为数字", f"{what.en} needs a column of numbers"),
            next_step=Text(
                "请把该列以数字形式导出，或在规则中换用其他方法。",
                "Export the column as numbers, or choose another technique in the policy.",
            ),
        )
    wanted = pl.Int64 if dtype.is_integer() else pl.Float64
    numbers = values.cast(wanted, strict=False)
    bad = numbers.null_count() - values.null_count()
    if wanted == pl.Float64:
        bad += len(numbers) - numbers.null_count() - int(numbers.is_finite().sum())
    if bad:
        raise place.refuse(
            "column.not_a_number",
            found=Text(
                f"有 {bad} 行是 NaN、无穷大或超出 64 位整数", f"{bad} rows hold NaN, infinity or more than 64 bits"
            ),
            next_step=Text("请在源表中改正或留空这些单元格。", "Correct or empty these cells in the source table."),
        )
    return numbers


def need_grid(values: pl.Series, place: Place, *, what: Text) -> Grid:
    """The grid of a column of numbers or dates.

    Raises:
        BadInput: it holds neither, NaN or infinity, or whole numbers that span more than 2**52.
    """
    if values.dtype != pl.Date:
        need_numbers(values, place, what=what)
    grid = lay_grid(values)
    if grid is None:
        raise place.refuse(
            "column.no_grid",
            found=Text(f"{what.zh}无法计算：该列取值跨度过大或为空", f"{what.en}: it spans too far, or holds nothing"),
            next_step=Text("请在规则中换用其他方法。", "Choose another technique in the policy."),
        )
    return grid
