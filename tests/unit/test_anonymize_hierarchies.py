"""Hierarchies: labels, alignment, coding of the ends, nesting, and the loss of each level."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from anonymize.errors import BadInput, Place
from anonymize.strict import Fields
from anonymize.techniques.generalize import Generalize, apply_level, level_column

PLACE = Place(table="t.csv", column="c")


def _technique(**params: Any) -> Generalize:
    fields = Fields(params, "params")
    technique = Generalize.read(fields)
    fields.close()
    return technique


def _shown(values: list[Any], level: int, **params: Any) -> list[Any]:
    column = pl.Series("c", values)
    return level_column(column, _technique(**params), place=PLACE).released(level, column).to_list()


def _refusal(values: list[Any], **params: Any) -> BadInput:
    with pytest.raises(BadInput) as refused:
        _shown(values, 1, **params)
    return refused.value


def test_level_zero_is_the_source_and_the_last_level_hides_everything() -> None:
    assert _shown([21, 35, None], 0, kind="bands", widths=[5]) == [21, 35, None]
    assert _shown([21, 35, None], 2, kind="bands", widths=[5]) == ["*", "*", "*"]


def test_whole_numbers_get_closed_bands() -> None:
    assert _shown([0, 4, 5, 9, 10], 1, kind="bands", widths=[5]) == ["0-4", "0-4", "5-9", "5-9", "10-14"]


def test_other_numbers_get_half_open_bands() -> None:
    assert _shown([17.5, 22.0, 22.5], 1, kind="bands", widths=[5], origin=17.5) == [
        "[17.5, 22.5)",
        "[17.5, 22.5)",
        "[22.5, 27.5)",
    ]


def test_bands_align_to_their_origin() -> None:
    assert _shown([17, 18, 27, 28], 1, kind="bands", widths=[10], origin=8) == ["8-17", "18-27", "18-27", "28-37"]


def test_negative_numbers_fall_into_the_band_below_zero() -> None:
    assert _shown([-1, 0], 1, kind="bands", widths=[10]) == ["[-10, 0)", "0-9"]


def test_ends_are_coded_and_neighbouring_bands_say_so() -> None:
    shown = _shown([15, 18, 19, 79, 80, 95], 1, kind="bands", widths=[10], bottom=18, top=80)
    assert shown == ["<18", "18-19", "18-19", "70-79", "≥80", "≥80"]


def test_numbers_written_as_text_are_banded() -> None:
    assert _shown(["1300000000", "7"], 1, kind="bands", widths=[100]) == ["[1300000000, 1300000100)", "[0, 100)"]


@pytest.mark.parametrize("values", [["12", "unknown"], [1.0, float("nan")], [1.0, float("inf")], ["1", "NaN"]])
def test_what_is_no_finite_number_is_refused_by_count(values: list[Any]) -> None:
    refused = _refusal(values, kind="bands", widths=[5])
    assert refused.code == "column.not_a_number"
    assert refused.subject == "t.csv:c"
    assert "1 distinct values" in refused.text.en
    assert "unknown" not in refused.sentence("en")


def test_bands_over_dates_are_refused() -> None:
    assert _refusal([dt.date(2020, 1, 1)], kind="bands", widths=[5]).code == "column.not_a_number"


@pytest.mark.parametrize(
    "values",
    [
        [dt.date(2024, 5, 17)],
        [dt.datetime(2024, 5, 17, 8, 30, tzinfo=dt.UTC)],
        ["2024-05-17"],
        ["2024/05/17"],
        ["20240517"],
        [20240517],
        ["2024年05月17日"],
        ["2024-05-17 08:30:00"],
        ["2024-05-17T08:30:00"],
    ],
)
def test_dates_are_read_in_every_form_departments_use(values: list[Any]) -> None:
    steps = ["day", "month", "quarter", "year", "decade"]
    shown = [_shown(values, level, kind="dates", steps=steps)[0] for level in range(1, 7)]
    assert shown == ["2024-05-17", "2024-05", "2024-Q2", "2024", "2020-2029", "*"]


@pytest.mark.parametrize("values", [["2024-02-30"], ["2024-05-17", "17.5.2024"], ["2024-05-17", "2024/05/18"], ["x"]])
def test_invalid_or_mixed_dates_are_refused(values: list[Any]) -> None:
    assert _refusal(values, kind="dates", steps=["month"]).code == "column.invalid_date"


def test_age_changes_on_the_birthday() -> None:
    born = [dt.date(2000, 11, 1), dt.date(2000, 11, 2), dt.date(2026, 11, 1)]
    assert _shown(born, 1, kind="ages", at=dt.date(2026, 11, 1), widths=[1, 5]) == ["26", "25", "0"]
    assert _shown(born, 2, kind="ages", at=dt.date(2026, 11, 1), widths=[1, 5]) == ["25-29", "25-29", "0-4"]


def test_age_is_top_coded() -> None:
    assert _shown([dt.date(1930, 1, 1)], 1, kind="ages", at=dt.date(2026, 1, 1), widths=[5], top=90) == ["≥90"]


def test_birth_after_the_reference_day_is_refused() -> None:
    refused = _refusal([dt.date(2027, 1, 1)], kind="ages", at=dt.date(2026, 1, 1), widths=[5])
    assert refused.code == "column.invalid_date"


LEVELS = [{"low": [1, 2], "high": [3, 4]}, {"all": ["low", "high"]}]


@pytest.mark.parametrize("values", [[1, 4], [1.0, 4.0], ["1", "4"]])
def test_groups_match_codes_however_they_are_typed(values: list[Any]) -> None:
    assert _shown(values, 1, kind="groups", levels=LEVELS) == ["low", "high"]
    assert _shown(values, 2, kind="groups", levels=LEVELS) == ["all", "all"]


def test_value_missing_from_the_groups_is_refused_by_count() -> None:
    refused = _refusal([1, 31010719], kind="groups", levels=LEVELS)
    assert refused.code == "column.not_in_hierarchy"
    assert "31010719" not in refused.sentence("en") + refused.sentence("zh")


def test_codes_lose_their_tail_and_not_their_length() -> None:
    shown = _shown(["310107005", "310107014", "3101"], 1, kind="prefixes", lengths=[6, 2])
    assert shown == ["310107*", "310107*", "3101*"]
    assert _shown([310107005], 2, kind="prefixes", lengths=[6, 2]) == ["31*"]


def test_codes_must_be_text_or_whole_numbers() -> None:
    assert _refusal([1.5], kind="prefixes", lengths=[1]).code == "column.not_a_code"


def test_null_stays_null_until_everything_is_hidden() -> None:
    assert _shown([1, None], 1, kind="groups", levels=LEVELS) == ["low", None]
    assert _shown([1, None], 3, kind="groups", levels=LEVELS) == ["*", "*"]


def test_loss_counts_the_values_of_the_policy_where_it_lists_them() -> None:
    leveled = level_column(pl.Series("c", [1, 3]), _technique(kind="groups", levels=LEVELS), place=PLACE)
    losses = [level.loss_of_leaf.tolist() for level in leveled.levels]
    assert losses == [[0, 0], [pytest.approx(1 / 3)] * 2, [1, 1], [1, 1]]


def test_loss_counts_the_values_of_the_table_elsewhere() -> None:
    leveled = level_column(pl.Series("c", [1, 2, 3, 11, None]), _technique(kind="bands", widths=[10]), place=PLACE)
    assert leveled.levels[1].loss_of_leaf.tolist() == [0.5, 0.5, 0.5, 0, 0]
    assert leveled.levels[2].loss_of_leaf.tolist() == [1] * 5


def test_column_of_one_value_has_nothing_to_lose() -> None:
    leveled = level_column(pl.Series("c", [7, 7]), _technique(kind="bands", widths=[10]), place=PLACE)
    assert [level.loss_of_leaf.tolist() for level in leveled.levels] == [[0], [0], [0]]


def test_fixed_level_is_applied_to_other_columns() -> None:
    technique = _technique(kind="bands", widths=[1000], level=1)
    assert apply_level(pl.Series("c", [10, 2500]), technique, place=PLACE).to_list() == ["0-999", "2000-2999"]


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "bands", "widths": [0.1, 0.3, 0.6], "bottom": 0.25, "top": 1.7},
        {"kind": "bands", "widths": [3, 6, 18], "origin": 1},
    ],
)
def test_each_level_joins_whole_blocks_of_the_level_before(params: dict[str, Any]) -> None:
    values = pl.Series("c", [round(step * 0.1, 1) for step in range(40)])
    leveled = level_column(values, _technique(**params), place=PLACE)
    for fine, coarse in zip(leveled.levels, leveled.levels[1:], strict=False):
        pairs = set(zip(fine.block_of_leaf.tolist(), coarse.block_of_leaf.tolist(), strict=True))
        assert len(pairs) == fine.blocks
