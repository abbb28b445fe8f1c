"""The two tasks that rows pass through, a piece at a time: count its classes, and write it as it is released.

What must hold:
1. A task may run twice, also at the same time: what it writes appears whole under its name, and is the same again.
2. Rows travel by files in a private folder; what a task answers is small and holds no cell.
3. The key travels in memory, or as the name of a file where other machines may run the task.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl

from anonymize.detect.scan import SAMPLED_ROWS
from anonymize.facts import Facts
from anonymize.fitness import counted_columns, refuse_disagreement
from anonymize.perturb import changed_rows
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.row_order import write_run
from anonymize.source import Piece
from anonymize.table import not_written
from anonymize.techniques.drop import Drop
from anonymize.transform import released_rules, transform_others

PEOPLE: Final = "people"
_KEPT: Final = "kept"
_RAW: Final = "raw "
"""Names of columns begin with one of these, so that they may be called anything, `people` too."""
_MADE: Final = "made "
_SHOWN: Final = "shown "


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the tasks of one build have in common.

    Shape: `folder` is private and reached by all workers; `whole` names the released columns that are made from whole
    columns and lie there ready, `rows` is the number of rows of the table.
    """

    policy: AnonymizationPolicy
    table: str
    rows: int
    folder: Path
    whole: tuple[str, ...]
    key: bytes | Path = field(repr=False)

    @property
    def secret(self) -> bytes:
        return self.key if isinstance(self.key, bytes) else self.key.read_bytes()

    @property
    def class_map(self) -> Path:
        return self.folder / "classes.arrow"

    @property
    def known(self) -> list[str]:
        """The columns whose exact values make the classes before: quasi-identifiers, and released sensitive ones."""
        quasi = [rule.name for rule in self.policy.of_class(ColumnClass.QUASI_ID)]
        return quasi + [rule.name for rule in released_rules(self.policy, ColumnClass.SENSITIVE_ATTR)]

    def made_path(self, piece: Piece) -> Path:
        return self.folder / f"made-{piece.number}.arrow"

    def made(self, piece: Piece) -> pl.DataFrame:
        """The columns of a piece that were made from whole columns."""
        return read_rows(self.made_path(piece)) if self.whole else pl.DataFrame()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What counting a piece gives: its facts, and where its classes and its part of the sample lie."""

    facts: Facts
    classes: Path
    sample: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What releasing a piece gives: where its rows lie, how many, and how many hold another value, by column."""

    run: Path
    schema: pl.Schema
    rows: int
    changed: dict[str, int]


def count_piece(job: Job, piece: Piece) -> Counted:
    """Count the distinct rows of a piece over its known columns, and what the checks of fitness ask.

    Raises:
        BadInput: the piece can't be read, or the disk is full.
    """
    frame, made = piece.read(), job.made(piece)
    classes = class_keys(job, frame, made).group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias(PEOPLE))
    step = max(1, job.rows // SAMPLED_ROWS)
    sample = pl.concat([frame, made.select(pl.all().name.prefix(_MADE))], how="horizontal").gather_every(
        step, offset=-piece.first % step
    )
    return Counted(
        facts=Facts.of(frame, of_rows=job.rows, counted=counted_columns(job.policy)),
        classes=write_rows(classes, job.folder / f"count-{piece.number}.arrow"),
        sample=write_rows(sample, job.folder / f"sample-{piece.number}.arrow"),
    )


def release_piece(job: Job, buckets: int, piece: Piece) -> Released:
    """Write the rows of a piece that are kept, as they are released and in keyed order.

    Raises:
        BadInput: a column does not fit its technique, or the disk is full.
        TargetNotMet: a row is in no class that was counted.
    """
    frame = piece.read()
    released, kept = release_rows(job, frame, job.made(piece))
    run = job.folder / f"run-{piece.number}.arrow"
    try:
        write_run(released.filter(kept), run, key=job.secret, buckets=buckets)
    except OSError as failed:
        raise not_written(run) from failed
    return Released(
        run=run,
        schema=released.schema,
        rows=int(kept.sum()),
        changed=changed_rows(job.policy, frame, released),
    )


def release_sample(job: Job, sample: pl.DataFrame) -> pl.DataFrame:
    """The rows of the sample as they are released, those that will be removed among them."""
    made = sample.select(pl.col(_MADE + name).alias(name) for name in job.whole)
    released, _ = release_rows(job, sample.drop(_MADE + name for name in job.whole), made)
    return released


def class_keys(job: Job, frame: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The columns that say in which class a row is: known values, and those made from whole columns."""
    known = [frame[name].alias(_RAW + name) for name in job.known]
    return pl.DataFrame(known + [made[name].alias(_MADE + name) for name in job.known if name in job.whole])


def known_rows(job: Job, classes: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The columns of `class_keys` under their own names: known values in the table's order, and made ones."""
    made = [name for name in job.known if name in job.whole]
    return (
        classes.select(pl.col(_RAW + name).alias(name) for name in job.known),
        classes.select(pl.col(_MADE + name).alias(name) for name in made),
    )


def release_columns(job: Job, frame: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """The columns of a frame as `transform_others` gives them for the whole table."""
    plain = frame.drop(name for name in job.whole if name in frame.columns)
    rules = tuple(rule for rule in job.policy.columns if rule.name in plain.columns)
    others = transform_others(replace(job.policy, columns=rules), plain, key=job.secret, table=job.table)
    ready = {column.name: column for column in (*others.get_columns(), *made.get_columns())}
    return pl.DataFrame([ready[name] for name in frame.columns if name in ready])


def _as_text(column: pl.Series) -> pl.Series:
    return column.cast(pl.String) if column.dtype == pl.Enum else column


def write_class_map(job: Job, classes: pl.DataFrame, shown: pl.DataFrame, kept: pl.Series) -> None:
    """Write down for every class how its quasi-identifiers are shown and whether it is kept."""
    quasi = [rule.name for rule in released_rules(job.policy, ColumnClass.QUASI_ID)]
    answers = [shown[name].alias(_SHOWN + name) for name in quasi]
    answered = classes.drop(PEOPLE).with_columns(*answers, kept.alias(_KEPT))
    write_rows(answered.select(_as_codes(column) for column in answered.get_columns()), job.class_map)


def _as_codes(column: pl.Series) -> pl.Series:
    """Texts as numbers of one table of texts: a class map has few of them, many times over."""
    return column.cast(pl.Enum(column.unique().drop_nulls().sort())) if column.dtype == pl.String else column


def _like_classes(keys: pl.DataFrame, classes: pl.DataFrame, *, table: str) -> pl.DataFrame:
    """Keys in the codes of the class map.

    Raises:
        TargetNotMet: a row holds a text that no class has.
    """
    types = {name: classes.schema[name] for name in keys.columns if keys.schema[name] == pl.String}
    coded = keys.with_columns(pl.col(name).cast(dtype, strict=False) for name, dtype in types.items())
    if any(coded[name].null_count() != keys[name].null_count() for name in types):
        raise refuse_disagreement(table)
    return coded


def release_rows(job: Job, frame: pl.DataFrame, made: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """All rows of a frame as they are released, and which of them are kept.

    Raises:
        TargetNotMet: a row is in no class that was counted.
    """
    classes = load_class_map(job.class_map)
    keys = _like_classes(class_keys(job, frame, made), classes, table=job.table)
    shown = keys.join(classes, on=keys.columns, how="left", nulls_equal=True, maintain_order="left")
    if shown[_KEPT].null_count():
        raise refuse_disagreement(job.table)
    quasi = {rule.name for rule in job.policy.of_class(ColumnClass.QUASI_ID)}
    rest = [name for name in frame.columns if name not in quasi]
    others = release_columns(job, frame.select(rest), made.select(name for name in made.columns if name not in quasi))
    columns = [
        _as_text(shown[_SHOWN + rule.name]).alias(rule.name) if rule.name in quasi else others[rule.name]
        for rule in (job.policy.rule_for(name) for name in frame.columns)
        if rule is not None and not isinstance(rule.technique, Drop)
    ]
    return pl.DataFrame(columns), shown[_KEPT]


def count_columns(columns: Sequence[str], folder: Path, piece: Piece) -> Path:
    """Count the distinct rows of a written piece over some columns."""
    rows = piece.read()
    keys = rows.select(pl.col(name).alias(_RAW + name) for name in columns)
    keys = keys if columns else rows.select(pl.repeat(0, pl.len()).alias(_RAW))  # no column, no height
    counted = keys.group_by(pl.all()).agg(pl.len().cast(pl.Int64).alias(PEOPLE))
    return write_rows(counted, folder / f"check-{piece.number}.arrow")


def own_names(classes: pl.DataFrame) -> pl.DataFrame:
    """What `count_columns` counted, under the names of the columns and without the people."""
    return classes.drop(PEOPLE).rename(lambda name: name.removeprefix(_RAW))


def write_rows(frame: pl.DataFrame, path: Path) -> Path:
    """Write rows for another task, whole or not at all.

    Raises:
        BadInput: the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        frame.write_ipc(temporary, compression="lz4")
        temporary.replace(path)
    except (OSError, pl.exceptions.PolarsError) as failed:
        raise not_written(path) from failed
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_rows(path: Path) -> pl.DataFrame:
    """Rows that another task wrote."""
    return pl.read_ipc(path)


@lru_cache(maxsize=1)
def load_class_map(path: Path) -> pl.DataFrame:
    """What `write_class_map` wrote; a worker has many pieces and reads it once."""
    return read_rows(path)
