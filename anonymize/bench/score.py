"""The one scorer: reads the file that a tool wrote and computes every figure from its definition.

It imports nothing of the anonymizer, so that what it confirms is confirmed twice. Metrics:

- NCP of a cell is (|S| - 1) / (n - 1): S the exact values the cell may stand for, n those of the column's hierarchy;
  every cell of a removed row counts 1; the mean over all cells of all rows of the source.
- LCA-NCP: the same after each cell is replaced by the least hierarchy label that covers it.
- k: rows of the smallest class of equal cells; l: least number of distinct sensitive values in a class; t: the largest
  half L1 distance between a class's and the whole source's distribution of the sensitive attribute.

Source: NCP as ARX's "Loss" with arithmetic mean and gs-factor 0.5 (Xu et al. 2006; Iyengar 2002).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

STAR: Final = "*"
_INTERVAL: Final = re.compile(r"(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)")

Hierarchy = Sequence[Sequence[str]]
"""The rows of a hierarchy file: an exact value, then its labels, the last of which covers everything."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A hierarchy turned round: what each label covers."""

    leaves: frozenset[str]
    under: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, hierarchy: Hierarchy) -> Tree:
        """Raises ValueError when one text stands for two different sets of values: no figure would be certain."""
        leaves = frozenset(row[0] for row in hierarchy)
        under: dict[str, frozenset[str]] = {}
        for level in range(len(hierarchy[0])):
            members: dict[str, set[str]] = {}
            for row in hierarchy:
                members.setdefault(row[level], set()).add(row[0])
            for label, values in members.items():
                if under.setdefault(label, frozenset(values)) != values:
                    raise ValueError("a label of the hierarchy means two things")
        under[STAR] = leaves
        return cls(leaves, under)

    def cost(self, values: frozenset[str]) -> float:
        return (len(values) - 1) / (len(self.leaves) - 1) if len(self.leaves) > 1 else 0.0

    def common_ancestor(self, values: frozenset[str]) -> frozenset[str]:
        return min((covered for covered in self.under.values() if values <= covered), key=len)

    def covered_by(self, cell: Any) -> frozenset[str]:
        """The exact values that a released cell may stand for.

        Raises:
            ValueError: the cell is no value, label, set or interval of this hierarchy.
        """
        match cell:
            case str() if cell in self.under:
                return self.under[cell]
            case str() if "," in cell:  # a set, as some tools spell it
                return self._known(frozenset(cell.split(",")))
            case str() if found := _INTERVAL.fullmatch(cell):
                return self._between(float(found[1]), float(found[2]))
            case list():
                return self._known(frozenset(map(str, cell)))
            case {"low": low, "high": high}:
                return self._between(float(low), float(high))
        raise ValueError("a cell that the hierarchy does not know")

    def _known(self, values: frozenset[str]) -> frozenset[str]:
        if not values <= self.leaves:
            raise ValueError("a cell that the hierarchy does not know")
        return values

    def _between(self, low: float, high: float) -> frozenset[str]:
        return frozenset(leaf for leaf in self.leaves if low <= float(leaf) <= high)


def read_output(path: Path) -> pl.DataFrame:
    """A tool's output: Parquet, or text separated by semicolons."""
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    return pl.read_csv(path, separator=";", infer_schema=False)


def score(
    output: pl.DataFrame, source: pl.DataFrame, hierarchies: Mapping[str, Hierarchy], *, sensitive: str | None = None
) -> dict[str, Any]:
    """Every figure of one output.

    Shape: the quasi-identifiers are the keys of `hierarchies`; `source` holds the sensitive attribute of all rows.
    Raises:
        ValueError: the output holds rows or cells that the source and the hierarchies do not explain.
    """
    names = list(hierarchies)
    shown = {name: output[name] if output[name].dtype.is_nested() else output[name].cast(pl.String) for name in names}
    codes = {
        name: column.rank("dense") if not column.dtype.is_nested() else _codes(column) for name, column in shown.items()
    }
    keyed = pl.DataFrame({f"q{at}": codes[name] for at, name in enumerate(names)})
    hidden = pl.Series([True] * output.height)
    for column in shown.values():
        hidden &= pl.Series([False] * output.height) if column.dtype.is_nested() else column.fill_null("") == STAR
    kept = ~hidden
    removed = source.height - int(kept.sum())
    if removed < 0:
        raise ValueError("more rows than the source has")
    costs = [_costs(column.filter(kept), Tree.of(hierarchies[name])) for name, column in shown.items()]
    cells = source.height * len(names)
    sizes = keyed.filter(kept).group_by(pl.all()).len("rows")["rows"]
    figures: dict[str, Any] = {
        "ncp": (sum(own for own, _ in costs) + removed * len(names)) / cells,
        "lca_ncp": (sum(lifted for _, lifted in costs) + removed * len(names)) / cells,
        "removed": removed,
        "k": int(sizes.min() or 0),  # type: ignore[arg-type]  # a column of counts
        "classes": len(sizes),
    }
    if sensitive is not None:
        figures |= _sensitive(keyed, output[sensitive].cast(pl.String), kept, source[sensitive].cast(pl.String))
    return figures


def _codes(column: pl.Series) -> pl.Series:
    return pl.Series(list(map(str, column.to_list()))).rank("dense")


def _costs(column: pl.Series, tree: Tree) -> tuple[float, float]:
    """The summed NCP of a column's cells, as they are and lifted to labels."""
    own = lifted = 0.0
    if column.dtype.is_nested():
        column = pl.Series(column.to_list(), dtype=pl.Object)
        cells: dict[str, list[Any]] = {}
        for cell in column.to_list():
            cells.setdefault(str(cell), [cell, 0])[1] += 1
        pairs = [(cell, count) for cell, count in cells.values()]
    else:
        counted = column.value_counts(name="rows")
        pairs = list(counted.iter_rows())
    for cell, count in pairs:
        values = tree.covered_by(cell)
        own += tree.cost(values) * count
        lifted += tree.cost(tree.common_ancestor(values)) * count
    return own, lifted


def _sensitive(keyed: pl.DataFrame, values: pl.Series, kept: pl.Series, overall: pl.Series) -> dict[str, Any]:
    whole = {value: count / len(overall) for value, count in overall.value_counts(name="rows").iter_rows()}
    found: dict[tuple[Any, ...], dict[Any, int]] = {}
    for *key, value in keyed.with_columns(values.alias("v")).filter(kept).iter_rows():
        counts = found.setdefault(tuple(key), {})
        counts[value] = counts.get(value, 0) + 1
    apart = 0.0
    for counts in found.values():
        rows = sum(counts.values())
        apart = max(apart, sum(abs(counts.get(value, 0) / rows - share) for value, share in whole.items()) / 2)
    return {"l": min((len(set(counts) - {None}) for counts in found.values()), default=0), "t": apart}
