"""Synthesize: rows made up from what two or three columns of an extract have in common, for writing code on.

What must hold:
1. The model is fitted on the de-identified extract, never on the source.
2. A value, a pair or a triple of groups that fewer than k rows share is not in the model.
3. No made-up row equals a row of the extract that is the only one of its kind; pseudonyms are made up and don't count.
4. Names, types and order of the columns are those of the extract.
5. The same extract, policy and key give the same rows.

Limits: a column is tied to at most two others drawn before it; made-up rows of one made-up person need not fit
together. This is no differential privacy, and nothing measured on these rows says anything about people.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import polars as pl

from anonymize.chance import Chance
from anonymize.errors import BadInput, TargetNotMet
from anonymize.rung import MAX_SYNTHETIC_ROWS, SYNTHETIC_ROWS, rounded_rows
from anonymize.techniques.dependence import (
    MAX_COUNTED_ROWS,
    MAX_TREE_COLUMNS,
    count_pairs,
    cramers_v,
    draw_groups,
    fit_tree,
)
from anonymize.techniques.pieces import Codes, Pieces, cut_column
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.text import Text

ROUNDS: Final = 20
"""How often rows that equal a unique row are drawn again before they are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """A made-up table and how near it comes to the extract.

    Shape: `redrawn` rows were drawn again because they equalled a unique row, `left_out` never got free of it.
    """

    frame: pl.DataFrame
    fidelity: dict[str, Any]
    redrawn: int
    left_out: int
    withheld: tuple[str, ...]


def synthetic_size(rows: int, *, asked: int | None, table: str) -> int:
    """How many rows to make up: the number asked for, or by default as many as the extract has (rounded).

    Raises:
        BadInput: more was asked for than is allowed, or less than one.
    """
    if asked is None:
        return min(max(rounded_rows(rows), 10), SYNTHETIC_ROWS)
    if not 1 <= asked <= MAX_SYNTHETIC_ROWS:
        raise BadInput(
            code="synthetic.rows_not_allowed",
            subject=table,
            text=Text(
                f"表 {table} 的合成行数被拒绝：应为 1 至 {MAX_SYNTHETIC_ROWS}。",
                f"Synthetic rows asked of table {table} refused: 1 to {MAX_SYNTHETIC_ROWS} are allowed.",
            ),
            next_step=Text("请减少行数，或不写行数。", "Ask for fewer rows, or name no number."),
        )
    return asked


def synthesize(
    extract: pl.DataFrame,
    *,
    pseudonyms: Mapping[str, Pseudonymize],
    persons: Collection[str],
    k: int,
    rows: int,
    key: bytes,
    chance: Chance,
    table: str,
    ends: Collection[str] = (),
) -> Synthetic:
    """Make up `rows` rows like those of `extract`.

    Shape: `extract` in keyed order and meeting its target; the answer has its schema and at most `rows` rows. Columns
    in `persons` hold pseudonyms of people, other pseudonyms those of things. Columns in `ends` hold ends of intervals:
    one person's value on all rows of a class.
    Raises:
        TargetNotMet: every row drawn equals a unique row.
    """
    columns = [
        cut_column(
            column,
            k=_people(column.name, ends, k),
            pseudonym=pseudonyms.get(column.name),
            person=column.name in persons,
            key=key,
        )
        for column in extract
    ]
    links = fit_tree([column.codes for column in columns], [column.groups for column in columns], k=k)
    compared = [column for column in columns if column.name not in pseudonyms]
    unique = unique_rows(extract, [column.name for column in compared])
    parts: list[pl.DataFrame] = []
    groups: list[list[Codes]] = []
    missing, redrawn = rows, 0
    for turn in range(ROUNDS):
        drawn = draw_groups(links, rows=missing, chance=chance, use=f"{turn}")
        coded = [drawn.get(place, np.full(missing, -1)) for place in range(len(columns))]
        made = pl.DataFrame(
            column.draw(codes, chance=chance, use=f"{turn}")
            for column, codes in zip(columns, coded, strict=True)
            if column.name not in pseudonyms
        )
        free = ~_among(made, unique, rows=missing)
        parts.append(made.filter(pl.Series(free)) if made.width else made)
        groups.append([column[free] for column in coded])
        missing = int((~free).sum())
        redrawn += missing
        if not missing:
            break
    if missing == rows:
        raise _only_copies(table)
    merged = [np.concatenate(column) for column in zip(*groups, strict=True)]
    return Synthetic(
        frame=_with_pseudonyms(pl.concat(parts), columns, merged, names=pseudonyms, chance=chance),
        fidelity=_compare(columns, merged),
        redrawn=redrawn,
        left_out=missing,
        withheld=tuple(column.name for column in columns if not column.groups),
    )


def _people(column: str, ends: Collection[str], k: int) -> int:
    """How many rows stand for k people: a class has fewer than 2k rows as a rule, and one end for all."""
    return 2 * k * k if column in ends else k


def unique_rows(extract: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Rows of the extract that are the only ones of their kind in the columns named.

    Shape: columns renamed to c0, c1, …; none when no column is named.
    """
    frame = _renamed(extract, names)
    keys = frame.columns
    return frame.group_by(keys).len("rows").filter(pl.col("rows") == 1).select(keys) if keys else frame


def copies_of_unique(synthetic: pl.DataFrame, extract: pl.DataFrame, names: Sequence[str]) -> int:
    """How many made-up rows equal, in the columns named, a row that is unique in the extract."""
    return int(_among(synthetic.select(names), unique_rows(extract, names), rows=synthetic.height).sum())


def without_copies(synthetic: pl.DataFrame, extract: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The made-up rows that equal no unique row of the extract in the columns named."""
    free = ~_among(synthetic.select(names), unique_rows(extract, names), rows=synthetic.height)
    return synthetic.filter(pl.Series(free))


def _renamed(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return frame.select(pl.col(name).alias(f"c{place}") for place, name in enumerate(names))


def _among(made: pl.DataFrame, unique: pl.DataFrame, *, rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of `made` are among the unique ones, null equal to null; all columns of `made` count."""
    found = np.zeros(rows, dtype=bool)
    if not made.width or not unique.height:
        return found
    numbered = _renamed(made, made.columns).with_row_index("row")
    hit = numbered.join(unique, on=unique.columns, how="semi", nulls_equal=True)["row"]
    found[hit.to_numpy()] = True
    return found


def _with_pseudonyms(
    frame: pl.DataFrame,
    columns: Sequence[Pieces],
    merged: Sequence[Codes],
    *,
    names: Mapping[str, Pseudonymize],
    chance: Chance,
) -> pl.DataFrame:
    whole = [
        column.draw(codes, chance=chance, use="all") if column.name in names else frame[column.name]
        for column, codes in zip(columns, merged, strict=True)
    ]
    return pl.DataFrame(whole)


def _compare(columns: Sequence[Pieces], merged: Sequence[Codes]) -> dict[str, Any]:
    """How far the made-up columns and their ties are from the extract's, counted in the groups of the model.

    Units: distance is half the L1 distance of two distributions, 0 to 1, withheld values counting; changes are
    differences of Cramér's V, 0 to 1.
    """
    distance = [_distance(column, codes) for column, codes in zip(columns, merged, strict=True)]
    shown = [place for place, column in enumerate(columns) if column.groups > 1][:MAX_TREE_COLUMNS]
    changes: dict[tuple[int, int], float] = {}
    for one, other in combinations(shown, 2):
        shape = (columns[one].groups, columns[other].groups)
        real = count_pairs(columns[one].codes[:MAX_COUNTED_ROWS], columns[other].codes[:MAX_COUNTED_ROWS], shape)
        changes[one, other] = cramers_v(count_pairs(merged[one], merged[other], shape)) - cramers_v(real)
    sizes = [abs(change) for change in changes.values()]
    return {
        "columns": {
            column.name: {
                "distance": round(distance[place], 6),
                "largest_change": round(
                    max((abs(change) for pair, change in changes.items() if place in pair), default=0.0), 6
                ),
            }
            for place, column in enumerate(columns)
        },
        "measure": "Cramér's V, bias-corrected",
        "pairs": len(sizes),
        "mean_change": round(float(np.mean(sizes)), 6) if sizes else 0.0,
        "largest_change": round(max(sizes, default=0.0), 6),
    }


def _distance(column: Pieces, codes: Codes) -> float:
    real, made = (np.bincount(each + 1, minlength=column.groups + 1) for each in (column.codes, codes))
    return float(np.abs(real / max(len(column.codes), 1) - made / max(len(codes), 1)).sum() / 2)


def _only_copies(table: str) -> TargetNotMet:
    return TargetNotMet(
        code="synthetic.only_copies",
        subject=table,
        text=Text(
            f"表 {table} 的合成样例被拒绝：生成的每一行都与脱敏数据包中独一无二的行相同，没有写出任何文件。",
            f"Synthetic sample of table {table} refused: every row made up equals a row that is unique in the extract. "
            "Nothing was written.",
        ),
        next_step=Text(
            "请在规则中删除或泛化取值过多的列。", "Drop or generalize columns with too many values in the policy."
        ),
    )
