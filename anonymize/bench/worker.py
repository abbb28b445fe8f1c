"""Our own part of one case in a fresh process: `python -m anonymize.bench.worker JOB ...`, figures as JSON.

Each step's CPU seconds count every thread of the process; polars uses several.
"""

from __future__ import annotations

import hmac
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from anonymize.errors import AnonymizeError, Place
from anonymize.pipeline import build_extract
from anonymize.policy import load_policy
from anonymize.table import read_table, write_parquet
from anonymize.techniques.mask import Mask
from anonymize.techniques.pseudonymize import Pseudonymize

KEY: Final = bytes(range(32))


def anonymize(table: str, policy: str, out: str) -> dict[str, Any]:
    """A whole extract, with the CPU seconds of each step of the pipeline."""
    spent: dict[str, float] = {}
    step, since = "start", time.process_time()

    def tell(name: str, share: float) -> None:
        nonlocal step, since
        now = time.process_time()
        spent[step] = spent.get(step, 0.0) + now - since
        step, since = name, now

    made = build_extract(
        source=Path(table),
        policy=load_policy(Path(policy)),
        key=KEY,
        out_dir=Path(out),
        created_at=datetime.now(UTC),
        progress=tell,
    )
    levels = [column["level"] for column in made.manifest["columns"] if column["class"] == "quasi_id"]
    loss = made.manifest["loss"]
    return {
        "steps": {name: round(seconds, 3) for name, seconds in spent.items()},
        "search_cpu_s": spent["search"],
        "levels": None if None in levels else " ".join(map(str, levels)),
        "optimum proven": loss["proven_optimal"],
        "lower bound": loss["lower_bound"],
    }


def copy(table: str, out: str) -> dict[str, Any]:
    """The least that can be done: every byte read and written."""
    pl.scan_parquet(table).sink_parquet(out)
    return {}


def mask(table: str, out: str) -> dict[str, Any]:
    """All columns masked but for their ends."""
    frame = read_table(Path(table))
    technique = Mask(keep_start=2, keep_end=2)
    masked = [
        technique.apply(column, key=KEY, place=Place(table="masking", column=column.name))
        for column in frame.get_columns()
    ]
    write_parquet(pl.DataFrame(masked), Path(out))
    return {}


def pseudonymize(table: str, out: str) -> dict[str, Any]:
    """All columns replaced by keyed pseudonyms, each in a domain of its own."""
    frame = read_table(Path(table))
    coded = [
        Pseudonymize(domain=column.name).apply(column, key=KEY, place=Place(table="masking", column=column.name))
        for column in frame.get_columns()
    ]
    write_parquet(pl.DataFrame(coded), Path(out))
    return {}


def hmac_per_cell(table: str, out: str) -> dict[str, Any]:
    """The loop that everybody writes first: one HMAC-SHA-256 per cell, in Python."""
    frame = pl.read_parquet(table)
    coded = {
        column.name: [hmac.digest(KEY, cell.encode(), "sha256").hex()[:16] for cell in column.to_list()]
        for column in frame.get_columns()
    }
    pl.DataFrame(coded).write_parquet(out)
    return {}


JOBS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    "anonymize": anonymize,
    "copy": copy,
    "mask": mask,
    "pseudonymize": pseudonymize,
    "hmac_per_cell": hmac_per_cell,
}


def main(argv: list[str]) -> int:
    began = time.process_time()
    try:
        answer = JOBS[argv[0]](*argv[1:])
        print(json.dumps({**answer, "job_cpu_s": time.process_time() - began}))
    except AnonymizeError as refused:
        print(json.dumps({"refused": refused.code}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
