"""`make bench ARGS=anonymize`: run the cases, print the table, write it to build/bench/anonymize.{json,md}."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from anonymize.bench.cases import RISK
from anonymize.bench.data import FOLDER_VARIABLE, PROJECT, data_folder
from anonymize.bench.masking import MASKING, RISKS, masking_rows, risk_rows
from anonymize.bench.models import cases, rows_of
from anonymize.bench.row import Row, Sheet
from anonymize.errors import AnonymizeError


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 when every bar of it holds, 1 when one is missed, 20 without the data."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=anonymize", description=__doc__)
    parser.add_argument(
        "only", nargs="*", help="words of the sections or cases to run, e.g. mach2019 tight masking risk"
    )
    parser.add_argument("--data", help=f"the folder of the public tables; else {FOLDER_VARIABLE}, else data/")
    parser.add_argument("--no-peers", action="store_false", dest="peers", help="only ours and what is stated")
    options = parser.parse_args(argv)
    work = PROJECT / "build" / "bench"
    try:
        data = data_folder(options.data)
    except AnonymizeError as refused:
        print(refused.sentence("zh"), refused.sentence("en"), sep="\n", file=sys.stderr)
        return refused.exit_code
    sheet = Sheet(folder=work, name="anonymize", about=_about())
    only = tuple(options.only)
    for case in cases(only):
        print(f"… {case.section}: {case.name}", file=sys.stderr, flush=True)
        sheet.add(rows_of(case, data, work, peers=options.peers))
    for name in RISK:
        if _wanted(f"{RISKS} {name}", only):
            sheet.add(risk_rows(name, data, work))
    if _wanted(MASKING, only):
        print(f"… {MASKING}", file=sys.stderr, flush=True)
        sheet.add(masking_rows(work, peers=options.peers))
    print(sheet.markdown())
    return 0 if all(map(_all_held, sheet.rows)) else 1


def _wanted(name: str, only: tuple[str, ...]) -> bool:
    return not only or any(word in name for word in only)


def _all_held(row: Row) -> bool:
    return all(bar.figure in row.figures and bar.holds(row.figures[bar.figure]) for bar in row.bars)


def _about() -> dict[str, str]:
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "polars": version("polars"),
        "note": "CPU s is that of the whole process with its imports, search CPU s that of search and recoding alone. "
        "Figures marked as stated were measured elsewhere, on such a machine.",
    }


if __name__ == "__main__":
    sys.exit(main())
