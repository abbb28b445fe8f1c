"""The one order in which a table becomes an extract.

What must hold:
1. The policy fits the table, and no released column holds numbers of people.
2. Columns are transformed, and the levels found, before any row is removed.
3. Rows whose class misses the target are found by measuring the released table, not by trusting the search.
4. What was written is read again and measured again; if it misses the target by one row, it is removed and refused.
5. All three files appear together by one rename, or none does: whatever goes wrong, nothing partial is left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import polars as pl

from anonymize.errors import BadInput
from anonymize.fitness import check_fit, check_leftovers, refuse_disagreement
from anonymize.manifest import Provenance, build_manifest, write_canonical
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.privacy.classes import Classes, measure_classes
from anonymize.report import render_report
from anonymize.row_order import key_id, sort_rows
from anonymize.rung import Rung
from anonymize.table import file_digest, not_written, read_table, sync_file, write_parquet
from anonymize.techniques.drop import Drop
from anonymize.techniques.pseudonymize import check_key
from anonymize.text import Text
from anonymize.transform import (
    Transformed,
    plan_levels,
    released_rules,
    remove_unsafe_rows,
    transform_others,
    transform_quasi,
)

EXTRACT_NAME: Final = "extract.parquet"
MANIFEST_NAME: Final = "manifest.json"
REPORT_NAME: Final = "report.html"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """Where the three files of an extract lie, and its first figures.

    Units: `k` is that of the written rows; on the synthetic rung, whose rows are nobody's, that of the extract the
    model was fitted on; 0 without rows.
    """

    extract_path: Path
    manifest_path: Path
    report_path: Path
    manifest: dict[str, Any]
    rows: int
    k: int
    rung: Rung = Rung.FULL


def build_extract(
    *,
    source: Path,
    policy: AnonymizationPolicy,
    key: bytes,
    out_dir: Path,
    created_at: datetime,
    title: Text | None = None,
    progress: Progress | None = None,
) -> Extracted:
    """Write extract.parquet, manifest.json and report.html to a new folder `out_dir`.

    The bytes of the extract depend on the rows of the source, the policy and the key; not on the order of the rows,
    the time or the machine's speed.

    Raises:
        NotFound: there is no such table.
        BadInput: the table, the policy or the key can't be worked with, or the disk is full.
        TargetNotMet: the risk target can't be reached within the policy's limits.
        ValueError: `created_at` has no time zone.
    """
    tell = progress or (lambda step, share: None)
    check_call(key, created_at)
    with Staged(out_dir) as staged:
        frame, source_digest = load_source(source, tell=tell)
        made = transform_table(frame, policy=policy, key=key, table=source.name, tell=tell)
        tell("write", 0.8)
        written = staged.folder / EXTRACT_NAME
        write_parquet(made.extract, written)
        tell("verify", 0.9)
        verify_extract(written, policy=policy, promised=made.after)
        origin = Provenance(
            table=source.name,
            source_digest=source_digest,
            extract_digest=file_digest(written),
            key_id=key_id(key),
            created_at=created_at,
            title=title,
        )
        extracted = staged.seal(build_manifest(policy, made, origin), rung=Rung.FULL)
    tell("done", 1.0)
    return extracted


def check_call(key: bytes, created_at: datetime) -> None:
    """What every build asks of its caller.

    Raises:
        BadInput: the key is too short.
        ValueError: `created_at` has no time zone.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at must have a time zone")
    check_key(key)


def load_source(source: Path, *, tell: Progress) -> tuple[pl.DataFrame, str]:
    """The table and the SHA-256 of the file it was read from.

    Raises:
        NotFound: there is no such table.
        BadInput: it can't be read, or changed meanwhile.
    """
    digest = file_digest(source)
    tell("read", 0.05)
    frame = read_table(source)
    if file_digest(source) != digest:
        raise _changed(source)
    return frame, digest


def verify_extract(path: Path, *, policy: AnonymizationPolicy, promised: Classes) -> None:
    """Read a written extract and measure it anew.

    Raises:
        TargetNotMet: its rows, classes, k or l are not those promised, or below the policy's target.
    """
    frame = read_table(path)
    expected = [rule.name for rule in policy.columns if not isinstance(rule.technique, Drop)]
    if sorted(frame.columns) != sorted(expected):
        raise refuse_disagreement(path.name)
    quasi = [rule.name for rule in released_rules(policy, ColumnClass.QUASI_ID)]
    sensitive = [rule.name for rule in released_rules(policy, ColumnClass.SENSITIVE_ATTR)]
    found = measure_classes(frame, quasi, sensitive)
    diverse = policy.target.l is None or all(value >= policy.target.l for value in found.l.values())
    same = np.array_equal(found.sizes, promised.sizes) and found.l == promised.l
    if found.k < policy.target.k or not diverse or not same:
        raise refuse_disagreement(path.name)


def transform_table(
    frame: pl.DataFrame, *, policy: AnonymizationPolicy, key: bytes, table: str, tell: Progress
) -> Transformed:
    """Steps 1 to 3; the rows of the extract come in keyed order."""
    check_fit(policy, frame, table=table)
    tell("transform", 0.2)
    others = transform_others(policy, frame, key=key, table=table)
    tell("search", 0.35)
    plan = plan_levels(policy, others, table=table)
    released = transform_quasi(plan, others)
    tell("detect", 0.6)
    check_leftovers(policy, released, table=table)
    tell("measure", 0.7)
    made = remove_unsafe_rows(policy, plan, source=frame, released=released, table=table)
    return replace(made, extract=sort_rows(made.extract, key=key))


class Staged:
    """A folder beside its final place, which takes the final name in one step or vanishes.

    It lies in a private folder, so that half-made files are nobody else's to read, and is itself made with the
    permissions that new folders get here.
    """

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir

    def __enter__(self) -> Self:
        _check_free(self._out_dir)
        try:
            self._private = Path(tempfile.mkdtemp(prefix=f".{self._out_dir.name}.", dir=self._out_dir.parent))
            self.folder = self._private / self._out_dir.name
            self.folder.mkdir()
        except OSError as failed:
            raise not_written(self._out_dir) from failed
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._private, ignore_errors=True)

    def write(self, name: str, content: bytes) -> None:
        try:
            with (self.folder / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as failed:
            raise not_written(self.folder / name) from failed

    def seal(self, manifest: dict[str, Any], *, rung: Rung) -> Extracted:
        """Write report and manifest beside the extract, and give all three their final place."""
        report = render_report(manifest).encode()
        manifest["digests"]["report"] = hashlib.sha256(report).hexdigest()
        self.write(REPORT_NAME, report)
        self.write(MANIFEST_NAME, write_canonical(manifest))
        self._publish()
        return Extracted(
            extract_path=self._out_dir / EXTRACT_NAME,
            manifest_path=self._out_dir / MANIFEST_NAME,
            report_path=self._out_dir / REPORT_NAME,
            manifest=manifest,
            rows=manifest["rows"]["out"],
            k=manifest["risk"]["after"]["k"],
            rung=rung,
        )

    def _publish(self) -> None:
        """Rename into place; an empty folder of that name is replaced, anything else refuses."""
        try:
            sync_file(self.folder)
            self.folder.rename(self._out_dir)
            sync_file(self._out_dir.parent)
        except OSError as failed:
            raise not_written(self._out_dir) from failed


def _check_free(out_dir: Path) -> None:
    if out_dir.is_symlink() or (out_dir.exists() and (not out_dir.is_dir() or any(out_dir.iterdir()))):
        raise BadInput(
            code="output.exists",
            subject=out_dir.name,
            text=Text(
                f"输出目录 {out_dir.name} 已存在且不为空，不会覆盖。",
                f"The output folder {out_dir.name} exists and is not empty; nothing is overwritten.",
            ),
            next_step=Text("请换一个目录名。", "Choose another folder."),
        )


def _changed(source: Path) -> BadInput:
    return BadInput(
        code="table.changed",
        subject=source.name,
        text=Text(f"表 {source.name} 在读取过程中被修改。", f"Table {source.name} changed while it was being read."),
        next_step=Text("请等待写入结束后重试。", "Wait until it is written and try again."),
    )
