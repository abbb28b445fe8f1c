"""A sealed run: exactly these bytes of a notebook, executed in a fresh box with the data and an empty outbox.

What must hold:
1. The box has no network, the extracts read-only, limits, and a time after which it is ended.
2. Nothing but the outbox and four facts come out: how it ended, a cell's number in range, a class from a fixed list.
3. What the report says is written by hostile code: it is read as such.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sandbox.bwrap import CODE
from sandbox.errors import Language
from sandbox.process import PYTHON, Completed, Folder, run_confined
from sandbox.spec import DATA, MIB, OUTBOX, RUNGS, Limits, ReadOnlyMount, said_rungs

OUTBOX_BYTES: Final = 64 * MIB
"""What an outbox may hold on the disk while the code runs; the gate takes 20 MiB of it."""

OTHER: Final = "other"

KNOWN_ERRORS: Final = frozenset(
    {
        *("ArithmeticError", "AssertionError", "AttributeError", "EOFError", "FileNotFoundError", "ImportError"),
        *("IndexError", "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError"),
        *("NotImplementedError", "OSError", "OverflowError", "PermissionError", "RecursionError", "RuntimeError"),
        *("SyntaxError", "SystemExit", "TypeError", "UnicodeDecodeError", "ValueError", "ZeroDivisionError"),
        *("ColumnNotFoundError", "ComputeError", "InvalidOperationError", "SchemaError", "ShapeError", "Refused"),
    }
)
"""Classes that are told by their name: those of Python, of polars, and the kit's refusal. Every other is `other`."""


class Ending(StrEnum):
    """How a sealed run ended."""

    FINISHED = "finished"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    OVERFULL = "overfull"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What is told of a sealed run. `cell` counts all cells from 1; 0: none began, or it does not matter."""

    ending: Ending
    cell: int = 0
    error: str = ""


def run_sealed(
    notebook: bytes,
    *,
    extracts: Sequence[ReadOnlyMount],
    outbox: Path,
    limits: Limits,
    seconds: float,
    cells: int,
    language: Language = "zh",
) -> Ran:
    """Run a notebook's cells in a box of their own; what it puts lies in `outbox`, an empty folder, afterwards.

    Args:
        cells: How many cells the notebook has; a report of another number is not believed.

    Raises:
        HostUnfit: This machine cannot confine anything.
        StartFailed: An extract is missing, or the box did not come up.
    """
    done = run_confined(
        [PYTHON, "-P", "-s", f"{CODE}/sealed.py"],
        read_only=[(one.source, f"{DATA}/{one.name}.parquet") for one in extracts],
        limits=limits,
        timeout=seconds,
        stdin=notebook,
        folder=Folder(source=outbox, target=OUTBOX, most_bytes=OUTBOX_BYTES),
        environment={RUNGS: said_rungs(extracts), "ZHAKOU_LANGUAGE": language},
    )
    return told(done, cells=cells)


def told(done: Completed, *, cells: int) -> Ran:
    """What may be told of what the box reported (3)."""
    if done.overfull:
        return Ran(ending=Ending.OVERFULL)
    if done.timed_out:
        return Ran(ending=Ending.TIMED_OUT)
    try:
        said = json.loads(done.stdout)
        finished, cell, error = said["finished"], said["cell"], said["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Ran(ending=Ending.ENDED)
    if done.returncode == 0 and finished is True:
        return Ran(ending=Ending.FINISHED)
    number = cell if type(cell) is int and 1 <= cell <= cells else 0
    if not error:
        return Ran(ending=Ending.ENDED, cell=number)
    return Ran(
        ending=Ending.FAILED, cell=number, error=error if isinstance(error, str) and error in KNOWN_ERRORS else OTHER
    )
