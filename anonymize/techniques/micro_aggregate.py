"""Micro-aggregate: records in groups of at least k near ones, each group released as its mean or median.

What must hold:
1. Every group has k to 2k - 1 records, so the released values of the columns `together` are k-anonymous among
   themselves.
2. Rows are grouped by what they hold: rows with the same columns empty among themselves. Rows of a pattern that fewer
   than k share are left empty in these columns.
3. Released values stay on the column's own grid (whole yuan, whole days), and the answer does not depend on the order
   of the rows: of equal records the licence's key decides which goes where.

Source: Domingo-Ferrer, Mateo-Sanz 2002, Practical data-oriented microaggregation for statistical disclosure control.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.strict import Fields
from anonymize.techniques.grid import Grid
from anonymize.techniques.mdav import group_records
from anonymize.techniques.quantity import need_grid
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.row_draws import RowDraws

MAX_K: Final = 500
_AVERAGES: Final = ("mean", "median")

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroAggregate:
    """Release the mean or median of groups of at least `k` near records; columns with the same `together` as one."""

    name: ClassVar[str] = "micro_aggregate"
    whole_column: ClassVar[bool] = True
    uses_key: ClassVar[bool] = False

    k: int
    average: str = "mean"
    together: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> MicroAggregate:
        return cls(
            k=fields.integer("k", low=2, high=MAX_K),
            average=fields.choice("average", _AVERAGES) if fields.has("average") else "mean",
            together=fields.text("together") if fields.has("together") else None,
        )

    def params(self) -> dict[str, Any]:
        together = {} if self.together is None else {"together": self.together}
        return {"k": self.k, "average": self.average, **together}

    def words(self) -> Text:
        average = Text("均值", "mean") if self.average == "mean" else Text("中位数", "median")
        zh = f"微聚集：每组至少 {self.k} 个相近的记录，取该组{average.zh}"
        en = f"micro-aggregated: {average.en} of groups of at least {self.k} near records"
        if self.together is not None:
            zh, en = f"{zh}，与 {self.together} 组各列一起分组", f"{en}, grouped jointly within {self.together}"
        return Text(zh, en)

    @classmethod
    def perturb(
        cls, rules: Sequence[Self], columns: Sequence[pl.Series], *, draws: RowDraws, places: Sequence[Place]
    ) -> list[pl.Series]:
        """The averaged columns.

        Shape: one value per row, types as they were.
        Raises:
            BadInput: a column holds neither numbers nor dates, or fewer than k rows hold values in all columns alike.
        """
        k, averages = max(rule.k for rule in rules), [rule.average for rule in rules]
        grids = [need_grid(column, place, what=_WHAT) for column, place in zip(columns, places, strict=True)]
        held = np.stack([column.is_not_null().to_numpy() for column in columns], axis=1)
        steps = np.zeros(held.shape, dtype=np.int64)
        for at, (column, grid) in enumerate(zip(columns, grids, strict=True)):
            steps[held[:, at], at] = grid.steps(column.drop_nulls())
        order = np.lexsort([draws.bits("micro " + places[0].column), *steps.T[::-1]])
        answers, known = np.zeros(held.shape, dtype=np.int64), np.zeros(held.shape, dtype=bool)
        pattern = held @ (1 << np.arange(held.shape[1]))
        for each in np.unique(pattern[pattern > 0]).tolist():
            rows = order[pattern[order] == each]
            if len(rows) < k:
                continue
            used = np.flatnonzero(held[rows[0]])
            groups = group_records(steps[np.ix_(rows, used)], k=k)
            for at in used.tolist():
                answers[rows, at] = _averages(steps[rows, at], groups, how=averages[at])
                known[rows, at] = True
        if not known.any():
            raise _too_few(k, places[0])
        return [
            _values(column, grid, answers[:, at], known[:, at])
            for at, (column, grid) in enumerate(zip(columns, grids, strict=True))
        ]


_WHAT: Final = Text("微聚集", "micro-aggregation")


def _averages(steps: Codes, groups: Codes, *, how: str) -> Codes:
    """The average of each record's group, to the nearest step, half-way ones to the even one."""
    if how == "median":
        table = pl.DataFrame({"step": steps, "group": groups})
        middle = table.select(pl.col("step").median().over("group")).to_series()
        medians: Codes = np.rint(middle.to_numpy()).astype(np.int64)
        return medians
    sizes = np.bincount(groups)
    sums = np.zeros(len(sizes), dtype=np.int64)
    np.add.at(sums, groups, steps)
    means: Codes = np.rint(sums / sizes)[groups].astype(np.int64)
    return means


def _values(column: pl.Series, grid: Grid, steps: Codes, known: npt.NDArray[np.bool_]) -> pl.Series:
    return grid.values(steps).set(pl.Series(~known), None).alias(column.name)


def _too_few(k: int, place: Place) -> BadInput:
    return place.refuse(
        "column.too_few_to_aggregate",
        found=Text(f"有取值的行不足 {k} 行，无法微聚集", f"fewer than {k} rows hold values to aggregate"),
        next_step=Text("请在规则中减小 k，或删除该列。", "Set a smaller k in the policy, or drop the column."),
    )
