"""The parent of both boxes of one workspace: `python -m sandbox.supervise LISTEN_FD`, the spec on standard input.

A process of its own, in a session of its own, so that the hub may restart while analysts work. bubblewrap dies with
its parent, so nothing is left behind however the supervisor ends. It answers once on standard output, with one line of
JSON: {"ready": true, "level": …} when Jupyter answers, {"error": …} when it will not. Single-threaded on purpose:
"parent" means the thread that forked.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

from sandbox import limits as levels
from sandbox import roots, spec, syscalls
from sandbox.bwrap import Box, kernel_box, server_box, socket_inside
from sandbox.errors import SandboxError, StartFailed, Words, error_as_json
from sandbox.launch import Handover, Identity, start_box
from sandbox.limits import Group, Level
from sandbox.processes import ProcessMark
from sandbox.records import Record, last_confirmed, layout_of, write_exit, write_record
from sandbox.runtime import find_runtime
from sandbox.seccomp import Profile, filter_bytes
from sandbox.spec import MIB, Limits, WorkspaceSpec

READY_SECONDS = 60.0
_TERM_SECONDS = 3.0
_SAID_BYTES = 2000
UNCONFIRMED = 3
"""Exit status of a workspace that went on for too long without being asked about."""
SERVER_LIMITS = Limits(
    memory_bytes=1024 * MIB, processes=128, cpu_percent=100, file_bytes=64 * MIB, scratch_bytes=64 * MIB
)
"""Of box A: Jupyter's server takes about 130 MB at rest."""


@dataclass(slots=True)
class Supervisor:
    """Starts, watches and takes down the boxes of one workspace."""

    workspace: WorkspaceSpec
    listen_fd: int
    level: Level
    wakeup: int
    groups: list[Group] = field(default_factory=list)
    boxes: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    """Where each box says why it could not start; read in that case only."""
    staging: roots.Staging | None = None
    confirmed: int = 0
    since: float = field(default_factory=time.monotonic)
    """When we last saw that `confirmed` had changed: the clock of the machine may jump, this one does not."""

    def start(self) -> int:
        """Start box B, then box A. Returns the descriptor on which A reports that it serves."""
        if os.geteuid() == 0:
            self.staging = roots.Staging()
            copies = self.workspace.state_dir / "run" / "data"
            readable = (replace(one, source=roots.readable_copy(one.source, copies=copies)) for one in self._extracts())
            self.workspace = replace(self.workspace, extracts=tuple(readable))
        else:
            for one in self._extracts():
                roots.require_regular_file(one.source)
        runtime, layout = find_runtime(), layout_of(self.workspace)
        server_end, kernel_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ready_read, ready_write = os.pipe2(os.O_CLOEXEC)
        settings = json.dumps(
            {
                "listen_fd": self.listen_fd,
                "agent_fd": server_end.fileno(),
                "ready_fd": ready_write,
                "language": self.workspace.language,
                "hub": "ZHAKOU_TOKEN" not in self.workspace.server_env,
                "budget_bytes": self.workspace.limits.output_bytes,
                "memory_bytes": self.workspace.limits.memory_bytes,
                "permission_socket": socket_inside(self.workspace),
            }
        )
        with server_end, kernel_end:
            self._launch(
                "b",
                kernel_box(self.workspace, runtime=runtime, layout=layout, agent_fd=kernel_end.fileno()),
                profile=Profile.KERNEL,
                identity=Identity(uid=self.workspace.kernel_uid, gid=self.workspace.gid),
                limits=self.workspace.limits,
                keep=(kernel_end.fileno(),),
                output=os.devnull,
            )
            self._launch(
                "a",
                server_box(self.workspace, runtime=runtime, layout=layout, settings=settings, limits=SERVER_LIMITS),
                profile=Profile.SERVER,
                identity=Identity(uid=self.workspace.server_uid, gid=self.workspace.gid),
                limits=SERVER_LIMITS,
                keep=(self.listen_fd, server_end.fileno(), ready_write),
                output=str(self.workspace.state_dir / "log" / "server.log"),
            )
        os.close(ready_write)
        os.close(self.listen_fd)
        return ready_read

    def _extracts(self) -> tuple[spec.ReadOnlyMount, ...]:
        for one in self.workspace.extracts:
            if not one.source.is_file():
                raise roots.missing_source(one.source)
        return self.workspace.extracts

    def _launch(
        self,
        name: str,
        box: Box,
        *,
        profile: Profile,
        identity: Identity,
        limits: Limits,
        keep: tuple[int, ...],
        output: str,
    ) -> None:
        if self.staging is not None:
            box = replace(box, binds=self.staging.stage(box.binds))
        group = levels.open_group(self.level, f"{self.workspace.group_stem}-{name}", limits)
        self.groups.append(group)
        self.record()
        # Server and agent close this pipe once they run; what was said before, by bubblewrap above all, waits here for
        # the case that the start fails.
        self.errors[name], said = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self.boxes[name] = start_box(
                box,
                seccomp=filter_bytes(profile),
                identity=identity,
                handover=Handover(stdin=null, stdout=out, stderr=said, keep=keep),
                rlimits=levels.resource_limits(self.level, limits, own_uid=identity.uid is None),
                adopt=group.adopt,
            )
        finally:
            for fd in (null, out, said):
                os.close(fd)
        self.record()

    def record(self) -> None:
        """Write down what exists, so that whoever comes after a crash can clear it away."""
        marks = {name: mark for name, pid in self.boxes.items() if (mark := ProcessMark.of(pid)) is not None}
        own = ProcessMark.of(os.getpid())
        if own is None:
            raise RuntimeError("/proc does not show this very process")
        directories = tuple(path for group in self.groups for path in group.directories)
        write_record(
            self.workspace.state_dir,
            Record(supervisor=own, boxes=marks, level=self.level, group_directories=directories),
        )

    def await_ready(self, ready_fd: int) -> None:
        """Return when Jupyter serves.

        Raises:
            StartFailed: a box ended, or the time was up, or we were told to stop.
        """
        deadline = time.monotonic() + READY_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            readable, _, _ = select.select([ready_fd, self.wakeup], [], [], left)
            if self.wakeup in readable and (b"T" in os.read(self.wakeup, 64) or self.ended() is not None):
                break
            if ready_fd in readable:
                if os.read(ready_fd, 1) == b"r":
                    os.close(ready_fd)
                    return
                break
        raise self._start_failed()

    def _start_failed(self) -> StartFailed:
        time.sleep(0.2)  # the last words of the box are on their way
        said = []
        for name, fd in self.errors.items():
            with contextlib.suppress(BlockingIOError):
                said.append(f"{name}: {os.read(fd, _SAID_BYTES).decode('utf-8', 'replace').strip()}")
        sys.stderr.write("\n".join(said) + "\n")  # the log of the workspace
        return StartFailed(
            "sandbox.start_failed",
            Words(en="The workspace did not start.", zh="工作空间未能启动。"),
            Words(
                en="See log/supervisor.log and log/server.log in its state folder.",
                zh="请查看其状态目录中的 log/supervisor.log 与 log/server.log。",
            ),
        )

    def ended(self) -> str | None:
        """Which box has ended, if one has. Reaps."""
        for name, pid in list(self.boxes.items()):
            done, _ = os.waitpid(pid, os.WNOHANG)
            if done:
                del self.boxes[name]
                return name
        return None

    def watch(self) -> int:
        """Return the exit status: we were told to stop (0), a box ended by itself (1), or nobody has confirmed for too
        long that the workspace may go on (UNCONFIRMED)."""
        while True:
            if not self._wait():
                sys.stderr.write("nobody has confirmed the workspace any more\n")
                return UNCONFIRMED
            signs = os.read(self.wakeup, 64)
            if b"T" in signs:
                return 0
            if (name := self.ended()) is not None:
                sys.stderr.write(f"box {name} ended by itself\n")
                return 1

    def _wait(self) -> bool:
        """Wait for a sign of life or death; False when the time without a confirmation is up."""
        patience = self.workspace.unconfirmed_seconds
        if not patience:
            select.select([self.wakeup], [], [])
            return True
        while True:
            if (confirmed := last_confirmed(self.workspace.state_dir)) != self.confirmed:
                self.confirmed, self.since = confirmed, time.monotonic()
            left = self.since + patience - time.monotonic()
            if left <= 0:
                return False
            if select.select([self.wakeup], [], [], left)[0]:
                return True

    def take_down(self) -> None:
        """End what runs: TERM, a moment, KILL; then the groups, with whatever may be left in them."""
        for number, seconds in ((signal.SIGTERM, _TERM_SECONDS), (signal.SIGKILL, _TERM_SECONDS)):
            for pid in self.boxes.values():
                os.kill(pid, number)
            deadline = time.monotonic() + seconds
            while self.boxes and time.monotonic() < deadline:
                if self.ended() is None:
                    time.sleep(0.01)
        for group in self.groups:
            group.remove()


def main() -> NoReturn:
    workspace = spec.from_json(sys.stdin.read())
    syscalls.not_dumpable()  # the token is in our memory
    status = 1
    supervisor = Supervisor(
        workspace, listen_fd=int(sys.argv[1]), level=levels.choose_level(), wakeup=wake_on_signals()
    )
    try:
        supervisor.record()
        supervisor.await_ready(supervisor.start())
        _answer({"ready": True, "level": str(supervisor.level)})
        for fd in supervisor.errors.values():
            os.close(fd)
        status = supervisor.watch()
    except SandboxError as error:
        _answer({"error": error_as_json(error)})
    finally:
        supervisor.take_down()
        write_exit(workspace.state_dir, status)
    sys.exit(status)


def wake_on_signals() -> int:
    """A descriptor that becomes readable when a child ends (C) or we are asked to stop (T)."""
    reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def note(letter: bytes) -> Callable[[int, object], None]:
        def handler(number: int, frame: object) -> None:
            with contextlib.suppress(BlockingIOError):  # full: it is readable already
                os.write(writer, letter)

        return handler

    signal.signal(signal.SIGCHLD, note(b"C"))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note(b"T"))
    return reader


def _answer(said: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the hub went away meanwhile; the workspace serves all the same
        os.write(1, json.dumps(said).encode() + b"\n")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


if __name__ == "__main__":
    main()
