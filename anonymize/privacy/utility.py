"""What a released table is still good for, by the figures that tools of this field report.

All are counted on distinct rows with their numbers of people, so that time and memory grow with classes. A released
cell stands for a set S of the n exact values of its column; a removed row is one whose every cell stands for all of
them.

- Granularity: 1 - NCP, where NCP is the mean over cells of (|S| - 1) / (n - 1). ARX's granularity, one minus its Loss.
- Generalization intensity: 1 - mean over cells of level / last level, a removed cell at the last. ARX, Sweeney's
  precision.
- Non-uniform entropy: mean over columns of sum(-log2 n(x, r) / n(r)) / sum(-log2 n(x) / N) with x the exact value and
  r the released cell: the share of what was to be known that is lost.
- Discernibility: sum of squared class sizes, each removed row counting N.
- Average class size: kept rows / classes; over k it is C_avg.

Sources: Iyengar 2002 (loss); Sweeney 2002 (precision); Gionis and Tassa 2009 (non-uniform entropy); Bayardo and Agrawal
2005 (discernibility); LeFevre, DeWitt and Ramakrishnan 2006 (C_avg).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.privacy.covers import comparable
from anonymize.privacy.distributions import Distance, Ties
from anonymize.techniques.hierarchy import STAR

_BEFORE: Final = "before"
_AFTER: Final = "after"
_PEOPLE: Final = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnUtility:
    """What is left of one quasi-identifier.

    Units: from 0 to 1. Granularity and intensity: 1 untouched; entropy_loss: 0 untouched. None where it can't be told:
    intensity where cells have no level, entropy where it is not known which row became which.
    """

    granularity: float
    intensity: float | None
    entropy_loss: float | None

    def as_json(self) -> dict[str, Any]:
        return {
            "granularity": _rounded(self.granularity),
            "generalization_intensity": _rounded(self.intensity),
            "entropy_loss": _rounded(self.entropy_loss),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Utility:
    """What is left of a table.

    Shape: `quasi` by released quasi-identifier, `distances` by released column that can be compared.
    Units: rows and classes are counts; `discernibility` rows squared.
    """

    rows: int
    kept: int
    classes: int
    k: int
    discernibility: float
    quasi: Mapping[str, ColumnUtility]
    distances: Mapping[str, Distance] = field(default_factory=dict)
    ties: Ties | None = None

    @property
    def average_class_size(self) -> float:
        return self.kept / self.classes if self.classes else 0.0

    def as_json(self) -> dict[str, Any]:
        """As manifests carry it and `zhakou utility --json` prints it."""
        columns = list(self.quasi.values())
        names = [*self.quasi, *(name for name in self.distances if name not in self.quasi)]
        return {
            "granularity": _mean([column.granularity for column in columns]),
            "generalization_intensity": _mean([column.intensity for column in columns]),
            "entropy_loss": _mean([column.entropy_loss for column in columns]),
            "discernibility": self.discernibility,
            "discernibility_share": _rounded(self.discernibility / self.rows**2) if self.rows else 0.0,
            "average_class_size": _rounded(self.average_class_size),
            "c_avg": _rounded(self.average_class_size / self.k),
            "columns": {
                name: {
                    **(self.quasi[name].as_json() if name in self.quasi else {}),
                    "distance": self.distances[name].as_json() if name in self.distances else None,
                }
                for name in names
            },
            "ties": None if self.ties is None else self.ties.as_json(),
        }


def entropy_loss(before: pl.Series, after: pl.Series, *, people: pl.Series, kept: pl.Series) -> float:
    """Non-uniform entropy lost by one column.

    Shape: one exact value and one released cell per distinct row, `people` alike, and whether they were kept; removed
    rows stand together as one cell. A column of one value has nothing to lose: 0.
    """
    removed = pl.lit(STAR) if after.dtype == pl.String else pl.lit(None)
    shown = pl.DataFrame({_AFTER: after, "kept": kept}).select(pl.when("kept").then(_AFTER).otherwise(removed))[_AFTER]
    # Cells as numbers; a removed row without a text to be shown as has a number of its own.
    numbers = comparable(shown).rank("dense").cast(pl.Int64).fill_null(-1)
    if after.dtype != pl.String:
        numbers = numbers.zip_with(kept, pl.Series([-2]))
    frame = pl.DataFrame({_BEFORE: before, _AFTER: numbers, _PEOPLE: people})
    pairs = frame.group_by(_BEFORE, _AFTER).agg(pl.col(_PEOPLE).sum())
    whole = _bits(pairs.group_by(_BEFORE).agg(pl.col(_PEOPLE).sum())[_PEOPLE], int(people.sum()))
    cell_rows = pairs.with_columns(pl.col(_PEOPLE).sum().over(_AFTER).alias("of"))
    lost = _bits(cell_rows[_PEOPLE], cell_rows["of"].to_numpy())
    return lost / whole if whole > 0 else 0.0


def discernibility(sizes: npt.NDArray[np.int64], *, rows: int) -> float:
    """Sum of squared sizes of the kept classes, plus `rows` for each removed row."""
    return float((sizes.astype(np.float64) ** 2).sum() + float(rows - int(sizes.sum())) * rows)


def intensity(shares: Mapping[int, float], *, kept: float, depth: int) -> float:
    """Generalization intensity of a column as ARX gives it: 1 untouched, 0 nothing left.

    Units: `shares` of the kept rows by level, `kept` the share of all rows; `depth` the number of levels.
    """
    top = depth - 1
    lost = sum(share * level / top for level, share in shares.items()) if top else 0.0
    return 1 - (kept * lost + (1 - kept))


def _bits(counts: pl.Series, of: Any) -> float:
    """Sum over people of -log2 of their group's share."""
    people = counts.cast(pl.Float64).to_numpy()
    return float(-(people * np.log2(people / of)).sum())


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return _rounded(sum(known) / len(known)) if known and len(known) == len(values) else None


def _rounded(value: float | None) -> float | None:
    # Sums of floats depend on their order: rounded, so that equal tables give equal figures.
    return None if value is None else round(value, 6)
