"""A policy in words, for the person who must answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anonymize.policy import AnonymizationPolicy, Cells, ColumnClass, Recoding
from anonymize.techniques.generalize import CellKind, Generalize
from anonymize.text import Language, Text

CLASS_NAMES: Final[Mapping[ColumnClass, Text]] = {
    ColumnClass.DIRECT_ID: Text("直接标识符", "direct identifier"),
    ColumnClass.QUASI_ID: Text("准标识符", "quasi-identifier"),
    ColumnClass.SENSITIVE_ATTR: Text("敏感属性", "sensitive attribute"),
    ColumnClass.FREE_TEXT: Text("自由文本", "free text"),
    ColumnClass.NON_SENSITIVE: Text("一般属性", "non-sensitive attribute"),
}

RECODING_WORDS: Final[Mapping[Recoding, Text]] = {
    Recoding.GLOBAL: Text(
        "全局泛化：每一列所有行用同一层级，在规则允许的层级中损失最小。",
        "Global recoding: one level a column for all rows, of those allowed the ones that lose least.",
    ),
    Recoding.LOCAL: Text(
        "局部泛化：每个等价类各用能覆盖其全部行的最细层级；同一列中会有粗细不同的取值。",
        "Local recoding: every class of rows gets the finest levels that cover it; a column holds finer and coarser "
        "values side by side.",
    ),
}


TIGHT_WORDS: Final = Text(
    "局部泛化，紧致取值：不用层级标签，每个等价类给出所含的取值集合或区间。集合中的每个取值、区间的两端都确实出现在该"
    "等价类中。",
    "Local recoding with tight cells: instead of labels each class is released with the set or interval of what it "
    "holds. Every value of a set, and both ends of an interval, do occur in the class.",
)


def explain(policy: AnonymizationPolicy, language: Language) -> str:
    """The policy as sentences, one line each for target, recoding and every column."""
    tight = policy.cells is Cells.TIGHT
    lines = [_head(policy), _target(policy), TIGHT_WORDS if tight else RECODING_WORDS[policy.recoding]]
    for rule in policy.columns:
        done = rule.technique.words()
        if tight and rule.column_class is ColumnClass.QUASI_ID and isinstance(rule.technique, Generalize):
            done = _tight(rule.technique)
        kind, why = CLASS_NAMES[rule.column_class], rule.reason
        lines.append(
            Text(
                f"· {rule.name}（{kind.zh}）：{done.zh}。理由：{why.zh}",
                f"· {rule.name} ({kind.en}): {done.en}. Reason: {why.en}",
            )
        )
    return "\n".join(line.in_language(language) for line in lines)


def _tight(technique: Generalize) -> Text:
    """What tight cells list, from the finest level that may be released to the coarsest that they stay within."""
    finest, coarsest = (technique.words_at(level) for level in (technique.min_level, technique.max_level))
    kinds = {
        CellKind.SET: Text("取值集合", "value sets"),
        CellKind.INTERVAL: Text("区间", "intervals"),
        None: Text("取值集合或区间", "value sets or intervals"),
    }
    zh = f"按等价类给出{kinds[technique.cell].zh}，最细：{finest.zh}；同一格不跨越：{coarsest.zh}"
    en = f"{kinds[technique.cell].en} of each class, at the finest: {finest.en}; no cell reaches beyond: {coarsest.en}"
    if technique.max_members is not None:
        zh += f"；多于 {technique.max_members} 个取值的集合换为全部取值"
        en += f"; a set of more than {technique.max_members} becomes the whole set"
    return Text(zh, en)


def _head(policy: AnonymizationPolicy) -> Text:
    return Text(
        f"规则 {policy.name}，版本 {policy.version}，摘要 {policy.digest[:12]}…",
        f"Policy {policy.name}, version {policy.version}, digest {policy.digest[:12]}…",
    )


def _target(policy: AnonymizationPolicy) -> Text:
    clauses, share = policy.target.words(), f"{policy.target.suppression_limit:.1%}"
    zh, en = ("；且".join(words.zh for words in clauses), "; and ".join(words.en for words in clauses))
    return Text(
        f"目标：{zh}；为此最多可删除 {share} 的行。", f"Target: {en}; at most {share} of the rows may be removed."
    )
