"""Tight cells keep the target on any table, hold every value they stand for, and never lose more than labels would."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import Place, TargetNotMet
from anonymize.pipeline import Extracted
from anonymize.policy import parse_policy
from anonymize.privacy import tight_classes
from anonymize.privacy.histogram import Histogram, build_histogram, sensitive_codes
from anonymize.privacy.lattice import Unreachable
from anonymize.privacy.local import LocalRecoding, recode_locally
from anonymize.privacy.peel import Walk
from anonymize.privacy.tight import TightRecoding, recode_tightly
from anonymize.target import Target
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups, Prefixes
from anonymize.techniques.cells import TightColumn, tight_column
from anonymize.techniques.dates import CalendarDates
from anonymize.techniques.generalize import Generalize, level_column
from tests.anonymize_cases import QUASI_KEPT, SENSITIVE, extract_of, generalized, policy_text

DAYS = [dt.date(2025, 1, 30), dt.date(2025, 1, 31), dt.date(2025, 2, 1), dt.date(2025, 4, 2), dt.date(2026, 4, 2)]
HIERARCHIES: dict[str, Any] = {
    "age": Bands(widths=(2, 4), top=6),
    "town": Groups(levels=((("a", "north"), ("b", "north"), ("c", "south"), ("d", "south"), ("e", "south")),)),
    "code": Prefixes(lengths=(1,)),
    "born": CalendarDates(steps=("month", "year")),
}
COLUMNS: dict[str, Any] = {
    "age": generalized(kind="bands", widths=[2, 4], top=6),
    "town": generalized(kind="groups", levels=[{"north": ["a", "b"], "south": ["c", "d", "e"]}], max_members=3),
    "code": generalized(kind="prefixes", lengths=[1]),
    "born": generalized(kind="dates", steps=["month", "year"], min_level=1),
    "sex": QUASI_KEPT,
    "illness": SENSITIVE,
    "row": {"class": "non_sensitive", "technique": "keep", "reason": "for the test"},
}
ROWS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, 3, 5, 6, 7, None]),
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from(["x1", "x2", "y1"]),
        st.sampled_from(DAYS),
        st.sampled_from(["f", "f", "f", "m"]),
        st.sampled_from(["flu", "cold", "cough", None]),
    ),
    min_size=1,
    max_size=60,
)
WALKS = [Walk(few_rows=2), Walk(few_rows=2, nodes=0), Walk(few_rows=10**6)]
"""Each way of the walk, on tables too small to take it by themselves."""


def frame_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {
        "age": pl.Int64,
        "town": pl.String,
        "code": pl.String,
        "born": pl.Date,
        "sex": pl.String,
        "illness": pl.String,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    # A float, as a whole number that differs on every row would be refused as an identifier.
    return frame.with_columns(pl.int_range(pl.len()).cast(pl.Float64).alias("row"))


def prepared(frame: pl.DataFrame, *, lowest: int = 0, highest: int = 99) -> list[TightColumn]:
    columns: list[TightColumn] = []
    for name, hierarchy in HIERARCHIES.items():
        technique = Generalize(hierarchy=hierarchy, min_level=lowest, max_level=min(highest, hierarchy.depth - 1))
        place = Place(table="t", column=name)
        columns.append(tight_column(level_column(frame[name], technique, place=place), technique, place=place))
    return columns


def searched(
    rows: list[tuple[Any, ...]], target: Target, walk: Walk, *, lowest: int = 0, highest: int = 99
) -> tuple[TightRecoding | Unreachable, list[TightColumn], Histogram]:
    frame = frame_of(rows)
    columns = prepared(frame, lowest=lowest, highest=highest)
    sensitive = [sensitive_codes(frame["illness"])] if target.needs_sensitive else []
    histogram = build_histogram([column.leveled for column in columns], sensitive)
    return recode_tightly(histogram, columns, target, walk=walk), columns, histogram


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("lowest", [0, 1])
@settings(max_examples=25, deadline=None)
@given(rows=ROWS, k=st.integers(2, 6), diversity=st.sampled_from([None, 2]), limit=st.sampled_from([0.0, 0.2, 1.0]))
def test_every_class_meets_the_target_and_the_loss_is_what_is_said(
    walk: Walk, rows: list[tuple[Any, ...]], k: int, diversity: int | None, limit: float, lowest: int
) -> None:
    target = Target(k=k, l=diversity, suppression_limit=limit)
    found, columns, histogram = searched(rows, target, walk, lowest=lowest)
    if isinstance(found, Unreachable):
        return
    members = defaultdict(list)
    for row, combination in enumerate(histogram.of_row):
        members[int(found.number[combination])].append(row)
    removed = members.pop(-1, [])
    assert len(members) == found.classes
    cost = float(len(removed) * len(columns))
    for number, held in members.items():
        assert len(held) >= k
        assert diversity is None or len({rows[row][5] for row in held} - {None}) >= diversity
        for column, losses in zip(columns, found.losses[number], strict=True):
            leaves = {int(column.leveled.codes[row]) for row in held}
            assert losses == pytest.approx(loss_by_hand(column, leaves))
            cost += float(losses) * len(held)
    assert found.loss == pytest.approx(cost / (len(rows) * len(columns)))
    assert found.lower_bound <= found.loss + 1e-9
    assert found.suppressed == len(removed) <= limit * len(rows) + 1e-9


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4), t=st.sampled_from([0.2, 0.4, 0.6]), limit=st.sampled_from([0.0, 0.3]))
def test_no_class_is_farther_from_the_whole_table_than_t(
    rows: list[tuple[Any, ...]], k: int, t: float, limit: float
) -> None:
    found, _, histogram = searched(rows, Target(k=k, t=t, suppression_limit=limit), Walk())
    if isinstance(found, Unreachable):
        return
    whole = Counter(row[5] for row in rows)
    members = defaultdict(list)
    for row, combination in enumerate(histogram.of_row):
        members[int(found.number[combination])].append(rows[row][5])
    members.pop(-1, None)
    for held in members.values():
        within = Counter(held)
        apart = sum(abs(within[value] / len(held) - share / len(rows)) for value, share in whole.items()) / 2
        assert len(held) >= k
        assert apart <= t + 1e-9


def loss_by_hand(column: TightColumn, leaves: set[int]) -> float:
    """(|S| - 1) / (n - 1) by counting which leaves the cell covers, one by one."""
    if column.leaves == 1:
        return 0.0
    first = column.leveled.levels[0]
    if column.ends is None:
        blocks = {int(first.block_of_leaf[leaf]) for leaf in leaves}
        covered = 0.0
        for block in blocks:
            leaf = next(leaf for leaf in leaves if first.block_of_leaf[leaf] == block)
            covered += float(first.loss_of_leaf[leaf]) * (column.leaves - 1) + 1
        return (covered - 1) / (column.leaves - 1)
    known = sorted(leaf for leaf in leaves if leaf != column.null)
    if not known:
        return 0.0
    values = column.leveled.leaves.drop_nulls().to_list()
    low, high = column.ends.low[known[0]], column.ends.high[known[-1]]
    if column.exact and known[0] == known[-1]:
        low = high = values[known[0]]
    within = [value for value in values if (low is None or value >= low) and (high is None or value <= high)]
    return (len(within) - 1 + (column.null in leaves)) / (column.leaves - 1)


@pytest.mark.parametrize("walk", WALKS)
@settings(max_examples=30, deadline=None)
@given(rows=ROWS, k=st.integers(2, 6), diversity=st.sampled_from([None, 2]))
def test_tight_cells_never_lose_more_than_labels(
    walk: Walk, rows: list[tuple[Any, ...]], k: int, diversity: int | None
) -> None:
    target = Target(k=k, l=diversity)
    found, _, histogram = searched(rows, target, walk)
    labels = recode_locally(histogram, target, walk=walk)
    assert isinstance(found, Unreachable) == isinstance(labels, Unreachable)
    if isinstance(found, TightRecoding) and isinstance(labels, LocalRecoding):
        assert found.loss <= labels.loss + 1e-9


@pytest.mark.parametrize("walk", WALKS)
@settings(max_examples=20, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4), order=st.randoms(use_true_random=False))
def test_answer_does_not_depend_on_the_order_of_rows(
    walk: Walk, rows: list[tuple[Any, ...]], k: int, order: Any
) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)
    one, other = (searched(each, Target(k=k, suppression_limit=0.2), walk)[0] for each in (rows, shuffled))
    if isinstance(one, Unreachable) or isinstance(other, Unreachable):
        assert one == other
        return
    assert np.array_equal(one.number, other.number)
    assert one.loss == other.loss


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4))
def test_columns_of_very_many_values_are_searched_to_the_same_end(rows: list[tuple[Any, ...]], k: int) -> None:
    """Past `DENSE` the classes that hold a member are listed instead of ticked in a table."""
    found, _, _ = searched(rows, Target(k=k), Walk())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tight_classes, "DENSE", 0)
        listed, _, _ = searched(rows, Target(k=k), Walk())
    if isinstance(found, Unreachable) or isinstance(listed, Unreachable):
        assert found == listed
        return
    assert np.array_equal(found.number, listed.number)


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4))
def test_values_that_no_allowed_label_covers_never_share_a_cell(rows: list[tuple[Any, ...]], k: int) -> None:
    found, columns, histogram = searched(rows, Target(k=k, suppression_limit=1.0), Walk(), highest=1)
    if isinstance(found, Unreachable):
        return
    for column, codes in zip(columns, histogram.quasi, strict=True):
        parts = defaultdict(set)
        for number, code in zip(found.number, codes, strict=True):
            parts[int(number)].add(int(column.part[code]))
        parts.pop(-1, None)
        assert all(len(held) == 1 for held in parts.values())


def built(rows: list[tuple[Any, ...]], folder: str, **target: Any) -> Extracted | None:
    frame = frame_of(rows)
    if any(frame[name].null_count() == frame.height for name in ("age", "town", "illness")):
        return None
    policy = parse_policy(policy_text(COLUMNS, target=target, recoding="local", cells="tight"))
    try:
        return extract_of(frame, policy, Path(folder))
    except TargetNotMet:
        return None


def cell_of(value: Any) -> Any:
    """A cell as something that can be compared and hashed."""
    if isinstance(value, list):
        return tuple(value)
    return tuple(sorted(value.items())) if isinstance(value, dict) else value


@settings(max_examples=25, deadline=None)
@given(rows=ROWS, k=st.integers(2, 5), diversity=st.sampled_from([None, 2]))
def test_written_file_holds_k_and_l_and_every_value_lies_in_its_cell(
    rows: list[tuple[Any, ...]], k: int, diversity: int | None
) -> None:
    target = {"k": k, "suppression_limit": 0.4, **({"l": diversity} if diversity else {})}
    with TemporaryDirectory() as folder:
        made = built(rows, folder, **target)
        if made is None:
            return
        written = pq.read_table(made.extract_path).to_pylist()
    classes: dict[Any, list[Any]] = defaultdict(list)
    for record in written:
        classes[tuple(cell_of(record[name]) for name in list(COLUMNS)[:5])].append(record["illness"])
    assert made.k == min(map(len, classes.values())) >= k
    assert diversity is None or min(len(set(held) - {None}) for held in classes.values()) >= diversity
    for record in written:
        age, town, code, born, sex, illness = rows[int(record["row"])]
        assert (record["sex"], record["illness"]) == (sex, illness)
        assert town in record["town"]
        assert code in record["code"]
        assert record["code"] == sorted(record["code"])
        assert record["born"]["low"] <= born <= record["born"]["high"]
        assert record["born"]["low"].day == 1
        cell = record["age"]
        if age is None:
            assert cell is None or cell["or_null"]
            continue
        assert cell["low"] is not None or cell["high"] is not None
        assert (cell["low"] or 0) <= age <= (99 if cell["high"] is None else cell["high"])
        # Ages from 6 on are coded: told apart only where a class holds a single age.
        assert cell["low"] == cell["high"] or cell["high"] is None or cell["high"] < 6


@settings(max_examples=10, deadline=None)
@given(rows=ROWS, order=st.randoms(use_true_random=False))
def test_any_order_of_the_source_gives_the_same_digest(rows: list[tuple[Any, ...]], order: Any) -> None:
    numbered = list(enumerate(rows))
    order.shuffle(numbered)
    policy = parse_policy(policy_text(COLUMNS, target={"k": 2}, recoding="local", cells="tight"))
    frame = frame_of(rows)
    if any(frame[name].null_count() == frame.height for name in ("age", "town", "illness")):
        return
    digests: list[str] = []
    with TemporaryDirectory() as folder:
        for name, source in (("one", frame), ("other", frame[[place for place, _ in numbered]])):
            try:
                digests.append(extract_of(source, policy, Path(folder) / name).manifest["digests"]["extract"])
            except TargetNotMet:
                digests.append("refused")
    assert digests[0] == digests[1]
