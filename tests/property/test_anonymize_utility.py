"""Utility against a scorer that shares no code with it: row by row, with sets of exact values written down by hand."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import log2
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.policy import AnonymizationPolicy, parse_policy
from anonymize.privacy.distributions import compare_column, measure_distance
from anonymize.scoring import score_tables
from tests.anonymize_cases import SENSITIVE, extract_of, generalized, policy_text

LEVELS = {
    "n1": ["n1", "north", "*"],
    "n2": ["n2", "north", "*"],
    "s1": ["s1", "south", "*"],
    "s2": ["s2", "south", "*"],
    "far": ["far", "away", "*"],
}
AREA = generalized(kind="groups", levels=[{"north": ["n1", "n2"], "south": ["s1", "s2"], "away": ["far"]}])
AGE = generalized(kind="bands", widths=[10, 20])
COLUMNS = {"age": AGE, "area": AREA, "s": SENSITIVE}
PEOPLE = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from(["n1", "n2", "s1", "s2"]), st.sampled_from("xy")),
    min_size=4,
    max_size=40,
)


def _policy(recoding: str) -> AnonymizationPolicy:
    return parse_policy(policy_text(COLUMNS, target={"k": 2, "suppression_limit": 0.5}, recoding=recoding))


def _age_labels(age: int) -> list[str]:
    ten, twenty = age // 10 * 10, age // 20 * 20
    return [str(age), f"{ten}-{ten + 9}", f"{twenty}-{twenty + 19}", "*"]


def _score(before: list[tuple[Any, ...]], after: list[tuple[str, str] | None]) -> dict[str, float]:
    """The definitions taken literally; a removed row is None."""
    n, total = len(before), [len({row[0] for row in before}), len(LEVELS)]
    labels: list[dict[Any, list[str]]] = [{row[0]: _age_labels(row[0]) for row in before}, LEVELS]
    loss = level = entropy = 0.0
    for column in (0, 1):
        depth = len(next(iter(labels[column].values()))) - 1
        cells = ["*" if row is None else row[column] for row in after]
        for cell in cells:
            covered = [value for value, names in labels[column].items() if cell in names]
            loss += (len(covered) - 1) / (total[column] - 1) if total[column] > 1 else 0
            level += min(names.index(cell) for names in labels[column].values() if cell in names) / depth
        # A removed cell counts 1 even where its column has one value alone.
        loss += sum(cell is None for cell in after) if total[column] == 1 else 0
        alone, shown = Counter(row[column] for row in before), Counter(cells)
        pairs = Counter((row[column], cell) for row, cell in zip(before, cells, strict=True))
        lost = sum(-log2(pairs[row[column], cell] / shown[cell]) for row, cell in zip(before, cells, strict=True))
        known = sum(-log2(alone[row[column]] / n) for row in before)
        entropy += lost / known if known else 0
    classes = Counter(cell for cell in after if cell is not None)
    removed = sum(cell is None for cell in after)
    return {
        "granularity": 1 - loss / (2 * n),
        "generalization_intensity": 1 - level / (2 * n),
        "entropy_loss": entropy / 2,
        "discernibility": sum(size**2 for size in classes.values()) + removed * n,
        "average_class_size": (n - removed) / len(classes),
    }


def _shown(extract: pl.DataFrame, rows: list[tuple[Any, ...]]) -> list[tuple[str, str] | None] | None:
    """Which released cells each source row became, where only one pair of cells can be its own."""
    cells = set(extract.select(pl.col("age", "area").cast(pl.String)).rows())
    answer: list[tuple[str, str] | None] = []
    for age, area, _ in rows:
        fitting = [c for c in cells if c[0] in _age_labels(age) and c[1] in LEVELS[area]]
        if len(fitting) > 1:
            return None
        answer.append(fitting[0] if fitting else None)
    return answer if sum(cell is not None for cell in answer) == extract.height else None


@pytest.mark.parametrize("recoding", ["global", "local"])
@settings(max_examples=25, deadline=None)
@given(rows=PEOPLE)
def test_figures_of_an_extract_equal_those_of_a_literal_scorer(recoding: str, rows: list[tuple[Any, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=["age", "area", "s"], orient="row")
    with TemporaryDirectory() as folder:
        made = extract_of(frame, _policy(recoding), Path(folder))
        extract = pl.read_parquet(made.extract_path)
    shown = _shown(extract, rows)
    if shown is None:  # Classes overlap: nobody but the build itself knows which row went where.
        return
    utility = made.manifest["utility"]
    literal = _score(rows, shown)
    assert {name: utility[name] for name in literal} == pytest.approx(literal, abs=2e-6)
    assert utility["granularity"] == pytest.approx(1 - made.manifest["loss"]["value"], abs=2e-6)


@pytest.mark.parametrize("recoding", ["global", "local"])
@settings(max_examples=15, deadline=None)
@given(rows=PEOPLE)
def test_written_file_scores_as_the_build_did(recoding: str, rows: list[tuple[Any, ...]]) -> None:
    frame, policy = pl.DataFrame(rows, schema=["age", "area", "s"], orient="row"), _policy(recoding)
    with TemporaryDirectory() as folder:
        made = extract_of(frame, policy, Path(folder))
        extract = pl.read_parquet(made.extract_path)
    if extract.filter((pl.col("age").cast(pl.String) == "*") & (pl.col("area") == "*")).height:
        return  # Read from outside, rows that show nothing count as removed.
    read = score_tables(policy, frame, extract, aligned=False, names=("b", "a")).as_json()
    promised = made.manifest["utility"]
    for name in ("granularity", "generalization_intensity", "discernibility", "average_class_size", "c_avg"):
        assert read[name] == pytest.approx(promised[name], abs=2e-6)
    assert read["entropy_loss"] is None
    for name, column in promised["columns"].items():
        assert read["columns"][name]["distance"] == pytest.approx(column["distance"], abs=2e-6)


@settings(max_examples=40, deadline=None)
@given(
    before=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    after=st.lists(st.sampled_from(["0", "7", "0-4", "5-9", "*"]), min_size=1, max_size=30),
)
def test_distance_spreads_each_cell_evenly_over_what_it_covers(before: list[int], after: list[str]) -> None:
    spans = {"0": {0}, "7": {7}, "0-4": set(range(5)), "5-9": set(range(5, 10)), "*": set(range(10))}
    values = sorted(set(before))
    q = dict.fromkeys(values, 0.0)
    for cell in after:
        covered = [value for value in values if value in spans[cell]]
        for value in covered:
            q[value] += 1 / len(covered)
    total = sum(q.values())
    p = {value: before.count(value) / len(before) for value in values}
    source, released = np.ones(len(before)), np.ones(len(after))
    columns = pl.Series("v", before), pl.Series("v", after)
    compared = compare_column(*columns, technique=None, weights=source, table="t")
    found = measure_distance(compared, before=source, after=released)
    shares = {value: (mass / total if total else 0.0) for value, mass in q.items()}
    assert found.total_variation == pytest.approx(sum(abs(p[v] - shares[v]) for v in values) / 2)
    assert found.wasserstein is not None
    if total and len(values) > 1:
        reached = earth = 0.0
        for low, high in pairwise(values):
            reached += p[low] - shares[low]
            earth += abs(reached) * (high - low)
        assert found.wasserstein == pytest.approx(earth / (values[-1] - values[0]), abs=1e-9)
