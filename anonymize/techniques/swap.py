"""Swap: rows exchange their values with rows of near rank. Every value stays in the column, none stays with its row.

What must hold:
1. The released column is a rearrangement of the source: its distribution is untouched, its extremes are real.
2. A value moves by at most `percent` of the ranks.
3. Which rows exchange follows from the licence's key; ranks of equal values are drawn.

Source: rank swapping, Moore 1996; Hundepool et al., Statistical Disclosure Control (2012), section 3.2.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.row_draws import RowDraws

LEAST_PERCENT: Final = 0.1
_TRIES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Exchange values between rows at most `percent` of the ranks apart."""

    name: ClassVar[str] = "swap"
    whole_column: ClassVar[bool] = True
    uses_key: ClassVar[bool] = True
    together: ClassVar[str | None] = None

    percent: int | float

    @classmethod
    def read(cls, fields: Fields) -> Swap:
        return cls(percent=fields.number("percent", low=LEAST_PERCENT, high=100))

    def params(self) -> dict[str, Any]:
        return {"percent": self.percent}

    def words(self) -> Text:
        return Text(
            f"取值在排名相差不超过 {self.percent:g}% 的行之间互换",
            f"values exchanged between rows at most {self.percent:g}% of the ranks apart",
        )

    def perturb(self, column: pl.Series, *, draws: RowDraws, place: Place) -> pl.Series:
        """The column rearranged.

        Shape: one value per row, nulls stay where they are.
        """
        drawn = draws.uniform(f"swap {place.column}")
        held = np.flatnonzero(column.is_not_null().to_numpy())
        ranked = pl.DataFrame({"value": column.gather(pl.Series(held)), "draw": drawn[held], "row": held})
        rows = ranked.sort("value", "draw")["row"].to_numpy()
        partner = _partners(len(rows), reach=max(1, int(len(rows) * self.percent / 100)), drawn=drawn[rows])
        source = np.arange(len(column))
        source[rows] = rows[partner]
        return column.gather(pl.Series(source)).alias(column.name)


def _partners(count: int, *, reach: int, drawn: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """For each rank the rank it exchanges with; the last one without a free partner in reach stays alone.

    Each rank takes a free one among the next `reach`: eight places are tried by chance, then the nearest is taken.
    """
    partner = list(range(count))
    free = [True] * count
    nearest = list(range(1, count + 2))
    chances = drawn.tolist()
    for rank in range(count):
        if not free[rank]:
            continue
        width = min(reach, count - 1 - rank)
        found = 0
        chance = chances[rank]
        for _ in range(_TRIES if width else 0):
            chance *= width
            at = rank + 1 + int(chance)
            chance -= int(chance)
            if free[at]:
                found = at
                break
        found = found or _next_free(rank + 1, free, nearest)
        if found and found <= rank + width:
            free[rank] = free[found] = False
            partner[rank], partner[found] = found, rank
    return np.array(partner, dtype=np.int64)


def _next_free(start: int, free: list[bool], nearest: list[int]) -> int:
    """The next free rank from `start` on, with skips remembered; one past the end when there is none."""
    at, passed = start, []
    while at < len(free) and not free[at]:
        passed.append(at)
        at = nearest[at]
    for place in passed:
        nearest[place] = at
    return at
