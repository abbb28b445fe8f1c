"""`zhakou risk`: every question about the risk of one table, each asked for by its option."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import click
import polars as pl

from anonymize.errors import BadInput
from anonymize.policy import load_policy
from anonymize.privacy.classes import Classes, measure_classes
from anonymize.privacy.risk import HIGH_RISK, measure_risk, rows_at_risk
from anonymize.risk_words import (
    column_lines,
    disclosure_lines,
    linkage_lines,
    population_lines,
    risk_lines,
    table_lines,
)
from anonymize.table import read_table, write_parquet
from anonymize.techniques.generalize import Generalize
from anonymize.terminal import chosen_columns, json_option, language_option, progress_bar, refusals
from anonymize.text import Language, Text

Tell = Callable[[str, float], None]


@click.command("risk")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--quasi", multiple=True, required=True, help="Quasi-identifiers, with commas between or repeated.")
@click.option("--sensitive", multiple=True, help="Sensitive attributes, with commas between or repeated.")
@click.option(
    "--threshold",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=float(HIGH_RISK),
    show_default=True,
    help="A row is at risk above this prosecutor risk.",
)
@click.option(
    "--population",
    type=click.IntRange(min=1),
    help="People the table was drawn from: estimates how many of them are unique (Zayatz, Pitman, SNB, Dankar).",
)
@click.option(
    "--population-table",
    type=click.Path(path_type=Path),
    help="A table of the whole population: counts the people behind every class (journalist risk, k-map).",
)
@click.option(
    "--outside", type=click.Path(path_type=Path), help="A table an attacker may hold: tries to link its people."
)
@click.option(
    "--on",
    multiple=True,
    metavar="A=B",
    help="Column A of TABLE is column B of the other table; with commas between or repeated. Without it, "
    "quasi-identifiers of the same name are used.",
)
@click.option("--truth", metavar="ID=ID", help="Columns of TABLE and of --outside that are equal for the same person.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="The policy TABLE was made under: tells what its labels cover.",
)
@click.option(
    "--subsets", type=click.IntRange(min=1), help="Look at every set of up to so many quasi-identifiers, too."
)
@click.option(
    "--per-row",
    type=click.Path(path_type=Path),
    help="Write the risk of every row of TABLE, in its order, to this file.",
)
@json_option
@language_option
def risk(table: Path, as_json: bool, language: Language, **asked: Any) -> None:
    """Measure the risk of re-identification in TABLE.

    k, l, t, three attackers, uniques, how far each column tells people apart, what a class gives away of a sensitive
    attribute; on request unique people in a population, sets of columns that single out, risk row by row, and an attack
    with an outside table.
    """
    with refusals(language, as_json=as_json), progress_bar(language) as tell:
        answer, lines = _measure(table, tell=tell, **asked)
        tell("done", 1.0)
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo("\n".join(line.in_language(language) for line in lines))


COMMANDS: Final[list[click.Command]] = [risk]


def _measure(
    table: Path,
    *,
    quasi: tuple[str, ...],
    sensitive: tuple[str, ...],
    threshold: float,
    population: int | None,
    population_table: Path | None,
    outside: Path | None,
    on: tuple[str, ...],
    truth: str | None,
    policy_file: Path | None,
    subsets: int | None,
    per_row: Path | None,
    tell: Tell,
) -> tuple[dict[str, Any], list[Text]]:
    """Everything asked for: as JSON, and as lines."""
    from anonymize.privacy.column_sets import measure_column_sets, measure_columns
    from anonymize.privacy.covers import comparable
    from anonymize.privacy.disclosure import measure_disclosure

    limit = Fraction(threshold).limit_denominator(1_000_000)
    tell("read", 0.0)
    frame = read_table(table)
    names, attributes = (chosen_columns(chosen, frame.columns, table.name) for chosen in (quasi, sensitive))
    tell("measure", 0.1)
    typed, frame = frame, frame.with_columns(comparable(frame[name]) for name in names)
    classes = measure_classes(frame, names, attributes)
    found = measure_risk(classes)
    at_risk = rows_at_risk(classes, limit)
    columns = measure_columns(frame, names)
    disclosed = {name: measure_disclosure(frame, names, name) for name in attributes}
    answer: dict[str, Any] = {
        **found.as_json(),
        "threshold": threshold,
        "rows_at_risk": at_risk,
        "columns": {column.column: column.as_json() for column in columns},
        "disclosure": {name: each.as_json() for name, each in disclosed.items()},
    }
    lines = [*risk_lines(found, threshold=threshold, at_risk=at_risk), *disclosure_lines(disclosed)]
    if population is not None:
        _population(classes, population, answer, lines)
    techniques = _techniques(policy_file)
    links = _pairs(on)
    people: pl.Series | None = None
    if population_table is not None:
        people = _population_table(typed, names, population_table, links, techniques, table.name, answer, lines, tell)
    if subsets is not None:
        sets = measure_column_sets(frame, names, max_size=subsets, threshold=limit, tell=tell)
        answer["column_sets"] = [each.as_json() for each in sets]
        lines += column_lines(columns, sets)
    if outside is not None:
        _outside(typed, names, outside, links, truth, techniques, table.name, answer, lines, tell)
    if per_row is not None:
        _write_rows(frame, names, attributes, people, per_row)
        answer["per_row"] = str(per_row)
    return answer, lines


def _population(classes: Classes, population: int, answer: dict[str, Any], lines: list[Text]) -> None:
    # Read only when it is asked for: scipy takes longer to load than most tables.
    from anonymize.privacy.population import estimate_population_uniques

    unique = estimate_population_uniques(classes, population=population)
    answer["population_uniques"] = unique.as_json()
    lines += population_lines(unique)


def _population_table(
    frame: pl.DataFrame,
    names: Sequence[str],
    path: Path,
    links: Mapping[str, str],
    techniques: Mapping[str, Generalize],
    table: str,
    answer: dict[str, Any],
    lines: list[Text],
    tell: Tell,
) -> pl.Series:
    from anonymize.privacy.linkage import link
    from anonymize.privacy.population_table import measure_in_population, people_behind_rows

    population = read_table(path)
    on = _shared(names, frame, population, links, path.name, all_of_them=True)
    linked = link(frame, population, on, techniques=techniques, name=table, tell=tell)
    people = people_behind_rows(linked)
    found = measure_in_population(linked)
    answer["population_table"] = found.as_json()
    lines += table_lines(found)
    return people


def _outside(
    frame: pl.DataFrame,
    names: Sequence[str],
    path: Path,
    links: Mapping[str, str],
    truth: str | None,
    techniques: Mapping[str, Generalize],
    table: str,
    answer: dict[str, Any],
    lines: list[Text],
    tell: Tell,
) -> None:
    from anonymize.privacy.linkage import attack, link

    known = read_table(path)
    on = _shared(names, frame, known, links, path.name, all_of_them=False)
    linked = link(frame, known, on, techniques=techniques, name=table, tell=tell)
    identities = None
    if truth is not None:
        ((ours, theirs),) = _pairs((truth,)).items() or [("", "")]
        chosen_columns([ours], frame.columns, table)
        chosen_columns([theirs], known.columns, path.name)
        identities = (frame[ours], known[theirs])
    found = attack(linked, on, truth=identities, tell=tell)
    answer["linkage"] = found.as_json()
    lines += linkage_lines(found)


def _techniques(policy_file: Path | None) -> dict[str, Generalize]:
    if policy_file is None:
        return {}
    rules = load_policy(policy_file).columns
    return {rule.name: rule.technique for rule in rules if isinstance(rule.technique, Generalize)}


def _pairs(options: Sequence[str]) -> dict[str, str]:
    """`A=B,C=D` as a mapping.

    Raises:
        BadInput: a part has no equals sign, or a column is named twice.
    """
    pairs: dict[str, str] = {}
    for part in (part for option in options for part in option.split(",")):
        ours, equals, theirs = (piece.strip() for piece in part.partition("="))
        if not ours or not equals or not theirs or ours in pairs:
            raise BadInput(
                code="risk.pair_unreadable",
                subject="--on",
                text=Text(
                    "列的对应关系被拒绝：应写作 A=B，每列只写一次。",
                    "Pair of columns refused: it must read A=B, with each column named once.",
                ),
                next_step=Text("请写作 --on 本表列=外部表列。", "Write --on OURS=THEIRS."),
            )
        pairs[ours] = theirs
    return pairs


def _shared(
    names: Sequence[str],
    frame: pl.DataFrame,
    other: pl.DataFrame,
    links: Mapping[str, str],
    other_name: str,
    *,
    all_of_them: bool,
) -> dict[str, str]:
    """Which columns of the two tables are held against each other.

    Raises:
        BadInput: a named column is missing, or no column is shared; for a population, one of the quasi-identifiers.
    """
    chosen_columns([*links], frame.columns, other_name if not frame.columns else "TABLE")
    chosen_columns([*links.values()], other.columns, other_name)
    on = dict(links) or {name: name for name in names if name in other.columns}
    if not on or (all_of_them and (left := [name for name in names if name not in on])):
        subject = other_name if not on else f"{other_name}:{left[0]}"
        raise BadInput(
            code="risk.not_shared",
            subject=subject,
            text=Text(
                f"表 {other_name} 被拒绝：没有与准标识符对应的列（{subject}）。",
                f"Table {other_name} refused: it has no column for a quasi-identifier ({subject}).",
            ),
            next_step=Text("请用 --on A=B 写明对应的列。", "Say with --on A=B which columns correspond."),
        )
    return on


def _write_rows(
    frame: pl.DataFrame, names: Sequence[str], attributes: Sequence[str], people: pl.Series | None, path: Path
) -> None:
    """One row for each row of the table, in its order; no cell of the table is copied."""
    from anonymize.privacy.disclosure import row_confidence

    if path.exists():
        raise BadInput(
            code="output.exists",
            subject=path.name,
            text=Text(f"文件 {path.name} 已存在，不会覆盖。", f"File {path.name} exists; nothing is overwritten."),
            next_step=Text("请换一个文件名。", "Choose another name."),
        )
    size = frame.select(pl.len().over([pl.col(name) for name in names]).cast(pl.Int64).alias("class_size"))
    rows = size.with_row_index("row", offset=1).with_columns((1 / pl.col("class_size")).alias("prosecutor"))
    if people is not None:
        rows = rows.with_columns(people.alias("population_size"), (1 / people).alias("journalist"))
    confidences = [row_confidence(frame, names, name).alias(f"confidence:{name}") for name in attributes]
    write_parquet(rows.with_columns(confidences), path)
