"""What the privacy maps take for granted: a person changes at most `max_rows` integers of a query."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import BadInput
from anonymize.privacy.dp.queries import Keys
from anonymize.privacy.dp.rows import codes_of, load_rows
from tests.anonymize_cases import write_xlsx
from tests.noisy_cases import AGES, COUNT, KEYS, MEAN, QUANTILES, SUM, TABLE, TOWNS, request_of

QUERIES: list[dict[str, Any]] = [
    COUNT,
    {**COUNT, "of": "units"},
    {**COUNT, "where": {"town": ["A"]}},
    SUM,
    {**SUM, "step": 0.5, "where": {"town": ["A", "B"]}},
    MEAN,
    QUANTILES,
    TOWNS,
    {**TOWNS, "other": "drop"},
    AGES,
    TABLE,
    KEYS,
]
CELL = st.sampled_from(["", "A", "B", "C", "0", "7", "49.5", "50", "1e9", "-3", "inf", "nan", "seven", " 7 "])
ROW = st.tuples(st.sampled_from(["", " ", "p1", "p2", "p3"]), CELL, CELL)


def _frame(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(("id", "town", "income"), pl.String), orient="row")
    return frame.with_columns(pl.when(pl.all() == "").then(None).otherwise(pl.all()).name.keep())


def _counted(frame: pl.DataFrame, query: dict[str, Any], max_rows: int) -> Counter[Any]:
    request = request_of(query, max_rows=max_rows)
    codes, keys = codes_of(frame, request.queries[0], request)
    assert codes.dtype == pl.Int64
    return Counter(keys[code] for code in codes) if isinstance(request.queries[0], Keys) else Counter(codes)


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(ROW, max_size=25), query=st.sampled_from(QUERIES), max_rows=st.integers(1, 3))
def test_leaving_a_person_out_takes_at_most_max_rows(
    rows: list[tuple[str, str, str]], query: dict[str, Any], max_rows: int
) -> None:
    whole = _counted(_frame(rows), query, max_rows)
    without = _counted(_frame([row for row in rows if row[0] != "p1"]), query, max_rows)
    assert not without - whole, "someone else's rows count differently"
    most = 1 if query.get("of") == "units" else max_rows
    assert (whole - without).total() <= most


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROW, max_size=15), query=st.sampled_from(QUERIES), data=st.data())
def test_order_of_the_rows_does_not_count(
    rows: list[tuple[str, str, str]], query: dict[str, Any], data: st.DataObject
) -> None:
    moved = data.draw(st.permutations(rows))
    assert _counted(_frame(rows), query, 2) == _counted(_frame(moved), query, 2)


def test_rows_beyond_the_bound_of_a_person_do_not_count() -> None:
    frame = _frame([("p1", "A", str(number)) for number in range(10)] + [("p2", "A", "1")])
    assert _counted(frame, COUNT, 3).total() == 4
    assert _counted(frame, {**COUNT, "of": "units"}, 3).total() == 2


def test_rows_without_a_person_do_not_count() -> None:
    assert _counted(_frame([("", "A", "1"), (" ", "A", "1"), ("p1", "A", "1")]), COUNT, 3).total() == 1


def test_codes_are_what_the_request_declares() -> None:
    frame = _frame([("p1", "A", "49.5"), ("p2", "B", "50"), ("p3", "C", "100"), ("p4", "", "-1"), ("p5", "A", "x")])
    assert _counted(frame, TABLE, 1) == Counter([0, 4, 8, 8, 2])
    assert _counted(frame, {**TABLE, "other": "drop"}, 1) == Counter([0, 3])
    assert _counted(frame, {**SUM, "step": 0.5}, 1) == Counter([99, 100, 200, 0])
    assert _counted(frame, KEYS, 1) == Counter(["A", "A", "B", "C"])


@pytest.mark.parametrize("stray", ["007", "x", "1.5", ""])
def test_one_cell_does_not_change_how_the_others_are_read(tmp_path: Any, stray: str) -> None:
    """The anonymizer's reader would take the column for numbers without it and for text with it."""
    request = request_of({**TOWNS, "columns": {"town": {"categories": ["7", "1"]}}}, {**SUM, "column": "town"})
    counted = []
    for name, towns in (("plain", ["7", "1", "1"]), ("stray", ["7", "1", "1", stray])):
        rows = [[f"p{number}", town] for number, town in enumerate(towns)]
        (tmp_path / f"{name}.csv").write_text("id,town\n" + "".join(",".join(row) + "\n" for row in rows))
        numbers = [[unit, int(town) if town in ("7", "1") else town] for unit, town in rows]
        book = write_xlsx(tmp_path / f"{name}.xlsx", [["id", "town"], *numbers])
        for path in (tmp_path / f"{name}.csv", book):
            frame = load_rows(path, request)
            counted.append([Counter(codes_of(frame, query, request)[0]) for query in request.queries])
    plain, with_stray = counted[:2], counted[2:]
    for before, after in zip(plain, with_stray, strict=True):
        assert [one - other for one, other in zip(before, after, strict=True)] == [Counter(), Counter()]


def test_table_without_rows_can_be_asked(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("id,town,income\n")
    pl.DataFrame(schema={"id": pl.String, "income": pl.Int64}).write_parquet(tmp_path / "t.parquet")
    for path in (tmp_path / "t.csv", tmp_path / "t.parquet"):
        assert load_rows(path, request_of(SUM)).height == 0


@pytest.mark.parametrize(
    ("query", "column"),
    [(SUM, pl.Series([[1]])), (TOWNS, pl.Series([[1]])), (SUM, pl.Series(["2026-01-01"]).str.to_date())],
    ids=["list", "list of categories", "date"],
)
def test_column_of_another_kind_is_refused_by_its_type(tmp_path: Any, query: dict[str, Any], column: pl.Series) -> None:
    pl.DataFrame({"id": ["p1"], "income": column, "town": column}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadInput) as refused:
        load_rows(tmp_path / "t.parquet", request_of(query))
    assert refused.value.code == "noisy.column_type"


def test_missing_column_is_named(tmp_path: Any) -> None:
    (tmp_path / "t.csv").write_text("id,town\np1,A\n")
    with pytest.raises(BadInput) as refused:
        load_rows(tmp_path / "t.csv", request_of(SUM))
    assert refused.value.subject == "t.csv:income"
