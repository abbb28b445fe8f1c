"""Round: numbers to the nearest multiple of a base. Few values are left, none of them exact."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import show_number
from anonymize.techniques.quantity import need_numbers
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Replace each number by the nearest multiple of `base`; a number half-way between two goes to the even multiple.

    Units: `base` in those of the column. Whole numbers stay whole, so their base is whole too.
    Source: conventional rounding, Hundepool et al., Statistical Disclosure Control (2012), section 3.3.1.
    """

    name: ClassVar[str] = "round"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = False

    base: int | float

    @classmethod
    def read(cls, fields: Fields) -> Round:
        base = fields.number("base", low=0)
        if base == 0:
            raise refuse_setting(fields.at("base"), zh="应大于 0", en="must be above zero")
        return cls(base=base)

    def params(self) -> dict[str, Any]:
        return {"base": self.base}

    def words(self) -> Text:
        base = show_number(self.base)
        return Text(f"四舍六入到 {base} 的整数倍", f"rounded to multiples of {base}")

    def apply(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        """The rounded column.

        Shape: one number per row, whole ones as Int64, others of the column's own type; nulls stay null.
        Raises:
            BadInput: the column holds no numbers, or whole ones while the base is none.
        """
        numbers = need_numbers(values, place, what=Text("取整", "rounding"))
        base = Fraction(str(self.base))
        if numbers.dtype == pl.Float64:
            return _nearest_fraction(numbers, base).cast(values.dtype).alias(values.name)
        if base.denominator != 1:
            raise place.refuse(
                "column.base_not_whole",
                found=Text("该列是整数，取整的基数却不是", "it holds whole numbers, but the base of rounding is none"),
                next_step=Text("请在规则中把 base 改为整数。", "Set a whole number as the base in the policy."),
            )
        return _nearest_whole(numbers, int(base)).alias(values.name)


def _nearest_whole(numbers: pl.Series, base: int) -> pl.Series:
    low = numbers // base
    twice = (numbers - low * base) * 2
    up = (twice > base) | ((twice == base) & (low % 2 == 1))
    return (low + up.cast(pl.Int64)) * base


def _nearest_fraction(numbers: pl.Series, base: Fraction) -> pl.Series:
    """Multiples as they are written in decimals: 3 x 0.1 is 0.3, not 0.30000000000000004."""
    steps = np.rint(numbers.to_numpy() / float(base))
    rounded = pl.Series(steps * base.numerator / base.denominator)
    return rounded.set(numbers.is_null(), None)
