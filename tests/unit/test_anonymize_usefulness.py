"""Ties, distances and the classification task on tables whose answer is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from anonymize.errors import BadInput
from anonymize.privacy.distributions import compare_column, measure_distance, measure_ties
from anonymize.privacy.prediction import measure_prediction
from anonymize.privacy.utility import entropy_loss
from anonymize.techniques.categories import Prefixes
from anonymize.techniques.generalize import Generalize

ROWS = 600
ONES = np.ones(ROWS)
CHANCE = np.random.default_rng(3)
CAUSE = pl.Series("cause", CHANCE.choice(["a", "b", "c"], size=ROWS))
EFFECT = CAUSE.replace({"a": "x", "b": "y", "c": "y"}).alias("effect")


def test_kept_columns_do_not_move() -> None:
    columns = [compare_column(column, column, technique=None, weights=ONES, table="t") for column in (CAUSE, EFFECT)]
    assert measure_distance(columns[0], before=ONES, after=ONES).as_json() == {
        "total_variation": 0.0,
        "hellinger": pytest.approx(0, abs=1e-6),
        "wasserstein": None,
    }
    ties = measure_ties(columns, before=ONES, after=ONES)
    assert ties is not None
    assert (ties.pairs, ties.mean_change) == (1, 0.0)


def test_hidden_column_loses_its_ties() -> None:
    hide = Generalize(hierarchy=Prefixes(lengths=(1,)), min_level=0, max_level=2)
    hidden = compare_column(CAUSE, pl.Series("cause", ["*"] * ROWS), technique=hide, weights=ONES, table="t")
    kept = compare_column(EFFECT, EFFECT, technique=None, weights=ONES, table="t")
    ties = measure_ties([hidden, kept], before=ONES, after=ONES)
    assert ties is not None
    assert ties.largest_change == pytest.approx(1.0, abs=0.01)
    assert ties.largest_pair == ("cause", "effect")
    counts = CAUSE.value_counts()["count"].to_numpy() / ROWS
    distance = measure_distance(hidden, before=ONES, after=ONES)
    assert distance.total_variation == pytest.approx(np.abs(counts - 1 / 3).sum() / 2)


def test_moved_numbers_are_as_far_as_they_moved() -> None:
    before = pl.Series("n", np.arange(ROWS, dtype=np.float64))
    moved = compare_column(before, before + (ROWS - 1) / 10, technique=None, weights=ONES, table="t")
    found = measure_distance(moved, before=ONES, after=ONES)
    # The range of both together is a tenth larger than that of the source.
    assert found.wasserstein == pytest.approx(0.1 / 1.1, abs=2e-3)
    assert 0.05 < found.total_variation < 0.2


def test_wholly_other_values_are_wholly_apart() -> None:
    columns = pl.Series("n", ["a"] * 4), pl.Series("n", ["b"] * 4)
    other = compare_column(*columns, technique=None, weights=np.ones(4), table="t")
    found = measure_distance(other, before=np.ones(4), after=np.ones(4))
    assert (found.total_variation, found.hellinger) == (1.0, 1.0)


def test_removed_rows_move_a_distribution() -> None:
    column = pl.Series("n", ["a", "a", "b", "b"])
    kept = compare_column(column, column, technique=None, weights=np.ones(4), table="t")
    assert measure_distance(kept, before=np.ones(4), after=np.array([1, 1, 0, 0])).total_variation == 0.5


def test_column_of_one_value_has_no_entropy_to_lose() -> None:
    one, kept = pl.Series(["a", "a"]), pl.Series([True, True])
    assert entropy_loss(one, pl.Series(["*", "*"]), people=pl.Series([1, 1]), kept=kept) == 0


@pytest.mark.parametrize("cells", [[["a", "b"], ["a", "b"], ["c"]], [{"low": 1}, {"low": 1}, {"low": 2}]])
def test_typed_cells_lose_entropy_like_labels(cells: list[object]) -> None:
    people, kept = pl.Series([1, 1, 1]), pl.Series([True, True, True])
    labels = pl.Series(["ab", "ab", "c"])
    answers = [
        entropy_loss(pl.Series(["a", "b", "c"]), shown, people=people, kept=kept)
        for shown in (pl.Series(cells), labels)
    ]
    assert answers[0] == answers[1] == pytest.approx(2 / (3 * np.log2(3)))


def test_classifier_finds_a_rule_and_loses_it_with_the_column() -> None:
    before = pl.DataFrame([CAUSE, EFFECT])
    after = before.with_columns(cause=pl.lit("*"))
    found = measure_prediction(before, after, features=["cause"], target="effect", table="t")
    assert found.before == 1.0
    assert found.after == pytest.approx(found.baseline, abs=0.02)
    assert found.relative == pytest.approx(0, abs=0.06)


def test_classifier_learns_from_numbers_in_bands() -> None:
    numbers = pl.Series("n", CHANCE.normal(size=ROWS))
    frame = pl.DataFrame([numbers, (numbers > 0).cast(pl.String).alias("sign")])
    found = measure_prediction(frame, frame, features=["n"], target="sign", table="t")
    assert found.before == found.after > 0.95


@pytest.mark.parametrize("values", [["a"] * 60, [str(number) for number in range(60)]])
def test_column_that_is_no_class_is_refused_as_a_target(values: list[str]) -> None:
    frame = pl.DataFrame({"q": values, "s": values})
    with pytest.raises(BadInput) as refused:
        measure_prediction(frame, frame, features=["q"], target="s", table="t")
    assert (refused.value.code, refused.value.subject) == ("utility.not_predictable", "t:s")
