"""The risk of a sample for whoever does not know who is in it: how many rows of the whole table could each row be?

The whole table is at hand, so nothing is estimated. A row of a locally recoded sample could be every row of the table
that has its labels at its own levels.

Source: journalist and marketer risk, El Emam 2013, chapter 16; k-map, Sweeney 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.policy import AnonymizationPolicy
from anonymize.techniques.generalize import Generalize, level_column
from anonymize.transform import Transformed

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """What was drawn, and the risk with the whole table as the population.

    Units: `k_map` in rows of the whole table that a released row could be, at the least; risks from 0 to 1.
    """

    rows: int
    of: int
    k_map: int
    journalist_max: float
    marketer: float

    def as_json(self) -> dict[str, Any]:
        risk = {"k_map": self.k_map, "journalist_max": self.journalist_max, "marketer": self.marketer}
        return {"rows": self.rows, "of": self.of, "rate": round(self.rows / self.of, 6), "population": risk}


def measure_sample(
    policy: AnonymizationPolicy,
    made: Transformed,
    *,
    drawn: pl.DataFrame,
    whole: pl.DataFrame,
    people: pl.Series,
    table: str,
) -> Sampled:
    """For every released row, how many rows of the whole table have its labels.

    Shape: `whole` has the distinct rows of the whole table over the released quasi-identifiers, before the levels, and
    `people` how often each occurs; `drawn` the same columns of the rows that the plan was made for.
    """
    plan, kept = made.plan, made.kept.to_numpy()
    names = [leveled.name for leveled in plan.columns]
    stacked = pl.concat([whole.select(names), drawn.select(names)])
    weights = np.concatenate([people.to_numpy(), np.zeros(drawn.height)])
    levels = [_blocks(policy, name, stacked, table=table) for name in names]
    positions = np.stack([plan.positions(at) for at in range(len(names))], axis=1)
    vectors, which = np.unique(positions, axis=0, return_inverse=True)
    matches = np.zeros(drawn.height)
    for number, vector in enumerate(vectors.astype(int).tolist()):
        rows = np.flatnonzero((which.ravel() == number) & kept)
        keys = np.zeros(stacked.height, dtype=np.int64)
        for blocks, position in zip(levels, vector, strict=True):
            joined = keys * (int(blocks[position].max()) + 1) + blocks[position]
            keys = np.unique(joined, return_inverse=True)[1].ravel()
        matches[rows] = np.bincount(keys, weights=weights)[keys[whole.height + rows]]
    found, released = matches[kept], plan.weights[kept]
    return Sampled(
        rows=int(plan.weights.sum()),
        of=int(people.sum()),
        k_map=int(found.min()),
        journalist_max=float(1 / found.min()),
        marketer=float((released / found).sum() / released.sum()),
    )


def _blocks(policy: AnonymizationPolicy, name: str, rows: pl.DataFrame, *, table: str) -> list[Indices]:
    """For each level that a column may be released at the block of each row."""
    rule = policy.rule_for(name)
    technique = rule.technique if rule is not None and isinstance(rule.technique, Generalize) else None
    leveled = level_column(rows[name], technique, place=Place(table=table, column=name))
    return [level.block_of_leaf[leveled.codes] for level in leveled.levels]
