"""Sign-in through a real OpenID Connect provider, a process of its own on the loopback; and tokens that do not hold."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import HubError, InvalidInput, InvalidState
from hub.jupyter.bench import free_ports
from hub.jupyter.oidc import Provider, discover, is_private_way, is_strong, nonce_of, secret_in, verified_claims
from tests.integration.jupyter_house import Page, Site, Visitor, within

PEOPLE = {
    "ky-analyst": {"preferred_username": "ky-analyst", "amr": ["pwd", "otp"], "roles": ["bureau_officer"]},
    "auditor": {"preferred_username": "auditor", "acr": "urn:mfa"},
    "ps-analyst": {"preferred_username": "ps-analyst", "amr": ["pwd"]},
    "stranger": {"preferred_username": "stranger", "amr": ["otp"]},
    "nameless": {"amr": ["otp"]},
}


class OidcSite(Site):
    """A site that signs in at `provider`."""

    provider: str = ""

    @property
    def environment(self) -> dict[str, str]:
        secret = self.folder / "secret"
        secret.touch(mode=0o600)
        secret.write_text("the client's secret\n", encoding="ascii")
        return {
            **super().environment,
            "ZHAKOU_OIDC_ISSUER": self.provider,
            "ZHAKOU_OIDC_CLIENT_ID": "zhakou",
            "ZHAKOU_OIDC_SECRET_FILE": str(secret),
            "ZHAKOU_OIDC_CALLBACK_URL": f"{self.address}/hub/oauth_callback",
            "ZHAKOU_OIDC_ACR": "urn:mfa",
        }


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    (port,) = free_ports(1)
    claims = [part for sub, given in PEOPLE.items() for part in ("--user-claims", json.dumps({"sub": sub, **given}))]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true", *claims]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        assert within(30, lambda: answers(f"{address}/.well-known/openid-configuration"))
        yield address
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def site(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = OidcSite(tmp_path_factory.mktemp("o"))
    site.provider = provider
    site.start()
    yield site
    site.stop()


class Traveller(Visitor):
    """A visitor who fills in the provider's form on the way."""

    def sign_in_as(self, sub: str) -> tuple[Page, str]:
        """Where it ended, and the address at which the provider was asked."""
        form = self.get("/services/portal/login")
        action = re.search(r'<form[^>]*action="([^"]*)"', form.text)
        target = urllib.parse.urljoin(form.address, html.unescape(action[1]) if action else "")
        request = urllib.request.Request(target, data=urllib.parse.urlencode({"sub": sub}).encode())  # noqa: S310
        try:
            answer = self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.status, answer.url, answer.read().decode()), form.address


def test_person_of_the_directory_comes_in_with_state_pkce_and_nonce(site: Site) -> None:
    traveller = Traveller(site)
    page, asked = traveller.sign_in_as("ky-analyst")
    assert page.status == 200, page.text
    assert page.address.startswith(f"{site.address}/services/portal/")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(asked).query)
    assert query["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(query)
    assert query["acr_values"] == ["urn:mfa"]


def test_claims_grant_no_role(site: Site) -> None:
    traveller = Traveller(site)
    traveller.sign_in_as("ky-analyst")
    assert traveller.get("/services/portal/people/new").status == 200
    assert "role.missing" in traveller.get("/services/portal/people/new").text
    assert "c-0001" not in traveller.get("/services/portal/people/changes").text


def test_acr_shows_a_second_factor_as_well(site: Site) -> None:
    assert Traveller(site).sign_in_as("auditor")[0].status == 200


@pytest.mark.parametrize("sub", ["stranger", "ps-analyst", "nameless"])
def test_unknown_or_weak_sign_in_is_refused_in_words(site: Site, sub: str) -> None:
    page, _ = Traveller(site).sign_in_as(sub)
    assert page.status == 403
    assert "sign_in.refused" in page.text


def test_callback_without_the_browser_that_began_is_refused(site: Site) -> None:
    page = Traveller(site).get("/hub/oauth_callback?code=x&state=eyJzdGF0ZV9pZCI6ICJ4In0=")
    assert page.status == 400


def test_signing_out_here_ends_the_session_for_a_copied_cookie(site: Site) -> None:
    traveller, thief = Traveller(site), Traveller(site)
    traveller.sign_in_as("auditor")
    for cookie in traveller.cookies:
        thief.cookies.set_cookie(cookie)
    assert "/services/portal/" in thief.get("/services/portal/").address
    traveller.get("/hub/logout")
    assert within(35, lambda: "/services/portal/" not in thief.get("/services/portal/").address)


def test_local_enrolment_and_demonstration_codes_are_no_pages_of_such_a_site(site: Site) -> None:
    traveller = Traveller(site)
    assert traveller.get("/services/portal/enrol").status == 404
    assert traveller.get("/hub/demo-code?account=auditor").status == 404


# --- tokens and addresses ---------------------------------------------------------------------------------------------

KEY = ec.generate_private_key(ec.SECP256R1())
PROVIDER = Provider(issuer="https://id.example", authorize="", token="", keys="")


def token(key: Any = KEY, algorithm: str = "ES256", **changes: Any) -> str:
    now = datetime.now(UTC)
    claims = {
        "iss": "https://id.example",
        "aud": "zhakou",
        "sub": "x",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "nonce": "n",
        **changes,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm)


def believed(given: str) -> object:
    return verified_claims(given, PROVIDER, key=KEY.public_key(), client_id="zhakou", nonce="n")


def test_token_that_holds_is_believed() -> None:
    assert believed(token())


@pytest.mark.parametrize(
    "given",
    [
        token(iss="https://other.example"),
        token(aud="another"),
        token(exp=datetime.now(UTC) - timedelta(hours=1)),
        token(iat=datetime.now(UTC) + timedelta(hours=1)),
        token(exp=None),
        token(nonce="another"),
        token(nonce=None),
        token(azp="another"),
        token(key=ec.generate_private_key(ec.SECP256R1())),
        token(key="the client's secret, which is long enough", algorithm="HS256"),
        token(key=None, algorithm="none"),
        "",
        "not.a.token",
    ],
)
def test_token_that_does_not_hold_is_not_believed(given: str) -> None:
    with pytest.raises(jwt.PyJWTError):
        believed(given)


@pytest.mark.parametrize(
    ("claims", "strong"),
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"acr": "2"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "otp"}, False),
        ({"acr": "1"}, False),
        ({"acr": None}, False),
        ({}, False),
    ],
)
def test_silence_about_a_second_factor_is_no(claims: dict[str, Any], strong: bool) -> None:
    assert is_strong(claims, acr=["2"], amr=["otp", "hwk"]) is strong


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("https://id.example", True),
        ("http://127.0.0.1:9400", True),
        ("http://[::1]:9400", True),
        ("http://localhost", True),
        ("http://id.example", False),
        ("http://10.0.0.1", False),
        ("ftp://127.0.0.1", False),
        ("https://", False),
        ("", False),
    ],
)
def test_nothing_is_asked_over_a_plain_network(address: str, private: bool) -> None:
    assert is_private_way(address) is private


def test_provider_that_is_plain_silent_or_another_is_refused_in_words(provider: str) -> None:
    for address, kind in (
        ("http://id.example", InvalidInput),
        (f"http://127.0.0.1:{free_ports(1)[0]}", InvalidState),
        (f"{provider}/", InvalidState),  # its document names the issuer without the slash
    ):
        with pytest.raises(kind):
            discover(address)


def test_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    with pytest.raises(HubError):
        secret_in(str(file))
    file.write_text("s\n")
    file.chmod(0o644)
    with pytest.raises(InvalidInput):
        secret_in(str(file))
    file.chmod(0o600)
    assert secret_in(str(file)) == "s"


def test_nonce_is_neither_verifier_nor_challenge() -> None:
    assert nonce_of("a") != nonce_of("b")
    assert "a" * 10 not in nonce_of("a" * 10)
