"""Recognises a process by pid *and* start time, so that a number that was given out again is never killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_STATE, _START = 0, 19
"""Positions after the command in /proc/<pid>/stat: proc(5), fields 3 and 22."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMark:
    """One process of one boot."""

    pid: int
    start: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessMark | None:
        """The mark of a living process; None if there is none."""
        fields = _stat(pid)
        return None if fields is None else cls(pid=pid, start=int(fields[_START]), boot=_boot())

    def is_alive(self) -> bool:
        """Still the same process, and not a zombie."""
        fields = _stat(self.pid)
        return (
            fields is not None and int(fields[_START]) == self.start and self.boot == _boot() and fields[_STATE] != "Z"
        )

    def send(self, number: signal.Signals) -> None:
        """Signal this very process; nothing happens if it is gone."""
        with contextlib.suppress(ProcessLookupError):
            fd = os.pidfd_open(self.pid)
            try:
                if self.is_alive():  # the descriptor holds whoever has the pid now; is it still ours?
                    signal.pidfd_send_signal(fd, number)
            finally:
                os.close(fd)

    def wait_gone(self, seconds: float) -> bool:
        """Whether it ended within this time."""
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
