"""What each released cell of a column costs, read off the cell itself, so that extracts of any tool can be scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.privacy.covers import covered_values
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.hierarchy import STAR, value_key

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLosses:
    """Shape: one entry per distinct cell. Units: NCP of the cell; its level, -1 for cells that have none."""

    ncp: Floats
    level: npt.NDArray[np.int64]


def measure_cells(cells: pl.Series, values: pl.Series, *, technique: Generalize | None, place: Place) -> CellLosses:
    """What cells lose of a column whose exact values are known.

    Shape: distinct cells, distinct exact values. Where a hierarchy names its values itself, those absent from the table
    count too. A cell that covers no value, or one, loses nothing.
    """
    domain = None if technique is None else technique.hierarchy.domain
    total = len(values) if domain is None else domain + values.null_count()
    covered = covered_values(cells, values, technique=technique, place=place, null_is_anything=False)
    levels = {} if technique is None else _levels(values, technique, place)
    sizes: list[int] = []
    for cell, members in zip(cells, covered, strict=True):
        named = [cell] if not isinstance(cell, pl.Series | list | tuple) else list(cell)
        known = [levels.get(_key(each)) for each in named]
        if isinstance(cell, str) and cell == STAR:
            sizes.append(total)
        elif domain is not None and not isinstance(cell, Mapping) and all(each is not None for each in known):
            sizes.append(sum(each.covers for each in known if each is not None))
        else:
            sizes.append(len(members))
    ncp = (np.maximum(np.array(sizes, dtype=np.float64), 1) - 1) / (total - 1) if total > 1 else np.zeros(len(sizes))
    last = 0 if technique is None else technique.hierarchy.depth - 1
    return CellLosses(ncp=ncp, level=np.array([_level(cell, levels, last) for cell in cells], dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    level: int
    covers: int


def _levels(values: pl.Series, technique: Generalize, place: Place) -> dict[str, _Label]:
    """The finest level of every exact value and label, and how many exact values of the hierarchy it covers."""
    hierarchy, known = technique.hierarchy, values.drop_nulls()
    found: dict[str, _Label] = {value_key(value): _Label(level=0, covers=1) for value in known}
    for level, labels in enumerate(hierarchy.labels(known, place), start=1):
        coverage = hierarchy.coverage(level) or {}
        for label in labels.unique():
            found.setdefault(label, _Label(level=level, covers=coverage.get(label, 1)))
    return found


def _level(cell: Any, levels: Mapping[str, _Label], last: int) -> int:
    if cell is None:
        return 0
    if isinstance(cell, str) and cell == STAR:
        return last
    if isinstance(cell, Mapping | pl.Series | list | tuple):
        return -1
    known = levels.get(_key(cell))
    return 0 if known is None and not levels else (-1 if known is None else known.level)


def _key(cell: Any) -> str:
    return "" if cell is None or isinstance(cell, Mapping) else value_key(cell)
