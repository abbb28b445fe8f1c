"""Noise: each number is moved by a chance of its own, so that sums and means stay near while no value is exact.

What must hold:
1. The noise follows from the licence's key and the row: the same input gives the same bytes, and a second build adds
   no second noise that could be averaged against the first.
2. Values stay on the column's own grid (whole yuan, whole days), inside the bounds of the policy, and at or above zero
   where the column was; what lands outside is reflected at the bound.
3. Columns named `together` get noise that is correlated as they are: their correlations survive.

It is no differential privacy: the noise is measured against the spread of the column, not against what one person can
change, and extreme values stay extreme.
Source: additive noise, uncorrelated and correlated: Kim 1986; Brand 2002; Hundepool et al. (2012), section 3.3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.grid import Grid
from anonymize.techniques.hierarchy import show_number
from anonymize.techniques.quantity import need_grid
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.row_draws import RowDraws

MAX_SHARE: Final = 5
_LEAST_STEPS: Final = 0.5
"""Standard deviation of the noise, in steps of the column's grid, below which most values would not move."""
_POINTS: Final = 2**16

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Add normal noise with a standard deviation of `share` times the column's own, or of `sd`.

    Units: `sd`, `low`, `high` in those of the column (days for dates).
    """

    name: ClassVar[str] = "noise"
    whole_column: ClassVar[bool] = True
    uses_key: ClassVar[bool] = True

    share: float | None = None
    sd: float | None = None
    low: int | float | None = None
    high: int | float | None = None
    together: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Noise:
        if fields.has("share") == fields.has("sd"):
            raise refuse_setting(
                fields.at("share"), zh="与 sd 应恰好写明一项", en="or sd must be named, exactly one of them"
            )
        name = "share" if fields.has("share") else "sd"
        size = float(fields.number(name, low=0, high=MAX_SHARE if name == "share" else None))
        if size == 0:
            raise refuse_setting(fields.at(name), zh="应大于 0", en="must be above zero")
        low = fields.number("low") if fields.has("low") else None
        high = fields.number("high") if fields.has("high") else None
        if low is not None and high is not None and low >= high:
            raise refuse_setting(fields.at("high"), zh="应大于 low", en="must be larger than low")
        together = fields.text("together") if fields.has("together") else None
        share, sd = (size, None) if name == "share" else (None, size)
        return cls(share=share, sd=sd, low=low, high=high, together=together)

    def params(self) -> dict[str, Any]:
        named = {"share": self.share, "sd": self.sd, "low": self.low, "high": self.high, "together": self.together}
        return {name: value for name, value in named.items() if value is not None}

    def words(self) -> Text:
        if self.share is not None:
            size = Text(f"该列标准差的 {self.share:g} 倍", f"{self.share:g} times that of the column")
        else:
            size = Text(show_number(self.sd or 0), show_number(self.sd or 0))
        zh = f"加入由密钥决定的正态噪声，标准差为{size.zh}"
        en = f"normal noise added under the key, its standard deviation {size.en}"
        if self.together is not None:
            zh, en = f"{zh}，与 {self.together} 组各列相关", f"{en}, correlated within {self.together}"
        return Text(zh, en)

    @classmethod
    def perturb(
        cls, rules: Sequence[Self], columns: Sequence[pl.Series], *, draws: RowDraws, places: Sequence[Place]
    ) -> list[pl.Series]:
        """The columns with noise.

        Shape: one value per row, nulls stay null; types as they were.
        Raises:
            BadInput: a column holds neither numbers nor dates, its values are all equal, or the noise would be too
                small to move them.
        """
        grids = [need_grid(column, place, what=_WHAT) for column, place in zip(columns, places, strict=True)]
        steps = [_steps(column, grid) for column, grid in zip(columns, grids, strict=True)]
        spread = [_spread(rule, grid, step) for rule, grid, step in zip(rules, grids, steps, strict=True)]
        for each, rule, place in zip(spread, rules, places, strict=True):
            _refuse_no_effect(each, rule, place)
        drawn = [_normal(draws.bits(f"noise {place.column}")) for place in places]
        mixed = _mix(_correlation(steps), drawn)
        return [
            _bounded(rule, grid, column, step + np.rint(each * noise))
            for rule, grid, column, step, each, noise in zip(rules, grids, columns, steps, spread, mixed, strict=True)
        ]


_WHAT: Final = Text("噪声", "noise")


def _steps(column: pl.Series, grid: Grid) -> Floats:
    """Steps on the grid; NaN for nulls."""
    steps = np.full(len(column), np.nan)
    steps[column.is_not_null().to_numpy()] = grid.steps(column.drop_nulls())
    return steps


def _spread(rule: Noise, grid: Grid, steps: Floats) -> float:
    """The standard deviation of the noise in steps. Values are summed in ascending order: any order of rows agrees."""
    if rule.sd is not None:
        return rule.sd * grid.unit / grid.step
    return float(np.std(np.sort(steps[~np.isnan(steps)]))) * (rule.share or 0)


def _refuse_no_effect(spread: float, rule: Noise, place: Place) -> None:
    if spread >= _LEAST_STEPS:
        return
    raise place.refuse(
        "column.noise_too_small",
        found=Text(
            "规则的噪声小于该列取值间隔的一半，多数值不会改变",
            "the noise of the policy is below half the distance between its values; most would not change",
        ),
        next_step=Text(
            f"请在规则中增大 {'sd' if rule.share is None else 'share'}，或换用其他方法。",
            f"Set a larger {'sd' if rule.share is None else 'share'} in the policy, or choose another technique.",
        ),
    )


@cache
def _quantiles() -> Floats:
    normal = NormalDist()
    return np.array([normal.inv_cdf((point + 0.5) / _POINTS) for point in range(_POINTS)])


def _normal(bits: npt.NDArray[np.uint64]) -> Floats:
    """Normal numbers from a table of quantiles: the same on every machine."""
    return _quantiles()[(bits >> np.uint64(48)).astype(np.int64)]


def _correlation(steps: Sequence[Floats]) -> Floats:
    """Correlations over the rows that hold a value in every column, as multiples of 1e-9."""
    if len(steps) == 1:
        return np.ones((1, 1))
    table = np.stack(steps)
    whole = table[:, ~np.isnan(table).any(axis=0)]
    whole = whole[:, np.lexsort(whole[::-1])]
    if whole.shape[1] < 2 or (whole.std(axis=1) == 0).any():
        return np.eye(len(steps))
    found: Floats = np.round(np.corrcoef(whole), 9)
    return found


def _mix(correlation: Floats, drawn: Sequence[Floats]) -> list[Floats]:
    """Independent normal numbers made correlated, by Cholesky's decomposition.

    Columns that others determine have no part of their own: its square, which may fall below zero by rounding, is 0.
    """
    size = len(drawn)
    lower = np.zeros((size, size))
    for row in range(size):
        for column in range(row + 1):
            rest = correlation[row, column] - sum(lower[row, part] * lower[column, part] for part in range(column))
            if row == column:
                lower[row, row] = max(rest, 0.0) ** 0.5
            elif lower[column, column] > 1e-6:
                lower[row, column] = rest / lower[column, column]
    return [sum((lower[row, part] * drawn[part] for part in range(row + 1)), np.zeros(1)) for row in range(size)]


def _bounded(rule: Noise, grid: Grid, column: pl.Series, moved: Floats) -> pl.Series:
    """Steps as values again, reflected at the bounds."""
    held = column.is_not_null().to_numpy()
    low, high = rule.low, rule.high
    if low is None and column.dtype.is_numeric() and bool((column >= 0).all()):
        low = 0
    least = -np.inf if low is None else np.ceil((low * grid.unit - grid.base) / grid.step - grid.offset)
    most = np.inf if high is None else np.floor((high * grid.unit - grid.base) / grid.step - grid.offset)
    steps = moved[held]
    steps = np.where(steps < least, 2 * least - steps, steps)
    steps = np.where(steps > most, 2 * most - steps, steps)
    steps = np.clip(steps, least, most).astype(np.int64)
    answer = pl.Series(column.name, [None], dtype=column.dtype).new_from_index(0, len(column))
    return answer.scatter(pl.Series(np.flatnonzero(held)), grid.values(steps))
