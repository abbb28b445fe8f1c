"""Every privacy model holds on the written file, counted by hand, whatever the recoding and the order of the rows."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from anonymize.errors import BadInput, TargetNotMet
from anonymize.pipeline import Extracted
from anonymize.policy import parse_policy
from anonymize.privacy.classes import measure_classes
from anonymize.privacy.whole import whole_of
from anonymize.table import file_digest
from anonymize.target import TDistance
from tests.anonymize_cases import AGE, QUASI_KEPT, SENSITIVE, TOWN, extract_of, policy_text
from tests.referee_models import class_meets, distance

COLUMNS = {"age": AGE, "town": TOWN, "sex": QUASI_KEPT, "illness": SENSITIVE}
TREE = {1: "chest", 2: "chest", 3: "skin", 4: "skin"}
GROUPS = {"kind": "groups", "levels": [{"chest": [1, 2], "skin": [3, 4]}]}
MODELS: list[dict[str, Any]] = [
    {"l": 2, "l_model": "entropy"},
    {"l": 2, "l_model": "recursive", "c": 2.0},
    {"t": 0.3},
    {"t": 0.25, "t_distance": "hierarchical", "t_hierarchy": {"illness": GROUPS}},
    {"t": 0.2, "t_distance": "ordered"},
    {"l": 2, "t": 0.4},
]
ROWS = st.lists(
    st.tuples(
        st.integers(0, 99),
        st.sampled_from(["a1", "a2", "b1"]),
        st.sampled_from(["f", "m"]),
        st.sampled_from(sorted(TREE)),
    ),
    min_size=6,
    max_size=60,
)


def _frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {"age": pl.Int64, "town": pl.String, "sex": pl.String, "illness": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _extract(rows: list[tuple[Any, ...]], folder: str, target: dict[str, Any], **more: Any) -> Extracted | None:
    policy = parse_policy(policy_text(COLUMNS, target=target, **more))
    try:
        return extract_of(_frame(rows), policy, Path(folder))
    except TargetNotMet:
        assert not (Path(folder) / "out").exists()
        return None


@pytest.mark.parametrize("recoding", ["global", "local"])
@pytest.mark.parametrize("model", MODELS, ids=str)
@settings(max_examples=8, deadline=None)
@given(rows=ROWS, k=st.integers(2, 4), order=st.randoms(use_true_random=False))
def test_model_holds_on_the_written_file_in_any_order(
    rows: list[tuple[Any, ...]], k: int, order: Any, model: dict[str, Any], recoding: str
) -> None:
    target = {"k": k, "suppression_limit": 0.4, **model}
    shuffled = list(rows)
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        made, again = (
            _extract(rows, folder, target, recoding=recoding),
            _extract(shuffled, other, target, recoding=recoding),
        )
        assert (made is None) == (again is None)
        if made is None or again is None:
            return
        assert file_digest(made.extract_path) == file_digest(again.extract_path)
        written = pl.read_parquet(made.extract_path)
    classes: dict[Any, list[Any]] = defaultdict(list)
    for row in written.iter_rows(named=True):
        classes[row["age"], row["town"], row["sex"]].append(row["illness"])
    asked = parse_policy(policy_text(COLUMNS, target=target, recoding=recoding)).target
    whole = [row[3] for row in rows]
    assert all(class_meets(members, whole, asked, TREE) for members in classes.values())
    told = made.manifest["risk"]["after"]
    if asked.t is not None:
        worst = max(distance(members, whole, asked.t_distance, TREE) for members in classes.values())
        assert told["t_whole"] == {"illness": pytest.approx(worst, abs=1e-9)}
    assert made.manifest["target"]["goal"] == asked.goal


@pytest.mark.parametrize("kind", sorted(TDistance))
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(TREE))), min_size=1, max_size=30))
def test_distance_is_the_least_work_of_moving_one_distribution_into_the_other(
    rows: list[tuple[int, int]], kind: TDistance
) -> None:
    """The ground distances are those of Li et al.; the least work is a linear program."""
    frame = pl.DataFrame(rows, schema={"q": pl.Int64, "s": pl.Int64}, orient="row")
    values = sorted(set(frame["s"]))
    labels = [pl.Series([TREE[value] for value in values])]
    found = measure_classes(frame, ["q"], ["s"], wholes=[whole_of(frame["s"], distance=kind, labels=labels)])
    ground = {
        TDistance.EQUAL: lambda a, b: float(a != b),
        TDistance.HIERARCHICAL: lambda a, b: 0.0 if a == b else 0.5 if TREE[a] == TREE[b] else 1.0,
        TDistance.ORDERED: lambda a, b: abs(values.index(a) - values.index(b)) / max(len(values) - 1, 1),
    }[kind]
    cost = [ground(a, b) for a in values for b in values]
    whole = np.array([frame["s"].to_list().count(value) / frame.height for value in values])
    worst = 0.0
    for part in frame.partition_by("q"):
        inside = np.array([part["s"].to_list().count(value) / part.height for value in values])
        count = len(values)
        leave, arrive = np.kron(np.eye(count), np.ones(count)), np.kron(np.ones(count), np.eye(count))
        moved = linprog(cost, A_eq=np.vstack([leave, arrive]), b_eq=np.concatenate([inside, whole]))
        worst = max(worst, moved.fun)
    assert found.t_whole == {"s": pytest.approx(worst, abs=1e-7)}


@pytest.mark.parametrize("value", ["text", None])
def test_ordered_distance_of_what_has_no_order_is_refused(value: str | None, tmp_path: Path) -> None:
    frame = _frame([(n, "a1", "f", 1 + n % 4) for n in range(20)])
    frame = frame.with_columns(illness=pl.lit("x") if value else pl.when(pl.col("age") > 3).then("illness"))
    policy = parse_policy(policy_text(COLUMNS, target={"k": 2, "t": 0.3, "t_distance": "ordered"}))
    with pytest.raises(BadInput) as refused:
        extract_of(frame, policy, tmp_path)
    assert refused.value.code == "column.no_order"


PEOPLE = st.lists(st.sampled_from([(age, town) for age in range(0, 60, 7) for town in ("a1", "a2", "b1")]), max_size=60)


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.sampled_from([(age, "a1") for age in range(0, 60, 7)]), min_size=6, max_size=40),
    others=PEOPLE,
    bounds=st.sampled_from([{"k_map": 8}, {"delta_max": 0.5}, {"k_map": 5, "delta_max": 0.7}, {"delta_min": 0.1}]),
)
def test_population_is_kept_on_the_written_file(
    rows: list[tuple[int, str]], others: list[tuple[int, str]], bounds: dict[str, Any]
) -> None:
    """Every row is somebody of the population; the classes of both, at the levels released, are counted by hand."""
    columns = {"age": AGE, "town": TOWN}
    text = policy_text(columns, target={"k": 2, "suppression_limit": 0.5, "population": bounds})
    schema = {"age": pl.Int64, "town": pl.String}
    with tempfile.TemporaryDirectory() as folder:
        population = Path(folder) / "people.parquet"
        pl.DataFrame([*rows, *others], schema=schema, orient="row").write_parquet(population)
        try:
            made = extract_of(
                pl.DataFrame(rows, schema=schema, orient="row"),
                parse_policy(text),
                Path(folder) / "made",
                population_table=population,
            )
        except TargetNotMet:
            return
        written = pl.read_parquet(made.extract_path)
    levels = [column["level"] for column in made.manifest["columns"]]
    inside = Counter(written.rows())
    outside = Counter((_age_at(age, levels[0]), _town_at(town, levels[1])) for age, town in [*rows, *others])
    assert all(outside[label] >= bounds.get("k_map", 0) for label in inside)
    shares = [inside[label] / count for label, count in outside.items()]
    assert max(shares) <= bounds.get("delta_max", 1) + 1e-9
    assert min(shares) >= bounds.get("delta_min", 0) - 1e-9
    told = made.manifest["risk"]["after"]["presence"]
    assert told["k_map"] == min(outside[label] for label in inside)
    assert (told["delta_min"], told["delta_max"]) == (pytest.approx(min(shares)), pytest.approx(max(shares)))


def _age_at(age: int, level: int) -> Any:
    width = (1, 10, 20, 40)[level] if level < 4 else 0
    return age if level == 0 else "*" if not width else f"{age // width * width}-{age // width * width + width - 1}"


def _town_at(town: str, level: int) -> str:
    return town if level == 0 else town[0] + "*" if level == 1 else "*"


@pytest.mark.parametrize(
    ("population", "asked", "code"),
    [
        (None, True, "population.missing"),
        ({"age": [1, 1], "town": ["a1", "a1"]}, False, "population.not_asked"),
        ({"age": [1] * 8}, True, "population.column_missing"),
        ({"age": ["x"] * 8, "town": ["a1"] * 8}, True, "population.other_type"),
        ({"age": [1] * 3, "town": ["a1"] * 3}, True, "population.not_drawn_from"),
    ],
)
def test_population_that_does_not_fit_is_refused(
    population: dict[str, list[Any]] | None, asked: bool, code: str, tmp_path: Path
) -> None:
    target = {"k": 2, **({"population": {"k_map": 5}} if asked else {})}
    policy = parse_policy(policy_text({"age": AGE, "town": TOWN}, target=target))
    path = None
    if population is not None:
        path = tmp_path / "people.parquet"
        pl.DataFrame(population).write_parquet(path)
    with pytest.raises(BadInput) as refused:
        extract_of(pl.DataFrame({"age": [1] * 6, "town": ["a1"] * 6}), policy, tmp_path / "made", population_table=path)
    assert refused.value.code == code
    assert not (tmp_path / "made" / "out").exists()
