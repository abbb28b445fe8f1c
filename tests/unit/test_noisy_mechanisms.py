"""The noise is OpenDP's: its privacy maps stay within the price, and what is released spreads as it promises.

Tests of chance are about numbers of releases with a known chance each; the bounds are exact binomial ones that a right
mechanism misses with a probability below 1e-9 per test.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from scipy.stats import binom

from anonymize.privacy.dp.answer import answer, calibrate
from anonymize.privacy.dp.loss import Composition, Loss
from anonymize.privacy.dp.mechanisms import PrivacyMapExceeded, count_mechanism, keys_mechanism, load_opendp
from anonymize.privacy.dp.queries import AnyQuery
from tests.noisy_cases import AGES, COUNT, EVERY_QUERY, KEYS, MEAN, PEOPLE, QUANTILES, SUM, TABLE, TOWNS, request_of

ONE = Loss(amount=Decimal(1), delta=Decimal("0.000001"))
RARE = 1e-9
NONE = PEOPLE.clear()


def _asked(query: dict[str, Any], frame: pl.DataFrame = PEOPLE, **changes: Any) -> pl.DataFrame:
    request = request_of(query, **changes)
    (mechanism,) = calibrate(request)
    return answer(request.queries[0], mechanism, frame, request).frame


def _under(composition: Composition, query: dict[str, Any], amount: str) -> AnyQuery:
    changed = {key: value for key, value in query.items() if key != "epsilon"}
    changed[composition.parameter] = amount
    text = {key: Decimal(value) if key == composition.parameter else value for key, value in changed.items()}
    return request_of(text, composition=str(composition)).queries[0]


@pytest.mark.parametrize("amount", ["0.001", "0.3", "10"])
@pytest.mark.parametrize("query", EVERY_QUERY, ids=lambda query: str(query["kind"]))
def test_privacy_map_is_within_the_price_and_not_far_below(query: dict[str, Any], amount: str) -> None:
    request = request_of({**query, "epsilon": Decimal(amount)}, max_rows=3)
    (mechanism,) = calibrate(request)
    said, delta = mechanism.measurement.map(3) if query is KEYS else (mechanism.measurement.map(3), 0)
    assert Fraction(said) <= Fraction(Decimal(amount))
    assert Fraction(delta) <= Fraction(request.loss.delta)
    assert said > float(amount) * 0.999


@pytest.mark.parametrize("query", [COUNT, SUM, MEAN, QUANTILES, TOWNS, TABLE], ids=lambda query: str(query["kind"]))
def test_privacy_map_is_within_the_price_under_zcdp(query: dict[str, Any]) -> None:
    paid = _under(Composition.ZCDP, query, "0.1")
    request = replace(request_of(COUNT, composition="pure"), composition=Composition.ZCDP, queries=(paid,))
    (mechanism,) = calibrate(request)
    assert 0.0999 < mechanism.measurement.map(2) <= 0.1
    assert answer(paid, mechanism, PEOPLE, request).frame.height > 0


def test_more_rows_of_a_person_take_more_noise() -> None:
    one, ten = (count_mechanism(ONE, most, Composition.PURE) for most in (1, 10))
    assert ten.scales[0] == pytest.approx(10 * one.scales[0])


def test_counting_people_takes_the_noise_of_one_row() -> None:
    units, rows = (calibrate(request_of({**COUNT, "of": of}, max_rows=50))[0] for of in ("units", "rows"))
    assert rows.scales[0] == pytest.approx(50 * units.scales[0])


def test_mechanism_that_loses_more_than_was_paid_is_stopped() -> None:
    mechanism = count_mechanism(ONE, 2, Composition.PURE)
    mechanism.check(ONE)
    for dearer in (Loss(amount=Decimal("0.999")), Loss(amount=Decimal(0))):
        with pytest.raises(PrivacyMapExceeded):
            mechanism.check(dearer)
    keys = keys_mechanism(ONE, 2)
    with pytest.raises(PrivacyMapExceeded):
        keys.check(Loss(amount=Decimal(1)))


def test_threshold_is_the_least_that_its_delta_allows() -> None:
    found = keys_mechanism(ONE, 2)
    library, counts = load_opendp(), (found.scales[0], found.threshold)
    space = library.vector_domain(library.atom_domain(T="i64")), library.symmetric_distance()
    assert counts[1] is not None
    lower = (
        space
        >> library.t.then_count_by(TV="i64")
        >> library.m.then_laplace_threshold(scale=counts[0], threshold=counts[1] - 1)
    )
    assert lower.map(2)[1] > float(ONE.delta)


def _bounds(chance: float, releases: int) -> tuple[int, int]:
    return int(binom.ppf(RARE / 2, releases, chance)), int(binom.isf(RARE / 2, releases, chance))


def test_count_spreads_as_a_discrete_laplace() -> None:
    """At scale 1 the noise is 0 with probability (1 - 1/e) / (1 + 1/e), and +1 with 1/e of that."""
    mechanism = count_mechanism(ONE, 1, Composition.PURE)
    codes = pl.Series([0] * 50, dtype=pl.Int64)
    noise = [mechanism.release(codes) - 50 for _ in range(2500)]
    none = (1 - math.exp(-1)) / (1 + math.exp(-1))
    for value, chance in ((0, none), (1, none / math.e), (-1, none / math.e), (3, none / math.e**3)):
        low, high = _bounds(chance, 2500)
        assert low <= noise.count(value) <= high


def test_count_under_zcdp_spreads_as_a_discrete_gaussian() -> None:
    """At rho 0.125 the scale is 2: weights exp(-x^2 / 8)."""
    mechanism = count_mechanism(Loss(amount=Decimal("0.125")), 1, Composition.ZCDP)
    weights = {x: math.exp(-(x**2) / 8) for x in range(-60, 61)}
    noise = [mechanism.release(pl.Series([0], dtype=pl.Int64)) - 1 for _ in range(2500)]
    for value in (0, 2, -5):
        low, high = _bounds(weights[value] / sum(weights.values()), 2500)
        assert low <= noise.count(value) <= high


EXACT: list[tuple[str, dict[str, Any], float]] = [
    ("count", COUNT, 400),
    ("sum", SUM, 19800),
    ("mean", MEAN, 49.5),
    ("mean of few", {**MEAN, "epsilon": 0.01}, 49.5),
    ("cells", TOWNS, 200),
]


@pytest.mark.parametrize(("query", "truth"), [one[1:] for one in EXACT], ids=[one[0] for one in EXACT])
@pytest.mark.parametrize("composition", list(Composition))
def test_interval_holds_the_answer_without_noise(query: dict[str, Any], truth: float, composition: Composition) -> None:
    """In 95 % of releases at least: of 200 at most so many may miss that a binomial with 5 % passes but once in 1e9."""
    paid = _under(composition, query, str(query["epsilon"]))
    request = replace(request_of(COUNT, max_rows=2), composition=composition, queries=(paid,))
    (mechanism,) = calibrate(request)
    missed = 0
    for _ in range(200):
        row = answer(paid, mechanism, PEOPLE, request).frame.row(0, named=True)
        missed += not row["low"] <= truth <= row["high"]
    assert missed <= binom.isf(RARE, 200, 0.05)


def test_quantile_is_as_near_in_rank_as_is_said() -> None:
    request = request_of({**QUANTILES, "levels": [0.5], "epsilon": 0.05}, max_rows=2)
    (mechanism,) = calibrate(request)
    # Each of 0..99 occurs four times: value v has 4v rows below and the best candidate's score is at most 4 off.
    allowed = mechanism.errors[0] + 4
    missed = 0
    for _ in range(200):
        value = answer(request.queries[0], mechanism, PEOPLE, request).frame["value"][0]
        missed += abs(4 * value + 2 - 200) > allowed
    assert missed <= binom.isf(RARE, 200, 0.05)


def test_integers_stay_integers_and_steps_do_not() -> None:
    assert _asked(COUNT).schema == dict.fromkeys(("value", "low", "high"), pl.Int64)
    assert _asked(SUM).schema == dict.fromkeys(("value", "low", "high"), pl.Int64)
    assert _asked({**SUM, "step": 0.5}).schema == dict.fromkeys(("value", "low", "high"), pl.Float64)
    assert _asked(MEAN).schema["value"] == pl.Float64
    assert _asked(QUANTILES).schema == {"level": pl.Float64, "value": pl.Int64}
    assert _asked({**QUANTILES, "step": 0.5}).schema["value"] == pl.Float64


def test_cells_are_all_there_whatever_the_data_hold() -> None:
    """A cell that is left out because it is empty would tell that it is empty."""
    for frame in (PEOPLE, NONE):
        table = _asked(TABLE, frame)
        assert table["town"].to_list() == ["A"] * 3 + ["B"] * 3 + [None] * 3
        assert table["income"].to_list() == ["[0, 50)", "[50, 100)", None] * 3
    assert _asked({**TABLE, "other": "drop"}).height == 4


def test_cells_count_what_lies_in_them() -> None:
    """At epsilon 10 and one row each noise passes 5 with probability below 1e-21."""
    table = _asked({**TABLE, "epsilon": 10}, max_rows=1, unit=None)
    truth = [100, 100, 0, 50, 50, 0, 50, 50, 0]
    assert all(abs(value - true) <= 5 for value, true in zip(table["value"], truth, strict=True))


def test_only_what_the_filter_lets_through_counts() -> None:
    found = _asked({**COUNT, "epsilon": 10, "where": {"town": ["B", "C"]}}, unit=None, max_rows=None)["value"][0]
    assert abs(found - 200) <= 5


def test_empty_table_is_answered_like_any_other() -> None:
    for query in EVERY_QUERY:
        assert _asked(query, NONE).height == _asked(query).height or query is KEYS
    assert _asked(MEAN, NONE).row(0, named=True)["high"] == 100


def test_figures_below_zero_are_mended_only_when_asked() -> None:
    query = {**TOWNS, "epsilon": 0.01}
    raw = [value for _ in range(20) for value in _asked(query, NONE)["value"]]
    mended = [value for _ in range(20) for value in _asked({**query, "non_negative": True}, NONE)["value"]]
    assert min(raw) < 0  # each is with probability 0.499; that none of 60 is: 1e-18
    assert min(mended) == 0


def test_quantiles_rise_with_their_levels() -> None:
    values = [_asked({**QUANTILES, "epsilon": 0.01})["value"].to_list() for _ in range(10)]
    assert all(one == sorted(one) for one in values)


def test_keys_show_the_common_and_hide_the_rare() -> None:
    frame = pl.concat([PEOPLE, pl.DataFrame({"id": ["x"], "town": ["Z"], "income": [1]})])
    for _ in range(20):
        table = _asked({**KEYS, "epsilon": 10}, frame, max_rows=1, unit=None)
        assert table["town"].to_list() == ["A", "B", "C"]


def test_column_may_be_called_like_a_figure() -> None:
    frame = PEOPLE.rename({"town": "value"})
    table = _asked({**TOWNS, "columns": {"value": {"categories": ["A"]}}}, frame)
    assert table.columns == ["value_", "value", "low", "high"]


def test_unusable_cells_are_left_out_and_infinity_is_beyond_the_bound() -> None:
    frame = pl.DataFrame(
        {
            "id": [f"p{number}" for number in range(600)],
            "income": [float("nan"), None, float("inf"), float("-inf"), 50.0, 1e308] * 100,
        }
    )
    total = _asked({**SUM, "epsilon": 10, "low": 10}, frame, max_rows=1)["value"][0]
    assert abs(total - 100 * (100 + 10 + 50 + 100)) < 100 * 10  # noise of scale 10: beyond it with e^-100


@pytest.mark.parametrize("query", [AGES, SUM], ids=["edges", "sum"])
def test_text_counts_as_the_number_it_spells(query: dict[str, Any]) -> None:
    frame = PEOPLE.with_columns(pl.col("income").cast(pl.String))
    near, far = (_asked({**query, "epsilon": 10}, one, max_rows=1, unit=None)["value"][0] for one in (PEOPLE, frame))
    assert abs(near - far) < 1000


def test_asking_again_draws_again() -> None:
    mechanism = count_mechanism(Loss(amount=Decimal("0.001")), 1, Composition.PURE)
    codes = pl.Series([0] * 10, dtype=pl.Int64)
    assert len({mechanism.release(codes) for _ in range(20)}) > 10
