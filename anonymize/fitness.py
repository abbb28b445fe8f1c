"""Does this policy fit this table? Asked before anything is transformed; every answer names table and column.

Rules:
1. Every column of the policy is in the table, and every column of the table is in the policy.
2. A column that is released holds single values, at least one of them, and no NaN or infinity.
3. k is not larger than the table.
4. A code or text that differs on nearly every row is an identifier, whatever the policy calls it; masked or generalized
   so little that it still does, it remains one.
5. No released column holds the numbers of people (identity cards, bank cards, telephones, e-mail addresses, plates).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from anonymize.detect.entity import EntityKind
from anonymize.detect.scan import scan_table
from anonymize.detect.scan_report import KindShare
from anonymize.errors import BadInput, Place, TargetNotMet
from anonymize.facts import Facts
from anonymize.policy import AnonymizationPolicy, ColumnClass, ColumnRule
from anonymize.techniques.drop import Drop
from anonymize.techniques.fake import Fake
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.keep import Keep
from anonymize.techniques.mask import Mask
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.techniques.randomize import Randomize
from anonymize.techniques.swap import Swap
from anonymize.text import Text

UNIQUE_SHARE: Final = 0.9
"""A text or whole number with more distinct values than this share of its rows points at single rows."""
UNIQUE_ROWS: Final = 20
"""In shorter tables every column looks unique."""
STILL_UNIQUE: Final = 0.999
"""Share of a sample's distinct values that stay distinct where a technique joins none of them."""
SOME_HOLD_IT: Final = 0.02
"""Share of distinct values from which numbers with right check digits count as found."""
MOST_HOLD_IT: Final = 0.5
"""The same for numbers known by their form alone."""
CHECKED: Final = 0.5
"""Share of right check digits no chance explains: chance gives 1 in 10 or 11."""

_NUMBERS_OF_PEOPLE: Final = frozenset(
    {
        EntityKind.CN_RESIDENT_ID,
        EntityKind.BANK_CARD,
        EntityKind.CN_MOBILE,
        EntityKind.EMAIL,
        EntityKind.CN_PLATE,
    }
)


def check_fit(policy: AnonymizationPolicy, facts: Facts, *, table: str) -> None:
    """Rules 1 to 4.

    Raises:
        BadInput: rule 1, 2 or 4 is broken.
        TargetNotMet: rule 3 is broken.
    """
    check_columns(policy, list(facts.schema), table=table)
    if facts.rows < policy.target.k:
        raise TargetNotMet(
            code="target.table_too_small",
            subject=table,
            text=Text(
                f"表 {table} 只有 {facts.rows} 行，少于目标 k = {policy.target.k}，没有写出任何文件。",
                f"Table {table} has {facts.rows} rows, below the target k = {policy.target.k}. Nothing was written.",
            ),
            next_step=Text("请使用更大的表。", "Use a larger table."),
        )
    for rule in policy.columns:
        if not isinstance(rule.technique, Drop):
            _check_values(rule, facts, Place(table=table, column=rule.name))


def check_leftovers(policy: AnonymizationPolicy, released: pl.DataFrame, *, table: str) -> None:
    """Rule 5, on the columns as they would be released.

    Raises:
        BadInput: a column holds what detection takes for numbers of people; pseudonyms and
            invented values are not looked at.
    """
    rules: Mapping[str, ColumnRule] = {rule.name: rule for rule in policy.columns}
    looked_at = [name for name in released.columns if not isinstance(rules[name].technique, Pseudonymize | Fake)]
    for verdict in scan_table(released.select(looked_at)).columns:
        for kind in verdict.kinds:
            if _found(kind):
                raise Place(table=table, column=verdict.name).refuse(
                    "policy.identifiers_left",
                    found=Text(
                        f"约 {kind.share:.0%} 的取值含 {kind.kind}，规则却要放行该列",
                        f"about {kind.share:.0%} of its values hold {kind.kind}, yet the policy would release it",
                    ),
                    next_step=Text(
                        "请在规则中将该列改为 direct_id 或 free_text，并删除或假名化。",
                        "Class it direct_id or free_text in the policy, and drop or pseudonymize it.",
                    ),
                )


def _found(kind: KindShare) -> bool:
    if kind.kind not in _NUMBERS_OF_PEOPLE:
        return False
    if kind.checked is None:
        return kind.share >= MOST_HOLD_IT
    return kind.share >= SOME_HOLD_IT and kind.checked >= CHECKED


def check_columns(policy: AnonymizationPolicy, columns: Sequence[str], *, table: str) -> None:
    """Rule 1.

    Raises:
        BadInput: it is broken.
    """
    for rule in policy.columns:
        if rule.name not in columns:
            raise Place(table=table, column=rule.name).refuse(
                "policy.column_missing",
                found=Text("规则提到该列，但表中没有", "the policy names it, but the table has no such column"),
                next_step=Text("请检查列名，或从规则中删去该列。", "Check its name, or take it out of the policy."),
            )
    for name in columns:
        if policy.rule_for(name) is None:
            raise Place(table=table, column=name).refuse(
                "policy.column_unnamed",
                found=Text("规则没有提到该列，未提到即不允许", "the policy is silent about it, and silence means no"),
                next_step=Text(
                    "请在规则中写明该列的类别和处理方法，不需要的列写 drop。",
                    "Name its class and technique in the policy; drop it if it is not needed.",
                ),
            )


def _check_values(rule: ColumnRule, facts: Facts, place: Place) -> None:
    dtype = facts.schema[rule.name]
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        raise place.refuse(
            "column.not_scalar",
            found=Text(
                "单元格是列表、结构、二进制或时长，不是可放行的单个值",
                "its cells are lists, structures, bytes or durations, not values that can be released",
            ),
            next_step=Text(
                "请在源表中展开，或在规则中删除该列。", "Spread it out in the source, or drop it in the policy."
            ),
        )
    if facts.nulls[rule.name] == facts.rows:
        raise place.refuse(
            "column.all_null",
            found=Text("整列为空", "it holds no value at all"),
            next_step=Text("请在规则中删除该列，或补齐源表。", "Drop it in the policy, or fill it in the source."),
        )
    if bad := facts.not_finite.get(rule.name, 0):
        raise place.refuse(
            "column.not_finite",
            found=Text(f"有 {bad} 行是 NaN 或无穷大", f"{bad} rows hold NaN or infinity"),
            next_step=Text("请在源表中改正或留空这些单元格。", "Correct or empty these cells in the source table."),
        )
    _check_unique(rule, facts, place)


def counted_columns(policy: AnonymizationPolicy) -> list[str]:
    """The columns whose distinct values rule 4 needs."""
    return [rule.name for rule in policy.columns if _told_by_value(rule) or _told_in_part(rule)]


def _told_by_value(rule: ColumnRule) -> bool:
    """Whether the values of a column are released as they are and no equivalence class is measured on them."""
    return rule.column_class is not ColumnClass.QUASI_ID and isinstance(rule.technique, Keep | Swap | Randomize)


def _told_in_part(rule: ColumnRule) -> bool:
    """Whether a coarser form of the values is released, and no equivalence class is measured on it."""
    return rule.column_class is not ColumnClass.QUASI_ID and isinstance(rule.technique, Mask | Generalize)


def check_still_unique(
    policy: AnonymizationPolicy, facts: Facts, *, sample: pl.DataFrame, released: pl.DataFrame, table: str
) -> None:
    """Rule 4 for columns that are masked or generalized: whether that joined any values at all.

    Shape: `sample` some rows of the source, `released` the same as they would be released.
    Raises:
        BadInput: it did not, and the values differ on nearly every row.
    """
    for rule in policy.columns:
        if not _told_in_part(rule) or not _differs(rule.name, facts):
            continue
        if released[rule.name].n_unique() >= STILL_UNIQUE * sample[rule.name].n_unique():
            raise _identifier(rule, Place(table=table, column=rule.name))


def _check_unique(rule: ColumnRule, facts: Facts, place: Place) -> None:
    if _told_by_value(rule) and _differs(rule.name, facts):
        raise _identifier(rule, place)


def _differs(column: str, facts: Facts) -> bool:
    distinct = facts.distinct(column)
    return distinct is not None and facts.rows >= UNIQUE_ROWS and distinct > UNIQUE_SHARE * facts.rows


def _identifier(rule: ColumnRule, place: Place) -> BadInput:
    return place.refuse(
        "policy.unique_column",
        found=Text(
            f"按规则放行后仍几乎每行取值不同，等同标识符，不能作为 {rule.column_class}",
            f"released as the policy says it differs on nearly every row, so it is an identifier and no "
            f"{rule.column_class}",
        ),
        next_step=Text(
            "请改为 direct_id 并删除或假名化，或改为 quasi_id 并泛化。",
            "Class it direct_id and drop or pseudonymize it, or quasi_id and generalize it.",
        ),
    )


def refuse_target(
    policy: AnonymizationPolicy, *, table: str, rows: int, removed: int, proven: bool = True
) -> TargetNotMet:
    """The refusal when no generalization reaches the target; not `proven` when the search ended before it knew."""
    target = policy.target
    early = ("", "") if proven else ("搜索在看完全部层级之前结束；", "The search ended early. ")
    return TargetNotMet(
        code="target.not_met",
        subject=table,
        text=Text(
            f"表 {table} 被拒绝：{early[0]}泛化到规则允许的最粗层级，达到 {target.goal} 仍需删除 {removed} 行"
            f"（共 {rows} 行），超过上限 {target.suppression_limit:.1%}，没有写出任何文件。",
            f"Table {table} refused: even at the coarsest levels allowed, {target.goal} takes the removal of {removed} "
            f"of {rows} rows, more than the limit of {target.suppression_limit:.1%}. {early[1]}Nothing was written.",
        ),
        next_step=Text(
            "请放宽 max_level、删除一个准标识符，或提高 suppression_limit。",
            "Allow coarser levels (max_level), drop a quasi-identifier, or raise suppression_limit.",
        ),
    )


def refuse_disagreement(subject: str) -> TargetNotMet:
    """The refusal when two measurements of the same extract differ: then neither is believed."""
    return TargetNotMet(
        code="extract.verify_failed",
        subject=subject,
        text=Text(
            f"{subject} 的复核与先前的度量不一致，脱敏数据包已删除，没有留下任何文件。",
            f"Checking {subject} again gave other figures than before. The extract was removed; nothing is left.",
        ),
        next_step=Text(
            "请重试；若再次出现，请附上源表摘要和规则摘要报告此问题。",
            "Try again; if it happens again, report it with the digests of the table and the policy.",
        ),
    )
