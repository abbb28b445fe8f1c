"""Tight cells: typed columns that every reader understands, ends that keep what the policy codes, refusals in words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from anonymize.errors import BadInput, Place
from anonymize.explain import explain
from anonymize.policy import dump_policy, parse_policy
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups, Prefixes
from anonymize.techniques.cells import TightColumn, tight_column
from anonymize.techniques.dates import AgeBands, CalendarDates
from anonymize.techniques.generalize import CellKind, Generalize, level_column
from anonymize.techniques.intervals import Intervals
from anonymize.techniques.listed import Listed
from tests.anonymize_cases import AGE, QUASI_KEPT, SENSITIVE, extract_of, generalized, policy_of, policy_text

PLACE = Place(table="t", column="c")
TIGHT = {"recoding": "local", "cells": "tight"}


def column_of(values: list[Any], hierarchy: Any, **changes: Any) -> TightColumn:
    technique = Generalize(hierarchy=hierarchy, **{"min_level": 0, "max_level": hierarchy.depth - 1, **changes})
    return tight_column(level_column(pl.Series("c", values), technique, place=PLACE), technique, place=PLACE)


def cells_of(column: TightColumn, *classes: list[int]) -> list[Any]:
    """The cells of classes given by positions among the distinct values."""
    codes = pl.Series([leaf for members in classes for leaf in members], dtype=pl.Int64).to_numpy()
    number = pl.Series([at for at, members in enumerate(classes) for _ in members], dtype=pl.Int64).to_numpy()
    cells, _ = column.cells(codes, number, len(classes))
    assert cells is not None
    return cells.to_list()


def test_default_is_intervals_for_bands_and_dates_and_sets_for_all_else() -> None:
    assert column_of([1, 2], Bands(widths=(2,))).kind is CellKind.INTERVAL
    assert column_of([dt.date(2026, 1, 1)], CalendarDates(steps=("year",))).kind is CellKind.INTERVAL
    assert column_of([1, 2], Intervals(cuts=((2,),))).kind is CellKind.INTERVAL
    assert column_of(["1", "2"], Bands(widths=(2,))).kind is CellKind.SET
    assert column_of([3101, 3102], Prefixes(lengths=(2,))).kind is CellKind.SET
    assert column_of([1, 2], Groups(levels=((("1", "a"), ("2", "a")),))).kind is CellKind.SET


LISTED = [
    Groups(levels=(tuple((str(age), "all") for age in range(1, 11)),)),
    Listed(rows=tuple(sorted((str(age), "all") for age in range(1, 11)))),
]


@pytest.mark.parametrize("hierarchy", LISTED)
def test_listed_numbers_can_be_intervals_that_cover_the_leaves_between(hierarchy: Any) -> None:
    column = column_of([2, 3, 9], hierarchy, cell=CellKind.INTERVAL)
    codes, number = (
        pl.Series([0, 1, 2, 2], dtype=pl.Int64).to_numpy(),
        pl.Series([0, 0, 0, 1], dtype=pl.Int64).to_numpy(),
    )
    cells, losses = column.cells(codes, number, 2)
    assert cells is not None
    assert cells.to_list() == [{"low": 2, "high": 9}, {"low": 9, "high": 9}]
    assert losses.tolist() == pytest.approx([7 / 9, 0])


def test_values_coded_at_the_ends_are_told_apart_only_where_they_stand_alone() -> None:
    column = column_of([15, 17, 40, 80, 97], Bands(widths=(5,), bottom=18, top=80))
    assert cells_of(column, [0], [0, 1], [2], [1, 2], [2, 3], [3, 4], [4], [0, 4]) == [
        {"low": 15, "high": 15},
        {"low": None, "high": 17},
        {"low": 40, "high": 40},
        {"low": None, "high": 40},
        {"low": 40, "high": None},
        {"low": 80, "high": None},
        {"low": 97, "high": 97},
        {"low": None, "high": None},
    ]


def test_above_level_0_intervals_end_where_bands_end() -> None:
    column = column_of([21, 24, 33, 95], Bands(widths=(5, 10), top=80), min_level=1)
    assert cells_of(column, [0], [0, 1, 2], [2, 3], [3]) == [
        {"low": 20, "high": 24},
        {"low": 20, "high": 34},
        {"low": 30, "high": None},
        {"low": 80, "high": None},
    ]
    months = column_of([dt.date(2024, 2, 3), dt.date(2024, 4, 9)], CalendarDates(steps=("month",)), min_level=1)
    assert cells_of(months, [0], [0, 1]) == [
        {"low": dt.date(2024, 2, 1), "high": dt.date(2024, 2, 29)},
        {"low": dt.date(2024, 2, 1), "high": dt.date(2024, 4, 30)},
    ]


@pytest.mark.parametrize("at", [dt.date(2026, 3, 1), dt.date(2024, 2, 29)])
def test_birth_dates_of_people_above_the_top_age_have_an_open_end(at: dt.date) -> None:
    hierarchy = AgeBands(at=at, widths=(5,), top=80)
    day = dt.date(at.year - 80, at.month, at.day)
    column = column_of([day - dt.timedelta(400), day, day + dt.timedelta(1), day + dt.timedelta(9)], hierarchy)
    assert cells_of(column, [0, 1], [1, 2], [2, 3]) == [
        {"low": None, "high": day},
        {"low": None, "high": day + dt.timedelta(1)},
        {"low": day + dt.timedelta(1), "high": day + dt.timedelta(9)},
    ]


def test_interval_says_whether_rows_without_a_value_are_among_the_class() -> None:
    column = column_of([1, 4, None], Bands(widths=(2,)))
    assert cells_of(column, [0, 1], [1, 2], [2]) == [
        {"low": 1, "high": 4, "or_null": False},
        {"low": 4, "high": 4, "or_null": True},
        None,
    ]


def test_sets_are_sorted_typed_and_list_labels_above_level_0() -> None:
    column = column_of([3102, 3101, 4401, None], Prefixes(lengths=(2,)))
    assert cells_of(column, [1, 0], [2, 3], [3]) == [[3101, 3102], [4401, None], [None]]
    labels = column_of([3102, 3101, 4401], Prefixes(lengths=(2,)), min_level=1)
    assert cells_of(labels, [0, 1], [0, 2]) == [["31*"], ["31*", "44*"]]


def test_set_of_too_many_members_becomes_the_whole_set_of_what_one_label_may_hold() -> None:
    hierarchy = Prefixes(lengths=(1,))
    column = column_of(["a1", "a2", "a3", "a4", "b1", "b2"], hierarchy, max_level=1, max_members=2)
    assert cells_of(column, [0, 1, 2], [3], [4, 5]) == [["a1", "a2", "a3", "a4"], ["a4"], ["b1", "b2"]]


@pytest.mark.parametrize(
    ("values", "hierarchy", "changes", "code"),
    [
        (["a", "b"], Prefixes(lengths=(1,)), {"cell": CellKind.INTERVAL}, "column.no_intervals"),
        (["1", "2"], Bands(widths=(2,)), {"cell": CellKind.INTERVAL}, "column.no_intervals"),
        ([31, 32], Prefixes(lengths=(1,)), {"cell": CellKind.INTERVAL, "min_level": 1}, "column.no_intervals"),
        ([1, 2], Bands(widths=(2,), top=2), {"cell": CellKind.SET}, "column.coded_ends"),
        (["1", "2"], Bands(widths=(2,), top=2), {}, "column.coded_ends"),
    ],
)
def test_cells_that_do_not_fit_a_column_are_refused_by_name(
    values: list[Any], hierarchy: Any, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        column_of(values, hierarchy, **changes)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"cells": "tight"}, "cells"),
        ({"cells": "tight", "recoding": "global"}, "cells"),
        ({"cells": "loose", "recoding": "local"}, "cells"),
    ],
)
def test_tight_cells_without_local_recoding_are_refused(changes: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"age": AGE}, **changes))
    assert refused.value.subject == subject


@pytest.mark.parametrize(
    ("params", "subject"),
    [
        ({"cell": "set"}, "columns.age.params.cell"),
        ({"max_members": 5}, "columns.age.params.max_members"),
        ({"cell": "interval", "max_members": 5}, "columns.age.params.max_members"),
        ({"max_members": 1}, "columns.age.params.max_members"),
    ],
)
def test_parameters_of_tight_cells_are_nothing_without_them(params: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"age": generalized(kind="bands", widths=[10], **params)}, recoding="local"))
    assert refused.value.subject == subject


def test_policy_with_tight_cells_is_read_back_as_it_was_written_and_said_in_words() -> None:
    columns = {"town": generalized(kind="prefixes", lengths=[1], cell="set", max_members=9), "sex": QUASI_KEPT}
    policy = parse_policy(policy_text(columns, **TIGHT))
    assert parse_policy(dump_policy(policy)) == policy
    assert policy.digest != policy_of({"town": generalized(kind="prefixes", lengths=[1]), "sex": QUASI_KEPT}).digest
    assert "value sets of each class" in explain(policy, "en")
    assert "more than 9" in explain(policy, "en")
    assert "取值集合" in explain(policy, "zh")


FRAME = pl.DataFrame(
    {
        "age": [20, 21, 22, 23, None, 41, 42, 43],
        "day": [dt.date(2026, 1, day) for day in range(1, 9)],
        "town": ["a", "a", "b", "b", "c", "c", "d", None],
        "wage": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5],
        "sex": ["f"] * 8,
        "illness": ["flu", "cold"] * 4,
    }
)
RULES = {
    "age": generalized(kind="bands", widths=[10]),
    "day": generalized(kind="dates", steps=["month"]),
    "town": generalized(kind="prefixes", lengths=[1]),
    "wage": generalized(kind="bands", widths=[10]),
    "sex": QUASI_KEPT,
    "illness": SENSITIVE,
}


def test_written_cells_are_read_alike_by_polars_pandas_and_duckdb(tmp_path: Path) -> None:
    made = extract_of(FRAME, parse_policy(policy_text(RULES, target={"k": 4}, **TIGHT)), tmp_path)
    path = made.extract_path
    frame = pl.read_parquet(path)
    assert frame.schema == {
        "age": pl.Struct({"low": pl.Int64, "high": pl.Int64, "or_null": pl.Boolean}),
        "day": pl.Struct({"low": pl.Date, "high": pl.Date}),
        "town": pl.List(pl.String),
        "wage": pl.Struct({"low": pl.Float64, "high": pl.Float64}),
        "sex": pl.String,
        "illness": pl.String,
    }
    held = frame.filter(pl.col("town").list.contains("a")).height
    assert held == 4
    seen = pd.read_parquet(path)
    assert sum("a" in set(members) for members in seen["town"]) == held
    assert seen["age"].map(lambda cell: cell["low"] <= cell["high"]).all()
    extract = duckdb.read_parquet(str(path))
    counted = extract.filter("list_contains(town, 'a')").aggregate("count(*), min(wage.low)").fetchall()
    assert counted == [(held, frame["wage"].struct.field("low").min())]
    classes = extract.aggregate("count(*) as rows", "age, day, town, wage, sex").fetchall()
    assert min(row[0] for row in classes) == made.k >= 4


def test_manifest_and_report_say_what_tight_cells_hold_and_what_they_tell(tmp_path: Path) -> None:
    made = extract_of(FRAME, parse_policy(policy_text(RULES, target={"k": 4}, **TIGHT)), tmp_path)
    assert made.manifest["cells"] == "tight"
    cells = {column["name"]: (column["cell"], column["level"]) for column in made.manifest["columns"]}
    assert cells["age"] == ("interval", None)
    assert cells["town"] == ("set", None)
    assert cells["sex"] == (None, 0)
    assert any("Tight cells tell which values do occur" in said["en"] for said in made.manifest["not_claimed"])
    assert "exactly what each class holds" in made.report_path.read_text()
