"""Who is logged in to the portal. Tokens of the hub stay here, on the server; a browser holds a random id and no more.

Must hold:
1. A session is found by the digest of its id, so that a memory dump or a log of keys opens nothing.
2. It ends after half an idle hour and after eight hours in any case, whatever the browser says.
3. A login can be finished only by the browser that began it, once, within ten minutes.
4. Strangers can fill neither table: the oldest entries give way.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hub.people.sign_in_rules import IDLE, LIFE

IDLE_SECONDS = IDLE.total_seconds()
LIFE_SECONDS = LIFE.total_seconds()
ATTEMPT_SECONDS = 10 * 60
MOST_ENTRIES = 10_000


@dataclass(slots=True, kw_only=True)
class Session:
    """One person in one browser. `token` is the hub's and never leaves the server."""

    user: str
    token: str = field(repr=False)
    hub_session: str
    """The session at the hub behind it, as the directory files it."""
    csrf: str = field(repr=False)
    opened: float
    seen: float
    offered_secret: str = field(default="", repr=False)
    """The secret shown to someone who moves to another telephone, until a code shows that it is there."""
    notices: list[object] = field(default_factory=list)
    """Sentences for the next page this person sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A login that has begun: where it should lead, and what proves that it is the same browser."""

    next_path: str
    verifier: str = field(repr=False)
    browser: str = field(repr=False)
    begun: float


def digest_of(secret: str) -> str:
    """What a secret is filed under."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Sessions:
    """All sessions of this process. The portal runs in one process; a restart logs everyone out."""

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, idle: float = IDLE_SECONDS, life: float = LIFE_SECONDS
    ) -> None:
        self._now = now
        self._idle = idle
        self._life = life
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()

    def open(self, *, user: str, token: str, hub_session: str = "") -> str:
        """Begin a session; the id returned is for the browser's cookie and is kept nowhere else."""
        sid = secrets.token_urlsafe(32)
        now = self._now()
        session = Session(
            user=user, token=token, hub_session=hub_session, csrf=secrets.token_urlsafe(32), opened=now, seen=now
        )
        with self._lock:
            self._sessions[digest_of(sid)] = session
            while len(self._sessions) > MOST_ENTRIES:
                self._sessions.popitem(last=False)
        return sid

    def find(self, sid: str | None) -> Session | None:
        """The session of this id if it has not ended, marked as seen now."""
        if not sid:
            return None
        key = digest_of(sid)
        now = self._now()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if now - session.seen > self._idle or now - session.opened > self._life:
                del self._sessions[key]
                return None
            session.seen = now
            self._sessions.move_to_end(key)
            return session

    def close(self, sid: str | None) -> Session | None:
        """End the session of this id; what it was, if it was."""
        if not sid:
            return None
        with self._lock:
            return self._sessions.pop(digest_of(sid), None)

    def begin_attempt(self, *, state: str, next_path: str, verifier: str, browser: str) -> None:
        """Remember a login that is on its way through the hub."""
        attempt = Attempt(next_path=next_path, verifier=verifier, browser=digest_of(browser), begun=self._now())
        with self._lock:
            self._attempts[digest_of(state)] = attempt
            while len(self._attempts) > MOST_ENTRIES:
                self._attempts.popitem(last=False)

    def take_attempt(self, *, state: str, browser: str | None) -> Attempt | None:
        """The attempt of this state, once, and only for the browser that began it."""
        with self._lock:
            attempt = self._attempts.pop(digest_of(state), None)
        if attempt is None or not browser or self._now() - attempt.begun > ATTEMPT_SECONDS:
            return None
        if not secrets.compare_digest(attempt.browser, digest_of(browser)):
            return None
        return attempt
