"""Spark as a real cluster of two worker JVMs on loopback: the same extract, also when one is killed in mid-job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from anonymize.engine.run import Answer, Done, Engine, Item, Local
from anonymize.engine.scale import Scale
from anonymize.engine.spark import Spark
from anonymize.errors import BadInput
from anonymize.pipeline import build_extract
from anonymize.table import file_digest
from anonymize.text import Text
from tests.anonymize_cases import AGE, KEEP, KEY, NOW, PSEUDONYM, SENSITIVE, TOWN, policy_of

POLICY = policy_of(
    {"id": PSEUDONYM, "age": AGE, "town": TOWN, "illness": SENSITIVE, "visits": KEEP}, k=5, l=2, suppression_limit=0.1
)
MASTER = "local-cluster[2,1,1024]"
ROWS = 4_000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("spark") / "people.parquet"
    pl.DataFrame(
        {
            "id": [f"p{number}" for number in chance.integers(0, 900, ROWS)],
            "age": chance.integers(18, 90, ROWS),
            "town": [("a1", "a2", "b1", None)[number] for number in chance.integers(0, 4, ROWS)],
            "illness": [("flu", "cold", "none")[number] for number in chance.integers(0, 3, ROWS)],
            "visits": chance.integers(0, 9, ROWS),
        }
    ).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def digest(table: Path) -> str:
    """What this process alone makes of the table."""
    return _digest(table, table.parent / "local", Local())


@pytest.fixture(scope="module", autouse=True)
def _cluster_ends() -> Iterator[None]:
    yield
    from pyspark import SparkContext

    if (context := SparkContext._active_spark_context) is not None:
        context.stop()


def _digest(table: Path, out: Path, engine: Engine) -> str:
    scale = Scale(engine=engine, rows=500)
    made = build_extract(source=table, policy=POLICY, key=KEY, out_dir=out, created_at=NOW, scale=scale)
    return file_digest(made.extract_path)


def _slowly(fn: partial[Answer], mark: Path, item: Item) -> Answer:
    """A task that takes its time and says which process runs it."""
    (mark / str(os.getppid())).touch()
    time.sleep(0.7)
    return fn(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Struck:
    """An engine of which one worker is killed while the rows are released, the second of its three jobs."""

    engine: Engine
    mark: Path
    kill: str

    name: ClassVar[str] = "struck"

    @property
    def here(self) -> bool:
        return self.engine.here

    @property
    def far(self) -> bool:
        return self.engine.far

    @property
    def workers(self) -> int:
        return self.engine.workers

    def run_tasks(self, fn: partial[Answer], items: list[Item], *, done: Done) -> list[Answer]:  # type: ignore[override]
        if fn.func.__name__ != "release_piece":
            return self.engine.run_tasks(fn, items, done=done)
        killer = threading.Thread(target=self._strike)
        killer.start()
        answers = self.engine.run_tasks(partial(_slowly, fn, self.mark), items, done=done)
        killer.join()
        return answers

    def _strike(self) -> None:
        while not any(self.mark.iterdir()):
            time.sleep(0.05)
        victims = _below(os.getpid(), self.kill)
        os.kill(victims[0], signal.SIGKILL)
        (self.mark / "killed").touch()


def _below(ancestor: int, words: str) -> list[int]:
    """Processes under one whose command line holds the words."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = []
    for process in parents:
        above, line = process, b""
        while above not in (0, ancestor):
            above = parents.get(above, 0)
        with suppress(OSError):
            line = Path(f"/proc/{process}/cmdline").read_bytes()
        if above == ancestor != process and words.encode() in line:
            found.append(process)
    return found


def test_two_worker_jvms_make_the_extract_that_this_process_makes(table: Path, digest: str, tmp_path: Path) -> None:
    assert _digest(table, tmp_path / "spark", Spark(master=MASTER)) == digest
    assert len(_below(os.getpid(), "CoarseGrainedExecutorBackend")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["spark"]


def test_executor_killed_in_mid_job_does_no_harm(table: Path, digest: str, tmp_path: Path) -> None:
    (tmp_path / "mark").mkdir()
    struck = _Struck(engine=Spark(master=MASTER), mark=tmp_path / "mark", kill="CoarseGrainedExecutorBackend")
    assert _digest(table, tmp_path / "spark", struck) == digest
    assert (tmp_path / "mark" / "killed").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mark", "spark"]


def test_worker_process_killed_in_mid_job_does_no_harm(table: Path, digest: str, tmp_path: Path) -> None:
    (tmp_path / "mark").mkdir()
    struck = _Struck(engine=Local(workers=2), mark=tmp_path / "mark", kill="spawn_main")
    assert _digest(table, tmp_path / "processes", struck) == digest
    assert (tmp_path / "mark" / "killed").exists()


def _refuse(item: int) -> int:
    raise BadInput(code="column.test", subject=f"t:{item}", text=Text("不行。", "No."), next_step=Text("改。", "Mend."))


def _die(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize(
    "engine", [Local(), Local(workers=2), Spark(master=MASTER)], ids=["here", "processes", "spark"]
)
def test_refusal_of_a_task_comes_home_as_it_was(engine: Engine) -> None:
    with pytest.raises(BadInput) as refused:
        engine.run_tasks(_refuse, [7], done=lambda answered: None)
    assert (refused.value.code, refused.value.subject, refused.value.text.zh) == ("column.test", "t:7", "不行。")


def test_workers_that_always_die_are_refused_in_words() -> None:
    with pytest.raises(BadInput) as refused:
        Local(workers=2).run_tasks(_die, [1, 2], done=lambda answered: None)
    assert refused.value.code == "engine.workers_died"


@pytest.mark.parametrize(
    ("prepare", "word"),
    [
        ("os.environ['PATH'] = '/nowhere'; os.environ.pop('JAVA_HOME', None)", "Java"),
        ("sys.modules['pyspark'] = None; sys.meta_path.insert(0, None) if 0 else None", "PySpark"),
    ],
)
def test_spark_that_is_not_there_is_refused_in_words(prepare: str, word: str, table: Path, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    from anonymize.policy import dump_policy

    policy.write_text(dump_policy(POLICY), encoding="utf-8")
    (tmp_path / "key").write_bytes(KEY)
    code = f"import os, sys; {prepare}; from anonymize.cli import main; main()"
    options = ["--policy", policy, "--out", tmp_path / "out", "--key-file", tmp_path / "key", "--language", "en"]
    done = subprocess.run(
        [sys.executable, "-c", code, "anonymize", table, *options, "--engine", "spark"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 23, done.stderr
    assert word in done.stderr
    assert "engine.spark_missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
