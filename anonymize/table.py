"""The only reader and writer of tables: Parquet, CSV, XLSX in; Parquet out.

What must hold:
1. A refusal names the file and the column and never a value.
2. An identifier is never read as a number: leading zeros and 18 digits survive.
3. What was written is whole or absent: temporary name, flush to disk, rename.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import fastexcel
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.csv_table import read_csv_text
from anonymize.errors import BadInput, NotFound, Place, no_such_column
from anonymize.text import Text

MAX_COLUMNS: Final = 2_000
ROW_GROUP_ROWS: Final = 131_072
"""Fixed, so that equal tables are equal bytes."""
_EXACT_FLOAT: Final = 10**15
"""Whole numbers beyond 15 digits do not survive a spreadsheet's number cells."""


class Format(StrEnum):
    """What a file is, judged by its first bytes; a CSV has none and is what remains."""

    PARQUET = "parquet"
    CSV = "csv"
    XLSX = "xlsx"


def sniff_format(path: Path) -> Format:
    """The format of a file by its content; its name does not count.

    Raises:
        NotFound: there is no such file.
        BadInput: it is empty, or a kind of file that is no table (old spreadsheets, archives, UTF-16 text).
    """
    head = _read_head(path)
    if not head:
        raise refuse_table(path, "table.empty_file", found=Text("文件为空", "the file is empty"))
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith(b"PK\x03\x04"):
        return Format.XLSX
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head:
        raise refuse_table(
            path, "table.unknown_format", found=Text("不是 Parquet、CSV 或 XLSX", "it is neither Parquet, CSV nor XLSX")
        )
    return Format.CSV


def read_table(path: Path) -> pl.DataFrame:
    """A table with named, distinct columns and at least one row.

    Shape: CSV columns are text, but for those that are numbers beyond doubt; empty cells are null.
    Raises:
        NotFound: there is no such file.
        BadInput: the file can't be read as one table.
    """
    match sniff_format(path):
        case Format.PARQUET:
            frame = _read_parquet(path)
        case Format.XLSX:
            frame = _read_xlsx(path)
        case Format.CSV:
            frame = read_csv_text(path.read_bytes(), path, refuse=refuse_table, check_names=check_names)
    if frame.height == 0:
        raise refuse_table(path, "table.no_rows", found=Text("表中没有任何数据行", "the table has no rows"))
    return text_codes(frame).rechunk()


def read_cells(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Some columns of a table, each cell read by itself: what one row holds never changes how another is read.

    Shape: Parquet keeps its types; every column of CSV and XLSX is text. There may be no row at all.
    Raises:
        NotFound: there is no such file.
        BadInput: the file can't be read as one table, or lacks one of the columns.
    """
    match sniff_format(path):
        case Format.PARQUET:
            frame = _read_parquet(path)
        case Format.XLSX:
            frame = _read_xlsx(path, as_text=True)
        case Format.CSV:
            frame = read_csv_text(
                path.read_bytes(), path, refuse=refuse_table, check_names=check_names, finds_numbers=False
            )
    for name in columns:
        if name not in frame.columns:
            raise no_such_column(path.name, name)
    return frame.select(columns)


def read_header(path: Path) -> tuple[pl.Schema, int]:
    """The columns and the number of rows of a Parquet file, which may have none.

    Raises:
        BadInput: the file is broken.
    """
    try:
        return pl.Schema(pl.read_parquet_schema(path)), int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as failed:
        raise refuse_table(
            path, "table.broken", found=Text("Parquet 文件损坏或被截断", "the Parquet file is broken or cut short")
        ) from failed


class TableWriter:
    """A Parquet file written whole or not at all, with never more than a row group in memory.

    The bytes depend on the rows and their order alone, not on how many come at a time. Leave the block by an exception
    and nothing is left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._waiting: list[pl.DataFrame] = []
        self._rows = 0
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Append rows; the first frame, which may be empty, says what the columns are.

        Raises:
            BadInput: the disk is full or the folder can't be written.
        """
        self._waiting.append(frame)
        self._rows += frame.height
        try:
            if self._writer is None:
                schema = _as_arrow(frame.clear()).schema
                self._writer = pq.ParquetWriter(self._temporary, schema, compression="zstd", compression_level=3)
            if self._rows >= ROW_GROUP_ROWS:
                self._flush(self._rows // ROW_GROUP_ROWS * ROW_GROUP_ROWS)
        except (OSError, pa.ArrowException) as failed:
            raise not_written(self._path) from failed

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None and error is None:
                self._flush(self._rows)
            if self._writer is not None:
                self._writer.close()
            if error is None:
                sync_file(self._temporary)
                self._temporary.replace(self._path)
        except (OSError, pa.ArrowException) as failed:
            if error is None:
                raise not_written(self._path) from failed
        finally:
            self._temporary.unlink(missing_ok=True)

    def _flush(self, rows: int) -> None:
        """Write so many of the waiting rows, in row groups of the fixed size."""
        if not rows or self._writer is None:
            return
        whole = pl.concat(self._waiting)
        for start in range(0, rows, ROW_GROUP_ROWS):
            group = whole.slice(start, min(ROW_GROUP_ROWS, rows - start)).rechunk()
            self._writer.write_table(_as_arrow(group), row_group_size=ROW_GROUP_ROWS)
        rest = whole.slice(rows)
        self._waiting, self._rows = ([rest] if rest.height else []), rest.height


def _as_arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write a table whole or not at all; equal tables give equal bytes.

    Raises:
        BadInput: the disk is full or the folder can't be written; nothing is left behind.
    """
    with TableWriter(path) as writer:
        writer.write(frame)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal characters.

    Raises:
        NotFound: there is no such file.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as failed:
        raise _no_such_file(path) from failed


def sync_file(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def not_written(path: Path) -> BadInput:
    """The refusal when a result can't be written."""
    return BadInput(
        code="output.not_written",
        subject=path.name,
        text=Text(
            f"无法写入 {path.name}：磁盘已满或目录不可写，没有留下任何不完整的文件。",
            f"{path.name} was not written: the disk is full or the folder can't be written. Nothing partial is left.",
        ),
        next_step=Text("请腾出空间或换一个目录后重试。", "Free some space or choose another folder and try again."),
    )


def changed_table(path: Path) -> BadInput:
    """The refusal when a table is written to while it is read."""
    return BadInput(
        code="table.changed",
        subject=path.name,
        text=Text(f"表 {path.name} 在读取过程中被修改。", f"Table {path.name} changed while it was being read."),
        next_step=Text("请等待写入结束后重试。", "Wait until it is written and try again."),
    )


def refuse_table(path: Path, code: str, *, found: Text, next_step: Text | None = None) -> BadInput:
    """The refusal of a whole file."""
    return BadInput(
        code=code,
        subject=path.name,
        text=Text(f"表 {path.name} 被拒绝：{found.zh}。", f"Table {path.name} refused: {found.en}."),
        next_step=next_step
        or Text(
            "请重新导出为完整的 Parquet、UTF-8 CSV 或 XLSX 文件。",
            "Export it again as a whole Parquet, UTF-8 CSV or XLSX file.",
        ),
    )


def _no_such_file(path: Path) -> NotFound:
    return NotFound(
        code="table.not_found",
        subject=path.name,
        text=Text(f"找不到表 {path.name} 或无权读取。", f"There is no table {path.name}, or it can't be opened."),
        next_step=Text("请检查路径和权限。", "Check the path and its permissions."),
    )


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4096)
    except OSError as failed:
        raise _no_such_file(path) from failed


def check_names(names: list[str], path: Path) -> None:
    """Refuse a table whose columns are too many, unnamed or named twice.

    Raises:
        BadInput: they are.
    """
    if len(names) > MAX_COLUMNS:
        raise refuse_table(
            path,
            "table.too_many_columns",
            found=Text(
                f"有 {len(names)} 列，上限 {MAX_COLUMNS} 列", f"it has {len(names)} columns, the limit is {MAX_COLUMNS}"
            ),
            next_step=Text("请先只导出协议所需的列。", "Export only the columns the licence names."),
        )
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise refuse_table(
                path,
                "table.unnamed_column",
                found=Text(f"第 {number} 列没有列名", f"column {number} has no name"),
                next_step=Text("请在第一行为每一列写上列名。", "Give every column a name in the first row."),
            )
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise Place(table=path.name, column=twice[0]).refuse(
            "table.duplicate_column",
            found=Text("列名重复", "its name occurs twice"),
            next_step=Text("请为每一列取不同的列名。", "Give every column a name of its own."),
        )


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        check_names([str(name) for name in pq.read_schema(path).names], path)
        frame = pl.read_parquet(path, glob=False)
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as failed:
        raise refuse_table(
            path, "table.broken", found=Text("Parquet 文件损坏或被截断", "the Parquet file is broken or cut short")
        ) from failed
    return text_codes(frame)


def text_codes(frame: pl.DataFrame) -> pl.DataFrame:
    """The table with categories as the texts they stand for, and without negative zeros.

    0.0 and -0.0 are equal, so one class holds both; whoever reads the extract would still tell them apart.
    """
    coded = [name for name, dtype in frame.schema.items() if dtype == pl.Categorical or dtype == pl.Enum]
    signed = [
        # Not "+ 0.0", which polars takes for nothing to do.
        pl.when(pl.col(name) == 0).then(0.0).otherwise(pl.col(name)).cast(dtype).alias(name)
        for name, dtype in frame.schema.items()
        if dtype.is_float()
    ]
    return frame.with_columns(pl.col(coded).cast(pl.String), *signed) if coded or signed else frame


def _read_xlsx(path: Path, *, as_text: bool = False) -> pl.DataFrame:
    try:
        book = fastexcel.read_excel(path)
        if len(book.sheet_names) != 1:
            raise refuse_table(
                path,
                "table.many_sheets",
                found=Text(f"有 {len(book.sheet_names)} 个工作表", f"it has {len(book.sheet_names)} sheets"),
                next_step=Text(
                    "请把需要的一个工作表另存为单独的文件。", "Save the one sheet that is meant as a file of its own."
                ),
            )
        header = book.load_sheet(0, header_row=None, n_rows=1, dtypes="string").to_polars()
        names = [str(name or "") for name in (header.row(0) if header.height else ())]
        check_names(names, path)
        frame = book.load_sheet(0, schema_sample_rows=None, dtypes="string" if as_text else None).to_polars()
    except fastexcel.FastExcelError as failed:
        raise refuse_table(path, "table.broken", found=Text("XLSX 文件损坏", "the XLSX file is broken")) from failed
    frame.columns = names
    return _mend_numbers(frame, path)


def _mend_numbers(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Spreadsheets know one kind of number: whole ones become integers again, worn-down identifiers are refused."""
    for name in frame.columns:
        column = frame[name]
        if not column.dtype.is_float():
            continue
        whole = bool((column.is_null() | (column == column.round(0))).all())
        if whole and int((column.abs() >= _EXACT_FLOAT).sum()):
            raise Place(table=path.name, column=name).refuse(
                "table.digits_lost",
                found=Text(
                    "含有以数值保存的 15 位以上号码，末位数字已丢失",
                    "it holds numbers of more than 15 digits stored as numbers, whose last digits are already lost",
                ),
                next_step=Text("请将该列设为文本格式后重新导出。", "Set the column to text and export it again."),
            )
        if whole:
            frame = frame.with_columns(column.cast(pl.Int64))
    return frame
