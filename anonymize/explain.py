"""A policy in words, for the person who must answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from anonymize.policy import FORMAT, AnonymizationPolicy, Cells, ColumnClass, ColumnRule, Recoding
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
    lines = [_head(policy), _target(policy), _recoding(policy)]
    if policy.sampling is not None:
        drawn = policy.sampling.words()
        lines.append(Text(f"抽样：{drawn.zh}。", f"Sample: {drawn.en}."))
    for rule in policy.columns:
        kind, done, why = CLASS_NAMES[rule.column_class], _done(policy, rule), rule.reason
        lines.append(
            Text(
                f"· {rule.name}（{kind.zh}）：{done.zh}。理由：{why.zh}",
                f"· {rule.name} ({kind.en}): {done.en}. Reason: {why.en}",
            )
        )
    return "\n".join(line.in_language(language) for line in lines)


def _recoding(policy: AnonymizationPolicy) -> Text:
    return TIGHT_WORDS if policy.cells is Cells.TIGHT else RECODING_WORDS[policy.recoding]


def _done(policy: AnonymizationPolicy, rule: ColumnRule) -> Text:
    quasi = rule.column_class is ColumnClass.QUASI_ID
    if policy.cells is Cells.TIGHT and quasi and isinstance(rule.technique, Generalize):
        return _tight(rule.technique)
    return rule.technique.words()


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


def as_json(policy: AnonymizationPolicy) -> dict[str, Any]:
    """The policy in words as programs read it, every sentence in both languages."""
    return {
        "name": policy.name,
        "version": policy.version,
        "format": FORMAT,
        "digest": policy.digest,
        "target": {**policy.target.as_json(), "text": _target(policy).as_json()},
        "recoding": {"name": str(policy.recoding), "cells": str(policy.cells), "text": _recoding(policy).as_json()},
        "sample": None if policy.sampling is None else policy.sampling.words().as_json(),
        "columns": [
            {
                "name": rule.name,
                "class": str(rule.column_class),
                "class_name": CLASS_NAMES[rule.column_class].as_json(),
                "technique": rule.technique.name,
                "done": _done(policy, rule).as_json(),
                "reason": rule.reason.as_json(),
            }
            for rule in policy.columns
        ],
    }
