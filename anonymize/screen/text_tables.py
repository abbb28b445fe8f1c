"""Tables inside running text and markdown: runs of lines that split into equally many fields."""

from __future__ import annotations

import re
from typing import Final

from anonymize.screen.deadline import Deadline
from anonymize.screen.grid import Grid, grid_of

MIN_LINES: Final = 3
_RULER: Final = re.compile(r"[\s|:+=\-]*")
_SPLITTERS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("pipe", re.compile(r"\s*\|\s*")),
    ("tab", re.compile(r"\t")),
    ("semicolon", re.compile(r"\s*[;;]\s*")),
    ("comma", re.compile(r"\s*(?:,(?![0-9]{3}(?![0-9]))|,|、)\s*")),
    ("comma", re.compile(r"\s*,\s*")),
    ("spaces", re.compile(r"\s{2,}")),
    ("blank", re.compile(r"\s+")),
)
_PIECE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.,_\-/]{0,80}")
_CUT: Final = 100_000


def tables_in(text: str, *, deadline: Deadline, where: str = "") -> list[Grid]:
    """The tables of a text.

    Shape: a table is at least three lines after each other with the same number of fields, two or more; a line
    belongs to the table of the first splitter that makes one of it. Lines of numbers within sentences form a table
    of their pieces.
    """
    lines = text.splitlines()
    taken = [False] * len(lines)
    grids: list[Grid] = []
    for name, splitter in _SPLITTERS:
        deadline.check()
        grids += _runs(lines, taken, splitter, prefix=where, ruled=name == "pipe", wordy=name in {"blank", "comma"})
    deadline.check()
    grids += _pieces(lines, where)
    return grids


def _runs(
    lines: list[str], taken: list[bool], splitter: re.Pattern[str], *, prefix: str, ruled: bool, wordy: bool
) -> list[Grid]:
    grids: list[Grid] = []
    run: list[tuple[int, list[str]]] = []

    def close() -> None:
        if len(run) >= MIN_LINES and (not wordy or _numeric(run)):
            grid = grid_of([fields for _, fields in run], where=_where(prefix, run[0][0]))
            if grid is not None and grid.rows:
                grids.append(grid)
                for index, _ in run:
                    taken[index] = True
        run.clear()

    for index, line in enumerate(lines):
        if ruled and run and line.strip() and _RULER.fullmatch(line):
            taken[index] = len(run) > 0
            continue
        fields = None if taken[index] else _fields(line, splitter, ruled=ruled)
        if fields is None or (run and len(fields) != len(run[-1][1])):
            close()
        if fields is not None:
            run.append((index, fields))
    close()
    return grids


def _fields(line: str, splitter: re.Pattern[str], *, ruled: bool) -> list[str] | None:
    line = line[:_CUT].strip()
    if ruled:
        line = line.strip("|")
    fields = [field.strip() for field in splitter.split(line)] if line else []
    return fields if len(fields) >= 2 else None


def _numeric(run: list[tuple[int, list[str]]]) -> bool:
    """Whether a run of words split at single blanks is a table: a third of its fields hold digits."""
    fields = [field for _, row in run for field in row]
    return sum(any(letter.isdecimal() for letter in field) for field in fields) * 3 >= len(fields)


def _pieces(lines: list[str], where: str) -> list[Grid]:
    """Lines with equally many numbers and codes among other words, ten or more in all, as a table of those."""
    by_width: dict[int, list[list[str]]] = {}
    first: dict[int, int] = {}
    for index, line in enumerate(lines):
        pieces = [piece.rstrip(".,-/") for piece in _PIECE.findall(line[:_CUT]) if any(c.isdecimal() for c in piece)]
        if len(pieces) >= 2:
            by_width.setdefault(len(pieces), []).append(pieces)
            first.setdefault(len(pieces), index)
    return [
        Grid(
            where=_where(where, first[width], loose=True),
            header=("",) * width,
            columns=tuple(map(list, zip(*rows, strict=True))),
            numbers=range(1, len(rows) + 1),
            pieces=True,
        )
        for width, rows in by_width.items()
        if len(rows) >= 10
    ]


def _where(prefix: str, line: int, *, loose: bool = False) -> str:
    place = f"numbers from line {line + 1}" if loose else f"table at line {line + 1}"
    return f"{prefix} {place}".strip()
