"""Equivalence classes of a table, measured on the table itself: k, distinct l, t.

Written apart from the search, in another engine (polars), so that the two check each other: the search promises, this
measures, and the extract is what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

_VALUE = "value"
_COUNT = "count"
_WEIGHT = "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The equivalence classes of a table: rows alike in every quasi-identifier.

    Shape: `sizes` has one entry per class, ascending; `l` and `t` one per sensitive attribute.
    Units: l distinct values other than null, smallest over the classes; t equal distance, largest over the classes.
    """

    sizes: npt.NDArray[np.int64]
    l: dict[str, int]  # noqa: E741 - the field's own name
    t: dict[str, float]

    @property
    def rows(self) -> int:
        return int(self.sizes.sum())

    @property
    def k(self) -> int:
        """Rows in the smallest class; 0 for a table without rows."""
        return int(self.sizes.min()) if len(self.sizes) else 0

    @property
    def count(self) -> int:
        return len(self.sizes)

    @property
    def uniques(self) -> int:
        """Rows that are alone in their class."""
        return int((self.sizes == 1).sum())


def measure_classes(
    frame: pl.DataFrame, quasi: Sequence[str], sensitive: Sequence[str] = (), *, weights: pl.Series | None = None
) -> Classes:
    """The classes of `frame` under `quasi`; without quasi-identifiers all rows are one class.

    Shape: one row per person, or one per `weights` people alike in all columns named. Null is a category of its own
    among quasi-identifiers, never a wildcard; among sensitive values it is no value, since an unknown does not hide
    anybody.
    Source: t with equal distance, Li, Li and Venkatasubramanian 2007: half the L1 distance of two distributions.
    """
    # Own names: a column of the table may be called anything.
    keys = [f"q{number}" for number in range(len(quasi))]
    classes = frame.select(pl.col(name).alias(key) for name, key in zip(quasi, keys, strict=True))
    if not keys:
        keys = ["q"]
        rows = frame.height if weights is None else len(weights)  # a frame without columns has no height
        classes = pl.DataFrame({"q": np.zeros(rows, dtype=np.int8)})
    people = (pl.len() if weights is None else pl.col(_WEIGHT).sum()).cast(pl.Int64).alias(_COUNT)
    classes = classes if weights is None else classes.with_columns(weights.alias(_WEIGHT))
    sizes = classes.group_by(keys).agg(people)[_COUNT].sort().to_numpy()
    diversity: dict[str, int] = {}
    closeness: dict[str, float] = {}
    for name in sensitive:
        pairs = classes.with_columns(frame[name].alias(_VALUE)).group_by([*keys, _VALUE]).agg(people)
        diversity[name] = _distinct(pairs, keys, len(sizes))
        closeness[name] = _equal_distance(pairs, keys)
    return Classes(sizes=sizes, l=diversity, t=closeness)


def rows_that_meet(
    frame: pl.DataFrame,
    quasi: Sequence[str],
    sensitive: Sequence[str],
    *,
    k: int,
    l: int | None,  # noqa: E741 - the field's own name
    weights: pl.Series | None = None,
) -> pl.Series:
    """Which rows lie in a class with at least k people and at least l distinct values of every sensitive attribute.

    Shape: one boolean per row of `frame`, no nulls; a row stands for one person, or for `weights` alike.
    """
    keys = [pl.col(name) for name in quasi] or [pl.lit(1)]
    people = pl.len()
    if weights is not None:
        weight = "weight" + "_" * max((len(name) for name in frame.columns), default=0)  # no column's name
        frame, people = pl.DataFrame([*frame.get_columns(), weights.alias(weight)]), pl.col(weight).sum()
    conditions = [people.over(keys) >= k]
    if l is not None:
        conditions += [pl.col(name).drop_nulls().n_unique().over(keys) >= l for name in sensitive]
    return frame.select(pl.all_horizontal(conditions).alias("meets")).to_series()


def _distinct(pairs: pl.DataFrame, keys: list[str], classes: int) -> int:
    known = pairs.filter(pl.col(_VALUE).is_not_null()).group_by(keys).len(_COUNT)[_COUNT]
    # A class without any known value is missing here, and has none.
    return int(known.to_numpy().min()) if len(known) == classes > 0 else 0


def _equal_distance(pairs: pl.DataFrame, keys: list[str]) -> float:
    count = pl.col(_COUNT)
    overall = (count.sum().over(_VALUE) / count.sum()).alias("overall")
    within = (count / count.sum().over(keys)).alias("within")
    # Values absent from a class add their whole overall share, which is 1 less what its present values hold overall.
    apart = (pl.col("within") - pl.col("overall")).abs().sum() + 1 - pl.col("overall").sum()
    distances = pairs.with_columns(overall, within).group_by(keys).agg((apart / 2).alias("t"))["t"]
    # Sums of floats depend on their order, and groups come in any: rounded, so that equal tables give equal figures.
    return round(float(distances.to_numpy().max()), 12) if len(distances) else 0.0
