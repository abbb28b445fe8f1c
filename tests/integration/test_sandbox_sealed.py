"""Hostile notebooks in the box of a sealed run: nothing of them is told but how they ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from sandbox.process import Completed
from sandbox.sealed import KNOWN_ERRORS, Ending, Ran, run_sealed, told
from sandbox.spec import MIB, Limits, ReadOnlyMount

LIMITS = Limits(memory_bytes=512 * MIB, processes=48, scratch_bytes=16 * MIB)
SECRET = "7919"


@pytest.fixture
def go(tmp_path: Path) -> Callable[..., Ran]:
    source, outbox = tmp_path / "t.parquet", tmp_path / "outbox"
    pl.DataFrame({"n": [7919] * 20}).write_parquet(source)
    outbox.mkdir(mode=0o700)

    def run(*cells: str, seconds: float = 60) -> Ran:
        said = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "nbformat": 4}
        mount = ReadOnlyMount(name="t", source=source, level="full")
        notebook = json.dumps(said).encode()
        return run_sealed(notebook, extracts=[mount], outbox=outbox, limits=LIMITS, seconds=seconds, cells=len(cells))

    return run


READ = "import polars as pl; secret = pl.read_parquet('/data/t.parquet')['n'][0]"
HOSTILE = {
    "raises its secret": ("raise ValueError(str(secret))", Ran(ending=Ending.FAILED, cell=2, error="ValueError")),
    "names a class by it": (
        "raise type(f'Secret{secret}', (Exception,), {})()",
        Ran(ending=Ending.FAILED, cell=2, error="other"),
    ),
    "prints it": ("print(secret); import sys; sys.stderr.write(str(secret))", Ran(ending=Ending.FINISHED)),
    "ends itself": ("import os; os._exit(secret % 100)", Ran(ending=Ending.ENDED, cell=2)),
    "kills who reports": ("import os; os.kill(os.getppid(), 9)", Ran(ending=Ending.ENDED)),
    "takes all memory": ("x = []\nwhile True: x.append(bytearray(2**24))", Ran(ending=Ending.ENDED, cell=2)),
    "writes to the data": ("open('/data/t.parquet', 'wb')", Ran(ending=Ending.FAILED, cell=2, error="OSError")),
    "calls out": (
        "import socket; socket.create_connection(('198.51.100.1', 80), timeout=2)",
        Ran(ending=Ending.FAILED, cell=2, error="OSError"),
    ),
    "writes into every pipe": (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, str(secret).encode())\n    except OSError: pass",
        Ran(ending=Ending.ENDED, cell=2),
    ),
    "is a shell command": ("!cat /data/t.parquet", Ran(ending=Ending.FAILED, cell=2, error="SyntaxError")),
    "leaves a child behind": ("import os, time\nif os.fork() == 0: time.sleep(99)", Ran(ending=Ending.FINISHED)),
    "awaits": ("import asyncio\nawait asyncio.sleep(0)\ndisplay(secret)", Ran(ending=Ending.FINISHED)),
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_cell_tells_nothing_of_the_data(go: Callable[..., Ran], name: str) -> None:
    cell, expected = HOSTILE[name]
    found = go(READ, cell)
    assert SECRET not in repr(found)
    if name == "writes into every pipe":  # what it forges is read as hostile: a number in range, a class of the list
        assert found.cell in (0, 1, 2)
        assert found.error in KNOWN_ERRORS | {"", "other"}
    else:
        assert found == expected


def test_endless_loop_is_ended_when_the_time_is_up(go: Callable[..., Ran]) -> None:
    assert go("while True: pass", seconds=2) == Ran(ending=Ending.TIMED_OUT)


def test_fork_bomb_is_held_and_ended(go: Callable[..., Ran]) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert go(bomb, seconds=4) == Ran(ending=Ending.TIMED_OUT)


def test_outbox_that_is_filled_ends_the_run(go: Callable[..., Ran], tmp_path: Path) -> None:
    filling = "import os\nfor n in range(10**6): open(f'/outbox/{n}', 'wb').write(os.urandom(2**20))"
    assert go(filling) == Ran(ending=Ending.OVERFULL)
    held = sum(path.stat().st_size for path in (tmp_path / "outbox").iterdir())
    assert held < 2**32


def test_box_holds_the_extracts_named_and_nothing_else(go: Callable[..., Ran]) -> None:
    look = "import os; assert os.listdir('/data') == ['t.parquet'] and os.listdir('/outbox') == []"
    assert go(look) == Ran(ending=Ending.FINISHED)


def test_kit_works_as_in_a_workspace(go: Callable[..., Ran], tmp_path: Path) -> None:
    put = "outbox.put(data.load('t').group_by('n').len(), title='t', reason='for tests', name='counts')"
    level = "from zhakou import data, outbox; assert data.level('t') == 'full' and data.notice('t') == ''"
    assert go(level, put) == Ran(ending=Ending.FINISHED)
    assert [path.name for path in (tmp_path / "outbox").glob("*/*.csv")] == ["counts.csv"]


FORGED = [
    b"",
    b"[]",
    b"7",
    b'{"finished": true}',
    b'{"finished": "yes", "cell": 1, "error": ""}',
    b'{"finished": false, "cell": "7919", "error": ""}',
    b'{"finished": false, "cell": 7919, "error": "7919"}',
    b'{"finished": false, "cell": 2, "error": ["7919"]}',
    b"[" * 100_000,
    b"\xff",
]


@pytest.mark.parametrize("report", FORGED)
def test_forged_report_is_read_as_hostile(report: bytes) -> None:
    done = Completed(returncode=0, stdout=report, stderr=SECRET.encode(), timed_out=False)
    found = told(done, cells=3)
    assert SECRET not in repr(found)
    assert found.ending in (Ending.ENDED, Ending.FAILED)
    assert 0 <= found.cell <= 3
