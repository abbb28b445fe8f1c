"""k-map and delta-presence, measured: the classes of a table held against those of the population it was drawn from.

Sources: k-map, Sweeney 2002: so many people of the population match every class. Delta-presence, Nergiz, Atzori and
Clifton 2007: the chance that somebody of the population is in the table stays within bounds; people of the population
whom no class matches are known to be absent, a chance of 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from anonymize.target import PopulationTarget

PEOPLE = "people"
_ROWS = "rows"
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Units: people of the population who match the class that fewest match; least and greatest share in the table."""

    k_map: int
    delta_min: float
    delta_max: float

    def misses(self, target: PopulationTarget) -> bool:
        return (
            self.k_map < (target.k_map or 0)
            or self.delta_min < target.delta_min - _TOLERANCE
            or self.delta_max > target.delta_max + _TOLERANCE
        )


def measure_presence(frame: pl.DataFrame, quasi: Sequence[str], outside: pl.DataFrame, weights: pl.Series) -> Presence:
    """The presence of a table's classes in a population at the same levels.

    Shape: `frame` has a row per `weights` people; `outside` one row per class of the population, with its `people`.
    """
    held = _held(frame, quasi, outside, weights)
    inside = held.filter(pl.col(_ROWS) > 0)
    share = held[_ROWS] / held[PEOPLE]
    return Presence(
        k_map=int(inside[PEOPLE].to_numpy().min(initial=2**62)) if len(inside) else 0,
        delta_min=round(float(share.to_numpy().min(initial=1.0)), 12),
        delta_max=round(float(share.to_numpy().max(initial=0.0)), 12),
    )


def rows_present(
    frame: pl.DataFrame, quasi: Sequence[str], outside: pl.DataFrame, weights: pl.Series, target: PopulationTarget
) -> pl.Series:
    """Which rows lie in a class that meets k-map and the upper bound of delta."""
    held = _held(frame, quasi, outside, weights)
    meets = (pl.col(PEOPLE) >= (target.k_map or 0)) & (pl.col(_ROWS) <= target.delta_max * pl.col(PEOPLE) + _TOLERANCE)
    keys = [f"q{number}" for number in range(len(quasi))]
    joined = _renamed(frame, quasi).join(
        held.with_columns(meets.alias("meets")), on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return joined["meets"].fill_null(False)


def _held(frame: pl.DataFrame, quasi: Sequence[str], outside: pl.DataFrame, weights: pl.Series) -> pl.DataFrame:
    """Every class of table or population, its rows in the one and people in the other; none there counts as none."""
    keys = [f"q{number}" for number in range(len(quasi))]
    inside = (
        _renamed(frame, quasi).with_columns(weights.cast(pl.Int64).alias(_ROWS)).group_by(keys).agg(pl.col(_ROWS).sum())
    )
    people = _renamed(outside, quasi).with_columns(outside[PEOPLE].alias(PEOPLE))
    joined = people.join(inside, on=keys, how="full", coalesce=True, nulls_equal=True)
    return joined.with_columns(pl.col(_ROWS).fill_null(0), pl.col(PEOPLE).fill_null(0))


def _renamed(frame: pl.DataFrame, quasi: Sequence[str]) -> pl.DataFrame:
    # Own names: a column of the table may be called anything.
    return frame.select(pl.col(name).alias(f"q{number}") for number, name in enumerate(quasi))
