"""What is open when access ends, on a real site: cookies, tokens of portal and workspace, the workspace itself."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator

import pytest

from hub.context import open_hub
from hub.people.accounts import close_account
from hub.people.actions import find_person
from hub.settings import Settings
from tests.integration.jupyter_house import Page, Site, Visitor, within

ANALYST, LICENCE = "ky-analyst", "l-0002"
PORTAL = "/services/portal/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("s"))
    site.start()
    yield site
    site.stop()


def copy_of(visitor: Visitor, site: Site) -> Visitor:
    """A thief with the same cookies."""
    thief = Visitor(site)
    for cookie in visitor.cookies:
        thief.cookies.set_cookie(cookie)
    return thief


def press(visitor: Visitor, path: str, form: str) -> Page:
    """Send the form of this page as a browser would."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get(PORTAL + form).text)
    assert token is not None
    return visitor._visit(
        PORTAL + path, data=f"csrf_token={token[1]}".encode(), headers={"Sec-Fetch-Site": "same-origin"}
    )


def is_shut_out(visitor: Visitor) -> bool:
    """Portal, hub and workspace all lead to the sign-in page or refuse."""
    pages = (
        visitor.get(PORTAL),
        visitor.get("/hub/home"),
        visitor.get(f"/user/{ANALYST}/{LICENCE}/api/status"),
        visitor.get(f"/user/{ANALYST}/{LICENCE}/lab"),
    )
    return all("/hub/login" in page.address or page.status in (403, 404, 424, 503) for page in pages)


def test_copied_cookies_open_nothing_after_signing_out_everywhere_and_the_workspace_is_gone(site: Site) -> None:
    analyst = Visitor(site)
    analyst.sign_in(ANALYST, site.password)
    assert analyst.open_workspace(ANALYST, LICENCE).status == 200
    thief = copy_of(analyst, site)
    assert thief.get(f"/user/{ANALYST}/{LICENCE}/api/status").status == 200
    assert thief.get(PORTAL).status == 200
    press(analyst, "account/sign-out", "account")
    assert "/hub/login" in thief.get("/hub/home").address  # at once, at the hub
    assert "/hub/login" in thief.get(PORTAL).address
    assert within(60, lambda: is_shut_out(thief))
    again = Visitor(site)
    again.sign_in(ANALYST, site.password)
    assert "workspace.signed_out" in again.get(f"/user/{ANALYST}/{LICENCE}/lab").text
    assert is_shut_out(thief)  # the person's new session does not wake the old one


def test_session_id_that_someone_planted_is_replaced_at_sign_in(site: Site) -> None:
    victim = Visitor(site)
    victim.get("/hub/login")
    planted = "0123456789abcdef0123456789abcdef"
    cookie = copy.copy(next(iter(victim.cookies)))
    cookie.name, cookie.value, cookie.path = "jupyterhub-session-id", planted, "/"
    victim.cookies.set_cookie(cookie)
    victim.sign_in("auditor", site.password)
    held = [cookie.value for cookie in victim.cookies if cookie.name == "jupyterhub-session-id"]
    assert held
    assert planted not in held


def test_closed_account_is_out_of_portal_hub_and_workspace_within_a_minute(site: Site) -> None:
    analyst = Visitor(site)
    analyst.sign_in(ANALYST, site.password)
    assert analyst.open_workspace(ANALYST, LICENCE).status == 200
    hub = open_hub(Settings(state_dir=site.state))
    close_account(hub, find_person(hub, "bureau-officer").actor, person_id=ANALYST)
    hub.database.engine.dispose()
    assert "/hub/login" in analyst.get("/hub/home").address
    assert within(60, lambda: is_shut_out(analyst))
    assert Visitor(site).sign_in(ANALYST, site.password, code="000000").status == 403
