"""However a table is cut, stored or ordered, its extract is the same file; counts of pieces are those of the whole."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.engine.scale import Scale
from anonymize.engine.tasks import Job, load_class_map, release_rows, write_class_map
from anonymize.errors import AnonymizeError, TargetNotMet
from anonymize.facts import EXACT_ROWS, Facts
from anonymize.large_csv import spool_csv
from anonymize.pipeline import build_extract
from anonymize.policy import AnonymizationPolicy, parse_policy
from anonymize.table import ROW_GROUP_ROWS, TableWriter, file_digest, read_table
from tests.anonymize_cases import (
    AGE,
    KEEP,
    KEY,
    NOW,
    PSEUDONYM,
    QUASI_DROPPED,
    QUASI_KEPT,
    SENSITIVE,
    TOWN,
    policy_text,
)

COLUMNS: dict[str, Any] = {
    "id": PSEUDONYM,
    "age": AGE,
    "town": TOWN,
    "sex": QUASI_KEPT,
    "street": QUASI_DROPPED,
    "illness": SENSITIVE,
    "people": {
        "class": "non_sensitive",
        "technique": "swap",
        "reason": "made of the whole column",
        "params": {"percent": 50},
    },
    "high": KEEP,
}
"""Two columns have names that the engine uses for its own."""
ROWS = st.lists(
    st.tuples(
        st.sampled_from([f"p{number}" for number in range(12)]),
        st.integers(0, 99),
        st.sampled_from(["a1", "a2", "b1", None]),
        st.sampled_from(["f", "m"]),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["flu", "cold", "none", None]),
        st.integers(0, 9),
        st.sampled_from([0.5, 1.0, None]),
    ),
    min_size=8,
    max_size=60,
).filter(lambda rows: all(any(row[column] is not None for row in rows) for column in range(8)))
SCHEMA: dict[str, Any] = {
    "id": pl.String, "age": pl.Int64, "town": pl.String, "sex": pl.String, "street": pl.String, "illness": pl.String,
    "people": pl.Int64, "high": pl.Float64,
}  # fmt: skip


def _outcome(source: Path, out: Path, policy: AnonymizationPolicy, scale: Scale) -> tuple[str, Any]:
    """The digest and the figures of an extract, or the code of its refusal."""
    try:
        made = build_extract(source=source, policy=policy, key=KEY, out_dir=out, created_at=NOW, scale=scale)
    except AnonymizeError as refused:
        return refused.code, None
    told = {name: made.manifest[name] for name in ("rows", "risk", "loss", "columns", "schema")}
    return file_digest(made.extract_path), told


@settings(max_examples=12, deadline=None)
@given(
    rows=ROWS,
    size=st.integers(1, 30),
    seed=st.integers(0, 9),
    recoding=st.sampled_from(["global", "local"]),
    swapped=st.booleans(),
)
def test_any_size_of_piece_and_any_order_give_the_same_extract(
    rows: list[tuple[Any, ...]], size: int, seed: int, recoding: str, swapped: bool
) -> None:
    columns = COLUMNS if swapped else {**COLUMNS, "people": KEEP}
    policy = parse_policy(policy_text(columns, target={"k": 2, "l": 2, "suppression_limit": 0.5}, recoding=recoding))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(folder / "t.parquet")
        whole = _outcome(folder / "t.parquet", folder / "one", policy, Scale())
        random.Random(seed).shuffle(rows)  # noqa: S311 - the order of a test's rows
        shuffled = pl.DataFrame(rows, schema=SCHEMA, orient="row")
        (folder / "t").mkdir()
        cut = len(rows) // 3 + 1
        shuffled.head(cut).write_parquet(folder / "t" / "a.parquet")
        shuffled.slice(cut).write_parquet(folder / "t" / "b.parquet", row_group_size=5)
        assert _outcome(folder / "t", folder / "cut", policy, Scale(rows=size)) == whole
        assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) == []


@settings(max_examples=12, deadline=None)
@given(
    values=st.lists(st.sampled_from([None, "a", "b", "c"]) | st.text("xyz", max_size=2), min_size=1, max_size=40),
    size=st.integers(1, 15),
)
def test_facts_of_pieces_add_up_to_those_of_the_table(values: list[str | None], size: int) -> None:
    numbers = [float(len(value)) if value else float("nan") for value in values]
    frame = pl.DataFrame({"text": pl.Series(values, dtype=pl.String), "number": numbers})
    whole = Facts.of(frame)
    pieces = [Facts.of(frame.slice(at, size), of_rows=frame.height) for at in range(0, frame.height, size)]
    total = Facts.total(pieces)
    assert (total.rows, total.nulls, total.not_finite) == (whole.rows, whole.nulls, whole.not_finite)
    assert total.distinct("text") == whole.distinct("text") == frame["text"].drop_nulls().n_unique()


@pytest.mark.parametrize("distinct", [100, 200_000, 3_000_000])
def test_distinct_values_of_a_large_table_are_counted_to_a_hundredth(distinct: int) -> None:
    rows = 3 * EXACT_ROWS
    column = (pl.int_range(rows, eager=True) % distinct).alias("code")
    found = Facts.of(column.to_frame()).distinct("code")
    assert found is not None
    assert abs(found - min(distinct, rows)) <= max(60, 0.01 * distinct)


@settings(max_examples=12, deadline=None)
@given(
    cells=st.lists(
        st.tuples(
            st.sampled_from(["1", "12", "-3", "007", "2.5", "", "x,y", 'q"q', "字", "张三\n四"]),
            st.sampled_from(["1.5", "2.25", "10", ""]),
            st.sampled_from(["1", "20", "-3"]),
        ),
        min_size=1,
        max_size=30,
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_large_csv_is_read_as_a_small_one(cells: list[tuple[str, ...]], encoding: str, end: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "t.csv"
        frame = pl.DataFrame(cells, schema=["词", "b", "c"], orient="row")
        text = frame.write_csv(quote_style="always", line_terminator=end)
        path.write_bytes(text.encode(encoding))
        assert pl.read_parquet(spool_csv(path, Path(name) / "spooled.parquet")).equals(read_table(path))


def test_a_large_csv_may_end_its_lines_as_old_macintosh_programs_do(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes('词,b\r甲,007\r\r"乙,丙",12\r'.encode())
    assert pl.read_parquet(spool_csv(path, tmp_path / "spooled.parquet")).equals(read_table(path))
    assert read_table(path).height == 2


@settings(max_examples=3, deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * ROW_GROUP_ROWS + 77), max_size=6))
def test_bytes_of_a_written_table_do_not_depend_on_how_many_rows_come_at_a_time(cuts: list[int]) -> None:
    rows = 2 * ROW_GROUP_ROWS + 77
    frame = pl.DataFrame({"n": pl.int_range(rows, eager=True) % 1000}).with_columns(t=pl.col("n").cast(pl.String))
    with tempfile.TemporaryDirectory() as name:
        whole, parts = Path(name) / "whole", Path(name) / "parts"
        with TableWriter(whole) as writer:
            writer.write(frame)
        ends = [*sorted(cuts), rows]
        with TableWriter(parts) as writer:
            for start, end in zip([0, *ends[:-1]], ends, strict=True):
                writer.write(frame.slice(start, end - start))
        assert file_digest(whole) == file_digest(parts)


def test_a_row_of_no_class_counted_is_refused(tmp_path: Path) -> None:
    policy = parse_policy(policy_text({"town": QUASI_KEPT}))
    job = Job(policy=policy, table="t", rows=2, folder=tmp_path, whole=(), key=KEY)
    classes = pl.DataFrame({"raw town": ["a", None], "people": [1, 1]})
    write_class_map(job, classes, pl.DataFrame({"town": ["a", None]}), pl.Series([True, True]))
    load_class_map.cache_clear()
    known = pl.DataFrame({"town": [None, "a"]})
    assert release_rows(job, known, pl.DataFrame())[0].equals(known)
    with pytest.raises(TargetNotMet):
        release_rows(job, pl.DataFrame({"town": ["a", "b"]}), pl.DataFrame())
