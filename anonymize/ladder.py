"""One table, four rungs: metadata, synthetic sample, sampled extract, full extract. One schema on all of them.

What must hold:
1. Levels and types are found once, on the whole table, and every rung has them: code runs unchanged on the next rung.
2. A rung below the full one is made from the full de-identified extract, never from the source rows.
3. What was written is read again and checked as its rung promises; if it fails, it is removed and refused.
4. All three files appear together, or none does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, assert_never

import polars as pl

from anonymize.chance import Chance
from anonymize.engine.build import Made, Progress, write_table
from anonymize.engine.scale import Scale
from anonymize.errors import BadInput, TargetNotMet
from anonymize.fitness import refuse_disagreement
from anonymize.manifest import Provenance, build_manifest, describe_risk
from anonymize.pipeline import (
    EXTRACT_NAME,
    Extracted,
    Staged,
    build_extract,
    check_call,
    verify_extract,
)
from anonymize.policy import AnonymizationPolicy, ColumnClass
from anonymize.privacy.classes import measure_classes
from anonymize.row_order import key_id
from anonymize.rung import MAX_SAMPLE_RATE, MAX_SAMPLE_ROWS, RUNG_NAMES, Rung, rounded_rows
from anonymize.table import file_digest, read_header, read_table, write_parquet
from anonymize.target import LModel
from anonymize.techniques.flatten import flatten
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.techniques.sample import draw_sample, sample_size
from anonymize.techniques.synthesize import copies_of_unique, synthesize, synthetic_size, without_copies
from anonymize.text import Text
from anonymize.transform import Transformed, measure_released, released_rules


def build_rung(
    *,
    rung: Rung,
    source: Path,
    policy: AnonymizationPolicy,
    key: bytes,
    out_dir: Path,
    created_at: datetime,
    rows: int | None = None,
    title: Text | None = None,
    progress: Progress | None = None,
    scale: Scale | None = None,
    population_table: Path | None = None,
) -> Extracted:
    """Write extract.parquet, manifest.json and report.html of one rung to a new folder `out_dir`.

    The bytes of the extract depend on the rows of the source, the policy, the key, the rung and `rows`; not on the
    order of the rows, the time or the machine's speed. `rows` is for the sampled and the synthetic rung: at most so
    many rows.

    Raises:
        NotFound: there is no such table.
        BadInput: the table, the policy, the key or the number of rows can't be worked with, or the disk is full.
        TargetNotMet: the risk target can't be reached within the policy's limits, or not in a sample this small.
        ValueError: `created_at` has no time zone.
    """
    if rung in (Rung.METADATA, Rung.FULL) and rows is not None:
        raise _rows_not_for(rung)
    if rung is Rung.FULL:
        return build_extract(
            source=source,
            policy=policy,
            key=key,
            out_dir=out_dir,
            created_at=created_at,
            title=title,
            progress=progress,
            scale=scale,
            population_table=population_table,
        )
    tell = progress or (lambda step, share: None)
    check_call(key, created_at)
    scale = scale or Scale()
    with Staged(out_dir) as staged:
        whole = staged.scratch / EXTRACT_NAME
        made = write_table(
            source,
            whole,
            policy=policy,
            key=key,
            scale=scale,
            scratch=staged.scratch,
            tell=tell,
            population_table=population_table,
        )
        full = _Rows(made=made.transformed, frame=_read_whole(whole, rung, made, scale=scale))
        written = staged.folder / EXTRACT_NAME
        tell("draw", 0.9)
        shown, about = _make(rung, full, policy=policy, key=key, rows=rows, table=source.name)
        write_parquet(shown.frame, written)
        tell("verify", 0.95)
        _verify(written, rung, shown=shown, full=full, policy=policy)
        origin = Provenance(
            table=source.name,
            source_digest=made.source.digest,
            extract_digest=file_digest(written),
            key_id=key_id(key),
            created_at=created_at,
            title=title,
        )
        manifest = {**build_manifest(policy, shown.made, origin, rung=rung), **about}
        extracted = staged.seal(manifest, rung=rung)
    tell("done", 1.0)
    return extracted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What was done to a table, and the rows that a rung shows of it."""

    made: Transformed
    frame: pl.DataFrame


def _read_whole(path: Path, rung: Rung, made: Made, *, scale: Scale) -> pl.DataFrame:
    """The full extract, from which a lower rung is made in memory."""
    name = RUNG_NAMES[rung]
    scale.check_whole(
        rows=made.transformed.after.rows,
        row_bytes=made.source.row_bytes,
        subject=made.source.table,
        what=Text(
            f"生成{name.zh}需要一次读入全量脱敏数据，", f"making the {name.en} takes the full extract at once and"
        ),
    )
    return read_table(path)


LowerRung = Literal[Rung.METADATA, Rung.SYNTHETIC, Rung.SAMPLED]


def _make(
    rung: LowerRung, full: _Rows, *, policy: AnonymizationPolicy, key: bytes, rows: int | None, table: str
) -> tuple[_Rows, dict[str, Any]]:
    """What a rung shows of the full extract, and what its manifest says beyond or instead of the usual."""
    chance = Chance(key, purpose=f"{rung} {policy.digest}")
    match rung:
        case Rung.METADATA:
            return _metadata(full, policy)
        case Rung.SYNTHETIC:
            return _synthetic(full, policy, key=key, rows=rows, chance=chance, table=table)
        case Rung.SAMPLED:
            return _sampled(full, policy, rows=rows, chance=chance, table=table)
        case _ as unknown:
            assert_never(unknown)


def _metadata(full: _Rows, policy: AnonymizationPolicy) -> tuple[_Rows, dict[str, Any]]:
    empty = full.frame.clear()
    nobody = measure_classes(empty, _names(policy, ColumnClass.QUASI_ID), _names(policy, ColumnClass.SENSITIVE_ATTR))
    nulls = {name: round(20 * full.frame[name].null_count() / full.frame.height) / 20 for name in full.frame.columns}
    return _Rows(made=replace(full.made, after=nobody, losses={}, changed={}, sampled=None), frame=empty), {
        "rows": {"in": rounded_rows(full.made.before.rows), "out": 0, "suppressed": 0, "rounded": True},
        "risk": {"before": None, "after": describe_risk(nobody, policy.target)},
        "dictionary": {"rows_of_full": rounded_rows(full.made.after.rows), "null_share": nulls},
    }


def _sampled(
    full: _Rows, policy: AnonymizationPolicy, *, rows: int | None, chance: Chance, table: str
) -> tuple[_Rows, dict[str, Any]]:
    bounds = policy.target.population
    least = bounds is not None and bounds.delta_min > 0
    if policy.target.t is not None or policy.target.l_model is not LModel.DISTINCT or least:
        raise _no_sample_for(policy, table=table)
    quasi, sensitive = _names(policy, ColumnClass.QUASI_ID), _names(policy, ColumnClass.SENSITIVE_ATTR)
    size = sample_size(full.frame.height, asked=rows, table=table)
    sample = draw_sample(
        full.frame,
        quasi=quasi,
        sensitive=sensitive,
        size=size,
        k=policy.target.k,
        l=policy.target.l,
        chance=chance,
        table=table,
    )
    extract = full.frame[pl.Series(sample.rows)]
    shown = replace(full.made, after=measure_released(policy, extract, full.made.plan))
    return _Rows(made=shown, frame=extract), {
        "rows": {
            "in": full.made.before.rows,
            "out": extract.height,
            "suppressed": full.made.before.rows - full.made.after.rows,
            "of": full.made.after.rows,
        },
        "sample": {
            "rate": round(extract.height / full.made.before.rows, 6),
            "max_rate": float(MAX_SAMPLE_RATE),
            "max_rows": MAX_SAMPLE_ROWS,
            "asked": rows,
            "classes": len(sample.drawn),
            "classes_of_full": full.made.after.count,
            "population": sample.risk_in_population(),
        },
    }


def _synthetic(
    full: _Rows, policy: AnonymizationPolicy, *, key: bytes, rows: int | None, chance: Chance, table: str
) -> tuple[_Rows, dict[str, Any]]:
    flat = flatten(full.frame, k=policy.target.k)
    made = synthesize(
        flat.frame,
        ends=flat.ends,
        pseudonyms=_pseudonyms(policy),
        persons=_names(policy, ColumnClass.DIRECT_ID),
        k=policy.target.k,
        rows=synthetic_size(full.frame.height, asked=rows, table=table),
        key=key,
        chance=chance,
        table=table,
    )
    compared = [name for name in full.frame.columns if name not in _pseudonyms(policy)]
    frame = without_copies(flat.restore(made.frame), full.frame, compared)
    return _Rows(made=full.made, frame=frame), {
        "rows": {
            "in": full.made.before.rows,
            "out": frame.height,
            "suppressed": full.made.before.rows - full.made.after.rows,
            "of": full.made.after.rows,
        },
        "synthetic": {
            "k": policy.target.k,
            "asked": rows,
            "copies_of_unique_rows": 0,
            "redrawn": made.redrawn,
            "left_out": made.left_out + made.frame.height - frame.height,
            "withheld": [name for name in full.frame.columns if {*flat.parts.get(name, (name,))} <= {*made.withheld}],
            "fidelity": flat.summed_up(made.fidelity),
        },
    }


def _verify(written: Path, rung: LowerRung, *, shown: _Rows, full: _Rows, policy: AnonymizationPolicy) -> None:
    """Read a written rung and check what it promises.

    Raises:
        TargetNotMet: the file is not what was promised.
    """
    schema, rows = read_header(written)
    if schema != full.frame.schema or rows != shown.frame.height:
        raise refuse_disagreement(written.name)
    match rung:
        case Rung.METADATA:
            return
        case Rung.SAMPLED:
            verify_extract(written, policy=policy, plan=full.made.plan, promised=shown.made.after)
        case Rung.SYNTHETIC:
            _verify_synthetic(read_table(written), full.frame, policy, name=written.name)
        case _ as unknown:
            assert_never(unknown)


def _verify_synthetic(frame: pl.DataFrame, extract: pl.DataFrame, policy: AnonymizationPolicy, *, name: str) -> None:
    """No value that fewer than k rows of the extract share, no pseudonym of it, no copy of a unique row."""
    pseudonyms = _pseudonyms(policy)
    for column in extract.columns:
        counts = extract.select(pl.col(column).alias("value")).group_by("value").len("rows")
        banned = counts if column in pseudonyms else counts.filter(pl.col("rows") < policy.target.k)
        banned = banned.drop_nulls("value")  # A null is no value; it also stands for what is withheld.
        found = frame.select(pl.col(column).alias("value")).join(banned, on="value", how="semi", nulls_equal=True)
        if found.height:
            raise refuse_disagreement(name)
    compared = [column for column in extract.columns if column not in pseudonyms]
    if copies_of_unique(frame, extract, compared):
        raise refuse_disagreement(name)


def _names(policy: AnonymizationPolicy, column_class: ColumnClass) -> list[str]:
    return [rule.name for rule in released_rules(policy, column_class)]


def _pseudonyms(policy: AnonymizationPolicy) -> dict[str, Pseudonymize]:
    return {rule.name: rule.technique for rule in policy.columns if isinstance(rule.technique, Pseudonymize)}


def _no_sample_for(policy: AnonymizationPolicy, *, table: str) -> TargetNotMet:
    return TargetNotMet(
        code="sample.model_not_kept",
        subject=table,
        text=Text(
            f"表 {table} 的抽样被拒绝：目标 {policy.target.goal} 在抽出的部分行中不一定成立，没有写出任何文件。",
            f"Sample of table {table} refused: the target {policy.target.goal} need not hold in a part of the rows. "
            "Nothing was written.",
        ),
        next_step=Text("请改用合成样例，或申请全量。", "Take the synthetic sample, or ask for the full extract."),
    )


def _rows_not_for(rung: Rung) -> BadInput:
    name = RUNG_NAMES[rung]
    return BadInput(
        code="rung.rows_not_for",
        subject=str(rung),
        text=Text(
            f"行数设置被拒绝：{name.zh}的行数由源表决定。",
            f"Number of rows refused: the rows of the {name.en} follow from the source.",
        ),
        next_step=Text(
            "请不写行数，或选择合成样例、抽样脱敏数据。", "Name no number, or choose the synthetic or sampled rung."
        ),
    )
