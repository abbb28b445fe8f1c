"""One workspace from start to stop, as the hub sees it.

The hub holds a `Workspace`; the boxes belong to a supervisor with a session of its own (`sandbox.supervise`), so that a
hub that restarts finds them alive: the same spec and the files below `state_dir` are all it takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from sandbox import records
from sandbox.errors import SandboxError, StartFailed, Words, error_from_json
from sandbox.host import check_host, check_identity, weaknesses_of
from sandbox.limits import DirectoryGroup, choose_level
from sandbox.spec import WorkspaceSpec, as_json
from sandbox.supervise import READY_SECONDS, UNCONFIRMED

_STOP_SECONDS = 10.0
_SPARE_SECONDS = 10.0
_BACKLOG = 128
__all__ = ["UNCONFIRMED", "Workspace"]
_CODE = Path(__file__).resolve().parent.parent


class Workspace:
    """Split sandbox of one analyst: box A serves Jupyter, box B runs the kernels.

    State below `spec.state_dir`: run/ (sockets, pids; the hub's alone), gateway/ (the hub's socket, bound into box A),
    home/ (notebooks, /home/analyst inside), outbox/ (/outbox inside), server/ (settings of Lab), ipc/, log/.
    """

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self._supervisor: asyncio.subprocess.Process | None = None

    @property
    def outbox_dir(self) -> Path:
        return self.spec.state_dir / "outbox"

    @property
    def gateway_dir(self) -> Path:
        """Where the hub binds its gateway socket: a folder with nothing else in it, at /run/zhakou/hub inside box A.

        `prepare()` makes it (0711). The socket itself must be connectable by box A's uid: chmod 0666 after bind; the
        folders above are the hub's alone (0700).
        """
        return self.spec.state_dir / "gateway"

    @property
    def weaknesses(self) -> tuple[Words, ...]:
        """What is weaker here than the design, as "code: sentence" (`.zh` has the Chinese); empty when nothing is."""
        record = records.read_record(self.spec.state_dir)
        return weaknesses_of(choose_level() if record is None else record.level, as_root=os.geteuid() == 0)

    def prepare(self) -> None:
        """Make the folders below `state_dir`; idempotent. `start` calls it.

        Raises:
            HostUnfit: root without a uid to drop to, or a uid without being root.
        """
        check_identity(self.spec)
        state = self.spec.state_dir
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.chmod(0o700)
        kernel, server, group = self.spec.kernel_uid, self.spec.server_uid, self.spec.gid
        for name, mode, owner in (
            ("run", 0o700, None),
            ("log", 0o700, None),
            ("gateway", 0o711, None),
            ("home", 0o770, kernel),  # both write notebooks, by their common group
            ("outbox", 0o700, kernel),
            ("ipc", 0o750, kernel),  # the server connects there and can plant nothing
            ("server", 0o700, server),
        ):
            folder = state / name
            folder.mkdir(exist_ok=True, mode=0o700)
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if owner is not None and group is not None:
                    os.fchown(fd, owner, group)
                os.fchmod(fd, mode)
            finally:
                os.close(fd)

    def offer_notebooks(self, files: Sequence[Path]) -> None:
        """Put copies of `files` into a home in which nothing is yet; they are the analyst's from then on.

        To be called after `prepare` and before `start`: no code of the workspace runs, so nothing can be swapped.
        """
        home = os.open(self.spec.state_dir / "home", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if os.listdir(home):
                return
            for file in files:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                with os.fdopen(os.open(file.name, flags, 0o600, dir_fd=home), "wb") as copy:
                    copy.write(file.read_bytes())
                    if self.spec.kernel_uid is not None and self.spec.gid is not None:
                        os.fchown(copy.fileno(), self.spec.kernel_uid, self.spec.gid)
                    os.fchmod(copy.fileno(), 0o660)
        finally:
            os.close(home)

    async def start(self) -> Path:
        """Start both boxes and return the unix socket the proxy connects to, once Jupyter answers on it.

        Raises:
            HostUnfit: bubblewrap is missing (sandbox.no_bwrap) or user namespaces are forbidden (sandbox.no_userns).
            StartFailed: a box did not come up; nothing is left running.
        """
        if await self.poll() is None:
            raise _already_running()
        await asyncio.to_thread(check_host)
        await self.stop()
        self.prepare()
        listener = _listen(self.spec.socket_path)
        try:
            with _append_to(self.spec.state_dir / "log" / "supervisor.log") as log:
                self._supervisor = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-s", "-m", "sandbox.supervise", str(listener.fileno())),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=log,
                    pass_fds=(listener.fileno(),),
                    env={"PYTHONPATH": str(_CODE), "LANG": "C.UTF-8", **_bus_environment()},
                    cwd="/",
                    start_new_session=True,
                )
        finally:
            listener.close()
        try:
            await self._answer(self._supervisor)
        except BaseException:
            await self.stop()
            raise
        return self.spec.socket_path

    async def _answer(self, supervisor: asyncio.subprocess.Process) -> None:
        """Return when the supervisor reports that Jupyter serves; raise what it reports otherwise."""
        if supervisor.stdin is None or supervisor.stdout is None:
            raise RuntimeError("the supervisor was started without pipes")
        try:
            async with asyncio.timeout(READY_SECONDS + _SPARE_SECONDS):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: its answer says why
                    supervisor.stdin.write(as_json(self.spec).encode())
                    await supervisor.stdin.drain()
                    supervisor.stdin.close()
                line = await supervisor.stdout.readline()
        except TimeoutError:
            line = b""
        said = json.loads(line) if line else {"error": None}
        if error := said.get("error"):
            raise error_from_json(error)
        if not said.get("ready"):
            raise StartFailed(
                "sandbox.no_answer",
                Words(en="The supervisor of the workspace gave no answer.", zh="工作空间的监管进程没有应答。"),
                Words(en="See log/supervisor.log in its state folder.", zh="请查看其状态目录中的 log/supervisor.log。"),
            )

    def confirm(self) -> None:
        """Say that it was asked whether this workspace may go on, and that it may: see `spec.unconfirmed_seconds`."""
        records.confirm(self.spec.state_dir)

    async def poll(self) -> int | None:
        """None while it runs, else the exit status (0 if never started). Works after a restart of the hub.

        UNCONFIRMED: nobody had confirmed it for too long.
        """
        record = records.read_record(self.spec.state_dir)
        if record is None:
            return 0
        if record.supervisor.is_alive():
            return None
        status = records.read_exit(self.spec.state_dir)
        return 1 if status is None else status

    async def stop(self) -> None:
        """TERM, then KILL, the whole tree; limits' groups and sockets removed. Idempotent."""
        await asyncio.to_thread(self._stop)
        if self._supervisor is not None:
            await self._supervisor.wait()
            self._supervisor = None

    def _stop(self) -> None:
        record = records.read_record(self.spec.state_dir)
        if record is not None:
            record.supervisor.send(signal.SIGTERM)
            if not record.supervisor.wait_gone(_STOP_SECONDS):
                record.supervisor.send(signal.SIGKILL)
                record.supervisor.wait_gone(_STOP_SECONDS)
            record = records.read_record(self.spec.state_dir) or record
            for box in record.boxes.values():  # they die with their parent; this is for the kernel's sake
                box.send(signal.SIGKILL)
                box.wait_gone(_STOP_SECONDS)
            DirectoryGroup(record.level, record.group_directories).remove()
        run = self.spec.state_dir / "run"
        for name in ("server.sock", "supervisor.json", "exit.json", "confirmed"):
            (run / name).unlink(missing_ok=True)
        shutil.rmtree(run / "data", ignore_errors=True)
        _empty(self.spec.state_dir / "ipc")


def _append_to(path: Path) -> BinaryIO:
    return path.open("ab")


def _listen(path: Path) -> socket.socket:
    """A listening socket in the hub's own folder: no box ever holds the place where the proxy looks for it."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return listener


def _bus_environment() -> dict[str, str]:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return {} if runtime is None else {"XDG_RUNTIME_DIR": runtime}


def _empty(folder: Path) -> None:
    if folder.is_dir():
        for entry in os.scandir(folder):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
            else:
                shutil.rmtree(entry.path, ignore_errors=True)


def _already_running() -> SandboxError:
    return StartFailed(
        "sandbox.already_running",
        Words(en="This workspace runs already.", zh="此工作空间已在运行。"),
        Words(en="Stop it first, or go on using it.", zh="请先停止，或直接继续使用。"),
    )
