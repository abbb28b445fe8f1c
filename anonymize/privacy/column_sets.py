"""Which columns, alone and together, single people out.

A column that tells many rows apart is a quasi-identifier whether or not a policy calls it one; which sets of columns
do it says where coarser values help most.

Source: Motwani and Xu 2007 for distinction and separation; Elliot et al. 2002 (SUDA) for minimal sets that make a row
unique.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import BadInput
from anonymize.privacy.histogram import Codes, fold
from anonymize.privacy.risk import HIGH_RISK
from anonymize.text import Text

MAX_SETS: Final = 100_000
"""Sets of columns looked at in one go: more answer no question and take hours."""
_WEIGHT: Final = "weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRisk:
    """How far one column tells rows apart.

    Units: distinction is distinct values per row; separation the share of pairs of rows with different values.
    """

    column: str
    distinction: float
    separation: float

    def as_json(self) -> dict[str, Any]:
        return {"distinction": self.distinction, "separation": self.separation}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSetRisk:
    """The risk against somebody who knows exactly these columns.

    Units: counts of classes and rows; the others are shares from 0 to 1. `minimal`: some row is unique under these
    columns and under no smaller choice of them.
    """

    columns: tuple[str, ...]
    classes: int
    uniques: float
    rows_at_risk: float
    prosecutor_max: float
    prosecutor_mean: float
    minimal: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "classes": self.classes,
            "uniques": self.uniques,
            "rows_at_risk": self.rows_at_risk,
            "prosecutor_max": self.prosecutor_max,
            "prosecutor_mean": self.prosecutor_mean,
            "minimal": self.minimal,
        }


def measure_columns(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[ColumnRisk, ...]:
    """Distinction and separation of each column, most telling first; null is a value of its own."""
    found = [_column(frame[name]) for name in columns]
    return tuple(sorted(found, key=lambda risk: (-risk.distinction, -risk.separation, risk.column)))


def measure_column_sets(
    frame: pl.DataFrame,
    columns: Sequence[str],
    *,
    max_size: int,
    threshold: Fraction = HIGH_RISK,
    tell: Callable[[str, float], None] = lambda step, share: None,
) -> tuple[ColumnSetRisk, ...]:
    """Every set of up to `max_size` columns, small sets first, among equals the most telling first.

    Memory grows with distinct rows, not with rows.

    Raises:
        BadInput: there are more than `MAX_SETS` such sets.
    """
    sizes = range(1, min(max_size, len(columns)) + 1)
    total = sum(comb(len(columns), size) for size in sizes)
    if total > MAX_SETS:
        raise _too_many(total)
    found: list[ColumnSetRisk] = []
    unique: dict[tuple[int, ...], npt.NDArray[np.bool_]] = {}
    codes, weights = _distinct_rows(frame, columns)
    for chosen, classes in _sets(codes, sizes.stop - 1, weights):
        found.append(_set_risk(chosen, classes, columns=columns, weights=weights, unique=unique, threshold=threshold))
        tell("subsets", len(found) / total)
    return tuple(sorted(found, key=lambda risk: (len(risk.columns), -risk.uniques, -risk.prosecutor_mean)))


def _column(column: pl.Series) -> ColumnRisk:
    counts = column.value_counts(name="rows")["rows"].cast(pl.Float64)
    rows = len(column)
    alike = float((counts * (counts - 1)).sum()) / (rows * (rows - 1)) if rows > 1 else 1.0
    return ColumnRisk(column=column.name, distinction=len(counts) / rows if rows else 0.0, separation=1 - alike)


def _distinct_rows(frame: pl.DataFrame, columns: Sequence[str]) -> tuple[list[Codes], Codes]:
    """Codes of the distinct rows, one array a column, and how many rows are alike in all of them."""
    coded = frame.select(
        pl.col(name).rank("dense").fill_null(0).cast(pl.Int64).alias(f"c{number}")
        for number, name in enumerate(columns)
    )
    counted = coded.group_by(coded.columns, maintain_order=True).len(_WEIGHT)
    return [counted[name].to_numpy() for name in coded.columns], counted[_WEIGHT].to_numpy().astype(np.int64)


def _sets(codes: Sequence[Codes], most: int, weights: Codes) -> Iterator[tuple[tuple[int, ...], Codes]]:
    """Every choice of up to `most` columns with the class of each distinct row; smaller parts of a set come first.

    The classes of a set are refined from those of the set without its last column.
    """
    level: list[tuple[tuple[int, ...], Codes, int]] = [((), np.zeros(len(weights), dtype=np.int64), 1)]
    for size in range(1, most + 1):
        after: list[tuple[tuple[int, ...], Codes, int]] = []
        for chosen, ids, count in level:
            for column in range(chosen[-1] + 1 if chosen else 0, len(codes)):
                blocks = int(codes[column].max()) + 1 if len(weights) else 1
                refined, classes = fold(ids, count, codes[column], blocks)
                yield (*chosen, column), refined
                if size < most:
                    after.append(((*chosen, column), refined, classes))
        level = after


def _set_risk(
    chosen: tuple[int, ...],
    classes: Codes,
    *,
    columns: Sequence[str],
    weights: Codes,
    unique: dict[tuple[int, ...], npt.NDArray[np.bool_]],
    threshold: Fraction,
) -> ColumnSetRisk:
    sizes = np.bincount(classes, weights=weights).astype(np.int64)
    rows = int(weights.sum())
    alone = sizes[classes] == 1
    smaller = [unique[part] for part in (chosen[:at] + chosen[at + 1 :] for at in range(len(chosen))) if part in unique]
    unique[chosen] = alone
    risky = sizes[sizes * threshold.numerator < threshold.denominator].sum()
    return ColumnSetRisk(
        columns=tuple(columns[column] for column in chosen),
        classes=len(sizes),
        uniques=float((sizes == 1).sum() / rows) if rows else 0.0,
        rows_at_risk=float(risky / rows) if rows else 0.0,
        prosecutor_max=float(1 / sizes.min()) if rows else 0.0,
        prosecutor_mean=len(sizes) / rows if rows else 0.0,
        minimal=bool((alone & ~np.any(smaller, axis=0)).any()) if smaller else bool(alone.any()),
    )


def _too_many(total: int) -> BadInput:
    return BadInput(
        code="risk.too_many_sets",
        subject="--subsets",
        text=Text(
            f"列的组合被拒绝：共有 {total} 个组合，上限 {MAX_SETS} 个。",
            f"Sets of columns refused: there are {total} of them, the limit is {MAX_SETS}.",
        ),
        next_step=Text("请减小 --subsets 或少选几列。", "Name a smaller --subsets, or fewer columns."),
    )
