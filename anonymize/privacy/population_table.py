"""Journalist risk counted on a table of the population: how many people stand behind each class of the released table.

A class's figure is the number of people in the population whom its cells cover, and at least its own rows: whoever is
in the table is in the population, whether or not the list has them.

Source: El Emam 2013, chapter 16; k-map, Sweeney 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from anonymize.privacy.histogram import Codes
from anonymize.privacy.linkage import Linked


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRisk:
    """The risk with a population table.

    Units: `k_map` people; the risks shares from 0 to 1, the highest and the mean over rows (marketer); `rows_beyond`
    the share of the rows whose class the population table has fewer people for than the table has rows.
    """

    people: int
    k_map: int
    journalist_max: float
    marketer: float
    rows_beyond: float

    def as_json(self) -> dict[str, Any]:
        return {
            "people": self.people,
            "k_map": self.k_map,
            "journalist_max": self.journalist_max,
            "marketer": self.marketer,
            "rows_beyond": self.rows_beyond,
        }


def measure_in_population(linked: Linked) -> PopulationRisk:
    """The journalist's and the marketer's risk of a table linked with its population."""
    behind, rows = _behind(linked), int(linked.sizes.sum())
    beyond = int(linked.sizes[linked.candidates < linked.sizes].sum())
    return PopulationRisk(
        people=int(linked.people.sum()),
        k_map=int(behind.min()) if rows else 0,
        journalist_max=1 / int(behind.min()) if rows else 0.0,
        marketer=float((linked.sizes / behind).sum() / rows) if rows else 0.0,
        rows_beyond=beyond / rows if rows else 0.0,
    )


def people_behind_rows(linked: Linked) -> pl.Series:
    """For each row of the table the number of people behind its class."""
    return pl.Series("population_size", _behind(linked)[linked.class_of_row])


def _behind(linked: Linked) -> Codes:
    return np.maximum(linked.candidates, linked.sizes)
