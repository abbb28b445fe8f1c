"""Which exact values a released cell may stand for.

A cell is an exact value, a label of a hierarchy ("20-29", "2026-11", "3101*", "*"), a set of values or an interval.
Whoever links or scores an extract has to know what it covers. A policy's hierarchy says so for its labels; without a
policy the form of a label says it. A label that neither explains covers only the value that is spelled like it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.hierarchy import STAR, Hierarchy, value_key

Members = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

_NUMBER: Final = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER})\s*[-~–—至]\s*({_NUMBER})")
_INTERVAL: Final = re.compile(rf"([\[(])\s*({_NUMBER}|-?inf)?\s*,\s*({_NUMBER}|inf)?\s*([\])])")
_END: Final = re.compile(rf"(<=|>=|<|>|≤|≥)\s*({_NUMBER})")
_DATE: Final = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?|-Q[1-4]|-\d{4})?")
_NOBODY: Final = np.zeros(0, dtype=np.int64)


def covered_values(
    cells: pl.Series,
    values: pl.Series,
    *,
    technique: Generalize | None = None,
    place: Place,
    null_is_anything: bool = True,
) -> list[Members]:
    """For each released cell, the positions of the exact values it may stand for, ascending.

    Shape: `cells` and `values` hold distinct values each. "*" covers every value. Where null is anything, so does a
    cell that is null or holds it, and a null among the values (somebody about whom it is not known) is covered by every
    cell; else null is a value of its own.
    """
    known = [position for position, value in enumerate(values) if value is not None]
    exact: dict[str, list[int]] = {}
    for position in known:
        exact.setdefault(value_key(values[position]), []).append(position)
    labels = {} if technique is None else _labels(values, known, technique.hierarchy, place)
    nulls = [position for position, value in enumerate(values) if value is None]
    unknown = nulls if null_is_anything else []
    everyone = np.arange(len(values), dtype=np.int64)
    by_form = _reader(values)

    def covered(cell: Any) -> Members:
        unsaid = cell is None or _holds_null(cell)  # whose value is not known may be anybody
        if (unsaid and null_is_anything) or (isinstance(cell, str) and cell == STAR):
            return everyone
        if cell is None:
            return np.array(nulls, dtype=np.int64)
        members = [*_members(cell, exact, labels, by_form), *(nulls if _holds_null(cell) else unknown)]
        return np.unique(np.array(members, dtype=np.int64))

    return [covered(cell) for cell in cells]


def comparable(column: pl.Series) -> pl.Series:
    """A column of sets or intervals as texts, equal for equal cells; any other column as it is.

    Cells that are no single values can't be joined on or ranked.
    """
    if not column.dtype.is_nested():
        return column
    spelled = pl.DataFrame({"cell": column}).select(pl.struct("cell").struct.json_encode())
    return spelled.to_series().alias(column.name)


def positions(column: pl.Series) -> tuple[pl.Series, Members]:
    """The distinct cells of a column in the order they first occur, and which of them each row has."""
    frame = pl.DataFrame({"cell": comparable(column)}).with_row_index("row")
    distinct = frame.unique("cell", keep="first", maintain_order=True)
    numbered = distinct.select("cell").with_row_index("at")
    joined = frame.join(numbered, on="cell", how="left", nulls_equal=True, maintain_order="left")
    return column.gather(distinct["row"]), joined["at"].cast(pl.Int64).to_numpy()


def read_interval(cell: Any) -> tuple[float, float, bool, bool] | None:
    """The ends of a cell that is an interval of numbers, and whether each end belongs to it; None if it is none."""
    if isinstance(cell, Mapping):
        low, high = cell.get("low"), cell.get("high")
        if not {"low", "high"} <= set(cell) or any(isinstance(end, str | dt.date) for end in (low, high)):
            return None
        return float("-inf") if low is None else float(low), float("inf") if high is None else float(high), True, True
    text = str(cell).strip()
    if found := _INTERVAL.fullmatch(text):
        left, low, high, right = found.groups()
        return float(low or "-inf"), float(high or "inf"), left == "[", right == "]"
    if found := _END.fullmatch(text):
        sign, number = found.groups()
        if sign in ("<", "<=", "≤"):
            return float("-inf"), float(number), False, sign != "<"
        return float(number), float("inf"), sign != ">", False
    if found := _RANGE.fullmatch(text):
        low, high = map(float, found.groups())
        return (low, high, True, True) if low <= high else None
    return None


def as_numbers(values: pl.Series) -> Numbers | None:
    """The values as numbers, NaN where null; None unless every value other than null is one."""
    if values.dtype.is_numeric():
        return values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if values.dtype != pl.String or values.null_count() == len(values):
        return None
    numbers = values.str.strip_chars().cast(pl.Float64, strict=False)
    return numbers.fill_null(np.nan).to_numpy() if numbers.null_count() == values.null_count() else None


def _holds_null(cell: Any) -> bool:
    """Whether a typed cell says that the class also holds rows without a value."""
    if isinstance(cell, Mapping):
        return bool(cell.get("or_null"))
    return isinstance(cell, pl.Series | list | tuple) and any(member is None for member in cell)


def _members(
    cell: Any,
    exact: Mapping[str, list[int]],
    labels: Mapping[str, list[int]],
    by_form: Callable[[Any], Iterable[int]],
) -> Iterable[int]:
    if isinstance(cell, pl.Series | list | tuple):
        keys = [value_key(member) for member in cell if member is not None]
        return [position for key in keys for position in (*exact.get(key, []), *labels.get(key, []))]
    if not isinstance(cell, Mapping):
        key = value_key(cell)
        if key in exact or key in labels:
            return [*exact.get(key, []), *labels.get(key, [])]
    return by_form(cell)


def _labels(values: pl.Series, known: list[int], hierarchy: Hierarchy, place: Place) -> dict[str, list[int]]:
    """What lies under each label of a hierarchy; values that it does not know lie under none."""
    under: dict[str, list[int]] = {}
    for positions in _known_to(hierarchy, values, known, place):
        for level in hierarchy.labels(values.gather(positions), place):
            for position, label in zip(positions, level, strict=True):
                members = under.setdefault(label, [])
                if not members or members[-1] != position:
                    members.append(position)
    return under


def _known_to(hierarchy: Hierarchy, values: pl.Series, known: list[int], place: Place) -> list[list[int]]:
    """The positions whose values a hierarchy takes: all at once where it can, else one by one."""
    if not known:
        return []
    try:
        hierarchy.labels(values.gather(known), place)
    except BadInput:
        if len(known) == 1:
            return []
        half = len(known) // 2
        return [part for side in (known[:half], known[half:]) for part in _known_to(hierarchy, values, side, place)]
    return [known]


def _reader(values: pl.Series) -> Callable[[Any], Iterable[int]]:
    """How the form of a label tells its values, by what the values are: numbers, dates or text."""
    texts = [None if value is None else value_key(value) for value in values]
    numbers = as_numbers(values)
    days = [None if text is None else text[:10] for text in texts]
    dated = values.dtype in (pl.Date, pl.Datetime) or all(day is None or _DATE.fullmatch(day) for day in days)

    def read(cell: Any) -> Iterable[int]:
        if isinstance(cell, str) and cell.endswith(STAR):
            return _with_prefix(cell.rstrip(STAR), texts)
        if numbers is not None:
            return _in_interval(cell, numbers)
        if isinstance(cell, Mapping):
            return _between(cell, days) if dated else ()
        return _in_dates(str(cell), days) if dated else ()

    return read


def _in_interval(cell: Any, numbers: Numbers) -> Iterable[int]:
    if (ends := read_interval(cell)) is None:
        return _NOBODY
    low, high, with_low, with_high = ends
    inside = (numbers >= low if with_low else numbers > low) & (numbers <= high if with_high else numbers < high)
    found: Members = np.flatnonzero(inside)
    return found


def _in_dates(label: str, dates: list[str | None]) -> Iterable[int]:
    if not _DATE.fullmatch(label):
        return ()
    if "Q" in label:
        year, quarter = label[:4], int(label[-1])
        months = {f"{year}-{month:02}" for month in range(3 * quarter - 2, 3 * quarter + 1)}
        return [position for position, date in enumerate(dates) if date is not None and date[:7] in months]
    if len(label) == 9:
        first, last = label.split("-")
        return [position for position, date in enumerate(dates) if date is not None and first <= date[:4] <= last]
    return [position for position, date in enumerate(dates) if date is not None and date.startswith(label)]


def _between(cell: Mapping[str, Any], dates: list[str | None]) -> Iterable[int]:
    """The dates from `low` to `high`, a null end being open."""
    low, high = (None if cell.get(end) is None else str(cell[end])[:10] for end in ("low", "high"))
    return [
        position
        for position, date in enumerate(dates)
        if date is not None and (low is None or low <= date) and (high is None or date <= high)
    ]


def _with_prefix(prefix: str, texts: list[str | None]) -> Iterable[int]:
    if not prefix:
        return ()
    return [position for position, text in enumerate(texts) if text is not None and text.startswith(prefix)]
