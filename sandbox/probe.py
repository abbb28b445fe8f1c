"""Proves the isolation on this machine, now: every forbidden act tried outside, where it succeeds, and inside.

A real workspace is started, as for an analyst; the acts run in a real kernel in its box B, reached through its server
in box A. An act that fails outside too proves nothing: it is reported as "unavailable" there, and counts as green only
because it is blocked inside. A probe that can't be carried out is an error, never a pass.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import records
from sandbox.client import KernelClient, connect
from sandbox.errors import StartFailed, Words
from sandbox.processes import ProcessMark
from sandbox.spec import DATA, MIB, OUTBOX, Limits, ReadOnlyMount, WorkspaceSpec
from sandbox.workspace import Workspace

PROBE_UID = 64_990
LIMITS = Limits(memory_bytes=512 * MIB, processes=96, cpu_percent=100, file_bytes=64 * MIB, scratch_bytes=16 * MIB)
_ACTS = Path(__file__).resolve().parent / "acts.py"
_SHM_CREATE = 0o1000 | 0o2000 | 0o600
_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedAct:
    """One act. `outside`: allowed, or unavailable where the control can't succeed; `inside`: allowed or blocked."""

    act: str
    outside: str
    inside: str
    why: str
    """What the kernel answered inside."""

    @property
    def green(self) -> bool:
        return self.inside == "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The whole battery. No act, no green."""

    acts: tuple[ProbedAct, ...]
    level: str
    weaknesses: tuple[Words, ...]

    @property
    def green(self) -> bool:
        return (
            bool(self.acts) and all(act.green for act in self.acts) and any(a.outside == "allowed" for a in self.acts)
        )

    def as_json(self) -> dict[str, object]:
        return {
            "green": self.green,
            "level": self.level,
            "weaknesses": [str(one) for one in self.weaknesses],
            "acts": [
                {"act": one.act, "outside": one.outside, "inside": one.inside, "green": one.green, "why": one.why}
                for one in self.acts
            ],
        }


def run_probe(*, uid: int | None = None) -> ProbeReport:
    """Run the battery; takes some ten seconds.

    `uid`: as root, the even uid to run as; a reserved one if None.
    Raises:
        HostUnfit, StartFailed: the workspace could not be started, so nothing is proved.
    """
    return asyncio.run(probe(uid=uid))


async def probe(*, uid: int | None = None) -> ProbeReport:
    """As `run_probe`, inside of an event loop."""
    as_root = os.geteuid() == 0
    uid = (PROBE_UID if uid is None else uid) if as_root else None
    with tempfile.TemporaryDirectory(prefix="zhakou-probe-") as folder, ExitStack() as stack:
        place = Path(folder)
        token = secrets.token_hex(16)
        extract = place / "extract.parquet"
        extract.write_bytes(b"PAR1 a stand-in for an extract")
        extract.chmod(0o666)  # it must be the box that keeps it from being written, not the mode
        spec = WorkspaceSpec(
            workspace_id=f"probe-{os.getpid()}",
            state_dir=place / "w",
            uid=uid,
            gid=uid,
            extracts=(ReadOnlyMount(name="probe", source=extract),),
            limits=LIMITS,
            server_env={"ZHAKOU_TOKEN": token},
        )
        targets = stack.enter_context(_targets(place, token))
        workspace = Workspace(spec)
        try:
            server_socket = await workspace.start()
            record = records.read_record(spec.state_dir)
            if record is None:
                raise _unproved()
            processes = {name: _descendants(mark.pid) for name, mark in record.boxes.items()}
            # The one that serves is the last of its box: supervisor's child is bwrap, then its init, then Python.
            targets |= {
                "server": max(processes["a"]),
                "server_settings": str(spec.state_dir / "run" / "supervisor.json"),
            }
            outside = await asyncio.to_thread(_outside, {**targets, "extract": str(extract)})
            async with connect(server_socket, token=token) as client, client.kernel() as kernel:
                inside = await _inside(kernel, {**targets, "extract": f"{DATA}/probe.parquet"})
                holding = {name: _holds_inet(processes[name]) for name in processes}
            weaknesses = workspace.weaknesses
        finally:
            await workspace.stop()
    acts = [_judged(name, outside[name], inside.get(name, ("allowed", ""))) for name in outside]
    for name, found in holding.items():
        acts.append(_judged(f"network.inet_socket_in_{name}", ("allowed", ""), (found, "none held")))
    if not _holds_inet_here():
        raise _unproved()
    return ProbeReport(acts=tuple(acts), level=record.level, weaknesses=weaknesses)


def _judged(name: str, outside: tuple[str, str], inside: tuple[str, str]) -> ProbedAct:
    control = "allowed" if outside[0] == "allowed" else "unavailable"
    return ProbedAct(act=name, outside=control, inside=inside[0], why=inside[1])


def _unproved() -> StartFailed:
    return StartFailed(
        "sandbox.probe",
        Words(en="The probe could not be carried out, so nothing is proved.", zh="自检未能完成，不能证明隔离有效。"),
        Words(en="Run it again; see the log if it fails again.", zh="请重试；仍失败请查看日志。"),
    )


# --- both sides -------------------------------------------------------------------------------------------------------


def _outside(targets: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return _answers(
        subprocess.run(
            (sys.executable, "-I", "-S", str(_ACTS)),
            input=json.dumps({**targets, "scratch": targets["scratch_outside"], "roomy": targets["scratch_outside"]}),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            cwd="/",
        ).stdout
    )


async def _inside(kernel: KernelClient, targets: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The same file, started by a cell."""
    targets = {**targets, "scratch": OUTBOX, "roomy": OUTBOX}
    cell = (
        "import subprocess, sys\n"
        f"open('/tmp/acts.py', 'w').write({_ACTS.read_text('utf-8')!r})\n"
        "ran = subprocess.run((sys.executable, '-I', '-S', '/tmp/acts.py'), "
        f"input={json.dumps(targets)!r}, capture_output=True, text=True)\n"
        "print(ran.stdout)\n"
        "print(ran.stderr, file=sys.stderr)"
    )
    return _answers((await kernel.execute(cell, seconds=_SECONDS)).stdout)


def _answers(text: str) -> dict[str, tuple[str, str]]:
    """The answers of one side.

    Raises:
        StartFailed: there are none, or an ordinary act failed too: then what fails is the probe.
    """
    try:
        said = json.loads(text)
    except ValueError:
        raise _unproved() from None
    if not said["acts"] or any(verdict != "allowed" for verdict, _ in said["controls"].values()):
        raise _unproved()
    return {name: (verdict, why) for name, (verdict, why) in said["acts"].items()}


# --- what there is to reach -------------------------------------------------------------------------------------------


@contextmanager
def _targets(place: Path, token: str) -> Iterator[dict[str, Any]]:
    """Listeners, processes and files of the host that an analyst must not reach."""
    with ExitStack() as stack:
        outside = place / "outside"
        other = place / "other"
        for folder in (outside, other):
            folder.mkdir(mode=0o777)
            folder.chmod(0o777)
        for path in (place / "hub.sqlite", other / "notes.txt"):
            path.write_text("a stand-in", "utf-8")
            path.chmod(0o666)
        place.chmod(0o755)
        abstract = f"zhakou-probe-{secrets.token_hex(8)}"
        sibling = stack.enter_context(_sibling())
        yield {
            "tcp_port": stack.enter_context(_listening(socket.AF_INET, ("127.0.0.1", 0))),
            "tcp6_port": stack.enter_context(_listening(socket.AF_INET6, ("::1", 0))),
            "udp_port": stack.enter_context(_answering()),
            "abstract": abstract if stack.enter_context(_listening(socket.AF_UNIX, "\0" + abstract)) is None else "",
            "socket_file": str(outside / "s"),
            "socket_file_port": stack.enter_context(_listening(socket.AF_UNIX, str(outside / "s"))),
            "sibling": sibling,
            "shm_key": stack.enter_context(_shared_memory()),
            "hub_database": str(place / "hub.sqlite"),
            "other_workspace": str(other / "notes.txt"),
            "shadow": "/etc/shadow",
            "scratch_outside": str(outside),
            "token_part": token[:16],  # in two halves: the act must not find the question
            "token_rest": token[16:],
            "scratch_mib": LIMITS.scratch_bytes // MIB,
            "file_bytes": LIMITS.file_bytes,
            "memory_bytes": LIMITS.memory_bytes,
            "processes": LIMITS.processes,
        }


@contextmanager
def _listening(family: int, address: Any) -> Iterator[int | None]:
    """The port of a listener that is open meanwhile; None for unix sockets and where the family does not exist."""
    listener = None
    try:
        with contextlib.suppress(OSError):  # a machine without IPv6: the control will say so
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.bind(address)
            listener.listen(8)
        yield listener.getsockname()[1] if listener is not None and family != socket.AF_UNIX else None
    finally:
        if listener is not None:
            listener.close()


@contextmanager
def _answering() -> Iterator[int]:
    """The port of a UDP socket that sends back what it gets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", 0))
        port = echo.getsockname()[1]

        def answer() -> None:
            with contextlib.suppress(OSError):
                while (got := echo.recvfrom(512)) and got[0] != b"end":
                    echo.sendto(got[0], got[1])

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            echo.sendto(b"end", ("127.0.0.1", port))
            thread.join(2)


@contextmanager
def _sibling() -> Iterator[int]:
    """A process of the host."""
    with subprocess.Popen((sys.executable, "-I", "-S", "-c", "import time; time.sleep(3600)"), cwd="/") as process:
        try:
            yield process.pid
        finally:
            process.kill()


@contextmanager
def _shared_memory() -> Iterator[int]:
    """The key of a SysV segment: ipc namespaces keep such apart."""
    libc, key = ctypes.CDLL(None), secrets.randbelow(2**30) + 1
    segment = libc.shmget(ctypes.c_int(key), ctypes.c_size_t(4096), ctypes.c_int(_SHM_CREATE))
    try:
        yield key
    finally:
        libc.shmctl(segment, 0, None)  # IPC_RMID


# --- sockets held by the boxes, seen from outside ---------------------------------------------------------------------


def _descendants(pid: int) -> list[int]:
    """A process and all below it, by the parent in /proc/<pid>/stat."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{name}/stat").read_text("utf-8", "replace")
                parents[int(name)] = int(text.rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return [one for one in found if ProcessMark.of(one) is not None]


def _holds_inet(pids: list[int]) -> str:
    """Whether one of these processes holds a socket of the host's network: by inode, in the host's own tables."""
    of_host = set()
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with contextlib.suppress(FileNotFoundError):
            for line in Path(f"/proc/self/net/{table}").read_text("ascii").splitlines()[1:]:
                of_host.add(f"socket:[{line.split()[9]}]")
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):  # it ended
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(FileNotFoundError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}") in of_host:
                        return "allowed"
    return "blocked"


def _holds_inet_here() -> bool:
    """The control of `_holds_inet`: it must find a listener of our own."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        return _holds_inet([os.getpid()]) == "allowed"
