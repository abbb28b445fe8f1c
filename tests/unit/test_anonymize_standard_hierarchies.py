"""Hierarchies from files, free intervals, administrative divisions and industries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anonymize.errors import BadInput, Place
from anonymize.policy import dump_policy, load_policy, parse_policy
from anonymize.strict import Fields
from anonymize.techniques.generalize import Generalize, level_column
from tests.anonymize_cases import generalized, policy_text

PLACE = Place(table="t.csv", column="c")
ROWS = [["1", "low", "all"], ["2", "low", "all"], ["3", "high", "all"]]


def _technique(**params: Any) -> Generalize:
    return Generalize.read(Fields(params, "params"))


def _shown(values: list[Any], level: int, **params: Any) -> list[Any]:
    column = pl.Series("c", values)
    return level_column(column, _technique(**params), place=PLACE).released(level, column).to_list()


def _unreadable(**params: Any) -> str:
    with pytest.raises(BadInput) as refused:
        parse_policy(policy_text({"c": generalized(**params)}))
    return refused.value.subject


def _from_file(folder: Path, content: bytes) -> Generalize:
    (folder / "h.csv").write_bytes(content)
    (folder / "p.toml").write_text(policy_text({"c": generalized(kind="file", path="h.csv")}), encoding="utf-8")
    technique = load_policy(folder / "p.toml").columns[0].technique
    assert isinstance(technique, Generalize)
    return technique


@pytest.mark.parametrize(
    "content",
    [
        b"1;low;*\n2;low;*\n3;high;*\n",
        b"1,low,*\r\n2,low,*\r\n3,high,*",
        b"\xef\xbb\xbf3;high\n2;low\n1;low\n",
        b'"1";"low";"*"\n2;low;*\n\n3;high;*\n',
    ],
)
def test_file_is_read_in_every_layout_of_arx(tmp_path: Path, content: bytes) -> None:
    technique = _from_file(tmp_path, content)
    assert technique.hierarchy.params() == {"rows": [["1", "low"], ["2", "low"], ["3", "high"]]}
    assert technique.hierarchy.depth == 3


def test_file_in_gb18030_is_read(tmp_path: Path) -> None:
    technique = _from_file(tmp_path, "本科;高等;*\n高中;中等;*\n".encode("gb18030"))
    assert technique.hierarchy.params() == {"rows": [["本科", "高等"], ["高中", "中等"]]}


def test_policy_holds_what_the_file_held(tmp_path: Path) -> None:
    """Another hierarchy is another digest, and the policy can be handed on without its file."""
    _from_file(tmp_path, b"1;low;*\n2;low;*\n")
    first = load_policy(tmp_path / "p.toml")
    _from_file(tmp_path, b"1;low;*\n2;high;*\n")
    assert load_policy(tmp_path / "p.toml").digest != first.digest
    assert parse_policy(dump_policy(first)) == first


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1;low;*\n2;low\n", "row 2"),
        (b"1;;*\n", "row 1"),
        (b"1\n", "row 1"),
        (b"", "empty"),
        (b"1;low;x;*\n2;low;y;*\n", "not nested"),
        (b"1;low;*\n1;high;*\n", "twice"),
        (b"1;*;x\n2;a;x\n", "last column"),
        (b"\xff\xfe1\x00", "neither UTF-8 nor GB18030"),
    ],
)
def test_file_that_is_no_hierarchy_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        _from_file(tmp_path, content)
    assert refused.value.subject == "columns.c.params.path"
    assert said in refused.value.text.en


@pytest.mark.parametrize("name", ["/etc/hostname", "../h.csv", "missing.csv", ".", "link.csv"])
def test_file_elsewhere_or_nowhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (tmp_path / "h.csv").write_text("1;a\n", encoding="utf-8")
    (folder / "link.csv").symlink_to(tmp_path / "h.csv")
    (folder / "p.toml").write_text(policy_text({"c": generalized(kind="file", path=name)}), encoding="utf-8")
    with pytest.raises(BadInput) as refused:
        load_policy(folder / "p.toml")
    assert refused.value.subject == "columns.c.params.path"


def test_policy_from_a_text_reads_no_files() -> None:
    assert _unreadable(kind="file", path="h.csv") == "columns.c.params.path"
    assert _unreadable(kind="file", path="h.csv", rows=ROWS) == "columns.c.params.path"
    assert _unreadable(kind="file") == "columns.c.params.path"


def test_values_match_however_they_are_typed_and_labels_follow_the_level() -> None:
    assert _shown([1, 3, None], 1, kind="file", rows=ROWS) == ["low", "high", None]
    assert _shown([1.0, 3.0], 2, kind="file", rows=ROWS) == ["all", "all"]
    assert _shown(["1"], 3, kind="file", rows=ROWS) == ["*"]


def test_value_missing_from_the_file_is_refused_by_column_and_count() -> None:
    with pytest.raises(BadInput) as refused:
        _shown([1, 31010719, 31010720], 1, kind="file", rows=ROWS)
    assert (refused.value.code, refused.value.subject) == ("column.not_in_hierarchy", "t.csv:c")
    assert "2 distinct values" in refused.value.text.en
    assert "31010719" not in refused.value.sentence("zh")


def test_loss_counts_all_values_of_the_file() -> None:
    leveled = level_column(pl.Series("c", [1, 3]), _technique(kind="file", rows=ROWS), place=PLACE)
    assert [level.loss_of_leaf.tolist() for level in leveled.levels] == [[0, 0], [0.5, 0], [1, 1], [1, 1]]


def test_intervals_hold_their_lower_cut() -> None:
    cuts = [[18, 19, 60], [60]]
    assert _shown([0, 17, 18, 19, 59, 60, 99], 1, kind="intervals", cuts=cuts) == [
        "<18", "<18", "18", "19-59", "19-59", "≥60", "≥60",
    ]  # fmt: skip
    assert _shown([17, 60], 2, kind="intervals", cuts=cuts) == ["<60", "≥60"]
    assert _shown([0.5, 2.0], 1, kind="intervals", cuts=[[0, 1, 2]]) == ["[0, 1)", "≥2"]


@pytest.mark.parametrize("cuts", [[[]], [[2, 1]], [[1, 1]], [[1, 2], [3]], [[1, 2], [1, 2]], ["x"], [[1], [1]]])
def test_intervals_that_do_not_nest_are_refused(cuts: list[Any]) -> None:
    assert _unreadable(kind="intervals", cuts=cuts).startswith("columns.c.params.cuts[")


def test_divisions_are_cut_at_their_own_levels() -> None:
    codes = ["310107005", "310107005012", 310107]
    steps = ["township", "county", "prefecture", "province"]
    for value, expected in zip(codes, (["310107005*"] * 1, ["310107005*"], ["310107*"]), strict=True):
        assert _shown([value], 1, kind="divisions", steps=steps) == expected
    assert [_shown([codes[0]], level, kind="divisions", steps=steps)[0] for level in (2, 3, 4, 5)] == [
        "310107*", "3101*", "31*", "*",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["31010", "990107", "3101070", "31010A", "", 16])
def test_what_is_no_division_is_refused_by_count(value: Any) -> None:
    with pytest.raises(BadInput) as refused:
        _shown([value], 1, kind="divisions", steps=["county"])
    assert refused.value.code == "column.not_a_code"
    assert "1 distinct values" in refused.value.text.en


def test_industries_find_their_section_with_or_without_its_letter() -> None:
    steps = ["group", "division", "section"]
    values = ["C3911", "3911", "c3911", "0111"]
    assert _shown(values, 1, kind="industries", steps=steps) == ["391*", "391*", "391*", "011*"]
    assert _shown(values, 2, kind="industries", steps=steps) == ["39*", "39*", "39*", "01*"]
    assert _shown(values, 3, kind="industries", steps=steps) == ["C*", "C*", "C*", "A*"]


@pytest.mark.parametrize("value", ["A3911", "9911", "X3911", "3", "39111", "0011"])
def test_what_is_no_industry_is_refused(value: str) -> None:
    with pytest.raises(BadInput) as refused:
        _shown([value, "3911"], 1, kind="industries", steps=["section"])
    assert refused.value.code == "column.not_a_code"


@pytest.mark.parametrize("kind", ["divisions", "industries"])
def test_steps_go_from_fine_to_coarse(kind: str) -> None:
    for steps in (["province", "county"], ["section", "group"], ["week"]):
        assert _unreadable(kind=kind, steps=steps) == "columns.c.params.steps"


@pytest.mark.parametrize(
    "params",
    [
        {"kind": "file", "rows": ROWS},
        {"kind": "intervals", "cuts": [[1, 2.5, 9], [9]]},
        {"kind": "divisions", "steps": ["county", "province"]},
        {"kind": "industries", "steps": ["section"]},
    ],
)
def test_written_hierarchy_reads_back_equal_and_has_words(params: dict[str, Any]) -> None:
    policy = parse_policy(policy_text({"c": generalized(**params)}))
    assert parse_policy(dump_policy(policy)) == policy
    words = policy.columns[0].technique.words()
    assert words.zh != words.en
