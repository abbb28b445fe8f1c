"""Utility of an extract under its policy: while it is made, and of any two tables that a policy ties together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.policy import AnonymizationPolicy, ColumnClass, ColumnRule
from anonymize.privacy.cell_loss import measure_cells
from anonymize.privacy.classes import measure_classes
from anonymize.privacy.covers import positions
from anonymize.privacy.distributions import Compared, Distance, compare_column, measure_distance, measure_ties
from anonymize.privacy.utility import ColumnUtility, Utility, discernibility, entropy_loss, intensity
from anonymize.techniques.drop import Drop
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.hierarchy import STAR
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.transform import Plan

Floats = npt.NDArray[np.float64]

REPLACED: Final = frozenset({"drop", "pseudonymize", "fake", "mask"})
"""Techniques that leave nothing to compare, by design: the values are gone or others."""


def score_extract(
    policy: AnonymizationPolicy,
    plan: Plan,
    *,
    source: pl.DataFrame,
    released: pl.DataFrame,
    kept: pl.Series,
    losses: Mapping[str, float],
    sizes: npt.NDArray[np.int64],
) -> Utility:
    """The utility of an extract while both its sides lie in the same order.

    Shape: `source` and `released` have the distinct rows of the plan, `kept` says which of them stay; `losses` is NCP
    by released quasi-identifier, `sizes` those of the classes that stay.
    """
    people, weights = pl.Series(plan.weights), plan.weights.astype(np.float64)
    rows, staying = int(people.sum()), weights * kept.to_numpy()
    share = staying.sum() / rows if rows else 0.0
    quasi = _released_quasi(policy)
    levels = {rule.name: plan.level_shares(rule.name) for rule in quasi}
    compared = _compared(policy, source, released, weights=weights)
    return Utility(
        rows=rows,
        kept=int(sizes.sum()),
        classes=len(sizes),
        k=policy.target.k,
        discernibility=discernibility(sizes, rows=rows),
        quasi={
            rule.name: ColumnUtility(
                granularity=1 - losses[rule.name],
                intensity=intensity(levels[rule.name], kept=share, depth=_depth(rule)) if levels[rule.name] else None,
                entropy_loss=entropy_loss(source[rule.name], released[rule.name], people=people, kept=kept),
            )
            for rule in quasi
            if rule.name in losses
        },
        distances=_distances(compared, before=weights, after=staying),
        ties=measure_ties(compared, before=weights, after=staying),
    )


def score_tables(
    policy: AnonymizationPolicy, before: pl.DataFrame, after: pl.DataFrame, *, aligned: bool, names: tuple[str, str]
) -> Utility:
    """The utility of a table that was made from another one, by whatever tool.

    Shape: rows of `after` whose quasi-identifiers are all "*" count as removed, like rows that are missing. `aligned`:
    the two tables have the same rows in the same order.
    Raises:
        BadInput: a released column is missing in one of them, or their rows don't fit.
    """
    quasi = _released_quasi(policy)
    _check(quasi, before, after, aligned=aligned, names=names)
    kept = _staying(quasi, after)
    sizes = measure_classes(after.filter(kept), [rule.name for rule in quasi]).sizes
    source, staying = np.ones(before.height), kept.to_numpy().astype(np.float64)
    share = staying.sum() / before.height
    compared = _compared(policy, before, after, weights=source)
    return Utility(
        rows=before.height,
        kept=int(sizes.sum()),
        classes=len(sizes),
        k=policy.target.k,
        discernibility=discernibility(sizes, rows=before.height),
        quasi={
            rule.name: _column(
                rule, before[rule.name], after[rule.name], kept=kept, share=share, aligned=aligned, table=names[1]
            )
            for rule in quasi
        },
        distances=_distances(compared, before=source, after=staying),
        ties=measure_ties(compared, before=source, after=staying),
    )


def with_other_columns(
    policy: AnonymizationPolicy, utility: Utility, *, source: pl.DataFrame, released: pl.DataFrame
) -> Utility:
    """The utility with the distances of the columns that the search does not know.

    Shape: rows that stand for the table, before and after.
    """
    others = released.drop([*utility.distances, *utility.quasi], strict=False)
    people = np.ones(source.height)
    compared = _compared(policy, source, others, weights=people)
    found = _distances(compared, before=people, after=np.ones(released.height))
    return replace(utility, distances={**utility.distances, **found})


def _column(
    rule: ColumnRule,
    before: pl.Series,
    after: pl.Series,
    *,
    kept: pl.Series,
    share: float,
    aligned: bool,
    table: str,
) -> ColumnUtility:
    cells = after.filter(kept)
    distinct, of_row = positions(cells)
    measured = measure_cells(
        distinct, before.unique(), technique=_technique(rule), place=Place(table=table, column=rule.name)
    )
    rows = np.bincount(of_row, minlength=len(distinct)).astype(np.float64)
    leveled = bool((measured.level >= 0).all())
    shares = dict(enumerate(np.bincount(measured.level, weights=rows) / rows.sum())) if leveled and len(rows) else {}
    ones = pl.Series(np.ones(len(before), dtype=np.int64))
    return ColumnUtility(
        granularity=share * (1 - float((measured.ncp * rows).sum() / rows.sum())) if len(rows) else 0.0,
        intensity=intensity(shares, kept=share, depth=_depth(rule)) if leveled else None,
        entropy_loss=entropy_loss(before, after, people=ones, kept=kept) if aligned else None,
    )


def _compared(
    policy: AnonymizationPolicy, before: pl.DataFrame, after: pl.DataFrame, *, weights: Floats
) -> list[Compared]:
    return [
        compare_column(before[rule.name], after[rule.name], technique=_technique(rule), weights=weights, table="")
        for rule in policy.columns
        if rule.technique.name not in REPLACED and rule.name in before.columns and rule.name in after.columns
    ]


def _distances(compared: Sequence[Compared], *, before: Floats, after: Floats) -> dict[str, Distance]:
    return {column.name: measure_distance(column, before=before, after=after) for column in compared}


def _released_quasi(policy: AnonymizationPolicy) -> list[ColumnRule]:
    return [rule for rule in policy.of_class(ColumnClass.QUASI_ID) if not isinstance(rule.technique, Drop)]


def _technique(rule: ColumnRule) -> Generalize | None:
    return rule.technique if isinstance(rule.technique, Generalize) else None


def _depth(rule: ColumnRule) -> int:
    technique = _technique(rule)
    return 1 if technique is None else technique.hierarchy.depth


def _staying(quasi: Sequence[ColumnRule], after: pl.DataFrame) -> pl.Series:
    """Which rows have a quasi-identifier that is not "*"."""
    if any(after.schema[rule.name] != pl.String for rule in quasi):
        return pl.Series([True] * after.height)
    hidden = after.select(pl.all_horizontal([pl.col(rule.name).eq_missing(pl.lit(STAR)) for rule in quasi]))
    return ~hidden.to_series()


def _check(
    quasi: Sequence[ColumnRule],
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    aligned: bool,
    names: tuple[str, str],
) -> None:
    for frame, table in zip((before, after), names, strict=True):
        for rule in quasi:
            if rule.name not in frame.columns:
                raise Place(table=table, column=rule.name).refuse(
                    "column.not_found",
                    found=Text(
                        "规则放行该准标识符，表中却没有",
                        "the policy releases this quasi-identifier, the table lacks it",
                    ),
                    next_step=Text("请检查规则与表是否相符。", "Check that policy and tables belong together."),
                )
    if after.height > before.height or (aligned and after.height != before.height):
        raise BadInput(
            code="utility.rows_differ",
            subject=names[1],
            text=Text(
                f"表 {names[1]} 被拒绝：有 {after.height} 行，而 {names[0]} 有 {before.height} 行。",
                f"Table {names[1]} refused: it has {after.height} rows, {names[0]} has {before.height}.",
            ),
            next_step=Text(
                "请确认后者由前者处理而来；--aligned 要求行数和顺序相同。",
                "Make sure that it was made from the other; --aligned needs the same rows in the same order.",
            ),
        )
