"""Policies: the guards hold, strictly, and a refusal names the field and never its value."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from anonymize.errors import BadInput
from anonymize.explain import explain
from anonymize.policy import ALLOWED, MAX_POLICY_BYTES, ColumnClass, dump_policy, load_policy, parse_policy
from anonymize.techniques.generalize import Generalize
from tests.anonymize_cases import AGE, DROP, KEEP, PSEUDONYM, QUASI_KEPT, SENSITIVE, generalized, policy_of, policy_text


def _refusal(text: str) -> BadInput:
    with pytest.raises(BadInput) as refused:
        parse_policy(text)
    return refused.value


def _with_age(**params: Any) -> str:
    return policy_text({"age": generalized(**params)})


def test_written_policy_reads_back_equal() -> None:
    columns = {"name": DROP, "id": PSEUDONYM, "age": AGE, "姓 名": KEEP, "s": SENSITIVE}
    policy = policy_of(columns, k=5, l=3, suppression_limit=0.05)
    assert parse_policy(dump_policy(policy)) == policy


@pytest.mark.parametrize(
    "column",
    [
        generalized(kind="bands", widths=[0.5, 1, 4], origin=-2, bottom=1, top=9.5, min_level=1, max_level=2),
        generalized(kind="dates", steps=["day", "quarter", "decade"]),
        generalized(kind="ages", at=dt.date(2026, 11, 1), widths=[1, 5], top=90),
        generalized(kind="groups", levels=[{'a "b"': [1, 2.5, "x,y"], "c": ["\n"]}, {"all": ['a "b"', "c"]}]),
        generalized(kind="prefixes", lengths=[6, 4]),
        {**SENSITIVE, "technique": "generalize", "params": {"kind": "bands", "widths": [200], "level": 1}},
        {**KEEP, "technique": "mask", "params": {"keep_start": 2, "keep_end": 1}},
        {**PSEUDONYM, "params": {"domain": "p", "length": 64, "fold_case": False}},
    ],
)
def test_every_technique_reads_back_equal_and_has_words(column: dict[str, Any]) -> None:
    policy = policy_of({"q": QUASI_KEPT, "x": column})
    assert parse_policy(dump_policy(policy)) == policy
    words = policy.columns[1].technique.words()
    assert words.zh != words.en


def test_policy_file_may_have_a_byte_order_mark_and_must_be_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(policy_text({"age": AGE}), encoding="utf-8-sig")
    assert load_policy(path) == policy_of({"age": AGE})
    for content in ("名 = 1".encode("gb18030"), b"#" * (MAX_POLICY_BYTES + 1)):
        path.write_bytes(content)
        with pytest.raises(BadInput) as refused:
            load_policy(path)
        assert refused.value.code == "policy.not_toml"


def test_mask_that_hides_nothing_is_refused() -> None:
    column = {**KEEP, "technique": "mask", "params": {"keep_start": 5, "keep_end": 5}}
    assert _refusal(policy_text({"age": AGE, "x": column})).subject == "columns.x.params.keep_end"


def test_digest_ignores_the_order_of_columns_and_sees_every_change() -> None:
    one = policy_of({"age": AGE, "x": KEEP}, k=5)
    other = policy_of({"x": KEEP, "age": AGE}, k=5)
    stricter = policy_of({"age": AGE, "x": KEEP}, k=6)
    assert one.digest == other.digest
    assert one.digest != stricter.digest


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (policy_text({"age": AGE}, target={"k": 5, "supression_limit": 0.1}), "target.supression_limit"),
        (policy_text({"age": AGE}, extra=1), "extra"),
        (policy_text({"age": {**AGE, "note": "x"}}), "columns.age.note"),
        (_with_age(kind="bands", widths=[5], step=1), "columns.age.params.step"),
        (policy_text({"age": {**QUASI_KEPT, "params": {"domain": "x"}}}), "columns.age.params"),
    ],
)
def test_unknown_key_is_refused_by_name(text: str, subject: str) -> None:
    assert _refusal(text).subject == subject


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (policy_text({"age": AGE}, target={"suppression_limit": 0.1}), "target.k"),
        (policy_text({"age": AGE}, target={"k": 1}), "target.k"),
        (policy_text({"age": AGE}, target={"k": True}), "target.k"),
        (policy_text({"age": AGE}, target={"k": 5, "suppression_limit": 1.5}), "target.suppression_limit"),
        (policy_text({"age": AGE}, target={"k": 5, "l": 1}), "target.l"),
        (policy_text({"age": AGE}, format=2), "format"),
        (policy_text({"age": AGE}, name=" "), "name"),
        (policy_text({"age": {**AGE, "reason": ""}}), "columns.age.reason"),
        (policy_text({"age": {**AGE, "reason": {"zh": "因"}}}), "columns.age.reason.en"),
        (policy_text({"age": {**AGE, "class": "quasi"}}), "columns.age.class"),
        (policy_text({"age": {**AGE, "technique": "blur"}}), "columns.age.technique"),
        (policy_text({"age": {key: value for key, value in AGE.items() if key != "params"}}), "columns.age.params"),
        (policy_text({"age": AGE, "id": {**PSEUDONYM, "params": {}}}), "columns.id.params.domain"),
        (
            policy_text({"age": AGE, "id": {**PSEUDONYM, "params": {"domain": "p", "length": 8}}}),
            "columns.id.params.length",
        ),
        (_with_age(kind="bands", widths=[]), "columns.age.params.widths"),
        (_with_age(kind="bands", widths=[0]), "columns.age.params.widths"),
        (_with_age(kind="bands", widths=[5, 12]), "columns.age.params.widths"),
        (_with_age(kind="bands", widths=[5, 5]), "columns.age.params.widths"),
        (_with_age(kind="bands", widths=[5], bottom=10, top=10), "columns.age.params.top"),
        (_with_age(kind="bands", widths=[5], min_level=2, max_level=1), "columns.age.params.max_level"),
        (_with_age(kind="bands", widths=[5], max_level=3), "columns.age.params.max_level"),
        (_with_age(kind="dates", steps=["year", "month"]), "columns.age.params.steps"),
        (_with_age(kind="dates", steps=["week"]), "columns.age.params.steps"),
        (_with_age(kind="ages", at="2026-01-01", widths=[5]), "columns.age.params.at"),
        (_with_age(kind="ages", widths=[1.5]), "columns.age.params.widths"),
        (_with_age(kind="prefixes", lengths=[2, 4]), "columns.age.params.lengths"),
        (_with_age(kind="groups", levels=[{"a": ["1"], "b": ["1"]}]), "columns.age.params.levels[1].b"),
        (_with_age(kind="groups", levels=[{"a": ["1"]}, {"c": ["b"]}]), "columns.age.params.levels[2]"),
        (_with_age(kind="groups", levels=[{"*": ["1"]}]), "columns.age.params.levels[1]"),
        (_with_age(kind="groups", levels=[{"a": [True, [1]]}]), "columns.age.params.levels[1].a"),
    ],
)
def test_wrong_setting_is_refused_by_name(text: str, subject: str) -> None:
    assert _refusal(text).subject == subject


@pytest.mark.parametrize("technique", ["keep", "mask", "generalize"])
def test_direct_identifier_is_only_dropped_or_pseudonymized(technique: str) -> None:
    refused = _refusal(policy_text({"age": AGE, "id": {**DROP, "technique": technique}}))
    assert refused.subject == "columns.id.technique"
    assert "pseudonymize" in refused.text.en


@pytest.mark.parametrize("technique", ["keep", "mask", "generalize", "pseudonymize"])
def test_free_text_is_only_dropped(technique: str) -> None:
    column = {**DROP, "class": "free_text", "technique": technique}
    assert _refusal(policy_text({"age": AGE, "note": column})).subject == "columns.note.technique"


def test_every_class_has_its_techniques() -> None:
    assert set(ALLOWED) == set(ColumnClass)
    assert all("drop" in techniques for techniques in ALLOWED.values())


def test_quasi_identifier_can_not_name_its_level() -> None:
    assert _refusal(_with_age(kind="bands", widths=[5], level=1)).subject == "columns.age.params.level"


def test_other_columns_must_name_their_level() -> None:
    column = {**AGE, "class": "sensitive_attr"}
    assert _refusal(policy_text({"x": QUASI_KEPT, "age": column})).subject == "columns.age.params.level"


def test_policy_without_quasi_identifier_is_refused() -> None:
    assert _refusal(policy_text({"x": KEEP})).subject == "columns"


def test_policy_that_drops_everything_is_refused() -> None:
    assert _refusal(policy_text({"x": {**QUASI_KEPT, "technique": "drop"}})).subject == "columns"


def test_l_without_a_released_sensitive_attribute_is_refused() -> None:
    dropped = {**SENSITIVE, "technique": "drop"}
    assert _refusal(policy_text({"age": AGE, "s": dropped}, target={"k": 5, "l": 2})).subject == "target.l"


@pytest.mark.parametrize("text", ["", "k = ", "[target\n", 'format = 1\nformat = 1\nname = "a"'])
def test_what_is_no_policy_is_refused(text: str) -> None:
    assert _refusal(text).code in {"policy.not_toml", "policy.invalid"}


def test_refusal_never_shows_the_value() -> None:
    refused = _refusal(policy_text({"age": {**AGE, "technique": "310107198001010012"}}))
    assert "310107198001010012" not in refused.sentence("zh") + refused.sentence("en")


def test_levels_default_to_the_whole_hierarchy() -> None:
    technique = policy_of({"age": AGE}).columns[0].technique
    assert isinstance(technique, Generalize)
    assert (technique.min_level, technique.max_level) == (0, 4)


def test_explanation_names_target_columns_and_reasons_in_both_languages() -> None:
    policy = policy_of({"id": PSEUDONYM, "age": AGE, "s": SENSITIVE}, k=5, l=2, suppression_limit=0.05)
    zh, en = explain(policy, "zh"), explain(policy, "en")
    assert "直接标识符" in zh
    assert "至少 5 行" in zh
    assert "at least 5 rows" in en
    assert "at most 5.0% of the rows" in en
    assert "bands of width 20" in en
    assert "the subject of the study" in en
