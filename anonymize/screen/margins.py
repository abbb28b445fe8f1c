"""Suppressed cells that totals give back: which taken-out cells follow exactly from the rest of the table.

Method: every total is an equation over the cells of its row or column (or of its group in a long table). A
suppressed cell is recovered if it alone is left in an equation, or if the system of equations determines it.
Source: practice of tau-Argus and sdcTable for linear systems; intervals of cells that are not exact come later (R12).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from anonymize.screen.roles import Role, Table, is_total

Cell = tuple[int, int]
_MAX_UNKNOWNS: Final = 600
"""Larger systems are only peeled, one equation after the other."""
_RATIO: Final = 1e-9


def recoverable_cells(table: Table, plane: int | None = None) -> list[Cell]:
    """Suppressed cells (row, column) whose number follows from totals.

    Shape: `plane` 0 or 1 reads columns of "7 of 19" as their first or second counts; None reads plain counts.
    """
    equations = [equation for equation in _equations(table, plane) if equation]
    known: set[Cell] = set()
    changed = True
    while changed:
        changed = False
        for equation in equations:
            left = equation - known
            if len(left) == 1:
                known |= left
                changed = True
    rest = sorted({cell for equation in equations for cell in equation} - known)
    if rest and len(rest) <= _MAX_UNKNOWNS:
        known |= _determined(rest, [equation - known for equation in equations])
    return sorted(known)


def _determined(unknown: list[Cell], equations: list[set[Cell]]) -> set[Cell]:
    """Unknowns that every solution of the equations agrees on: their unit vector lies in the row space."""
    place = {cell: index for index, cell in enumerate(unknown)}
    matrix = np.zeros((len(equations), len(unknown)))
    for row, equation in enumerate(equations):
        for cell in equation:
            matrix[row, place[cell]] = 1.0
    _left, sizes, right = np.linalg.svd(matrix, full_matrices=True)
    rank = int((sizes > max(matrix.shape) * 1e-12 * (sizes.max(initial=0.0) or 1.0)).sum())
    free = right[rank:]
    return {cell for cell, index in place.items() if not len(free) or float(np.abs(free[:, index]).max()) < _RATIO}


def _equations(table: Table, plane: int | None) -> list[set[Cell]]:
    columns = [c for c in table.columns(Role.COUNT) if (c in table.parts) == (plane is not None)]
    if not columns:
        return []
    labels = table.columns(Role.LABEL)
    keys = [[table.grid.columns[c][row].strip() for c in labels] for row in range(table.grid.rows)]
    totals = [[is_total(text) for text in key] for key in keys]
    return _down(table, columns, keys, totals) + _across(table, columns)


def _across(table: Table, columns: list[int]) -> list[set[Cell]]:
    """One equation a row, if one of the columns is the total of the others."""
    total = next((c for c in columns if c in table.total_columns), None) or _total_by_content(table, columns)
    if total is None or len(columns) < 3:
        return []
    return [_unknown(table, [(row, c) for c in columns]) for row in range(table.grid.rows)]


def _total_by_content(table: Table, columns: list[int]) -> int | None:
    """A column that is the sum of the others in every complete row, if there are two such rows."""
    for total in columns:
        others = [c for c in columns if c != total]
        complete = 0
        for row in range(table.grid.rows):
            numbers = [table.numbers[c][row] for c in others]
            whole = table.numbers[total][row]
            if whole is None or any(number is None for number in numbers):
                continue
            if abs(sum(number.value for number in numbers if number is not None) - whole.value) > 0.5:
                complete = 0
                break
            complete += 1
        if complete >= 2 and len(others) >= 2:
            return total
    return None


def _down(table: Table, columns: list[int], keys: list[list[str]], totals: list[list[bool]]) -> list[set[Cell]]:
    """Equations of total rows: all rows that agree in the other keys and are no totals in this one."""
    equations: list[set[Cell]] = []
    whole_rows = [row for row in range(table.grid.rows) if any(totals[row])] or _total_row_by_content(table, columns)
    for row in whole_rows:
        marks = [at for at, mark in enumerate(totals[row]) if mark]
        if not marks:
            parts = [other for other in range(table.grid.rows) if other != row]
            equations += [_unknown(table, [(line, c) for line in [*parts, row]]) for c in columns]
            continue
        for mark in marks if len(marks) < len(keys[row]) else [None]:
            parts = [
                other
                for other in range(table.grid.rows)
                if other != row and _belongs(keys, totals, row=row, other=other, mark=mark)
            ]
            if parts:
                equations += [_unknown(table, [(line, c) for line in [*parts, row]]) for c in columns]
    return equations


def _belongs(keys: list[list[str]], totals: list[list[bool]], *, row: int, other: int, mark: int | None) -> bool:
    if mark is None:
        return not any(totals[other])
    agree = all(keys[other][at] == keys[row][at] for at in range(len(keys[row])) if at != mark)
    return agree and not totals[other][mark]


def _total_row_by_content(table: Table, columns: list[int]) -> list[int]:
    """The last row, if it is the sum of the others in two or more complete columns, or in the only other column."""
    last = table.grid.rows - 1
    if last < 2:
        return []
    complete = 0
    for column in columns:
        numbers = [table.numbers[column][row] for row in range(last)]
        whole = table.numbers[column][last]
        if whole is None or any(number is None for number in numbers):
            continue
        if abs(sum(number.value for number in numbers if number is not None) - whole.value) > 0.5:
            return []
        complete += 1
    return [last] if complete else []


def _unknown(table: Table, cells: list[Cell]) -> set[Cell]:
    """The suppressed cells among those of an equation; empty if another cell is no number either."""
    missing = {(row, column) for row, column in cells if not _known(table, row, column)}
    return missing if all(table.suppressed(row, column) for row, column in missing) else set()


def _known(table: Table, row: int, column: int) -> bool:
    parts = table.parts.get(column)
    return parts[row] is not None if parts is not None else table.numbers[column][row] is not None
