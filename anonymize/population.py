"""The table of the population that a table was drawn from, for k-map and delta-presence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.privacy.histogram import Codes, Histogram, fold
from anonymize.privacy.lattice import Generalization
from anonymize.privacy.presence import PEOPLE
from anonymize.table import read_table
from anonymize.techniques.drop import Drop
from anonymize.techniques.generalize import Leveled
from anonymize.text import Text


def read_population(path: Path | None, policy: AnonymizationPolicy) -> pl.DataFrame | None:
    """The distinct rows of a population over the released quasi-identifiers, with how many people have each.

    Raises:
        NotFound: there is no such table.
        BadInput: a population is asked for and not given, or given and not asked for, or lacks a quasi-identifier.
    """
    if (path is None) != (policy.target.population is None):
        raise _not_as_asked(given=path is not None)
    if path is None:
        return None
    frame = read_table(path)
    quasi = [rule.name for rule in policy.of_class(ColumnClass.QUASI_ID) if not isinstance(rule.technique, Drop)]
    for name in quasi:
        if name not in frame.columns:
            raise Place(table=path.name, column=name).refuse(
                "population.column_missing",
                found=Text("总体表中没有该准标识符", "the population's table has no such quasi-identifier"),
                next_step=Text(
                    "请在总体表中补上该列，取值与源表写法相同。",
                    "Add it to the population's table, spelled as in the source.",
                ),
            )
    return frame.group_by(quasi).agg(pl.len().cast(pl.Int64).alias("")).rename({"": PEOPLE})


def cast_like(values: pl.Series, source: pl.Series, *, table: str) -> pl.Series:
    """A column of the population with the type it has in the table.

    Raises:
        BadInput: some values can't have it.
    """
    try:
        return values.cast(source.dtype)
    except pl.exceptions.PolarsError as failed:
        raise Place(table=table, column=source.name).refuse(
            "population.other_type",
            found=Text("总体表中该列的类型与源表不同", "in the population's table it has another type than here"),
            next_step=Text("请用与源表相同的类型导出总体表。", "Export the population's table with the same types."),
        ) from failed


def split_codes(leveled: Leveled, rows: int) -> tuple[Leveled, Codes]:
    """A column coded for table and population together: the table's part, and the population's codes."""
    return replace(leveled, codes=leveled.codes[:rows]), leveled.codes[rows:]


def check_drawn(histogram: Histogram, *, table: str) -> None:
    """Every row of the table is somebody of the population.

    Raises:
        BadInput: some combinations of quasi-identifiers occur on more rows than people have them.
    """
    ids, count = np.zeros(len(histogram.weights), dtype=np.int64), 1
    for column, codes in zip(histogram.columns, histogram.quasi, strict=True):
        ids, count = fold(ids, count, codes, len(column.leaves))
    rows = np.bincount(ids, weights=histogram.weights, minlength=count)
    people = np.bincount(ids, weights=histogram.population, minlength=count)
    if missing := int((rows - people).clip(min=0).sum()):
        raise BadInput(
            code="population.not_drawn_from",
            subject=table,
            text=Text(
                f"总体表被拒绝：表 {table} 有 {missing} 行在总体表中找不到对应的人。",
                f"Population's table refused: for {missing} rows of table {table} it has nobody.",
            ),
            next_step=Text(
                "请提供包含源表所有人的总体表。",
                "Give the population that all of the source is drawn from.",
            ),
        )


def generalize_population(
    columns: Sequence[Leveled], codes: Sequence[Codes], population: pl.DataFrame, found: Generalization
) -> pl.DataFrame:
    """The population at the levels found: one row per class, with its people."""
    shown = pl.DataFrame(
        [
            replace(leveled, codes=own).released(level, population[leveled.name]).alias(leveled.name)
            for leveled, own, level in zip(columns, codes, found.levels, strict=True)
        ]
    )
    people = population[PEOPLE]
    numbered = shown.rename({leveled.name: f"q{n}" for n, leveled in enumerate(columns)}).with_columns(people)
    counted = numbered.group_by(pl.exclude(PEOPLE)).agg(pl.col(PEOPLE).sum())
    return counted.rename({f"q{n}": leveled.name for n, leveled in enumerate(columns)})


def _not_as_asked(*, given: bool) -> BadInput:
    if given:
        return BadInput(
            code="population.not_asked",
            subject="--population-table",
            text=Text(
                "给出了总体表，但规则没有 [target.population]。",
                "A population was given, but the policy asks nothing of it.",
            ),
            next_step=Text(
                "请在规则中写明 k_map 或 delta_max，或不给总体表。", "Set k_map or delta_max, or give none."
            ),
        )
    return BadInput(
        code="population.missing",
        subject="--population-table",
        text=Text(
            "规则的 [target.population] 需要总体表，但没有给出。",
            "The policy's [target.population] needs the population's table.",
        ),
        next_step=Text("请用 --population-table 指定。", "Name it with --population-table."),
    )
