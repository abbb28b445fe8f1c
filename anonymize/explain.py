"""A policy in words, for the person who must answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anonymize.policy import AnonymizationPolicy, ColumnClass, Recoding
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


def explain(policy: AnonymizationPolicy, language: Language) -> str:
    """The policy as sentences, one line each for target, recoding and every column."""
    lines = [_head(policy), _target(policy), RECODING_WORDS[policy.recoding]]
    for rule in policy.columns:
        kind, done, why = CLASS_NAMES[rule.column_class], rule.technique.words(), rule.reason
        lines.append(
            Text(
                f"· {rule.name}（{kind.zh}）：{done.zh}。理由：{why.zh}",
                f"· {rule.name} ({kind.en}): {done.en}. Reason: {why.en}",
            )
        )
    return "\n".join(line.in_language(language) for line in lines)


def _head(policy: AnonymizationPolicy) -> Text:
    return Text(
        f"规则 {policy.name}，版本 {policy.version}，摘要 {policy.digest[:12]}…",
        f"Policy {policy.name}, version {policy.version}, digest {policy.digest[:12]}…",
    )


def _target(policy: AnonymizationPolicy) -> Text:
    target = policy.target
    share = f"{target.suppression_limit:.1%}"
    zh = f"目标：每个等价类至少 {target.k} 行"
    en = f"Target: at least {target.k} rows in every equivalence class"
    if target.l is not None:
        zh += f"，且每个敏感属性至少有 {target.l} 个不同取值"
        en += f", with at least {target.l} distinct values of every sensitive attribute"
    return Text(f"{zh}；为此最多可删除 {share} 的行。", f"{en}; at most {share} of the rows may be removed for it.")
