"""What the rungs of the ladder promise holds for any table and policy: one schema, k in the sample, nothing rare."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import AnonymizeError
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted
from anonymize.rung import Rung, rounded_rows
from anonymize.techniques.sample import sample_size
from tests.anonymize_cases import AGE, DROP, KEEP, KEY, NOW, PSEUDONYM, QUASI_KEPT, SENSITIVE, TOWN, policy_of

DATES = {**SENSITIVE, "technique": "generalize", "params": {"kind": "dates", "steps": ["month"], "level": 1}}
CODE = {**SENSITIVE, "technique": "pseudonymize", "params": {"domain": "building"}}
CHOICES: dict[str, tuple[dict[str, Any], ...]] = {
    "id": (PSEUDONYM, DROP),
    "age": (AGE, DROP),
    "town": (TOWN, QUASI_KEPT),
    "illness": (SENSITIVE, CODE),
    "visits": (KEEP,),
    "fee": (KEEP, SENSITIVE),
    "seen": (KEEP, DATES),
    "alive": (KEEP, SENSITIVE),
    "weight": (KEEP,),
}
SCHEMA = {
    "id": pl.String,
    "age": pl.Int64,
    "town": pl.String,
    "illness": pl.String,
    "visits": pl.Int16,
    "fee": pl.Float64,
    "seen": pl.Date,
    "alive": pl.Boolean,
    "weight": pl.Float32,
}
ROW = st.tuples(
    st.sampled_from([f"p{number}" for number in range(30)]),
    st.integers(0, 99),
    st.sampled_from(["a1", "a2", "b1", None]),
    st.sampled_from(["flu", "cold", "none", "rare1", "rare2", None]),
    st.integers(-3, 40),
    st.one_of(st.none(), st.just(0.0), st.integers(1, 90_000).map(lambda cents: cents / 100)),
    st.one_of(st.none(), st.dates(dt.date(2024, 1, 1), dt.date(2024, 12, 31))),
    st.sampled_from([True, False, None]),
    st.floats(0, 1, width=32),
)
ROWS = st.lists(ROW, min_size=30, max_size=90)
POLICIES = st.fixed_dictionaries({name: st.sampled_from(choices) for name, choices in CHOICES.items()})


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _build(frame: pl.DataFrame, columns: dict[str, Any], rung: Rung, folder: Path, *, k: int) -> Extracted | None:
    """The rung, or None when it refused and left nothing."""
    folder.mkdir()
    frame.write_parquet(folder / "t.parquet")
    policy = policy_of(columns, k=k, suppression_limit=0.5)
    out = folder / "out"
    try:
        return build_rung(rung=rung, source=folder / "t.parquet", policy=policy, key=KEY, out_dir=out, created_at=NOW)
    except AnonymizeError as refused:
        if refused.code == "extract.verify_failed":
            raise
        assert [path.name for path in folder.iterdir()] == ["t.parquet"]
        return None


def _ladder(
    rows: list[tuple[Any, ...]], columns: dict[str, Any], folder: str, *, k: int, times: int = 1
) -> dict[Rung, pl.DataFrame]:
    """The written extract of each rung that was built, from `rows` repeated."""
    frame = pl.concat([_frame(rows)] * times)
    built = {rung: _build(frame, columns, rung, Path(folder) / str(rung), k=k) for rung in Rung}
    return {rung: pl.read_parquet(made.extract_path) for rung, made in built.items() if made is not None}


@settings(max_examples=20, deadline=None)
@given(rows=ROWS, columns=POLICIES, k=st.integers(2, 4), times=st.integers(1, 4))
def test_every_rung_has_the_schema_of_the_full_extract(
    rows: list[tuple[Any, ...]], columns: dict[str, Any], k: int, times: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        frames = _ladder(rows, columns, folder, k=k, times=times)
        if Rung.FULL not in frames:
            assert frames == {}
            return
        assert Rung.METADATA in frames
        full = frames[Rung.FULL]
        for rung, frame in frames.items():
            assert list(frame.schema.items()) == list(full.schema.items()), rung


@settings(max_examples=30, deadline=None)
@given(rows=ROWS, columns=POLICIES, k=st.integers(2, 6), times=st.integers(1, 3))
def test_synthetic_rows_hold_nothing_rare_and_copy_no_unique_row(
    rows: list[tuple[Any, ...]], columns: dict[str, Any], k: int, times: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        frames = _ladder(rows, columns, folder, k=k, times=times)
        if Rung.SYNTHETIC not in frames:
            return
        full, made = frames[Rung.FULL], frames[Rung.SYNTHETIC]
        coded = [name for name in full.columns if columns[name]["technique"] == "pseudonymize"]
        for name in full.columns:
            counts = Counter(full[name].drop_nulls().to_list())
            banned = {value for value, count in counts.items() if count < k or name in coded}
            assert banned.isdisjoint(made[name].drop_nulls().to_list()), name
            if not full[name].dtype.is_numeric() and not full[name].dtype.is_temporal() and name not in coded:
                assert set(made[name].drop_nulls()) <= set(counts), name
            elif name not in coded and made[name].drop_nulls().len():
                assert full[name].min() <= made[name].min() <= made[name].max() <= full[name].max(), name
        others = [name for name in full.columns if name not in coded]
        single = {row for row, count in Counter(full.select(others).iter_rows()).items() if count == 1}
        assert single.isdisjoint(made.select(others).iter_rows())


@settings(max_examples=10, deadline=None)
@given(rows=ROWS, columns=POLICIES)
def test_no_direct_identifier_reaches_any_rung(rows: list[tuple[Any, ...]], columns: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for rung, frame in _ladder(rows, columns, folder, k=2).items():
            cells = {value for name in frame.columns if frame[name].dtype == pl.String for value in frame[name]}
            assert cells.isdisjoint(row[0] for row in rows), rung


@settings(max_examples=15, deadline=None)
@given(rows=ROWS, columns=POLICIES, order=st.randoms(use_true_random=False), rung=st.sampled_from(list(Rung)))
def test_any_order_of_the_source_gives_the_same_digest_on_every_rung(
    rows: list[tuple[Any, ...]], columns: dict[str, Any], order: Any, rung: Rung
) -> None:
    shuffled = list(rows) * 2
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        first = _build(_frame(list(rows) * 2), columns, rung, Path(folder) / "one", k=2)
        second = _build(_frame(shuffled), columns, rung, Path(folder) / "two", k=2)
        assert (first is None) == (second is None)
        if first is not None and second is not None:
            assert first.manifest["digests"]["extract"] == second.manifest["digests"]["extract"]


@settings(max_examples=20, deadline=None)
@given(
    rows=ROWS,
    columns=POLICIES,
    k=st.integers(2, 4),
    diversity=st.sampled_from([None, 2]),
    times=st.integers(2, 6),
)
def test_k_and_l_hold_in_the_sample_and_it_is_part_of_the_full_extract(
    rows: list[tuple[Any, ...]], columns: dict[str, Any], k: int, diversity: int | None, times: int
) -> None:
    columns = {**columns, "illness": SENSITIVE}
    frame = pl.concat([_frame(rows)] * times)
    target: dict[str, Any] = {"k": k, "suppression_limit": 0.5}
    policy = policy_of(columns, **target if diversity is None else {**target, "l": diversity})
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "t.parquet"
        frame.write_parquet(source)
        made = {}
        for rung in (Rung.FULL, Rung.SAMPLED):
            try:
                made[rung] = build_rung(
                    rung=rung, source=source, policy=policy, key=KEY, out_dir=Path(folder) / rung, created_at=NOW
                )
            except AnonymizeError as refused:
                if refused.code == "extract.verify_failed":
                    raise
                return
        full, sampled = (pl.read_parquet(made[rung].extract_path) for rung in (Rung.FULL, Rung.SAMPLED))
        quasi = [name for name in full.columns if columns[name]["class"] == "quasi_id"]
        sizes = Counter(sampled.select(quasi).iter_rows())
        assert min(sizes.values()) >= k
        assert Counter(sampled.iter_rows()) <= Counter(full.iter_rows())
        assert 10 * sampled.height <= frame.height
        if diversity is not None:
            sensitive = [name for name in full.columns if columns[name]["class"] == "sensitive_attr"]
            for name in sensitive:
                values = sampled.group_by(quasi).agg(pl.col(name).drop_nulls().n_unique())[name]
                assert values.min() >= diversity
        whole = Counter(full.select(quasi).iter_rows())
        population = made[Rung.SAMPLED].manifest["sample"]["population"]
        assert population["k_map"] == min(whole[each] for each in sizes)


@given(rows=st.integers(0, 10**9))
def test_sample_is_never_above_a_tenth_nor_above_the_cap(rows: int) -> None:
    size = sample_size(rows, asked=None, table="t")
    assert 10 * size <= rows
    assert size <= 50_000
    assert size == 50_000 or 10 * (size + 1) > rows


@given(rows=st.integers(0, 10**9))
def test_rounded_rows_have_two_digits_and_are_near(rows: int) -> None:
    rounded = rounded_rows(rows)
    assert rounded % 10 == 0
    assert len(str(rounded).rstrip("0")) <= 2
    assert abs(rounded - rows) <= max(5, 0.05 * rows)
