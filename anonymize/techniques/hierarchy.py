"""What every generalization hierarchy promises, whatever it is made of.

A hierarchy has numbered levels. Level 0 is the value itself, the last level is "*" and hides everything; each level
joins whole blocks of the level before (nesting). The search for the best generalization rests on that nesting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Protocol

import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.text import Text

STAR: Final = "*"


class Hierarchy(Protocol):
    """One way to make values coarser, step by step."""

    kind: ClassVar[str]

    @property
    def depth(self) -> int:
        """Number of levels, level 0 and "*" included; at least 2."""

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        """Labels of the levels between 0 and "*", in order.

        Shape: `values` holds distinct values without nulls; each answer has one text label per value, no nulls.
        Raises:
            BadInput: values that this hierarchy does not know, with their number and never the values.
        """

    @property
    def domain(self) -> int | None:
        """How many exact values the hierarchy knows, or None when it takes them from the data."""

    def coverage(self, level: int) -> Mapping[str, int] | None:
        """How many exact values of the domain lie under each label of a level; None when `domain` is None."""

    def level_text(self, level: int) -> Text:
        """What a level between 0 and "*" does to a value, in words."""

    def params(self) -> dict[str, Any]:
        """The settings as a policy writes them, without `kind`."""


def value_key(value: object) -> str:
    """How a value is spelled when it is compared with a policy: 3, 3.0 and "3" are the same category."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def refuse_unlisted(missing: int, place: Place) -> BadInput:
    """The refusal of values that a listed hierarchy does not hold."""
    return place.refuse(
        "column.not_in_hierarchy",
        found=Text(
            f"有 {missing} 个不同的值不在规则的分组中", f"{missing} distinct values are in no group of the policy"
        ),
        next_step=Text(
            "请在规则的分组或层次文件中补入这些值，或改正源表。",
            "Add these values to the groups or the hierarchy of the policy, or correct the source.",
        ),
    )


EXACT: Final = 2**53
"""Whole numbers up to here are exact as floating-point numbers (IEEE 754, binary64)."""


def show_number(value: int | float) -> str:
    """A number as a label shows it: 18 and not 18.0."""
    return value_key(value)


def read_numbers(values: pl.Series, place: Place) -> pl.Series:
    """The values as numbers; text is read as decimal numbers.

    Shape: Int64 or Float64, whatever the width of the column: a narrow type would wrap around in what is computed.
    Raises:
        BadInput: the column is no number, or some values are not finite numbers, or too large to be exact.
    """
    if values.dtype.is_numeric():
        numbers = values.cast(pl.Float64) if values.dtype.is_float() or values.dtype.is_decimal() else values
    elif values.dtype == pl.String:
        numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    else:
        raise place.refuse(
            "column.not_a_number",
            found=Text("数值分段要求该列为数字", "number bands need a column of numbers"),
            next_step=Text(
                "请在规则中为该列换用适合其类型的泛化方法。", "Choose a hierarchy that fits the type of this column."
            ),
        )
    bad = numbers.null_count()
    if numbers.dtype.is_float():
        bad += len(numbers) - numbers.null_count() - int(numbers.is_finite().sum())
    if bad:
        raise place.refuse(
            "column.not_a_number",
            found=Text(f"有 {bad} 个不同的值不是有限的数字", f"{bad} distinct values are not finite numbers"),
            next_step=Text(
                "请在源表中改正或留空这些值，或换用分组泛化。",
                "Correct or empty these values in the source table, or use groups instead.",
            ),
        )
    if large := int((numbers.cast(pl.Float64).abs() >= EXACT).sum()):
        raise place.refuse(
            "column.number_too_large",
            found=Text(
                f"有 {large} 个不同的值超出 ±2^53，无法精确分段",
                f"{large} distinct values lie beyond ±2^53, where no band is exact",
            ),
            next_step=Text(
                "若是编码，请在源表中存为文本并改用 prefixes；若是错误，请改正。",
                "Store codes as text and use prefixes; correct errors in the source table.",
            ),
        )
    return numbers if numbers.dtype.is_float() else numbers.cast(pl.Int64)


DATE_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


def read_dates(values: pl.Series, place: Place) -> pl.Series:
    """The values as calendar dates; text must be in one format of `DATE_FORMATS` throughout.

    Raises:
        BadInput: the column holds no dates, or some values are not valid dates in the format most of them have.
    """
    if values.dtype == pl.Date:
        return values
    if values.dtype == pl.Datetime:
        return values.dt.date()
    text = values if values.dtype == pl.String else values.cast(pl.String, strict=False)
    read = min((_as_dates(text, pattern) for pattern in DATE_FORMATS), key=lambda dates: dates.null_count())
    if bad := read.null_count():
        raise place.refuse(
            "column.invalid_date",
            found=Text(
                f"有 {bad} 个不同的值不是有效日期（或格式不统一）",
                f"{bad} distinct values are not valid dates of one format",
            ),
            next_step=Text(
                "请在源表中改正这些值，日期写作 2026-11-01。",
                "Correct these values in the source; write dates like 2026-11-01.",
            ),
        )
    return read


def _as_dates(text: pl.Series, pattern: str) -> pl.Series:
    if "%H" in pattern:
        return text.str.to_datetime(pattern, strict=False).dt.date()
    return text.str.to_date(pattern, strict=False)
