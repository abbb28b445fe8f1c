"""From a table to the rows of its extract, whatever its size: count, search, release, put in order.

What must hold:
1. The policy fits the table, and no released column holds numbers of people.
2. Columns are transformed, and the levels found, before any row is removed.
3. Rows whose class misses the target are found by measuring the released table, not by trusting the search.
4. Memory grows with distinct rows over quasi-identifiers and sensitive attributes, not with rows.
5. The file written depends on rows, policy and key alone: not on pieces, workers or engine.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import polars.selectors as cs

from anonymize.engine.drawn import draw_source
from anonymize.engine.run import Answer, Item
from anonymize.engine.scale import Scale
from anonymize.engine.tasks import (
    PEOPLE,
    Counted,
    Job,
    Released,
    count_columns,
    count_piece,
    known_rows,
    load_class_map,
    own_names,
    read_rows,
    release_columns,
    release_piece,
    release_sample,
    write_class_map,
    write_rows,
)
from anonymize.errors import AnonymizeError, BadInput
from anonymize.facts import Facts
from anonymize.fitness import check_columns, check_fit, check_leftovers, check_still_unique, counted_columns
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.population import read_population
from anonymize.privacy.classes import Classes
from anonymize.row_order import bucket_count, merge_runs
from anonymize.sample_risk import measure_sample
from anonymize.scoring import with_other_columns
from anonymize.source import Source, cut_parquet, open_source
from anonymize.table import TableWriter
from anonymize.techniques.drop import Drop
from anonymize.text import Text
from anonymize.transform import (
    Plan,
    Transformed,
    measure_released,
    plan_levels,
    released_rules,
    remove_unsafe_rows,
    transform_others,
    transform_quasi,
)

Progress = Callable[[str, float], None]

MERGE_ROWS: Final = 4_000_000
"""Counted rows gathered before they are added up."""
DISK_COPIES: Final = 2
"""The rows of a large table lie on disk twice: in order by piece, and as the extract."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A written table: what was done, and what it was made from."""

    transformed: Transformed
    source: Source


def write_table(
    source: Path,
    target: Path,
    *,
    policy: AnonymizationPolicy,
    key: bytes,
    scale: Scale,
    scratch: Path,
    tell: Progress,
    population_table: Path | None = None,
) -> Made:
    """Write all rows of a table that are kept, as its policy releases them, in keyed order.

    Shape: `scratch` is an empty private folder on the disk of the target; what is left there is the caller's to remove.
    Raises:
        NotFound: there is no such table.
        BadInput: table and policy don't fit, the table is past memory for what the policy asks, or the disk is full.
        TargetNotMet: the risk target can't be reached within the policy's limits.
    """
    outside = read_population(population_table, policy)
    opened = open_source(source, scale=scale, scratch=scratch)
    tell("read", 0.02)
    try:
        return _write_opened(
            opened, target, policy=policy, key=key, scale=scale, scratch=scratch, tell=tell, outside=outside
        )
    except AnonymizeError:
        opened.check_unchanged()  # then that is the reason, whatever came of it
        raise
    finally:
        load_class_map.cache_clear()


def _write_opened(
    opened: Source,
    target: Path,
    *,
    policy: AnonymizationPolicy,
    key: bytes,
    scale: Scale,
    scratch: Path,
    tell: Progress,
    outside: pl.DataFrame | None,
) -> Made:
    check_columns(policy, list(opened.schema), table=opened.table)
    _check_disk(opened, scratch)
    population = None
    if policy.sampling is not None:
        population = _population(opened, policy, scale=scale, scratch=scratch)
        opened = draw_source(opened, policy.sampling, policy=policy, key=key, scale=scale, scratch=scratch)
    job = _job(opened, policy=policy, key=key, scale=scale, scratch=scratch)
    _make_whole(job, opened, key=key, scale=scale)
    counted = _run(scale, partial(count_piece, job), opened.pieces, step="read", share=(0.05, 0.3), tell=tell)
    facts = Facts.total([part.facts for part in counted])
    check_fit(policy, facts, table=opened.table)
    tell("search", 0.3)
    made = _search(job, counted, scale=scale, population=population, outside=outside)
    tell("detect", 0.45)
    made = _look_at_sample(job, opened, counted, facts=facts, made=made)
    buckets = bucket_count(opened.rows, largest=scale.piece_rows(opened.row_bytes)) if len(opened.pieces) > 1 else 1
    runs = _run(
        scale, partial(release_piece, job, buckets), opened.pieces, step="transform", share=(0.5, 0.75), tell=tell
    )
    tell("write", 0.75)
    _write(target, runs, buckets=buckets, tell=tell)
    opened.check_unchanged()
    changed = {name: sum(run.changed[name] for run in runs) for name in runs[0].changed}
    return Made(transformed=replace(made, schema=runs[0].schema, changed=changed), source=opened)


def measure_file(path: Path, policy: AnonymizationPolicy, plan: Plan | None, *, scale: Scale, scratch: Path) -> Classes:
    """The classes of a written Parquet file as its policy's target asks, counted piece by piece."""
    counting = (ColumnClass.QUASI_ID, ColumnClass.SENSITIVE_ATTR)
    names = [rule.name for column_class in counting for rule in released_rules(policy, column_class)]
    counted = scale.engine.run_tasks(
        partial(count_columns, names, scratch), cut_parquet([path], scale=scale), done=lambda answered: None
    )
    if not counted:
        return measure_released(policy, pl.read_parquet(path, glob=False), plan)
    classes = _add_up(counted)
    return measure_released(policy, own_names(classes), plan, weights=classes[PEOPLE])


def _job(source: Source, *, policy: AnonymizationPolicy, key: bytes, scale: Scale, scratch: Path) -> Job:
    """What the tasks share. Only for workers elsewhere the key becomes a file, private and gone with the folder."""
    carried: bytes | Path = key
    if scale.engine.far:
        carried = scratch / "key"
        carried.touch(mode=0o600)
        carried.write_bytes(key)
    whole = tuple(
        rule.name for rule in policy.columns if not isinstance(rule.technique, Drop) and rule.technique.whole_column
    )
    return Job(policy=policy, table=source.table, rows=source.rows, folder=scratch, whole=whole, key=carried)


def _make_whole(job: Job, source: Source, *, key: bytes, scale: Scale) -> None:
    """Make the columns that can't be made piece by piece, from the whole table in memory."""
    if not job.whole:
        return
    names = "、".join(job.whole), ", ".join(job.whole)
    scale.check_whole(
        rows=source.rows,
        row_bytes=source.row_bytes,
        subject=source.table,
        what=Text(
            f"列 {names[0]} 的处理方法需要一次读入全表，",
            f"the technique of {names[1]} takes the whole table at once and",
        ),
    )
    frame = pl.concat([piece.read() for piece in source.pieces])
    facts = Facts.of(frame, counted=counted_columns(job.policy))
    check_fit(job.policy, facts, table=source.table)  # A technique may rely on what is checked here.
    made = transform_others(job.policy, frame, key=key, table=source.table).select(job.whole)
    for piece in source.pieces:
        write_rows(made.slice(piece.first, piece.rows), job.made_path(piece))


def _population(source: Source, policy: AnonymizationPolicy, *, scale: Scale, scratch: Path) -> pl.DataFrame:
    """The distinct rows of a table over its released quasi-identifiers, counted before it is sampled."""
    names = [rule.name for rule in released_rules(policy, ColumnClass.QUASI_ID)]
    task = partial(count_columns, names, scratch)
    return _add_up(scale.engine.run_tasks(task, source.pieces, done=lambda answered: None))


def _search(
    job: Job,
    counted: Sequence[Counted],
    *,
    scale: Scale,
    population: pl.DataFrame | None,
    outside: pl.DataFrame | None,
) -> Transformed:
    """The levels, found on the distinct rows of the whole table, and what becomes of each."""
    classes = _add_up([part.classes for part in counted])
    size = int(classes.estimated_size()) // max(1, classes.height)
    scale.check_classes(classes=classes.height, row_bytes=size, subject=job.table)
    known, made = known_rows(job, classes)
    others = release_columns(job, known, made)
    plan = plan_levels(job.policy, others, table=job.table, weights=classes[PEOPLE], population=outside)
    shown = transform_quasi(plan, others)
    transformed = remove_unsafe_rows(job.policy, plan, source=known, released=shown, table=job.table)
    if population is not None:
        transformed = replace(transformed, sampled=_sampled(job, transformed, others, population))
    write_class_map(job, classes, shown, transformed.kept)
    return transformed


def _look_at_sample(
    job: Job, source: Source, counted: Sequence[Counted], *, facts: Facts, made: Transformed
) -> Transformed:
    """Check some rows as they are released, every one of a table that is not large, and measure their utility.

    Raises:
        BadInput: a released column still points at single rows, or holds numbers of people.
    """
    sample = pl.concat([read_rows(part.sample) for part in counted])
    released = release_sample(job, sample)
    check_still_unique(job.policy, facts, sample=sample, released=released, table=job.table)
    check_leftovers(job.policy, released.select(~cs.nested()), table=job.table)
    for column in made.plan.tight:
        # What a nested cell may list, value by value; a column that is kept exact is looked at above.
        if column.kind is not None:
            check_leftovers(job.policy, pl.DataFrame([column.members.alias(column.leveled.name)]), table=job.table)
    rows = sample.select(source.schema.names())
    return replace(made, utility=with_other_columns(job.policy, made.utility, source=rows, released=released))


def _sampled(job: Job, made: Transformed, others: pl.DataFrame, population: pl.DataFrame) -> dict[str, object]:
    """What was drawn, and the risk with the whole table as the population."""
    names = [leveled.name for leveled in made.plan.columns]
    whole = release_columns(job, own_names(population), pl.DataFrame()) if names else pl.DataFrame()
    people = population[PEOPLE]
    return measure_sample(job.policy, made, drawn=others, whole=whole, people=people, table=job.table).as_json()


def _add_up(counted: Iterable[Path]) -> pl.DataFrame:
    """Distinct rows and their people, from those of the pieces; sorted, so that pieces don't tell."""
    total, waiting = pl.DataFrame(), list[pl.DataFrame]()
    for path in counted:
        waiting.append(read_rows(path))
        path.unlink()
        if sum(part.height for part in waiting) > MERGE_ROWS:
            total, waiting = _sum(total, waiting), []
    total = _sum(total, waiting) if waiting else total
    names = [name for name in total.columns if name != PEOPLE]
    return total.sort(names, nulls_last=True)


def _sum(total: pl.DataFrame, waiting: list[pl.DataFrame]) -> pl.DataFrame:
    parts = pl.concat([total, *waiting] if total.width else waiting)
    return parts.group_by(pl.exclude(PEOPLE)).agg(pl.col(PEOPLE).sum())


def _write(target: Path, runs: Sequence[Released], *, buckets: int, tell: Progress) -> None:
    rows = sum(run.rows for run in runs)
    written = 0
    with TableWriter(target) as writer:
        writer.write(pl.DataFrame(schema=runs[0].schema))
        for part in merge_runs([run.run for run in runs], columns=list(runs[0].schema), buckets=buckets):
            writer.write(part)
            written += part.height
            tell("write", 0.75 + 0.15 * written / max(1, rows))
    for run in runs:
        run.run.unlink()


def _run(
    scale: Scale,
    task: Callable[[Item], Answer],
    items: Sequence[Item],
    *,
    step: str,
    share: tuple[float, float],
    tell: Progress,
) -> list[Answer]:
    low, high = share
    return scale.engine.run_tasks(
        task, items, done=lambda answered: tell(step, low + (high - low) * answered / len(items))
    )


def _check_disk(source: Source, scratch: Path) -> None:
    """Refuse at once what would fill the disk after an hour.

    Raises:
        BadInput: there is too little room for the rows of the table.
    """
    needed = source.rows * source.row_bytes * DISK_COPIES
    free = shutil.disk_usage(scratch).free
    if needed > free:
        raise BadInput(
            code="output.disk_too_small",
            subject=source.table,
            text=Text(
                f"表 {source.table} 未处理：输出目录所在磁盘约需 {needed / 2**20:,.1f} MiB，"
                f"只剩 {free / 2**20:,.1f} MiB。",
                f"Table {source.table} not begun: the disk of the output folder needs about {needed / 2**20:,.1f} MiB "
                f"and has {free / 2**20:,.1f} MiB.",
            ),
            next_step=Text("请腾出空间或换一个目录后重试。", "Free some space or choose another folder and try again."),
        )
