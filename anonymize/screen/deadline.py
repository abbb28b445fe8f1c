"""The time one file may take. Long loops ask it now and then; when it is over the file is blocked, not passed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from anonymize.screen.faults import TimeUp


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock.

    Units: seconds.
    """

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raises:
        TimeUp: the time is over.
        """
        if time.monotonic() > self.at:
            raise TimeUp
