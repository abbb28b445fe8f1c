"""Reading CSV as departments write it: UTF-8 with or without BOM, or GB18030; comma, semicolon or tab.

Everything is read as text; a column becomes numbers only when every cell is a number beyond doubt, so that leading
zeros, phone numbers and 18-digit identifiers stay what they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from anonymize.errors import BadInput
from anonymize.text import Text

SEPARATORS: Final = (",", ";", "\t")
WHOLE_NUMBER: Final = r"^(0|-?[1-9][0-9]{0,8})$"
"""At most nine digits: phone numbers have 11, credit codes and ID numbers 18, bank cards 16 to 19."""
DECIMAL_NUMBER: Final = r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$"
BLANK_LINE: Final = pl.all_horizontal(pl.all().is_null())
"""How a blank line of a table with more than one column is read."""
NUL_BYTES: Final = Text("含有 NUL 字节，不是文本文件", "it holds NUL bytes, so it is no text")
_SAMPLE_ROWS: Final = 50


class Refuse(Protocol):
    """How the caller words the refusal of a whole file."""

    def __call__(self, path: Path, code: str, *, found: Text, next_step: Text | None = None) -> BadInput: ...


def read_csv_text(
    content: bytes,
    path: Path,
    *,
    refuse: Refuse,
    check_names: Callable[[list[str], Path], None],
    finds_numbers: bool = True,
) -> pl.DataFrame:
    """A table from the bytes of a CSV file.

    Shape: text columns but for doubtless numbers, unless those are not to be found; empty cells, and those that a row
    lacks at its end as spreadsheets write them, are null. Blank lines are no rows.
    Raises:
        BadInput: undecodable or NUL bytes, unnamed or repeated columns, rows longer than the header.
    """
    if b"\x00" in content:
        raise refuse(path, "table.unknown_format", found=NUL_BYTES)
    text = _decode(content, path, refuse)
    if "\n" not in text:
        text = text.replace("\r", "\n")  # lines as old Macintosh programs end them
    separator = sniff_separator(text)
    names = header_names(text[: 2**20], separator)
    if not names:
        raise refuse(path, "table.broken", found=Text("第一行不是列名", "its first row is no row of column names"))
    check_names(names, path)
    try:
        frame = pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:
        raise refuse(
            path,
            "table.broken",
            found=Text(
                "各行的列数与表头不一致，或引号不成对", "rows do not fit the header, or a quotation mark is left open"
            ),
        ) from None  # polars quotes the cells it stumbled over
    frame.columns = names
    if len(names) > 1:
        frame = frame.filter(BLANK_LINE.not_())
    if not finds_numbers:
        return frame
    return frame.with_columns(_doubtless_number(frame[name]) for name in names)


def _decode(content: bytes, path: Path, refuse: Refuse) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        at = failed.start
    try:
        return content.decode("gb18030").removeprefix("\ufeff")
    except UnicodeDecodeError as failed:
        line = content.count(b"\n", 0, max(at, failed.start)) + 1
        raise refuse(
            path,
            "table.undecodable",
            found=Text(
                f"第 {line} 行附近既不是 UTF-8 也不是 GB18030 编码", f"near line {line} it is neither UTF-8 nor GB18030"
            ),
            next_step=Text("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8."),
        ) from None


def sniff_separator(text: str) -> str:
    """The separator that cuts the first rows into the most columns, the same number in each; comma if none does."""
    best, most = ",", 1
    for separator in SEPARATORS:
        rows = csv.reader(io.StringIO(text[: 2**16]), delimiter=separator)
        try:
            widths = [len(row) for _, row in zip(range(_SAMPLE_ROWS), rows, strict=False) if row]
        except csv.Error:  # line ends of two kinds: this separator can't be told by it
            continue
        if len(widths) > 2 and len(text) > 2**16:
            widths = widths[:-1]  # the last row of the sample may be cut
        if widths and min(widths) == max(widths) > most:
            best, most = separator, widths[0]
    return best


def header_names(text: str, separator: str) -> list[str]:
    """The names in the first row that is not blank; none where it can't be read as one."""
    try:
        return next((row for row in csv.reader(io.StringIO(text), delimiter=separator) if row), [])
    except csv.Error:
        return []


def _doubtless_number(column: pl.Series) -> pl.Series:
    known = column.drop_nulls()
    if known.is_empty():
        return column
    if known.str.contains(WHOLE_NUMBER).all():
        return column.cast(pl.Int64)
    if known.str.contains(DECIMAL_NUMBER).all() and known.str.contains(".", literal=True).any():
        return column.cast(pl.Float64)
    return column
