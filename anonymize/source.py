"""A table in pieces: however large, it is read a piece at a time, and every row has one place in the whole.

A Parquet file is cut at rows, a folder of Parquet files is one table, a large CSV file is first written as Parquet
without ever being held as a whole. What fits into memory in any other format is one piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from anonymize.engine.scale import Scale
from anonymize.errors import BadInput, NotFound
from anonymize.large_csv import spool_csv
from anonymize.table import (
    Format,
    TableWriter,
    changed_table,
    check_names,
    file_digest,
    read_table,
    refuse_table,
    sniff_format,
    text_codes,
)
from anonymize.text import Text

SAMPLE_ROWS: Final = 10_000
"""Rows whose size in memory stands for that of the others."""
LARGEST_GROUP: Final = 2
"""A row group of a Parquet file is read as a whole: one of more pieces than this is first cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows of a table that follow each other: `rows` of a file from `start` on, the table's from `first` on."""

    number: int
    path: Path
    start: int
    rows: int
    first: int
    frame: pl.DataFrame | None = None
    """The rows themselves where no other process has to read them."""

    def read(self) -> pl.DataFrame:
        """The rows of the piece.

        Raises:
            BadInput: the file is broken.
        """
        if self.frame is not None:
            return self.frame
        try:
            part = pl.scan_parquet(self.path, glob=False).slice(self.start, self.rows).collect()
        except (OSError, pl.exceptions.PolarsError) as failed:
            raise _broken(self.path) from failed
        return text_codes(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table that is read in pieces.

    Units: `row_bytes` is the size of a row in memory, about.
    """

    path: Path
    digest: str
    schema: pl.Schema
    pieces: tuple[Piece, ...]
    row_bytes: int

    @property
    def rows(self) -> int:
        return sum(piece.rows for piece in self.pieces)

    @property
    def table(self) -> str:
        """The name of the table in refusals and manifests."""
        return self.path.name

    def check_unchanged(self) -> None:
        """Refuse a source that changed since its digest was taken.

        Raises:
            BadInput: it changed.
        """
        if source_digest(self.path) != self.digest:
            raise changed_table(self.path)


def open_source(path: Path, *, scale: Scale, scratch: Path) -> Source:
    """Cut a table into pieces.

    Shape: `scratch` is a private folder on the disk of the result, for tables that can't be read in pieces as they are.
    Raises:
        NotFound: there is no such table.
        BadInput: it can't be read as one table.
    """
    digest = source_digest(path)
    if path.is_dir():
        files = _parts(path)
    elif sniff_format(path) is Format.PARQUET:
        files = [path]
    elif sniff_format(path) is Format.CSV and scale.too_large(path.stat().st_size):
        files = [spool_csv(path, scratch / "source.parquet")]
    else:
        return _in_memory(path, digest, scale=scale, scratch=scratch)
    schema, row_bytes = _one_schema(files)
    size = scale.piece_rows(row_bytes)
    files = [_fine_enough(file, scratch / f"source-{number}.parquet", size) for number, file in enumerate(files)]
    pieces = tuple(_pieces(files, size))
    if not pieces:
        raise refuse_table(path, "table.no_rows", found=Text("表中没有任何数据行", "the table has no rows"))
    return Source(path=path, digest=digest, schema=schema, pieces=pieces, row_bytes=row_bytes)


def source_digest(path: Path) -> str:
    """SHA-256 of a file's bytes; of a folder, that of the lines that sha256sum prints for its files, by name.

    Raises:
        NotFound: there is no such table.
    """
    if not path.is_dir():
        return file_digest(path)
    lines = "".join(f"{file_digest(part)}  {part.name}\n" for part in _parts(path))
    return hashlib.sha256(lines.encode()).hexdigest()


def _parts(folder: Path) -> list[Path]:
    """The Parquet files of a folder; anything else in it is refused, hidden files and marks of success aside."""
    found = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    if not found:
        raise NotFound(
            code="table.not_found",
            subject=folder.name,
            text=Text(f"目录 {folder.name} 中没有表文件。", f"There is no table in the folder {folder.name}."),
            next_step=Text("请放入 Parquet 文件。", "Put Parquet files into it."),
        )
    for path in found:
        if path.is_dir() or sniff_format(path) is not Format.PARQUET:
            raise refuse_table(
                path,
                "table.not_a_part",
                found=Text("目录形式的表只能由 Parquet 文件组成", "a table in a folder is made of Parquet files alone"),
                next_step=Text(
                    "请移走该文件，或把各部分导出为 Parquet。", "Move it away, or export all parts as Parquet."
                ),
            )
    return found


def _one_schema(files: Sequence[Path]) -> tuple[pl.Schema, int]:
    """The columns of all files, which must agree, and the size of a row."""
    first = _schema(files[0])
    check_names(list(first), files[0])
    for file in files[1:]:
        if _schema(file) != first:
            raise refuse_table(
                file,
                "table.parts_differ",
                found=Text(
                    f"列或类型与 {files[0].name} 不一致", f"its columns or their types are not those of {files[0].name}"
                ),
                next_step=Text("请按同一结构导出各部分。", "Export all parts with the same columns and types."),
            )
    sample = text_codes(
        pl.concat([pl.scan_parquet(file, glob=False).head(SAMPLE_ROWS).collect() for file in files[:1]])
    )
    return sample.schema, max(1, int(sample.estimated_size()) // max(1, sample.height))


def _schema(file: Path) -> dict[str, Any]:
    try:
        names = [str(name) for name in pq.read_schema(file).names]
        check_names(names, file)
        return dict(pl.read_parquet_schema(file))
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as failed:
        raise _broken(file) from failed


def cut_parquet(files: Sequence[Path], *, scale: Scale) -> tuple[Piece, ...]:
    """The pieces of Parquet files with columns alike; none if they have no rows."""
    _, row_bytes = _one_schema(files)
    return tuple(_pieces(files, scale.piece_rows(row_bytes)))


def _pieces(files: Sequence[Path], size: int) -> Iterator[Piece]:
    """Pieces of at most `size` rows, of equal size within a file."""
    number = first = 0
    for file in files:
        rows = int(pq.read_metadata(file).num_rows)
        count = -(-rows // size)
        for part in range(count):
            start, end = rows * part // count, rows * (part + 1) // count
            yield Piece(number=number, path=file.resolve(), start=start, rows=end - start, first=first)
            number, first = number + 1, first + end - start


def _fine_enough(file: Path, cut: Path, size: int) -> Path:
    """The file itself, or the same rows in row groups that can be read one at a time."""
    about = pq.read_metadata(file)
    largest = max((about.row_group(group).num_rows for group in range(about.num_row_groups)), default=0)
    if largest <= LARGEST_GROUP * size:
        return file
    with TableWriter(cut) as writer:
        for batch in pq.ParquetFile(file).iter_batches(batch_size=65_536):
            part = pl.from_arrow(pa.Table.from_batches([batch]))
            writer.write(part if isinstance(part, pl.DataFrame) else part.to_frame())
    return cut


def _in_memory(path: Path, digest: str, *, scale: Scale, scratch: Path) -> Source:
    """A table of a format that is read as a whole; it becomes a file only where other processes have to read it."""
    frame = read_table(path)
    row_bytes = max(1, int(frame.estimated_size()) // frame.height)
    size = scale.piece_rows(row_bytes)
    if scale.engine.here:
        starts = range(0, frame.height, size)
        pieces = tuple(
            Piece(number=number, path=path, start=start, rows=len(part), first=start, frame=part)
            for number, start in enumerate(starts)
            for part in [frame.slice(start, size)]
        )
    else:
        with TableWriter(scratch / "source.parquet") as writer:
            writer.write(frame)
        pieces = tuple(_pieces([scratch / "source.parquet"], size))
    return Source(path=path, digest=digest, schema=frame.schema, pieces=pieces, row_bytes=row_bytes)


def _broken(path: Path) -> BadInput:
    return refuse_table(
        path, "table.broken", found=Text("Parquet 文件损坏或被截断", "the Parquet file is broken or cut short")
    )
