"""The search equals exhaustive search on lattices small enough to enumerate, and risk equals a count by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import product
from math import log2
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import Place
from anonymize.privacy.classes import measure_classes
from anonymize.privacy.histogram import build_histogram, sensitive_codes
from anonymize.privacy.lattice import Generalization, Unreachable, search_generalization
from anonymize.privacy.risk import measure_risk
from anonymize.privacy.whole import Whole, whole_of
from anonymize.target import LModel, Metric, Target, TDistance
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups, Prefixes
from anonymize.techniques.generalize import Generalize, Leveled, level_column
from tests.referee_models import class_meets

_TOWNS = Groups(
    levels=(
        (("a", "north"), ("b", "north"), ("c", "south"), ("d", "south")),
        (("north", "city"), ("south", "city")),
    )
)
HIERARCHIES: dict[str, Any] = {
    "age": Bands(widths=(2, 4)),
    "town": _TOWNS,
    "code": Prefixes(lengths=(1,)),
}
ROWS = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(["a", "b", "c", "d", None]),
        st.sampled_from(["x1", "x2", "y1"]),
        st.sampled_from(["flu", "cold", "rash", None]),
    ),
    min_size=1,
    max_size=40,
)


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {"age": pl.Int64, "town": pl.String, "code": pl.String, "illness": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _columns(frame: pl.DataFrame) -> list[Leveled]:
    return [
        level_column(
            frame[name],
            Generalize(hierarchy=hierarchy, min_level=0, max_level=hierarchy.depth - 1),
            place=Place(table="t", column=name),
        )
        for name, hierarchy in HIERARCHIES.items()
    ]


TARGETS = st.builds(
    Target,
    k=st.integers(2, 6),
    suppression_limit=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
    suppression_cost=st.sampled_from([1.0, 2.5]),
    metric=st.sampled_from([Metric.NCP, Metric.NCP, Metric.NCP, Metric.ENTROPY, Metric.DISCERNIBILITY]),
)
MODELS: list[dict[str, Any]] = [
    {},
    {"l": 2},
    {"l": 2, "l_model": LModel.ENTROPY},
    {"l": 2, "l_model": LModel.RECURSIVE, "c": 1.5},
    {"t": 0.2},
    {"t": 0.15, "t_distance": TDistance.HIERARCHICAL},
    {"t": 0.1, "t_distance": TDistance.ORDERED},
    {"l": 2, "l_model": LModel.ENTROPY, "t": 0.4},
]
ILLNESSES = {"bug": "chest", "cold": "chest", "flu": "chest", "rash": "skin"}


def _whole(frame: pl.DataFrame, target: Target) -> Whole:
    known = frame["illness"].unique().drop_nulls().sort()
    return whole_of(
        frame["illness"], distance=target.t_distance, labels=[pl.Series([ILLNESSES[value] for value in known])]
    )


def _objective(
    columns: list[Leveled], levels: tuple[int, ...], rows: list[tuple[Any, ...]], target: Target
) -> tuple[float, float, int]:
    """What is searched, NCP and rows removed at one node of the lattice, straight from the definitions."""
    at = [column.at(number) for column, number in zip(columns, levels, strict=True)]
    shown = list(
        zip(*(level.block_of_leaf[c.codes].tolist() for c, level in zip(columns, at, strict=True)), strict=True)
    )
    cells = [
        sum(float(level.loss_of_leaf[c.codes[row]]) for c, level in zip(columns, at, strict=True))
        for row in range(len(rows))
    ]
    values, classes = [row[3] for row in rows], defaultdict(list)
    for row, label in enumerate(shown):
        classes[label].append(row)
    safe = [
        members
        for members in classes.values()
        if class_meets([values[row] for row in members], values, target, ILLNESSES)
    ]
    kept = {row for members in safe for row in members}
    removed, count, width, cost = len(rows) - len(kept), len(rows), len(columns), target.suppression_cost
    loss = sum(cells[row] for row in kept)
    match target.metric:
        case Metric.NCP:
            searched = (loss + cost * removed * width) / (count * width)
        case Metric.DISCERNIBILITY:
            searched = (sum(len(members) ** 2 for members in safe) + cost * removed * count) / count**2
        case Metric.AVERAGE_CLASS_SIZE:
            searched = count / max(len(safe) + (removed > 0), 1)
        case Metric.ENTROPY:
            searched = _entropy(columns, levels, kept, cost)
    return searched, (loss + removed * width) / (count * width), removed


def _entropy(columns: list[Leveled], levels: tuple[int, ...], kept: set[int], cost: float) -> float:
    rows, lost, most = len(columns[0].codes), 0.0, 0.0
    for column, number in zip(columns, levels, strict=True):
        exact, block = Counter(column.codes.tolist()), column.at(number).block_of_leaf
        under = Counter(block[column.codes].tolist())
        for row, code in enumerate(column.codes.tolist()):
            own = log2(exact[code])
            lost += log2(under[int(block[code])]) - own if row in kept else cost * log2(rows) - own
            most += log2(rows) - own
    return lost / most if most else 0.0


@pytest.mark.parametrize("model", MODELS, ids=str)
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, target=TARGETS)
def test_search_equals_exhaustive_search(rows: list[tuple[Any, ...]], target: Target, model: dict[str, Any]) -> None:
    frame, target = _frame(rows), replace(target, **model)
    if target.t_distance is TDistance.ORDERED:
        frame = frame.with_columns(pl.col("illness").fill_null("flu"))
    columns = _columns(frame)
    trees = [_whole(frame, target).levels]
    found = search_generalization(build_histogram(columns, [sensitive_codes(frame["illness"])], trees=trees), target)
    nodes = [_objective(columns, levels, frame.rows(), target) for levels in product(range(4), range(4), range(3))]
    limit = target.suppression_limit * len(rows) + 1e-9
    allowed = [searched for searched, _, removed in nodes if removed <= limit and removed < len(rows)]
    if not allowed:
        assert isinstance(found, Unreachable)
        assert found.proven
        return
    assert isinstance(found, Generalization)
    assert found.proven_optimal
    assert found.searched == found.lower_bound == pytest.approx(min(allowed))
    expected = (pytest.approx(found.searched), pytest.approx(found.loss), found.suppressed)
    assert _objective(columns, found.levels, frame.rows(), target) == expected


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, k=st.integers(2, 6), limit=st.sampled_from([0.0, 0.2, 1.0]))
def test_average_class_size_equals_exhaustive_search(rows: list[tuple[Any, ...]], k: int, limit: float) -> None:
    target = Target(k=k, suppression_limit=limit, metric=Metric.AVERAGE_CLASS_SIZE)
    test_search_equals_exhaustive_search.hypothesis.inner_test(rows, target, {})  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4), work=st.integers(0, 200))
def test_search_cut_short_still_meets_the_target_and_bounds_the_optimum(
    rows: list[tuple[Any, ...]], k: int, work: int
) -> None:
    frame, target = _frame(rows), Target(k=k, suppression_limit=0.3)
    histogram = build_histogram(_columns(frame), [])
    short = search_generalization(histogram, target, work_limit=work)
    whole = search_generalization(histogram, target)
    if isinstance(whole, Unreachable):
        assert short == whole
        return
    assert isinstance(short, Generalization)
    assert short.lower_bound <= whole.loss + 1e-9 <= short.loss + 2e-9
    assert _objective(_columns(frame), short.levels, rows, target)[2] == short.suppressed
    assert short.proven_optimal <= (short.loss <= whole.loss + 1e-9)


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, order=st.randoms(use_true_random=False))
def test_search_does_not_depend_on_the_order_of_rows(rows: list[tuple[Any, ...]], order: Any) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)
    target = Target(k=2, suppression_limit=0.3)
    one, other = (
        search_generalization(build_histogram(_columns(f), []), target) for f in map(_frame, (rows, shuffled))
    )
    assert one == other


@settings(max_examples=150, deadline=None)
@given(rows=ROWS)
def test_risk_equals_a_count_by_hand(rows: list[tuple[Any, ...]]) -> None:
    risk = measure_risk(measure_classes(_frame(rows), ["age", "town"], ["illness"]))
    classes: dict[Any, list[Any]] = defaultdict(list)
    for age, town, _, illness in rows:
        classes[age, town].append(illness)
    sizes = [len(members) for members in classes.values()]
    overall = Counter(row[3] for row in rows)
    distances = [
        sum(abs(members.count(v) / len(members) - n / len(rows)) for v, n in overall.items()) / 2
        for members in classes.values()
    ]
    assert risk.rows == len(rows)
    assert risk.k == min(sizes)
    assert risk.classes == len(sizes)
    assert risk.uniques == sizes.count(1)
    assert risk.prosecutor_max == risk.journalist_max == pytest.approx(1 / min(sizes))
    assert risk.prosecutor_mean == pytest.approx(sum(1 / size for size in sizes for _ in range(size)) / len(rows))
    assert risk.marketer == pytest.approx(len(sizes) / len(rows))
    assert risk.rows_at_high_risk == pytest.approx(sum(size for size in sizes if 1 / size > 0.2) / len(rows))
    assert risk.l == {"illness": min(len(set(members) - {None}) for members in classes.values())}
    assert risk.t == {"illness": pytest.approx(max(distances), abs=1e-9)}
