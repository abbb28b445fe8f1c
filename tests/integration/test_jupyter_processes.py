"""What the hub starts ends with it, and what an earlier hub left is ended without hitting a stranger."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hub.jupyter.orphans import PROXY_SCRIPT, end_orphan, is_our_proxy

PARENT = """
import subprocess, sys, time
from hub.jupyter.tied import tied
child = subprocess.Popen(tied(*sys.argv[1:]))
print(child.pid, flush=True)
time.sleep(600)
"""


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.05)
    return happened()


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def pretend_proxy() -> subprocess.Popen[bytes]:
    """A process that carries the proxy script's path in its command line, as node does."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", str(PROXY_SCRIPT)])


def test_a_tied_program_dies_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, "/bin/sleep", "600"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert within(5, lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert within(5, lambda: not runs(child))


def test_a_program_whose_parent_is_gone_already_does_not_start() -> None:
    argv = [sys.executable, "-m", "hub.jupyter.tied", "1", "/bin/sleep", "600"]
    assert subprocess.run(argv, timeout=20, check=False).returncode == 0


def test_an_orphaned_proxy_is_ended_and_its_pid_file_removed(tmp_path: Path) -> None:
    orphan = pretend_proxy()
    assert within(5, lambda: is_our_proxy(orphan.pid))
    pid_file = tmp_path / "proxy.pid"
    pid_file.write_text(str(orphan.pid))
    assert end_orphan(pid_file)
    assert orphan.wait(timeout=5) == -signal.SIGTERM
    assert not pid_file.exists()


def test_a_stranger_with_the_pid_of_the_file_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["/bin/sleep", "600"])
    pid_file = tmp_path / "proxy.pid"
    pid_file.write_text(str(stranger.pid))
    try:
        assert not end_orphan(pid_file)
        assert stranger.poll() is None
        assert not pid_file.exists()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_pid_file_that_is_empty_broken_or_absent_ends_nothing(tmp_path: Path) -> None:
    pid_file = tmp_path / "proxy.pid"
    for content in ("", "not a pid", "0", "-1", "1", str(2**40)):
        pid_file.write_text(content)
        assert not end_orphan(pid_file), content
    assert not end_orphan(pid_file)
    assert os.getpid() > 1
