"""Population uniqueness: each model against what it must say of tables whose population is known."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from anonymize.errors import BadInput
from anonymize.privacy.classes import Classes
from anonymize.privacy.population import estimate_population_uniques


def classes_of(sizes: list[int]) -> Classes:
    return Classes(sizes=np.sort(np.array(sizes, dtype=np.int64)), l={}, t={})


def pitman_sizes(people: int, *, alpha: float, theta: float, seed: int) -> list[int]:
    """Sizes of classes drawn from Pitman's process: the next person founds a class or joins one."""
    chance = np.random.default_rng(seed)
    member_of: list[int] = []
    sizes: list[int] = []
    for n in range(people):
        if chance.random() < (theta + alpha * len(sizes)) / (theta + n):
            member_of.append(len(sizes))
            sizes.append(1)
            continue
        while True:  # a class by its size less alpha: one by size, given back with chance alpha / size
            found = member_of[chance.integers(n)]
            if chance.random() >= alpha / sizes[found]:
                break
        member_of.append(found)
        sizes[found] += 1
    return sizes


def test_without_sample_uniques_nobody_is_unique() -> None:
    found = estimate_population_uniques(classes_of([2, 5, 9]), population=1000)
    assert (found.zayatz, found.pitman, found.snb, found.dankar, found.believed) == (0, 0, 0, 0, "count")


def test_zayatz_equals_the_hypergeometric_sum_by_hand() -> None:
    sizes, population = [1, 1, 1, 2, 2, 5], 60
    drawn = sum(sizes)
    alone = {size: size * comb(population - size, drawn - 1) / comb(population, drawn) for size in set(sizes)}
    expected = 3 / drawn * 3 * alone[1] / sum(alone[size] for size in sizes)
    assert estimate_population_uniques(classes_of(sizes), population=population).zayatz == pytest.approx(expected)


@pytest.mark.parametrize(("alpha", "theta"), [(0.3, 40.0), (0.6, 100.0), (0.8, 10.0)])
def test_pitman_finds_the_uniques_of_a_population_that_follows_it(alpha: float, theta: float) -> None:
    people, drawn = 40_000, 4_000
    chance = np.random.default_rng(7)
    population = pitman_sizes(people, alpha=alpha, theta=theta, seed=3)
    everyone = np.repeat(np.arange(len(population)), population)
    sample = np.bincount(chance.choice(everyone, size=drawn, replace=False))
    found = estimate_population_uniques(classes_of(sample[sample > 0].tolist()), population=people)
    assert found.believed == "pitman"
    assert found.dankar == found.pitman == pytest.approx(population.count(1) / people, rel=0.25)


def test_snb_finds_the_uniques_of_a_population_that_follows_it() -> None:
    chance = np.random.default_rng(11)
    population = 1 + chance.negative_binomial(2.0, 0.5, size=20_000)
    people = int(population.sum())
    everyone = np.repeat(np.arange(len(population)), population)
    sample = np.bincount(chance.choice(everyone, size=people // 2, replace=False))
    found = estimate_population_uniques(classes_of(sample[sample > 0].tolist()), population=people)
    assert found.snb == pytest.approx((population == 1).sum() / people, rel=0.15)
    assert found.believed == ("snb" if found.snb <= found.zayatz else "zayatz")


def test_whole_population_in_the_table_is_counted_not_guessed() -> None:
    sizes = [1] * 30 + [2] * 20 + [3] * 10
    found = estimate_population_uniques(classes_of(sizes), population=sum(sizes))
    assert (found.dankar, found.believed) == (30 / 100, "count")


def test_population_smaller_than_the_table_is_refused() -> None:
    with pytest.raises(BadInput) as refused:
        estimate_population_uniques(classes_of([1, 2, 3]), population=5)
    assert refused.value.code == "risk.population_small"


def test_figure_that_arx_prints_is_told_apart_from_the_model() -> None:
    """Its estimate of classes misses a pair of parentheses: hardly more in a big population than in the table."""
    sizes = [1] * 500 + [2] * 100 + [3] * 40 + [5] * 20
    found = estimate_population_uniques(classes_of(sizes), population=1_000_000)
    assert found.snb is not None
    assert found.snb > 0.05
    assert found.snb_arx < 0.01
    assert found.as_json()["snb_arx"] == found.snb_arx
