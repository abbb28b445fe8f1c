"""Turns this process's child into bwrap, step by step, with nothing handed down that was not named.

What must hold when bwrap starts:
  1. it dies with its parent;
  2. it is in its group and under its limits before it runs anything;
  3. it holds exactly the file descriptors it was given;
  4. none of them is a socket of the host's network: such a socket keeps its namespace and could be connected anew;
  5. it runs as the workspace's uid, with no further groups, and can win no privilege;
  6. its environment is empty and it stands in /.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox import syscalls
from sandbox.bwrap import Box
from sandbox.errors import HostUnfit, Words

_BWRAP_PATH = "/usr/bin:/bin:/usr/local/bin"
_REFUSED = 126
_SHARED_UMASK = 0o007
"""Server and kernels share a group, and nothing else: both must be able to write the notebooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As whom a box runs; None: as the caller."""

    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """File descriptors for the child: standard streams, and others kept under their own number."""

    stdin: int
    stdout: int
    stderr: int
    keep: tuple[int, ...] = field(default=())


def bwrap_path() -> str:
    """Where bubblewrap is.

    Raises:
        HostUnfit: it is not installed. There is no weaker way instead.
    """
    found = shutil.which("bwrap", path=_BWRAP_PATH)
    if found is None:
        raise HostUnfit(
            "sandbox.no_bwrap",
            Words(
                en="bubblewrap is not installed, so nothing can be confined.", zh="未安装 bubblewrap，无法隔离运行。"
            ),
            Words(en="Run: sudo apt-get install bubblewrap", zh="请执行：sudo apt-get install bubblewrap"),
        )
    return found


def memory_file(name: str, content: bytes) -> int:
    """An anonymous file at its start, closed on exec unless named in a handover."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    with os.fdopen(os.dup(fd), "wb") as writer:
        writer.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def start_box(
    box: Box,
    *,
    seccomp: bytes,
    identity: Identity,
    handover: Handover,
    rlimits: Mapping[int, int],
    adopt: Callable[[int], None],
) -> int:
    """Start bwrap for this box and return its pid. Call from the main thread: the box ends with the calling thread."""
    bwrap = bwrap_path()
    seccomp_fd = memory_file("seccomp", seccomp)
    options = b"\0".join(word.encode() for word in box.options(seccomp_fd=seccomp_fd)) + b"\0"
    options_fd = memory_file("options", options)
    argv = (bwrap, "--args", str(options_fd), "--", *box.command)
    keep = (*handover.keep, seccomp_fd, options_fd)
    go_read, go_write = os.pipe2(os.O_CLOEXEC)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become(
            argv,
            parent=parent,
            go=go_read,
            go_write=go_write,
            identity=identity,
            handover=handover,
            keep=keep,
            rlimits=rlimits,
        )
    for fd in (go_read, seccomp_fd, options_fd):
        os.close(fd)
    try:
        adopt(pid)  # 2
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    else:
        os.write(go_write, b"g")
    finally:
        os.close(go_write)
    return pid


def _become(
    argv: Sequence[str],
    *,
    parent: int,
    go: int,
    go_write: int,
    identity: Identity,
    handover: Handover,
    keep: Sequence[int],
    rlimits: Mapping[int, int],
) -> None:
    """The child's way to bwrap; never returns."""
    try:
        syscalls.die_with_parent(parent)  # 1
        os.close(go_write)
        if os.read(go, 1) != b"g":  # 2: the parent failed to adopt us
            os._exit(_REFUSED)
        for kind, value in rlimits.items():
            resource.setrlimit(kind, (value, value))
        for number, fd in enumerate((handover.stdin, handover.stdout, handover.stderr)):
            os.dup2(fd, number)
        close_all_but(keep)  # 3
        refuse_foreign_sockets()  # 4
        os.umask(_SHARED_UMASK)
        os.chdir("/")  # 6
        if identity.uid is not None and identity.gid is not None:  # 5
            os.setgroups([])
            os.setresgid(identity.gid, identity.gid, identity.gid)
            os.setresuid(identity.uid, identity.uid, identity.uid)
            syscalls.die_with_parent(parent)  # 1: lost at the change of uid
        syscalls.no_new_privileges()
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.execve(argv[0], list(argv), {})  # 6  # noqa: S606
    except BaseException as error:  # noqa: BLE001 - the child must never run the parent's code
        os.write(2, f"launch: {type(error).__name__}: {error}\n".encode())
    os._exit(_REFUSED)


def close_all_but(keep: Sequence[int]) -> None:
    """Close everything above the standard streams except these, which are made to survive exec."""
    wanted = set(keep)
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        if fd > 2 and fd not in wanted:
            try:
                os.close(fd)
            except OSError:  # the descriptor of the listing itself
                continue
    for fd in wanted:
        os.set_inheritable(fd, True)


def refuse_foreign_sockets() -> None:
    """Raises PermissionError if an open descriptor is a socket of any family but UNIX."""
    for name in os.listdir("/proc/self/fd"):
        fd = int(name)
        try:
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
        except OSError:  # the descriptor of the listing itself
            continue
        with socket.socket(fileno=os.dup(fd)) as held:
            if held.family != socket.AF_UNIX:
                raise PermissionError(f"descriptor {fd} is a network socket of the host")
