"""Login through JupyterHub (OAuth with PKCE), by the framework-neutral calls of `HubOAuth`.

With `hub/jupyter` the only code that knows JupyterHub. The hub's token for a person is held by `sessions` on the
server; browsers never see it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth, check_scopes
from tornado.web import HTTPError

from hub.people.sign_in import digest_of
from hub.web.visit import Challenge, HubUnreachable, Identity, LoginRefused

CACHE_SECONDS = 30
"""How old the hub's word on a token may be. Below the minute within which a suspension has to take effect."""


class HubLogin:
    """The `Login` of production."""

    def __init__(self, oauth: HubOAuth | None = None) -> None:
        """Reads the JUPYTERHUB_* environment of a managed service unless given an `oauth`."""
        self._oauth: Any = oauth or HubOAuth(cache_max_age=CACHE_SECONDS)
        self.logout_address: str = f"{self._oauth.hub_prefix}logout"

    def begin(self, state: str) -> Challenge:
        """The hub's authorization page, with state and challenge."""
        verifier, challenge, method = self._oauth.generate_pkce_code_challenge()
        query = urlencode({"state": state, "code_challenge": challenge, "code_challenge_method": method})
        login_url = str(self._oauth.login_url)
        return Challenge(address=f"{login_url}{'&' if '?' in login_url else '?'}{query}", verifier=verifier)

    async def finish(self, *, code: str, verifier: str) -> Identity:
        """The token for the code, and the person it belongs to."""
        try:
            token = await self._oauth.token_for_code(code, code_verifier=verifier, sync=False)
        except (HTTPError, KeyError) as error:
            # The hub answers a wrong, used or foreign code and an internal fault alike; neither logs anyone in.
            raise LoginRefused from error
        model = await self._model_of(token)
        if model is None or not model.get("session_id"):
            raise LoginRefused
        return Identity(user=str(model["name"]), token=token, session=digest_of(str(model["session_id"])))

    async def user_of(self, token: str) -> str | None:
        """The person behind the token, if it still opens the portal."""
        model = await self._model_of(token)
        return None if model is None else str(model["name"])

    async def _model_of(self, token: str) -> dict[str, Any] | None:
        try:
            model = await self._oauth.user_for_token(token, sync=False)
        except HTTPError as error:
            raise HubUnreachable from error
        if model is None or model.get("kind") != "user":
            return None
        if not check_scopes(self._oauth.access_scopes, set(model.get("scopes", ()))):
            return None
        known: dict[str, Any] = model
        return known
