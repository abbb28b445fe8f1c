"""A portal over a real hub in a temporary folder, with real sessions; only the login page is played by the test.

`DirectoryLogin` is a second implementation of `hub.web.visit.Login`: codes are handed out by the test as the hub's
authorization page would hand them to a browser, and tokens can be revoked.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from fastapi import FastAPI

from hub.context import Hub, open_hub
from hub.demo.identifiers import credit_code
from hub.errors import NotAllowed
from hub.people.accounts import appoint_person
from hub.people.actions import find_person
from hub.people.actor import SYSTEM, OrgKind, Post, Role
from hub.people.appointments import appoint_responsible
from hub.people.organisations import found_organisation
from hub.people.sign_in import sign_in_vouched
from hub.settings import Settings
from hub.web.app import create_app
from hub.web.sessions import Sessions
from hub.web.visit import Challenge, HubUnreachable, Identity, LoginRefused

PREFIX = "/services/portal/"


class DirectoryLogin:
    """Hands out codes for users the test names; remembers which tokens are good."""

    logout_address = "/hub/logout"

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.codes: dict[str, tuple[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.answers = True
        self._count = 0

    def begin(self, state: str) -> Challenge:
        self._count += 1
        return Challenge(address=f"/hub/authorize?state={state}", verifier=f"verifier-{self._count}")

    def agree(self, user: str) -> str:
        """The code that the authorization page would give after this user logged in, for the latest challenge."""
        code = f"code-{self._count}-{user}"
        self.codes[code] = (user, f"verifier-{self._count}")
        return code

    async def finish(self, *, code: str, verifier: str) -> Identity:
        user, wanted = self.codes.pop(code, ("", ""))
        if not user or verifier != wanted:
            raise LoginRefused
        token, session = f"token-of-{user}-{code}", secrets.token_hex(32)
        self.tokens[token] = user
        with contextlib.suppress(NotAllowed):  # the hub may know someone whom the directory does not
            sign_in_vouched(self.hub, username=user, session=session, is_strong=True)
        return Identity(user=user, token=token, session=session)

    async def user_of(self, token: str) -> str | None:
        if not self.answers:
            raise HubUnreachable
        return self.tokens.get(token)


@dataclass(slots=True)
class House:
    """The hub, the portal on it and its login."""

    hub: Hub
    app: FastAPI
    address: str
    login: DirectoryLogin
    sessions: Sessions

    def stranger(self) -> Browser:
        """A browser that has not logged in."""
        return Browser(self, httpx.Client(base_url=self.address, trust_env=False, timeout=60))

    def browser_of(self, user: str) -> Browser:
        """A browser in which `user` has logged in."""
        browser = self.stranger()
        browser.log_in(user)
        return browser


@dataclass(slots=True)
class Browser:
    """One browser: cookies, and the token of the last page for the next form."""

    house: House
    client: httpx.Client
    csrf: str = field(default="")

    def log_in(self, user: str) -> httpx.Response:
        begun = self.client.get(f"{PREFIX}login")
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        code = self.house.login.agree(user)
        return self.client.get(f"{PREFIX}oauth_callback", params={"code": code, "state": state})

    def get(self, path: str, **more: object) -> httpx.Response:
        answer = self.client.get(PREFIX + path, **more)  # type: ignore[arg-type]
        found = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
        if found:
            self.csrf = found.group(1)
        return answer

    def post(self, path: str, fields: dict[str, object] | None = None, **more: object) -> httpx.Response:
        """Send a form as a browser would, with the token of the last page unless `fields` has its own."""
        data = {"csrf_token": self.csrf, **(fields or {})}
        headers = {"sec-fetch-site": "same-origin", **more.pop("headers", {})}  # type: ignore[dict-item]
        return self.client.post(PREFIX + path, data=data, headers=headers, **more)  # type: ignore[arg-type]


ORGANISATIONS = (
    ("bureau", "区数据局", "District data bureau", OrgKind.BUREAU),
    ("centre", "区城运中心", "Urban-operation centre", OrgKind.CENTRE),
    ("health", "区卫健委", "Health department", OrgKind.DEPARTMENT),
    ("civil", "区民政局", "Civil affairs department", OrgKind.DEPARTMENT),
    ("operator", "示例普数科技", "Example Pushu", OrgKind.OPERATOR),
    ("cac", "区委网信办", "Cyberspace office", OrgKind.CYBERSPACE),
    ("experts", "数据专家委员会", "Expert committee", OrgKind.EXPERTS),
    ("audit", "区审计局", "Audit office", OrgKind.AUDIT),
)
PEOPLE = (
    ("chief", "health", {Role.DEPT_CHIEF}),
    ("cdo", "health", {Role.DEPT_CDO}),
    ("steward", "health", {Role.DEPT_STEWARD}),
    ("civil-steward", "civil", {Role.DEPT_STEWARD}),
    ("officer", "bureau", {Role.BUREAU_OFFICER}),
    ("assessor", "bureau", {Role.BUREAU_OFFICER}),
    ("supervisor", "cac", {Role.CAC_SUPERVISOR}),
    ("expert", "experts", {Role.DATA_EXPERT}),
    ("maker", "centre", {Role.CENTRE_OPERATOR}),
    ("admin", "operator", {Role.LICENSEE_ADMIN}),
    ("analyst", "operator", {Role.ANALYST}),
    ("colleague", "operator", {Role.COMPLIANCE_REVIEWER}),
    ("provider", "health", {Role.PROVIDER_REVIEWER}),
    ("compliance", "centre", {Role.COMPLIANCE_REVIEWER}),
    ("code-reviewer", "bureau", {Role.COMPLIANCE_REVIEWER}),
    ("releaser", "centre", {Role.RELEASE_OFFICER}),
    ("auditor", "audit", {Role.AUDITOR}),
)


def build_hub(folder: Path, *, settings: Settings | None = None) -> Hub:
    """A hub with one person in each role and no data."""
    hub = open_hub(settings or Settings(state_dir=folder / "state", demo_district=False))
    now = hub.clock()
    for serial, (org_id, zh, en, kind) in enumerate(ORGANISATIONS):
        uscc = credit_code(serial) if kind is OrgKind.OPERATOR else ""
        found_organisation(hub, SYSTEM, org_id=org_id, name_zh=zh, name_en=en, kind=kind, uscc=uscc)
    # The bureau's officers come last: until it has two officers the service itself may appoint.
    for person_id, org_id, roles in sorted(PEOPLE, key=lambda person: Role.BUREAU_OFFICER in person[2]):
        appoint_person(
            hub,
            SYSTEM,
            person_id=person_id,
            name_zh=f"测试{person_id}",
            name_en=f"Test {person_id}",
            org_id=org_id,
            roles=frozenset(roles),
            trained_until=now + timedelta(days=365),
            confidentiality_until=now + timedelta(days=365),
        )
    for post, person_id in zip(Post, ("chief", "cdo", "steward"), strict=True):
        appoint_responsible(
            hub,
            find_person(hub, "officer").actor,
            org_id="health",
            post=post,
            person_id=person_id,
            starts_at=now,
            ends_at=now + timedelta(days=365),
            letter_ref="测试〔2026〕1号",
        )
    return hub


@contextmanager
def open_house(hub: Hub) -> Iterator[House]:
    """The portal on a hub, served on a free port of the loopback until the end of the block."""
    login, sessions = DirectoryLogin(hub), Sessions()
    app = create_app(hub, login, sessions=sessions)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the portal did not start")
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield House(hub=hub, app=app, address=f"http://127.0.0.1:{port}", login=login, sessions=sessions)
    finally:
        server.should_exit = True
        thread.join(20)
