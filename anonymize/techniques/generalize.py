"""Generalize: values become coarser, level by level of a hierarchy. Which level is the search's decision.

A quasi-identifier leaves the level to the search, between `min_level` and `max_level`; any other column names its
`level` in the policy. `Leveled` is the column as the search sees it: numbers instead of values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups, Prefixes
from anonymize.techniques.codes import Divisions, Industries
from anonymize.techniques.dates import AgeBands, CalendarDates
from anonymize.techniques.hierarchy import STAR, Hierarchy, value_key
from anonymize.techniques.intervals import Intervals
from anonymize.techniques.listed import Listed
from anonymize.text import Text

_READERS: Final[Mapping[str, Callable[[Fields], Hierarchy]]] = {
    Bands.kind: Bands.read,
    CalendarDates.kind: CalendarDates.read,
    AgeBands.kind: AgeBands.read,
    Groups.kind: Groups.read,
    Prefixes.kind: Prefixes.read,
    Intervals.kind: Intervals.read,
    Divisions.kind: Divisions.read,
    Industries.kind: Industries.read,
    Listed.kind: Listed.read,
}


MAX_MEMBERS: Final = 1_000_000


class CellKind(StrEnum):
    """What a tight cell lists: the values of its class, or the lowest and the highest."""

    SET = "set"
    INTERVAL = "interval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalize:
    """A hierarchy and the levels that may be released.

    `level` is set for columns that are no quasi-identifiers, and then min_level = max_level = level. `cell` and
    `max_members` are for tight cells; None leaves the kind to the column's type, and sets of any size.
    """

    name: ClassVar[str] = "generalize"
    whole_column: ClassVar[bool] = False
    uses_key: ClassVar[bool] = False

    hierarchy: Hierarchy
    min_level: int
    max_level: int
    level: int | None = None
    cell: CellKind | None = None
    max_members: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Generalize:
        hierarchy = read_hierarchy(fields)
        top = hierarchy.depth - 1
        if fields.has("level"):
            level = fields.integer("level", low=1, high=top)
            return cls(hierarchy=hierarchy, min_level=level, max_level=level, level=level)
        min_level = fields.integer("min_level", low=0, high=top, default=0)
        max_level = fields.integer("max_level", low=0, high=top, default=top)
        if min_level > max_level:
            raise refuse_setting(fields.at("max_level"), zh="不得小于 min_level", en="must not be below min_level")
        cell = CellKind(fields.choice("cell", tuple(CellKind))) if fields.has("cell") else None
        members = fields.integer("max_members", low=2, high=MAX_MEMBERS) if fields.has("max_members") else None
        if members is not None and cell is CellKind.INTERVAL:
            raise refuse_setting(fields.at("max_members"), zh="只用于取值集合", en="is for value sets only")
        return cls(hierarchy=hierarchy, min_level=min_level, max_level=max_level, cell=cell, max_members=members)

    def params(self) -> dict[str, Any]:
        limits = (
            {"min_level": self.min_level, "max_level": self.max_level} if self.level is None else {"level": self.level}
        )
        tight = {"cell": None if self.cell is None else str(self.cell), "max_members": self.max_members}
        chosen = {key: value for key, value in tight.items() if value is not None}
        return {"kind": self.hierarchy.kind, **limits, **chosen, **self.hierarchy.params()}

    def words(self) -> Text:
        """All levels that may be released, in words."""
        levels = [self.words_at(level) for level in range(self.min_level, self.max_level + 1)]
        if len(levels) == 1:
            return levels[0]
        return Text("泛化：" + "；或".join(t.zh for t in levels), "generalized: " + "; or ".join(t.en for t in levels))

    def words_at(self, level: int) -> Text:
        """What one level releases, in words."""
        if level == 0:
            return Text("原值", "the exact value")
        if level == self.hierarchy.depth - 1:
            return Text("全部隐去为 *", "everything hidden as *")
        return self.hierarchy.level_text(level)


def read_hierarchy(fields: Fields) -> Hierarchy:
    """The hierarchy that `kind` names, from its own keys of the same table.

    Raises:
        BadInput: the kind is unknown, or its keys are missing or out of range.
    """
    return _READERS[fields.choice("kind", tuple(_READERS))](fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of one column, for all of the column's exact values ("leaves").

    Shape: `block_of_leaf` and `loss_of_leaf` have one entry per leaf; blocks are numbered from 0.
    Units: loss is NCP of a cell, (|S| - 1) / (n - 1): 0 exact, 1 hidden.
    """

    number: int
    blocks: int
    block_of_leaf: npt.NDArray[np.int64]
    loss_of_leaf: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leveled:
    """A quasi-identifier with every level that may be released, coded as numbers.

    Shape: `codes` has one leaf number per row; leaves are the distinct values in ascending order, null (if any) last;
    null is a category of its own, never a wildcard. `labels` has one text per leaf for each level from 1 on.
    """

    name: str
    codes: npt.NDArray[np.int64]
    leaves: pl.Series
    levels: tuple[Level, ...]
    labels: tuple[pl.Series, ...]

    def released(self, level: int, source: pl.Series) -> pl.Series:
        """The column as released at a level; level 0 is the source itself."""
        if level == 0:
            return source
        return self.labels[level - 1].gather(pl.Series(self.codes)).alias(self.name)

    def released_mixed(self, positions: npt.NDArray[np.int32], source: pl.Series) -> pl.Series:
        """The column as released when rows stand at different levels: texts, exact values spelled as in a policy.

        Shape: `positions` has one position among `levels` for each row. Rows that all stand at one level are released
        as `released` does it, with their own type.
        """
        if len(positions) and (positions == positions[0]).all():
            return self.released(self.levels[int(positions[0])].number, source)
        exact = pl.Series([None if value is None else value_key(value) for value in self.leaves], dtype=pl.String)
        texts = [exact if level.number == 0 else self.labels[level.number - 1] for level in self.levels]
        at = positions.astype(np.int64) * len(self.leaves) + self.codes
        return pl.concat(texts).gather(pl.Series(at)).alias(self.name)

    def at(self, number: int) -> Level:
        """The level with a number."""
        return next(level for level in self.levels if level.number == number)


def level_column(source: pl.Series, technique: Generalize | None, *, place: Place) -> Leveled:
    """Code a quasi-identifier for the search; without a technique it is kept and has level 0 alone.

    Raises:
        BadInput: values that the hierarchy does not know.
    """
    leaves = source.unique().sort(nulls_last=True)
    codes = code_values(source, leaves)
    if technique is None:
        exact = np.arange(len(leaves), dtype=np.int64)
        zero = Level(number=0, blocks=len(leaves), block_of_leaf=exact, loss_of_leaf=np.zeros(len(leaves)))
        return Leveled(name=source.name, codes=codes, leaves=leaves, levels=(zero,), labels=())
    labels = _labels(leaves, technique.hierarchy, place)
    numbers = range(technique.min_level, technique.max_level + 1)
    levels = tuple(_level(number, leaves, labels=labels, hierarchy=technique.hierarchy) for number in numbers)
    return Leveled(name=source.name, codes=codes, leaves=leaves, levels=levels, labels=labels)


def apply_level(source: pl.Series, technique: Generalize, *, place: Place) -> pl.Series:
    """A column that is no quasi-identifier, released at the level its policy names."""
    if technique.level is None:
        raise LookupError("the policy reader demands a level here")
    return level_column(source, technique, place=place).released(technique.level, source)


def code_values(values: pl.Series, leaves: pl.Series) -> npt.NDArray[np.int64]:
    """The position of each value among the leaves; -1 for a value that is none of them."""
    table = pl.DataFrame({"leaf": leaves, "code": pl.Series(range(len(leaves)), dtype=pl.Int64)})
    joined = pl.DataFrame({"leaf": values}).join(table, on="leaf", how="left", nulls_equal=True, maintain_order="left")
    codes: npt.NDArray[np.int64] = joined["code"].fill_null(-1).to_numpy()
    return codes


def _labels(leaves: pl.Series, hierarchy: Hierarchy, place: Place) -> tuple[pl.Series, ...]:
    """Labels of all leaves for levels 1 to the last; null stays null until "*" hides it."""
    known = leaves.drop_nulls()
    missing = pl.Series([None] * (len(leaves) - len(known)), dtype=pl.String)
    between = [pl.concat([labels, missing]) for labels in hierarchy.labels(known, place)] if len(known) else []
    between = between or [missing] * (hierarchy.depth - 2)
    return (*between, pl.Series([STAR] * len(leaves), dtype=pl.String))


def _level(number: int, leaves: pl.Series, *, labels: tuple[pl.Series, ...], hierarchy: Hierarchy) -> Level:
    if number == 0:
        return Level(
            number=0,
            blocks=len(leaves),
            block_of_leaf=np.arange(len(leaves), dtype=np.int64),
            loss_of_leaf=np.zeros(len(leaves)),
        )
    shown = labels[number - 1]
    block = shown.rank("dense").cast(pl.Int64) - 1
    nulls = leaves.null_count()
    blocks = block.n_unique()
    block_of_leaf = block.fill_null(blocks - 1).to_numpy()
    coverage = hierarchy.coverage(number) if number < hierarchy.depth - 1 else None
    total = len(leaves) if hierarchy.domain is None else hierarchy.domain + nulls
    if number == hierarchy.depth - 1:
        covered = np.full(len(leaves), float(total))
    elif coverage is None:
        covered = np.bincount(block_of_leaf)[block_of_leaf].astype(np.float64)
    else:
        covered = np.array([1 if label is None else coverage[label] for label in shown.to_list()], dtype=np.float64)
    loss = (covered - 1) / (total - 1) if total > 1 else np.zeros(len(leaves))
    return Level(number=number, blocks=blocks, block_of_leaf=block_of_leaf, loss_of_leaf=loss)
