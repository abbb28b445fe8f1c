"""`zhakou utility`: what a released table is still good for, beside the table it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from anonymize.policy import ColumnClass, load_policy
from anonymize.scoring import score_tables
from anonymize.table import read_table
from anonymize.terminal import chosen_columns, json_option, language_option, progress_bar, refusals
from anonymize.text import Language, Text
from anonymize.transform import released_rules


@click.command("utility")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), required=True, help="The policy (TOML).")
@click.option(
    "--aligned",
    is_flag=True,
    help='The tables have the same rows in the same order, removed rows being all "*": then entropy is measured, too.',
)
@click.option(
    "--predict",
    metavar="COLUMN",
    help="Also train a classifier for this column from the quasi-identifiers, on both tables.",
)
@json_option
@language_option
def utility(
    before: Path,
    after: Path,
    policy_file: Path,
    aligned: bool,
    predict: str | None,
    as_json: bool,
    language: Language,
) -> None:
    """Measure what AFTER is still good for, beside BEFORE that it was made from under a policy.

    Granularity, generalization intensity, non-uniform entropy, discernibility, average class size; how far the
    distribution of every column moved, and the ties between columns; on request a classification task before and after.
    """
    with refusals(language, as_json=as_json), progress_bar(language) as tell:
        policy = load_policy(policy_file)
        tell("read", 0.0)
        source, released = read_table(before), read_table(after)
        tell("measure", 0.3)
        found = score_tables(policy, source, released, aligned=aligned, names=(before.name, after.name))
        answer = {**found.as_json(), "prediction": None}
        if predict is not None:
            from anonymize.privacy.prediction import measure_prediction

            for frame, path in ((source, before), (released, after)):
                (target,) = chosen_columns([predict], frame.columns, path.name)
            names = [rule.name for rule in released_rules(policy, ColumnClass.QUASI_ID) if rule.name != target]
            learnt = measure_prediction(source, released, features=names, target=target, table=after.name, tell=tell)
            answer["prediction"] = learnt.as_json()
        tell("done", 1.0)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo("\n".join(line.in_language(language) for line in _lines(answer)))


COMMANDS: Final[list[click.Command]] = [utility]


def _lines(answer: Mapping[str, Any]) -> list[Text]:
    entropy = answer["entropy_loss"]
    lines = [
        Text(
            f"颗粒度 {_shown(answer['granularity'])}，"
            f"泛化强度 {_shown(answer['generalization_intensity'])}（1 为未处理）",
            f"granularity {_shown(answer['granularity'])}, generalization intensity "
            f"{_shown(answer['generalization_intensity'])} (1 is untouched)",
        ),
        Text(
            f"非均匀熵损失 {_shown(entropy)}" + ("" if entropy is not None else "（行的对应关系未知，见 --aligned）"),
            f"non-uniform entropy lost {_shown(entropy)}"
            + ("" if entropy is not None else " (unknown which row became which, see --aligned)"),
        ),
        Text(
            f"可辨识度 {answer['discernibility']:.0f}（占 N² 的 {answer['discernibility_share']:.6f}），"
            f"平均等价类 {answer['average_class_size']:.1f} 行，为 k 的 {answer['c_avg']:.2f} 倍",
            f"discernibility {answer['discernibility']:.0f} ({answer['discernibility_share']:.6f} of N²), "
            f"average class {answer['average_class_size']:.1f} rows, {answer['c_avg']:.2f} times k",
        ),
    ]
    lines += [_column_line(name, column) for name, column in answer["columns"].items()]
    if (ties := answer["ties"]) is not None:
        lines.append(
            Text(
                f"{ties['pairs']} 对列的关联平均变化 {ties['mean_change']:.4f}，最大 {ties['largest_change']:.4f}",
                f"ties of {ties['pairs']} pairs of columns changed by {ties['mean_change']:.4f} on average, at most "
                f"{ties['largest_change']:.4f}",
            )
        )
    if (learnt := answer["prediction"]) is not None:
        lines.append(
            Text(
                f"预测 {learnt['target']}：处理前正确 {learnt['before']:.2%}，处理后 {learnt['after']:.2%}，"
                f"总猜最常见值 {learnt['baseline']:.2%}",
                f"predicting {learnt['target']}: right before {learnt['before']:.2%}, after {learnt['after']:.2%}, "
                f"always the commonest value {learnt['baseline']:.2%}",
            )
        )
    return lines


def _column_line(name: str, column: Mapping[str, Any]) -> Text:
    zh, en = [], []
    for key, words in _FIGURES.items():
        if column.get(key) is not None:
            zh.append(f"{words.zh} {column[key]:.4f}")
            en.append(f"{words.en} {column[key]:.4f}")
    for key, words in _DISTANCES.items():
        if column["distance"] is not None and column["distance"][key] is not None:
            zh.append(f"{words.zh} {column['distance'][key]:.4f}")
            en.append(f"{words.en} {column['distance'][key]:.4f}")
    return Text(f"{name}：{'，'.join(zh)}", f"{name}: {', '.join(en)}")


_FIGURES: Final[Mapping[str, Text]] = {
    "granularity": Text("颗粒度", "granularity"),
    "generalization_intensity": Text("泛化强度", "generalization intensity"),
    "entropy_loss": Text("熵损失", "entropy lost"),
}
_DISTANCES: Final[Mapping[str, Text]] = {
    "total_variation": Text("分布差异", "total variation"),
    "hellinger": Text("Hellinger 距离", "Hellinger"),
    "wasserstein": Text("Wasserstein 距离", "Wasserstein"),
}


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
