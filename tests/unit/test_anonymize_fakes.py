"""Invented values: the same inside one column, joining nothing elsewhere, and nobody's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anonymize.detect.checksums import resident_check
from anonymize.errors import BadInput, Place
from anonymize.ladder import build_rung
from anonymize.pipeline import build_extract
from anonymize.policy import parse_policy
from anonymize.rung import Rung
from anonymize.table import read_table
from anonymize.techniques.fake import _INVENT, Fake
from tests.anonymize_cases import AGE, KEY, NOW, OTHER_KEY, extract_of, policy_of, policy_text

PLACE = Place(table="t.csv", column="who")
PEOPLE = pl.Series("who", ["甲", "乙", None, "甲 ", "丙", ""])
KINDS = sorted(_INVENT)


def fakes(
    kind: str = "name", *, values: pl.Series = PEOPLE, key: bytes = KEY, place: Place = PLACE
) -> list[str | None]:
    return Fake(kind=kind).apply(values, key=key, place=place).to_list()


@pytest.mark.parametrize("kind", KINDS)
def test_same_value_gets_the_same_fake_and_null_stays_null(kind: str) -> None:
    first, second, none, again, third, blank = fakes(kind)
    assert first == again
    assert none is None
    assert blank is None
    assert None not in (first, second, third)
    assert fakes(kind) == [first, second, none, again, third, blank]


@pytest.mark.parametrize("kind", KINDS)
def test_fakes_of_other_licences_tables_and_columns_do_not_join(kind: str) -> None:
    many = pl.Series("who", [f"人{number}" for number in range(200)])
    own = fakes(kind, values=many)
    others = [
        fakes(kind, values=many, key=OTHER_KEY),
        fakes(kind, values=many, place=Place(table="u.csv", column="who")),
        fakes(kind, values=many, place=Place(table="t.csv", column="kin")),
    ]
    for other in others:
        assert sum(one == two for one, two in zip(own, other, strict=True)) <= 4


def test_no_fake_is_a_value_of_the_column() -> None:
    once = fakes(values=pl.Series("who", [f"人{number}" for number in range(500)]))
    again = fakes(values=pl.Series("who", once))
    assert not set(once) & set(again)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("mobile", r"120\d{8}"),
        ("resident_id", r"990107\d{11}[\dX]"),
        ("plate", r"沪I\d{5}"),
        ("email", r"[^@]+@example\.com"),
    ],
)
def test_numbers_belong_to_nobody(kind: str, form: str) -> None:
    made = fakes(kind, values=pl.Series("who", range(300)))
    assert all(value is not None and re.fullmatch(form, value) for value in made)
    if kind == "resident_id":
        assert all(value is not None and resident_check(value) for value in made)


def test_column_of_dates_is_refused_by_name() -> None:
    with pytest.raises(BadInput) as refused:
        fakes(values=pl.Series("who", ["2026-01-01"]).str.to_date())
    assert refused.value.code == "column.not_replaceable"
    assert "who" in refused.value.text.en


def test_extract_holds_fakes_and_never_the_names(tmp_path: Path) -> None:
    names = [f"某{letter}" for letter in "甲乙丙丁戊己庚辛"]
    frame = pl.DataFrame({"who": names, "age": [20, 21, 22, 23, 40, 41, 42, 43]})
    rule = {"class": "direct_id", "technique": "fake", "reason": "read like a name", "params": {"kind": "name"}}
    made = extract_of(frame, policy_of({"who": rule, "age": AGE}, k=2, suppression_limit=0.5), tmp_path)
    shown = read_table(made.extract_path)
    assert shown.height == 8
    assert not set(shown["who"]) & set(names)
    assert "faker" in made.manifest["versions"]


@pytest.mark.parametrize("column_class", ["quasi_id", "sensitive_attr", "free_text", "non_sensitive"])
def test_only_direct_identifiers_are_invented(column_class: str) -> None:
    rule = {"class": column_class, "technique": "fake", "reason": "x", "params": {"kind": "name"}}
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"who": rule, "age": AGE}))
    assert refused.value.subject == "columns.who.technique"


@pytest.mark.parametrize("rung", [Rung.METADATA, Rung.SYNTHETIC, Rung.SAMPLED])
def test_lower_rungs_have_the_column_and_of_its_fakes_only_what_the_rung_may_hold(tmp_path: Path, rung: Rung) -> None:
    frame = pl.DataFrame({"who": [f"人{n}" for n in range(400)], "age": [20 + n % 40 for n in range(400)]})
    frame.write_parquet(tmp_path / "t.parquet")
    rule = {"class": "direct_id", "technique": "fake", "reason": "read like a name", "params": {"kind": "name"}}
    policy = policy_of({"who": rule, "age": AGE}, k=2, suppression_limit=0.5)
    given: dict[str, Any] = {"source": tmp_path / "t.parquet", "policy": policy, "key": KEY, "created_at": NOW}
    full = read_table(build_extract(**given, out_dir=tmp_path / "full").extract_path)
    lower = pl.read_parquet(build_rung(**given, rung=rung, out_dir=tmp_path / "lower").extract_path)
    assert lower.schema == full.schema
    counted = full["who"].value_counts()
    allowed = {
        Rung.METADATA: set(),
        Rung.SYNTHETIC: set(counted.filter(pl.col("count") >= 2)["who"]),
        Rung.SAMPLED: set(counted["who"]),
    }
    assert set(lower["who"].drop_nulls()) <= allowed[rung]
