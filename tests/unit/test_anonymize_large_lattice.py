"""A lattice too large to search whole: the work ends, what was found meets the target, and the bound is honest."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import polars as pl
import pytest

from anonymize.privacy.histogram import Histogram, build_histogram, sensitive_codes
from anonymize.privacy.lattice import Generalization, Unreachable, search_generalization
from anonymize.target import LModel, Metric, Target
from anonymize.techniques.bands import Bands
from anonymize.techniques.generalize import Generalize, level_column
from tests.unit.test_anonymize_hierarchies import PLACE

WIDTHS: tuple[tuple[int, ...], ...] = ((5, 10, 20), (2, 4, 8, 16), (10,))
"""Hierarchies of five, six and three levels, in turn."""

K3 = Target(k=3, suppression_limit=0.05)


@cache
def _table(*, rows: int, columns: int) -> tuple[tuple[int, ...], ...]:
    """Columns that hang together by one hidden figure, between ones that do not; the last is sensitive."""
    draw = np.random.default_rng(7)
    hidden = draw.normal(size=rows)
    made = [
        draw.integers(0, (2, 5, 12)[number % 3], rows)
        if number % 2
        else np.clip(8 * (hidden + draw.normal(size=rows)) + 25, 0, 49).astype(int)
        for number in range(columns)
    ]
    return tuple(tuple(column.tolist()) for column in [*made, draw.integers(0, 4, rows)])


def _histogram(*, rows: int, columns: int, order: list[int] | None = None) -> Histogram:
    *quasi, sensitive = _table(rows=rows, columns=columns)
    leveled = []
    for number, values in enumerate(quasi):
        widths = WIDTHS[number % 3]
        technique = Generalize(hierarchy=Bands(widths=widths), min_level=0, max_level=len(widths) + 1)
        leveled.append(level_column(pl.Series([values[row] for row in order or range(rows)]), technique, place=PLACE))
    return build_histogram(leveled, [sensitive_codes(pl.Series([sensitive[row] for row in order or range(rows)]))])


def _label(value: int, *, widths: tuple[int, ...], level: int) -> int:
    return value if level == 0 else value // widths[level - 1] if level <= len(widths) else 0


def _removed_by_hand(levels: tuple[int, ...], *, rows: int, columns: int, k: int) -> int:
    *quasi, _ = _table(rows=rows, columns=columns)
    shown = [
        tuple(_label(quasi[number][row], widths=WIDTHS[number % 3], level=level) for number, level in enumerate(levels))
        for row in range(rows)
    ]
    return sum(size for size in Counter(shown).values() if size < k)


@pytest.mark.parametrize("work", [0, 100_000, 3_000_000, 20_000_000])
def test_thirty_columns_end_within_the_work_and_meet_the_target(work: int) -> None:
    found = search_generalization(_histogram(rows=600, columns=30), K3, work_limit=work)
    assert isinstance(found, Generalization)
    assert found.suppressed == _removed_by_hand(found.levels, rows=600, columns=30, k=3) <= 30
    assert not found.proven_optimal
    assert 0 <= found.lower_bound < found.searched


def test_levels_found_within_the_work_are_far_below_the_coarsest() -> None:
    histogram = _histogram(rows=600, columns=30)
    losses = []
    for work in (0, 3_000_000):
        found = search_generalization(histogram, K3, work_limit=work)
        assert isinstance(found, Generalization)
        losses.append(found.loss)
    assert losses[1] < 0.9 * losses[0]


@pytest.mark.parametrize("metric", [Metric.NCP, Metric.ENTROPY, Metric.DISCERNIBILITY, Metric.AVERAGE_CLASS_SIZE])
@pytest.mark.parametrize("models", [{}, {"l": 2, "l_model": LModel.ENTROPY}], ids=["k", "entropy l"])
def test_optimum_lies_between_the_bound_and_what_a_short_search_finds(
    metric: Metric, models: dict[str, int | LModel]
) -> None:
    histogram = _histogram(rows=400, columns=6)
    target = Target(k=3, suppression_limit=0.05, metric=metric, **models)  # type: ignore[arg-type]
    whole = search_generalization(histogram, target)
    assert isinstance(whole, Generalization)
    assert whole.proven_optimal
    for work in (50_000, 400_000, 1_000_000):
        short = search_generalization(histogram, target, work_limit=work)
        if isinstance(short, Unreachable):
            assert not short.proven
            continue
        assert short.lower_bound <= whole.searched + 1e-9 <= short.searched + 2e-9
        assert short.proven_optimal <= (short.searched <= whole.searched + 1e-9)


@pytest.mark.parametrize("work", [100_000, 3_000_000])
def test_short_search_gives_the_same_for_any_order_of_rows(work: int) -> None:
    order = np.random.default_rng(3).permutation(600).tolist()
    one = search_generalization(_histogram(rows=600, columns=30), K3, work_limit=work)
    other = search_generalization(_histogram(rows=600, columns=30, order=order), K3, work_limit=work)
    assert one == other


def test_nothing_allowed_by_a_short_search_is_not_called_impossible() -> None:
    """Entropy l of 3.9 values out of 4 may hold in parts of what misses it: only a search of all could tell."""
    target = Target(k=3, l=4, l_model=LModel.ENTROPY, suppression_limit=0.5)
    found = search_generalization(_histogram(rows=600, columns=30), target, work_limit=100_000)
    assert found == Unreachable(suppressed=600, proven=False)
