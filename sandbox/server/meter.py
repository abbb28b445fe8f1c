"""Counts every byte towards the browser, of all connections and kinds, against one budget of the session.

The count is one number for the whole server: two sockets to one kernel, names in a listing and contents of a file all
draw on it. When it is used up, outputs are withheld with a notice and files are refused in words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Via(StrEnum):
    """What the bytes were."""

    MESSAGE = "message"
    CONTENTS = "contents"
    NAMES = "names"
    NOTICE = "notice"


@dataclass(slots=True)
class Meter:
    """What may still leave. `limit_bytes` is fixed by whoever starts the server, never by a request."""

    limit_bytes: int
    used: dict[Via, int] = field(default_factory=dict)

    @property
    def spent_bytes(self) -> int:
        return sum(self.used.values())

    def spend(self, size: int, via: Via) -> bool:
        """Whether so many bytes may pass; they are counted if they may."""
        if size < 0:
            raise ValueError("a size below zero")
        if self.spent_bytes + size > self.limit_bytes:
            return False
        self.used[via] = self.used.get(via, 0) + size
        return True
