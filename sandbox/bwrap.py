"""From a spec to the words given to bubblewrap. Pure: what a box may see is decided here and nowhere else.

Every flag is listed with its reason, see bwrap(1). The options go by file descriptor (`--args`), because the command
line of pid 1 is readable inside the box; the environment of bwrap itself is empty, because `--clearenv` does not clean
/proc/1/environ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox import spec
from sandbox.spec import Limits, WorkspaceSpec

INSIDE_ID = "1000"
CODE = "/opt/zhakou"
SITE = "/opt/site"

_NAMESPACES = (
    "--unshare-all",  # net: loopback only; pid, ipc, uts, cgroup, mount: nobody else's
    "--unshare-user",  # --unshare-all only *tries* it; --disable-userns needs it
    "--disable-userns",  # no user namespace below, hence no capabilities to win there
    "--die-with-parent",  # the supervisor ends, however it ends: so does the box
    "--new-session",  # no terminal of ours to type into (TIOCSTI)
    *("--cap-drop", "ALL"),
    "--clearenv",
    *("--uid", INSIDE_ID, "--gid", INSIDE_ID),  # shown inside; files land as the uid that bwrap runs as
    *("--hostname", "zhakou"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """A file or folder of the host at a place in the box."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What any Python in a box needs of this machine: found once by `sandbox.runtime`, the same for every box."""

    python: str
    """The interpreter, as seen inside."""
    binds: tuple[Bind, ...]
    symlinks: tuple[tuple[str, str], ...]
    """(points to, is at)"""
    hidden: tuple[str, ...]
    """Folders covered by an empty one: packages of the base interpreter that are not the product's."""
    environment: Mapping[str, str]
    server_binds: tuple[Bind, ...]
    """Only for the box that serves Jupyter."""
    kernel_binds: tuple[Bind, ...]
    """Only for boxes that run analysts' code, or ours on their results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Folders of one workspace on the host."""

    home: Path
    outbox: Path
    ipc: Path
    server_home: Path
    gateway: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """All of a box: what it sees, what it is told, what runs in it."""

    binds: tuple[Bind, ...]
    symlinks: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    scratch_bytes: int
    shm_bytes: int
    environment: Mapping[str, str] = field(repr=False)
    chdir: str
    command: tuple[str, ...]

    def options(self, *, seccomp_fd: int) -> tuple[str, ...]:
        """The options of bwrap, in the order that matters: later mounts lie on top, read-only comes last."""
        words = [*_NAMESPACES, "--seccomp", str(seccomp_fd)]
        words += ["--proc", "/proc"]  # of the box's own pid namespace: no process of the host is in it
        words += ["--dev", "/dev"]  # null, zero, full, random, urandom, tty, a private pts
        words += ["--size", str(self.shm_bytes), "--tmpfs", "/dev/shm"]  # noqa: S108 - default would be half of the RAM
        words += ["--size", str(self.scratch_bytes), "--perms", "1777", "--tmpfs", "/tmp"]  # noqa: S108
        for bind in self.binds:
            words += ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target]
        for target in self.hidden:
            words += ["--tmpfs", target, "--remount-ro", target]
        for points_to, is_at in self.symlinks:
            words += ["--symlink", points_to, is_at]
        for name, value in self.environment.items():
            words += ["--setenv", name, value]
        words += ["--chdir", self.chdir]
        words += ["--remount-ro", "/dev", "--remount-ro", "/"]  # both are tmpfs as large as half of the RAM
        return tuple(words)


def socket_inside(workspace: WorkspaceSpec) -> str:
    """Where the server finds the gateway's socket; empty without one."""
    return "" if workspace.hub_socket is None else f"{spec.HUB_SOCKET_DIR}/{workspace.hub_socket.name}"


def server_box(workspace: WorkspaceSpec, *, runtime: Runtime, layout: Layout, settings: str, limits: Limits) -> Box:
    """Box A: Jupyter's server. Holds the token and the hub's gateway; holds no data, no outbox, no terminal.

    `settings`: JSON for `sandbox.server`, by an environment variable that no other process of the box can read.
    """
    binds = [*runtime.binds, *runtime.server_binds]
    binds.append(Bind(source=layout.home, target=spec.HOME, writable=True))
    binds.append(Bind(source=layout.server_home, target=spec.SERVER_HOME, writable=True))
    binds.append(Bind(source=layout.ipc, target=spec.IPC))
    if layout.gateway is not None:
        binds.append(Bind(source=layout.gateway, target=spec.HUB_SOCKET_DIR))
    return Box(
        binds=tuple(binds),
        symlinks=runtime.symlinks,
        hidden=runtime.hidden,
        scratch_bytes=limits.scratch_bytes,
        shm_bytes=limits.scratch_bytes,
        environment={
            **workspace.server_env,
            **runtime.environment,
            **_languages(workspace),
            "HOME": spec.SERVER_HOME,
            "ZHAKOU_SERVER": settings,
        },
        chdir="/",
        # -P: the folder we stand in and the script's are not searched for modules; -s: nor the user's site-packages
        command=(runtime.python, "-P", "-s", "-m", "sandbox.server", *workspace.server_argv_extra),
    )


def kernel_box(workspace: WorkspaceSpec, *, runtime: Runtime, layout: Layout, agent_fd: int) -> Box:
    """Box B: the kernels. Holds the extracts and the outbox; holds no token, no gateway, no server."""
    binds = [*runtime.binds, *runtime.kernel_binds]
    binds.append(Bind(source=layout.home, target=spec.HOME, writable=True))
    binds.append(Bind(source=layout.outbox, target=spec.OUTBOX, writable=True))
    binds.append(Bind(source=layout.ipc, target=spec.IPC, writable=True))
    binds += [Bind(source=one.source, target=f"{spec.DATA}/{one.name}.parquet") for one in workspace.extracts]
    return Box(
        binds=tuple(binds),
        symlinks=runtime.symlinks,
        hidden=runtime.hidden,
        scratch_bytes=workspace.limits.scratch_bytes,
        shm_bytes=workspace.limits.scratch_bytes,
        environment={
            **runtime.environment,
            **_languages(workspace),
            spec.RUNGS: spec.said_rungs(workspace.extracts),
            "HOME": spec.HOME,
        },
        chdir=spec.HOME,
        # -I: isolated from environment, user site and current folder; -S: the agent needs the standard library only
        command=(runtime.python, "-I", "-S", f"{CODE}/agent.py", str(agent_fd)),
    )


def program_box(argv: tuple[str, ...], *, runtime: Runtime, binds: tuple[Bind, ...], limits: Limits) -> Box:
    """A box for one program: reads what it was given, writes to its scratch space, answers on stdout."""
    return Box(
        binds=(*runtime.binds, *runtime.kernel_binds, *binds),
        symlinks=runtime.symlinks,
        hidden=runtime.hidden,
        scratch_bytes=limits.scratch_bytes,
        shm_bytes=limits.scratch_bytes,
        environment={**runtime.environment, "HOME": "/tmp", "LANG": "C.UTF-8"},  # noqa: S108 - the box's own
        chdir="/tmp",  # noqa: S108
        command=argv,
    )


def _languages(workspace: WorkspaceSpec) -> dict[str, str]:
    return {"LANG": "C.UTF-8", "ZHAKOU_LANGUAGE": workspace.language}
