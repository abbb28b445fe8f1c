"""Mask: only the ends of a text stay readable. For codes that link nothing; never enough for a direct identifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.distinct import once
from anonymize.techniques.hierarchy import STAR
from anonymize.text import Text

MAX_KEPT = 8
"""More readable characters than this are no mask any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """Keep the first and last characters; whatever lies between becomes one run of three stars.

    Note: a value too short to hide anything (no longer than what would be kept) becomes stars altogether, and the run
    has a fixed length, so that the length of the value is not told.
    """

    name: ClassVar[str] = "mask"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = False

    keep_start: int
    keep_end: int

    @classmethod
    def read(cls, fields: Fields) -> Mask:
        start = fields.integer("keep_start", low=0, high=MAX_KEPT, default=0)
        end = fields.integer("keep_end", low=0, high=MAX_KEPT, default=0)
        if start + end > MAX_KEPT:
            raise refuse_setting(
                fields.at("keep_end"),
                zh=f"与 keep_start 之和不得超过 {MAX_KEPT}",
                en=f"and keep_start together must not exceed {MAX_KEPT}",
            )
        return cls(keep_start=start, keep_end=end)

    def params(self) -> dict[str, Any]:
        return {"keep_start": self.keep_start, "keep_end": self.keep_end}

    def words(self) -> Text:
        return Text(
            f"遮盖：只保留前 {self.keep_start} 位和后 {self.keep_end} 位",
            f"masked but for the first {self.keep_start} and last {self.keep_end} characters",
        )

    def apply(self, values: pl.Series, *, key: bytes, place: Place) -> pl.Series:
        """The masked column.

        Shape: one text per row, nulls stay null.
        Raises:
            BadInput: the column is neither text nor whole numbers.
        """
        if not (values.dtype == pl.String or values.dtype.is_integer()):
            raise place.refuse(
                "column.not_text",
                found=Text("遮盖要求该列为文本或整数编码", "masking needs a column of text or whole-number codes"),
                next_step=Text(
                    "请为该列选择其他方法，例如 drop。", "Choose another technique for this column, for example drop."
                ),
            )
        return once(values, self._masked).alias(values.name)

    def _masked(self, values: pl.Series) -> pl.Series:
        text = values.cast(pl.String)
        stars = STAR * 3
        kept = self.keep_start + self.keep_end
        end = text.str.tail(self.keep_end) if self.keep_end else pl.Series([""], dtype=pl.String)
        masked = text.str.head(self.keep_start) + stars + end
        long_enough = (text.str.len_chars() > kept).fill_null(False)
        hidden = pl.select(pl.when(text.is_not_null()).then(pl.lit(stars)).otherwise(None)).to_series()
        return masked.zip_with(long_enough, hidden)
