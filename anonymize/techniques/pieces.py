"""A released column as the synthetic model sees it: a few groups for its ties to other columns, finer pieces inside.

What must hold:
1. Every group and every piece stands for at least k rows; a value that fewer than k rows share is in no piece of its
   own, and is never drawn.
2. Numbers and dates that few rows share are drawn afresh between bounds that k rows reach, never copied.
3. Pseudonyms are drawn afresh in the same form; how often one repeats is kept, as far as k of them repeat as often.
   No person is a category, however many rows they have: k rows of one person hide nobody.
4. Null is a group of its own if at least k rows hold it, and does not occur otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.chance import Chance
from anonymize.techniques.form import made_up_forms
from anonymize.techniques.generalize import code_values
from anonymize.techniques.grid import Grid, lay_grid
from anonymize.techniques.pseudonymize import PRESERVING, Pseudonymize, derive_key, keyed_digest

MAX_GROUPS: Final = 32
"""Groups of a column at most: pairs of columns are counted in tables of at most this squared."""
WITHHELD: Final = -1
"""The group of a row whose value no piece stands for."""
_TOKEN_LABEL: Final = b"zhakou synthetic token v1\x00"
_VALUE: Final = "value"
_COUNT: Final = "count"

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """One column of the extract, ready to be counted and drawn.

    Shape: `codes` has one group per row of the extract, -1 where no piece stands for the value; `group_of_piece` is
    ascending; `weights` are rows per piece. The last group is null when `null_group` says so, and has no piece.
    """

    name: str
    dtype: pl.DataType
    codes: Codes
    groups: int
    null_group: int | None
    group_of_piece: Codes
    weights: Codes
    values: Callable[[Codes, Chance, str], pl.Series]

    def draw(self, groups: Codes, *, chance: Chance, use: str) -> pl.Series:
        """Values for rows whose groups are already drawn; rows without a group are null.

        Shape: one value per group given, of the column's own type.
        """
        piece = self._draw_pieces(groups, chance=chance, use=use)
        known = piece >= 0
        if not known.any():
            return pl.Series(self.name, [None] * len(groups), dtype=self.dtype)
        drawn = self.values(piece[known], chance, use).cast(self.dtype)
        place = pl.Series(np.cumsum(known) - 1)
        return drawn.gather(place.set(pl.Series(~known), None)).alias(self.name)

    def _draw_pieces(self, groups: Codes, *, chance: Chance, use: str) -> Codes:
        piece = np.full(len(groups), -1, dtype=np.int64)
        rows = np.flatnonzero(groups >= 0 if self.null_group is None else (groups >= 0) & (groups != self.null_group))
        if not len(rows):
            return piece
        ends = np.cumsum(self.weights)
        total = np.bincount(self.group_of_piece, weights=self.weights, minlength=self.groups)
        before = np.cumsum(total) - total
        wanted = groups[rows]
        at = before[wanted] + chance.uniform(f"piece {self.name} {use}", len(rows)) * total[wanted]
        piece[rows] = np.searchsorted(ends, at, side="right")
        return piece


def cut_column(column: pl.Series, *, k: int, pseudonym: Pseudonymize | None, person: bool, key: bytes) -> Pieces:
    """The pieces of one released column.

    Shape: `column` as it stands in the extract; `person` says that each of its pseudonyms is one person, who is no
    category however many rows there are.
    """
    counts = column.drop_nulls().alias(_VALUE).value_counts(name=_COUNT).sort(_VALUE)
    values, rows = counts[_VALUE], counts[_COUNT].to_numpy().astype(np.int64)
    if pseudonym is not None:
        shared = np.flatnonzero(rows >= k) if not person else np.arange(0)
        return _cut_pseudonyms(column, values, rows, shared=shared, k=k, technique=pseudonym, key=key)
    grid = lay_grid(column)
    if grid is None:
        return _cut_categories(column, values, rows, k=k)
    return _cut_numbers(column, values, rows, k=k, grid=grid)


def _cut_categories(column: pl.Series, values: pl.Series, rows: Codes, *, k: int) -> Pieces:
    order = np.lexsort((np.arange(len(rows)), -rows))
    order = order[rows[order] >= k]
    kept, weights = values.gather(pl.Series(order)), rows[order]
    group = np.minimum(np.arange(len(kept)), MAX_GROUPS - 1)

    def draw(piece: Codes, chance: Chance, use: str) -> pl.Series:
        return kept.gather(pl.Series(piece))

    return _pieces(column, code_values(column, kept), weights, group, k=k, values=draw)


def _cut_numbers(column: pl.Series, values: pl.Series, rows: Codes, *, k: int, grid: Grid) -> Pieces:
    """Values that k rows share are pieces; the others are joined to bins of at least k rows, in ascending order."""
    steps = grid.steps(values)
    common = rows >= k
    rare, rare_values = np.unique(steps[~common]), values.filter(pl.Series(~common))
    bins = _bins(steps[~common], rows[~common], k=k)
    lowest, highest = _reach(steps, rows, k=k), -_reach(-steps[::-1], rows[::-1], k=k)
    if lowest > highest:
        lowest = highest = (lowest + highest) // 2
    low = np.concatenate([steps[common], np.clip(bins[:, 0], lowest, highest)])
    high = np.concatenate([steps[common], np.clip(bins[:, 1], lowest, highest)])
    weights = np.concatenate([rows[common], bins[:, 2]])
    exact = np.concatenate([np.flatnonzero(common), np.full(len(bins), -1)])
    order = np.lexsort((exact, high, low))
    low, high, weights, exact = low[order], high[order], weights[order], exact[order]
    piece_of_value = np.full(len(values), -1, dtype=np.int64)
    piece_of_value[exact[exact >= 0]] = np.flatnonzero(exact >= 0)
    if len(bins):
        piece_of_bin = np.argsort(order)[int(common.sum()) :]
        piece_of_value[~common] = piece_of_bin[np.searchsorted(bins[:, 1], steps[~common])]
    place = code_values(column, values)
    piece_of_row = np.where(place >= 0, piece_of_value[place], -1)

    def draw(piece: Codes, chance: Chance, use: str) -> pl.Series:
        span = high[piece] - low[piece] + 1
        step = low[piece] + np.floor(chance.uniform(f"number {column.name} {use}", len(piece)) * span).astype(np.int64)
        step, allowed = _avoid(step, rare, lowest=lowest, highest=highest)
        fresh = grid.values(step)
        # Narrow floats may round onto a real value: looked at once more as they will stand in the file.
        fresh = fresh.set(pl.Series(~allowed) | fresh.is_in(rare_values.implode()), None)
        known = exact[piece] >= 0
        return values.gather(pl.Series(np.where(known, exact[piece], 0))).zip_with(pl.Series(known), fresh)

    return _pieces(column, piece_of_row, weights, _even_groups(weights), k=k, values=draw)


def _cut_pseudonyms(
    column: pl.Series,
    values: pl.Series,
    rows: Codes,
    *,
    shared: Codes,
    k: int,
    technique: Pseudonymize,
    key: bytes,
) -> Pieces:
    """The pseudonyms `shared` by k rows are categories under a new name; the others one piece of made-up persons."""
    common = shared[np.lexsort((shared, -rows[shared]))]
    kept = values.gather(pl.Series(common, dtype=pl.Int64))
    others = np.delete(rows, shared)
    piece_of_row = code_values(column, kept)
    weights = rows[common]
    if int(others.sum()) >= k:
        piece_of_row = np.where((piece_of_row < 0) & column.is_not_null().to_numpy(), len(kept), piece_of_row)
        weights = np.append(weights, others.sum())
    group = np.minimum(np.arange(len(weights)), MAX_GROUPS - 1)
    repeats, persons = repeats_of(others, k=k)

    def draw(piece: Codes, chance: Chance, use: str) -> pl.Series:
        made_up = np.flatnonzero(piece == len(kept))
        sizes = _persons(len(made_up), repeats, persons, draws=chance.uniform(f"person {column.name}", len(made_up)))
        tokens = _tokens(len(kept) + len(sizes), technique=technique, key=key, real=values)
        chosen = piece.copy()
        mixed = chance.order(f"repeat {column.name}", len(made_up))
        chosen[made_up[mixed]] = len(kept) + np.repeat(np.arange(len(sizes)), sizes)[: len(made_up)]
        return tokens.gather(pl.Series(chosen))

    return _pieces(column, piece_of_row, weights, group, k=k, values=draw)


def repeats_of(others: Codes, *, k: int) -> tuple[Codes, Codes]:
    """How often a pseudonym repeats, and how many do: only what at least k pseudonyms share.

    Shape: the ones that repeat more often than k others do count as repeating as often as the last k do.
    """
    repeats, persons = np.unique(others, return_counts=True)
    safe = persons >= k
    if not safe.any():
        return np.ones(1, dtype=np.int64), np.ones(1, dtype=np.int64)
    known = repeats[safe]
    shown = known[np.maximum(np.searchsorted(known, repeats, side="right") - 1, 0)]
    return known, np.array([persons[shown == repeat].sum() for repeat in known], dtype=np.int64)


def _persons(rows: int, repeats: Codes, persons: Codes, *, draws: npt.NDArray[np.float64]) -> Codes:
    """Rows of each made-up person, adding up to `rows`."""
    sizes: Codes = repeats[np.searchsorted(np.cumsum(persons), draws * persons.sum(), side="right")]
    ends = np.cumsum(sizes)
    count = int(np.searchsorted(ends, rows)) + 1 if rows else 0
    sizes = sizes[:count].copy()
    if count:
        sizes[-1] -= int(sizes.sum()) - rows
    return sizes


def _tokens(count: int, *, technique: Pseudonymize, key: bytes, real: pl.Series) -> pl.Series:
    """Made-up pseudonyms, the same in all synthetic tables of a licence and domain, so that they join there too."""
    secret = derive_key(key, _TOKEN_LABEL + technique.domain.encode())
    if technique.format == PRESERVING:
        tokens = made_up_forms(count, form_of=real, key=bytes.fromhex(secret))
    else:
        numbers = pl.Series([str(number) for number in range(count)], dtype=pl.String)
        tokens = keyed_digest(numbers, key=secret).str.head(technique.length)
    return tokens.set(tokens.is_in(real.implode()), None)


def _pieces(
    column: pl.Series,
    piece_of_row: Codes,
    weights: Codes,
    group: Codes,
    *,
    k: int,
    values: Callable[[Codes, Chance, str], pl.Series],
) -> Pieces:
    groups = int(group[-1]) + 1 if len(group) else 0
    codes = np.where(piece_of_row >= 0, group[piece_of_row], WITHHELD) if groups else np.full(len(column), WITHHELD)
    null_group = groups if column.null_count() >= k else None
    if null_group is not None:
        codes = np.where(column.is_null().to_numpy(), null_group, codes)
        groups += 1
    return Pieces(
        name=column.name,
        dtype=column.dtype,
        codes=codes.astype(np.int64),
        groups=groups,
        null_group=null_group,
        group_of_piece=group.astype(np.int64),
        weights=weights.astype(np.int64),
        values=values,
    )


def _bins(steps: Codes, rows: Codes, *, k: int) -> Codes:
    """Neighbouring values joined until a bin holds enough rows; what is left at the end joins the last bin.

    Shape: `steps` ascending and distinct; answers lowest, highest and rows of each bin; none when all hold fewer
    than k rows.
    """
    enough = max(k, -(-int(rows.sum()) // MAX_GROUPS))
    bins: list[list[int]] = []
    start, held = 0, 0
    for place, count in enumerate(rows.tolist()):
        held += count
        if held >= enough:
            bins.append([int(steps[start]), int(steps[place]), held])
            start, held = place + 1, 0
    if held and bins:
        bins[-1][1:] = [int(steps[-1]), bins[-1][2] + held]
    elif held >= k:
        bins.append([int(steps[0]), int(steps[-1]), held])
    return np.array(bins, dtype=np.int64).reshape(-1, 3)


def _reach(steps: Codes, rows: Codes, *, k: int) -> int:
    """The first value that at least k rows lie at or before."""
    if not len(rows):
        return 0
    place = min(int(np.searchsorted(np.cumsum(rows), k)), len(rows) - 1)
    return int(steps[place])


def _avoid(step: Codes, rare: Codes, *, lowest: int, highest: int) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Move numbers off the values that few rows share: up to the next free one, else down.

    Shape: the numbers moved, and for which of them there was a free one between the bounds.
    """
    if not len(rare):
        return step, np.ones(len(step), dtype=bool)
    breaks = np.diff(rare) > 1
    first = rare[np.concatenate([[True], breaks])]
    last = rare[np.concatenate([breaks, [True]])]
    run = np.maximum(np.searchsorted(first, step, side="right") - 1, 0)
    taken = (step >= first[run]) & (step <= last[run])
    above, below = last[run] + 1, first[run] - 1
    moved = np.where(taken, np.where(above <= highest, above, below), step)
    return moved, ~taken | (above <= highest) | (below >= lowest)


def _even_groups(weights: Codes) -> Codes:
    """Neighbouring pieces joined to at most `MAX_GROUPS` groups of about equal weight."""
    if len(weights) <= MAX_GROUPS:
        return np.arange(len(weights))
    middle = np.cumsum(weights) - weights / 2
    _, group = np.unique(np.floor(middle * MAX_GROUPS / weights.sum()), return_inverse=True)
    return group
