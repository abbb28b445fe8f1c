"""The manifest: what was done to a table and what risk is left, for people and for programs. It holds no cell value."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from anonymize.claims import grade_statement, not_claimed, ungraded
from anonymize.explain import CLASS_NAMES
from anonymize.policy import AnonymizationPolicy, ColumnRule
from anonymize.privacy.classes import Classes
from anonymize.privacy.lattice import Generalization
from anonymize.privacy.local import LocalRecoding
from anonymize.privacy.risk import measure_risk
from anonymize.privacy.tight import TightRecoding
from anonymize.rung import REAL_ROWS, RUNG_NAMES, RUNG_WARNINGS, Rung
from anonymize.target import Metric, Target
from anonymize.techniques.drop import Drop
from anonymize.techniques.generalize import Generalize
from anonymize.text import Text
from anonymize.transform import Transformed

FORMAT: Final = 1
_DISTRIBUTIONS: Final = ("zhakou", "polars", "polars-hash", "numpy", "faker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an extract comes from: digests are SHA-256 in hexadecimal, the table is a file's name."""

    table: str
    source_digest: str
    extract_digest: str
    key_id: str
    created_at: datetime
    title: Text | None


def build_manifest(
    policy: AnonymizationPolicy, made: Transformed, origin: Provenance, *, rung: Rung = Rung.FULL
) -> dict[str, Any]:
    """The manifest, still without the digest of the report, which shows this manifest.

    `schema` is the same on every rung: SHA-256 of the names, types and levels of the extract's columns in their order.
    """
    found, target = made.plan.found, policy.target
    return {
        "format": FORMAT,
        "kind": "zhakou.extract",
        "rung": str(rung),
        "rung_name": RUNG_NAMES[rung].as_json(),
        "rung_warning": RUNG_WARNINGS[rung].as_json(),
        "schema": schema_digest(made),
        "title": None if origin.title is None else origin.title.as_json(),
        "created_at": origin.created_at.isoformat(timespec="seconds"),
        "table": origin.table,
        "policy": {"name": policy.name, "version": policy.version},
        "key_id": origin.key_id,
        "digests": {"source": origin.source_digest, "policy": policy.digest, "extract": origin.extract_digest},
        "target": target.as_json(),
        "rows": {"in": made.before.rows, "out": made.after.rows, "suppressed": made.before.rows - made.after.rows},
        "columns": [_describe(rule, made) for rule in policy.columns],
        "risk": _risk(made, target, rung),
        "recoding": str(policy.recoding),
        "cells": str(policy.cells),
        "sampling": made.sampled,
        "loss": _describe_loss(found, target),
        "utility": made.utility.as_json() if rung in REAL_ROWS else None,
        "grade": grade_statement(policy, made.after) if rung in REAL_ROWS else ungraded(policy),
        "not_claimed": [sentence.as_json() for sentence in not_claimed(policy, rung)],
        "versions": _versions(),
    }


def _describe_loss(found: Generalization | LocalRecoding | TightRecoding, target: Target) -> dict[str, Any]:
    """The loss as NCP; `searched` is what was made small where that is another metric, and what it can't be below."""
    by_ncp = target.metric is Metric.NCP and target.suppression_cost == 1
    searched = {
        "metric": str(target.metric),
        "value": round(found.searched if isinstance(found, Generalization) else found.loss, 6),
        "lower_bound": round(found.lower_bound, 6),
    }
    return {
        "metric": "NCP",
        "value": round(found.loss, 6),
        "lower_bound": round(found.lower_bound, 6) if by_ncp else 0.0,
        "proven_optimal": isinstance(found, Generalization) and found.proven_optimal,
        "nodes": found.nodes if isinstance(found, Generalization) else None,
        "searched": searched,
    }


def schema_digest(made: Transformed) -> str:
    """SHA-256 over name, type and level of each column of the extract, in order; null where levels are mixed."""
    columns = [[name, str(dtype), made.plan.level_of(name)] for name, dtype in made.schema.items()]
    return hashlib.sha256(json.dumps(columns, ensure_ascii=False).encode()).hexdigest()


def write_canonical(manifest: Mapping[str, Any]) -> bytes:
    """The manifest's bytes: keys sorted, no blanks, UTF-8, one line."""
    return json.dumps(manifest, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _describe(rule: ColumnRule, made: Transformed) -> dict[str, Any]:
    level, shares = made.plan.level_of(rule.name), made.plan.level_shares(rule.name)
    technique, tight = rule.technique, made.plan.tight_of(rule.name)
    if tight is not None:
        done, levels = tight.words(made.plan.alone_share(rule.name)), 1
    elif isinstance(technique, Generalize) and len(shares) > 1:
        done, levels = _mixed_words(technique, shares), technique.hierarchy.depth
    elif isinstance(technique, Generalize):
        level = technique.level if level is None else level
        done, levels = technique.words_at(level or 0), technique.hierarchy.depth
    else:
        done, levels = technique.words(), 1
    released = not isinstance(technique, Drop)
    return {
        "name": rule.name,
        "class": str(rule.column_class),
        "class_name": CLASS_NAMES[rule.column_class].as_json(),
        "technique": technique.name,
        "released": released,
        "type": str(made.schema[rule.name]) if released else None,
        "level": level,
        "levels": levels if level is not None else None,
        "choices": technique.max_level - technique.min_level + 1 if isinstance(technique, Generalize) else 1,
        "level_shares": {str(number): round(share, 4) for number, share in shares.items()} if len(shares) > 1 else None,
        "done": done.as_json(),
        "reason": rule.reason.as_json(),
        "loss": round(made.losses[rule.name], 6) if rule.name in made.losses else None,
        "cell": None if tight is None else str(tight.kind),
        "changed_rows": made.changed.get(rule.name),
    }


def _mixed_words(technique: Generalize, shares: Mapping[int, float]) -> Text:
    """What was done to a column whose rows stand at different levels."""
    parts = [(technique.words_at(level), _part(share)) for level, share in shares.items()]
    return Text(
        "按等价类泛化：" + "；".join(f"{words.zh}（{share} 的行）" for words, share in parts),
        "generalized class by class: " + "; ".join(f"{words.en} ({share} of the rows)" for words, share in parts),
    )


def _part(share: float) -> str:
    return "<0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _risk(made: Transformed, target: Target, rung: Rung) -> dict[str, Any]:
    """The risk before and after; what classes give away is told of the full extract, where it was measured."""
    before, after = describe_risk(made.before, target), describe_risk(made.after, target)
    if rung is not Rung.FULL:
        return {"before": before, "after": after}
    told = [{name: pair[side].as_json() for name, pair in made.disclosed.items()} for side in (0, 1)]
    return {"before": {**before, "disclosure": told[0]}, "after": {**after, "disclosure": told[1]}}


def describe_risk(classes: Classes, target: Target) -> dict[str, Any]:
    """The risk of one table as the manifest tells it."""
    risk = measure_risk(classes)
    return {
        **risk.as_json(),
        "rows_at_high_risk": risk.rows_at_high_risk,
        "presence": None if classes.presence is None else asdict(classes.presence),
        "rows_by_class_size": _rows_by_size(classes, {1, 2, target.k, 2 * target.k, 10 * target.k}),
        "class_sizes": _rows_by_size(classes, {*_doublings(classes), target.k}),
    }


def _doublings(classes: Classes) -> list[int]:
    largest = int(classes.sizes.max(initial=1))
    return [1 << power for power in range(largest.bit_length())]


def _rows_by_size(classes: Classes, steps: set[int]) -> list[dict[str, Any]]:
    """Shares of the rows by the size of their class, from each step to the next."""
    edges = sorted(steps)
    shares: list[dict[str, Any]] = []
    for low, after in zip(edges, [*edges[1:], None], strict=True):
        within = (classes.sizes >= low) & (True if after is None else classes.sizes < after)
        rows = int(classes.sizes[within].sum())
        share = rows / classes.rows if classes.rows else 0.0
        shares.append({"from": low, "to": None if after is None else after - 1, "share": share})
    return shares


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions
