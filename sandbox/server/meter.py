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
    SPARE = "spare"


@dataclass(slots=True)
class Meter:
    """What may still leave. `limit_bytes` is fixed by whoever starts the server, never by a request."""

    limit_bytes: int
    spare_bytes: int = 48 * 1024
    """Beyond the budget, for notices and for the few small messages a browser waits for; then silence."""
    used: dict[Via, int] = field(default_factory=dict)

    @property
    def spent_bytes(self) -> int:
        """Of the budget; the spare is apart."""
        return sum(size for via, size in self.used.items() if via is not Via.SPARE)

    def spend(self, size: int, via: Via) -> bool:
        """Whether so many bytes may pass; they are counted if they may."""
        _check(size)
        if self.spent_bytes + size > self.limit_bytes:
            return False
        self.used[via] = self.used.get(via, 0) + size
        return True

    def spend_spare(self, size: int) -> bool:
        """Whether so many bytes of the spare may pass; never more in all than `limit_bytes + spare_bytes`."""
        _check(size)
        if self.used.get(Via.SPARE, 0) + size > self.spare_bytes:
            return False
        self.used[Via.SPARE] = self.used.get(Via.SPARE, 0) + size
        return True


def _check(size: int) -> None:
    if size < 0:
        raise ValueError("a size below zero")
