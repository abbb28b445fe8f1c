"""Sign-in through another service by OpenID Connect, for sites that have one (`oidc_issuer` in the settings).

What must hold:
1. The provider is found by its own discovery document, which names the issuer that was set; nothing is asked over plain
   HTTP but on this machine.
2. An identity is believed from an ID token alone whose signature, issuer, audience, time and nonce hold; the code is
   bound to the browser by state and PKCE.
3. The token says that a second factor was asked for (`acr` or `amr`), or nobody comes in.
4. Who may come in is the directory's to say: a person it does not know, or whose access ended, is refused. No claim
   grants a role, a group or anything else.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler, _deserialize_state
from tornado.web import HTTPError

from hub.errors import InvalidInput, InvalidState, NotAllowed, Refusal
from hub.jupyter.authenticator import DirectorySessions, keep_session, standing
from hub.jupyter.site import site
from hub.jupyter.words import refusals_as_html
from hub.message import Message, msg
from hub.people import sign_in as door
from hub.people.sign_in import digest_of
from hub.settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key that only the provider has; none with the client's secret, and never `none`."""
LEEWAY_SECONDS: Final = 60
DISCOVERY_SECONDS: Final = 10
DISCOVERY_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where the provider answers."""

    issuer: str
    authorize: str
    token: str
    keys: str


@cache
def discover(issuer: str) -> Provider:
    """The provider behind an issuer, by its discovery document (1).

    Raises:
        InvalidInput: The address is not HTTPS.
        InvalidState: The provider does not answer, or its document does not fit.
    """
    if not is_private_way(issuer):
        raise InvalidInput(_refusal("oidc.plain", msg("The sign-in service is not reached by HTTPS.")))
    address = issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=DISCOVERY_SECONDS) as answer:  # noqa: S310 - checked above
            document = json.loads(answer.read(DISCOVERY_BYTES))
        found = Provider(
            issuer=str(document["issuer"]),
            authorize=str(document["authorization_endpoint"]),
            token=str(document["token_endpoint"]),
            keys=str(document["jwks_uri"]),
        )
    except (OSError, urllib.error.URLError, ValueError, KeyError, TypeError) as error:
        raise InvalidState(
            _refusal("oidc.unreachable", msg("The sign-in service does not answer, or not as OpenID Connect says."))
        ) from error
    if found.issuer != issuer or not all(map(is_private_way, (found.authorize, found.token, found.keys))):
        raise InvalidState(_refusal("oidc.issuer", msg("The sign-in service names another issuer or a plain address.")))
    return found


def is_private_way(address: str) -> bool:
    """Whether what is sent to this address is read by nobody on the way: HTTPS, or this machine itself."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    if parts.scheme != "http":
        return False
    try:
        return parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def nonce_of(verifier: str) -> str:
    """The nonce of a login, which follows from its PKCE verifier: both bind it to the browser that began it."""
    digest = hashlib.sha256(b"nonce " + verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def verified_claims(token: str, provider: Provider, *, key: Any, client_id: str, nonce: str) -> Mapping[str, Any]:
    """The claims of an ID token whose signature, issuer, audience, time and nonce hold (2).

    Raises:
        jwt.InvalidTokenError: They do not.
    """
    claims: dict[str, Any] = jwt.decode(
        token,
        key=key,
        algorithms=list(ALGORITHMS),
        audience=client_id,
        issuer=provider.issuer,
        leeway=LEEWAY_SECONDS,
        options={"require": ["exp", "iat", "iss", "aud", "sub"]},
    )
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise jwt.InvalidTokenError("the nonce is another login's")
    if claims.get("azp", client_id) != client_id:
        raise jwt.InvalidTokenError("the token was given to another client")
    return claims


def is_strong(claims: Mapping[str, Any], *, acr: Collection[str], amr: Collection[str]) -> bool:
    """Whether the provider says that it asked for a second factor (3). Silence is no."""
    methods = claims.get("amr")
    said = {str(one) for one in methods} if isinstance(methods, list) else set()
    return claims.get("acr") in acr or not said.isdisjoint(amr)


class BeginWithNonce(OAuthLoginHandler):
    """Adds the nonce to the way out."""

    def authorize_redirect(self, *args: Any, **kwargs: Any) -> None:
        extra = kwargs["extra_params"]
        extra["nonce"] = self.nonce
        super().authorize_redirect(*args, **kwargs)

    def _generate_pkce_params(self) -> tuple[str, str]:
        verifier, challenge = super()._generate_pkce_params()
        self.nonce = nonce_of(verifier)
        return verifier, challenge


class OidcAuthenticator(DirectorySessions, GenericOAuthenticator):
    """People whom the provider names and the directory knows."""

    login_handler = BeginWithNonce
    provider: Provider
    _keys: jwt.PyJWKClient

    def use(self, provider: Provider) -> None:
        """Talk to this provider."""
        self.provider = provider
        self._keys = jwt.PyJWKClient(provider.keys, timeout=DISCOVERY_SECONDS)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use(discover(site().settings.oidc_issuer))

    async def authenticate(self, handler: Any, data: Any = None, **_: Any) -> dict[str, Any] | None:
        """The person, if token and directory agree.

        Raises:
            HTTPError: 403 in words: not known here, access ended, no second factor, or a token that does not hold.
        """
        parameters = self.build_access_tokens_request_params(handler, data)
        answer = await self.get_token_info(handler, parameters)
        verifier = str(_deserialize_state(handler.get_state_cookie()).get("code_verifier", ""))
        settings = site().settings
        session = secrets.token_hex(16)
        try:
            claims = await asyncio.to_thread(self._believed, str(answer.get("id_token", "")), nonce_of(verifier))
            person = await asyncio.to_thread(
                door.sign_in_vouched,
                site(),
                username=self.normalize_username(str(claims.get(settings.oidc_username_claim, ""))),
                session=digest_of(session),
                is_strong=is_strong(claims, acr=settings.oidc_acr.split(), amr=settings.oidc_amr.split()),
                standing=standing,
            )
        except jwt.PyJWTError as error:
            self.log.warning("an ID token does not hold: %s", type(error).__name__)
            raise _in_words(_NOT_BELIEVED) from error
        except NotAllowed as error:
            raise _in_words(*error.refusals) from error
        keep_session(handler, session)
        return {"name": person.id, "admin": False, "auth_state": None}

    def _believed(self, token: str, nonce: str) -> Mapping[str, Any]:
        named = jwt.get_unverified_header(token).get("kid")
        # OpenID Connect Core §10.1: the name may be left out where the provider has one key.
        keys = [self._keys.get_signing_key(named)] if named else self._keys.get_signing_keys()
        if len(keys) != 1:
            raise jwt.InvalidTokenError("the token does not say which key signed it")
        key = keys[0].key
        return verified_claims(token, self.provider, key=key, client_id=self.client_id, nonce=nonce)

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Whoever `authenticate` let through: the directory has decided (4)."""
        return True


def configure(c: Any, settings: Settings) -> None:
    """Wire JupyterHub to the provider of the settings.

    Raises:
        InvalidInput: The client's secret cannot be read, or the issuer is no private address.
        InvalidState: The provider does not answer as it should.
    """
    provider = discover(settings.oidc_issuer)
    c.JupyterHub.authenticator_class = OidcAuthenticator
    c.OidcAuthenticator.authorize_url = provider.authorize
    c.OidcAuthenticator.token_url = provider.token
    c.OidcAuthenticator.client_id = settings.oidc_client_id
    c.OidcAuthenticator.client_secret = secret_in(settings.oidc_secret_file)
    c.OidcAuthenticator.oauth_callback_url = settings.oidc_callback_url
    c.OidcAuthenticator.scope = ["openid", "profile"]
    c.OidcAuthenticator.enable_pkce = True
    c.OidcAuthenticator.auto_login = True
    c.OidcAuthenticator.manage_groups = False
    if settings.oidc_acr:
        c.OidcAuthenticator.extra_authorize_params = {"acr_values": settings.oidc_acr}


def secret_in(path: str) -> str:
    """The client's secret.

    Raises:
        InvalidInput: There is none, or others can read the file.
    """
    try:
        file = Path(path)
        if file.stat().st_mode & 0o077:
            raise InvalidInput(_refusal("oidc.secret", msg("The file of the client's secret can be read by others.")))
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InvalidInput(_refusal("oidc.secret", msg("The file of the client's secret cannot be read."))) from error


def _in_words(*refusals: Refusal) -> HTTPError:
    error = HTTPError(403, "; ".join(refusal.rule for refusal in refusals))
    error.jupyterhub_html_message = str(refusals_as_html(refusals))
    return error


def _refusal(rule: str, text: Message) -> Refusal:
    return Refusal(
        rule=rule,
        subject="oidc_issuer",
        text=text,
        next_step=msg("Mend the settings that begin with oidc_, or ask whoever runs the sign-in service."),
    )


_NOT_BELIEVED = Refusal(
    rule="oidc.token",
    subject="",
    text=msg("The answer of the sign-in service does not hold."),
    next_step=msg("Begin again from the portal's first page; if it lasts, tell the operator of this site."),
)
