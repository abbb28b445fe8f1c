"""The bench's scorer against figures worked out by hand, and its table."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from anonymize.bench.data import data_folder
from anonymize.bench.row import Bar, Row, Sheet
from anonymize.bench.score import Tree, score
from anonymize.errors import NotFound

TOWN = [["a1", "a", "*"], ["a2", "a", "*"], ["b1", "b", "*"]]
AGE = [[str(age), "0-4" if age < 5 else "5-8", "*"] for age in range(9)]
SOURCE = pl.DataFrame({"town": ["a1", "a2", "b1", "b1"], "age": ["0", "1", "7", "8"], "ill": ["x", "y", "x", "x"]})


def test_loss_of_labels_and_removed_rows_is_as_defined() -> None:
    output = pl.DataFrame({"town": ["a", "a"], "age": ["0-4", "0-4"]})
    found = score(output, SOURCE, {"town": TOWN, "age": AGE})
    # Kept: (2-1)/(3-1) and (5-1)/(9-1), each twice; two removed rows cost 1 in both columns.
    assert found["ncp"] == pytest.approx((2 * 0.5 + 2 * 0.5 + 4) / 8)
    assert (found["removed"], found["k"], found["classes"]) == (2, 2, 1)


def test_row_of_stars_counts_as_removed() -> None:
    output = pl.DataFrame({"town": ["a", "a", "*", "*"], "age": ["0-4", "0-4", "*", "*"]})
    found = score(output, SOURCE, {"town": TOWN, "age": AGE})
    assert (found["removed"], found["ncp"]) == (2, pytest.approx(0.75))


@pytest.mark.parametrize("cell", ["a1,a2", ["a1", "a2"]])
def test_sets_cost_their_members_and_are_lifted_to_the_least_label(cell: object) -> None:
    tree = Tree.of(TOWN)
    assert tree.covered_by(cell) == {"a1", "a2"}
    assert tree.cost(tree.common_ancestor(frozenset({"a1", "b1"}))) == 1


@pytest.mark.parametrize("cell", ["3-6", {"low": 3, "high": 6}])
def test_intervals_cost_the_values_between_their_ends(cell: object) -> None:
    tree = Tree.of(AGE)
    assert tree.covered_by(cell) == {"3", "4", "5", "6"}
    assert tree.cost(tree.common_ancestor(tree.covered_by(cell))) == 1


@pytest.mark.parametrize("cell", ["c", "a1,c", ["c"], None, 5])
def test_cell_that_the_hierarchy_does_not_know_is_an_error(cell: object) -> None:
    with pytest.raises(ValueError, match="does not know"):
        Tree.of(TOWN).covered_by(cell)


def test_label_that_means_two_things_is_an_error() -> None:
    with pytest.raises(ValueError, match="two things"):
        Tree.of([["a", "b", "*"], ["b", "c", "*"]])


def test_diversity_and_closeness_are_as_defined() -> None:
    output = pl.DataFrame({"town": ["a", "a", "b1", "b1"], "ill": ["x", "y", "x", "x"]})
    found = score(output, SOURCE, {"town": TOWN}, sensitive="ill")
    assert (found["k"], found["l"]) == (2, 1)
    assert found["t"] == pytest.approx(0.25)


def test_bars_are_judged_from_both_sides_and_absence_holds_none(tmp_path: Path) -> None:
    low, high = Bar(figure="ncp", limit=0.5), Bar(figure="k", limit=5, at_least=True)
    assert (low.holds(0.5), low.holds(0.51), high.holds(5), high.holds(4)) == (True, False, True, False)
    sheet = Sheet(folder=tmp_path, name="t", about={})
    sheet.add([Row(section="s", case="c", tool="ours", figures={"ncp": 0.4}, bars=(low, high), note="x|y")])
    assert "1 of 2 bars held" in (tmp_path / "t.md").read_text()
    assert [bar["held"] for bar in json.loads((tmp_path / "t.json").read_text())["rows"][0]["bars"]] == [True, False]


def test_without_data_the_bench_says_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as refused:
        data_folder(str(tmp_path))
    assert "docs/how-to/bench.md" in refused.value.next_step.en
