"""The one order in which a table becomes an extract, whatever its size: `engine/` works piece by piece.

What must hold:
1. The rows are written as `engine.build` promises.
2. What was written is read again and measured again; if it misses the target by one row, it is removed and refused.
3. All three files appear together by one rename, or none does: whatever goes wrong, nothing partial is left.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from anonymize.engine.build import Progress, measure_file, write_table
from anonymize.engine.scale import Scale
from anonymize.errors import BadInput
from anonymize.fitness import refuse_disagreement
from anonymize.manifest import Provenance, build_manifest, write_canonical
from anonymize.policy import AnonymizationPolicy
from anonymize.privacy.classes import Classes
from anonymize.report import render_report
from anonymize.row_order import key_id
from anonymize.rung import Rung
from anonymize.table import file_digest, not_written, read_header, sync_file
from anonymize.techniques.drop import Drop
from anonymize.techniques.pseudonymize import check_key
from anonymize.text import Text
from anonymize.transform import Plan

EXTRACT_NAME: Final = "extract.parquet"
MANIFEST_NAME: Final = "manifest.json"
REPORT_NAME: Final = "report.html"


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
    scale: Scale | None = None,
    population_table: Path | None = None,
) -> Extracted:
    """Write extract.parquet, manifest.json and report.html to a new folder `out_dir`.

    The bytes of the extract depend on the rows of the source, the policy and the key; not on the order of the rows,
    the time, the machine's speed or memory, or the engine.

    Raises:
        NotFound: there is no such table.
        BadInput: the table, the policy or the key can't be worked with, or the disk is full.
        TargetNotMet: the risk target can't be reached within the policy's limits.
        ValueError: `created_at` has no time zone.
    """
    tell = progress or (lambda step, share: None)
    check_call(key, created_at)
    scale = scale or Scale()
    with Staged(out_dir) as staged:
        written = staged.folder / EXTRACT_NAME
        made = write_table(
            source,
            written,
            policy=policy,
            key=key,
            scale=scale,
            scratch=staged.scratch,
            tell=tell,
            population_table=population_table,
        )
        tell("verify", 0.9)
        done = made.transformed
        verify_extract(written, policy=policy, promised=done.after, plan=done.plan, scale=scale)
        origin = Provenance(
            table=source.name,
            source_digest=made.source.digest,
            extract_digest=file_digest(written),
            key_id=key_id(key),
            created_at=created_at,
            title=title,
        )
        extracted = staged.seal(build_manifest(policy, made.transformed, origin), rung=Rung.FULL)
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


def verify_extract(
    path: Path,
    *,
    policy: AnonymizationPolicy,
    promised: Classes,
    plan: Plan | None = None,
    scale: Scale | None = None,
) -> None:
    """Read a written extract and measure it anew, piece by piece.

    Raises:
        TargetNotMet: its rows, classes, k, l or t are not those promised, or below the policy's target.
    """
    schema, _ = read_header(path)
    expected = [rule.name for rule in policy.columns if not isinstance(rule.technique, Drop)]
    if sorted(schema) != sorted(expected):
        raise refuse_disagreement(path.name)
    with tempfile.TemporaryDirectory(prefix=".verify.", dir=path.parent) as scratch:
        found = measure_file(path, policy, plan, scale=scale or Scale(), scratch=Path(scratch).resolve())
    if found.misses(policy.target) or not found.same_as(promised):
        raise refuse_disagreement(path.name)


class Staged:
    """A folder beside its final place, which takes the final name in one step or vanishes.

    It lies in a private folder, so that half-made files are nobody else's to read, and is itself made with the
    permissions that new folders get here. `scratch` beside it is for what a build needs on the way.
    """

    def __init__(self, out_dir: Path) -> None:
        self._out_dir = out_dir

    def __enter__(self) -> Self:
        _check_free(self._out_dir)
        try:
            private = tempfile.mkdtemp(prefix=f".{self._out_dir.name}.", dir=self._out_dir.parent)
            self._private = Path(private).resolve()
            self.folder = self._private / self._out_dir.name
            self.folder.mkdir()
            self.scratch = self._private / "scratch"
            self.scratch.mkdir()
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
