"""From a raw table to the integers that a query is about, so that one person changes at most `max_rows` of them.

What must hold, for the privacy maps of the mechanisms to be true:
1. Each cell is read by itself: no inferred type, no refusal and no default depends on other rows.
2. A row's integer depends on that row alone; which rows of a person count depends on that person's rows alone.
3. Nothing about the rows is refused, logged or returned: what can't be counted is left out, nobody is told how much.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.privacy.dp.queries import (
    AnyQuery,
    Categories,
    Cells,
    Count,
    Dimension,
    Edges,
    Keys,
    NoisyRequest,
    Range,
)
from anonymize.table import read_cells
from anonymize.text import Text

_CODE: Final = "\x00code"
_UNIT: Final = "\x00unit"
_ORDER: Final = "\x00order"


def load_rows(path: Path, request: NoisyRequest) -> pl.DataFrame:
    """The columns that a request is about.

    Raises:
        NotFound, BadInput: no table, no such column, or a column whose declared type can't be asked about so.
    """
    used = [column for query in request.queries for column in query.columns]
    wanted = list(dict.fromkeys([*([] if request.unit is None else [request.unit]), *used]))
    frame = read_cells(path, wanted)
    for query in request.queries:
        numbers = _number_columns(query)
        for column in query.columns:
            _check_type(frame.schema[column], path, column, is_number=column in numbers)
    if request.unit is not None:
        _check_type(frame.schema[request.unit], path, request.unit, is_number=False)
    return frame


def codes_of(frame: pl.DataFrame, query: AnyQuery, request: NoisyRequest) -> tuple[pl.Series, tuple[str, ...]]:
    """What a query counts, as one integer per row that counts, and (for keys nobody declared) what the integers mean.

    Shape: Int64, no nulls. Zero for a count; steps for a number; the number of the cell, the last column fastest.
    Rows without a unit, outside of `where`, or without a usable cell are left out before rows of a unit are bounded.
    """
    lazy = frame.lazy()
    for where in query.where:
        lazy = lazy.filter(_text(pl.col(where.column)).is_in(list(where.values)))
    keys: tuple[str, ...] = ()
    if isinstance(query, Keys):
        texts = lazy.select(_text(pl.col(query.column)).alias(_CODE)).collect().to_series().drop_nulls().unique()
        keys = tuple(texts.sort().to_list())
        code = _label_code(pl.col(query.column), keys)
    else:
        code = _code(query)
    most = 1 if isinstance(query, Count) and query.of_units else request.max_rows
    kept = lazy.with_columns(code.cast(pl.Int64).alias(_CODE)).filter(pl.col(_CODE).is_not_null())
    if request.unit is not None:
        unit = _text(pl.col(request.unit)).str.strip_chars()
        kept = kept.with_columns(pl.when(unit != "").then(unit).alias(_UNIT)).filter(pl.col(_UNIT).is_not_null())
        kept = _bounded(kept, sorted({*query.columns, request.unit}), most)
    return kept.select(_CODE).collect().to_series(), keys


def _bounded(rows: pl.LazyFrame, columns: Sequence[str], most: int) -> pl.LazyFrame:
    """At most `most` rows of each unit: those whose hash comes first, so that no value is favoured, and the same each
    time, so that asking twice does not show the others."""
    order = pl.struct([_text(pl.col(name)) for name in columns]).hash(seed=0)
    return rows.with_columns(order.alias(_ORDER)).filter(pl.col(_ORDER).rank("ordinal").over(_UNIT) <= most)


def _code(query: AnyQuery) -> pl.Expr:
    match query:
        case Count():
            return pl.lit(0)
        case Cells():
            code = pl.lit(0)
            for one in query.dimensions:
                index = _cell_code(one)
                size = len(one.labels) + query.keeps_other
                code = code * size + (index.fill_null(len(one.labels)) if query.keeps_other else index)
            return code
        case Keys():
            raise TypeError("keys have codes only once they are known")
        case _:
            return _steps(pl.col(query.column), query.range)


def _cell_code(one: Dimension) -> pl.Expr:
    match one:
        case Categories():
            return _label_code(pl.col(one.column), one.values)
        case Edges():
            edges = np.array([float(edge) for edge in one.values])

            def intervals(cells: pl.Series) -> pl.Series:
                below = cells.fill_null(float("-inf")).to_numpy()
                return pl.Series(cells.name, np.searchsorted(edges, below, side="right") - 1, dtype=pl.Int64)

            index = _number(pl.col(one.column)).map_batches(intervals, return_dtype=pl.Int64)
            return pl.when((index >= 0) & (index < len(edges) - 1)).then(index)


def _label_code(column: pl.Expr, labels: Sequence[str]) -> pl.Expr:
    texts = pl.Series(labels, dtype=pl.String)
    numbers = pl.Series(range(len(labels)), dtype=pl.Int64)
    return _text(column).replace_strict(texts, numbers, default=None, return_dtype=pl.Int64)


def _steps(column: pl.Expr, bounds: Range) -> pl.Expr:
    """A number as a whole number of steps within the bounds; infinity is beyond a bound, NaN is missing."""
    clamped = _number(column).clip(float(bounds.low), float(bounds.high))
    low, high = bounds.steps
    return (clamped / float(bounds.step)).round().cast(pl.Int64, strict=False).clip(low, high)


def _number(column: pl.Expr) -> pl.Expr:
    """Cell by cell a float, or null where the cell is no number."""
    return column.map_batches(_as_floats, return_dtype=pl.Float64)


def _as_floats(cells: pl.Series) -> pl.Series:
    if cells.dtype == pl.String:
        cells = cells.str.strip_chars()
    return cells.cast(pl.Float64, strict=False).fill_nan(None)


def _text(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String, strict=False)


def _number_columns(query: AnyQuery) -> set[str]:
    match query:
        case Cells():
            return {one.column for one in query.dimensions if isinstance(one, Edges)}
        case Count() | Keys():
            return set()
        case _:
            return {query.column}


def _check_type(dtype: Any, path: Path, column: str, *, is_number: bool) -> None:
    """By the type that the file declares, never by its cells."""
    place = Place(table=path.name, column=column)
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        raise place.refuse(
            "noisy.column_type",
            found=Text(
                "类型为列表、结构或二进制，无法计数", "it holds lists, structures or bytes, which can't be counted"
            ),
            next_step=Text("请选用文本、数字或日期列。", "Ask about a column of text, numbers or dates."),
        )
    if is_number and dtype.is_temporal():
        raise place.refuse(
            "noisy.column_type",
            found=Text("类型为日期或时间，不是数字", "it holds dates or times, not numbers"),
            next_step=Text(
                "请按文本类别统计该列，或先派生数字列。", "Count it by categories, or derive a number from it first."
            ),
        )
