"""The questions that can be asked with noise. Everything a mechanism needs to know of the data is declared in them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from anonymize.privacy.dp.loss import Composition, Loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Only rows whose cell, as text, is one of `values`."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Declared bounds of a number, counted in steps: cells are moved to the nearest bound, then to the nearest step.

    Units: all three in the column's own; `low` and `high` are whole numbers of steps.
    """

    low: Decimal
    high: Decimal
    step: Decimal

    @property
    def steps(self) -> tuple[int, int]:
        return int(self.low / self.step), int(self.high / self.step)

    @property
    def is_whole(self) -> bool:
        """Whether every value is an integer, and so stays one."""
        return self.step == self.step.to_integral_value()


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """Declared values of a column; a cell that is none of them is `other`."""

    column: str
    values: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Declared intervals of a number, closed on the left and open on the right; outside of them is `other`."""

    column: str
    values: tuple[Decimal, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"[{low:f}, {high:f})" for low, high in zip(self.values, self.values[1:], strict=False))


Dimension = Categories | Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What every query has: a name within the request, its cost, and which rows it is about."""

    kind: ClassVar[str]
    name: str
    loss: Loss
    where: tuple[Where, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads besides the unit's."""
        return tuple(dict.fromkeys([*self._own_columns(), *(one.column for one in self.where)]))

    def _own_columns(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Query):
    """How many rows, or how many units have such a row."""

    kind: ClassVar[str] = "count"
    of_units: bool = False
    non_negative: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfNumber(Query):
    column: str
    range: Range

    def _own_columns(self) -> tuple[str, ...]:
        return (self.column,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(_OfNumber):
    """The sum of a number."""

    kind: ClassVar[str] = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean(_OfNumber):
    """The mean of a number: a noisy sum over a noisy count, half of the cost each."""

    kind: ClassVar[str] = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantiles(_OfNumber):
    """Quantiles of a number among the steps of its range, the cost shared evenly."""

    kind: ClassVar[str] = "quantiles"
    levels: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells(Query):
    """Counts in declared cells: a histogram (one dimension) or a contingency table (two or more)."""

    kind: ClassVar[str] = "cells"
    dimensions: tuple[Dimension, ...]
    keeps_other: bool = True
    non_negative: bool = False

    def _own_columns(self) -> tuple[str, ...]:
        return tuple(one.column for one in self.dimensions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys(Query):
    """Counts of the values of a column nobody declared; rare ones stay hidden, at the price of a delta."""

    kind: ClassVar[str] = "keys"
    column: str

    def _own_columns(self) -> tuple[str, ...]:
        return (self.column,)


AnyQuery = Count | Sum | Mean | Quantiles | Cells | Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class NoisyRequest:
    """A checked request: queries on one table, whose unit of privacy is one value of `unit`.

    `unit` None: each row is a unit. `max_rows`: rows of one unit that count in one query; others are left out.
    """

    table: str
    unit: str | None
    max_rows: int
    composition: Composition
    queries: tuple[AnyQuery, ...]
    digest: str

    @property
    def loss(self) -> Loss:
        """What all of it costs."""
        total = self.queries[0].loss
        for query in self.queries[1:]:
            total += query.loss
        return total
