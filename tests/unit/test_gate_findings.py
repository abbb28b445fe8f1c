"""Which findings a person reads at once."""

from __future__ import annotations

from hub.gate.findings import SINGLY, arrange
from hub.message import both


def finding(rule: str, level: str, *, where: str = "row 3, column 2") -> dict[str, object]:
    said = {"text": "x", "next_step": "y"}
    return {
        "rule": rule,
        "code": "C",
        "level": level,
        "file": "a.csv",
        "where": where,
        "i18n": {"en": {**said, "where": where}, "zh": {**said, "where": "第 3 行第 2 列"}},
    }


def test_what_blocks_is_read_alone() -> None:
    arranged = arrange([*[finding("R01", "flag")] * 21, finding("R46", "block"), finding("R18", "note")])
    assert [one.rule for one in arranged.open] == ["R46"]
    assert len(arranged.folded) == 22


def test_reviewers_see_every_kind_of_finding_and_repetitions_fold() -> None:
    arranged = arrange([finding("R18", "note"), *[finding("R01", "flag")] * 21, finding("R12", "flag")])
    assert [one.rule for one in arranged.open] == [*["R01"] * SINGLY, "R12", "R18"]
    assert {one.rule for one in arranged.folded} == {"R01"}
    assert len(arranged.open) + len(arranged.folded) == 23


def test_place_is_said_in_both_languages_and_old_reports_keep_theirs() -> None:
    (one,) = arrange([finding("R01", "flag")]).open
    assert one.where == both(zh="第 3 行第 2 列", en="row 3, column 2")
    old = finding("R01", "flag")
    old["i18n"] = {"en": {"text": "x", "next_step": "y"}, "zh": {"text": "x", "next_step": "y"}}
    assert arrange([old]).open[0].where == both(zh="row 3, column 2", en="row 3, column 2")
    assert arrange([finding("R18", "note", where="")]).open[0].where is None
