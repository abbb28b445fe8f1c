"""Sign-in with name, password and one-time code against the people of the hub; JupyterHub keeps none of it.

What must hold:
1. An unknown name, a wrong password or code, a code used before, a closed account and a name of the wrong form get one
   answer, after the same work.
2. Too many failures shut the door of that account for a while (`attempts`), for unknown names too; nobody else's.
3. Nobody becomes an administrator of JupyterHub: what people may do is decided in the rooms of the hub.
4. Each sign-in is a session of its own under a fresh id. Every request, by cookie or by a token that was given out in
   that session, is held against the directory's list of sessions; one that ended there has ended here.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jupyterhub.auth import Authenticator
from jupyterhub.handlers import LogoutHandler
from tornado.web import HTTPError
from traitlets import default

from hub.errors import NotAllowed, NotFound
from hub.jupyter.attempts import Attempts
from hub.jupyter.codes import DemoCodes
from hub.jupyter.site import site
from hub.licensing.actions import standing_of
from hub.people import actions as people
from hub.people import sign_in as door
from hub.people.model import Person
from hub.people.sign_in import digest_of

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LONGEST_PASSWORD = 1024
"""Characters. Longer ones are refused before they are hashed: the work would be the caller's to choose."""
LONGEST_CODE = 64
TOO_MANY_REQUESTS = 429
ALWAYS = -1
"""An age that no word on a person is younger than: they are asked about at every request. (0 would mean never.)"""


class SignOut(LogoutHandler):
    """Ends the session in the directory as well, so that a copied cookie opens nothing."""

    async def handle_logout(self) -> None:
        session = self.get_session_cookie()
        if session:
            await asyncio.to_thread(door.end_session, site(), session=digest_of(session))


class DirectorySessions(Authenticator):
    """What local and foreign sign-in share: fresh sessions, and the directory asked at every request (4)."""

    @default("auth_refresh_age")
    def _default_refresh_age(self) -> int:
        return ALWAYS

    @default("auth_refresh_strict")
    def _default_refresh_strict(self) -> bool:
        return True

    @default("refresh_pre_spawn")
    def _default_refresh_pre_spawn(self) -> bool:
        return True

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """Ours before JupyterHub's own."""
        return [(r"/logout", SignOut), *super().get_handlers(app)]

    def normalize_username(self, username: str) -> str:
        """Names are small letters; what people type with capitals or blanks around is the same name."""
        return username.strip().lower()

    def validate_username(self, username: str) -> bool:
        """Only `[a-z0-9-]`: the name is part of paths, addresses and scopes."""
        return NAME.fullmatch(username) is not None

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """False as soon as the session has ended or the person has no access (4)."""
        session = _session_of(handler)
        if session:
            return await asyncio.to_thread(
                door.session_goes_on, site(), session=digest_of(session), person_id=user.name
            )
        if handler is not None and handler.get_token() is None:
            return False  # a cookie without a session
        # The token of a person's own workspace, or the hub itself.
        try:
            await asyncio.to_thread(people.find_person, site(), user.name)
        except NotFound:
            return False
        return True


class LocalDirectoryAuthenticator(DirectorySessions):
    """People of the hub's own directory."""

    attempts: Attempts

    @default("request_otp")
    def _default_request_otp(self) -> bool:
        return True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attempts = Attempts(time.monotonic)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        """With the codes of demonstration accounts, where they may be shown."""
        return [(r"/demo-code", DemoCodes), *super().get_handlers(app)]

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """The person, or None: one answer for everything that is wrong (1).

        Raises:
            HTTPError: 429, too many failures of late (2).
        """
        name = self.normalize_username(data.get("username", ""))
        password, code = data.get("password", ""), data.get("otp", "")
        address = address_of(handler)
        await asyncio.sleep(self.attempts.delay(address))
        if self.attempts.must_wait(name, address):
            raise HTTPError(TOO_MANY_REQUESTS, "too many failed sign-ins")
        if len(password) > LONGEST_PASSWORD or not password or len(code) > LONGEST_CODE:
            self.attempts.failed(name, address)
            return None
        known_form = name if self.validate_username(name) else "-"
        session = secrets.token_hex(16)
        try:
            person = await asyncio.to_thread(
                door.sign_in,
                site(),
                username=known_form,
                password=password,
                code=code,
                session=digest_of(session),
                standing=standing,
            )
        except NotAllowed:
            self.attempts.failed(name, address)
            return None
        self.attempts.succeeded(name, address)
        keep_session(handler, session)
        return {"name": person.id, "admin": False}  # (3)


def keep_session(handler: Any, session: str) -> None:
    """Give the browser the fresh id, whatever it came with: an id known to someone else before opens nothing (4)."""
    if handler is not None:
        handler._session_id = session
        handler.set_session_cookie()


def address_of(handler: Any) -> str:
    """Where a request came from as our own proxy saw it: the last hop that it named, whatever the caller wrote before.

    Only limits of speed and pairs of account and address go by it; behind another proxy everyone has one address.
    """
    if handler is None:
        return ""
    said = handler.request.headers.get("X-Forwarded-For", "").split(",")[-1].strip()
    return said or str(handler.request.remote_ip or "")


def standing(person: Person, now: datetime) -> Mapping[str, str]:
    """Under which licences the person can work at the moment of a sign-in, and what stands against the others."""
    asked = standing_of(site(), person.actor, now)
    if not asked:
        return {}
    usable = [one.licence.id for one in asked if not one.refusals]
    refused = [f"{one.licence.id}:{one.refusals[0].rule}" for one in asked if one.refusals]
    return {"licences_usable": " ".join(usable), "licences_refused": " ".join(refused)}


def _session_of(handler: Any) -> str:
    """The session that a request belongs to: its token's, else the browser's."""
    if handler is None:
        return ""
    token = handler.get_token()
    if token is not None:
        return str(token.session_id or "")
    return str(handler.get_session_cookie() or "")
