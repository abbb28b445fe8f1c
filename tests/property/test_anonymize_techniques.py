"""Techniques on any column: pseudonyms join within a licence and never beyond, and the order of rows never matters."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import Place
from anonymize.techniques.mdav import group_records
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.transform import transform_others
from tests.anonymize_cases import KEEP, KEY, OTHER_KEY, PSEUDONYM, QUASI_KEPT, extract_of, policy_of

PLACE = Place(table="t.csv", column="id")
KINDS = [
    Pseudonymize(domain="p"),
    Pseudonymize(domain="p", algorithm="hmac-sm3"),
    Pseudonymize(domain="p", format="preserving"),
]
IDENTIFIERS = st.from_regex(r"[0-9]{8,20}|[A-Z]{2}[0-9]{6}|[0-9]{6}-[A-Za-z0-9]{6}", fullmatch=True)


def _codes(technique: Pseudonymize, values: list[str], *, key: bytes = KEY) -> list[str]:
    return technique.apply(pl.Series("id", values), key=key, place=PLACE).to_list()


@settings(max_examples=60, deadline=None)
@given(
    technique=st.sampled_from(KINDS),
    one=st.lists(IDENTIFIERS, min_size=1, max_size=20),
    other=st.lists(IDENTIFIERS, min_size=1, max_size=20),
)
def test_same_person_has_the_same_pseudonym_in_all_tables_of_a_licence(
    technique: Pseudonymize, one: list[str], other: list[str]
) -> None:
    first, second = _codes(technique, one), _codes(technique, other)
    people, named = [value.upper() for value in one + other], first + second
    assert len({*zip(people, named, strict=True)}) == len(set(people)) == len(set(named))


@settings(max_examples=60, deadline=None)
@given(technique=st.sampled_from(KINDS[:2]), values=st.lists(IDENTIFIERS, min_size=1, max_size=30))
def test_tokens_of_two_licences_never_join(technique: Pseudonymize, values: list[str]) -> None:
    assert not set(_codes(technique, values)) & set(_codes(technique, values, key=OTHER_KEY))


@settings(max_examples=60, deadline=None)
@given(values=st.lists(IDENTIFIERS, min_size=1, max_size=30, unique_by=str.upper))
def test_forms_of_two_licences_tell_nothing_of_the_same_person(values: list[str]) -> None:
    """Two permutations of one form share values, as chance has it; a person keeps theirs no oftener than chance."""
    pairs = zip(_codes(KINDS[2], values), _codes(KINDS[2], values, key=OTHER_KEY), strict=True)
    assert sum(one == other for one, other in pairs) <= 1


def _rule(technique: str, **params: Any) -> dict[str, Any]:
    return {**KEEP, "technique": technique, "params": params}


COLUMNS: dict[str, dict[str, Any]] = {
    "q": QUASI_KEPT,
    "id": {**PSEUDONYM, "params": {"domain": "p", "format": "preserving"}},
    "rounded": _rule("round", base=10),
    "capped": _rule("top_code", quantile=0.8),
    "noisy": _rule("noise", share=0.8, together="g"),
    "noisy_too": _rule("noise", share=0.8, together="g"),
    "grouped": _rule("micro_aggregate", k=2, together="m"),
    "grouped_too": _rule("micro_aggregate", k=2, together="m"),
    "swapped": _rule("swap", percent=50),
    "drawn": _rule("randomize", keep=0.3),
}
NUMBERS = ["rounded", "capped", "noisy", "noisy_too", "grouped", "grouped_too", "swapped", "drawn"]


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """A few rows of small numbers, many of them equal, some missing."""
    rows = draw(st.integers(8, 30))
    cells = st.integers(0, 9)
    held = [1, 2, 3, 9]  # every column has enough values to be averaged and spread
    table: dict[str, list[int | str | None]] = {
        name: [*held, *draw(st.lists(st.none() | cells, min_size=rows - 4, max_size=rows - 4))] for name in NUMBERS
    }
    table["q"] = [1] * rows
    table["id"] = [f"{number:07d}" for number in draw(st.lists(cells, min_size=rows, max_size=rows))]
    return pl.DataFrame(table, schema_overrides={name: pl.Int64 for name in NUMBERS})


@settings(max_examples=40, deadline=None)
@given(frame=tables(), seed=st.integers(0, 2**32))
def test_order_of_rows_never_changes_what_techniques_give(frame: pl.DataFrame, seed: int) -> None:
    policy = policy_of(COLUMNS)
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    one, other = (transform_others(policy, table, key=KEY, table="t.csv") for table in (frame, shuffled))
    assert one.sort(one.columns).equals(other.sort(one.columns))


@settings(max_examples=4, deadline=None)
@given(frame=tables(), seed=st.integers(0, 2**32))
def test_extract_of_perturbed_columns_has_the_same_bytes_for_any_order(frame: pl.DataFrame, seed: int) -> None:
    policy = policy_of(COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        made = [
            extract_of(table, policy, Path(folder) / name).extract_path.read_bytes()
            for name, table in (("a", frame), ("b", frame.sample(fraction=1, shuffle=True, seed=seed)))
        ]
    assert made[0] == made[1]


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.integers(-50, 50), st.integers(0, 5)), min_size=2, max_size=60),
    k=st.integers(2, 9),
    width=st.integers(1, 2),
)
def test_groups_of_any_records_have_k_to_twice_k_less_one(points: list[tuple[int, int]], k: int, width: int) -> None:
    records = pl.DataFrame(points, orient="row").to_numpy()[:, :width]
    if len(records) < k:
        records = records.repeat(k, axis=0)
    sizes = pl.Series(group_records(records, k=k)).value_counts()["count"]
    assert sizes.min() >= k
    assert sizes.max() < 2 * k
