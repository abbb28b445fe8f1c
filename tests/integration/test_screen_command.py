"""`zhakou screen` as a person and as the gate run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from anonymize.screen.cli import screen
from anonymize.screen.pack import BASE
from tests.screen_house import A01, people


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(screen, [str(word) for word in words])
    return result.exit_code, result.output


def test_pass_and_flag_exit_zero_and_block_exits_24(tmp_path: Path) -> None:
    good, flagged, blocked = tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.zip"
    good.write_text("街道,n\n甲,120\n乙,130\n", encoding="utf-8")
    flagged.write_text(A01)
    blocked.write_bytes(b"PK\x03\x04")
    assert [run(path)[0] for path in (good, flagged, blocked)] == [0, 0, 24]
    assert run(good, flagged, blocked)[0] == 24
    assert run()[0] == 24


def test_json_is_the_verdict_in_the_asked_language(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(A01)
    document = json.loads(run(path, "--json", "--language", "en")[1])
    assert (document["verdict"], document["pack"], document["pack_version"]) == ("flag", "base", "1")
    assert document["checks_run"][0]["file"] == "a.csv"
    assert document["findings"][0]["text"] == "The cell rests on fewer than 10 units."


def test_records_of_a_named_extract_are_blocked(tmp_path: Path) -> None:
    extract, path = tmp_path / "e.parquet", tmp_path / "a.csv"
    people(2_000).write_parquet(extract)
    people(2_000).drop("pid").head(50).write_csv(path)
    code, output = run(path, "--extract", extract, "--json")
    assert code == 24
    assert "RAW_ROWS" in output


def test_a_missing_extract_is_refused_before_anything_is_checked(tmp_path: Path) -> None:
    code, output = run(tmp_path / "a.csv", "--extract", tmp_path / "none.parquet")
    assert code == 20
    assert "extract.not_found" in output


def test_a_pack_of_ones_own_is_used_and_named(tmp_path: Path) -> None:
    pack, path = tmp_path / "own.toml", tmp_path / "a.csv"
    text = BASE.read_text(encoding="utf-8").replace('name = "base"', 'name = "own"')
    pack.write_text(text.replace("[min_cell]\nvalue = 10", "[min_cell]\nvalue = 3"), encoding="utf-8")
    path.write_text(A01)
    document = json.loads(run(path, "--rules", pack, "--json")[1])
    assert (document["verdict"], document["pack"]) == ("pass", "own")


@pytest.mark.parametrize("content", ["format = 1", "[[", "x = 1"])
def test_a_broken_pack_is_refused(tmp_path: Path, content: str) -> None:
    pack = tmp_path / "own.toml"
    pack.write_text(content)
    code, _ = run(tmp_path / "a.csv", "--rules", pack)
    assert code == 23
