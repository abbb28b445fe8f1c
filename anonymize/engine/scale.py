"""How large a piece of a table may be, so that everything at once stays within the memory allowed."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from anonymize.engine.run import Engine, Local
from anonymize.errors import BadInput
from anonymize.text import Text

COPIES: Final = 14
"""A row of a piece is held so many times over at the worst moment: read, transformed, keyed, sorted, as arrow."""
MAX_PIECE_ROWS: Final = 2**18
"""Larger pieces take more memory and are not faster."""
MIN_PIECE_ROWS: Final = 1_000
OVERHEAD: Final = 400 * 2**20
"""Bytes a process holds before it has read a row."""
CSV_COPIES: Final = 8
"""The same for a CSV file read as a whole."""
MAX_WHOLE_CSV: Final = 2**25
"""Bytes of a CSV file from which reading it in pieces takes less memory and hardly more time."""
CLASS_COPIES: Final = 12
"""The same for a row of the table of classes, in search and measures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where the tasks run and how much memory all processes of this machine together may take.

    Units: `memory` bytes; `rows` fixes the size of a piece instead, for tests and for measuring.
    """

    engine: Engine = field(default_factory=Local)
    memory: int = field(default_factory=lambda: usable_memory())
    rows: int | None = None

    def piece_rows(self, row_bytes: int) -> int:
        """Rows of a piece, for rows of this size in memory."""
        if self.rows is not None:
            return self.rows
        each = self._free // max(1, self.engine.workers)
        return max(MIN_PIECE_ROWS, min(MAX_PIECE_ROWS, each // (COPIES * (row_bytes + 16))))

    def too_large(self, file_bytes: int) -> bool:
        """Whether a CSV file of this size is better not read as a whole."""
        return file_bytes > MAX_WHOLE_CSV or file_bytes * CSV_COPIES > self._free

    def check_whole(self, *, rows: int, row_bytes: int, subject: str, what: Text) -> None:
        """Refuse what needs all rows in memory when they don't fit.

        Raises:
            BadInput: they don't.
        """
        self._check(rows * row_bytes * COPIES // 2, subject, "engine.table_past_memory", what)

    def check_classes(self, *, classes: int, row_bytes: int, subject: str) -> None:
        """Refuse a table of classes past memory.

        Raises:
            BadInput: it is.
        """
        what = Text(
            f"准标识符与敏感属性共有 {classes} 种不同取值组合，搜索",
            f"its quasi-identifiers and sensitive attributes have {classes} distinct combinations, and the search",
        )
        self._check(classes * (row_bytes + 64) * CLASS_COPIES, subject, "engine.classes_past_memory", what)

    @property
    def _free(self) -> int:
        return max(self.memory - OVERHEAD, OVERHEAD // 8)

    def _check(self, needed: int, subject: str, code: str, what: Text) -> None:
        if needed <= self._free:
            return
        wanted = f"{(needed + OVERHEAD) / 2**30:.1f} GiB"
        raise BadInput(
            code=code,
            subject=subject,
            text=Text(
                f"表 {subject} 被拒绝：{what.zh}约需 {wanted} 内存，超过允许的 {self.memory / 2**30:.1f} GiB。",
                f"Table {subject} refused: {what.en} needs about {wanted} of memory, more than the "
                f"{self.memory / 2**30:.1f} GiB allowed.",
            ),
            next_step=Text(
                "请用 --memory 放宽上限，在规则中删除或预先归并取值过多的列，或换用逐值处理的方法。",
                "Allow more with --memory, drop or coarsen columns of many values beforehand, or choose techniques "
                "that work value by value.",
            ),
        )


def usable_memory() -> int:
    """Half of what this process could get: of the machine, its control group or its own limit, whichever is least."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    with suppress(OSError, ValueError):  # no control group, or one without a limit ("max")
        limits.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(limits) // 2
