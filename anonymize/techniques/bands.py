"""Number bands: widths that fit into each other, aligned to an origin, with coding of the ends.

"20-24" for whole numbers, "[17.5, 22.5)" for others; below `bottom` and from `top` on, values are only "<18" or "≥80".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any, ClassVar

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import EXACT, read_numbers, show_number
from anonymize.text import Text

Number = int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Bands of growing width; each width is a whole multiple of the one before, so that bands nest.

    Units: those of the column.
    """

    kind: ClassVar[str] = "bands"

    widths: tuple[Number, ...]
    origin: Number = 0
    bottom: Number | None = None
    top: Number | None = None

    @classmethod
    def read(cls, fields: Fields) -> Bands:
        widths = fields.numbers("widths")
        check_widths(widths, fields.at("widths"))
        bottom = fields.number("bottom") if fields.has("bottom") else None
        top = fields.number("top") if fields.has("top") else None
        if bottom is not None and top is not None and bottom >= top:
            raise refuse_setting(fields.at("top"), zh="应大于 bottom", en="must be larger than bottom")
        origin = fields.number("origin") if fields.has("origin") else 0
        return cls(widths=widths, origin=origin, bottom=bottom, top=top)

    @property
    def depth(self) -> int:
        return len(self.widths) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        numbers = read_numbers(values, place)
        whole = numbers.dtype.is_integer() and all(isinstance(n, int) for n in (self.origin, *self.widths))
        self._check_width(numbers, place)
        return [self._level(numbers.to_numpy(), index, whole=whole) for index in range(len(self.widths))]

    def _check_width(self, numbers: pl.Series, place: Place) -> None:
        """Refuse a first width so small beside the values that their bands can't be numbered exactly."""
        farthest = float((numbers.cast(pl.Float64) - self.origin).abs().max() or 0)  # type: ignore[arg-type]
        if farthest / self.widths[0] > EXACT:
            raise place.refuse(
                "column.number_too_large",
                found=Text("取值与最小宽度相差过大，无法精确分段", "its values are too large for bands this narrow"),
                next_step=Text("请在规则中增大 widths 的第一个值。", "Make the first of the policy's widths larger."),
            )

    def _level(self, numbers: np.ndarray[Any, Any], index: int, *, whole: bool) -> pl.Series:
        # Coarse bands are joined from the finest, not computed anew: rounding of floats can't break the nesting.
        finest = np.floor((numbers - self.origin) / self.widths[0]).astype(np.int64)
        ratio = round(self.widths[index] / self.widths[0])
        band = finest // ratio
        shown = {int(number): self._label(int(number), self.widths[index], whole=whole) for number in np.unique(band)}
        texts = [shown[int(number)] for number in band]
        if self.bottom is not None:
            below = f"<{show_number(self.bottom)}"
            texts = [below if number < self.bottom else text for number, text in zip(numbers, texts, strict=True)]
        if self.top is not None:
            above = f"≥{show_number(self.top)}"
            texts = [above if number >= self.top else text for number, text in zip(numbers, texts, strict=True)]
        return pl.Series(texts, dtype=pl.String)

    def _label(self, band: int, width: Number, *, whole: bool) -> str:
        low: Number = self.origin + band * width
        high: Number = low + width
        low = low if self.bottom is None else max(low, self.bottom)
        high = high if self.top is None else min(high, self.top)
        if whole and low >= 0 and isinstance(low, int) and isinstance(high, int):
            return show_number(low) if high - low <= 1 else f"{show_number(low)}-{show_number(high - 1)}"
        return f"[{show_number(_tidy(low))}, {show_number(_tidy(high))})"

    def ends(self, values: pl.Series, level: int, place: Place) -> tuple[pl.Series, pl.Series]:
        """Low and high end, both inclusive, of the band around each value; at level 0 the value itself.

        Shape: `values` as in `labels`. Null is an open end: below `bottom`, and from `top` on.
        """
        numbers = read_numbers(values, place)
        whole = numbers.dtype.is_integer()
        value, low, high, dtype = pl.col("value"), pl.col("value"), pl.col("value"), values.dtype
        if level:
            whole = whole and all(isinstance(n, int) for n in (self.origin, *self.widths))
            width = self.widths[level - 1]
            finest = ((value - self.origin) / self.widths[0]).floor().cast(pl.Int64)
            low = finest // round(width / self.widths[0]) * width + self.origin
            high, dtype = low + (width - 1 if whole else width), pl.Int64() if whole else pl.Float64()
        elif self.bottom is None and self.top is None:
            return values, values
        if self.bottom is not None:
            edge, under = ceil(self.bottom) if whole else self.bottom, value < self.bottom
            low = pl.when(under).then(None).otherwise(pl.max_horizontal(low, pl.lit(edge)))
            high = pl.when(under).then(edge - 1 if whole else edge).otherwise(high)
        if self.top is not None:
            edge, over = ceil(self.top) if whole else self.top, value >= self.top
            low = pl.when(over).then(edge).otherwise(low)
            high = pl.when(over).then(None).otherwise(pl.min_horizontal(high, pl.lit(edge - 1 if whole else edge)))
        frame = pl.DataFrame({"value": numbers}).select(low.cast(dtype).alias("low"), high.cast(dtype).alias("high"))
        return frame["low"], frame["high"]

    def level_text(self, level: int) -> Text:
        width = show_number(self.widths[level - 1])
        zh, en = f"按宽度 {width} 分段", f"in bands of width {width}"
        if self.bottom is not None:
            zh, en = f"{zh}，低于 {show_number(self.bottom)} 合并", f"{en}, below {show_number(self.bottom)} as one"
        if self.top is not None:
            zh, en = f"{zh},{show_number(self.top)} 及以上合并", f"{en}, {show_number(self.top)} and above as one"
        return Text(zh, en)

    def params(self) -> dict[str, Any]:
        ends = {key: value for key, value in (("bottom", self.bottom), ("top", self.top)) if value is not None}
        return {"widths": list(self.widths), "origin": self.origin, **ends}


def check_widths(widths: tuple[Number, ...], subject: str) -> None:
    """Refuse widths that do not nest.

    Raises:
        BadInput: a width is not above zero, or not a whole multiple (2 or more) of the one before.
    """
    positive = min(widths) > 0
    nested = positive and all(wide / narrow >= 2 and _is_whole(wide / narrow) for narrow, wide in pairwise(widths))
    # Also against the first: the coarser bands are joined from the finest.
    if not nested or not all(_is_whole(width / widths[0]) for width in widths):
        raise refuse_setting(
            subject,
            zh="应为正数，且每个宽度是前一个的整数倍（至少 2 倍）",
            en="must be above zero, each a whole multiple (2 or more) of the one before",
        )


def _is_whole(ratio: float) -> bool:
    return abs(ratio - round(ratio)) < 1e-9


def _tidy(number: Number) -> Number:
    """A bound without the dust of binary fractions: 0.3 and not 0.30000000000000004."""
    return number if isinstance(number, int) else float(f"{number:.12g}")
