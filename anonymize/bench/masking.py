"""Rows of masking and of risk figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from anonymize.bench.cases import DIGITS, POPULATION, RISK
from anonymize.bench.data import ADULT, MASKING_ROWS, make_masking
from anonymize.bench.models import ARX, open_table
from anonymize.bench.row import OURS, STATED, Bar, Row
from anonymize.bench.runs import locked_version, peer_environment, run_job, run_ours, run_peer

MASKING: Final = "masking, 8 text columns"
RISKS: Final = "risk of the raw table"
PRESIDIO_ROWS: Final = 20_000
LOOP_ROWS: Final = 200_000


def masking_rows(work: Path, *, peers: bool) -> Iterator[Row]:
    """Ours beside a plain copy, a loop in Python and presidio-structured."""
    table = make_masking(work / "data")
    few = make_masking(work / "data", LOOP_ROWS)
    copy = _speed("copy", table, work, MASKING_ROWS)
    loop = _speed("hmac_per_cell", few, work, LOOP_ROWS)
    mask = _speed("mask", table, work, MASKING_ROWS)
    codes = _speed("pseudonymize", table, work, MASKING_ROWS)
    presidio = _presidio(table, work) if peers else "left out"
    bars = [Bar(figure="share of a plain copy", limit=0.30, at_least=True)]
    figures = {**mask, "share of a plain copy": mask["rows_per_cpu_s"] / copy["rows_per_cpu_s"]}
    if not isinstance(presidio, str):
        bars.append(Bar(figure="times presidio-structured", limit=40, at_least=True))
        figures["times presidio-structured"] = mask["rows_per_cpu_s"] / presidio["rows_per_cpu_s"]
    yield Row(section=MASKING, case="mask", tool=OURS, figures=figures, bars=tuple(bars))
    yield Row(section=MASKING, case="mask", tool="polars, plain copy", figures=copy)
    tool = f"presidio-structured {locked_version('presidio', 'presidio-structured')}"
    note = presidio if isinstance(presidio, str) else f"its fastest case (object dtype), {PRESIDIO_ROWS:,} rows"
    yield Row(section=MASKING, case="mask", tool=tool, figures={} if isinstance(presidio, str) else presidio, note=note)
    times = codes["rows_per_cpu_s"] / loop["rows_per_cpu_s"]
    yield Row(
        section=MASKING,
        case="keyed pseudonyms",
        tool=OURS,
        figures={**codes, "times the loop": times},
        bars=(Bar(figure="times the loop", limit=10, at_least=True),),
    )
    note = f"{LOOP_ROWS:,} rows"
    yield Row(section=MASKING, case="keyed pseudonyms", tool="Python, HMAC per cell", figures=loop, note=note)


def _speed(job: str, table: Path, work: Path, rows: int) -> dict[str, Any]:
    """Rows per CPU second of the job itself, from file to file; imports are not counted, for nobody."""
    out = work / "out" / f"{job}.parquet"
    out.parent.mkdir(parents=True, exist_ok=True)
    taken = run_ours(job, table, out)
    spent = taken.answer["job_cpu_s"]
    return {"cpu_s": spent, "peak_mb": taken.peak_mb, "rows_per_cpu_s": rows / spent}


def _presidio(table: Path, work: Path) -> dict[str, Any] | str:
    environment = peer_environment("presidio", work)
    if isinstance(environment, str):
        return environment
    csv = work / "data" / "masking.csv"
    pl.read_parquet(table, n_rows=PRESIDIO_ROWS).write_csv(csv)
    taken = run_peer(environment, "presidio_run", csv, str(PRESIDIO_ROWS), work / "out" / "presidio.csv")
    if taken.failed:
        return taken.failed
    spent = taken.answer["job_cpu_s"]
    return {"cpu_s": spent, "peak_mb": taken.peak_mb, "rows_per_cpu_s": PRESIDIO_ROWS / spent}


def risk_rows(name: str, data: Path, work: Path) -> Iterator[Row]:
    """Our figures of one raw table beside those stated for ARX; how many of them agree to four digits."""
    table = open_table(name, data, work)
    taken = run_job(
        Path(sys.executable),
        "-m",
        "anonymize.cli",
        "risk",
        table.csv,
        "--quasi",
        ",".join(ADULT),
        "--population",
        str(POPULATION),
        "--json",
    )
    stated = RISK[name]
    found = {} if taken.failed else _named(taken.answer, table.csv)
    agree = sum(abs(found[figure] - value) <= DIGITS for figure, value in stated.items() if figure in found)
    shown = {figure: round(found[figure], 5) for figure in stated if figure in found}
    yield Row(
        section=RISKS,
        case=name,
        tool=OURS,
        figures={**shown, **taken.figures(), "figures equal": agree},
        bars=(Bar(figure="figures equal", limit=len(stated), at_least=True),),
        note=taken.failed,
    )
    yield Row(section=RISKS, case=name, tool=f"{ARX}, {STATED}", figures=stated)


def _named(answer: dict[str, Any], csv: Path) -> dict[str, float]:
    """The command's figures under the names they are stated by."""
    named: dict[str, float] = {**answer, **answer["population_uniques"]}
    named["sample_uniques"] = answer["uniques"] / answer["rows"]
    if "records_at_risk" not in answer:
        # Above the threshold of 0.2 are the rows of classes below five; the command does not print them.
        sizes = pl.read_csv(csv, separator=";", infer_schema=False).group_by(list(ADULT)).len("rows")["rows"]
        named["records_at_risk"] = int(sizes.filter(sizes < 5).sum()) / answer["rows"]
    return named
