"""Find and end what an earlier hub left running, by pid file, without ever hitting a stranger.

A pid in a file proves nothing: pids are given out again. A process counts as ours only if its own command line names
this installation's proxy script.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Final

PROXY_HOME: Final = Path(__file__).resolve().parent / "proxy"
PROXY_SCRIPT: Final = PROXY_HOME / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
TERM_SECONDS: Final = 5.0


def is_our_proxy(pid: int) -> bool:
    """True if the process runs this installation's proxy script (as node, or still as its launcher)."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return bytes(PROXY_SCRIPT) in words


def end_orphan(pid_file: Path) -> bool:
    """End the proxy the file names, if it is one of ours, and remove the file. True if there was one to end."""
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        pid = 0
    found = pid > 1 and is_our_proxy(pid)
    if found:
        _end(pid)
    pid_file.unlink(missing_ok=True)
    return found


def _end(pid: int) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        until = time.monotonic() + TERM_SECONDS
        while time.monotonic() < until:
            if not is_our_proxy(pid):
                return
            time.sleep(0.05)
