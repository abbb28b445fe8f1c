"""`zhakou anonymize` and `zhakou risk` as a person and a worker call them: files, JSON, words, exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anonymize.cli import COMMANDS, main
from anonymize.table import file_digest
from tests.anonymize_cases import AGE, DROP, KEEP, KEY, PSEUDONYM, QUASI_KEPT, SENSITIVE, policy_text

PROJECT = Path(__file__).parents[2]
TABLE = pl.DataFrame(
    {
        "id": [f"9901{number:04}" for number in range(30)],
        "age": [20 + number % 9 for number in range(30)],
        "illness": ["flu", "cold", "none"] * 10,
    }
)
COLUMNS: dict[str, Any] = {"id": PSEUDONYM, "age": AGE, "illness": SENSITIVE}
TARGET = {"k": 5, "suppression_limit": 0.1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    TABLE.write_csv(tmp_path / "t.csv")
    (tmp_path / "p.toml").write_text(policy_text(COLUMNS, target=TARGET), encoding="utf-8")
    (tmp_path / "key").write_bytes(KEY)
    return tmp_path


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def _anonymize(folder: Path, *more: str, out: str = "out", key: bool = True) -> Result:
    keyed = ["--key-file", str(folder / "key")] if key else []
    return _run("anonymize", folder / "t.csv", "--policy", folder / "p.toml", "--out", folder / out, *keyed, *more)


def test_every_command_is_listed_and_has_help() -> None:
    assert {"scan", "detect", "redact", "anonymize", "risk", "screen"} <= {command.name for command in COMMANDS}
    for command in COMMANDS:
        assert command.help
        assert _run(str(command.name), "--help").exit_code == 0


def test_anonymize_writes_three_files_and_says_so(folder: Path) -> None:
    zh, en = _anonymize(folder), _anonymize(folder, "--language", "en", out="out2")
    assert (zh.exit_code, en.exit_code) == (0, 0)
    assert "已生成脱敏数据包" in zh.output
    assert "Extract made: 30 rows" in en.output
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "extract.parquet",
        "manifest.json",
        "report.html",
    ]


def test_same_key_gives_the_same_bytes(folder: Path) -> None:
    answers = [json.loads(_anonymize(folder, "--json", out=out).output) for out in ("one", "two")]
    assert answers[0]["digests"]["extract"] == answers[1]["digests"]["extract"]
    assert answers[0]["digests"]["extract"] == file_digest(folder / "one" / "extract.parquet")
    assert set(answers[0]) == {"rung", "extract", "manifest", "report", "rows", "k", "digests", "loss"}


def test_refusal_as_json_carries_both_languages_and_the_exit_code(folder: Path) -> None:
    (folder / "p.toml").write_text(policy_text(COLUMNS, target={"k": 31}), encoding="utf-8")
    result = _anonymize(folder, "--json")
    refused = json.loads(result.stdout)["refused"]
    assert result.exit_code == 24
    assert refused["code"] == "target.table_too_small"
    assert refused["text"] == refused["i18n"]["zh"]["text"]
    assert refused["i18n"]["en"]["next_step"]
    assert not (folder / "out").exists()


def test_refusal_in_words_goes_to_standard_error(folder: Path) -> None:
    (folder / "p.toml").write_text("format = 2", encoding="utf-8")
    result = _anonymize(folder)
    assert (result.exit_code, result.stdout) == (23, "")
    assert "[policy.invalid]" in result.stderr


@pytest.mark.parametrize("missing", ["t.csv", "p.toml", "key"])
def test_missing_file_is_exit_code_20(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    assert _anonymize(folder).exit_code == 20


def test_missing_option_is_bad_usage(folder: Path) -> None:
    assert _run("anonymize", folder / "t.csv").exit_code == 2


def test_pseudonyms_without_a_key_are_refused(folder: Path) -> None:
    result = _anonymize(folder, key=False)
    assert result.exit_code == 23
    assert "[key.missing]" in result.stderr


def test_without_pseudonyms_a_key_used_once_orders_the_rows(folder: Path) -> None:
    TABLE.with_columns(cost=pl.int_range(pl.len()) + 0.5).write_csv(folder / "t.csv")  # 30 rows, no two alike
    columns = {**COLUMNS, "id": DROP, "cost": KEEP}
    (folder / "p.toml").write_text(policy_text(columns, target=TARGET), encoding="utf-8")
    digests = [
        json.loads(_anonymize(folder, "--json", out=out, key=False).output)["digests"]["extract"]
        for out in ("one", "two")
    ]
    assert digests[0] != digests[1]


def test_worker_runs_with_an_empty_environment(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "anonymize.cli", "risk", str(folder / "t.csv"), "--quasi", "age", "--json"],
        cwd=PROJECT,
        env={"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert json.loads(done.stdout)["k"] == 3


def test_progress_bar_shows_on_a_terminal_and_nowhere_else(folder: Path) -> None:
    command = [sys.executable, "-m", "anonymize.cli", "anonymize", str(folder / "t.csv")]
    command += ["--policy", str(folder / "p.toml"), "--key-file", str(folder / "key"), "--language", "en"]
    ours, theirs = pty.openpty()
    subprocess.run([*command, "--out", str(folder / "a")], cwd=PROJECT, stderr=theirs, timeout=120, check=True)
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    quiet = subprocess.run(
        [*command, "--out", str(folder / "b")], cwd=PROJECT, capture_output=True, timeout=120, check=True
    )
    assert "100%" in shown
    assert quiet.stderr == b""


def test_risk_prints_the_promised_shape(folder: Path) -> None:
    result = _run("risk", folder / "t.csv", "--quasi", "age,illness", "--sensitive", "illness", "--json")
    answer = json.loads(result.output)
    keys = [
        "rows",
        "k",
        "classes",
        "uniques",
        "prosecutor_max",
        "prosecutor_mean",
        "journalist_max",
        "marketer",
        "l",
        "l_entropy",
        "recursive",
        "t",
        "t_whole",
        "threshold",
        "rows_at_risk",
        "columns",
        "disclosure",
    ]
    assert list(answer) == keys
    assert (answer["rows"], answer["k"], answer["classes"]) == (30, 3, 9)
    assert answer["l"] == {"illness": 1}


def test_risk_estimates_the_uniques_of_a_population(folder: Path) -> None:
    table = ("risk", folder / "t.csv", "--quasi", "age,illness")
    plain = json.loads(_run(*table, "--json").stdout)
    found = json.loads(_run(*table, "--population", "100000", "--json").stdout)
    assert found["population_uniques"].keys() >= {"zayatz", "pitman", "snb", "dankar", "believed", "sampling_fraction"}
    assert {name: found[name] for name in plain} == plain
    assert "Dankar" in _run(*table, "--population", "100000", "--language", "en").stdout
    assert "Dankar" in _run(*table, "--population", "100000", "--language", "zh").stdout
    refused = _run(*table, "--population", "1")
    assert refused.exit_code == 23


def test_risk_answers_every_question_it_is_asked(folder: Path) -> None:
    TABLE.rename({"age": "years"}).write_csv(folder / "outside.csv")
    table = ("risk", folder / "t.csv", "--quasi", "age,illness", "--sensitive", "illness", "--threshold", "0.5")
    more = ("--population-table", folder / "outside.csv", "--on", "age=years,illness=illness", "--subsets", "2")
    attack = ("--outside", folder / "outside.csv", "--truth", "id=id", "--policy", folder / "p.toml")
    answer = json.loads(_run(*table, *more, *attack, "--per-row", folder / "rows.parquet", "--json").stdout)
    assert answer["population_table"] == {
        "people": 30,
        "k_map": 3,
        "journalist_max": pytest.approx(1 / 3),
        "marketer": 0.3,
        "rows_beyond": 0.0,
    }
    assert [each["columns"] for each in answer["column_sets"]] == [["age"], ["illness"], ["age", "illness"]]
    assert answer["linkage"]["certain"] == {"of": 30, "matched": 0.0, "right": 0.0, "wrong": 0.0, "not_matched": 1.0}
    assert answer["linkage"]["guessed"] == pytest.approx(0.3)
    assert answer["disclosure"]["illness"]["rows_fixed"] == 1.0
    rows = pl.read_parquet(folder / "rows.parquet")
    assert rows.columns == ["row", "class_size", "prosecutor", "population_size", "journalist", "confidence:illness"]
    assert rows["row"].to_list() == list(range(1, 31))
    for language, said in (("zh", "互为唯一候选"), ("en", "each other's only candidate: 0.00% (right 0.00%, wrong")):
        words = _run(*table, *more, *attack, "--language", language).stdout
        assert said in words
        assert "k-map" in words


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--outside", "o.csv"), "risk.not_shared"),
        (("--population-table", "o.csv", "--on", "age=years"), "risk.not_shared"),
        (("--outside", "o.csv", "--on", "age"), "risk.pair_unreadable"),
        (("--outside", "o.csv", "--on", "age=none"), "column.not_found"),
        (("--outside", "o.csv", "--on", "age=years", "--truth", "id"), "risk.pair_unreadable"),
        (("--outside", "o.csv", "--on", "age=years", "--truth", "id=none"), "column.not_found"),
        (("--per-row", "t.csv"), "output.exists"),
    ],
)
def test_question_that_cannot_be_answered_is_refused(folder: Path, options: tuple[str, ...], code: str) -> None:
    pl.DataFrame({"years": [1, 2], "id": ["a", "b"]}).write_csv(folder / "o.csv")
    named = [str(folder / option) if option.endswith(".csv") else option for option in options]
    result = _run("risk", folder / "t.csv", "--quasi", "age,illness", *named, "--json")
    assert result.exit_code == 23
    assert json.loads(result.stdout)["refused"]["code"] == code


def test_too_many_sets_of_columns_are_refused_before_they_are_counted(folder: Path) -> None:
    pl.DataFrame({f"c{number}": [1, 2] for number in range(60)}).write_parquet(folder / "wide.parquet")
    names = ",".join(f"c{number}" for number in range(60))
    result = _run("risk", folder / "wide.parquet", "--quasi", names, "--subsets", "5", "--json")
    assert json.loads(result.stdout)["refused"]["code"] == "risk.too_many_sets"


def test_risk_in_words_names_every_figure(folder: Path) -> None:
    table = ("risk", folder / "t.csv", "--quasi", "age", "--sensitive", "illness", "--language")
    assert "k = 3" in _run(*table, "zh").output
    assert "30 rows in 9 classes" in _run(*table, "en").output


def test_risk_of_an_unknown_column_is_refused_by_name(folder: Path) -> None:
    result = _run("risk", folder / "t.csv", "--quasi", "age,none", "--json")
    assert result.exit_code == 23
    assert json.loads(result.stdout)["refused"]["subject"] == "t.csv:none"


def test_utility_of_a_written_extract_is_that_of_its_manifest(folder: Path) -> None:
    assert _anonymize(folder).exit_code == 0
    tables = (folder / "t.csv", folder / "out" / "extract.parquet", "--policy", folder / "p.toml")
    answer = json.loads(_run("utility", *tables, "--predict", "illness", "--json").stdout)
    promised = json.loads((folder / "out" / "manifest.json").read_bytes())["utility"]
    assert answer["granularity"] == promised["granularity"] < 1
    assert answer["columns"]["illness"] == promised["columns"]["illness"]
    assert "id" not in answer["columns"]
    assert answer["prediction"]["target"] == "illness"
    for language, said in (("zh", "颗粒度"), ("en", "predicting illness: right before")):
        assert said in _run("utility", *tables, "--predict", "illness", "--language", language).stdout


def test_tables_that_do_not_belong_together_have_no_utility(folder: Path) -> None:
    TABLE.head(6).write_csv(folder / "small.csv")
    tables = (folder / "small.csv", folder / "t.csv", "--policy", folder / "p.toml", "--json")
    assert json.loads(_run("utility", *tables).stdout)["refused"]["code"] == "utility.rows_differ"
    aligned = (folder / "t.csv", folder / "small.csv", "--policy", folder / "p.toml", "--aligned", "--json")
    assert json.loads(_run("utility", *aligned).stdout)["refused"]["code"] == "utility.rows_differ"
    TABLE.drop("age").write_csv(folder / "small.csv")
    refused = json.loads(_run("utility", *tables).stdout)["refused"]
    assert (refused["code"], refused["subject"]) == ("column.not_found", "small.csv:age")


def test_column_with_a_comma_in_its_name_can_be_named(folder: Path) -> None:
    pl.DataFrame({"a,b": [1, 1], "c": [1, 2]}).write_parquet(folder / "c.parquet")
    result = _run("risk", folder / "c.parquet", "--quasi", "a,b", "--quasi", "c", "--json")
    assert json.loads(result.output)["k"] == 1


def test_kept_columns_stay_typed(folder: Path) -> None:
    columns = {"id": DROP, "age": QUASI_KEPT, "illness": KEEP}
    (folder / "p.toml").write_text(policy_text(columns, target={"k": 3}), encoding="utf-8")
    assert _anonymize(folder).exit_code == 0
    assert pl.read_parquet(folder / "out" / "extract.parquet").schema == {"age": pl.Int64, "illness": pl.String}


def test_explain_says_a_policy_in_words_and_as_json(folder: Path) -> None:
    zh, en = _run("explain", folder / "p.toml"), _run("explain", folder / "p.toml", "--language", "en")
    assert "至少 5 行" in zh.output
    assert "at least 5 rows" in en.output
    told = json.loads(_run("explain", folder / "p.toml", "--json").output)
    assert [column["name"] for column in told["columns"]] == ["id", "age", "illness"]
    assert told["columns"][0]["done"]["en"].startswith("replaced by pseudonyms")
    assert (told["format"], told["target"]["k"], told["sample"]) == (1, 5, None)


def test_explain_refuses_a_misspelt_policy_and_names_the_nearest_setting(folder: Path) -> None:
    text = policy_text(COLUMNS, target={"k": 5, "supression_limit": 0.1})
    (folder / "p.toml").write_text(text, encoding="utf-8")
    result = _run("explain", folder / "p.toml", "--language", "en")
    assert result.exit_code == 23
    assert "did you mean suppression_limit" in result.stderr


@pytest.mark.parametrize("technique", [{"technique": "noise", "params": {"share": 0.5}}, {"sample": {"rate": 0.9}}])
def test_what_a_key_decides_needs_a_key(folder: Path, technique: dict[str, Any]) -> None:
    sample = {"sample": technique.pop("sample")} if "sample" in technique else {}
    columns = {"id": DROP, "age": {**QUASI_KEPT, **technique}, "illness": SENSITIVE}
    (folder / "p.toml").write_text(policy_text(columns, target=TARGET, **sample), encoding="utf-8")
    result = _anonymize(folder, "--json", key=False)
    assert json.loads(result.stdout)["refused"]["code"] == "key.missing"
