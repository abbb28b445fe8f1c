"""Top and bottom coding: values beyond a threshold become the threshold, so that the few at the ends stand out no more.

The threshold is written in the policy, or found as a quantile of the column. A quantile is a value that stands in the
table; a threshold known beforehand tells nothing of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import show_number
from anonymize.techniques.quantity import need_numbers
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCode:
    """What both ends share: either `threshold` or `quantile`.

    Units: `threshold` in those of the column; `quantile` is a share of the rows that hold a value, 0 to 1.
    Source: Hundepool et al., Statistical Disclosure Control (2012), section 3.2.3.
    """

    name: ClassVar[str]
    uses_key: ClassVar[bool] = False

    threshold: int | float | None = None
    quantile: float | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        if fields.has("threshold") == fields.has("quantile"):
            raise refuse_setting(
                fields.at("threshold"),
                zh="与 quantile 应恰好写明一项",
                en="or quantile must be named, exactly one of them",
            )
        if fields.has("threshold"):
            return cls(threshold=fields.number("threshold"))
        low, high = (0.5, 1) if cls.name == TopCode.name else (0, 0.5)
        return cls(quantile=float(fields.number("quantile", low=low, high=high)))

    @property
    def whole_column(self) -> bool:
        """A quantile is found on the whole column, a threshold needs nothing of it."""
        return self.quantile is not None

    def params(self) -> dict[str, Any]:
        return {"threshold": self.threshold} if self.quantile is None else {"quantile": self.quantile}

    def apply(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        """The coded column.

        Shape: one number per row, whole ones as Int64, others of the column's own type; nulls stay null.
        Raises:
            BadInput: the column holds no numbers, or whole ones while the threshold is none.
        """
        numbers = need_numbers(values, place, what=_WHAT)
        limit = self._limit(numbers, place)
        bound = pl.Series([limit], dtype=numbers.dtype)
        coded = bound.zip_with(self._beyond(numbers, limit).fill_null(False), numbers)
        return (coded if values.dtype.is_integer() else coded.cast(values.dtype)).alias(values.name)

    def _limit(self, numbers: pl.Series, place: Place) -> int | float:
        if self.quantile is not None:
            held = numbers.drop_nulls().sort()
            at = self.quantile * max(len(held) - 1, 0)
            found: int | float = (
                held[math.floor(at) if self.name == TopCode.name else math.ceil(at)] if len(held) else 0
            )
            return found
        limit = self.threshold or 0
        if numbers.dtype == pl.Int64 and not float(limit).is_integer():
            raise place.refuse(
                "column.threshold_not_whole",
                found=Text("该列是整数，规则的界值却不是", "it holds whole numbers, but the threshold is none"),
                next_step=Text("请在规则中把 threshold 改为整数。", "Set a whole number as threshold in the policy."),
            )
        return int(limit) if numbers.dtype == pl.Int64 else float(limit)

    def _beyond(self, numbers: pl.Series, limit: int | float) -> pl.Series:
        return numbers > limit if self.name == TopCode.name else numbers < limit

    def _said(self, zh: str, en: str) -> Text:
        if self.quantile is None:
            limit = show_number(self.threshold or 0)
            return Text(f"{zh} {limit} 的值改为 {limit}", f"values {en} {limit} set to {limit}")
        share = f"{self.quantile:g}"
        return Text(f"{zh} {share} 分位数的值改为该分位数", f"values {en} the {share} quantile set to it")


class TopCode(EndCode):
    """Values above the threshold become the threshold."""

    __slots__ = ()
    name: ClassVar[str] = "top_code"

    def words(self) -> Text:
        return self._said("上端编码：高于", "above")


class BottomCode(EndCode):
    """Values below the threshold become the threshold."""

    __slots__ = ()
    name: ClassVar[str] = "bottom_code"

    def words(self) -> Text:
        return self._said("下端编码：低于", "below")


_WHAT = Text("首尾编码", "top and bottom coding")
