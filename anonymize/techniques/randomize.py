"""Randomize (PRAM): a category is kept with a fixed probability, and otherwise drawn from the column's own shares.

What must hold:
1. The expected shares of the categories are those of the source (invariant PRAM).
2. Whoever reads a cell can't be sure that it is true; how sure, follows from `keep` and the share of the category.
3. The draws follow from the licence's key and the row.

Source: post-randomization, Gouweleeuw, Kooiman, Willenborg, de Wolf 1998; invariant matrix keep*I + (1-keep)*1p'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.row_draws import RowDraws


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomize:
    """Keep each value with probability `keep`, else draw one from the column."""

    name: ClassVar[str] = "randomize"
    whole_column: ClassVar[bool] = True
    uses_key: ClassVar[bool] = True
    together: ClassVar[str | None] = None

    keep: float

    @classmethod
    def read(cls, fields: Fields) -> Randomize:
        return cls(keep=float(fields.number("keep", low=0, high=0.99)))

    def params(self) -> dict[str, Any]:
        return {"keep": self.keep}

    def words(self) -> Text:
        return Text(
            f"以 {self.keep:g} 的概率保留原值，否则按该列自身的分布随机抽取",
            f"kept with probability {self.keep:g}, else drawn from the column's own distribution",
        )

    def perturb(self, column: pl.Series, *, draws: RowDraws, place: Place) -> pl.Series:
        """The column randomized.

        Shape: one value per row, nulls stay null and are never drawn.
        """
        held = column.drop_nulls().sort()
        if not len(held):
            return column
        drawn = draws.uniform(f"randomize {place.column} value")
        at = np.floor(drawn * len(held)).astype(np.int64)
        stays = pl.Series(draws.uniform(f"randomize {place.column}") < self.keep) | column.is_null()
        return column.zip_with(stays, held.gather(pl.Series(at))).alias(column.name)
