"""The gate believes a machine check only if it is exactly what a finished screen writes. All else is a block."""

import json
from typing import Any

import pytest

from hub.gate.screening import read_report

TEXTS = {"zh": {"text": "问题", "next_step": "处理"}, "en": {"text": "found", "next_step": "mend"}}


def report(verdict: str, *levels: str, **changes: Any) -> bytes:
    findings = [{"rule": "R01", "code": "SMALL_CELL", "level": level, "i18n": TEXTS} for level in levels]
    document = {"verdict": verdict, "pack": "base", "pack_version": "1", "checks_run": ["R01"], "findings": findings}
    return json.dumps({**document, **changes}).encode()


BELIEVED = [
    (0, report("pass"), "pass"),
    (0, report("pass", "note"), "pass"),
    (0, report("flag", "flag", "note"), "flag"),
    (24, report("block", "block", "flag"), "block"),
]


@pytest.mark.parametrize(("code", "stdout", "verdict"), BELIEVED)
def test_finished_reports_are_believed(code: int, stdout: bytes, verdict: str) -> None:
    read = read_report(code, stdout, names={"a.csv"})
    assert read.verdict == verdict
    assert read.pack == "base 1"


DOUBTED = [
    (0, b""),
    (0, b"not json"),
    (0, b"[" * 100_000),
    (0, b"[]"),
    (0, b"{}"),
    (1, report("pass")),
    (24, report("pass")),
    (0, report("block", "block")),
    (0, report("pass", "block")),
    (0, report("pass", "flag")),
    (0, report("flag")),
    (24, report("block")),
    (0, report("PASS")),
    (0, report("pass", checks_run=[])),
    (0, report("pass", checks_run=None)),
    (0, report("pass", findings={})),
    (0, report("flag", findings=[{"level": "flag"}])),
    (-9, report("pass")),
]


@pytest.mark.parametrize(("code", "stdout"), DOUBTED)
def test_anything_else_blocks(code: int, stdout: bytes) -> None:
    read = read_report(code, stdout, names={"a.csv"})
    assert read.verdict == "block"
    assert read.codes == ["CHECK_DID_NOT_RUN"]


def test_no_files_is_no_pass() -> None:
    assert read_report(0, report("pass"), names=set()).verdict == "block"
