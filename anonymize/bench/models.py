"""Rows of the privacy models: our extract of each case, what ARX is stated to reach on it, and peers that install."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from anonymize.bench.cases import CASES, Case
from anonymize.bench.data import ADULT, MACH, make_mix, plain_csv, read_hierarchies
from anonymize.bench.policies import policy_text, scored
from anonymize.bench.row import OURS, STATED, Row
from anonymize.bench.runs import Taken, locked_version, peer_environment, run_ours, run_peer
from anonymize.bench.score import Hierarchy, read_output, score

ARX: Final = "ARX 3.9.2"
NUMBERS: Final = "age"
"""The columns that tools may release as intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of the bench with its hierarchies, and where both lie for peers that read files."""

    csv: Path
    hierarchies: Mapping[str, Hierarchy]
    hierarchy_prefix: Path

    def quasi(self, case: Case) -> dict[str, Hierarchy]:
        return {name: hierarchy for name, hierarchy in self.hierarchies.items() if name != case.sensitive}


def open_table(name: str, data: Path, work: Path) -> Table:
    """One of adult, mix1193k, mach2019."""
    made = work / "data"
    if name == "mach2019":
        folder = data / "mach2019"
        csv, names, prefix = plain_csv(folder, "mach2019_int.csv", made), MACH, "mach2019_int_hierarchy_"
    else:
        folder = data / "adult"
        csv, names, prefix = plain_csv(folder, "adult.csv", made), ADULT, "adult_hierarchy_"
    if name == "mix1193k":
        csv = make_mix(csv, made)
    return Table(csv=csv, hierarchies=read_hierarchies(folder, names), hierarchy_prefix=folder / prefix)


def rows_of(case: Case, data: Path, work: Path, *, peers: bool) -> Iterator[Row]:
    """Every tool's row of one case, ours first."""
    table = open_table(case.data, data, work)
    out = work / "out" / "ours"
    shutil.rmtree(out, ignore_errors=True)
    yield _ours(case, table, out)
    if case.arx:
        yield Row(section=case.section, case=case.name, tool=f"{ARX}, {STATED}", figures=case.arx)
    if not peers:
        return
    if case.anjana:
        yield _anjana(case, table, work)
    if case.anonypy:
        yield from _mondrians(case, table, work)
    if case.data != "mix1193k" and (out / "extract.parquet").exists() and case.cells == "labels":
        yield _pycanon(case, table, out, work)


def _ours(case: Case, table: Table, out: Path) -> Row:
    out.parent.mkdir(parents=True, exist_ok=True)
    policy = out.parent / "policy.toml"
    policy.write_text(policy_text(case, table.hierarchies), encoding="utf-8")
    taken = run_ours("anonymize", table.csv, policy, out)
    note = taken.failed or (f"refused: {taken.answer['refused']}" if "refused" in taken.answer else "")
    if note:
        return Row(section=case.section, case=case.name, tool=OURS, figures={}, bars=case.bars, note=note)
    shown = {name: scored(hierarchy) for name, hierarchy in table.quasi(case).items()}
    figures = _scored(out / "extract.parquet", case, table, shown)
    told = {name: value for name, value in taken.answer.items() if name not in ("steps", "job_cpu_s")}
    steps = ", ".join(f"{name} {seconds:.2f}" for name, seconds in taken.answer["steps"].items())
    return Row(
        section=case.section,
        case=case.name,
        tool=OURS,
        figures={**figures, **told, **taken.figures()},
        bars=case.bars,
        note=f"CPU s by step: {steps}",
    )


def _scored(output: Path, case: Case, table: Table, hierarchies: Mapping[str, Hierarchy]) -> dict[str, Any]:
    source = pl.read_csv(table.csv, separator=";", infer_schema=False)
    try:
        return score(read_output(output), source, hierarchies, sensitive=case.sensitive)
    except ValueError as unread:
        return {"not scored": str(unread)}


def _peer_row(case: Case, tool: str, taken: Taken, figures: Mapping[str, Any], note: str = "") -> Row:
    own = {"search_cpu_s": taken.answer["search_cpu_s"], **taken.figures()} if not taken.failed else {}
    return Row(section=case.section, case=case.name, tool=tool, figures={**figures, **own}, note=taken.failed or note)


def _absent(case: Case, tool: str, reason: str) -> Row:
    return Row(section=case.section, case=case.name, tool=tool, figures={}, note=reason)


def _anjana(case: Case, table: Table, work: Path) -> Row:
    environment = peer_environment("anjana", work)
    tool = f"anjana {locked_version('anjana', 'anjana')}"
    if isinstance(environment, str):
        return _absent(case, tool, environment)
    out = work / "out" / "anjana.csv"
    percent = str(case.target["suppression_limit"] * 100)
    names = table.quasi(case)
    taken = run_peer(
        environment, "anjana_run", table.csv, table.hierarchy_prefix, str(case.target["k"]), percent, out, *names
    )
    return _peer_row(case, tool, taken, {} if taken.failed else _scored(out, case, table, names))


def _mondrians(case: Case, table: Table, work: Path) -> Iterator[Row]:
    environment = peer_environment("anonypy", work)
    for name in ("anonypy", "anonypyx"):
        tool = f"{name} {locked_version('anonypy', name)}"
        if isinstance(environment, str):
            yield _absent(case, tool, environment)
            continue
        out = work / "out" / f"{name}.csv"
        names = table.quasi(case)
        taken = run_peer(environment, f"{name}_run", table.csv, str(case.target["k"]), out, NUMBERS, *names)
        yield _peer_row(case, tool, taken, {} if taken.failed else _scored(out, case, table, names))


def _pycanon(case: Case, table: Table, out: Path, work: Path) -> Row:
    """Whether an outsider finds the same k, l and t in our extract."""
    environment = peer_environment("anjana", work)
    tool = f"pycanon {locked_version('anjana', 'pycanon')} on our extract"
    if isinstance(environment, str):
        return _absent(case, tool, environment)
    extract = pl.read_parquet(out / "extract.parquet")
    written = work / "out" / "ours.csv"
    extract.write_csv(written, separator=";")
    quasi = table.quasi(case)
    taken = run_peer(environment, "pycanon_run", written, case.sensitive or "-", *quasi)
    if taken.failed:
        return _peer_row(case, tool, taken, {})
    # It measures t against the extract, not against the source: so does this comparison.
    ours = score(extract, extract, {name: scored(quasi[name]) for name in quasi}, sensitive=case.sensitive)
    found: dict[str, float] = {name: taken.answer[name] for name in ("k", "l", "t") if name in taken.answer}
    agrees = all(abs(value - ours[name]) < 1e-9 for name, value in found.items())
    note = "agrees" if agrees else "DISAGREES: " + ", ".join(f"{name} {ours[name]:.6g}" for name in found)
    return _peer_row(case, tool, taken, found, note)


def cases(only: tuple[str, ...]) -> tuple[Case, ...]:
    """The cases whose section or name holds one of the words; all of them without any."""
    return tuple(case for case in CASES if not only or any(word in f"{case.section} {case.name}" for word in only))
