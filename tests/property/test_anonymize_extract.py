"""What an extract promises holds on the written file, for any table: k, l, order, keys."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import TargetNotMet
from anonymize.pipeline import Extracted
from anonymize.policy import parse_policy
from anonymize.table import file_digest
from tests.anonymize_cases import (
    AGE,
    KEY,
    OTHER_KEY,
    PSEUDONYM,
    QUASI_KEPT,
    SENSITIVE,
    TOWN,
    extract_of,
    policy_of,
    policy_text,
)

COLUMNS = {"id": PSEUDONYM, "age": AGE, "town": TOWN, "sex": QUASI_KEPT, "illness": SENSITIVE}
ROWS = st.lists(
    st.tuples(
        st.sampled_from([f"p{number}" for number in range(12)]),
        st.integers(0, 99),
        st.sampled_from(["a1", "a2", "b1", None]),
        st.sampled_from(["f", "m"]),
        st.sampled_from(["flu", "cold", "none"]),
    ),
    min_size=6,
    max_size=60,
).filter(lambda rows: any(row[2] is not None for row in rows))
"""A column of nulls alone is refused, which is not the matter here."""


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {"id": pl.String, "age": pl.Int64, "town": pl.String, "sex": pl.String, "illness": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _extract(rows: list[tuple[Any, ...]], folder: str, *, key: bytes = KEY, **target: Any) -> Extracted | None:
    policy = policy_of(COLUMNS, **(target or {"k": 3, "suppression_limit": 0.4}))
    try:
        return extract_of(_frame(rows), policy, Path(folder), key=key)
    except TargetNotMet:
        assert not (Path(folder) / "out").exists()
        return None


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, k=st.integers(2, 5), diversity=st.integers(2, 3))
def test_k_and_l_hold_on_the_written_file(rows: list[tuple[Any, ...]], k: int, diversity: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = _extract(rows, folder, k=k, l=diversity, suppression_limit=0.5)
        if made is None:
            return
        written = pl.read_parquet(made.extract_path)
        classes: dict[Any, list[str]] = defaultdict(list)
        for row in written.iter_rows(named=True):
            classes[row["age"], row["town"], row["sex"]].append(row["illness"])
        assert min(map(len, classes.values())) >= k
        assert min(len(set(members)) for members in classes.values()) >= diversity
        assert made.manifest["rows"]["suppressed"] == len(rows) - written.height <= 0.5 * len(rows)
        assert made.k == min(map(len, classes.values())) == made.manifest["risk"]["after"]["k"]


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, order=st.randoms(use_true_random=False))
def test_any_order_of_the_source_gives_the_same_digest(rows: list[tuple[Any, ...]], order: Any) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = _extract(rows, one), _extract(shuffled, other)
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert file_digest(first.extract_path) == file_digest(second.extract_path)
            assert first.manifest["digests"]["extract"] == file_digest(first.extract_path)


@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_pseudonyms_of_two_keys_never_join(rows: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = _extract(rows, one), _extract(rows, other, key=OTHER_KEY)
        if first is not None and second is not None:
            codes = [set(pl.read_parquet(made.extract_path)["id"]) for made in (first, second)]
            assert codes[0].isdisjoint(codes[1])
            assert codes[0].isdisjoint(row[0] for row in rows)


@settings(max_examples=20, deadline=None)
@given(rows=ROWS)
def test_same_person_is_the_same_pseudonym_across_tables_of_one_licence(rows: list[tuple[Any, ...]]) -> None:
    """With nothing removed, the pseudonyms occur as often as the people, in each table."""
    policy = parse_policy(policy_text({**COLUMNS, "sex": {**QUASI_KEPT, "technique": "drop"}}, target={"k": 2}))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        whole = extract_of(_frame(rows), policy, Path(one))
        part = extract_of(_frame(rows[: len(rows) // 2 + 2]), policy, Path(other))
        codes, fewer = (Counter(pl.read_parquet(made.extract_path)["id"]) for made in (whole, part))
        assert sorted(codes.values()) == sorted(Counter(row[0] for row in rows).values())
        assert set(fewer) <= set(codes)
