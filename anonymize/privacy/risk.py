"""Risk of re-identification under three attackers, from the sizes of the equivalence classes.

- Prosecutor: knows that the target is in the table. Risk of a row is 1 / size of its class.
- Journalist: does not know it, but has an outside list. Without a list of the population the table is its own
  population, so the figure equals the prosecutor's: the cautious reading.
- Marketer: wants many hits, not a certain one. Expected share of rows matched rightly: classes / rows.

Source: El Emam, Guide to the De-Identification of Personal Health Information (2013), chapters 16 and 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any, Final

from anonymize.privacy.classes import Classes

HIGH_RISK: Final = Fraction(1, 5)
"""A row is at high risk above this: 1/5 belongs to k = 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """The risk figures of one table.

    Units: rows, k, classes and uniques are counts; l, l_entropy, c and t are those of `Classes`, c None where it is
    infinite; the others are shares from 0 to 1.
    """

    rows: int
    k: int
    classes: int
    uniques: int
    prosecutor_max: float
    prosecutor_mean: float
    journalist_max: float
    marketer: float
    rows_at_high_risk: float
    l: dict[str, int]  # noqa: E741 - the field's own name
    l_entropy: dict[str, float]
    c: dict[str, float | None]
    c_from: int
    t: dict[str, float]
    t_whole: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The figures as `zhakou risk --json` prints them."""
        return {
            "rows": self.rows,
            "k": self.k,
            "classes": self.classes,
            "uniques": self.uniques,
            "prosecutor_max": self.prosecutor_max,
            "prosecutor_mean": self.prosecutor_mean,
            "journalist_max": self.journalist_max,
            "marketer": self.marketer,
            "l": dict(self.l),
            "l_entropy": dict(self.l_entropy),
            "recursive": {"l": self.c_from, "c": dict(self.c)},
            "t": dict(self.t),
            "t_whole": dict(self.t_whole),
        }


def measure_risk(classes: Classes) -> Risk:
    """The risk of a table from its classes; a table without rows has no risk."""
    rows, worst = classes.rows, 1 / classes.k if classes.k else 0.0
    # The mean over rows of 1 / size adds up to one for each class.
    mean = classes.count / rows if rows else 0.0
    return Risk(
        rows=rows,
        k=classes.k,
        classes=classes.count,
        uniques=classes.uniques,
        prosecutor_max=worst,
        prosecutor_mean=mean,
        journalist_max=worst,
        marketer=mean,
        rows_at_high_risk=rows_at_risk(classes),
        l=dict(classes.l),
        l_entropy=dict(classes.l_entropy),
        c={name: found if isfinite(found) else None for name, found in classes.c.items()},
        c_from=classes.c_from,
        t=dict(classes.t),
        t_whole=dict(classes.t_whole),
    )


def rows_at_risk(classes: Classes, threshold: Fraction = HIGH_RISK) -> float:
    """The share of the rows whose prosecutor risk is above a threshold."""
    # In whole numbers: a row at exactly the threshold is not above it.
    risky = classes.sizes[classes.sizes * threshold.numerator < threshold.denominator]
    return int(risky.sum()) / classes.rows if classes.rows else 0.0
