"""Classes and risk on tables small enough to count by hand, and the search on a table with a known answer."""

from __future__ import annotations

import polars as pl
import pytest

from anonymize.privacy.classes import measure_classes, rows_that_meet
from anonymize.privacy.histogram import build_histogram, sensitive_codes
from anonymize.privacy.lattice import Generalization, Unreachable, search_generalization
from anonymize.privacy.risk import measure_risk
from anonymize.target import Target
from anonymize.techniques.bands import Bands
from anonymize.techniques.generalize import Generalize, level_column
from tests.unit.test_anonymize_hierarchies import PLACE

TABLE = pl.DataFrame(
    {
        "town": ["a", "a", "a", "b", "b", None],
        "age": [1, 1, 2, 2, 2, 2],
        "illness": ["flu", "flu", "flu", "flu", "cold", None],
    }
)


def test_risk_of_a_hand_counted_table() -> None:
    """Classes: (a,1) 2 rows, (a,2) 1, (b,2) 2, (null,2) 1."""
    risk = measure_risk(measure_classes(TABLE, ["town", "age"], ["illness"]))
    assert risk.as_json() == {
        "rows": 6,
        "k": 1,
        "classes": 4,
        "uniques": 2,
        "prosecutor_max": 1.0,
        "prosecutor_mean": pytest.approx(4 / 6),
        "journalist_max": 1.0,
        "marketer": pytest.approx(4 / 6),
        "l": {"illness": 0},
        "l_entropy": {"illness": 0.0},
        "recursive": {"l": 2, "c": {"illness": None}},
        "t": {"illness": pytest.approx(5 / 6)},
        "t_whole": {},
    }
    assert risk.rows_at_high_risk == 1.0


def test_row_at_exactly_one_in_five_is_not_at_high_risk() -> None:
    frame = pl.DataFrame({"q": [1] * 5 + [2] * 4})
    assert measure_risk(measure_classes(frame, ["q"])).rows_at_high_risk == pytest.approx(4 / 9)


def test_null_is_a_category_of_its_own_and_no_wildcard() -> None:
    frame = pl.DataFrame({"q": ["a", "a", None]})
    assert measure_classes(frame, ["q"]).k == 1


def test_unknown_sensitive_value_hides_nobody() -> None:
    frame = pl.DataFrame({"q": [1, 1], "s": ["flu", None]})
    assert measure_classes(frame, ["q"], ["s"]).l == {"s": 1}
    assert not rows_that_meet(frame, ["q"], ["s"], target=Target(k=2, l=2)).any()


def test_table_without_quasi_identifiers_is_one_class() -> None:
    assert measure_classes(TABLE, []).sizes.tolist() == [6]
    assert rows_that_meet(TABLE, [], [], target=Target(k=6)).all()


def test_empty_table_has_no_risk() -> None:
    risk = measure_risk(measure_classes(TABLE.clear(), ["town"], ["illness"]))
    assert (risk.rows, risk.k, risk.prosecutor_max, risk.marketer, risk.t) == (0, 0, 0.0, 0.0, {"illness": 0.0})


def test_columns_may_be_called_like_anything() -> None:
    frame = pl.DataFrame({"q0": [1, 1], "count": ["a", "b"], "value": ["a", "b"]})
    classes = measure_classes(frame, ["q0"], ["count", "value"])
    assert (classes.k, classes.l) == (2, {"count": 2, "value": 2})


@pytest.mark.parametrize(("k", "kept"), [(2, 4), (3, 0), (1, 6)])
def test_rows_are_kept_from_k_on(k: int, kept: int) -> None:
    assert int(rows_that_meet(TABLE, ["town", "age"], [], target=Target(k=k)).sum()) == kept


def _search(
    ages: list[int],
    *,
    k: int,
    limit: float,
    diversity: int | None = None,
    illness: list[str | None] | None = None,
    max_level: int = 3,
) -> Generalization | Unreachable:
    technique = Generalize(hierarchy=Bands(widths=(10, 20)), min_level=0, max_level=max_level)
    column = level_column(pl.Series("age", ages), technique, place=PLACE)
    histogram = build_histogram([column], [sensitive_codes(pl.Series(illness))] if illness else [])
    return search_generalization(histogram, Target(k=k, l=diversity, suppression_limit=limit))


def test_search_prefers_removing_a_row_to_hiding_all() -> None:
    """Ages 1 1 1 1 77: one row of five removed loses 0.2; bands would lose more."""
    found = _search([1, 1, 1, 1, 77], k=2, limit=0.2)
    assert isinstance(found, Generalization)
    assert (found.levels, found.suppressed, found.loss) == ((0,), 1, pytest.approx(0.2))
    assert found.proven_optimal


def test_search_keeps_to_the_suppression_limit() -> None:
    found = _search([1, 1, 1, 1, 77], k=2, limit=0.19)
    assert isinstance(found, Generalization)
    assert (found.levels, found.suppressed) == ((3,), 0)


def test_search_prefers_finer_levels_that_lose_no_more() -> None:
    found = _search([1, 2, 11, 12], k=3, limit=0)
    assert isinstance(found, Generalization)
    assert (found.levels, found.loss) == ((2,), pytest.approx(1.0))


def test_search_meets_l_as_well_as_k() -> None:
    ages, illness = [1, 2, 11, 12], ["flu", "flu", "flu", "cold"]
    for_k = _search(ages, k=2, limit=0)
    for_l = _search(ages, k=2, limit=0, illness=illness, diversity=2)
    assert isinstance(for_k, Generalization)
    assert isinstance(for_l, Generalization)
    assert (for_k.levels, for_l.levels) == ((1,), (2,))


def test_search_says_when_nothing_meets_the_target() -> None:
    assert _search([1, 30], k=2, limit=0.4, max_level=2) == Unreachable(suppressed=2)
    assert _search([1, 30], k=2, limit=1, max_level=2) == Unreachable(suppressed=2)
    unknown = _search([1, 1], k=2, limit=0, illness=[None, None], diversity=2)
    assert unknown == Unreachable(suppressed=2)


def test_people_counted_by_weight_measure_as_people_row_by_row() -> None:
    counted = TABLE.group_by(TABLE.columns).len("people")
    people, rest = counted["people"] * 3, counted.drop("people")
    rows = pl.concat([TABLE] * 3)
    by_weight, by_row = (
        measure_classes(rest, ["town", "age"], ["illness"], weights=people),
        measure_classes(rows, ["town", "age"], ["illness"]),
    )
    assert by_weight.sizes.tolist() == by_row.sizes.tolist()
    assert (by_weight.l, by_weight.t) == (by_row.l, by_row.t)
    for k in (3, 6, 9):
        meets = rows_that_meet(rest, ["town"], ["illness"], target=Target(k=k, l=2), weights=people)
        assert int(people.filter(meets).sum()) == int(
            rows_that_meet(rows, ["town"], ["illness"], target=Target(k=k, l=2)).sum()
        )
