"""What `zhakou risk` says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from anonymize.privacy.column_sets import ColumnRisk, ColumnSetRisk
from anonymize.privacy.disclosure import Disclosure
from anonymize.privacy.linkage import Linkage, Matches
from anonymize.privacy.population_table import PopulationRisk
from anonymize.privacy.risk import Risk
from anonymize.text import Text

if TYPE_CHECKING:
    from anonymize.privacy.population import PopulationUniques

_SHOWN_SETS: Final = 5
"""Sets of columns named for each size; JSON has them all."""


def risk_lines(found: Risk, *, threshold: float, at_risk: float) -> list[Text]:
    lines = [
        Text(f"行数 {found.rows}，等价类 {found.classes}", f"{found.rows} rows in {found.classes} classes"),
        Text(
            f"k = {found.k}，独一无二的行 {found.uniques}", f"k = {found.k}, rows alone in their class: {found.uniques}"
        ),
        Text(
            f"重标识风险：最高 {found.prosecutor_max:.4f}，平均 {found.prosecutor_mean:.4f}，"
            f"记者模型最高 {found.journalist_max:.4f}，营销者模型 {found.marketer:.4f}",
            f"risk: prosecutor highest {found.prosecutor_max:.4f}, mean {found.prosecutor_mean:.4f}; "
            f"journalist highest {found.journalist_max:.4f}; marketer {found.marketer:.4f}",
        ),
        Text(
            f"风险高于 {threshold:g} 的行占 {at_risk:.4f}",
            f"share of rows at a risk above {threshold:g}: {at_risk:.4f}",
        ),
    ]
    return lines + [
        Text(f"{name}：l = {value}，t = {found.t[name]:.4f}", f"{name}: l = {value}, t = {found.t[name]:.4f}")
        for name, value in found.l.items()
    ]


def disclosure_lines(found: Mapping[str, Disclosure]) -> list[Text]:
    return [
        Text(
            f"{name}：{each.fixed:.2%} 的行所在等价类只有一个取值（不必认出本人即可得知）；"
            f"{each.by_confidence[0.9]:.2%} 的行可被以九成把握猜中；平均把握 {each.confidence_mean:.4f}，"
            f"不看等价类的把握 {each.baseline:.4f}",
            f"{name}: {each.fixed:.2%} of the rows lie in a class with one value alone (known without picking anybody "
            f"out); {each.by_confidence[0.9]:.2%} can be guessed with 90% confidence; mean confidence "
            f"{each.confidence_mean:.4f}, without the classes {each.baseline:.4f}",
        )
        for name, each in found.items()
    ]


def column_lines(columns: Sequence[ColumnRisk], sets: Sequence[ColumnSetRisk]) -> list[Text]:
    lines = [
        Text(
            f"{column.column}：区分度 {column.distinction:.4f}，分离度 {column.separation:.4f}",
            f"{column.column}: distinction {column.distinction:.4f}, separation {column.separation:.4f}",
        )
        for column in columns
    ]
    for size in sorted({len(each.columns) for each in sets}):
        of_size = [each for each in sets if len(each.columns) == size]
        for each in of_size[:_SHOWN_SETS]:
            names = " + ".join(each.columns)
            zh, en = ("，是使某行独一无二的最小组合", ", smallest set that makes some row unique")
            lines.append(
                Text(
                    f"{names}：独一无二的行占 {each.uniques:.2%}，平均风险 {each.prosecutor_mean:.4f}"
                    f"{zh if each.minimal else ''}",
                    f"{names}: {each.uniques:.2%} of the rows unique, mean risk {each.prosecutor_mean:.4f}"
                    f"{en if each.minimal else ''}",
                )
            )
        if left := len(of_size) - _SHOWN_SETS if len(of_size) > _SHOWN_SETS else 0:
            lines.append(Text(f"另有 {left} 个 {size} 列的组合，见 --json", f"{left} more sets of {size}, see --json"))
    return lines


def population_lines(found: PopulationUniques) -> list[Text]:
    shares = {"Zayatz": found.zayatz, "Pitman": found.pitman, "SNB": found.snb}
    zh = "，".join(f"{name} {'无解' if share is None else f'{share:.4f}'}" for name, share in shares.items())
    en = ", ".join(f"{name} {'no answer' if share is None else f'{share:.4f}'}" for name, share in shares.items())
    return [
        Text(
            f"总体 {found.population} 人中唯一者的估计占比：{found.dankar:.4f}（Dankar 规则采用 {found.believed}）；"
            f"{zh}（ARX 的 SNB {found.snb_arx:.4f}）",
            f"estimated share unique among {found.population} people: {found.dankar:.4f} (Dankar's rule takes "
            f"{found.believed}); {en} (SNB as ARX prints it {found.snb_arx:.4f})",
        )
    ]


def table_lines(found: PopulationRisk) -> list[Text]:
    return [
        Text(
            f"以总体表 {found.people} 人计：每个等价类背后至少 {found.k_map} 人 (k-map)，记者模型最高 "
            f"{found.journalist_max:.4f}，营销者模型 {found.marketer:.4f}",
            f"in the population table of {found.people} people: at least {found.k_map} behind every class (k-map), "
            f"journalist highest {found.journalist_max:.4f}, marketer {found.marketer:.4f}",
        ),
        *(
            [
                Text(
                    f"{found.rows_beyond:.2%} 的行在总体表中的人数少于本表行数，按本表行数计：总体表可能不完整，"
                    "或需用 --policy 说明标签的含义",
                    f"{found.rows_beyond:.2%} of the rows have fewer people in the population table than rows here "
                    "and count by the rows: the population may be incomplete, or --policy must say what labels cover",
                )
            ]
            if found.rows_beyond
            else []
        ),
    ]


def linkage_lines(found: Linkage) -> list[Text]:
    certain, left = found.certain, 1 - found.certain.matched
    bound_zh, bound_en = ("至多", "at most") if found.guessed_is_bound else ("预计", "expected")
    lines = [
        Text(
            f"关联攻击（外部表 {found.outside_rows} 人，{len(found.columns)} 列）："
            f"{found.reachable:.2%} 的人有相容的行",
            f"linkage attack ({found.outside_rows} people outside, {len(found.columns)} columns): "
            f"{found.reachable:.2%} of them have a compatible row",
        ),
        Text(
            f"互为唯一候选的行 {certain.matched:.2%}{_judged(certain).zh}，未关联 {left:.2%}",
            f"rows and people that are each other's only candidate: {certain.matched:.2%}{_judged(certain).en}; "
            f"not matched {left:.2%}",
        ),
        Text(
            f"在候选中随机猜测，{bound_zh} {found.guessed:.2%} 的行被正确关联",
            f"by guessing among candidates, {bound_en} {found.guessed:.2%} of the rows are matched rightly",
        ),
    ]
    if found.nearest is not None and found.nearest.right is not None:
        lines.append(
            Text(
                f"按距离关联 {found.nearest.of} 人到最近的行：正确 {found.nearest.right:.2%}，"
                f"错误 {found.nearest.wrong:.2%}",
                f"by distance, {found.nearest.of} people linked to their nearest row: right {found.nearest.right:.2%}, "
                f"wrong {found.nearest.wrong:.2%}",
            )
        )
    return lines


def _judged(matches: Matches) -> Text:
    if matches.right is None or matches.wrong is None:
        return Text("（没有 --truth，无从判断对错）", " (right or wrong can't be told without --truth)")
    return Text(
        f"（正确 {matches.right:.2%}，错误 {matches.wrong:.2%}）",
        f" (right {matches.right:.2%}, wrong {matches.wrong:.2%})",
    )
