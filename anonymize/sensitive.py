"""The sensitive attributes of a table as t-closeness sees them: their distribution, how far apart their values are."""

from __future__ import annotations

import polars as pl

from anonymize.errors import Place
from anonymize.policy import AnonymizationPolicy, ColumnClass, ColumnRule
from anonymize.privacy.whole import Whole, whole_of
from anonymize.target import Target, TDistance
from anonymize.techniques.categories import Groups
from anonymize.techniques.drop import Drop
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.hierarchy import Hierarchy
from anonymize.text import Text


def wholes_of(
    policy: AnonymizationPolicy, frame: pl.DataFrame, *, table: str, weights: pl.Series | None = None
) -> tuple[Whole, ...]:
    """Every released sensitive attribute over the whole table; none where the target sets no t.

    Shape: `frame` has the attributes as they are released, a row per person or per `weights` alike.
    Raises:
        BadInput: an ordered distance over what has no order or is partly empty; values that a hierarchy does not know.
    """
    target = policy.target
    if target.t is None:
        return ()
    rules = [rule for rule in policy.of_class(ColumnClass.SENSITIVE_ATTR) if not isinstance(rule.technique, Drop)]
    return tuple(
        _whole_of(rule, frame[rule.name], target, place=Place(table=table, column=rule.name), weights=weights)
        for rule in rules
    )


def _whole_of(rule: ColumnRule, values: pl.Series, target: Target, *, place: Place, weights: pl.Series | None) -> Whole:
    labels: list[pl.Series] = []
    match target.t_distance:
        case TDistance.ORDERED:
            _check_ordered(values, place)
        case TDistance.HIERARCHICAL:
            hierarchy = dict(target.t_hierarchy).get(rule.name) or own_hierarchy(rule)
            if hierarchy is not None:
                labels = hierarchy.labels(values.unique().drop_nulls().sort(), place)
        case TDistance.EQUAL:
            pass
    return whole_of(values, distance=target.t_distance, labels=labels, weights=weights)


def own_hierarchy(rule: ColumnRule) -> Hierarchy | None:
    """What is left of a column's own groups above the level it is released at; None for other hierarchies."""
    technique = rule.technique
    if not isinstance(technique, Generalize) or not isinstance(technique.hierarchy, Groups):
        return None
    above = technique.hierarchy.levels[technique.level or 0 :]
    return Groups(levels=above) if above else None


def _check_ordered(values: pl.Series, place: Place) -> None:
    if not (values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype == pl.Boolean):
        raise place.refuse(
            "column.no_order",
            found=Text("有序距离要求数字或日期", "the ordered distance needs numbers or dates"),
            next_step=Text(
                "请将 t_distance 改为 equal 或 hierarchical。", "Set t_distance to equal or hierarchical in the policy."
            ),
        )
    if missing := values.null_count():
        raise place.refuse(
            "column.no_order",
            found=Text(f"有 {missing} 行为空，空值没有顺序", f"{missing} rows are empty, and empty has no order"),
            next_step=Text(
                "请将 t_distance 改为 equal，或补齐源表。",
                "Set t_distance to equal, or fill these cells.",
            ),
        )
