"""Memory, processes and CPU of a box, by the strongest means this machine offers.

Levels, strongest first. The choice is made once per start, written down, and never falls lower afterwards:

1. cgroup v2, when a subtree with the memory, pids and cpu controllers is ours;
2. a scope of systemd, asked for over its bus (of the system as root, of the user otherwise);
3. cgroup v1 directories, as root;
4. prlimit: per process only, so that three children take three times the memory. A stated weakness.

A process is adopted *before* it becomes bwrap, so nothing of a box is ever outside of its group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sandbox.errors import HostUnfit, Words
from sandbox.spec import GIB, Limits

_PERIOD_US = 100_000
_CONTROLLERS = ("memory", "pids", "cpu")
_BUS = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
_REMOVE_SECONDS = 5.0
_OPEN_FILES = 4096
_MAPPED_BYTES = 3 * GIB
"""Address space a kernel maps without using it: about 1.4 GiB with polars and pyarrow loaded."""


class Level(StrEnum):
    CGROUP_V2 = "cgroup-v2"
    SYSTEMD_SCOPE = "systemd-scope"
    CGROUP_V1 = "cgroup-v1"
    PER_PROCESS = "per-process"


class Group(Protocol):
    """What holds the processes of one box together."""

    @property
    def level(self) -> Level: ...

    @property
    def directories(self) -> tuple[Path, ...]:
        """What must be removed by hand if the supervisor could not."""

    def adopt(self, pid: int) -> None:
        """Put a process that has not yet become bwrap into the group."""

    def remove(self) -> None:
        """Kill what is left in the group and remove it. Idempotent."""


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A cgroup made by hand: one directory (v2), or one per controller (v1)."""

    level: Level
    directories: tuple[Path, ...]

    def adopt(self, pid: int) -> None:
        for directory in self.directories:
            (directory / "cgroup.procs").write_text(str(pid), "ascii")

    def remove(self) -> None:
        deadline = time.monotonic() + _REMOVE_SECONDS
        for directory in self.directories:
            while directory.exists():
                for pid in (directory / "cgroup.procs").read_text("ascii").split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
                try:
                    directory.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class ScopeGroup:
    """A transient scope unit; systemd makes and removes the cgroup. Not exercised where pid 1 is not systemd."""

    unit: str
    limits: Limits
    level: Level = Level.SYSTEMD_SCOPE
    directories: tuple[Path, ...] = ()

    def adopt(self, pid: int) -> None:
        properties = (
            *("PIDs", "au", "1", str(pid)),
            *("MemoryMax", "t", str(self.limits.memory_bytes)),
            *("MemorySwapMax", "t", "0"),
            *("TasksMax", "t", str(self.limits.processes)),
            *("CPUQuotaPerSecUSec", "t", str(self.limits.cpu_percent * 10_000)),
            *("CollectMode", "s", "inactive-or-failed"),
        )
        _busctl("StartTransientUnit", "ssa(sv)a(sa(sv))", self.unit, "fail", "6", *properties, "0")
        deadline = time.monotonic() + _REMOVE_SECONDS
        while self.unit not in Path(f"/proc/{pid}/cgroup").read_text("ascii"):  # the job runs beside us
            if time.monotonic() > deadline:
                raise TimeoutError(f"systemd did not place the process into {self.unit}")
            time.sleep(0.02)

    def remove(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # already collected
            _busctl("KillUnit", "ssi", self.unit, "all", str(int(signal.SIGKILL)))


@dataclass(frozen=True, slots=True)
class NoGroup:
    """Nothing holds the processes together but their own limits; the box's pid namespace still ends them together."""

    level: Level = Level.PER_PROCESS
    directories: tuple[Path, ...] = ()

    def adopt(self, pid: int) -> None:
        del pid

    def remove(self) -> None:
        return


def choose_level() -> Level:
    """The strongest level that works here, tried for real where trying is harmless."""
    if _v2_base() is not None:
        return Level.CGROUP_V2
    if _systemd_answers():
        return Level.SYSTEMD_SCOPE
    if os.geteuid() == 0 and _v1_bases() is not None:
        return Level.CGROUP_V1
    return Level.PER_PROCESS


def open_group(level: Level, name: str, limits: Limits) -> Group:
    """A fresh group; what an earlier run left under the same name is killed and removed first.

    Raises:
        HostUnfit: the level was promised at the choice and cannot be kept now.
    """
    try:
        match level:
            case Level.CGROUP_V2:
                return _open_v2(name, limits)
            case Level.SYSTEMD_SCOPE:
                return ScopeGroup(unit=f"zhakou-{name}.scope", limits=limits)
            case Level.CGROUP_V1:
                return _open_v1(name, limits)
            case Level.PER_PROCESS:
                return NoGroup()
    except OSError as error:
        raise HostUnfit(
            "sandbox.limits",
            Words(
                en=f"The limits of the box cannot be set by {level} ({os.strerror(error.errno or 0)}).",
                zh=f"无法用 {level} 设置隔离箱限额（{os.strerror(error.errno or 0)}）。",
            ),
            Words(en="Look at the control groups of this machine.", zh="请检查本机的 cgroup 设置。"),
        ) from error


def resource_limits(level: Level, limits: Limits, *, own_uid: bool) -> Mapping[int, int]:
    """Limits per process, set before the uid is dropped. Holds at every level; memory and processes at the weakest.

    `own_uid`: the box runs as the caller, whose other processes the kernel counts too (getrlimit(2), RLIMIT_NPROC).
    """
    ceiling = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_MEMLOCK: 2**20,
    }
    if level is Level.PER_PROCESS:
        ceiling[resource.RLIMIT_DATA] = limits.memory_bytes  # private memory, asked for; mappings are free
        ceiling[resource.RLIMIT_AS] = limits.memory_bytes + _MAPPED_BYTES  # else shared mappings would be a way round
        ceiling[resource.RLIMIT_NPROC] = limits.processes + (_tasks_of(os.getuid()) if own_uid else 0)
    for kind, value in ceiling.items():
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY and hard < value:
            ceiling[kind] = hard
    return ceiling


def _tasks_of(uid: int) -> int:
    count = 0
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                if process.stat().st_uid == uid:
                    count += sum(1 for _ in (process / "task").iterdir())
    return count


def _own_groups() -> dict[str, str]:
    """Controller (or "" for v2) -> path of our own cgroup: cgroups(7), /proc/<pid>/cgroup."""
    found = {}
    for line in Path("/proc/self/cgroup").read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    return found


def _mount_of(kind: str, controller: str | None = None) -> Path | None:
    """Where this hierarchy is mounted whole: proc(5), mountinfo."""
    for line in Path("/proc/self/mountinfo").read_text("utf-8").splitlines():
        before, after = line.split(" - ", 1)
        filesystem, _, options = after.split(" ", 2)
        root, point = before.split(" ")[3:5]
        if filesystem == kind and root == "/" and (controller is None or controller in options.split(",")):
            return Path(point)
    return None


def _below(mount: Path, group: str) -> Path:
    return mount / group.lstrip("/")


def _v2_base() -> Path | None:
    mount, group = _mount_of("cgroup2"), _own_groups().get("")
    if mount is None or group is None:
        return None
    own = _below(mount, group)
    for base in dict.fromkeys((own, own.parent if own != mount else own)):
        try:
            offered = (base / "cgroup.controllers").read_text("ascii").split()
            if not set(_CONTROLLERS) <= set(offered) or not os.access(base, os.W_OK):
                continue
            control = base / "cgroup.subtree_control"
            if not set(_CONTROLLERS) <= set(control.read_text("ascii").split()):
                control.write_text(" ".join(f"+{name}" for name in _CONTROLLERS), "ascii")
            if os.access(base / "cgroup.procs", os.W_OK):
                return base
        except OSError:  # not ours, or it holds processes itself: the next candidate
            continue
    return None


def _open_v2(name: str, limits: Limits) -> Group:
    base = _v2_base()
    if base is None:
        raise FileNotFoundError(2, "the delegated subtree is gone")
    directory = base / f"zhakou-{name}"
    DirectoryGroup(Level.CGROUP_V2, (directory,)).remove()
    directory.mkdir()
    (directory / "memory.max").write_text(str(limits.memory_bytes), "ascii")
    if (directory / "memory.swap.max").exists():
        (directory / "memory.swap.max").write_text("0", "ascii")
    (directory / "pids.max").write_text(str(limits.processes), "ascii")
    (directory / "cpu.max").write_text(f"{limits.cpu_percent * _PERIOD_US // 100} {_PERIOD_US}", "ascii")
    return DirectoryGroup(Level.CGROUP_V2, (directory,))


def _v1_bases() -> dict[str, Path] | None:
    groups = _own_groups()
    bases = {}
    for controller in _CONTROLLERS:
        mount = _mount_of("cgroup", controller)
        if mount is None or controller not in groups:
            return None
        base = _below(mount, groups[controller])
        if not os.access(base, os.W_OK):
            return None
        bases[controller] = base
    return bases


def _open_v1(name: str, limits: Limits) -> Group:
    bases = _v1_bases()
    if bases is None:
        raise FileNotFoundError(2, "the hierarchies are gone")
    settings = {
        "memory": (
            ("memory.limit_in_bytes", limits.memory_bytes),
            ("memory.memsw.limit_in_bytes", limits.memory_bytes),
        ),
        "pids": (("pids.max", limits.processes),),
        "cpu": (
            ("cpu.cfs_period_us", _PERIOD_US),
            ("cpu.cfs_quota_us", limits.cpu_percent * _PERIOD_US // 100),
        ),
    }
    group = DirectoryGroup(Level.CGROUP_V1, tuple(bases[one] / f"zhakou-{name}" for one in _CONTROLLERS))
    group.remove()
    for controller, directory in zip(_CONTROLLERS, group.directories, strict=True):
        directory.mkdir()
        for key, value in settings[controller]:
            if key == "memory.memsw.limit_in_bytes" and not (directory / key).exists():
                continue  # swap accounting is off in this kernel; memory alone is limited then
            (directory / key).write_text(str(value), "ascii")
    return group


def _bus_arguments() -> tuple[str, ...]:
    return ("busctl", "--quiet", *(() if os.geteuid() == 0 else ("--user",)))


def _busctl(method: str, signature: str, *arguments: str) -> None:
    subprocess.run(
        (*_bus_arguments(), "call", *_BUS, method, signature, *arguments),
        check=True,
        capture_output=True,
        timeout=10,
        env={"PATH": "/usr/bin:/bin", "XDG_RUNTIME_DIR": f"/run/user/{os.geteuid()}"},
    )


def _systemd_answers() -> bool:
    if not Path("/run/systemd/system").is_dir() or shutil.which("busctl", path="/usr/bin:/bin") is None:
        return False
    try:
        _busctl("GetUnit", "s", "init.scope" if os.geteuid() == 0 else "default.target")
    except (subprocess.SubprocessError, OSError):
        return False
    return True
