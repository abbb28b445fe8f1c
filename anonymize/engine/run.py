"""Where the tasks of a build run: in this process, in worker processes of this machine, or on Spark.

An engine is a scheduler of file tasks and nothing more: `run_tasks(fn, items)` calls `fn` at least once for each item
and gives the answers in the order of the items. What must hold of `fn`:
1. It may be called twice for one item, also at the same time: it writes under a temporary name and renames.
2. It and its items can be pickled; items and answers are small, rows travel by files that every worker reaches.
3. A refusal is an answer: it is carried home and raised there, and no engine tries it again.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, TypeVar

from anonymize.engine.workers import limit_threads
from anonymize.errors import AnonymizeError, BadInput
from anonymize.text import Text

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Done = Callable[[int], None]
"""Told how many items have been answered, now and then."""

ATTEMPTS: Final = 4
"""Times a task whose worker died is started, as Spark does it (spark.task.maxFailures)."""


class Engine(Protocol):
    """Whatever can run tasks."""

    name: ClassVar[str]

    @property
    def here(self) -> bool:
        """Whether tasks run in this process, so that what lies in its memory need not become a file."""

    @property
    def far(self) -> bool:
        """Whether tasks may run on another machine."""

    @property
    def workers(self) -> int:
        """Tasks that run at the same time on this machine."""

    def run_tasks(self, fn: Callable[[Item], Answer], items: Sequence[Item], *, done: Done) -> list[Answer]:
        """The answers in the order of the items.

        Raises:
            AnonymizeError: a task refused, or workers died too often.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """This machine: one task after the other, each with all cores (polars), or `workers` processes."""

    name: ClassVar[str] = "local"
    far: ClassVar[bool] = False

    workers: int = 1

    @property
    def here(self) -> bool:
        return self.workers == 1

    def run_tasks(self, fn: Callable[[Item], Answer], items: Sequence[Item], *, done: Done) -> list[Answer]:
        if self.workers > 1:
            return _run_in_processes(fn, items, workers=min(self.workers, len(items)), done=done)
        answers: list[Answer] = []
        for item in items:
            answers.append(fn(item))
            done(len(answers))
        return answers


def _run_in_processes(fn: Callable[[Item], Answer], items: Sequence[Item], *, workers: int, done: Done) -> list[Answer]:
    """Each item in a worker process; the items of a worker that died are started again in new ones."""
    answers: dict[int, Answer] = {}
    cores = multiprocessing.cpu_count()
    for _ in range(ATTEMPTS):
        with ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),  # polars has threads, and threads don't survive a fork
            initializer=limit_threads,
            initargs=(max(1, cores // workers),),
        ) as pool:
            waiting: dict[Future[Answer], int] = {}
            try:
                waiting = {pool.submit(fn, item): number for number, item in enumerate(items) if number not in answers}
                for future in as_completed(waiting):
                    answers[waiting[future]] = future.result()
                    done(len(answers))
            except BrokenProcessPool:
                finished = [one for one in waiting if one.done() and not one.cancelled() and one.exception() is None]
                answers |= {waiting[one]: one.result() for one in finished}
            except AnonymizeError:
                pool.shutdown(cancel_futures=True)
                raise
        if len(answers) == len(items):
            return [answers[number] for number in range(len(items))]
    raise refuse_workers()


def refuse_workers() -> BadInput:
    """The refusal when workers die again and again, mostly of too little memory."""
    return BadInput(
        code="engine.workers_died",
        subject="engine",
        text=Text(
            "计算进程多次异常退出（多为内存不足），没有写出任何文件。",
            "Worker processes died again and again (most often of too little memory). Nothing was written.",
        ),
        next_step=Text(
            "请调小 --memory 或 --workers，或换用内存更大的机器后重试。",
            "Set a smaller --memory or fewer --workers, or use a machine with more memory, and try again.",
        ),
    )
