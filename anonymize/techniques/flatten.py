"""Tight cells taken apart for the synthetic model, which knows plain columns only, and put together again.

What must hold:
1. A value set shows only members that at least k rows have to themselves: a member of a larger set may be one person's.
2. The ends of an interval are one person's each, however many rows share the cell. They are drawn afresh between bounds
   that k classes reach, as a value is that few rows share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from anonymize.techniques.cells import OR_NULL

_LOW: Final = "low"
_HIGH: Final = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """An extract with plain columns in place of nested ones.

    Shape: `parts` names the plain columns of each nested one; `sets` holds the cells that the codes of a set stand for.
    """

    frame: pl.DataFrame
    schema: pl.Schema
    parts: Mapping[str, tuple[str, ...]]
    sets: Mapping[str, pl.Series]

    @property
    def ends(self) -> frozenset[str]:
        """The columns that hold ends of intervals."""
        return frozenset(name for column, names in self.parts.items() if column not in self.sets for name in names[:2])

    def restore(self, made: pl.DataFrame) -> pl.DataFrame:
        """A made-up plain table with the columns of the extract."""
        return pl.DataFrame([self._restored(name, made) for name in self.schema])

    def _restored(self, name: str, made: pl.DataFrame) -> pl.Series:
        if name not in self.parts:
            return made[name]
        parts = made.select(self.parts[name])
        if name in self.sets:
            return self.sets[name].gather(parts.to_series().cast(pl.UInt32)).alias(name)
        low, high, *rest = (pl.col(part) for part in parts.columns)
        crossed = low > high
        ends = [
            pl.when(crossed).then(high).otherwise(low).alias(_LOW),
            pl.when(crossed).then(low).otherwise(high).alias(_HIGH),
            *(part.fill_null(value=False).alias(OR_NULL) for part in rest),
        ]
        return parts.select(pl.struct(ends).cast(self.schema[name]).alias(name)).to_series()

    def summed_up(self, fidelity: Mapping[str, Any]) -> dict[str, Any]:
        """How near the columns come, a nested column as its farthest part."""
        plain = fidelity["columns"]
        columns = {
            name: {
                figure: max(plain[part][figure] for part in self.parts.get(name, (name,)))
                for figure in ("distance", "largest_change")
            }
            for name in self.schema
        }
        return {**fidelity, "columns": columns}


def flatten(extract: pl.DataFrame, *, k: int) -> Flat:
    """Plain columns for the lists and structs of an extract; a table without any stays as it is."""
    columns: list[pl.Series] = []
    parts: dict[str, tuple[str, ...]] = {}
    sets: dict[str, pl.Series] = {}
    for column in extract:
        if isinstance(column.dtype, pl.List):
            codes, sets[column.name] = _coded(column, k=k)
            columns.append(codes)
            parts[column.name] = (column.name,)
        elif isinstance(column.dtype, pl.Struct):
            fields = column.struct.unnest()
            named = {field: _free_name(f"{column.name}.{field}", extract) for field in fields.columns}
            columns += [fields[field].alias(name) for field, name in named.items()]
            parts[column.name] = tuple(named.values())
        else:
            columns.append(column)
    return Flat(frame=pl.DataFrame(columns), schema=extract.schema, parts=parts, sets=sets)


def _coded(column: pl.Series, *, k: int) -> tuple[pl.Series, pl.Series]:
    """A column of value sets as texts that number its cells, and the cells, with members that k rows have alone."""
    alone = column.filter(column.list.len() == 1).list.first()
    counts = alone.alias("member").value_counts(name="rows")
    shown = counts.filter(pl.col("rows") >= k)["member"]
    rows = pl.DataFrame({"row": pl.int_range(len(column), eager=True), "member": column}).explode("member")
    kept = rows.join(pl.DataFrame({"member": shown}), on="member", how="semi", nulls_equal=True, maintain_order="left")
    cells = kept.group_by("row", maintain_order=True).agg("member")
    values = cells.select(pl.col("member").unique()).to_series().sort()
    numbered = pl.DataFrame({"member": values, "code": pl.int_range(len(values), eager=True).cast(pl.String)})
    coded = cells.join(numbered, on="member", how="left", maintain_order="left")
    whole = pl.DataFrame({"row": pl.int_range(len(column), eager=True)}).join(
        coded.select("row", "code"), on="row", how="left", maintain_order="left"
    )
    return whole["code"].alias(column.name), values


def _free_name(name: str, extract: pl.DataFrame) -> str:
    while name in extract.columns:
        name += "_"
    return name
