"""Life of a workspace: starts, is found again, ends without a trace, and never ends half."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox import records
from sandbox.errors import HostUnfit, StartFailed
from sandbox.probe import _descendants
from sandbox.processes import ProcessMark
from sandbox.spec import WorkspaceSpec
from sandbox.workspace import UNCONFIRMED, Workspace
from tests.live.rooms import Loop, Room, open_room, spec_for

pytestmark = pytest.mark.live


def everything_of(room: Room) -> list[ProcessMark]:
    record = records.read_record(room.spec.state_dir)
    assert record is not None
    marks = [ProcessMark.of(pid) for pid in _descendants(record.supervisor.pid)]
    return [mark for mark in marks if mark is not None]


def assert_gone(room: Room, processes: list[ProcessMark]) -> None:
    assert len(processes) >= 7  # the supervisor, two bwraps, two inits, the server, the agent
    deadline = time.monotonic() + 5
    while any(mark.is_alive() for mark in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [mark.pid for mark in processes if mark.is_alive()]


def groups_left(spec: WorkspaceSpec) -> list[Path]:
    return [path for path in Path("/sys/fs/cgroup").rglob(f"zhakou-{spec.workspace_id}-*") if path.is_dir()]


def test_stop_leaves_neither_process_nor_group_nor_socket(folder: Path) -> None:
    spec = spec_for(folder, number=1)
    with open_room(spec) as room:
        assert room.loop.run(room.workspace.poll()) is None
        processes = everything_of(room)
    assert_gone(room, processes)
    assert groups_left(spec) == []
    assert not room.socket.exists()


def test_supervisor_killed_outright_takes_both_boxes_along(folder: Path) -> None:
    spec = spec_for(folder, number=2)
    with open_room(spec) as room:
        processes = everything_of(room)
        record = records.read_record(spec.state_dir)
        assert record is not None
        record.supervisor.send(signal.SIGKILL)
        assert_gone(room, processes)
        assert room.loop.run(room.workspace.poll()) == 1
    assert groups_left(spec) == []


@pytest.mark.parametrize("box", ["a", "b"])
def test_one_box_ending_ends_the_workspace(folder: Path, box: str) -> None:
    with open_room(spec_for(folder, number=3)) as room:
        processes = everything_of(room)
        record = records.read_record(room.spec.state_dir)
        assert record is not None
        record.boxes[box].send(signal.SIGKILL)
        assert_gone(room, processes)
        assert room.loop.run(room.workspace.poll()) == 1


def test_hub_that_restarts_finds_its_workspace_and_can_stop_it(folder: Path) -> None:
    spec = spec_for(folder, number=4)
    with open_room(spec) as room:
        again, loop = Workspace(spec), Loop()
        assert loop.run(again.poll()) is None
        with pytest.raises(StartFailed) as refused:
            loop.run(again.start())
        assert refused.value.code == "sandbox.already_running"
        processes = everything_of(room)
        loop.run(again.stop())
        assert_gone(room, processes)
        assert loop.run(again.poll()) == 0
        loop.close()


def test_notebooks_outlive_a_workspace_and_both_boxes_write_them(folder: Path) -> None:
    spec = spec_for(folder, number=5)
    with open_room(spec) as room:
        written = {"type": "file", "format": "text", "content": "by the server"}
        assert room.request("PUT", "/api/contents/a.txt", body=written)[0] == 201
        ran = room.execute("print(open('a.txt').read(), end='')\nopen('a.txt', 'w').write('by the kernel')")
        assert ran.stdout == "by the server"
    with open_room(spec) as room:
        assert b"by the kernel" in room.request("GET", "/api/contents/a.txt")[1]
    if os.geteuid() == 0:
        assert (spec.state_dir / "home").stat().st_uid == spec.kernel_uid
        assert (spec.state_dir / "server").stat().st_uid == spec.server_uid


def test_two_workspaces_do_not_see_each_other(folder: Path) -> None:
    with open_room(spec_for(folder, number=6)) as one, open_room(spec_for(folder, number=7)) as two:
        one.execute("open('/home/analyst/mine.txt', 'w').write('x'); open('/outbox/mine', 'w').write('x')")
        cell = (
            "import os\nprint([f for d in ('/home', '/outbox', '/run', '/tmp', '/data') for _, _, fs in os.walk(d) "
            "for f in fs if 'mine' in f], len([p for p in os.listdir('/proc') if p.isdigit()]))"
        )
        assert two.execute(cell).stdout == "[] 3\n"


def test_missing_extract_is_refused_and_nothing_is_left_running(folder: Path) -> None:
    spec = spec_for(folder, number=8)
    spec.extracts[0].source.unlink()
    loop, workspace = Loop(), Workspace(spec)
    with pytest.raises(StartFailed) as refused:
        loop.run(workspace.start())
    assert refused.value.code == "sandbox.source_missing"
    assert "extract-8.parquet" in refused.value.text
    assert str(folder) not in str(refused.value)
    assert loop.run(workspace.poll()) == 0
    assert groups_left(spec) == []
    loop.close()


def test_extract_that_is_a_link_is_refused(folder: Path) -> None:
    spec = spec_for(folder, number=9)
    source = spec.extracts[0].source
    source.rename(folder / "elsewhere.parquet")
    source.symlink_to(folder / "elsewhere.parquet")
    loop = Loop()
    with pytest.raises(StartFailed):
        loop.run(Workspace(spec).start())
    loop.close()


def test_uid_that_does_not_fit_who_we_are_is_refused(folder: Path) -> None:
    spec = spec_for(folder, number=10)
    changed = {"uid": None, "gid": None} if os.geteuid() == 0 else {"uid": 61_000, "gid": 61_000}
    wrong = WorkspaceSpec(workspace_id="wrong", state_dir=spec.state_dir, **changed)  # type: ignore[arg-type]
    with pytest.raises(HostUnfit) as refused:
        Workspace(wrong).prepare()
    assert refused.value.code in ("sandbox.uid_needed", "sandbox.not_root")


def test_pid_that_was_given_out_again_is_not_ours() -> None:
    own = ProcessMark.of(os.getpid())
    assert own is not None
    assert own.is_alive()
    other = ProcessMark(pid=own.pid, start=own.start - 1, boot=own.boot)
    assert not other.is_alive()
    other.send(signal.SIGKILL)  # reaches nobody


def test_weaknesses_of_this_machine_are_said(room: Room) -> None:
    said = room.workspace.weaknesses
    assert any(one.startswith("home.no_quota") for one in said)
    assert any(one.startswith("uid.shared") for one in said) is (os.geteuid() != 0)
    assert all(one.zh for one in said)


def test_new_home_begins_with_the_walk_throughs_and_they_are_the_analysts(folder: Path) -> None:
    spec = spec_for(folder, number=8)
    first = folder / "01-first.ipynb"
    first.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    workspace = Workspace(spec)
    workspace.prepare()
    workspace.offer_notebooks([first])
    with open_room(spec) as room:
        assert room.request("GET", "/api/contents/01-first.ipynb")[0] == 200
        assert room.execute("open('01-first.ipynb', 'a').write(' '); print('mine')").stdout == "mine\n"
        assert room.execute("import os; os.remove('01-first.ipynb'); open('own.py', 'w').close()").error is None
    workspace.offer_notebooks([first])
    assert sorted(path.name for path in (spec.state_dir / "home").iterdir() if path.suffix) == ["own.py"]


def test_walk_throughs_are_not_written_through_a_link(folder: Path) -> None:
    spec = spec_for(folder, number=9)
    workspace = Workspace(spec)
    workspace.prepare()
    (spec.state_dir / "home").rmdir()
    (folder / "elsewhere").mkdir()
    (spec.state_dir / "home").symlink_to(folder / "elsewhere")
    with pytest.raises(OSError, match="directory"):
        workspace.offer_notebooks([Path(__file__)])
    assert list((folder / "elsewhere").iterdir()) == []


def test_workspace_that_nobody_confirms_any_more_ends_by_itself(folder: Path) -> None:
    spec = replace(spec_for(folder, number=11), unconfirmed_seconds=8)  # a start takes some of them
    with open_room(spec) as room:
        for _ in range(10):
            room.workspace.confirm()
            time.sleep(1)
        os.utime(spec.state_dir / "run" / "confirmed", (2**31, 2**31))  # the machine's clock jumps: it changes nothing
        assert room.loop.run(room.workspace.poll()) is None
        processes = everything_of(room)
        time.sleep(2 * spec.unconfirmed_seconds)  # it looks when its patience is up, and is patient once more then
        assert_gone(room, processes)
        assert room.loop.run(room.workspace.poll()) == UNCONFIRMED
    assert groups_left(spec) == []
