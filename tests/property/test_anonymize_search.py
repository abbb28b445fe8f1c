"""The search equals exhaustive search on lattices small enough to enumerate, and risk equals a count by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.errors import Place
from anonymize.privacy.classes import measure_classes, rows_that_meet
from anonymize.privacy.histogram import build_histogram, sensitive_codes
from anonymize.privacy.lattice import Generalization, Unreachable, search_generalization
from anonymize.privacy.risk import measure_risk
from anonymize.target import Target
from anonymize.techniques.bands import Bands
from anonymize.techniques.categories import Groups, Prefixes
from anonymize.techniques.generalize import Generalize, Leveled, level_column

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
        st.sampled_from(["flu", "cold", None]),
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


def _loss_at(columns: list[Leveled], levels: tuple[int, ...], frame: pl.DataFrame, target: Target) -> tuple[float, int]:
    """Loss and rows removed at one node of the lattice, straight from the definitions."""
    shown = frame.with_columns(c.released(n, frame[c.name]).alias(c.name) for c, n in zip(columns, levels, strict=True))
    kept = rows_that_meet(shown, list(HIERARCHIES), ["illness"], k=target.k, l=target.l).to_numpy()
    cells = np.stack([c.at(n).loss_of_leaf[c.codes] for c, n in zip(columns, levels, strict=True)], axis=1)
    cells[~kept] = 1.0
    return float(cells.mean()), int((~kept).sum())


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS,
    k=st.integers(2, 6),
    diversity=st.sampled_from([None, 2]),
    limit=st.sampled_from([0.0, 0.1, 0.3, 1.0]),
)
def test_search_equals_exhaustive_search(
    rows: list[tuple[Any, ...]], k: int, diversity: int | None, limit: float
) -> None:
    frame, target = _frame(rows), Target(k=k, l=diversity, suppression_limit=limit)
    columns = _columns(frame)
    found = search_generalization(build_histogram(columns, [sensitive_codes(frame["illness"])]), target)
    nodes = [_loss_at(columns, levels, frame, target) for levels in product(range(4), range(4), range(3))]
    allowed = [loss for loss, removed in nodes if removed <= limit * len(rows) + 1e-9 and removed < len(rows)]
    if not allowed:
        assert isinstance(found, Unreachable)
        return
    assert isinstance(found, Generalization)
    assert found.proven_optimal
    assert found.loss == pytest.approx(min(allowed))
    assert _loss_at(columns, found.levels, frame, target) == (pytest.approx(found.loss), found.suppressed)


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
    assert _loss_at(_columns(frame), short.levels, frame, target)[1] == short.suppressed
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
