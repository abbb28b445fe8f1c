"""The order of an extract's rows: keyed, so that it tells nothing of the source and is the same for any order there.

Past memory the rows are sorted in two steps: every piece is sorted and cut into buckets by the front of the key, then
bucket after bucket is put together from all pieces and sorted. The same rows come in the same order whatever the cuts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from anonymize.techniques.pseudonymize import derive_key, keyed_digest

_ORDER_LABEL: Final = b"zhakou row order v1\x00"
_ID_LABEL: Final = b"zhakou key id v1\x00"
_HIGH: Final = "high"
_LOW: Final = "low"


def sort_rows(frame: pl.DataFrame, *, key: bytes) -> pl.DataFrame:
    """The rows ordered by the HMAC of their whole content.

    Equal rows are interchangeable, so the same rows give the same table whatever order they come in. Without the key
    nobody can tell where a given row would lie, nor anything from where it lies.
    """
    return _named(_keyed(frame, key=key), frame.columns)


def write_run(frame: pl.DataFrame, path: Path, *, key: bytes, buckets: int) -> None:
    """Write the rows of a piece in their order, cut into buckets; appears whole or not at all.

    Shape: `buckets` is a power of two; each is one record batch of an Arrow file, some may be empty.
    Raises:
        OSError: the disk is full.
    """
    rows = _keyed(frame, key=key)
    shift = np.uint64(64 - (buckets - 1).bit_length())
    firsts = np.arange(1, buckets, dtype=np.uint64) << shift
    cuts = [0, *np.searchsorted(rows[_HIGH].to_numpy(), firsts).tolist(), rows.height]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        table = rows.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
            for start, end in pairwise(cuts):
                part = table.slice(start, end - start).combine_chunks()
                writer.write_batch(part.to_batches()[0] if part.num_rows else _no_rows(table.schema))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def merge_runs(runs: Sequence[Path], *, columns: Sequence[str], buckets: int) -> Iterator[pl.DataFrame]:
    """The rows of all pieces in their order, a bucket at a time."""
    for bucket in range(buckets):
        parts = [_read_bucket(run, bucket) for run in runs]
        yield _named(pl.concat(parts).sort(_HIGH, _LOW), columns)


def bucket_count(rows: int, *, largest: int) -> int:
    """So many buckets, a power of two, that they hold about half of `largest` rows at most: chance evens them out."""
    return 1 << max(0, (2 * rows // max(1, largest)).bit_length())


def key_id(key: bytes) -> str:
    """A name for the key that tells nothing of it: equal for equal keys."""
    return derive_key(key, _ID_LABEL)[:16]


def _keyed(frame: pl.DataFrame, *, key: bytes) -> pl.DataFrame:
    """The rows in order, with 128 bits of their digest: two different rows of a billion share them once in 10**20.

    Shape: the columns are numbered, since those of the table may be called anything.
    """
    whole_rows = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    digest = keyed_digest(whole_rows, key=derive_key(key, _ORDER_LABEL))
    halves = [
        digest.str.slice(start, 16).str.to_integer(base=16, dtype=pl.UInt64).alias(name)
        for start, name in ((0, _HIGH), (16, _LOW))
    ]
    numbered = [column.alias(f"c{number}") for number, column in enumerate(frame.get_columns())]
    return pl.DataFrame([*numbered, *halves]).sort(_HIGH, _LOW)


def _named(rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    return rows.drop(_HIGH, _LOW).rename({f"c{number}": name for number, name in enumerate(columns)})


def _read_bucket(run: Path, bucket: int) -> pl.DataFrame:
    with pa.OSFile(str(run), "rb") as file:
        batch = pa.ipc.open_file(file).get_batch(bucket)
        part = pl.from_arrow(pa.Table.from_batches([batch]), rechunk=True)
    if not isinstance(part, pl.DataFrame):
        raise TypeError("a record batch is a table")
    return part


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
