"""A table found in a file: text cells by column, and where it stood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from anonymize.screen.numbers import read_number
from anonymize.screen.shown import cell, column_place

_NOTE: Final = re.compile(
    r"\s*(?:注|备注|说明|数据来源|资料来源|来源|单位|\*|※|note|notes|source)\s*(?:[0-9]{0,2}\s*[::.、]|\s)", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One table.

    Shape: `columns` are equally long lists of text cells, "" where nothing stood; `header` has one name a column, ""
    where the table gave none. `numbers` has the number of each row in its file or table, counted from 1. `pieces`:
    numbers picked out of sentences, looked at for records only.
    """

    where: str
    header: tuple[str, ...]
    columns: tuple[list[str], ...]
    numbers: Sequence[int]
    loose: list[str] = field(default_factory=list)
    pieces: bool = False

    @property
    def rows(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    @property
    def width(self) -> int:
        return len(self.columns)

    def place(self, row: int, column: int) -> str:
        """A cell, by its index in this grid."""
        return self._within(cell(self.numbers[row], column + 1, self.header[column]))

    def column_place(self, column: int) -> str:
        return self._within(column_place(column + 1, self.header[column]))

    def _within(self, place: str) -> str:
        return f"{self.where}: {place}" if self.where else place

    def transposed(self) -> Grid:
        """Rows as columns, without header; for releases that turned their table round."""
        lines = tuple(list(line) for line in zip(*self.columns, strict=True))
        return Grid(where=self.where, header=("",) * len(lines), columns=lines, numbers=range(1, self.width + 1))


def grid_of(rows: Sequence[Sequence[str]], *, where: str, numbers: Sequence[int] | None = None) -> Grid | None:
    """A grid from rows of cells; None if there is nothing in them.

    Leading rows with a single filled cell are titles, last rows that begin like a note are notes; both are kept as
    loose text. The next row is the header, unless it holds numbers that are data.
    """
    lines = [list(row) for row in rows]
    at = list(numbers if numbers is not None else range(1, len(lines) + 1))
    loose: list[str] = []
    start = 0
    width = max((len(row) for row in lines), default=0)
    while start < len(lines) and width > 1 and sum(bool(text.strip()) for text in lines[start]) <= 1:
        loose += [text for text in lines[start] if text.strip()]
        start += 1
    while len(lines) > start + 1 and width > 1 and _is_note(lines[-1]):
        loose += [text for text in lines.pop() if text.strip()]
    body = [row + [""] * (width - len(row)) for row in lines[start:]]
    if not body or width == 0:
        return Grid(where=where, header=(), columns=(), numbers=(), loose=loose) if loose else None
    headed = _is_header(body)
    header = tuple(body[0]) if headed else ("",) * width
    data = body[1:] if headed else body
    columns = tuple(list(line) for line in zip(*data, strict=True)) if data else tuple([] for _ in range(width))
    return Grid(where=where, header=header, columns=columns, numbers=at[start + headed : len(lines)], loose=loose)


def _is_note(row: list[str]) -> bool:
    """A last row that explains the table: one filled cell that begins like a note."""
    filled_cells = [text for text in row if text.strip()]
    return len(filled_cells) == 1 and _NOTE.match(filled_cells[0]) is not None


def _is_header(body: list[list[str]]) -> bool:
    """Whether the first row names columns: it holds words, and its numbers (years, codes) rise from left to right."""
    first = [text.strip() for text in body[0]]
    numbers = [number.value for number in (read_number(text) for text in first) if number is not None]
    words = [text for text in first if text and read_number(text) is None]
    if not numbers:
        return bool(words)
    named = read_number(first[0]) is None
    return named and all(low < high for low, high in pairwise(numbers)) and len(body) > 1


def named_grid(header: Sequence[str], columns: Sequence[list[str]], *, where: str) -> Grid:
    """A grid whose header is known (JSON)."""
    rows = len(columns[0]) if columns else 0
    return Grid(where=where, header=tuple(header), columns=tuple(columns), numbers=range(1, rows + 1))


def filled(column: Sequence[str]) -> Iterator[str]:
    """The cells of a column that hold something."""
    return (text for text in column if text.strip())
