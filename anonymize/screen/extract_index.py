"""An extract as the row match reads it: columns as 64-bit hashes of their values at several precisions.

Built lazily and once per run: a column is hashed at a precision only when a submission asks for it.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.table import read_table

Hashes = npt.NDArray[np.uint64]
NULL: Final = np.uint64(0)
_EXACT_WHOLE: Final = 2**53
_DATE_FORMATS: Final = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_DATE: Final = r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}"
_LIST: Final = r"^[\[({].*[\])}]$"
TOKEN: Final = re.compile(r"[0-9A-Za-z_\-]{12,128}")
_CODE_CELL: Final = r"^[0-9A-Za-z_\-]{12,128}$"


class Precision(StrEnum):
    """How numbers are compared: as they are, to 4, 3 or 2 significant digits, or as whole numbers."""

    FULL = "full"
    FOUR = "4"
    THREE = "3"
    TWO = "2"
    WHOLE = "whole"


def hashed(column: pl.Series, precision: Precision) -> Hashes:
    """The values of a column as hashes; equal values of any writing get equal ones.

    Shape: one a row, `NULL` for null and blank. Numbers written as text are numbers; dates of common forms are dates;
    other text is compared without case, width and surrounding blanks.
    """
    text, numbers = _readings(column)
    match precision:
        case Precision.FULL:
            rounded = numbers.round_sig_figs(12)
        case Precision.WHOLE:
            rounded = numbers.round(0)
        case Precision.FOUR | Precision.THREE | Precision.TWO:
            rounded = numbers.round_sig_figs(int(precision.value))
    bits = (rounded.fill_null(0.0).to_numpy() + 0.0).view(np.uint64)
    is_number = numbers.is_not_null().to_numpy()
    words = text.fill_null("").hash(seed=7).to_numpy()
    held = (text.fill_null("") != "").to_numpy() | is_number
    hashes = np.where(is_number, mixed(bits ^ np.uint64(0xA5A5)), words)
    return np.where(held, np.maximum(hashes, np.uint64(1)), NULL)


def _readings(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """A column as normalised text and as numbers (null where it is none)."""
    dtype = column.dtype
    if dtype == pl.Boolean:
        return column.cast(pl.Int8).replace_strict({1: "true", 0: "false"}, return_dtype=pl.String), _no_numbers(column)
    if dtype.is_numeric():
        numbers = column.cast(pl.Float64)
        numbers = pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()
        if dtype.is_integer() and len(column) and bool((column.cast(pl.Int128).abs() > _EXACT_WHOLE).any()):
            return column.cast(pl.String), _no_numbers(column)
        return column.cast(pl.String), numbers
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
        return pl.Series([None] * len(column), dtype=pl.String), _no_numbers(column)
    text = column.cast(pl.String).str.strip_chars().str.normalize("NFKC").str.to_lowercase()
    listed = text.str.contains(_LIST)
    if bool(listed.any()):
        members = text.str.replace_all(r"[\[\](){}'\"]", "").str.replace_all(r"[,;|\s]+", ",").str.strip_chars(",")
        text = text.zip_with(~listed.fill_null(value=False), members)
    if bool(text.str.contains(_DATE).any()):
        dates = [text.str.to_datetime(form, strict=False, time_unit="us") for form in _DATE_FORMATS]
        stamps = pl.select(pl.coalesce(*dates)).to_series()
        day = stamps.dt.strftime("%Y-%m-%d %H:%M:%S").str.strip_suffix(" 00:00:00")
        text = pl.select(pl.coalesce(day, text)).to_series()
    plain = text.str.replace_all(r"^[¥$](\d)", "${1}").str.replace_all(r"(\d),(\d{3})", "${1}${2}")
    long_whole = plain.str.contains(r"^[+-]?\d{16,}$")
    numbers = pl.select(pl.when(~long_whole).then(plain.cast(pl.Float64, strict=False))).to_series()
    return text, pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def _no_numbers(column: pl.Series) -> pl.Series:
    return pl.Series([None] * len(column), dtype=pl.Float64)


def mixed(values: Hashes) -> Hashes:
    """A bijective scrambling of 64-bit numbers (splitmix64), so that sums of hashes do not meet by arithmetic."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists and structs as the columns that people make of them: the fields; the members as one text; the first one."""
    columns: list[pl.Series] = []
    for column in frame:
        if isinstance(column.dtype, pl.Struct):
            fields = column.struct.unnest()
            columns += [fields[field].alias(f"{column.name}.{field}") for field in fields.columns]
        elif isinstance(column.dtype, pl.List) and not column.dtype.inner.is_nested():
            members = column.list.eval(pl.element().cast(pl.String)).list.join(", ", ignore_nulls=True)
            columns += [
                pl.select("[" + members + "]").to_series().alias(column.name),
                column.list.first().alias(f"{column.name}[0]"),
            ]
        else:
            columns.append(column)
    return pl.DataFrame({column.name: column for column in columns})


class ExtractIndex:
    """One extract, indexed as it is asked for."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.frame = _plain(read_table(path))
        self._hashes: dict[tuple[str, Precision], Hashes] = {}
        self._codes: dict[str, tuple[pl.Series, npt.NDArray[np.uint32]]] = {}
        self._wordy: dict[str, bool] = {}
        self._distinct: dict[tuple[str, Precision], Hashes] = {}

    @property
    def columns(self) -> list[str]:
        return self.frame.columns

    @property
    def rows(self) -> int:
        return self.frame.height

    def hashes(self, column: str, precision: Precision) -> Hashes:
        """One hash a row of the extract."""
        return self._of_values(column, precision)[self._coded(column)[1]]

    def hashes_at(self, column: str, rows: npt.NDArray[np.int64]) -> Hashes:
        """The full-precision hashes of some rows."""
        return self._of_values(column, Precision.FULL)[self._coded(column)[1][rows]]

    def distinct(self, column: str, precision: Precision) -> Hashes:
        """The sorted distinct hashes of a column, without null."""
        key = self._key(column, precision)
        if key not in self._distinct:
            values = np.unique(self._of_values(column, precision))
            self._distinct[key] = values[values != NULL]
        return self._distinct[key]

    def _of_values(self, column: str, precision: Precision) -> Hashes:
        """One hash for each distinct value; rows are looked up by their code, so a precision costs the values only."""
        key = self._key(column, precision)
        if key not in self._hashes:
            self._hashes[key] = hashed(self._coded(column)[0], precision)
        return self._hashes[key]

    def _coded(self, column: str) -> tuple[pl.Series, npt.NDArray[np.uint32]]:
        """The distinct values of a column, and the number of the value of each row."""
        if column not in self._codes:
            whole = self.frame[column]
            if whole.dtype.is_nested() or whole.dtype in (pl.Binary, pl.Object):
                values, numbers = pl.Series(column, [None], dtype=pl.String), np.zeros(len(whole), dtype=np.uint32)
            else:
                values = whole.unique()
                numbered = pl.DataFrame({"value": values}).with_row_index("number")
                rows = pl.DataFrame({"value": whole}).join(
                    numbered, on="value", how="left", nulls_equal=True, maintain_order="left"
                )
                numbers = rows["number"].to_numpy()
            self._codes[column] = (values, numbers)
        return self._codes[column]

    def _key(self, column: str, precision: Precision) -> tuple[str, Precision]:
        """Columns that hold no numbers are the same at every precision."""
        dtype = self.frame.schema[column]
        if dtype == pl.String and column not in self._wordy:
            self._wordy[column] = not _readings(self._coded(column)[0])[1].is_not_null().any()
        constant = dtype.is_integer() and precision is Precision.WHOLE
        return (
            column,
            Precision.FULL if constant or dtype in (pl.Boolean, pl.Date) or self._wordy.get(column) else precision,
        )

    @cached_property
    def pseudonyms(self) -> dict[str, frozenset[str]]:
        """Columns of codes that point at few units each, with their values: letters and digits mixed, 12 or longer."""
        columns: dict[str, frozenset[str]] = {}
        for name in self.frame.columns:
            column = self.frame[name]
            if column.dtype != pl.String:
                continue
            values = column.drop_nulls().unique()
            coded = values.filter(
                values.str.contains(_CODE_CELL) & values.str.contains(r"[A-Za-z]") & values.str.contains(r"[0-9]")
            )
            if len(values) >= 10 and len(coded) >= 0.9 * len(values):
                columns[name] = frozenset(value.lower() for value in coded.to_list())
        return columns
