"""What a running workspace leaves on disk, so that a hub that restarts finds it and can clear it away after a crash."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.bwrap import Layout
from sandbox.limits import Level
from sandbox.processes import ProcessMark
from sandbox.spec import WorkspaceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Who runs, and what must be gone afterwards."""

    supervisor: ProcessMark
    boxes: Mapping[str, ProcessMark]
    level: Level
    group_directories: tuple[Path, ...]


def layout_of(workspace: WorkspaceSpec) -> Layout:
    """Where the parts of a workspace lie on the host."""
    state = workspace.state_dir
    return Layout(
        home=state / "home",
        outbox=state / "outbox",
        ipc=state / "ipc",
        server_home=state / "server",
        gateway=None if workspace.hub_socket is None else workspace.hub_socket.parent,
    )


def write_record(state_dir: Path, record: Record) -> None:
    _write(
        state_dir / "run" / "supervisor.json",
        {
            "supervisor": asdict(record.supervisor),
            "boxes": {name: asdict(mark) for name, mark in record.boxes.items()},
            "level": str(record.level),
            "group_directories": [str(path) for path in record.group_directories],
        },
    )


def read_record(state_dir: Path) -> Record | None:
    """What was written last; None if this workspace was never started or was cleared away."""
    try:
        said = json.loads((state_dir / "run" / "supervisor.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Record(
        supervisor=ProcessMark(**said["supervisor"]),
        boxes={name: ProcessMark(**mark) for name, mark in said["boxes"].items()},
        level=Level(said["level"]),
        group_directories=tuple(Path(path) for path in said["group_directories"]),
    )


def write_exit(state_dir: Path, status: int) -> None:
    _write(state_dir / "run" / "exit.json", {"status": status})


def read_exit(state_dir: Path) -> int | None:
    """The status the last supervisor ended with; None if it could not say."""
    try:
        return int(json.loads((state_dir / "run" / "exit.json").read_text("utf-8"))["status"])
    except FileNotFoundError:
        return None


def confirm(state_dir: Path) -> None:
    """Note that whoever holds the workspace has asked whether it may go on, and that it may."""
    (state_dir / "run" / "confirmed").touch()


def last_confirmed(state_dir: Path) -> int:
    """A number that changes with each confirmation; 0 before the first."""
    try:
        return (state_dir / "run" / "confirmed").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _write(path: Path, said: object) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(said), "utf-8")
    os.replace(new, path)
