"""How often a sign-in may fail before the door stays shut for a while.

Counted by name, because the address of a caller can be forged behind a proxy, and over all names together against
spraying one password over many. Unknown names count the same as known ones: the limit tells nothing about who exists.
Kept in memory: a restart forgets, and an attacker can't restart the hub.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

NAME_FAILURES = 10
ALL_FAILURES = 100
WINDOW_SECONDS = 15 * 60.0
"""Source of the order of magnitude: NIST SP 800-63B 5.2.2 allows at most 100 failures in a row on one account."""
NAMES_KEPT = 10_000


@dataclass(slots=True)
class Attempts:
    """Failures of the last window. `clock` gives seconds that never run backwards."""

    clock: Callable[[], float]
    _by_name: dict[str, deque[float]] = field(default_factory=dict)
    _all: deque[float] = field(default_factory=deque)

    def must_wait(self, name: str) -> bool:
        """True while this name, or everyone, has failed too often."""
        self._forget_old()
        return len(self._by_name.get(name, ())) >= NAME_FAILURES or len(self._all) >= ALL_FAILURES

    def failed(self, name: str) -> None:
        """Count one failure. With too many names at once the oldest is dropped; the common limit still holds."""
        now = self.clock()
        self._all.append(now)
        if name not in self._by_name and len(self._by_name) >= NAMES_KEPT:
            del self._by_name[next(iter(self._by_name))]
        self._by_name.setdefault(name, deque(maxlen=NAME_FAILURES)).append(now)

    def succeeded(self, name: str) -> None:
        """Forget the failures of this name."""
        self._by_name.pop(name, None)

    def _forget_old(self) -> None:
        oldest = self.clock() - WINDOW_SECONDS
        while self._all and self._all[0] <= oldest:
            self._all.popleft()
        for name, times in list(self._by_name.items()):
            while times and times[0] <= oldest:
                times.popleft()
            if not times:
                del self._by_name[name]
