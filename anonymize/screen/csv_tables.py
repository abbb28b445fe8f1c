"""Tables in CSV files, whatever the separator. A file that is not well formed is refused, not guessed at."""

from __future__ import annotations

import csv
import io
from typing import Final

from anonymize.screen.deadline import Deadline
from anonymize.screen.faults import broken, too_large
from anonymize.screen.grid import Grid, grid_of
from anonymize.text import Text

SEPARATORS: Final = (",", "\t", ";", "|")
_PROBED_LINES: Final = 50

Block = list[tuple[int, list[str]]]
"""Rows after each other with their numbers in the file."""


def read_csv(text: str, *, max_cells: int, deadline: Deadline) -> list[Grid]:
    """The table of a CSV file; blank lines separate tables.

    Raises:
        Unreadable: quotes that do not close, a cell beyond the parser's limit, more cells than can be checked.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text), strict=True)
    blocks: list[Block] = []
    rows: Block = []
    cells, number = 0, 0
    try:
        for number, row in enumerate(reader, start=1):
            if not any(cell.strip() for cell in row):
                if rows:
                    blocks.append(rows)
                rows = []
                continue
            rows.append((number, row))
            cells += len(row)
            if cells > max_cells:
                raise too_large(Text("单元格数", "cells"), max_cells)
            if number % 10_000 == 0:
                deadline.check()
    except csv.Error as failed:
        where = f"row {number + 1}"
        raise broken(
            "CSV", where, Text("引号不配对或单元格过长", "quotes that do not pair, or a cell too long")
        ) from failed
    if rows:
        blocks.append(rows)
    return _grids(_joined(blocks), max_cells)


def _joined(blocks: list[Block]) -> list[Block]:
    """Blocks split by blank lines only where a new table begins; a title or a note above one stays with it."""
    joined: list[Block] = []
    for rows in blocks:
        before = joined[-1] if joined else []
        same = bool(before) and _width(before) == _width(rows) > 1
        if joined and (_is_narrow(rows) or same or _is_narrow(before)):
            joined[-1].extend(rows)
        else:
            joined.append(list(rows))
    return joined


def _width(rows: Block) -> int:
    return max(len(row) for _, row in rows)


def _is_narrow(rows: Block) -> bool:
    return all(sum(bool(cell.strip()) for cell in row) <= 1 for _, row in rows)


def _grids(blocks: list[Block], max_cells: int) -> list[Grid]:
    if sum(_width(rows) * len(rows) for rows in blocks) > 2 * max_cells:
        raise too_large(Text("单元格数", "cells"), max_cells)
    grids = []
    for index, rows in enumerate(blocks):
        where = f"table {index + 1}" if len(blocks) > 1 else ""
        grid = grid_of([row for _, row in rows], where=where, numbers=[number for number, _ in rows])
        if grid is not None:
            grids.append(grid)
    return grids


def separator_of(text: str) -> str:
    """The separator that splits most of the first lines into equally many fields; a comma if none does."""
    lines = [line for line in text[:200_000].splitlines()[:_PROBED_LINES] if line.strip()]
    best, best_score = ",", 0.0
    for separator in SEPARATORS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        except csv.Error:
            continue
        common = max(set(widths), key=widths.count, default=1)
        score = 0.0 if common < 2 else widths.count(common) / len(widths) + common / 1_000
        if score > best_score:
            best, best_score = separator, score
    return best
