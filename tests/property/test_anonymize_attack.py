"""Measured risk equals what comes out when every row is held against every other, on tables small enough for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.privacy.classes import measure_classes
from anonymize.privacy.column_sets import measure_column_sets, measure_columns
from anonymize.privacy.disclosure import measure_disclosure, row_confidence
from anonymize.privacy.linkage import attack, link, population_of_classes
from anonymize.privacy.population_table import measure_in_population
from anonymize.privacy.risk import measure_risk, rows_at_risk
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups
from anonymize.techniques.generalize import Generalize

Row = tuple[object, ...]
AREAS = Groups(levels=((("n1", "north"), ("n2", "north"), ("s1", "south"), ("s2", "south")),))
LABELS = {"n1": {"n1", "north"}, "n2": {"n2", "north"}, "s1": {"s1", "south"}, "s2": {"s2", "south"}}
TECHNIQUES = {
    "age": Generalize(hierarchy=Bands(widths=(10, 20)), min_level=0, max_level=3),
    "area": Generalize(hierarchy=AREAS, min_level=0, max_level=2),
}
AGES = st.integers(0, 39)
RELEASED = st.tuples(
    st.sampled_from(["3", "17", "0-9", "10-19", "20-39", "*", None]),
    st.sampled_from(["n1", "s2", "north", "south", "*", None]),
)
OUTSIDE = st.tuples(st.one_of(AGES, st.none()), st.sampled_from([*LABELS, None]))
TABLES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1), st.sampled_from("xyz")), min_size=1
)


def _frame(rows: Sequence[Row], names: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame([*map(list, rows)], schema=[*names], orient="row", infer_schema_length=None)


@settings(max_examples=60, deadline=None)
@given(rows=TABLES)
def test_attackers_risks_equal_the_count_of_look_alikes(rows: list[Row]) -> None:
    frame = _frame(rows, "abcs")
    alike = [sum(other[:3] == row[:3] for other in rows) for row in rows]
    risk = measure_risk(measure_classes(frame, ["a", "b", "c"]))
    assert risk.prosecutor_max == pytest.approx(max(1 / size for size in alike))
    assert risk.prosecutor_mean == risk.marketer == pytest.approx(sum(1 / size for size in alike) / len(rows))
    assert (risk.k, risk.uniques) == (min(alike), alike.count(1))
    at_risk = rows_at_risk(measure_classes(frame, ["a", "b", "c"]), Fraction(1, 3))
    assert at_risk == pytest.approx(sum(size < 3 for size in alike) / len(rows))


@settings(max_examples=60, deadline=None)
@given(rows=TABLES, sensitive=st.lists(st.sampled_from(["x", "y", None]), min_size=400, max_size=400))
def test_disclosure_equals_the_best_guess_in_each_class(rows: list[Row], sensitive: list[str | None]) -> None:
    values = sensitive[: len(rows)]
    frame = _frame([(*row[:2], value) for row, value in zip(rows, values, strict=True)], "abs")
    known = [
        Counter(v for r, v in zip(rows, values, strict=True) if r[:2] == row[:2] and v is not None) for row in rows
    ]
    best = [max(counts.values()) / counts.total() if counts else None for counts in known]
    found = measure_disclosure(frame.cast({"s": pl.String}), ["a", "b"], "s")
    assert found.fixed == pytest.approx(sum(share == 1 for share in best) / len(rows))
    for level, share in found.by_confidence.items():
        assert share == pytest.approx(sum(b is not None and b >= level for b in best) / len(rows))
    assert found.confidence_mean == pytest.approx(sum(b or 0 for b in best) / len(rows))
    own = row_confidence(frame.cast({"s": pl.String}), ["a", "b"], "s").to_list()
    for value, counts, share in zip(values, known, own, strict=True):
        assert share == (None if value is None else pytest.approx(counts[value] / counts.total()))


@settings(max_examples=40, deadline=None)
@given(rows=TABLES)
def test_sets_of_columns_equal_each_set_measured_alone(rows: list[Row]) -> None:
    frame = _frame(rows, "abcs")
    found = {each.columns: each for each in measure_column_sets(frame, ["a", "b", "c", "s"], max_size=3)}
    assert set(found) == {each for size in (1, 2, 3) for each in combinations("abcs", size)}
    for names, each in found.items():
        classes = measure_classes(frame, names)
        assert (each.classes, each.uniques) == (classes.count, pytest.approx(classes.uniques / len(rows)))
        assert each.rows_at_risk == pytest.approx(rows_at_risk(classes))
        parts = combinations(names, len(names) - 1) if len(names) > 1 else ()
        smaller = [frame.select(pl.len().over(part) == 1).to_series() for part in parts]
        alone = frame.select(pl.len().over(names) == 1).to_series()
        fresh = [a and not any(one[row] for one in smaller) for row, a in enumerate(alone)]
        assert each.minimal == any(fresh)


@settings(max_examples=40, deadline=None)
@given(rows=TABLES)
def test_separation_is_the_share_of_pairs_told_apart(rows: list[Row]) -> None:
    pairs = list(combinations([row[0] for row in rows], 2))
    (found,) = measure_columns(_frame(rows, "abcs"), ["a"])
    assert found.separation == pytest.approx(sum(x != y for x, y in pairs) / len(pairs) if pairs else 0.0)
    assert found.distinction == pytest.approx(len({row[0] for row in rows}) / len(rows))


def _compatible(cells: Row, person: Row) -> bool:
    """Whether a released row can be a person's, decided by hand."""
    (shown, where), (age, area) = cells, person
    spans = {"3": (3, 3), "17": (17, 17), "0-9": (0, 9), "10-19": (10, 19), "20-39": (20, 39)}
    fits_age = age is None or shown in (None, "*") or spans[str(shown)][0] <= int(str(age)) <= spans[str(shown)][1]
    return fits_age and (area is None or where in (None, "*") or where in LABELS[str(area)])


@settings(max_examples=80, deadline=None)
@given(
    released=st.lists(RELEASED, min_size=1, max_size=12),
    people=st.lists(OUTSIDE, min_size=1, max_size=12),
    shift=st.integers(0, 5),
)
def test_attack_equals_holding_every_row_against_every_person(
    released: list[Row], people: list[Row], shift: int
) -> None:
    table = _frame([(*row, number) for number, row in enumerate(released)], ["age", "area", "id"])
    outside = _frame([(*who, number + shift) for number, who in enumerate(people)], ["age", "area", "id"])
    schema = {"age": pl.String, "area": pl.String}
    table, outside = table.cast(schema), outside.cast({"age": pl.Int64, "area": pl.String})
    on = {"age": "age", "area": "area"}
    linked = link(table, outside, on, techniques=TECHNIQUES, name="t")
    rows_of = [[n for n, row in enumerate(released) if _compatible(row, who)] for who in people]
    people_of = [[n for n, who in enumerate(people) if _compatible(row, who)] for row in released]
    assert population_of_classes(linked).tolist() == [len(each) for each in people_of]
    found = attack(linked, on, truth=(table["id"], outside["id"]))
    pairs = [(rows[0], who) for who, rows in enumerate(rows_of) if len(rows) == 1 and people_of[rows[0]] == [who]]
    assert found.certain.matched == pytest.approx(len(pairs) / len(released))
    assert found.certain.right == pytest.approx(sum(row == who + shift for row, who in pairs) / len(released))
    hits = sum(1 / len(rows) for who, rows in enumerate(rows_of) if who + shift in rows)
    assert found.guessed == pytest.approx(hits / len(released))
    assert found.reachable == pytest.approx(sum(bool(rows) for rows in rows_of) / len(people))
    alike = Counter(released)
    behind = [max(len(each), alike[row]) for each, row in zip(people_of, released, strict=True)]
    risk = measure_in_population(linked)
    assert (risk.k_map, risk.marketer) == (min(behind), pytest.approx(sum(1 / each for each in behind) / len(behind)))
