"""The perturbed columns of a table: those that are calculated on whole columns, alone or jointly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

import polars as pl

from anonymize.errors import Place
from anonymize.policy import AnonymizationPolicy, ColumnClass, ColumnRule, joint_rules
from anonymize.row_draws import RowDraws
from anonymize.techniques.drop import Drop
from anonymize.techniques.end_coding import BottomCode, TopCode
from anonymize.techniques.micro_aggregate import MicroAggregate
from anonymize.techniques.noise import Noise
from anonymize.techniques.randomize import Randomize
from anonymize.techniques.registry import Perturbing
from anonymize.techniques.rounding import Round
from anonymize.techniques.swap import Swap
from anonymize.text import Text


def perturb_columns(
    policy: AnonymizationPolicy, frame: pl.DataFrame, *, key: bytes, table: str
) -> Mapping[str, pl.Series]:
    """The released columns of every perturbing technique, by name.

    Raises:
        BadInput: a column does not fit its technique.
    """
    groups = joint_rules(policy)
    if not groups:
        return {}
    reached = [rule.name for rule in policy.columns if not isinstance(rule.technique, Drop)]
    draws = RowDraws(frame.select(reached), key=key)
    return {column.name: column for rules in groups.values() for column in _perturb(rules, frame, draws, table=table)}


def _perturb(rules: Sequence[ColumnRule], frame: pl.DataFrame, draws: RowDraws, *, table: str) -> list[pl.Series]:
    columns = [frame[rule.name] for rule in rules]
    places = [Place(table=table, column=rule.name) for rule in rules]
    techniques = [rule.technique for rule in rules if isinstance(rule.technique, Perturbing)]
    match techniques[0]:
        case MicroAggregate():
            joint = [technique for technique in techniques if isinstance(technique, MicroAggregate)]
            return MicroAggregate.perturb(joint, columns, draws=draws, places=places)
        case Noise():
            noises = [technique for technique in techniques if isinstance(technique, Noise)]
            return Noise.perturb(noises, columns, draws=draws, places=places)
        case (Swap() | Randomize()) as alone:
            return [alone.perturb(columns[0], draws=draws, place=places[0])]
        case _ as unknown:
            assert_never(unknown)


def changed_rows(policy: AnonymizationPolicy, source: pl.DataFrame, released: pl.DataFrame) -> dict[str, int]:
    """How many rows hold another value than in the source, for every column that is rounded, coded or perturbed."""
    counted = (Round, TopCode, BottomCode, MicroAggregate, Noise, Swap, Randomize)
    return {
        rule.name: int(source[rule.name].ne_missing(released[rule.name]).sum())
        for rule in policy.columns
        if isinstance(rule.technique, counted)
    }


def not_promised(policy: AnonymizationPolicy) -> list[Text]:
    """What perturbed columns do not promise, for the manifest."""
    used = {type(rule.technique) for rule in policy.columns}
    sentences = [text for technique, text in _NOT_PROMISED.items() if technique in used]
    quasi = [rule for rule in policy.of_class(ColumnClass.QUASI_ID) if isinstance(rule.technique, Perturbing)]
    return [_PERTURBED_QUASI, *sentences] if quasi else sentences


_PERTURBED_QUASI: Final = Text(
    "经扰动的准标识符按放行后的取值计算 k；只知道真实值近似值的人，可能把候选范围缩小到少于 k 行。"
    "细节损失 (NCP) 只计泛化，不计扰动。",
    "For perturbed quasi-identifiers k is counted on the released values; whoever knows the true values roughly may be "
    "left with fewer than k candidates. The loss (NCP) counts generalization only, not perturbation.",
)
_NOT_PROMISED: Final[Mapping[type, Text]] = {
    Noise: Text(
        "噪声不是差分隐私：它按该列的离散程度设定，极端值加噪后仍然突出；与真实值相近的记录可以按距离匹配。",
        "The noise is no differential privacy: it is set by the spread of the column, so extreme values still stand "
        "out, and records can be matched by distance to their true values.",
    ),
    Swap: Text(
        "互换后的取值全部是真实值，只是换了行：某个取值出现在表中，说明确有其人；最大值和最小值原样保留。",
        "Swapped values are all real, only in other rows: a value that occurs tells that somebody has it, and the "
        "largest and smallest are as they were.",
    ),
    Randomize: Text(
        "随机化的列中每个取值都可能是真的；稀有类别出现时，真的可能性由保留概率和该类别的占比决定，没有逐行度量。",
        "In a randomized column every value may be true; how likely follows from the probability kept and the share of "
        "the category, and was not measured row by row.",
    ),
    MicroAggregate: Text(
        "微聚集只在一起分组的列之间保证每组 k 行；组内各行的真实值若几乎相同，均值就接近真实值。",
        "Micro-aggregation keeps k rows a group only among the columns grouped together; where the true values of a "
        "group are nearly the same, their mean is near to each.",
    ),
}
