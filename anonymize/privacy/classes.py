"""Equivalence classes of a table, measured on the table itself: k, l by three models, t by three distances.

Written apart from the search, in another engine (polars), so that the two check each other: the search promises, this
measures, and the extract is what is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isclose

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.privacy.presence import Presence
from anonymize.privacy.whole import ROWS, VALUE, Whole
from anonymize.target import LModel, Target, TDistance

_CLASS = "class"
_PEOPLE = "people"
_TOLERANCE = 1e-9
"""Sums of floats are rounded: a figure this far beyond its bound still counts as on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The equivalence classes of a table: rows alike in every quasi-identifier.

    Shape: `sizes` has one entry per class, ascending; the others one per sensitive attribute, each the worst over the
    classes. Units: `l` distinct values other than null; `l_entropy` as many equally likely ones; `c` rows of the
    commonest value over those of all values from the `c_from`-th commonest on, infinite where there are none (recursive
    diversity holds for any c above it); `t` equal distance from the table itself; `t_whole` the target's distance from
    the whole table that this one was released from, where it was measured; `presence` in the population, if known.
    """

    sizes: npt.NDArray[np.int64]
    l: dict[str, int]  # noqa: E741 - the field's own name
    t: dict[str, float]
    l_entropy: dict[str, float] = field(default_factory=dict)
    c: dict[str, float] = field(default_factory=dict)
    c_from: int = 2
    t_whole: dict[str, float] = field(default_factory=dict)
    presence: Presence | None = None

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

    def same_as(self, other: Classes) -> bool:
        """Whether two measurements agree; sums of floats may differ in their last digits."""
        same = (self.l, self.presence) == (other.l, other.presence) and np.array_equal(self.sizes, other.sizes)
        figures = ((getattr(self, name), getattr(other, name)) for name in ("l_entropy", "c", "t", "t_whole"))
        return same and all(
            mine.keys() == theirs.keys() and all(isclose(mine[name], theirs[name], abs_tol=_TOLERANCE) for name in mine)
            for mine, theirs in figures
        )

    def misses(self, target: Target) -> bool:
        """Whether a class misses a model of the target."""
        if self.k < target.k:
            return True
        if target.population is not None and (self.presence is None or self.presence.misses(target.population)):
            return True
        if target.l is not None:
            match target.l_model:
                case LModel.DISTINCT:
                    short = any(found < target.l for found in self.l.values())
                case LModel.ENTROPY:
                    short = any(found < target.l * (1 - _TOLERANCE) for found in self.l_entropy.values())
                case LModel.RECURSIVE:
                    short = self.c_from != target.l or any(found >= (target.c or 0) for found in self.c.values())
            if short:
                return True
        return target.t is not None and (
            self.t_whole.keys() != self.l.keys() or any(t > target.t + _TOLERANCE for t in self.t_whole.values())
        )


def measure_classes(
    frame: pl.DataFrame,
    quasi: Sequence[str],
    sensitive: Sequence[str] = (),
    *,
    weights: pl.Series | None = None,
    wholes: Sequence[Whole] = (),
    c_from: int = 2,
) -> Classes:
    """The classes of `frame` under `quasi`; without quasi-identifiers all rows are one class.

    Shape: one row per person, or one per `weights` people alike in all columns named. Null is a category of its own
    among quasi-identifiers, never a wildcard. Among sensitive values it is no value for l, since an unknown hides
    nobody, and a value like others for t, since an unknown more often met than elsewhere tells something.
    Source: l, Machanavajjhala et al. 2006; t, Li, Li and Venkatasubramanian 2007.
    """
    classes = _Classes(frame, quasi, weights)
    found = Classes(sizes=np.sort(classes.sizes), l={}, t={}, c_from=c_from)
    for name in sensitive:
        pairs = classes.pairs(frame[name])
        measured = _measure(pairs, c_from)
        found.l[name] = int(measured["l"].to_numpy().min(initial=frame.height)) if len(measured) else 0
        found.l_entropy[name] = _rounded(measured["l_entropy"].min())
        found.c[name] = _rounded(measured["c"].max())
        found.t[name] = _rounded(_equal(pairs, _own_shares(pairs), VALUE)["t"].max())
        for whole in wholes:
            if whole.name == name:
                found.t_whole[name] = _rounded(_distance(pairs, whole)["t"].max())
    return found


def rows_that_meet(
    frame: pl.DataFrame,
    quasi: Sequence[str],
    sensitive: Sequence[str],
    *,
    target: Target,
    weights: pl.Series | None = None,
    wholes: Sequence[Whole] = (),
) -> pl.Series:
    """Which rows lie in a class that meets the target's k, l and t.

    Shape: one boolean per row of `frame`, no nulls; a row stands for one person, or for `weights` alike. `wholes` has
    every sensitive attribute if the target sets t.
    """
    classes = _Classes(frame, quasi, weights)
    meets = classes.sizes >= target.k
    measured = {name: classes.pairs(frame[name]) for name in sensitive} if target.needs_sensitive else {}
    for pairs in measured.values() if target.l is not None else ():
        found = _measure(pairs, target.l or 2)
        match target.l_model:
            case LModel.DISTINCT:
                diverse = found["l"].to_numpy() >= (target.l or 0)
            case LModel.ENTROPY:
                diverse = found["l_entropy"].to_numpy() >= (target.l or 0) * (1 - _TOLERANCE)
            case LModel.RECURSIVE:
                diverse = found["c"].to_numpy() < (target.c or 0) - _TOLERANCE
        meets &= diverse
    if target.t is not None:
        against = {whole.name: whole for whole in wholes}
        for name, pairs in measured.items():
            meets &= _distance(pairs, against[name])["t"].to_numpy() <= target.t + _TOLERANCE
    return pl.Series("meets", meets[classes.of_row])


class _Classes:
    """The classes of a table, numbered.

    Shape: `of_row` has the class of each row, `sizes` the people of each class.
    """

    def __init__(self, frame: pl.DataFrame, quasi: Sequence[str], weights: pl.Series | None) -> None:
        # Own names: a column of the table may be called anything.
        keys = [f"q{number}" for number in range(len(quasi))]
        rows = frame.select(pl.col(name).alias(key) for name, key in zip(quasi, keys, strict=True))
        self._people = pl.Series(np.ones(frame.height, dtype=np.int64)) if weights is None else weights.cast(pl.Int64)
        if not keys:
            self.of_row = np.zeros(len(self._people), dtype=np.int64)  # a frame without columns has no height
        else:
            numbered = rows.unique().with_row_index(_CLASS)
            joined = rows.join(numbered, on=keys, how="left", nulls_equal=True, maintain_order="left")
            self.of_row = joined[_CLASS].to_numpy().astype(np.int64)
        self.sizes = np.bincount(self.of_row, weights=self._people.to_numpy()).astype(np.int64)

    def pairs(self, values: pl.Series) -> pl.DataFrame:
        """How many people of each class have each value: class, value, rows."""
        frame = pl.DataFrame({_CLASS: self.of_row, VALUE: values.alias(VALUE), _PEOPLE: self._people})
        return frame.group_by(_CLASS, VALUE).agg(pl.col(_PEOPLE).sum().alias(ROWS))


def _measure(pairs: pl.DataFrame, c_from: int) -> pl.DataFrame:
    """For each class in order: distinct values, as many equally likely ones, and the ratio of recursive diversity."""
    known = pl.col(ROWS).filter(pl.col(VALUE).is_not_null())
    entropy = known.sum().log() - (known * known.log()).sum() / known.sum()
    tail = known.sum() - known.top_k(c_from - 1).sum()
    return (
        pairs.group_by(_CLASS)
        .agg(
            known.len().cast(pl.Int64).alias("l"),
            pl.when(known.len() > 0).then(entropy.exp()).otherwise(0.0).alias("l_entropy"),
            pl.when(tail > 0).then(known.max() / tail).otherwise(float("inf")).alias("c"),
        )
        .sort(_CLASS)
    )


def _own_shares(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.group_by(VALUE).agg(pl.col(ROWS).sum())


def _equal(pairs: pl.DataFrame, whole: pl.DataFrame, column: str) -> pl.DataFrame:
    """Equal distance of each class, in order, from shares of the whole, over values or labels."""
    shares = whole.group_by(column).agg(pl.col(ROWS).sum()).select(column, overall=pl.col(ROWS) / pl.col(ROWS).sum())
    within = pl.col(ROWS) / pl.col(ROWS).sum()
    # A value that the whole has not counts as apart by all its share.
    overall = pl.col("overall").fill_null(0.0)
    # Values absent from a class add their whole overall share, which is 1 less what its present values hold overall.
    apart = ((within - overall).abs().sum() + 1 - overall.sum()) / 2
    counted = pairs.group_by(_CLASS, column).agg(pl.col(ROWS).sum())
    joined = counted.join(shares, on=column, how="left", nulls_equal=True)
    return joined.group_by(_CLASS).agg(apart.alias("t")).sort(_CLASS)


def _distance(pairs: pl.DataFrame, whole: Whole) -> pl.DataFrame:
    """The distance of each class, in order, from the whole."""
    match whole.distance:
        case TDistance.EQUAL:
            return _equal(pairs, whole.values, VALUE)
        case TDistance.HIERARCHICAL:
            known = whole.values.drop(ROWS)
            labelled = pairs.join(known, on=VALUE, how="left", nulls_equal=True)
            levels = [_equal(labelled, whole.values, column) for column in (VALUE, *whole.label_names)]
            return levels[0].with_columns(t=pl.mean_horizontal(level["t"] for level in levels))
        case TDistance.ORDERED:
            return _ordered(pairs, whole)


def _ordered(pairs: pl.DataFrame, whole: Whole) -> pl.DataFrame:
    """Sum of the differences of cumulated shares over all values but the last, over the steps between them."""
    count = whole.values.height
    share = (whole.values[ROWS] / whole.values[ROWS].sum()).to_numpy()
    overall = np.cumsum(share)[: count - 1]
    below = np.concatenate([[0.0], np.cumsum(overall)])
    places = pl.DataFrame({VALUE: whole.values[VALUE], "place": np.arange(count)})
    # Nothing is below the first value: a step of 0 up to there, as if each class had it on no row.
    starts = pairs.select(_CLASS).unique().with_columns(place=pl.lit(0, pl.Int64), **{ROWS: pl.lit(0, pl.Int64)})
    held = pairs.join(places, on=VALUE, how="left", nulls_equal=True).select(_CLASS, "place", ROWS)
    steps = pl.concat([held.cast({"place": pl.Int64}), starts]).sort(_CLASS, "place", ROWS)
    steps = steps.with_columns(
        within=(pl.col(ROWS).cum_sum() / pl.col(ROWS).sum()).over(_CLASS),
        until=pl.col("place").shift(-1, fill_value=count - 1).over(_CLASS),
    )
    within, start, end = (steps[name].to_numpy() for name in ("within", "place", "until"))
    # From `start` to `end` the class's cumulated share is the same, while that of the whole grows past it at `cross`.
    cross = np.clip(np.searchsorted(overall, within), start, end)
    before, after = below[cross] - below[start], below[end] - below[cross]
    apart = within * (cross - start) - before + after - within * (end - cross)
    return (
        steps.select(_CLASS, t=pl.Series(apart) / max(count - 1, 1))
        .group_by(_CLASS)
        .agg(pl.col("t").sum())
        .sort(_CLASS)
    )


def _rounded(value: object) -> float:
    """Sums of floats depend on their order, and groups come in any: rounded, equal tables give equal figures."""
    return round(value, 12) if isinstance(value, float) else 0.0
