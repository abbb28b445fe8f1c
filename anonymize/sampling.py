"""A policy that releases a sample: which rows, drawn by the licence's key.

What must hold:
1. Every row has the same chance, decided by the key and the row's content: not by its place, and not anew each
   time.
2. The target must hold within the sample, as against an attacker who knows that somebody is in it.

Source: simple random sampling without replacement. The risk against the whole table is measured in `sample_risk`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import TargetNotMet
from anonymize.row_draws import RowDraws
from anonymize.strict import Fields, refuse_setting
from anonymize.text import Text

MAX_ROWS: Final = 10**12

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How much of a table is released: a share of its rows, or a number of them."""

    rate: float | None = None
    rows: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Sampling:
        if fields.has("rate") == fields.has("rows"):
            raise refuse_setting(
                fields.at("rate"), zh="与 rows 应恰好写明一项", en="or rows must be named, exactly one of them"
            )
        if fields.has("rows"):
            read = cls(rows=fields.integer("rows", low=1, high=MAX_ROWS))
        else:
            read = cls(rate=float(fields.number("rate", low=0, high=1)))
            if read.rate in (0.0, 1.0):
                raise refuse_setting(fields.at("rate"), zh="应大于 0 且小于 1", en="must be above zero and below one")
        fields.close()
        return read

    def content(self) -> dict[str, Any]:
        return {"rate": self.rate} if self.rows is None else {"rows": self.rows}

    def size(self, rows: int) -> int:
        """Rows drawn from a table of so many; all of it where it has fewer than asked for."""
        return min(rows, math.floor(rows * (self.rate or 0)) if self.rows is None else self.rows)

    def words(self) -> Text:
        if self.rows is None:
            return Text(f"按密钥抽取 {self.rate:.4g} 的行", f"a share of {self.rate:.4g} of the rows, drawn by the key")
        return Text(f"按密钥抽取 {self.rows} 行", f"{self.rows} rows, drawn by the key")


def draw_rows(sampling: Sampling, frame: pl.DataFrame, *, key: bytes, k: int, table: str) -> Indices:
    """The positions of the rows drawn, ascending.

    Shape: `frame` holds the columns that are told apart.
    Raises:
        TargetNotMet: fewer rows would be drawn than the target's k.
    """
    size = sampling.size(frame.height)
    if size < k:
        raise TargetNotMet(
            code="target.sample_too_small",
            subject=table,
            text=Text(
                f"表 {table} 的样本只有 {size} 行，少于目标 k = {k}，没有写出任何文件。",
                f"The sample of table {table} has {size} rows, below the target k = {k}. Nothing was written.",
            ),
            next_step=Text(
                "请在规则的 [sample] 中增大 rate 或 rows。", "Raise rate or rows in [sample] of the policy."
            ),
        )
    order = np.argsort(RowDraws(frame, key=key).bits("sample"), kind="stable")
    return np.sort(order[:size])
