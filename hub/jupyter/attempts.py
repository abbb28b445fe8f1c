"""How often a sign-in may fail before the door stays shut for a while, and how fast anybody may try.

What must hold:
1. Guessing at one account ends: after a few failures from one address, and after more from all addresses together,
   because the address of a caller can be forged behind a proxy.
2. Nobody can shut the door for others: what is counted over an address or over everyone slows down and never refuses.
   An office, or a site behind a proxy of its own, has one address.
3. Unknown names count the same as known ones: the limits tell nothing about who exists.

Kept in memory: a restart forgets, and an attacker can't restart the hub.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

PAIR_FAILURES = 10
"""Failures of one account from one address."""
NAME_FAILURES = 100
"""Failures of one account from all addresses. Source: NIST SP 800-63B 5.2.2 allows at most 100 on one account."""
CALM = 20
"""Failures from one address, and five times as many from all, before it becomes slow."""
STEP_SECONDS = 0.1
SLOWEST_SECONDS = 3.0
WINDOW_SECONDS = 15 * 60.0
KEPT = 10_000


@dataclass(slots=True)
class Failures:
    """Times of failures by key, of the last window; the oldest key gives way when there are too many."""

    most: int
    _times: dict[Hashable, deque[float]] = field(default_factory=dict)

    def count(self, key: Hashable, now: float) -> int:
        """Failures under this key within the window."""
        times = self._times.get(key)
        while times and times[0] <= now - WINDOW_SECONDS:
            times.popleft()
        if times is not None and not times:
            del self._times[key]
        return len(times or ())

    def add(self, key: Hashable, now: float) -> None:
        """One more failure."""
        if key not in self._times and len(self._times) >= KEPT:
            del self._times[next(iter(self._times))]
        self._times.setdefault(key, deque(maxlen=self.most)).append(now)

    def forget(self, key: Hashable) -> None:
        """None under this key."""
        self._times.pop(key, None)

    def __len__(self) -> int:
        return len(self._times)


_MOST_DELAYED = CALM + int(SLOWEST_SECONDS / STEP_SECONDS)


@dataclass(slots=True)
class Attempts:
    """Failures of the last window. `clock` gives seconds that never run backwards."""

    clock: Callable[[], float]
    _pairs: Failures = field(default_factory=lambda: Failures(PAIR_FAILURES))
    _names: Failures = field(default_factory=lambda: Failures(NAME_FAILURES))
    _addresses: Failures = field(default_factory=lambda: Failures(_MOST_DELAYED))
    _all: Failures = field(default_factory=lambda: Failures(5 * _MOST_DELAYED))

    def must_wait(self, name: str, address: str = "") -> bool:
        """True while this account has failed too often from there, or too often altogether (1)."""
        now = self.clock()
        return self._pairs.count((name, address), now) >= PAIR_FAILURES or self._names.count(name, now) >= NAME_FAILURES

    def delay(self, address: str = "") -> float:
        """Seconds to let pass before an attempt from there is looked at (2)."""
        now = self.clock()
        over = max(self._addresses.count(address, now) - CALM, self._all.count("", now) // 5 - CALM)
        return min(max(over, 0) * STEP_SECONDS, SLOWEST_SECONDS)

    def failed(self, name: str, address: str = "") -> None:
        """Count one failure."""
        now = self.clock()
        self._pairs.add((name, address), now)
        self._names.add(name, now)
        self._addresses.add(address, now)
        self._all.add("", now)

    def succeeded(self, name: str, address: str = "") -> None:
        """Forget the failures of this account from there; those from elsewhere are somebody else's."""
        self._pairs.forget((name, address))
        if not address:
            self._names.forget(name)
