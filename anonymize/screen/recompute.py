"""Counts behind a table of shares or means, recomputed from the extract where the table says which cells it means.

A share is no small cell by itself, and the counts behind it are not in the file. If the labels and headers of the table
are values of the extract and every printed figure comes out again from it, the counts are known and are judged
instead of the figures. If not, the table stays without counts, and that is what the finding says.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import NULL, ExtractIndex, Hashes, Precision, hashed
from anonymize.screen.roles import Role, Table

Counts = npt.NDArray[np.int64]
_MAX_CELLS: Final = 20_000
_MAX_CANDIDATES: Final = 4
_DECIMALS_TRUSTED: Final = 2
"""Figures with fewer decimals come out by chance too often to prove which counts are behind them."""


def counts_behind(table: Table, index: ExtractIndex, deadline: Deadline) -> dict[tuple[int, int], int] | None:
    """Units of the extract behind each cell (row, column) of a table without counts; None if it does not come out
    again.
    """
    shares = table.columns(Role.SHARE)
    if shares and len(shares) + len(table.columns(Role.LABEL)) == table.grid.width and len(shares) >= 2:
        return _behind_shares(table, shares, index, deadline)
    measures = table.columns(Role.MEASURE)
    if measures and len(measures) + len(table.columns(Role.LABEL)) == table.grid.width:
        return _behind_means(table, measures, index, deadline)
    return None


def _behind_shares(
    table: Table, shares: list[int], index: ExtractIndex, deadline: Deadline
) -> dict[tuple[int, int], int] | None:
    """A two-way table of shares: of the whole, of each row or of each column."""
    labels = table.columns(Role.LABEL)
    if len(labels) != 1 or table.total_rows or table.total_columns:
        return None
    rows = hashed(pl.Series(table.grid.columns[labels[0]], dtype=pl.String), Precision.FULL)
    heads = hashed(pl.Series([table.grid.header[c] for c in shares], dtype=pl.String), Precision.FULL)
    printed = np.array([[_value(table, row, c) for c in shares] for row in range(table.grid.rows)])
    slack = np.array([[_slack(table, row, c) for c in shares] for row in range(table.grid.rows)])
    if printed.size > _MAX_CELLS or np.isnan(printed).any():
        return None
    for down, across in permutations(_holding(index, [rows, heads]), 2):
        deadline.check()
        if not (_holds(index, down, rows) and _holds(index, across, heads)):
            continue
        counts = _crosstab(index.hashes(down, Precision.FULL), index.hashes(across, Precision.FULL), rows, heads)
        for expected in _shares_of(counts):
            if (np.abs(expected - printed) <= slack).all():
                return {
                    (r, shares[c]): int(counts[r, c]) for r in range(counts.shape[0]) for c in range(counts.shape[1])
                }
    return None


def _shares_of(counts: Counts) -> Iterator[npt.NDArray[np.float64]]:
    with np.errstate(divide="ignore", invalid="ignore"):
        yield counts / counts.sum()
        yield counts / counts.sum(axis=1, keepdims=True)
        yield counts / counts.sum(axis=0, keepdims=True)


def _crosstab(down: Hashes, across: Hashes, rows: Hashes, heads: Hashes) -> Counts:
    order_r, order_h = np.argsort(rows), np.argsort(heads)
    at_r = np.minimum(np.searchsorted(rows[order_r], down), len(rows) - 1)
    at_h = np.minimum(np.searchsorted(heads[order_h], across), len(heads) - 1)
    inside = (rows[order_r][at_r] == down) & (heads[order_h][at_h] == across)
    cells = order_r[at_r[inside]] * len(heads) + order_h[at_h[inside]]
    counts: Counts = np.bincount(cells, minlength=len(rows) * len(heads)).reshape(len(rows), len(heads))
    return counts


def _holding(index: ExtractIndex, wanted: list[Hashes]) -> list[str]:
    return [name for name in index.columns if any(_holds(index, name, values) for values in wanted)]


def _holds(index: ExtractIndex, name: str, values: Hashes) -> bool:
    distinct = index.distinct(name, Precision.FULL)
    return bool((values != NULL).all()) and bool(np.isin(values, distinct).all())


def _value(table: Table, row: int, column: int) -> float:
    number = table.numbers[column][row]
    if number is None:
        return float("nan")
    return number.value / 100 if number.percent else number.value


def _slack(table: Table, row: int, column: int) -> float:
    number = table.numbers[column][row]
    if number is None:
        return 0.0
    return 0.51 * 10.0**-number.decimals / (100 if number.percent else 1) + 1e-9


def _behind_means(
    table: Table, measures: list[int], index: ExtractIndex, deadline: Deadline
) -> dict[tuple[int, int], int] | None:
    """Means, medians or sums by one to three keys: every column must come out of some numeric column of the extract."""
    labels = table.columns(Role.LABEL)
    if not 1 <= len(labels) <= 3 or table.total_rows or not table.grid.rows:
        return None
    keys = _keys(table, labels, index)
    if keys is None:
        return None
    group = _group_numbers(table, labels, keys, index)
    behind: dict[tuple[int, int], int] = {}
    for column in measures:
        deadline.check()
        counts = _of_measure(table, column, group, index)
        if counts is None:
            return None
        behind |= {(row, column): int(count) for row, count in enumerate(counts)}
    return behind


def _keys(table: Table, labels: list[int], index: ExtractIndex) -> list[str] | None:
    chosen: list[str] = []
    for column in labels:
        values = hashed(pl.Series(table.grid.columns[column], dtype=pl.String), Precision.FULL)
        fits = [name for name in index.columns if name not in chosen and _holds(index, name, values)]
        fits.sort(
            key=lambda name: (
                name.lower() != table.grid.header[column].strip().lower(),
                len(index.distinct(name, Precision.FULL)),
            )
        )
        if not fits:
            return None
        chosen.append(fits[0])
    return chosen


def _group_numbers(table: Table, labels: list[int], keys: list[str], index: ExtractIndex) -> npt.NDArray[np.int64]:
    """For each row of the extract the row of the table it belongs to, -1 for none."""
    ours = np.zeros(table.grid.rows, dtype=np.uint64)
    theirs = np.zeros(index.rows, dtype=np.uint64)
    for number, (column, name) in enumerate(zip(labels, keys, strict=True)):
        ours = ours + _scaled(hashed(pl.Series(table.grid.columns[column], dtype=pl.String), Precision.FULL), number)
        theirs = theirs + _scaled(index.hashes(name, Precision.FULL), number)
    order = np.argsort(ours)
    at = np.minimum(np.searchsorted(ours[order], theirs), len(ours) - 1)
    return np.where(ours[order][at] == theirs, order[at], -1)


def _scaled(values: Hashes, number: int) -> Hashes:
    with np.errstate(over="ignore"):
        return values * np.uint64(2 * number + 1)


def _of_measure(table: Table, column: int, group: npt.NDArray[np.int64], index: ExtractIndex) -> Counts | None:
    printed = [_value(table, row, column) for row in range(table.grid.rows)]
    slack = [_slack(table, row, column) for row in range(table.grid.rows)]
    trusted = any(
        (n := table.numbers[column][row]) is not None and n.decimals >= _DECIMALS_TRUSTED
        for row in range(table.grid.rows)
    )
    if not trusted or any(value != value for value in printed):
        return None
    for name, dtype in index.frame.schema.items():
        if not dtype.is_numeric():
            continue
        stats = (
            pl.DataFrame({"group": group, "value": index.frame[name].cast(pl.Float64)})
            .filter(pl.col("group") >= 0, pl.col("value").is_not_null())
            .group_by("group")
            .agg(
                pl.len().alias("n"),
                pl.col("value").mean().alias("mean"),
                pl.col("value").median().alias("median"),
                pl.col("value").sum().alias("sum"),
            )
            .sort("group")
        )
        if stats.height != table.grid.rows:
            continue
        for statistic in ("mean", "median", "sum"):
            if bool((np.abs(stats[statistic].to_numpy() - np.array(printed)) <= np.array(slack)).all()):
                return stats["n"].to_numpy()
    return None
