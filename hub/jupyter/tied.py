"""Run a program that dies when its parent dies: `python -m hub.jupyter.tied PROGRAM ARGUMENT...`.

A hub that is killed (SIGKILL, out of memory) can clean up nothing. The proxy, the portal and the culler are started
through this launcher, so that the kernel ends them instead and no orphan keeps a port: prctl(2), PR_SET_PDEATHSIG. The
setting survives the exec, so the program itself need not know.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
USAGE_ERROR = 2


def tie_to_parent(death_signal: signal.Signals = signal.SIGTERM) -> None:
    """From now on this process gets `death_signal` when the thread that started it ends.

    Raises:
        OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")


def tied(*argv: str) -> list[str]:
    """The command that runs `argv` tied to whoever starts it."""
    return [sys.executable, "-P", "-m", "hub.jupyter.tied", str(os.getpid()), *argv]


def main(argv: Sequence[str]) -> int:
    """Tie, then become the program. The parent's pid comes along, so that a parent already gone is noticed."""
    if len(argv) < 2 or not argv[0].isdigit():
        print(__doc__, file=sys.stderr)
        return USAGE_ERROR
    tie_to_parent()
    if os.getppid() != int(argv[0]):
        return 0
    os.execv(argv[1], list(argv[1:]))  # noqa: S606 - a fixed argv, no shell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
