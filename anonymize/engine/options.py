"""The engine and the memory that a command line names."""

from __future__ import annotations

import multiprocessing
import re
from typing import Final

from anonymize.engine.run import Engine, Local
from anonymize.engine.scale import Scale
from anonymize.engine.spark import LOCAL_MASTER, Spark, check_spark
from anonymize.errors import BadInput
from anonymize.text import Text

ENGINES: Final = (Local.name, Spark.name)
LEAST_MEMORY: Final = 2**30
_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


def read_scale(*, engine: str, workers: int | None, memory: str | None, master: str | None) -> Scale:
    """What the options say, or their defaults.

    Raises:
        BadInput: they can't be read or don't go together, or Spark can't be used here.
    """
    if master is not None and engine != Spark.name:
        raise _refuse("--master", Text("只用于 --engine spark", "is for --engine spark alone"))
    chosen: Engine
    if engine == Spark.name:
        check_spark()
        chosen = Spark(master=master or LOCAL_MASTER, workers=workers or multiprocessing.cpu_count())
    else:
        chosen = Local(workers=workers or 1)
    return Scale(engine=chosen) if memory is None else Scale(engine=chosen, memory=read_memory(memory))


def read_memory(text: str) -> int:
    """Bytes from "4GiB", "4G", "4096MiB": powers of 1,024 whether or not the i is written.

    Raises:
        BadInput: it is no size, or less than `LEAST_MEMORY`.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?", text.strip().lower())
    size = int(float(found[1]) * _UNITS[found[2]]) if found else 0
    if size < LEAST_MEMORY:
        raise _refuse("--memory", Text("应为至少 1GiB 的大小，例如 4GiB", "must be a size of 1GiB or more, like 4GiB"))
    return size


def _refuse(option: str, found: Text) -> BadInput:
    return BadInput(
        code="engine.option",
        subject=option,
        text=Text(f"选项 {option} {found.zh}。", f"The option {option} {found.en}."),
        next_step=Text("请修改选项后重试。", "Change the option and try again."),
    )
