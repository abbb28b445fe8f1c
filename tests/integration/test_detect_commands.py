"""`zhakou scan`, `detect` and `redact` as a person runs them, and our recognizers inside presidio."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from anonymize.detect.cli import detect, redact, scan
from anonymize.detect.presidio import LANGUAGE, presidio_analyzer, presidio_registry
from anonymize.policy import load_policy, parse_policy


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "residents.csv"
    frame = pl.DataFrame({"sfzh": ["990107198001010012"] * 20, "年龄": range(20, 40), "x": [1.5] * 20})
    frame.write_csv(path)
    return path


def test_scan_prints_the_promised_json_and_writes_a_policy_that_loads(table: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    result = CliRunner().invoke(scan, [str(table), "--json", "--write-policy", str(policy)])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert parse_policy(said["policy"]).rule_for("sfzh") is not None
    first = said["columns"][0]
    assert {"name", "class", "grade", "kinds"} <= set(first)
    assert {"kind", "share", "checked"} <= set(first["kinds"][0])
    assert load_policy(policy).rule_for("sfzh") is not None


def test_scan_proposes_no_policy_where_nothing_can_be_measured(tmp_path: Path) -> None:
    table = tmp_path / "notes.csv"
    pl.DataFrame({"sfzh": ["990107198001010012"] * 20}).write_csv(table)
    result = CliRunner().invoke(scan, [str(table), "--json"])
    assert (result.exit_code, json.loads(result.output)["policy"]) == (0, "")


def test_scan_says_as_json_why_a_table_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "empty.csv"
    table.touch()
    result = CliRunner().invoke(scan, [str(table), "--json"])
    said = json.loads(result.stdout)["refused"]
    assert result.exit_code == 23
    assert said["i18n"]["zh"]["next_step"]
    assert said["code"] in result.stderr


def test_scan_never_overwrites_a_policy(table: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("mine")
    result = CliRunner().invoke(scan, [str(table), "--write-policy", str(policy)])
    assert (result.exit_code, policy.read_text()) == (23, "mine")
    assert "policy.exists" in result.output


def test_scan_of_a_missing_table_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(scan, [str(tmp_path / "no.csv"), "--language", "en"])
    assert result.exit_code == 20
    assert "no.csv" in result.output


def test_detect_answers_line_by_line(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"id": 1, "text": "电话13800138000"}\n\n{"id": "b", "text": ""}\n', encoding="utf-8")
    result = CliRunner().invoke(detect, ["--jsonl", str(source)])
    answers = [json.loads(line) for line in result.output.splitlines()]
    assert answers[0]["id"] == 1
    assert answers[0]["entities"][0] | {"score": 0} == {"kind": "CN_MOBILE", "start": 2, "end": 13, "score": 0}
    assert answers[1] == {"id": "b", "entities": []}


@pytest.mark.parametrize(
    "line", [b"not json", b'{"id": 1}', b'{"id": 1, "text": 5}', b'{"id":1,"text":"\xff"}', b"[" * 100_000]
)
def test_detect_refuses_a_bad_line_by_its_number(tmp_path: Path, line: bytes) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(b'{"id": 1, "text": "x"}\n' + line + b"\n")
    result = CliRunner().invoke(detect, ["--jsonl", str(source)])
    assert result.exit_code == 23
    assert "第 2 行" in result.output


def test_redact_replaces_identifiers_and_keeps_the_rest(tmp_path: Path) -> None:
    source = tmp_path / "note.txt"
    source.write_text("第一行\n联系电话13800138000,身份证990107198001010012。\n", encoding="utf-8")
    result = CliRunner().invoke(redact, [str(source)])
    assert result.output == "第一行\n联系电话【手机号】,身份证【身份证号】。\n"


def test_presidio_runs_our_recognizers_without_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    found = [
        result.entity_type
        for recognizer in presidio_registry().get_recognizers(language=LANGUAGE, all_fields=True)
        for result in recognizer.analyze("身份证990107198001010012,邮箱 a@example.com", recognizer.supported_entities)
        if result.score >= 0.5
    ]
    assert sorted(found) == ["CN_RESIDENT_ID", "EMAIL"]


def test_presidio_finds_the_names_of_our_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    text = "来电人许文博(13812345678)住普陀区兰溪路123弄4号502室,投诉上海锦程装饰设计有限公司。"
    found = {one.entity_type: text[one.start : one.end] for one in presidio_analyzer().analyze(text, language=LANGUAGE)}
    assert found == {
        "PERSON": "许文博",
        "CN_MOBILE": "13812345678",
        "ADDRESS": "普陀区兰溪路123弄4号502室",
        "ORGANIZATION": "上海锦程装饰设计有限公司",
    }
