"""A linkage attack: an attacker who holds an outside table tries to find its people among the released rows.

What must hold:
1. A released cell is compatible with every exact value that it covers, not only with one spelled like it.
2. What an attacker does not know (an empty outside cell) speaks against no row; nor does an empty or hidden released
   cell.
3. "Right" and "wrong" are said only against a truth that was given; without one, figures say what may be expected at
   most.

Two attacks. By compatibility: a row and an outside record that are each other's only candidates are linked, and whoever
guesses links every record to one of its candidates. By distance: every record is linked to the row nearest to it, which
also finds rows whose values were changed (noise, swapping, micro-aggregation).

Source: Domingo-Ferrer and Torra 2003, distance-based and probabilistic record linkage in disclosure risk assessment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import Place
from anonymize.privacy.covers import Members, as_numbers, comparable, covered_values, positions, read_interval
from anonymize.privacy.histogram import Codes
from anonymize.techniques.generalize import Generalize

Tell = Callable[[str, float], None]
Floats = npt.NDArray[np.float64]

MAX_NEAREST: Final = 2_000
"""Outside records that are linked by distance, drawn evenly over the outside table: each is held against every
class."""
_TRUTH: Final = "\x00truth"
_ROWS: Final = "\x00rows"
_ROW: Final = "\x00row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column that both tables have, as numbers.

    Shape: `cell_of_class` and `value_of_record` are positions among the distinct `cells` of the table and the distinct
    `values` outside; `covered` has the positions of the values that each cell may stand for.
    """

    cells: pl.Series
    values: pl.Series
    covered: list[Members]
    cell_of_class: Codes
    value_of_record: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """The two tables held against each other, each counted by distinct rows.

    Shape: `sizes` rows per class of the released table, `people` per distinct outside record; `candidates` the outside
    people compatible with each class, `rows` the released rows compatible with each record; `only` the last class
    compatible with a record, -1 where none is. `class_of_row` and `record_of_person` lead back to the tables.
    """

    columns: tuple[Column, ...]
    sizes: Codes
    people: Codes
    candidates: Codes
    rows: Codes
    only: Codes
    class_of_row: Codes
    record_of_person: Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """How linking went. Units: shares of `of` links tried; right and wrong are None without a truth."""

    of: int
    matched: float
    right: float | None
    wrong: float | None

    def as_json(self) -> dict[str, Any]:
        return {"of": self.of, "matched": self.matched, "right": self.right, "wrong": self.wrong}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """The outcome of the attack.

    Units: `reachable` is the share of outside people with a compatible row. `certain` counts released rows;
    `guessed` is the share of released rows that are linked rightly when every outside person is linked to one of the
    compatible rows at random: expected against the truth, else an upper bound that takes everybody outside to be in the
    table. `nearest` counts outside records.
    """

    rows: int
    outside_rows: int
    columns: dict[str, str]
    reachable: float
    certain: Matches
    guessed: float
    guessed_is_bound: bool
    nearest: Matches | None

    def as_json(self) -> dict[str, Any]:
        """As `zhakou risk --outside --json` prints it."""
        return {
            "rows": self.rows,
            "outside_rows": self.outside_rows,
            "columns": self.columns,
            "outside_reachable": self.reachable,
            "certain": {**self.certain.as_json(), "not_matched": 1 - self.certain.matched},
            "guessed": self.guessed,
            "guessed_is_bound": self.guessed_is_bound,
            "nearest": None if self.nearest is None else self.nearest.as_json(),
        }


def link(
    table: pl.DataFrame,
    outside: pl.DataFrame,
    on: Mapping[str, str],
    *,
    techniques: Mapping[str, Generalize],
    name: str,
    tell: Tell = lambda step, share: None,
) -> Linked:
    """Find who is compatible with whom.

    Shape: `on` leads from the released table's columns to the outside table's; `techniques` has the hierarchy of a
    released column where a policy names one.
    """
    cells, sizes, class_of_row = _distinct(table, list(on))
    records, people, record_of_person = _distinct(outside, list(on.values()))
    columns = tuple(
        _column(cells[ours], records[theirs], techniques.get(ours), Place(table=name, column=ours))
        for ours, theirs in on.items()
    )
    search = _Search(columns=columns, sizes=sizes, people=people, tell=tell)
    search.run()
    return Linked(
        columns=columns,
        sizes=sizes,
        people=people,
        candidates=search.candidates,
        rows=search.rows,
        only=search.only,
        class_of_row=class_of_row,
        record_of_person=record_of_person,
    )


def attack(
    linked: Linked,
    on: Mapping[str, str],
    *,
    truth: tuple[pl.Series, pl.Series] | None = None,
    tell: Tell = lambda step, share: None,
) -> Linkage:
    """Both attacks on two linked tables.

    Shape: `truth` holds the identity of each released row and of each outside person, equal for the same person.
    """
    rows, persons = len(linked.class_of_row), len(linked.record_of_person)
    row_of_person = None if truth is None else _true_rows(*truth)
    reachable = int(linked.people[linked.rows > 0].sum()) / persons if persons else 0.0
    expected, bound = _guess(linked, row_of_person)
    return Linkage(
        rows=rows,
        outside_rows=persons,
        columns=dict(on),
        reachable=reachable,
        certain=_certain(linked, row_of_person),
        guessed=expected / rows if rows else 0.0,
        guessed_is_bound=bound,
        nearest=None if row_of_person is None else _nearest(linked, row_of_person, tell=tell),
    )


def population_of_classes(linked: Linked) -> Codes:
    """For each row of the table, how many outside people are compatible with it."""
    return linked.candidates[linked.class_of_row]


def _distinct(frame: pl.DataFrame, names: Sequence[str]) -> tuple[pl.DataFrame, Codes, Codes]:
    """The distinct rows under some columns, how many rows share each, and which of them each row is."""
    chosen = pl.DataFrame([comparable(frame[name]) for name in names])
    counted = (
        chosen.with_row_index(_ROW).group_by(names, maintain_order=True).agg(pl.len().alias(_ROWS), pl.first(_ROW))
    )
    numbered = counted.select(names).with_row_index(_TRUTH)
    of_row = chosen.join(numbered, on=names, how="left", nulls_equal=True, maintain_order="left")[_TRUTH]
    distinct = frame.select(names)[counted[_ROW]]
    return distinct, counted[_ROWS].to_numpy().astype(np.int64), of_row.to_numpy().astype(np.int64)


def _column(cells: pl.Series, values: pl.Series, technique: Generalize | None, place: Place) -> Column:
    distinct_cells, cell_of_class = positions(cells)
    distinct_values, value_of_record = positions(values)
    return Column(
        cells=distinct_cells,
        values=distinct_values,
        covered=covered_values(distinct_cells, distinct_values, technique=technique, place=place),
        cell_of_class=cell_of_class,
        value_of_record=value_of_record,
    )


class _Search:
    """All compatible pairs of class and record, column by column: what one cell rules out is never looked at again."""

    def __init__(self, *, columns: Sequence[Column], sizes: Codes, people: Codes, tell: Tell) -> None:
        # Columns with many values first: they leave the fewest records.
        self.columns = sorted(columns, key=lambda column: -len(column.values))
        self.sizes, self.people, self.tell = sizes, people, tell
        self.candidates = np.zeros(len(sizes), dtype=np.int64)
        self.rows = np.zeros(len(people), dtype=np.int64)
        self.only = np.full(len(people), -1, dtype=np.int64)
        self.done = 0

    def run(self) -> None:
        self._walk(0, np.arange(len(self.sizes)), np.arange(len(self.people)))

    def _walk(self, depth: int, classes: Codes, records: Codes) -> None:
        if depth == len(self.columns):
            self.candidates[classes] = self.people[records].sum()
            self.rows[records] += self.sizes[classes].sum()
            self.only[records] = classes[-1]
        if depth == len(self.columns) or not len(records):
            self.done += len(classes)
            self.tell("link", self.done / len(self.sizes))
            return
        column = self.columns[depth]
        order = np.argsort(column.cell_of_class[classes], kind="stable")
        cells = column.cell_of_class[classes][order]
        starts = np.flatnonzero(np.diff(cells, prepend=-1))
        values = column.value_of_record[records]
        for cell, same in zip(cells[starts], np.split(classes[order], starts[1:]), strict=True):
            compatible = np.zeros(len(column.values), dtype=np.bool_)
            compatible[column.covered[int(cell)]] = True
            self._walk(depth + 1, same, records[compatible[values]])


def _true_rows(ours: pl.Series, theirs: pl.Series) -> Codes:
    """For each outside person the position of the released row that is truly theirs, -1 where there is none.

    Of several rows with one identity the first counts; an empty identity is nobody's.
    """
    known = pl.DataFrame({_TRUTH: ours.cast(pl.String)}).with_row_index(_ROW).drop_nulls(_TRUTH)
    known = known.unique(_TRUTH, keep="first", maintain_order=True)
    people = pl.DataFrame({_TRUTH: theirs.cast(pl.String)})
    found = people.join(known, on=_TRUTH, how="left", maintain_order="left")[_ROW]
    return found.cast(pl.Int64).fill_null(-1).to_numpy()


def _certain(linked: Linked, row_of_person: Codes | None) -> Matches:
    """Rows and records that are each other's only candidate."""
    record = np.flatnonzero((linked.rows == 1) & (linked.people == 1))
    record = record[linked.candidates[linked.only[record]] == 1]
    rows = len(linked.class_of_row)
    share = len(record) / rows if rows else 0.0
    if row_of_person is None:
        return Matches(of=rows, matched=share, right=None, wrong=None)
    person_of_record = np.zeros(len(linked.people), dtype=np.int64)
    person_of_record[linked.record_of_person] = np.arange(len(linked.record_of_person))
    truly = row_of_person[person_of_record[record]]
    right = int(((truly >= 0) & (linked.class_of_row[truly] == linked.only[record])).sum()) / rows if rows else 0.0
    return Matches(of=rows, matched=share, right=right, wrong=share - right)


def _guess(linked: Linked, row_of_person: Codes | None) -> tuple[float, bool]:
    """Expected number of people linked to their own row by picking one of the compatible rows at random."""
    chance = np.divide(1.0, linked.rows, out=np.zeros(len(linked.rows)), where=linked.rows > 0)
    if row_of_person is None:
        # Nobody can be found twice: at most one right link for each row.
        return float(min((chance * linked.people).sum(), len(linked.class_of_row))), True
    person = np.flatnonzero(row_of_person >= 0)
    record, own = linked.record_of_person[person], linked.class_of_row[row_of_person[person]]
    compatible = np.ones(len(person), dtype=np.bool_)
    for column in linked.columns:
        width = len(column.values)
        pairs = np.concatenate([cell * width + members for cell, members in enumerate(column.covered)] or [person[:0]])
        compatible &= np.isin(column.cell_of_class[own] * width + column.value_of_record[record], pairs)
    return float(chance[record[compatible]].sum()), False


def _nearest(linked: Linked, row_of_person: Codes, *, tell: Tell) -> Matches:
    """Link outside people to the row at the smallest distance; of equally near rows one at random."""
    people = len(row_of_person)
    step = max(1, -(-people // MAX_NEAREST))
    drawn = np.arange(0, people, step)
    records = linked.record_of_person[drawn]
    wanted = [np.unique(column.value_of_record[records], return_inverse=True) for column in linked.columns]
    distances = [_distances(column, values) for column, (values, _) in zip(linked.columns, wanted, strict=True)]
    right = 0.0
    for number, person in enumerate(drawn):
        apart = np.zeros(len(linked.sizes))
        for column, distance, (_, value) in zip(linked.columns, distances, wanted, strict=True):
            apart += distance[:, value[number]][column.cell_of_class]
        near = apart <= apart.min() + 1e-9 if len(apart) else np.zeros(0, dtype=np.bool_)
        own = row_of_person[person]
        if own >= 0 and near[linked.class_of_row[own]]:
            right += 1 / float(linked.sizes[near].sum())
        tell("link", (number + 1) / len(drawn))
    of = len(drawn)
    share = right / of if of else 0.0
    return Matches(of=of, matched=1.0 if of else 0.0, right=share, wrong=1 - share if of else 0.0)


def _distances(column: Column, wanted: Codes) -> Floats:
    """How far each cell is from each outside value wanted, from 0 to 1.

    Shape: one row per cell, one column per position in `wanted`. Numbers: from the middle of what the cell covers, as a
    share of the range; others: the chance that a value drawn from what the cell covers is another one. An unknown
    number counts half.
    """
    numbers = as_numbers(column.values)
    if numbers is None:
        apart = np.ones((len(column.cells), len(wanted)))
        for cell, members in enumerate(column.covered):
            apart[cell, np.isin(wanted, members)] = 1 - 1 / max(len(members), 1)
        return apart
    pairs = zip(column.cells, column.covered, strict=True)
    middles = np.array([_middle(cell, numbers[members]) for cell, members in pairs])
    ends = np.concatenate([numbers, middles])
    width = np.nanmax(ends) - np.nanmin(ends)
    distance: Floats = np.abs(middles[:, None] - numbers[None, wanted]) / (width or 1.0)
    return np.nan_to_num(distance, nan=0.5)


def _middle(cell: Any, covered: Floats) -> float:
    if isinstance(cell, int | float):
        return float(cell)
    ends = None if cell is None else read_interval(cell)
    if ends is not None and np.isfinite(ends[:2]).all():
        return (ends[0] + ends[1]) / 2
    covered = covered[~np.isnan(covered)]
    if len(covered):
        return float(covered.mean())
    try:
        return float(str(cell))
    except ValueError:
        return float("nan")
