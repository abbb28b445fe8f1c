"""Tasks on Apache Spark: a cluster that is there already runs them; no row ever passes through the JVM.

What must hold of the cluster: its workers run the same Python environment and reach the folders of source and extract
under the same absolute paths. Spark starts a task again whose worker died; that is all that is asked of it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from anonymize.engine.java import OLDEST_JAVA, java_version
from anonymize.engine.run import Answer, Done, Item, refuse_workers
from anonymize.errors import AnonymizeError, BadInput
from anonymize.text import Text

LOCAL_MASTER: Final = "local[*]"
_POLL: Final = 0.5
"""Seconds between two looks at how far Spark is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A Spark cluster by its master's address, as `spark-submit --master` takes it."""

    name: ClassVar[str] = "spark"
    here: ClassVar[bool] = False
    far: ClassVar[bool] = True

    master: str = LOCAL_MASTER
    workers: int = 2

    def run_tasks(self, fn: Callable[[Item], Answer], items: Sequence[Item], *, done: Done) -> list[Answer]:
        check_spark()
        session = _session(self.master)
        answers = _collect(session.sparkContext, _Carried(fn=fn), items, done=done)
        for answer in answers:
            if isinstance(answer, AnonymizeError):
                raise answer
        return answers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carried:
    """A task whose refusal is its answer: Spark would run a task that raises again."""

    fn: Callable[[Any], Any]

    def __call__(self, item: Any) -> Any:
        try:
            return self.fn(item)
        except AnonymizeError as refused:
            return refused


def check_spark() -> None:
    """Refuse in words what would else be a trace of two languages.

    Raises:
        BadInput: PySpark or a Java new enough is missing.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise _missing(
            found=Text("没有安装 PySpark", "PySpark is not installed"),
            next_step=Text(
                "请安装附加组件：pip install 'zhakou[spark]'，或使用 --engine local。",
                "Install the extra (pip install 'zhakou[spark]'), or use --engine local.",
            ),
        )
    if (version := java_version()) is None or version < OLDEST_JAVA:
        found = Text("没有找到 Java", "there is no Java")
        if version is not None:
            found = Text(f"Java 版本为 {version}", f"Java is version {version}")
        raise _missing(
            found=found,
            next_step=Text(
                f"请安装 Java {OLDEST_JAVA} 或更新版本（Debian：default-jre-headless），或使用 --engine local。",
                f"Install Java {OLDEST_JAVA} or newer (Debian: default-jre-headless), or use --engine local.",
            ),
        )


def _missing(*, found: Text, next_step: Text) -> BadInput:
    return BadInput(
        code="engine.spark_missing",
        subject="--engine spark",
        text=Text(f"无法使用 Spark：{found.zh}。", f"Spark can't be used: {found.en}."),
        next_step=next_step,
    )


def _session(master: str) -> Any:
    """The running session, or a new one that keeps to the loopback address when it starts its own workers."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # the setting of that name does not reach all workers
    builder = SparkSession.builder.master(master).appName("zhakou anonymize")
    for name, value in (
        ("spark.ui.enabled", "false"),
        ("spark.ui.showConsoleProgress", "false"),
        ("spark.executorEnv.POLARS_MAX_THREADS", "1"),
        ("spark.executorEnv.PYTHONPATH", os.pathsep.join(path for path in sys.path if path)),
    ):
        builder = builder.config(name, value)
    if master.startswith("local"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # its own workers listen there too
        builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    try:
        session = builder.getOrCreate()
    except Exception as failed:
        raise _missing(
            found=Text("Spark 没有启动", "it did not start"),
            next_step=Text(
                "请检查 master 地址和 Spark 日志，或使用 --engine local。",
                "Check the master's address and Spark's log, or use --engine local.",
            ),
        ) from failed
    session.sparkContext.setLogLevel("OFF")  # its log quotes what tasks were given
    return session


def _collect(context: Any, fn: Callable[[Any], Any], items: Sequence[Any], *, done: Done) -> list[Any]:
    """One Spark task per item; progress is asked for while another thread waits for the answers."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    answers: list[Any] = []
    failures: list[Exception] = []

    def wait() -> None:
        try:
            answers.extend(context.parallelize(items, len(items)).map(fn).collect())
        except (Py4JError, PySparkException) as failed:
            failures.append(failed)

    waiting = threading.Thread(target=wait, name="spark-job", daemon=True)
    waiting.start()
    tracker = context.statusTracker()
    while waiting.is_alive():
        waiting.join(_POLL)
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        done(sum(stage.numCompletedTasks for stage in stages if stage is not None))
    if failures:
        raise refuse_workers() from None  # Spark's own message quotes what the task was given
    return answers
