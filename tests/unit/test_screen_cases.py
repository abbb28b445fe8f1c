"""Acceptance cases of OUTPUT-CONTROL section 3, each named after its case."""

from __future__ import annotations

import io
import pickle
import subprocess
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anonymize.screen import Outcome, screen_files
from anonymize.screen.engine import RULES
from tests.screen_house import A01, people, png, rules_of, screen_text, shown, told, with_chunk


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extract") / "people.parquet"
    people().write_parquet(path)
    return path


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 93 rows behind A01 and the 2,000 behind A03, as one extract each way."""
    path = tmp_path_factory.mktemp("crossed") / "ab.parquet"
    rows = [("x", "p")] * 50 + [("x", "q")] * 3 + [("y", "p")] * 20 + [("y", "q")] * 20
    pl.DataFrame(rows, schema=["a", "b"], orient="row").write_parquet(path)
    return path


def test_a01_one_small_cell_is_flagged_and_no_other(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", A01)
    assert verdict.verdict is Outcome.FLAG
    assert told(verdict) == [("R01", "flag", "SMALL_CELL")]
    assert verdict.findings[0].where == "row 2, column 3 (q)"


def test_a02_ten_passes_and_nine_is_flagged(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ",p,q\nx,10,10\ny,11,9\n")
    assert [(found.rule, found.where) for found in verdict.findings] == [("R01", "row 3, column 3 (q)")]


def test_a03_large_cells_pass(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ",p,q,r\nx,325,330,341\ny,333,337,334\n")
    assert (verdict.verdict, verdict.findings) == (Outcome.PASS, ())


@pytest.mark.parametrize("axis", ["all", "row", "column"])
def test_a04_shares_of_large_cells_pass(tmp_path: Path, axis: str) -> None:
    counts = np.array([[325, 330, 341], [333, 337, 334]])
    rows = [(a, b) for i, a in enumerate("xy") for j, b in enumerate("pqr") for _ in range(counts[i, j])]
    source = tmp_path / "e.parquet"
    pl.DataFrame(rows, schema=["a", "b"], orient="row").write_parquet(source)
    total = {"all": counts.sum(), "row": counts.sum(axis=1, keepdims=True), "column": counts.sum(axis=0)}[axis]
    lines = [f"{a}," + ",".join(f"{share:.4f}" for share in line) for a, line in zip("xy", counts / total, strict=True)]
    verdict = screen_text(tmp_path, "a.csv", ",p,q,r\n" + "\n".join(lines), extracts=[source])
    assert (verdict.verdict, told(verdict)) == (Outcome.PASS, [])


def test_a05_row_shares_flag_exactly_the_cell_of_three(tmp_path: Path, crossed: Path) -> None:
    text = ",p,q\nx,0.943,0.057\ny,0.500,0.500\n"
    verdict = screen_text(tmp_path, "a.csv", text, extracts=[crossed])
    assert [(found.rule, found.where) for found in verdict.findings] == [("R01", "row 2, column 3 (q)")]


def test_a05_without_the_extract_the_counts_are_asked_for(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ",p,q\nx,0.943,0.057\ny,0.500,0.500\n")
    assert told(verdict) == [("R01", "flag", "DOC_MISSING")]


@pytest.mark.parametrize("mark", ["", "*", "<10", "…", "保密"])
def test_a06_a_suppressed_cell_with_its_totals_is_blocked(tmp_path: Path, mark: str) -> None:
    text = f",p,q,合计\nx,50,{mark},53\ny,20,20,40\n合计,70,23,93\n"
    verdict = screen_text(tmp_path, "a.csv", text)
    assert ("R12", "block", "SMALL_CELL") in told(verdict)
    assert [found.where for found in verdict.findings if found.rule == "R12"] == ["row 2, column 3 (q)"]
    assert " 3" not in shown(verdict.findings).replace("column 3", "")


def test_a06_totals_recomputed_without_the_cell_pass(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ",p,q\nx,50,\ny,20,20\n")
    assert verdict.verdict is Outcome.PASS


def test_a06_two_suppressed_cells_a_row_and_column_pass(tmp_path: Path) -> None:
    text = ",p,q,r,Total\nx,*,*,30,57\ny,*,*,31,58\nz,22,23,24,69\nTotal,50,49,85,184\n"
    assert screen_text(tmp_path, "a.csv", text).verdict is Outcome.PASS


def ages(last: str) -> str:
    rows = [
        f"{age},{part} of 28" for age, part in zip(range(21, 30), [11, 12, 10, 13, 11, 12, 14, 10, 12], strict=True)
    ]
    return "age,condition\n" + "\n".join([*rows, last]) + "\nTotal,106 of 253\n"


def test_a10_one_of_one_is_flagged(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ages("30,1 of 1"))
    assert [(found.rule, found.level.value, found.where) for found in verdict.findings] == [
        ("R01", "flag", "row 11, column 2 (condition)")
    ]


def test_a10_the_redacted_row_with_its_total_is_blocked(tmp_path: Path) -> None:
    verdict = screen_text(tmp_path, "a.csv", ages("30,*"))
    assert [(found.rule, found.level.value) for found in verdict.findings] == [("R12", "block")]


def test_a32_csv_behind_the_end_of_a_png_is_blocked(tmp_path: Path) -> None:
    hidden = ("pid,income\n" + "a1,1234.5\n" * 40)[:400].encode()
    verdict = screen_text(tmp_path, "chart.png", png() + hidden)
    assert ("R36", "block", "HIDDEN_CONTENT") in told(verdict)
    assert "400" in verdict.findings[0].text.en


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt", b"eXIf", b"prVt", b"iCCP"])
def test_a33_a_text_chunk_is_blocked_by_name_and_size(tmp_path: Path, kind: bytes) -> None:
    body = b"Comment\x00\x00" + zlib.compress(b"pid,income\n" * 30)
    verdict = screen_text(tmp_path, "chart.png", with_chunk(png(), kind, body))
    found = next(found for found in verdict.findings if found.rule == "R37")
    assert found.level.value == "block"
    assert kind.decode() in found.text.en
    assert str(len(body)) in found.text.en


def rows_of(
    frame: pl.DataFrame, *, false_share: float, drop: list[str], digits: int | None, seed: int = 5
) -> pl.DataFrame:
    """5,000 rows, some of them false, columns shuffled and renamed, numbers rounded."""
    chance = np.random.default_rng(seed)
    rows = frame.drop(drop).sample(5_000, seed=seed)
    false = chance.random(5_000) < false_share
    columns = [
        pl.when(pl.Series(false)).then(pl.Series(chance.permutation(rows[c].to_numpy()))).otherwise(rows[c]).alias(c)
        for c in rows.columns
    ]
    mixed = rows.select(columns)
    if digits is not None:
        mixed = mixed.with_columns(
            pl.col(pl.Float64).round_sig_figs(digits), pl.col(pl.Int64).cast(pl.Float64).round_sig_figs(digits)
        )
    order = chance.permutation(mixed.columns)
    return mixed.select([pl.col(name).alias(f"v{number}") for number, name in enumerate(order)])


def test_a38_rows_of_the_extract_shuffled_and_renamed_are_blocked(tmp_path: Path, extract: Path) -> None:
    frame = rows_of(people(), false_share=0.05, drop=["pid"], digits=None)
    path = tmp_path / "out.csv"
    frame.write_csv(path)
    verdict = screen_files([path], extracts=[extract])
    found = next(found for found in verdict.findings if found.rule == "R46")
    assert (found.level.value, found.code.value) == ("block", "RAW_ROWS")
    share = int(found.text.en.split("rows compared, ")[1].split("%")[0]) / 100
    assert share == pytest.approx(0.95, abs=0.02)


def test_a38_with_the_pseudonym_the_link_key_is_blocked_too(tmp_path: Path, extract: Path) -> None:
    path = tmp_path / "out.csv"
    people().head(50).write_csv(path)
    verdict = screen_files([path], extracts=[extract])
    assert {("R46", "block", "RAW_ROWS"), ("R48", "block", "LINK_KEY"), ("R19", "block", "LINK_KEY")} <= set(
        told(verdict)
    )


@pytest.mark.parametrize("digits", [4, 3, 2])
def test_a39_rounded_rows_are_blocked(tmp_path: Path, extract: Path, digits: int) -> None:
    path = tmp_path / "out.csv"
    rows_of(people(), false_share=0.05, drop=["pid"], digits=digits).write_csv(path)
    assert ("R46", "block", "RAW_ROWS") in told(screen_files([path], extracts=[extract]))


def test_a40_group_means_pass(tmp_path: Path, extract: Path) -> None:
    means = (
        people()
        .group_by("age")
        .agg(
            pl.len().alias("n"),
            pl.col("income").mean().round(2),
            pl.col("subsidy").mean().round(2),
            pl.col("visits").mean().round(3),
        )
    )
    path = tmp_path / "means.csv"
    means.sort("age").head(62).write_csv(path)
    verdict = screen_files([path], extracts=[extract])
    assert (verdict.verdict, told(verdict)) == (Outcome.PASS, [])


class Shell:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return subprocess.getoutput, ("touch /tmp/zhakou-screen-ran",)


@pytest.mark.parametrize(("name", "protocol"), [("m.pkl", 5), ("m.json", 4), ("m.csv", 2), ("m.txt", 0), ("m.md", 0)])
def test_a44_a_pickle_is_blocked_under_any_name_without_being_loaded(tmp_path: Path, name: str, protocol: int) -> None:
    ran = Path("/tmp/zhakou-screen-ran")
    ran.unlink(missing_ok=True)
    verdict = screen_text(tmp_path, name, pickle.dumps(Shell(), protocol=protocol))
    assert told(verdict)[0] == ("R34", "block", "FILE_TYPE")
    assert not ran.exists()


def test_a45_a_zip_bomb_is_blocked_at_once(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200_000_000))
    start = time.monotonic()
    verdict = screen_text(tmp_path, "tables.zip", out.getvalue())
    assert verdict.verdict is Outcome.BLOCK
    assert time.monotonic() - start < 1.0


@pytest.mark.parametrize("cell", ['=HYPERLINK("http://x","y")', "@SUM(A1)", "+cmd|' /C calc'!A0", "-A1"])
def test_a46_a_formula_cell_is_flagged(tmp_path: Path, cell: str) -> None:
    quoted = cell.replace('"', '""')
    verdict = screen_text(tmp_path, "a.csv", f'街道,n\n曹杨,120\n"{quoted}",130\n')
    assert [(found.rule, found.where) for found in verdict.findings] == [("R44", "row 3, column 1 (街道)")]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.bin", b"\x01\x02"),
        ("a.sas7bdat", b"text"),
        ("noending", b"a,b\n1,2\n"),
        ("a.xlsx", b"PK\x03\x04"),
        ("a.tsv", b"a\tb\n"),
    ],
)
def test_a48_an_unknown_type_is_blocked(tmp_path: Path, name: str, data: bytes) -> None:
    verdict = screen_text(tmp_path, name, data)
    assert verdict.verdict is Outcome.BLOCK
    assert "R34" in rules_of(verdict)


def test_a48_a_check_that_runs_out_of_time_is_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("anonymize.screen.deadline.time.monotonic", iter(range(0, 10**9, 1000)).__next__)
    verdict = screen_text(tmp_path, "a.csv", "街道,n\n曹杨,120\n")
    assert told(verdict)[-1] == ("R35", "block", "CHECK_DID_NOT_RUN") or told(verdict)[-1][2] == "CHECK_DID_NOT_RUN"
    assert verdict.verdict is Outcome.BLOCK


def test_a48_a_check_that_crashes_is_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(type(RULES[-2]), "check", crash)
    verdict = screen_text(tmp_path, "a.csv", "街道,n\n曹杨,120\n")
    assert told(verdict) == [(RULES[-2].id, "block", "CHECK_DID_NOT_RUN")]
    assert RULES[-2].id not in verdict.checks_run[0].rules
