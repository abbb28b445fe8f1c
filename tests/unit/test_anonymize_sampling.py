"""Policies that sample: which rows, and the risk against the whole table, counted by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import BadInput, TargetNotMet
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted
from anonymize.policy import AnonymizationPolicy, dump_policy, parse_policy
from anonymize.rung import Rung
from tests.anonymize_cases import AGE, KEEP, KEY, NOW, OTHER_KEY, QUASI_KEPT, TOWN, extract_of, policy_text


def _policy(sample: dict[str, Any], *, k: int = 2, **changes: Any) -> AnonymizationPolicy:
    columns = {"age": AGE, "town": TOWN, "x": KEEP}
    return parse_policy(policy_text(columns, target={"k": k, "suppression_limit": 0.5}, sample=sample, **changes))


def _table(rows: int = 400, seed: int = 1) -> pl.DataFrame:
    drawn = np.random.default_rng(seed)
    towns = pl.Series(["11", "12", "21", "31"]).gather(drawn.integers(0, 4, rows))
    return pl.DataFrame({"age": drawn.integers(18, 90, rows), "town": towns, "x": np.arange(rows) / 8})


def _made(frame: pl.DataFrame, policy: AnonymizationPolicy, *, key: bytes = KEY) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The extract, and what its manifest says of the sample."""
    with tempfile.TemporaryDirectory() as folder:
        made: Extracted = extract_of(frame, policy, Path(folder), key=key)
        return pl.read_parquet(made.extract_path), made.manifest["sampling"]


@pytest.mark.parametrize(
    ("sample", "subject"),
    [
        ({}, "sample.rate"),
        ({"rate": 0.1, "rows": 5}, "sample.rate"),
        ({"rate": 0}, "sample.rate"),
        ({"rate": 1}, "sample.rate"),
        ({"rows": 0}, "sample.rows"),
        ({"rate": 0.1, "seed": 3}, "sample.seed"),
    ],
)
def test_sample_out_of_range_is_refused_by_name(sample: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadInput) as refused:
        _policy(sample)
    assert refused.value.subject == subject


def test_policy_with_a_sample_reads_back_equal() -> None:
    for sample in ({"rate": 0.25}, {"rows": 7}):
        assert parse_policy(dump_policy(_policy(sample))) == _policy(sample)


@pytest.mark.parametrize(("sample", "rows"), [({"rate": 0.25}, 100), ({"rows": 50}, 50), ({"rows": 4_000}, 400)])
def test_as_many_rows_are_drawn_as_asked_for(sample: dict[str, Any], rows: int) -> None:
    _, found = _made(_table(), _policy(sample))
    assert (found["rows"], found["of"]) == (rows, 400)


def test_sample_below_k_is_refused() -> None:
    with pytest.raises(TargetNotMet) as refused:
        _made(_table(), _policy({"rows": 19}, k=20))
    assert refused.value.code == "target.sample_too_small"


def test_other_keys_draw_other_rows() -> None:
    one, other = (_made(_table(), _policy({"rate": 0.5}), key=key)[0]["x"].sort() for key in (KEY, OTHER_KEY))
    assert not one.equals(other)


def test_target_holds_within_the_sample() -> None:
    extract, _ = _made(_table(), _policy({"rate": 0.3}, k=4))
    assert extract.group_by("age", "town").len()["len"].min() >= 4


def test_risk_against_the_whole_table_is_that_of_its_classes() -> None:
    """One kept quasi-identifier: a class of the whole table can be counted by hand."""
    frame = pl.DataFrame({"q": ["a"] * 60 + ["b"] * 40, "x": list(range(50)) * 2})
    columns = {"q": QUASI_KEPT, "x": KEEP}
    policy = parse_policy(policy_text(columns, target={"k": 2, "suppression_limit": 0.5}, sample={"rate": 0.5}))
    extract, sampling = _made(frame, policy)
    drawn = dict(extract["q"].value_counts().iter_rows())
    risk = sampling["population"]
    assert (risk["k_map"], risk["journalist_max"]) == (40, 1 / 40)
    assert risk["marketer"] == pytest.approx((drawn["a"] / 60 + drawn["b"] / 40) / 50)


def _covers(label: object, value: object, *, town: bool) -> bool:
    if label == "*" or str(label) == str(value):
        return True
    if town:
        return str(label).endswith("*") and str(value).startswith(str(label)[:-1])
    low, _, high = str(label).partition("-")
    return bool(high) and int(low) <= int(str(value)) <= int(high)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), recoding=st.sampled_from(["global", "local"]))
def test_every_row_could_be_as_many_people_as_its_labels_cover(seed: int, recoding: str) -> None:
    frame = _table(120, seed)
    extract, sampling = _made(frame, _policy({"rate": 0.4}, k=3, recoding=recoding))
    matches = [
        sum(_covers(age, row[0], town=False) and _covers(town, row[1], town=True) for row in frame.iter_rows())
        for age, town in extract.select("age", "town").iter_rows()
    ]
    assert sampling["population"]["k_map"] == min(matches)
    assert sampling["population"]["marketer"] == pytest.approx(sum(1 / count for count in matches) / len(matches))


def test_order_of_rows_does_not_change_the_sample(tmp_path: Path) -> None:
    frame, policy = _table(), _policy({"rate": 0.5})
    one = extract_of(frame, policy, tmp_path / "a")
    other = extract_of(frame.sample(fraction=1, shuffle=True, seed=4), policy, tmp_path / "b")
    assert one.manifest["digests"]["extract"] == other.manifest["digests"]["extract"]
    assert one.manifest["sampling"]["rows"] == 200
    assert any("总体" in sentence["zh"] for sentence in one.manifest["not_claimed"])


@pytest.mark.parametrize(
    "age",
    [
        {**AGE, "technique": "noise", "params": {"share": 0.5}},
        {**AGE, "technique": "top_code", "params": {"quantile": 0.9}},
    ],
)
def test_sample_of_perturbed_quasi_identifiers_is_refused(age: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"age": age}, sample={"rate": 0.5}))
    assert refused.value.subject == "sample"


def test_risk_counts_rounded_quasi_identifiers_as_they_are_released() -> None:
    """Ages 20 to 29 in tens of rows; rounded to tens, half of them are 20 and half 30 (and 25 is even: 20)."""
    frame = pl.DataFrame({"age": [20 + row % 10 for row in range(200)], "x": [1] * 200})
    age = {**QUASI_KEPT, "technique": "round", "params": {"base": 10}}
    text = policy_text({"age": age, "x": KEEP}, target={"k": 2, "suppression_limit": 0.5}, sample={"rate": 0.5})
    _, sampling = _made(frame, parse_policy(text))
    assert sampling["population"]["k_map"] == 80


def test_metadata_tell_no_exact_number_of_rows(tmp_path: Path) -> None:
    """The rung without rows rounds its numbers; those of the sample and of changed rows would undo it."""
    frame = _table()
    frame.write_parquet(tmp_path / "t.parquet")
    columns = {"age": AGE, "town": TOWN, "x": {**KEEP, "technique": "round", "params": {"base": 2}}}
    text = policy_text(columns, target={"k": 2, "suppression_limit": 0.5}, sample={"rate": 0.25})
    made = build_rung(
        rung=Rung.METADATA,
        source=tmp_path / "t.parquet",
        policy=parse_policy(text),
        key=KEY,
        out_dir=tmp_path / "out",
        created_at=NOW,
    )
    assert made.manifest["sampling"] is None
    assert [column["changed_rows"] for column in made.manifest["columns"]] == [None] * 3
