"""The parts of the synthetic rung and of the sample: what is counted, what is drawn, from what chance."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from anonymize.chance import Chance
from anonymize.techniques.dependence import count_pairs, cramers_v, draw_groups, fit_tree, safe_pairs
from anonymize.techniques.grid import lay_grid
from anonymize.techniques.pieces import Pieces, cut_column, repeats_of
from anonymize.techniques.sample import draw_sample
from anonymize.techniques.synthesize import copies_of_unique
from tests.anonymize_cases import KEY, OTHER_KEY

CHANCE = Chance(KEY, purpose="test")


def _cut(values: pl.Series, *, k: int = 3) -> Pieces:
    return cut_column(values.alias("x"), k=k, pseudonym=None, person=False, key=KEY)


def _drawn(values: pl.Series, *, k: int = 3, rows: int = 2000) -> pl.Series:
    """Values of a column drawn as often as its own groups occur."""
    cut = _cut(values, k=k)
    known = cut.codes[cut.codes >= 0]
    groups = known[np.floor(CHANCE.uniform("rows", rows) * len(known)).astype(np.int64)]
    return cut.draw(groups, chance=CHANCE, use="test")


def test_chance_is_the_same_for_a_key_and_purpose_and_use_and_no_other() -> None:
    first = CHANCE.uniform("a", 1000)
    assert np.array_equal(first, Chance(KEY, purpose="test").uniform("a", 1000))
    others = [CHANCE.uniform("b", 1000), Chance(OTHER_KEY, purpose="test").uniform("a", 1000)]
    others.append(Chance(KEY, purpose="other").uniform("a", 1000))
    assert all(not np.array_equal(first, other) for other in others)
    assert first.min() >= 0
    assert first.max() < 1
    assert 0.45 < first.mean() < 0.55


def test_chance_orders_every_number_once() -> None:
    assert sorted(CHANCE.order("a", 100)) == list(range(100))
    assert list(CHANCE.order("a", 100)) != list(range(100))


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([10, 20, 50, 1000]),
        pl.Series([-5, 0, 7], dtype=pl.Int8),
        pl.Series([0.1, 0.25, 17.5]),
        pl.Series([1.5, 2.5], dtype=pl.Float32),
        pl.Series([Decimal("1.10"), Decimal("2.35")], dtype=pl.Decimal(10, 2)),
        pl.Series([dt.date(2024, 1, 1), dt.date(2024, 3, 1)]),
        pl.Series([dt.datetime(2024, 1, 1, 8), dt.datetime(2024, 1, 2, 9, 30)]),  # noqa: DTZ001
        pl.Series([dt.time(8, 0), dt.time(17, 30)]),
        pl.Series([dt.timedelta(hours=1), dt.timedelta(hours=5)]),
    ],
)
def test_values_on_a_grid_come_back_as_they_were(values: pl.Series) -> None:
    grid = lay_grid(values)
    assert grid is not None
    assert grid.values(grid.steps(values)).to_list() == values.to_list()
    assert grid.values(grid.steps(values)).dtype == values.dtype


@pytest.mark.parametrize(
    "values",
    [
        pl.Series(["a"]),
        pl.Series([True]),
        pl.Series([1], dtype=pl.UInt64),
        pl.Series([None], dtype=pl.Int64),
        pl.Series([-(2**60), 2**60]),
        pl.Series([-1e308, 1e308]),
    ],
)
def test_what_is_no_quantity_has_no_grid(values: pl.Series) -> None:
    assert lay_grid(values) is None


def test_common_step_of_a_column_is_kept() -> None:
    """Whole hundreds stay whole hundreds."""
    made = _drawn(pl.Series([100 * (n % 97) for n in range(97)]), k=5)
    assert (made.drop_nulls() % 100 == 0).all()


def test_numbers_of_single_rows_are_drawn_afresh_inside_what_k_rows_reach() -> None:
    values = pl.Series([10.01 + 3.37 * n for n in range(200)])
    made = _drawn(values, k=5)
    assert made.null_count() == 0
    assert set(made).isdisjoint(values)
    assert values[4] <= made.min() <= made.max() <= values[-5]
    assert made.n_unique() > 500


def test_numbers_move_to_a_free_place_beside_the_real_ones() -> None:
    """Three of five whole numbers are held by one row each."""
    values = pl.Series([n for n in range(500) if n % 5 < 3])
    made = _drawn(values, k=5)
    assert made.null_count() == 0
    assert set(made).isdisjoint(values)


def test_numbers_without_a_free_place_are_left_empty() -> None:
    """Every whole number from 0 to 99 is held by one row: whatever is drawn would be a real one."""
    assert _drawn(pl.Series(list(range(100))), k=3).null_count() == 2000


def test_common_number_among_single_ones_is_drawn_as_it_is() -> None:
    values = pl.Series([0.0] * 500 + [1.5 + n / 7 for n in range(100)])
    made = _drawn(values)
    assert 0.75 < (made == 0.0).sum() / len(made) < 0.92
    assert set(made.filter(made != 0.0)).isdisjoint(values)


def test_category_held_by_fewer_than_k_rows_is_withheld_and_by_k_rows_is_not() -> None:
    cut = _cut(pl.Series(["a"] * 3 + ["b"] * 2), k=3)
    assert cut.codes.tolist() == [0, 0, 0, -1, -1]
    assert cut.groups == 1


@pytest.mark.parametrize(("nulls", "groups"), [(2, 1), (3, 2)])
def test_null_is_a_group_from_k_rows_on(nulls: int, groups: int) -> None:
    assert _cut(pl.Series(["a"] * 5 + [None] * nulls), k=3).groups == groups


def test_many_categories_share_at_most_thirty_two_groups_and_all_are_drawn() -> None:
    values = pl.Series([f"v{n % 80}" for n in range(8000)])
    assert _cut(values).groups == 32
    assert _drawn(values, rows=20_000).n_unique() == 80


def test_pair_below_k_rows_is_not_counted() -> None:
    one, other = np.array([0, 0, 0, 1, 1, -1]), np.array([0, 0, 0, 1, 1, 0])
    assert safe_pairs(one, other, (2, 2), k=3).tolist() == [[3, 0], [0, 0]]
    assert count_pairs(one, other, (2, 2)).tolist() == [[3, 0], [0, 2]]


@pytest.mark.parametrize(
    ("table", "tie"),
    [([[50, 0], [0, 50]], 1.0), ([[25, 25], [25, 25]], 0.0), ([[10, 10]], 0.0), ([[1, 0], [0, 0]], 0.0)],
)
def test_ties_known_by_heart(table: list[list[int]], tie: float) -> None:
    assert cramers_v(np.array(table, dtype=np.float64)) == pytest.approx(tie, abs=0.01)


def test_model_keeps_what_two_columns_decide_together() -> None:
    """The third column is the first and the second; a tree alone would get one row in twelve wrong."""
    one, other = (np.floor(CHANCE.uniform(use, 8000) * 2).astype(np.int64) for use in ("one", "other"))
    drawn = draw_groups(fit_tree([one, other, one & other], [2, 2, 2], k=10), rows=8000, chance=CHANCE, use="x")
    assert ((drawn[0] & drawn[1]) == drawn[2]).mean() > 0.98


def test_group_that_no_pair_of_k_rows_shows_is_drawn_from_the_whole() -> None:
    one, other = np.arange(40) % 20, np.zeros(40, dtype=np.int64)
    links = fit_tree([one, other], [20, 1], k=3)
    assert all(np.allclose(link.shares.sum(axis=1), 1) for link in links)


def test_repeats_that_k_pseudonyms_share_are_kept_and_longer_ones_shortened() -> None:
    repeats, persons = repeats_of(np.array([1] * 6 + [2] * 5 + [9]), k=5)
    assert (repeats.tolist(), persons.tolist()) == ([1, 2], [6, 6])


def test_repeats_that_nobody_shares_become_single() -> None:
    assert repeats_of(np.array([3, 4, 5]), k=2)[0].tolist() == [1]


def test_copy_of_a_unique_row_is_found_and_of_a_shared_row_is_none() -> None:
    extract = pl.DataFrame({"a": [1, 1, 2, None], "b": ["x", "x", "y", None]})
    made = pl.DataFrame({"a": [1, 2, None, 2], "b": ["x", "y", None, "x"]})
    assert copies_of_unique(made, extract, ["a", "b"]) == 2
    assert copies_of_unique(made, extract, []) == 0


def test_sample_takes_no_class_below_its_need_and_no_more_than_its_size() -> None:
    extract = pl.DataFrame({"q": [n // 10 for n in range(1000)], "s": [n % 2 for n in range(1000)]})
    sample = draw_sample(extract, quasi=["q"], sensitive=["s"], size=100, k=8, l=2, chance=CHANCE, table="t")
    assert sample.drawn.min() >= 8
    assert sample.drawn.sum() == len(sample.rows) <= 100
    assert sample.k_map == 10
    assert sample.risk_in_population()["marketer"] == pytest.approx(
        0.1 * len(sample.drawn) * 8 / sample.drawn.sum(), rel=0.3
    )


def test_rows_of_a_large_class_are_drawn_by_its_share() -> None:
    extract = pl.DataFrame({"q": ["a"] * 900 + ["b"] * 100})
    sample = draw_sample(extract, quasi=["q"], sensitive=[], size=100, k=5, l=None, chance=CHANCE, table="t")
    assert sorted(sample.drawn) == [10, 90]
