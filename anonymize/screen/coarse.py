"""Coarse microdata: rows of few values each that occur in the extract often, so that no single one is rare.

The row match by rarity (`rowmatch`) scores them 0. What gives them away is that many columns hang together as in
the extract: shuffling any one of them makes combinations that do not occur. The groups of an aggregate hang
together too, so a table is only taken for microdata if it repeats combinations or gives no counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import ExtractIndex, Precision
from anonymize.screen.roles import Role, named_role
from anonymize.screen.rowmatch import Mapped, map_columns, occurrences, summed

TIED: Final = 0.05
"""Loss of occurring rows from which a shuffled column counts as tied to the others."""
LEAST_TIED: Final = 4
LEAST_SHARE: Final = 0.5
LEAST_EXCESS: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class CoarseMatch:
    """Rows that occur in the extract over the tied columns.

    Units: shares of the compared rows; `coincidence` what independent shuffles give.
    """

    rows: int
    columns: int
    share: float
    coincidence: float


def coarse_match(
    columns: list[pl.Series], headers: tuple[str, ...], index: ExtractIndex, *, deadline: Deadline
) -> CoarseMatch | None:
    """The match over tied columns if it makes the table microdata; else None."""
    if len(columns) < LEAST_TIED:
        return None
    mapped = map_columns(columns, headers, index, Precision.FULL)
    mapped = _agreeing(mapped, deadline)
    tied = _tied(mapped)
    if len(tied.names) < LEAST_TIED:
        return None
    share, chance = _occurring(tied), _by_chance(tied)
    if share < LEAST_SHARE or share - chance < LEAST_EXCESS:
        return None
    rows = len(tied.submitted[0])
    repeated = len(np.unique(summed(tied.submitted))) < rows
    counted = any(named_role(header) is Role.COUNT for header in headers)
    if counted and not repeated:
        return None
    return CoarseMatch(rows=rows, columns=len(tied.names), share=share, coincidence=chance)


def _occurring(mapped: Mapped) -> float:
    return float((occurrences(summed(mapped.submitted), summed(mapped.extract)) > 0).mean())


def _agreeing(mapped: Mapped, deadline: Deadline) -> Mapped:
    """Leave out columns whose origin is wrong: without them many more rows occur."""
    while len(mapped.names) > LEAST_TIED:
        deadline.check()
        now = _occurring(mapped)
        if now >= 0.95:
            return mapped
        gain, at = max((_occurring(mapped.without(i)), i) for i in range(len(mapped.names)))
        if gain <= now + 0.02:
            return mapped
        mapped = mapped.without(at)
    return mapped


def _tied(mapped: Mapped) -> Mapped:
    if not mapped.names:
        return mapped
    now = _occurring(mapped)
    chance = np.random.default_rng(46)
    for at in reversed(range(len(mapped.names))):
        submitted = list(mapped.submitted)
        submitted[at] = chance.permutation(submitted[at])
        if now - _occurring(Mapped(mapped.names, submitted, mapped.extract, mapped.cardinality)) < TIED:
            mapped = mapped.without(at)
            if not mapped.names:
                return mapped
    return mapped


def _by_chance(mapped: Mapped) -> float:
    chance = np.random.default_rng(47)
    shuffled = [chance.permutation(values) for values in mapped.submitted]
    return _occurring(Mapped(mapped.names, shuffled, mapped.extract, mapped.cardinality))
