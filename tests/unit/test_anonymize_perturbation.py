"""Rounding, coding of the ends, micro-aggregation, noise, swapping, randomizing: known answers, bounds and refusals."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from anonymize.errors import BadInput
from anonymize.facts import Facts
from anonymize.fitness import check_fit
from anonymize.perturb import changed_rows
from anonymize.policy import parse_policy
from anonymize.techniques.mdav import group_records
from anonymize.transform import transform_others
from tests.anonymize_cases import DROP, KEEP, KEY, OTHER_KEY, QUASI_KEPT, policy_of, policy_text


def rule(technique: str, **params: Any) -> dict[str, Any]:
    return {**KEEP, "technique": technique, "params": params}


def released(frame: pl.DataFrame, *, key: bytes = KEY, **columns: dict[str, Any]) -> pl.DataFrame:
    """The frame with a counted column q and the columns' own techniques."""
    policy = policy_of({"q": QUASI_KEPT, **columns})
    whole = frame.with_columns(q=pl.lit(1))
    check_fit(policy, Facts.of(whole), table="t.csv")
    return transform_others(policy, whole, key=key, table="t.csv")


def column(values: Any, technique: str, *, key: bytes = KEY, **params: Any) -> list[Any]:
    return released(pl.DataFrame({"x": values}), key=key, x=rule(technique, **params))["x"].to_list()


def refusal(values: Any, technique: str, **params: Any) -> BadInput:
    with pytest.raises(BadInput) as refused:
        column(values, technique, **params)
    return refused.value


def unreadable(technique: str, **params: Any) -> str:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"q": QUASI_KEPT, "x": rule(technique, **params)}))
    return refused.value.subject.removeprefix("columns.x.params.")


def numbers(count: int = 400) -> list[int]:
    return [int(value) for value in np.random.default_rng(5).normal(5000, 900, count).round()]


def test_half_way_numbers_go_to_the_even_multiple() -> None:
    assert column([14, 15, 25, -15, -16, None], "round", base=10) == [10, 20, 20, -20, -20, None]


def test_rounded_decimals_are_written_as_decimals() -> None:
    assert column([0.31, 0.26, 1.0, None], "round", base=0.1) == [0.3, 0.3, 1.0, None]


def test_rounding_to_a_whole_base_has_no_limit_of_small_types() -> None:
    assert released(pl.DataFrame({"x": pl.Series([127, 1], dtype=pl.Int8)}), x=rule("round", base=100))[
        "x"
    ].to_list() == [100, 0]


def test_values_beyond_the_threshold_become_it() -> None:
    assert column([1, 5, 9, None], "top_code", threshold=5) == [1, 5, 5, None]
    assert column([1.0, 5.0, 9.5, None], "bottom_code", threshold=4.5) == [4.5, 5.0, 9.5, None]


def test_quantile_threshold_is_a_value_of_the_column() -> None:
    assert column(list(range(1, 12)), "top_code", quantile=0.8)[-4:] == [8, 9, 9, 9]
    assert column(list(range(1, 12)), "bottom_code", quantile=0.25)[:5] == [4, 4, 4, 4, 5]


def test_changed_rows_are_counted() -> None:
    frame = pl.DataFrame({"q": [1] * 4, "x": [1, 5, 9, None]})
    policy = policy_of({"q": QUASI_KEPT, "x": rule("top_code", threshold=4)})
    assert changed_rows(policy, frame, transform_others(policy, frame, key=KEY, table="t")) == {"x": 2}


@pytest.mark.parametrize(
    ("technique", "params", "subject"),
    [
        ("round", {"base": 0}, "base"),
        ("round", {"base": -1}, "base"),
        ("round", {}, "base"),
        ("top_code", {}, "threshold"),
        ("top_code", {"threshold": 1, "quantile": 0.9}, "threshold"),
        ("top_code", {"quantile": 0.4}, "quantile"),
        ("bottom_code", {"quantile": 0.6}, "quantile"),
        ("micro_aggregate", {"k": 1}, "k"),
        ("micro_aggregate", {"k": 3, "average": "mode"}, "average"),
        ("noise", {}, "share"),
        ("noise", {"share": 0.1, "sd": 3}, "share"),
        ("noise", {"share": 0}, "share"),
        ("noise", {"share": 0.1, "low": 3, "high": 3}, "high"),
        ("swap", {"percent": 0}, "percent"),
        ("randomize", {"keep": 1}, "keep"),
        ("noise", {"share": 0.1, "together": "alone"}, "together"),
    ],
)
def test_parameters_out_of_range_are_refused_by_name(technique: str, params: dict[str, Any], subject: str) -> None:
    assert unreadable(technique, **params) == subject


def test_columns_together_share_their_technique_and_k() -> None:
    for other in (rule("noise", share=0.1, together="g"), rule("micro_aggregate", k=4, together="g")):
        columns = {"q": QUASI_KEPT, "x": rule("micro_aggregate", k=3, together="g"), "y": other}
        with pytest.raises(BadInput) as refused:
            parse_policy(policy_text(columns))
        assert refused.value.subject == "columns.y.params.together"


@pytest.mark.parametrize("technique", ["round", "top_code", "noise", "micro_aggregate"])
def test_text_is_no_number(technique: str) -> None:
    params = {"round": {"base": 5}, "top_code": {"threshold": 5}, "noise": {"share": 0.5}, "micro_aggregate": {"k": 2}}
    refused = refusal(["a", "b", "b"], technique, **params[technique])
    assert (refused.code, refused.subject) == ("column.not_a_number", "t.csv:x")


def test_fractions_over_whole_numbers_are_refused() -> None:
    assert refusal([1, 2], "round", base=0.5).code == "column.base_not_whole"
    assert refusal([1, 2], "top_code", threshold=1.5).code == "column.threshold_not_whole"


def test_micro_aggregation_of_one_column_is_known() -> None:
    assert column([1, 2, 3, 10, 20, 30, None], "micro_aggregate", k=3) == [2, 2, 2, 20, 20, 20, None]
    assert column([1, 5, 99, 1, 3], "micro_aggregate", k=2, average="median") == [1, 53, 53, 1, 1]


def test_mdav_takes_the_farthest_and_those_near_to_it() -> None:
    """Two clouds and a point between: both clouds are groups, the rest joins as MDAV-generic says."""
    points = np.array([[0, 0], [0, 1], [1, 0], [50, 50], [100, 100], [100, 99], [99, 100]])
    groups = group_records(points, k=3)
    assert len(set(groups[:3].tolist())) == 1
    assert len(set(groups[4:].tolist())) == 1
    assert groups[0] != groups[4]


@pytest.mark.parametrize(("rows", "k", "width"), [(7, 3, 1), (300, 5, 2), (5_000, 4, 3), (50, 50, 2), (64, 3, 1)])
def test_every_group_has_k_to_twice_k_less_one_records(rows: int, k: int, width: int) -> None:
    points = np.random.default_rng(rows).integers(0, 1000, (rows, width))
    sizes = np.bincount(group_records(points, k=k))
    assert sizes.min() >= k
    assert sizes.max() < 2 * k


def test_groups_of_equal_records_are_still_groups() -> None:
    sizes = np.bincount(group_records(np.ones((23, 2), dtype=np.int64), k=5))
    assert sizes.min() >= 5
    assert sizes.max() < 10


def test_columns_aggregated_together_are_k_anonymous_together() -> None:
    frame = pl.DataFrame({"x": numbers(), "y": numbers()[::-1], "born": [dt.date(1950, 1, 1)] * 400})
    frame = frame.with_columns(pl.col("born") + pl.duration(days=pl.col("y")))
    made = released(frame, **{name: rule("micro_aggregate", k=7, together="g") for name in frame.columns})
    assert made.group_by("x", "y", "born").len()["len"].min() >= 7
    assert made.schema == frame.with_columns(q=pl.lit(1)).schema


def test_rows_whose_gaps_fewer_than_k_share_are_emptied() -> None:
    frame = pl.DataFrame({"x": [1, 2, 3, 4, None, 6], "y": [1, 2, 3, 4, 5, None]})
    made = released(frame, **{name: rule("micro_aggregate", k=2, together="g") for name in frame.columns})
    assert made["x"].to_list()[4:] == [None, None]
    assert made["y"].to_list()[4:] == [None, None]
    assert made["x"].null_count() == 2


def test_fewer_values_than_k_are_refused() -> None:
    assert refusal([1, 2, None, None], "micro_aggregate", k=3).code == "column.too_few_to_aggregate"


def test_noise_has_the_spread_asked_for_and_stays_on_the_grid() -> None:
    values = [value * 10 for value in numbers(4_000)]
    noise = np.array(column(values, "noise", share=0.3)) - np.array(values)
    assert noise.std() / np.std(values) == pytest.approx(0.3, rel=0.05)
    assert abs(noise.mean()) < 0.02 * np.std(values)
    assert set((noise % 10).tolist()) == {0}


def test_noise_of_a_fixed_size_is_in_the_units_of_the_column() -> None:
    values = [value / 100 for value in numbers(4_000)]
    noise = np.array(column(values, "noise", sd=2.5)) - np.array(values)
    assert noise.std() == pytest.approx(2.5, rel=0.05)


def test_noise_keeps_to_its_bounds_and_above_zero_where_the_column_was() -> None:
    values = [0, 1, 2, 3, 4, 5] * 50
    assert min(column(values, "noise", share=1.0)) >= 0
    bounded = column(values, "noise", share=1.0, low=-2, high=5)
    assert (min(bounded), max(bounded)) == (-2, 5)


def test_noise_moves_dates_by_whole_days_and_leaves_nulls() -> None:
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=value) for value in range(100)]
    made = column([*days, None], "noise", sd=3)
    assert made[-1] is None
    moved = [(after - before).days for before, after in zip(days, made, strict=False)]
    assert 2 < np.std(moved) < 4


def test_correlated_noise_keeps_the_correlation() -> None:
    base = np.array(numbers(4_000))
    frame = pl.DataFrame({"x": base, "y": base + np.array(numbers(4_000)[::-1]) // 2})
    alone = released(frame, x=rule("noise", share=0.5), y=rule("noise", share=0.5))
    joint = released(frame, x=rule("noise", share=0.5, together="g"), y=rule("noise", share=0.5, together="g"))
    was, lost, kept = (float(np.corrcoef(table["x"], table["y"])[0, 1]) for table in (frame, alone, joint))
    assert kept == pytest.approx(was, abs=0.02)
    assert lost < was - 0.1


def test_noise_that_changes_nothing_is_refused() -> None:
    assert refusal([1, 2, 3] * 10, "noise", share=0.01).code == "column.noise_too_small"
    assert refusal([7, 7, 7], "noise", share=1).code == "column.noise_too_small"


@pytest.mark.parametrize(
    ("technique", "params"), [("noise", {"share": 0.3}), ("swap", {"percent": 10}), ("randomize", {"keep": 0.5})]
)
def test_chance_belongs_to_the_key(technique: str, params: dict[str, Any]) -> None:
    values = [value // 100 for value in numbers()]
    assert column(values, technique, **params) == column(values, technique, **params)
    assert column(values, technique, **params) != column(values, technique, key=OTHER_KEY, **params)


def test_equal_rows_draw_for_themselves() -> None:
    assert len(set(column([1, 2, 101] * 200, "noise", share=0.3))) > 50


def test_swapping_keeps_every_value_and_moves_it_within_its_reach() -> None:
    values = [number / 7 for number in range(1_000)]
    made = column(values, "swap", percent=5)
    assert sorted(made) == values
    assert made != values
    rank = {value: place for place, value in enumerate(values)}
    moved = [abs(rank[after] - place) for place, after in enumerate(made)]
    assert max(moved) <= len(values) * 0.05
    assert np.mean(np.array(moved) == 0) < 0.02


def test_swapping_works_on_text_and_leaves_nulls_in_place() -> None:
    made = column([None, "b", "a", "d", None, "c"] * 10, "swap", percent=50)
    assert [value is None for value in made[:6]] == [True, False, False, False, True, False]


def test_randomizing_keeps_shares_and_changes_as_many_as_said() -> None:
    values = ["a"] * 6_000 + ["b"] * 3_000 + ["c"] * 1_000
    made = column(values, "randomize", keep=0.7)
    assert made.count("a") == pytest.approx(6_000, abs=150)
    changed = sum(after != before for before, after in zip(values, made, strict=True))
    expected = 10_000 * 0.3 * (1 - 0.6**2 - 0.3**2 - 0.1**2)
    assert changed == pytest.approx(expected, rel=0.08)


def test_column_that_differs_on_every_row_is_not_swapped_or_randomized() -> None:
    for technique, params in (("swap", {"percent": 5}), ("randomize", {"keep": 0.5})):
        assert refusal([str(number) for number in range(40)], technique, **params).code == "policy.unique_column"


def test_direct_identifiers_are_not_perturbed() -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"q": QUASI_KEPT, "x": {**DROP, "technique": "swap", "params": {"percent": 5}}}))
    assert refused.value.subject == "columns.x.technique"


@pytest.mark.parametrize(
    ("written", "meant"),
    [({"treshold": 3}, "threshold"), ({"quantil": 0.9}, "quantile"), ({"Threshold": 3}, "threshold")],
)
def test_misspelt_parameter_is_answered_with_the_nearest(written: dict[str, Any], meant: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"q": QUASI_KEPT, "x": rule("top_code", threshold=1, **written)}))
    assert f"did you mean {meant}" in refused.value.text.en


def test_misspelt_technique_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"q": {**QUASI_KEPT, "technique": "generalise"}}))
    assert "did you mean generalize" in refused.value.text.en
    assert "generalise" not in refused.value.text.en
