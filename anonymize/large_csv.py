"""A CSV file past memory becomes a Parquet file, read in two passes: which columns are numbers, then the rows.

The same table comes out as from `csv_table`, which reads a file at once.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from anonymize.csv_table import BLANK_LINE, DECIMAL_NUMBER, NUL_BYTES, WHOLE_NUMBER, header_names, sniff_separator
from anonymize.errors import BadInput
from anonymize.table import ROW_GROUP_ROWS, check_names, not_written, refuse_table
from anonymize.text import Text

_CHUNK: Final = 2**24
_HEAD: Final = 2**20


def spool_csv(path: Path, target: Path) -> Path:
    """Write the table of a CSV file to `target`, in bounded memory.

    Raises:
        BadInput: undecodable bytes, unnamed or repeated columns, rows longer than the header, or a full disk.
    """
    readable = _as_utf8(path, target.with_suffix(".csv"))
    with readable.open(encoding="utf-8-sig", newline="") as file:
        head = file.read(_HEAD)
    end = "\n" if "\n" in head else "\r"  # lines as old Macintosh programs end them
    head = head.replace("\r", "\n") if end == "\r" else head
    separator = sniff_separator(head)
    names = header_names(head, separator)
    if not names:
        raise refuse_table(
            path, "table.broken", found=Text("第一行不是列名", "its first row is no row of column names")
        )
    check_names(names, path)
    try:
        lines = pl.scan_csv(readable, separator=separator, infer_schema=False, new_columns=names, eol_char=end)
        if len(names) > 1:
            lines = lines.filter(BLANK_LINE.not_())
        types = _types(lines, names)
        numbers = [pl.col(name).cast(dtype) for name, dtype in types.items()]
        lines.with_columns(numbers).sink_parquet(target, compression="lz4", row_group_size=ROW_GROUP_ROWS)
    except OSError as failed:
        raise not_written(target) from failed
    except pl.exceptions.PolarsError:
        raise _ragged(path) from None  # polars quotes the cells it stumbled over
    finally:
        if readable != path:
            readable.unlink(missing_ok=True)
    return target


def _types(lines: pl.LazyFrame, names: list[str]) -> dict[str, type[pl.DataType]]:
    """The columns that are numbers beyond doubt, by the rule of `csv_table`."""
    looks = [
        look.alias(f"{kind}{number}")
        for number, name in enumerate(names)
        for kind, look in (
            ("known", pl.col(name).count()),
            ("whole", pl.col(name).str.contains(WHOLE_NUMBER).all()),
            ("decimal", pl.col(name).str.contains(DECIMAL_NUMBER).all()),
            ("point", pl.col(name).str.contains(".", literal=True).any()),
        )
    ]
    seen = lines.select(looks).collect(engine="streaming").row(0, named=True)
    types: dict[str, type[pl.DataType]] = {}
    for number, name in enumerate(names):
        if seen[f"known{number}"] and seen[f"whole{number}"]:
            types[name] = pl.Int64
        elif seen[f"known{number}"] and seen[f"decimal{number}"] and seen[f"point{number}"]:
            types[name] = pl.Float64
    return types


def _as_utf8(path: Path, copy: Path) -> Path:
    """The file itself where it is UTF-8, else a copy that is."""
    if _line_of_failure(path, "utf-8") is None:
        return path
    if (line := _line_of_failure(path, "gb18030")) is not None:
        raise refuse_table(
            path,
            "table.undecodable",
            found=Text(
                f"第 {line} 行附近既不是 UTF-8 也不是 GB18030 编码", f"near line {line} it is neither UTF-8 nor GB18030"
            ),
            next_step=Text("请另存为 UTF-8 编码的 CSV。", "Save it as CSV in UTF-8."),
        )
    decoder = codecs.getincrementaldecoder("gb18030")()
    try:
        with copy.open("wb") as file:
            for chunk in _chunks(path):
                file.write(decoder.decode(chunk).encode())
    except OSError as failed:
        copy.unlink(missing_ok=True)
        raise not_written(copy) from failed
    return copy


def _line_of_failure(path: Path, encoding: str) -> int | None:
    """The line near which a file stops being text of an encoding; None if it never does."""
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    for chunk in _chunks(path):
        if b"\x00" in chunk:
            raise refuse_table(path, "table.unknown_format", found=NUL_BYTES)
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as failed:
            return line + chunk.count(b"\n", 0, failed.start)
        line += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _ragged(path: Path) -> BadInput:
    return refuse_table(
        path,
        "table.broken",
        found=Text(
            "各行的列数与表头不一致，或引号不成对", "rows do not fit the header, or a quotation mark is left open"
        ),
    )
