"""Whatever the bytes and whatever the table: a verdict, never a crash, and no way to let rows or small cells
through.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymize.screen import Level, Outcome, Verdict, screen_files
from anonymize.screen.verdict import Code
from tests.screen_house import jpeg, people, png

NAMES = st.sampled_from(["a.csv", "a.json", "a.md", "a.txt", "a.png", "a.jpg", "a.zip", "a"])
CELLS = st.text(st.sampled_from("0123456789.,;|\t\"'<>{}[]=+-@*%\n 男人数合计n\u200b\u0661é"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=30,
)


def verdict_of(name: str, data: bytes) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return screen_files([path])


def crashed(verdict: Verdict) -> bool:
    return any(found.code is Code.CHECK_DID_NOT_RUN for found in verdict.findings)


@given(NAMES, st.binary(min_size=1, max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_bytes_get_a_verdict_and_no_check_crashes(name: str, data: bytes) -> None:
    assert not crashed(verdict_of(name, data))


@given(st.sampled_from(["a.csv", "a.md", "a.txt"]), st.lists(CELLS, min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_text_gets_a_verdict_and_no_check_crashes(name: str, lines: list[str]) -> None:
    assert not crashed(verdict_of(name, "\n".join(lines).encode() + b"\n"))


@given(JSON)
@settings(max_examples=200, deadline=None)
def test_any_json_gets_a_verdict_and_no_check_crashes(value: object) -> None:
    assert not crashed(verdict_of("a.json", json.dumps(value).encode()))


@given(st.sampled_from([png(), jpeg()]), st.integers(0, 10_000), st.integers(0, 255))
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_of_an_image_gets_a_verdict(picture: bytes, at: int, byte: int) -> None:
    changed = bytearray(picture)
    changed[at % len(changed)] = byte
    assert not crashed(verdict_of("a.png" if picture[1:4] == b"PNG" else "a.jpg", bytes(changed)))


@given(st.integers(1, 9), st.integers(0, 3), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_a_count_from_one_to_nine_is_flagged_wherever_it_stands(count: int, row: int, column: int) -> None:
    table = [[20 + 7 * r + 3 * c for c in range(3)] for r in range(4)]
    table[row][column] = count
    text = ",p,q,r\n" + "\n".join(f"x{r}," + ",".join(map(str, line)) for r, line in enumerate(table))
    found = [item for item in verdict_of("a.csv", text.encode()).findings if item.rule == "R01"]
    assert [item.where for item in found] == [f"row {row + 2}, column {column + 2} ({'pqr'[column]})"]


@given(st.lists(st.lists(st.integers(10, 400), min_size=3, max_size=3), min_size=3, max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_one_suppressed_cell_under_kept_totals_is_blocked(table: list[list[int]], data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, len(table) - 1)), data.draw(st.integers(0, 2))
    lines = [[*line, sum(line)] for line in table]
    total = [sum(line[c] for line in lines) for c in range(4)]
    shown: list[list[object]] = [
        ["*" if (r, c) == (row, column) else n for c, n in enumerate(line)] for r, line in enumerate(lines)
    ]
    text = ",p,q,r,合计\n" + "\n".join(f"x{r}," + ",".join(map(str, line)) for r, line in enumerate([*shown]))
    text += "\n合计," + ",".join(map(str, total)) + "\n"
    verdict = verdict_of("a.csv", text.encode())
    assert [item.where for item in verdict.findings if item.rule == "R12"] == [
        f"row {row + 2}, column {column + 2} ({'pqr'[column]})"
    ]


@given(st.integers(0, 1_000_000), st.sampled_from([None, 4, 3, 2]), st.integers(3, 6))
@settings(max_examples=15, deadline=None)
def test_records_are_blocked_in_any_order_of_rows_and_columns(seed: int, digits: int | None, kept: int) -> None:
    chance = np.random.default_rng(seed)
    frame = people(6_000)
    names = [
        "income",
        "subsidy",
        *chance.permutation(["sex", "age", "visits", "care_level", "assessed_on"])[:kept].tolist(),
    ]
    rows = frame.select(chance.permutation(names).tolist()).sample(200, seed=seed, shuffle=True)
    if digits is not None:
        rows = rows.with_columns(pl.col(pl.Float64).round_sig_figs(digits))
    with tempfile.TemporaryDirectory() as folder:
        extract, path = Path(folder) / "e.parquet", Path(folder) / "a.csv"
        frame.write_parquet(extract)
        rows.rename({name: f"v{number}" for number, name in enumerate(rows.columns)}).write_csv(path)
        verdict = screen_files([path], extracts=[extract])
    assert any(item.rule == "R46" and item.level is Level.BLOCK for item in verdict.findings)


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("a.csv", "1,2,3\n"),
        ("a.csv", '"a\n'),
        ("a.csv", "x" * 100_000 + "\n"),
        ("a.csv", ",\n"),
        ("a.csv", "=1\n"),
        ("a.txt", "1 2 3\n"),
        ("a.txt", "a" * 1000),
        ("a.txt", "| "),
        ("a.txt", "QUJD" * 100 + "\n"),
        ("a.txt", "ab" * 500 + " "),
        ("a.txt", "\n"),
        ("a.txt", " \t"),
        ("a.txt", "13800138000"),
        ("a.md", "<!--"),
        ("a.md", "|1|2|\n"),
        ("a.json", '{"a":'),
        ("a.json", "[1,"),
    ],
)
def test_a_megabyte_of_anything_is_answered_in_twenty_seconds(name: str, piece: str) -> None:
    data = (piece * (2**20 // len(piece))).encode()
    start = time.process_time()
    verdict = verdict_of(name, data)
    assert verdict.verdict in set(Outcome)
    assert time.process_time() - start < 20
