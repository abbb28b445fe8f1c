"""Makes the folders of a box reachable for its uid without opening anything to anyone else.

bubblewrap resolves what it binds as the dropped uid, which cannot walk through /root or a hub's 0700 folder. As root,
the supervisor therefore enters a mount namespace of its own and binds each source below a small tmpfs there. Nobody
else ever sees those mounts, and they end with the supervisor. Without root there is no uid to drop and nothing to do.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sandbox import syscalls
from sandbox.bwrap import Bind
from sandbox.errors import StartFailed, Words

_PLACES = ("/mnt", "/media", "/srv", "/opt")
"""Empty standing places of the file hierarchy (FHS 3.0); one of them is covered, in our namespace only."""


class Staging:
    """A private place for bind sources. Make one per supervisor, before any thread is started."""

    def __init__(self) -> None:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        self._place: Path | None = None
        self._staged: dict[Path, Path] = {}

    def stage(self, binds: Sequence[Bind]) -> tuple[Bind, ...]:
        """The same binds, with sources that any uid inside of this namespace can reach."""
        opened = {bind.source: _open(bind.source) for bind in binds if bind.source not in self._staged}
        try:
            place = self._covered_place()
            for source, fd in opened.items():
                self._staged[source] = _bind(fd, place / str(len(self._staged)))
        finally:
            for fd in opened.values():
                os.close(fd)
        return tuple(replace(bind, source=self._staged[bind.source]) for bind in binds)

    def _covered_place(self) -> Path:
        if self._place is None:
            place = next(Path(name) for name in _PLACES if os.path.isdir(name) and not os.path.islink(name))
            flags = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
            syscalls.mount("zhakou", str(place), kind="tmpfs", flags=flags, data="mode=0711,size=1m")
            self._place = place
        return self._place


def readable_copy(source: Path, *, copies: Path) -> Path:
    """A regular file that any uid can read once it is bound: the file itself, or a copy of it below `copies`.

    `copies` must be the hub's alone: modes are wide there, the folder is what keeps others out.
    Raises:
        StartFailed: there is no such regular file. Links are not followed.
    """
    try:
        fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise missing_source(source) from error
    with os.fdopen(fd, "rb") as original:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            raise missing_source(source)
        if state.st_mode & stat.S_IROTH:
            return source
        copies.mkdir(mode=0o700, exist_ok=True)
        copy = copies / str(len(list(copies.iterdir())))
        with open(copy, "xb") as writer:
            shutil.copyfileobj(original, writer)
        copy.chmod(0o444)
    return copy


def require_regular_file(source: Path) -> None:
    """For a hub without root, which binds the file itself and not a copy: the same refusals as `readable_copy`.

    Raises:
        StartFailed: there is no such regular file. Links are not followed.
    """
    try:
        regular = stat.S_ISREG(source.lstat().st_mode)
    except OSError as error:
        raise missing_source(source) from error
    if not regular:
        raise missing_source(source)


def _open(source: Path) -> int:
    # Opened before the place is covered, so that a source below it is still found.
    try:
        return os.open(source, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise missing_source(source) from error


def missing_source(source: Path) -> StartFailed:
    """What is said when something that has to be in a box is not there. The name of the file only, never its folder."""
    return StartFailed(
        "sandbox.source_missing",
        Words(en=f"{source.name} must be in the box and is missing.", zh=f"隔离箱需要的 {source.name} 不存在。"),
        Words(
            en="If it is an extract, have it issued again; otherwise repair the installation.",
            zh="若为脱敏数据包，请重新签发；否则请修复安装。",
        ),
    )


def _bind(fd: int, target: Path) -> Path:
    if os.path.isdir(f"/proc/self/fd/{fd}"):
        target.mkdir(mode=0o755)
    else:
        target.touch(mode=0o644)
    syscalls.mount(f"/proc/self/fd/{fd}", str(target), flags=syscalls.MS_BIND | syscalls.MS_REC)
    return target
