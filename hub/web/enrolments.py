"""Enrolments under way: a first password was right, and the person now sets their own password and authenticator.

Must hold:
1. An enrolment opens nothing but its own page; it is no session of the portal.
2. It ends after a quarter of an hour, when it is finished, and when another is begun for the same person.
3. The secret of the codes stays here until a code shows that the authenticator has it.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.people.sign_in import Begun, digest_of
from hub.people.totp import fresh_secret

ENROLMENT_SECONDS = 15 * 60
MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One person on the enrolment page."""

    begun: Begun
    since: float
    secret: str = field(repr=False)
    csrf: str = field(repr=False)


class Enrolments:
    """All enrolments of this process; a restart ends them, and the first password opens a new one."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._open: OrderedDict[str, Enrolment] = OrderedDict()

    def begin(self, begun: Begun) -> str:
        """Keep it in place of an earlier one of the person; the id is for the browser's cookie alone."""
        eid = secrets.token_urlsafe(32)
        enrolment = Enrolment(begun=begun, since=self._now(), secret=fresh_secret(), csrf=secrets.token_urlsafe(32))
        with self._lock:
            for key, other in list(self._open.items()):
                if other.begun.person_id == begun.person_id:
                    del self._open[key]
            self._open[digest_of(eid)] = enrolment
            while len(self._open) > MOST_ENTRIES:
                self._open.popitem(last=False)
        return eid

    def find(self, eid: str | None) -> Enrolment | None:
        """The enrolment of this id, if it has not ended."""
        if not eid:
            return None
        with self._lock:
            found = self._open.get(digest_of(eid))
        return found if found is not None and self._now() - found.since < ENROLMENT_SECONDS else None

    def close(self, eid: str | None) -> None:
        """End it."""
        if eid:
            with self._lock:
                self._open.pop(digest_of(eid), None)
