"""The anonymizer's programs, run in a box of their own on input that nobody trusts.

No network, a read-only view of exactly the files named, limits on memory and time. Used by the intake (what columns
has this file?) and by the gate (may these bytes leave?).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.process import PYTHON, run_confined
from sandbox.spec import Limits

MEMORY = 4 * 2**30
SCRATCH = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A program ended by itself."""

    returncode: int
    stdout: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DidNotRun:
    """A program could not be started or was stopped; its outcome counts as a refusal. `why` is a code."""

    why: str


def run_tool(
    command: Sequence[str], *, files: Sequence[tuple[Path, str]], timeout: float, memory: int = MEMORY
) -> Ran | DidNotRun:
    """Run `python -m anonymize.cli COMMAND...` in a box that sees `files` (path outside, path inside)."""
    try:
        done = run_confined(
            [PYTHON, "-m", "anonymize.cli", *command],
            read_only=files,
            limits=Limits(memory_bytes=memory, processes=64, scratch_bytes=SCRATCH),
            timeout=timeout,
        )
    except SandboxError as error:
        return DidNotRun(why=error.code)
    if done.timed_out:
        return DidNotRun(why="timeout")
    return Ran(returncode=done.returncode, stdout=done.stdout)
