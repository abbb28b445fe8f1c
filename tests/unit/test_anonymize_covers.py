"""What a released cell may stand for: by its form or a policy; and the two attacks on small known tables."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from anonymize.privacy.covers import covered_values
from anonymize.privacy.linkage import attack, link
from anonymize.techniques.categories import Groups
from anonymize.techniques.generalize import Generalize
from tests.unit.test_anonymize_hierarchies import PLACE


def _covered(cell: Any, values: list[Any], technique: Generalize | None = None) -> list[Any]:
    cells = pl.Series([cell], dtype=pl.List(pl.String)) if isinstance(cell, list) else pl.Series([cell])
    (found,) = covered_values(cells, pl.Series(values), technique=technique, place=PLACE)
    return [values[position] for position in found]


@pytest.mark.parametrize(
    ("cell", "covered"),
    [
        ("20", [20]),
        (20.0, [20]),
        ("20-29", [20, 25]),
        ("20–29", [20, 25]),
        ("20至29", [20, 25]),
        ("[20, 30)", [20, 25]),
        ("(20, 30]", [25, 30]),
        ("[-5, 0)", [-3]),
        ("<20", [-3]),
        ("≤20", [-3, 20]),
        ("≥25", [25, 30]),
        (">25", [30]),
        ("*", [-3, 20, 25, 30]),
        (None, [-3, 20, 25, 30]),
        (["20", "30"], [20, 30]),
        ({"low": 20, "high": 25}, [20, 25]),
        ({"low": None, "high": 20, "or_null": False}, [-3, 20]),
        ({"low": 20, "high": 20, "or_null": True}, [-3, 20, 25, 30]),
        (["20", None], [-3, 20, 25, 30]),
        ("no label of ours", []),
        ("30-20", []),
    ],
)
def test_cell_of_a_column_of_numbers_covers_what_its_form_says(cell: Any, covered: list[int]) -> None:
    assert _covered(cell, [-3, 20, 25, 30]) == covered


@pytest.mark.parametrize(
    ("cell", "covered"),
    [
        ("2026-03-31", ["2026-03-31"]),
        ("2026-03", ["2026-03-31"]),
        ("2026-Q1", ["2026-01-05", "2026-03-31"]),
        ("2026", ["2026-01-05", "2026-03-31", "2026-11-01"]),
        ("2010-2019", ["2019-12-31"]),
        ("2027", []),
        ("old", []),
    ],
)
@pytest.mark.parametrize("typed", [False, True])
def test_date_label_covers_its_days(cell: str, covered: list[str], typed: bool) -> None:
    days = ["2019-12-31", "2026-01-05", "2026-03-31", "2026-11-01"]
    values: list[Any] = [dt.date.fromisoformat(day) for day in days] if typed else days
    assert [str(day) for day in _covered(cell, values)] == covered


def test_interval_of_dates_covers_its_days_and_an_open_end_all_beyond() -> None:
    days = [dt.date(2019, 12, 31), dt.date(2026, 1, 5), dt.date(2026, 11, 1)]
    assert _covered({"low": dt.date(2020, 1, 1), "high": dt.date(2026, 11, 1)}, days) == days[1:]
    assert _covered({"low": None, "high": dt.date(2026, 1, 5)}, days) == days[:2]


def test_stars_after_a_code_cover_what_begins_like_it() -> None:
    assert _covered("31*", ["310115", "310101", "330100"]) == ["310115", "310101"]
    assert _covered("**", ["310115"]) == []
    assert _covered("3101", ["310115"]) == []


def test_policy_tells_what_its_groups_cover_and_leaves_out_what_it_does_not_know() -> None:
    groups = Generalize(hierarchy=Groups(levels=((("a", "AB"), ("b", "AB"), ("c", "C")),)), min_level=0, max_level=2)
    assert _covered("AB", ["a", "b", "c", "unheard of"], groups) == ["a", "b"]
    assert _covered("AB", ["a", "b", "c", "unheard of"]) == []
    assert _covered("unheard of", ["a", "unheard of"], groups) == ["unheard of"]


def test_null_is_a_value_of_its_own_where_nobody_attacks() -> None:
    cells = pl.Series([["a", None], ["a"], None], dtype=pl.List(pl.String))
    found = covered_values(cells, pl.Series(["a", "b", None]), place=PLACE, null_is_anything=False)
    assert [each.tolist() for each in found] == [[0, 2], [0], [2]]
    span = pl.Series([{"low": 1, "high": 2, "or_null": True}, {"low": 1, "high": 2, "or_null": False}])
    found = covered_values(span, pl.Series([1, 2, 3, None]), place=PLACE, null_is_anything=False)
    assert [each.tolist() for each in found] == [[0, 1, 3], [0, 1]]


def test_tight_cells_are_linked_like_labels() -> None:
    table = pl.DataFrame(
        {"q": [["a", "b"], ["a", "b"], ["c"]], "n": [{"low": 1, "high": 3}] * 2 + [{"low": 9, "high": 9}]}
    )
    outside = pl.DataFrame({"q": ["a", "c", "c"], "n": [2, 9, 1]})
    linked = link(table, outside, {"q": "q", "n": "n"}, techniques={}, name="t")
    assert (linked.candidates.tolist(), linked.rows.tolist()) == ([1, 1], [2, 1, 0])


def test_unknown_person_outside_is_covered_by_every_cell() -> None:
    assert _covered("20-29", [20, None, 40]) == [20, None]


def _attack(table: dict[str, list[Any]], outside: dict[str, list[Any]]) -> Any:
    frames = pl.DataFrame(table, strict=False), pl.DataFrame(outside, strict=False)
    linked = link(*frames, {"q": "q"}, techniques={}, name="t")
    return attack(linked, {"q": "q"}, truth=(frames[0]["id"], frames[1]["id"]))


def test_false_identity_is_a_wrong_match() -> None:
    found = _attack({"id": ["1", "2"], "q": [10, 20]}, {"id": ["1", "3"], "q": [10, 20]})
    assert (found.certain.matched, found.certain.right, found.certain.wrong) == (1.0, 0.5, 0.5)
    assert (found.guessed, found.guessed_is_bound) == (0.5, False)


def test_changed_values_are_found_by_distance_only() -> None:
    """Noise of one on numbers ten apart: no row is compatible with anybody, yet each is nearest to its own."""
    found = _attack({"id": ["1", "2", "3"], "q": [11, 19, 31]}, {"id": ["1", "2", "3"], "q": [10, 20, 30]})
    assert (found.reachable, found.certain.matched) == (0.0, 0.0)
    assert (found.nearest.right, found.nearest.wrong) == (1.0, 0.0)


def test_narrow_cell_is_nearer_than_one_that_covers_all() -> None:
    found = _attack({"id": ["1", "2"], "q": ["a", "*"]}, {"id": ["1", "2"], "q": ["a", "b"]})
    assert found.nearest.right == 1.0


def test_equally_near_rows_share_the_hit() -> None:
    found = _attack({"id": ["1", "2"], "q": ["0-9", "0-9"]}, {"id": ["1", "2"], "q": [3, 4]})
    assert found.nearest.right == pytest.approx(0.5)
    assert found.guessed == pytest.approx(0.5)


def test_without_a_truth_nothing_is_called_right() -> None:
    table, outside = pl.DataFrame({"q": [1, 2, 3]}), pl.DataFrame({"q": [1, 1]})
    found = attack(link(table, outside, {"q": "q"}, techniques={}, name="t"), {"q": "q"})
    assert (found.certain.right, found.certain.wrong, found.nearest) == (None, None, None)
    assert found.guessed_is_bound
    assert found.guessed == pytest.approx(2 / 3)
