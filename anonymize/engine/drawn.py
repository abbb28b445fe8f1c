"""A source of which only the rows go on that a policy's [sample] draws."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from anonymize.engine.scale import Scale
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.sampling import Sampling, draw_rows
from anonymize.source import Source, cut_parquet
from anonymize.table import TableWriter
from anonymize.techniques.drop import Drop
from anonymize.text import Text


def draw_source(
    source: Source, sampling: Sampling, *, policy: AnonymizationPolicy, key: bytes, scale: Scale, scratch: Path
) -> Source:
    """The same table with the rows drawn alone.

    Raises:
        BadInput: the table is past memory, in which it must lie once to be drawn from.
        TargetNotMet: fewer rows would be drawn than the target's k.
    """
    scale.check_whole(
        rows=source.rows,
        row_bytes=source.row_bytes,
        subject=source.table,
        what=Text("按规则抽样需要一次读入全表，", "sampling by its policy takes the whole table at once and"),
    )
    frame = pl.concat([piece.read() for piece in source.pieces])
    rows = draw_rows(sampling, _told_apart(policy, frame), key=key, k=policy.target.k, table=source.table)
    drawn = scratch / "sample.parquet"
    with TableWriter(drawn) as writer:
        writer.write(frame[pl.Series(rows)])
    return replace(source, pieces=cut_parquet([drawn], scale=scale))


def _told_apart(policy: AnonymizationPolicy, frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that tell in the extract or in the figures: what is released, and every quasi-identifier."""
    counted = [
        rule.name
        for rule in policy.columns
        if rule.column_class is ColumnClass.QUASI_ID or not isinstance(rule.technique, Drop)
    ]
    single = [name for name in counted if not frame[name].dtype.is_nested() and frame[name].dtype != pl.Binary]
    return frame.select(single)
