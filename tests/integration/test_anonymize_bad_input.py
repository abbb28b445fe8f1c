"""Bad tables, policies and disks: one clear refusal each, naming table, column and next step, and nothing left behind.

Every case holds a cell that no refusal may show.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from anonymize.cli import main
from tests.anonymize_cases import AGE, DROP, KEEP, KEY, PSEUDONYM, SENSITIVE, generalized, policy_text

CELL = "SECRETCELL"
PROJECT = Path(__file__).resolve().parents[2]
DATES = generalized(kind="dates", steps=["month", "year"])
GROUPS = generalized(kind="groups", levels=[{"known": ["a", "b"]}])


def _frame(**columns: Any) -> pl.DataFrame:
    """Twenty rows; a column `note` with the cell that must not be shown, unless another is given."""
    return pl.DataFrame({"note": [CELL, CELL + "2"] * 10, **columns})


def _rules(**rules: Any) -> dict[str, Any]:
    return {"note": KEEP, **rules}


AGES = [20, 30, 40, 50] * 5
CASES: Mapping[str, tuple[pl.DataFrame, dict[str, Any], int, str, str]] = {
    "empty table": (_frame(age=AGES).clear(), _rules(age=AGE), 23, "table.no_rows", "t.parquet"),
    "one row": (_frame(age=AGES).head(1), _rules(age=AGE), 24, "target.table_too_small", "t.parquet"),
    "column of nulls": (
        _frame(age=AGES, gap=[None] * 20),
        _rules(age=AGE, gap=KEEP),
        23,
        "column.all_null",
        "t.parquet:gap",
    ),
    "mixed types": (_frame(age=["20", CELL] * 10), _rules(age=AGE), 23, "column.not_a_number", "t.parquet:age"),
    "invalid dates": (
        _frame(day=["2026-02-30", CELL] * 10),
        _rules(day=DATES),
        23,
        "column.invalid_date",
        "t.parquet:day",
    ),
    "value outside the hierarchy": (
        _frame(town=["a", CELL] * 10),
        _rules(town=GROUPS),
        23,
        "column.not_in_hierarchy",
        "t.parquet:town",
    ),
    "NaN": (_frame(age=[20.0, float("nan")] * 10), _rules(age=AGE), 23, "column.not_finite", "t.parquet:age"),
    "infinity": (
        _frame(age=AGES, n=[1.0, float("inf")] * 10),
        _rules(age=AGE, n=SENSITIVE),
        23,
        "column.not_finite",
        "t.parquet:n",
    ),
    "number past exactness": (
        _frame(age=[20.0, 1e300] * 10),
        _rules(age=AGE),
        23,
        "column.number_too_large",
        "t.parquet:age",
    ),
    "policy names a missing column": (
        _frame(age=AGES),
        _rules(age=AGE, none=KEEP),
        23,
        "policy.column_missing",
        "t.parquet:none",
    ),
    "policy is silent about a column": (
        _frame(age=AGES, more=AGES),
        _rules(age=AGE),
        23,
        "policy.column_unnamed",
        "t.parquet:more",
    ),
    "lists": (_frame(age=AGES, x=[[CELL]] * 20), _rules(age=AGE, x=KEEP), 23, "column.not_scalar", "t.parquet:x"),
    "durations": (
        _frame(age=AGES, x=pl.Series(AGES).cast(pl.Duration)),
        _rules(age=AGE, x=KEEP),
        23,
        "column.not_scalar",
        "t.parquet:x",
    ),
    "k past the table": (_frame(age=AGES), {**_rules(age=AGE), "k": 21}, 24, "target.table_too_small", "t.parquet"),
}


def _anonymize(folder: Path, table: Path, *more: str) -> Result:
    (folder / "key").write_bytes(KEY)
    command = ["anonymize", table, "--policy", folder / "p.toml", "--out", folder / "out", "--key-file", folder / "key"]
    return CliRunner().invoke(main, [*map(str, command), *more])


def _write_policy(folder: Path, rules: Mapping[str, Any]) -> None:
    columns = {name: rule for name, rule in rules.items() if name != "k"}
    (folder / "p.toml").write_text(policy_text(columns, target={"k": rules.get("k", 2)}), encoding="utf-8")


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in ("t.parquet", "t.csv", "p.toml", "key"))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("case", sorted(CASES))
def test_bad_table_is_refused_by_name_and_leaves_nothing(tmp_path: Path, case: str, language: str) -> None:
    frame, rules, exit_code, code, subject = CASES[case]
    frame.write_parquet(tmp_path / "t.parquet")
    _write_policy(tmp_path, rules)
    result = _anonymize(tmp_path, tmp_path / "t.parquet", "--language", language, "--json")
    assert result.exit_code == exit_code
    refused = json.loads(result.stdout)["refused"]
    assert (refused["code"], refused["subject"]) == (code, subject)
    assert refused["next_step"]
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(f"[{code}]\n")
    assert "t.parquet" in refused["text"]
    if ":" in subject:
        assert subject.split(":")[1] in refused["text"]
    assert CELL not in result.output
    assert _left(tmp_path) == []


CODE: dict[str, Any] = {**KEEP, "technique": "generalize"}
PREFIX: dict[str, Any] = {**CODE, "params": {"kind": "prefixes", "lengths": [20], "level": 1}}
MASKED: dict[str, Any] = {**KEEP, "technique": "mask", "params": {"keep_end": 7}}


@pytest.mark.parametrize("rule", [PREFIX, MASKED])
def test_code_that_stays_unique_when_masked_or_cut_is_an_identifier(tmp_path: Path, rule: dict[str, Any]) -> None:
    frame = pl.DataFrame({"code": [f"P{number:07d}" for number in range(100)], "age": AGES * 5})
    frame.write_parquet(tmp_path / "t.parquet")
    _write_policy(tmp_path, {"code": rule, "age": AGE})
    result = _anonymize(tmp_path, tmp_path / "t.parquet", "--json")
    assert json.loads(result.stdout)["refused"]["code"] == "policy.unique_column"
    _write_policy(tmp_path, {"code": {**rule, "params": {**rule["params"], **COARSER[rule["technique"]]}}, "age": AGE})
    assert _anonymize(tmp_path, tmp_path / "t.parquet").exit_code == 0


COARSER = {"generalize": {"lengths": [7]}, "mask": {"keep_end": 1}}


CSV_CASES: Mapping[str, tuple[bytes, str]] = {
    "10,000 columns": (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "table.too_many_columns"),
    "a name twice": (b"age,note,age\n1,2,3\n", "table.duplicate_column"),
    "NUL bytes": (b"age,note\n" + b"1,x\n" * 2000 + b"1,\x00\n", "table.unknown_format"),
    "blank lines alone": (b"\n\n\n", "table.broken"),
    "quotation mark left open": (b'age,note\n1,"x\n2,y\n', "table.broken"),
    "UTF-16": ("age,note\n1,x\n".encode("utf-16"), "table.unknown_format"),
    "neither UTF-8 nor GB18030": (b"age,note\n1,\xff\xff\n", "table.undecodable"),
}


@pytest.mark.parametrize("case", sorted(CSV_CASES))
@pytest.mark.parametrize("command", ["anonymize", "risk", "scan"])
def test_bad_csv_is_refused_by_every_command(tmp_path: Path, case: str, command: str) -> None:
    content, code = CSV_CASES[case]
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    _write_policy(tmp_path, _rules(age=AGE))
    if command == "anonymize":
        result = _anonymize(tmp_path, table, "--json")
    else:
        options = ["--quasi", "age"] if command == "risk" else []
        result = CliRunner().invoke(main, [command, str(table), *options, "--json"])
    assert (result.exit_code, json.loads(result.stdout)["refused"]["code"]) == (23, code)
    assert _left(tmp_path) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gb18030 with BOM"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_give_the_same_extract(tmp_path: Path, encoding: str, ends: str) -> None:
    lines = ["年龄,病种", "", *(f"{20 + number % 4 * 10},类{number % 2}" for number in range(20)), ""]
    text = ends.join(lines)
    mark, name = ("\ufeff", "gb18030") if encoding.endswith("BOM") else ("", encoding)
    (tmp_path / "t.csv").write_bytes((mark + text).encode(name))
    _write_policy(tmp_path, {"年龄": AGE, "病种": SENSITIVE})
    result = _anonymize(tmp_path, tmp_path / "t.csv")
    assert result.exit_code == 0, result.output
    extract = pl.read_parquet(tmp_path / "out" / "extract.parquet")
    assert sorted(extract.iter_rows()) == sorted((20 + n % 4 * 10, f"类{n % 2}") for n in range(20))


@pytest.mark.parametrize("kib", [1, 40, 200])
def test_full_disk_in_mid_write_leaves_nothing(tmp_path: Path, kib: int) -> None:
    """A real process whose files may not grow past a size: writing fails in the middle, as on a full disk."""
    people = range(20_000)
    frame = pl.DataFrame(
        {"id": [f"{CELL}{n}" for n in people], "age": [n % 90 for n in people], "note": ["x"] * 20_000}
    )
    frame.write_parquet(tmp_path / "t.parquet")
    _write_policy(tmp_path, {"id": PSEUDONYM, "age": AGE, "note": DROP})
    (tmp_path / "key").write_bytes(KEY)
    command = ["anonymize", "t.parquet", "--policy", "p.toml", "--out", "out", "--key-file", "key", "--language", "en"]
    done = subprocess.run(
        [sys.executable, "-m", "anonymize.cli", *command],
        cwd=tmp_path,
        # Compiled modules are files too: cut short by the limit, they would break whoever imports them next.
        env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 23, done.stderr
    assert "[output.not_written]" in done.stderr
    assert "Traceback" not in done.stderr
    assert CELL not in done.stdout + done.stderr
    assert _left(tmp_path) == []
