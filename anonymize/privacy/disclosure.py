"""Attribute disclosure: what a class of look-alike rows tells about a sensitive attribute without picking anybody out.

Whoever finds a person's class learns that person's value with the share that the most frequent value has in it. A value
that the whole class shares is learnt for certain. Null is no value: a class without any known value tells none.

Source: homogeneity attack, Machanavajjhala et al. 2007 (l-diversity), section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

CONFIDENCES: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_VALUE: Final = "value"
_ROWS: Final = "rows"
_KNOWN: Final = "known"
_TOP: Final = "top"
_ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What the classes tell of one sensitive attribute.

    Units: shares of all rows from 0 to 1. `fixed`: rows whose class has one known value alone; `by_confidence`: rows
    whose class gives its most frequent value away with at least that share; `confidence_mean` the mean over rows;
    `baseline` is the share of the most frequent value in the whole table, which anybody may guess without the classes.
    """

    fixed: float
    classes_fixed: int
    by_confidence: dict[float, float]
    confidence_mean: float
    baseline: float

    def as_json(self) -> dict[str, Any]:
        return {
            "rows_fixed": self.fixed,
            "classes_fixed": self.classes_fixed,
            "rows_by_confidence": {f"{level:g}": share for level, share in self.by_confidence.items()},
            "confidence_mean": self.confidence_mean,
            "baseline": self.baseline,
        }


def measure_disclosure(
    frame: pl.DataFrame, quasi: Sequence[str], sensitive: str, *, weights: pl.Series | None = None
) -> Disclosure:
    """The disclosure of one sensitive attribute; without quasi-identifiers all rows are one class.

    Shape: one row per person, or one per `weights` people alike in all columns named.
    """
    people = pl.repeat(1, frame.height, dtype=pl.Int64, eager=True) if weights is None else weights.cast(pl.Int64)
    classes = _classes(frame, quasi, sensitive, people)
    rows = int(people.sum())
    values = pl.DataFrame({_VALUE: frame[sensitive], _ROWS: people}).drop_nulls(_VALUE)
    counts = values.group_by(_VALUE).agg(pl.col(_ROWS).sum())[_ROWS]
    known = int(counts.sum())
    share = pl.col(_TOP) / pl.col(_KNOWN)
    told = classes.filter(pl.col(_KNOWN) > 0)
    at_least = {
        # A share is a ratio of counts: 7 of 10 is 0.7, whatever the last bit of a float says.
        level: int(told.filter(share >= level - 1e-12)[_ALL].sum()) / rows if rows else 0.0
        for level in CONFIDENCES
    }
    weighted = float(told.select((share * pl.col(_ALL)).sum()).item() or 0.0)
    return Disclosure(
        fixed=at_least[1.0],
        classes_fixed=told.filter(pl.col(_TOP) == pl.col(_KNOWN)).height,
        by_confidence=at_least,
        confidence_mean=round(weighted / rows, 12) if rows else 0.0,
        baseline=int(counts.to_numpy().max()) / known if known else 0.0,
    )


def row_confidence(frame: pl.DataFrame, quasi: Sequence[str], sensitive: str) -> pl.Series:
    """For each row the share that its own sensitive value has among the known values of its class; null where
    unknown."""
    keys = [pl.col(name) for name in quasi] or [pl.lit(1)]
    value = pl.col(sensitive)
    own = value.is_not_null().sum().over([*keys, value]) / value.is_not_null().sum().over(keys)
    return frame.select(pl.when(value.is_not_null()).then(own).alias(sensitive)).to_series()


def _classes(frame: pl.DataFrame, quasi: Sequence[str], sensitive: str, people: pl.Series) -> pl.DataFrame:
    """One row per class: all its rows, those with a known value, and those with its most frequent one."""
    # Own names: a column of the table may be called anything.
    keys = [f"q{number}" for number in range(len(quasi))]
    named = frame.select(
        *(pl.col(name).alias(key) for name, key in zip(quasi, keys, strict=True)),
        pl.col(sensitive).alias(_VALUE),
        people.alias(_ROWS),
    )
    if not keys:
        keys, named = ["q"], named.with_columns(q=pl.lit(0))
    pairs = named.group_by([*keys, _VALUE]).agg(pl.col(_ROWS).sum())
    counted = pl.col(_ROWS).filter(pl.col(_VALUE).is_not_null())
    return pairs.group_by(keys).agg(
        pl.col(_ROWS).sum().alias(_ALL), counted.sum().alias(_KNOWN), counted.max().alias(_TOP)
    )
