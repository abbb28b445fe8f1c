"""Sign-in with name and password against the people of the hub; JupyterHub keeps no password and makes no account.

What must hold:
1. An unknown name, a wrong password, a closed account and a name of the wrong form get one answer, after the same work.
2. Too many failures shut the door for a while (`attempts`), for unknown names too.
3. Nobody becomes an administrator of JupyterHub: what people may do is decided in the rooms of the hub.
4. A closed account ends the session at the next refresh.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.web import HTTPError
from traitlets import default

from hub.errors import NotAllowed, NotFound
from hub.jupyter.attempts import Attempts
from hub.jupyter.site import site
from hub.people import actions as people

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
LONGEST_PASSWORD = 1024
"""Characters. Longer ones are refused before they are hashed: the work would be the caller's to choose."""
TOO_MANY_REQUESTS = 429


class LocalDirectoryAuthenticator(Authenticator):
    """People of the hub's own directory."""

    attempts: Attempts

    @default("auth_refresh_age")
    def _default_refresh_age(self) -> int:
        return 30

    @default("refresh_pre_spawn")
    def _default_refresh_pre_spawn(self) -> bool:
        return True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.attempts = Attempts(time.monotonic)

    def normalize_username(self, username: str) -> str:
        """Names are small letters; what people type with capitals or blanks around is the same name."""
        return username.strip().lower()

    def validate_username(self, username: str) -> bool:
        """Only `[a-z0-9-]`: the name is part of paths, addresses and scopes."""
        return NAME.fullmatch(username) is not None

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | None:
        """The person, or None: one answer for everything that is wrong (1).

        Raises:
            HTTPError: 429, too many failures of late (2).
        """
        name = self.normalize_username(data.get("username", ""))
        password = data.get("password", "")
        if self.attempts.must_wait(name):
            raise HTTPError(TOO_MANY_REQUESTS, "too many failed sign-ins")
        if len(password) > LONGEST_PASSWORD or not password:
            self.attempts.failed(name)
            return None
        known_form = name if self.validate_username(name) else "-"
        try:
            person = await asyncio.to_thread(people.sign_in, site(), username=known_form, password=password)
        except NotAllowed:
            self.attempts.failed(name)
            return None
        self.attempts.succeeded(name)
        return {"name": person.id, "admin": False}  # (3)

    async def refresh_user(self, user: Any, handler: Any = None) -> bool | dict[str, Any]:
        """False as soon as the account is closed (4)."""
        try:
            await asyncio.to_thread(people.find_person, site(), user.name)
        except NotFound:
            return False
        return True
