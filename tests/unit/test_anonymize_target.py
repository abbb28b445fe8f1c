"""Targets: every model reads back equal, a parameter without its model is refused, words in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from anonymize.errors import BadInput
from anonymize.explain import explain
from anonymize.policy import dump_policy, parse_policy
from anonymize.strict import Fields
from anonymize.target import Target, read_target
from tests.anonymize_cases import AGE, SENSITIVE, policy_text

TREE = {"kind": "groups", "levels": [{"chest": ["flu", "cold"], "skin": ["rash"]}]}


@pytest.mark.parametrize(
    "content",
    [
        {"k": 5, "suppression_limit": 0.02},
        {"k": 5, "l": 3, "l_model": "entropy", "suppression_limit": 0.0},
        {"k": 5, "l": 3, "l_model": "recursive", "c": 2.5, "suppression_limit": 0.0},
        {"k": 5, "t": 0.2, "suppression_limit": 0.0, "suppression_cost": 3.0, "metric": "discernibility"},
        {"k": 5, "t": 0.2, "t_distance": "ordered", "suppression_limit": 0.0},
        {"k": 5, "t": 0.2, "t_distance": "hierarchical", "suppression_limit": 0.0, "t_hierarchy": {"illness": TREE}},
        {"k": 2, "suppression_limit": 0.0, "population": {"k_map": 11, "delta_min": 0.1, "delta_max": 0.5}},
    ],
)
def test_target_reads_back_equal_and_has_words(content: dict[str, Any]) -> None:
    target = read_target(Fields(content, "target"))
    assert read_target(Fields(target.content(), "target")) == target
    assert target.goal.startswith(f"k = {target.k}")
    assert all(words.zh != words.en for words in target.words())
    assert len(target.words()) == target.goal.count("=") + target.goal.count("δ") - (target.c is not None)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ({"l_model": "entropy"}, "target.l"),
        ({"l": 3, "l_model": "some"}, "target.l_model"),
        ({"l": 3, "l_model": "recursive"}, "target.c"),
        ({"l": 3, "c": 2}, "target.c"),
        ({"l": 2.5}, "target.l"),
        ({"t_distance": "equal"}, "target.t"),
        ({"t": 1.5}, "target.t"),
        ({"t": float("nan")}, "target.t"),
        ({"t": 0.2, "t_distance": "near"}, "target.t_distance"),
        ({"t": 0.2, "t_hierarchy": {"illness": TREE}}, "target.t_hierarchy"),
        ({"t": 0.2, "t_distance": "hierarchical", "t_hierarchy": {"illness": {**TREE, "x": 1}}}, "x"),
        ({"population": {}}, "target.population"),
        ({"population": {"delta_min": 0.6, "delta_max": 0.5}}, "target.population.delta_max"),
        ({"population": {"k_map": 1}}, "target.population.k_map"),
        ({"population": {"k_map": 5, "size": 10}}, "target.population.size"),
        ({"suppression_cost": 0.5}, "target.suppression_cost"),
        ({"metric": "loss"}, "target.metric"),
    ],
)
def test_parameter_out_of_range_or_without_its_model_is_refused(content: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_target(Fields({"k": 2, **content}, "target"))
    assert refused.value.subject.endswith(subject)


def test_bounds_that_follow_from_each_other_default_to_the_loosest() -> None:
    assert read_target(Fields({"k": 2}, "target")) == Target(k=2)


@pytest.mark.parametrize(
    ("target", "columns", "subject"),
    [
        ({"t": 0.2}, {}, "target.t"),
        ({"t": 0.2, "t_distance": "hierarchical"}, {"illness": SENSITIVE}, "target.t_hierarchy.illness"),
        (
            {"t": 0.2, "t_distance": "hierarchical", "t_hierarchy": {"other": TREE}},
            {"illness": SENSITIVE},
            "target.t_hierarchy.other",
        ),
    ],
)
def test_target_that_does_not_fit_its_columns_is_refused(
    target: dict[str, Any], columns: dict[str, Any], subject: str
) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"age": AGE, **columns}, target={"k": 2, **target}))
    assert refused.value.subject == subject


@pytest.mark.parametrize(
    ("target", "subject"),
    [({"metric": "entropy"}, "target.metric"), ({"population": {"k_map": 5}}, "target.population")],
)
def test_local_recoding_refuses_what_it_can_not_keep(target: dict[str, Any], subject: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"age": AGE}, target={"k": 2, **target}, recoding="local"))
    assert refused.value.subject == subject


def test_policy_with_l_reads_back_and_explains_itself() -> None:
    policy = parse_policy(policy_text({"age": AGE, "illness": SENSITIVE}, target={"k": 5, "l": 3}))
    assert parse_policy(dump_policy(policy)) == policy
    assert "at least 3 distinct values" in explain(policy, "en")
    assert "3 个不同取值" in explain(policy, "zh")
