"""Reading and writing tables: what is read right, and what is refused by file and column without a value."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from anonymize.errors import BadInput, NotFound
from anonymize.table import MAX_COLUMNS, Format, file_digest, read_table, sniff_format, write_parquet
from tests.anonymize_cases import write_xlsx


def _csv(folder: Path, content: bytes) -> pl.DataFrame:
    path = folder / "t.csv"
    path.write_bytes(content)
    return read_table(path)


def _refusal(read: Callable[[], object]) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read()
    return refused.value


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_in_every_spelling(tmp_path: Path, separator: str, encoding: str) -> None:
    rows = [("编号", "姓名", "人数"), ("007", "张三", "3"), ("008", "𠮷田", "12")]
    content = "\r\n".join(separator.join(row) for row in rows).encode(encoding)
    frame = _csv(tmp_path, content)
    assert frame.rows() == [("007", "张三", 3), ("008", "𠮷田", 12)]
    assert frame.columns == ["编号", "姓名", "人数"]


@pytest.mark.parametrize(
    "cell", ["007", "310107198001010012", "13800000000", "1e5", "1_000", "+5", "5.", ".5", "-0", "NaN", "inf", "0x1F"]
)
def test_what_may_be_an_identifier_stays_text(tmp_path: Path, cell: str) -> None:
    assert _csv(tmp_path, f"a\n1\n{cell}\n".encode())["a"].to_list() == ["1", cell]


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["0", "-5", "999999999"], [0, -5, 999999999]),
        (["1.5", "-0.25", "3"], [1.5, -0.25, 3.0]),
        (["4", ""], [4, None]),
    ],
)
def test_doubtless_numbers_become_numbers(tmp_path: Path, cells: list[str], read: list[float | None]) -> None:
    content = "a,b\n" + "".join(f"{cell},x\n" for cell in cells)
    assert _csv(tmp_path, content.encode())["a"].to_list() == read


def test_separator_inside_quotation_marks_is_text(tmp_path: Path) -> None:
    assert _csv(tmp_path, b'"a;1","b"\n"x;y","z;w"\n').rows() == [("x;y", "z;w")]


def test_column_of_empty_cells_is_null(tmp_path: Path) -> None:
    assert _csv(tmp_path, b"a,b\n,1\n,2\n")["a"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("content", "code", "subject"),
    [
        (b"", "table.empty_file", "t.csv"),
        (b"a,b\n", "table.no_rows", "t.csv"),
        (b"a,b,a\n1,2,3\n", "table.duplicate_column", "t.csv:a"),
        (b"a,,c\n1,2,3\n", "table.unnamed_column", "t.csv"),
        (b"a,b\n1,2\n1,2,3\n", "table.broken", "t.csv"),
        (b'a,b\n1,"2\n3,4\n', "table.broken", "t.csv"),
        (b"a,b\n1,\xff\xff\xff\n", "table.undecodable", "t.csv"),
        ("a,b\n1,2\n".encode("utf-16"), "table.unknown_format", "t.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "table.unknown_format", "t.csv"),
        (b"PAR1 cut short", "table.broken", "t.csv"),
        (b"PK\x03\x04 cut short", "table.broken", "t.csv"),
        (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", "table.too_many_columns", "t.csv"),
    ],
)
def test_bad_file_is_refused_by_name(tmp_path: Path, content: bytes, code: str, subject: str) -> None:
    refused = _refusal(lambda: _csv(tmp_path, content))
    assert (refused.code, refused.subject) == (code, subject)
    assert refused.next_step.zh


def test_undecodable_line_is_named_by_number(tmp_path: Path) -> None:
    refused = _refusal(lambda: _csv(tmp_path, b"a,b\n1,2\n3,\xff\xff\xff\n"))
    assert "line 3" in refused.text.en


def test_refusal_of_a_broken_row_shows_no_cell(tmp_path: Path) -> None:
    refused = _refusal(lambda: _csv(tmp_path, b"id,b\n310107198001010012,2,secret\n"))
    assert refused.__cause__ is None
    for word in ("310107198001010012", "secret"):
        assert word not in refused.sentence("en") + refused.sentence("zh")


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    for act in (read_table, file_digest, sniff_format):
        with pytest.raises(NotFound):
            act(tmp_path / "none.csv")


def test_column_limit_is_exact(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(MAX_COLUMNS))
    row = ",".join("x" for _ in range(MAX_COLUMNS))
    assert _csv(tmp_path, f"{header}\n{row}\n".encode()).width == MAX_COLUMNS


def test_parquet_is_read_with_categories_as_text(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["x", "y"], "n": [1, 2]}, schema={"a": pl.Categorical, "n": pl.Int8})
    frame.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").schema == {"a": pl.String, "n": pl.Int8}


def test_truncated_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"a": list(range(1000))}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert _refusal(lambda: read_table(path)).code == "table.broken"


def test_format_is_judged_by_content_and_not_by_name(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "t.csv")
    assert sniff_format(tmp_path / "t.csv") is Format.PARQUET


def test_spreadsheet_keeps_identifiers_and_whole_numbers(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", [["id", "n", "x"], ["007", 5, 1.5], ["008", None, 2]])
    frame = read_table(path)
    assert frame.rows() == [("007", 5, 1.5), ("008", None, 2.0)]
    assert frame.schema["n"] == pl.Int64


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ([[["a", "a"], [1, 2]]], "table.duplicate_column"),
        ([[["a", None], [1, 2]]], "table.unnamed_column"),
        ([[["a"]]], "table.no_rows"),
        ([[["a"], [1]], [["b"], [2]]], "table.many_sheets"),
        ([[["a"], [310107198001010012]]], "table.digits_lost"),
    ],
)
def test_bad_spreadsheet_is_refused(tmp_path: Path, sheets: list[list[list[object]]], code: str) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", *sheets)
    assert _refusal(lambda: read_table(path)).code == code


def test_writing_leaves_the_table_and_nothing_else(tmp_path: Path) -> None:
    write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "t.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


def test_equal_tables_are_equal_bytes_however_they_were_put_together(tmp_path: Path) -> None:
    whole = pl.DataFrame({"a": list(range(1000)), "b": ["x"] * 1000})
    pieces = pl.concat([whole.head(300), whole.tail(700)], rechunk=False)
    for name, frame in (("one", whole), ("two", pieces)):
        write_parquet(frame, tmp_path / name)
    assert file_digest(tmp_path / "one") == file_digest(tmp_path / "two")


def test_folder_that_can_not_be_written_is_refused_and_left_clean(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").mkdir()
    refused = _refusal(lambda: write_parquet(pl.DataFrame({"a": [1]}), tmp_path / "t.parquet"))
    assert refused.code == "output.not_written"
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_zeros_lose_their_sign(tmp_path: Path, dtype: type[pl.DataType]) -> None:
    """Equal in every class, told apart by whoever reads the file: k would hold on paper alone."""
    pl.DataFrame({"a": [0.0, -0.0, None, -1.5]}, schema={"a": dtype}).write_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert read.schema == {"a": dtype}
    assert [str(value) for value in read["a"]] == ["0.0", "0.0", "None", "-1.5"]
    assert str(_csv(tmp_path, b"a\n1.5\n-0.0\n")["a"][1]) == "0.0"
