"""One request by one known person: what every page of every room is given.

`guard` stands before every room. It must hold, in this order:
1. The browser has a session here that has not ended.
2. The hub still knows the session's token (asked at most a minute ago), and names the same person.
3. The person has an account in the directory and may come in.
4. The directory's list of sessions has it as going on: nobody signed it out, here or elsewhere, and nothing lapsed.
5. A form carries the session's own token.
Whoever fails 1, 2 or 4 is sent to log in; 3 and 5 are refused.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Protocol, cast
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from hub.context import Hub
from hub.errors import NotAllowed, NotFound, Refusal
from hub.jupyter.attempts import Attempts
from hub.message import Message, msg
from hub.people.actions import find_person, lapses_of
from hub.people.actor import SYSTEM, Actor, Role
from hub.people.model import Organisation, Person
from hub.people.rules import refusals_to_act
from hub.people.sign_in import session_goes_on
from hub.web import templating
from hub.web.enrolments import Enrolments
from hub.web.form import MOST_FIELDS, Form
from hub.web.guards import UNSAFE_METHODS
from hub.web.language import LANGUAGE_COOKIE, Language, chosen
from hub.web.navigation import BESIDE, STEPS, Step
from hub.web.sessions import Session, Sessions

SESSION_COOKIE = "zhakou-session"
CSRF_FIELD = "csrf_token"
_LOCAL = re.compile(r"/[A-Za-z0-9_.~/?=&%+:-]*")


class LoginRefused(Exception):
    """The hub does not vouch for this browser."""


class HubUnreachable(Exception):
    """The hub did not answer; nobody can be recognised until it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the hub says it is."""

    user: str
    token: str = field(repr=False)
    session: str
    """The session at the hub in which the token was given, as the directory files it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """Where a browser is sent to log in, and the secret that has to come back with the code (PKCE)."""

    address: str
    verifier: str


class Login(Protocol):
    """How people prove who they are. The real one is `hub.web.login.HubLogin`."""

    logout_address: str

    def begin(self, state: str) -> Challenge:
        """Start a login under this state."""
        ...

    async def finish(self, *, code: str, verifier: str) -> Identity:
        """The person behind the code. Raises LoginRefused or HubUnreachable."""
        ...

    async def user_of(self, token: str) -> str | None:
        """The person behind the token as of now (a minute old at most); None when it is no longer good.

        Raises HubUnreachable.
        """
        ...


class LoginNeeded(Exception):
    """Nobody is logged in in this browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """What the shell keeps for the whole process."""

    hub: Hub
    login: Login
    sessions: Sessions
    enrolments: Enrolments
    attempts: Attempts
    """Failures at the enrolment page."""
    prefix: str
    """Path under which the portal is served, with a slash at both ends."""

    def path(self, *parts: str) -> str:
        """An address below the prefix. Slashes inside a part stay; everything else that could mislead is escaped."""
        return self.prefix + "/".join(quote(part, safe="/") for part in parts)

    def is_ours(self, path: str) -> bool:
        """Whether a given address leads to the portal and nowhere else."""
        inside = path.startswith(self.prefix) or path == self.prefix.rstrip("/")
        return inside and _LOCAL.fullmatch(path) is not None and "//" not in path and "/../" not in path


@dataclass(slots=True, kw_only=True)
class Visit:
    """One request by one known person."""

    request: Request
    portal: Portal
    language: Language
    session: Session
    person: Person
    form: Form
    names: dict[str, str] = field(default_factory=dict)
    """Names looked up for this page, by id."""

    @property
    def hub(self) -> Hub:
        """The hub, for actions."""
        return self.portal.hub

    @property
    def actor(self) -> Actor:
        """The person as rules see them."""
        return self.person.actor

    @property
    def lapses(self) -> tuple[Refusal, ...]:
        """What keeps the person from doing anything now."""
        return lapses_of(self.hub, self.actor)

    def may_enter(self, step: Step) -> bool:
        """Whether the person's roles open this room; a door that stays shut is shown as shut."""
        return step.verb is None or not refusals_to_act(self.actor, step.verb)

    def page(self, template: str, /, *, status: int = 200, **values: object) -> Response:
        """A page inside the shell. `status` is the HTTP status."""
        notices, self.session.notices = self.session.notices, []
        return render(
            self.request, template, status=status, visit=self, notices=notices, csrf=self.session.csrf, **values
        )

    def redirect(self, *parts: str, notice: Message | None = None) -> Response:
        """Lead on to another page of the portal after something was done; `notice` is said there."""
        if notice is not None:
            self.session.notices.append(notice)
        return RedirectResponse(self.portal.path(*parts), status_code=HTTPStatus.SEE_OTHER)

    def name_of(self, thing: object) -> str:
        """The name or title of a person, organisation or table in the reader's language."""
        code = self.language.code
        return str(getattr(thing, f"name_{code}", "") or getattr(thing, f"title_{code}", ""))

    def org(self, org_id: str) -> str:
        """The name of an organisation by its id."""
        return self._named(Organisation, org_id)

    def who(self, person_id: str | None) -> str:
        """The name of a person by their id."""
        return self._named(Person, person_id or "")

    def _named(self, kind: type[Organisation] | type[Person], key: str) -> str:
        if key == SYSTEM.person_id:
            return self.language.gettext("the platform")
        if key not in self.names:
            with self.hub.reading() as session:
                found = session.get(kind, key)
            self.names[key] = self.name_of(found) if found else key or "–"
        return self.names[key]


def portal_of(request: Request) -> Portal:
    """The shell this request came to."""
    return cast(Portal, request.app.state.portal)


def language_of(request: Request) -> Language:
    """The language the reader chose, else the site's."""
    return chosen(request.cookies.get(LANGUAGE_COOKIE), portal_of(request).hub.settings.language)


def render(request: Request, template: str, /, *, status: int = 200, **values: object) -> Response:
    """A page of the shell, with or without a person."""
    portal = portal_of(request)
    spoken = language_of(request)
    context: dict[str, object] = {
        "visit": None,
        "notices": (),
        "csrf": "",
        "steps": STEPS,
        "beside": BESIDE,
        "language": spoken,
        "path": portal.path,
        "here": str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        "login_address": portal.path("login"),
        "roles": Role,
        **values,
    }
    body = templating.environment(spoken.code).get_template(template).render(context)
    return HTMLResponse(body, status_code=status, headers={"content-language": spoken.html_lang, "vary": "cookie"})


async def guard(request: Request) -> Visit:
    """The visit of the person behind this request. Raises LoginNeeded, NotAllowed or HubUnreachable."""
    portal = portal_of(request)
    sid = request.cookies.get(SESSION_COOKIE)
    # 1
    session = portal.sessions.find(sid)
    if session is None:
        raise LoginNeeded
    # 2
    if await portal.login.user_of(session.token) != session.user:
        portal.sessions.close(sid)
        raise LoginNeeded
    # 3
    try:
        person = await run_in_threadpool(find_person, portal.hub, session.user)
    except NotFound:
        raise NotAllowed(_no_account()) from None
    # 4
    if not await run_in_threadpool(session_goes_on, portal.hub, session=session.hub_session, person_id=person.id):
        portal.sessions.close(sid)
        raise LoginNeeded
    data = FormData()
    if request.method in UNSAFE_METHODS:
        data = await request.form(max_files=1, max_fields=MOST_FIELDS)
        # 5
        given = data.get(CSRF_FIELD)
        if not isinstance(given, str) or not secrets.compare_digest(given.encode(), session.csrf.encode()):
            raise NotAllowed(_stale_form())
    visit = Visit(
        request=request,
        portal=portal,
        language=language_of(request),
        session=session,
        person=person,
        form=Form(data),
    )
    request.state.visit = visit
    return visit


Visited = Annotated[Visit, Depends(guard)]
"""What a page function asks for."""


def _no_account() -> Refusal:
    return Refusal(
        rule="account.missing",
        subject="",
        text=msg("The hub knows you, but you have no active account in the directory."),
        next_step=msg("Ask the bureau for an appointment, then log in again."),
    )


def _stale_form() -> Refusal:
    return Refusal(
        rule="form.stale",
        subject="",
        text=msg("The form does not belong to your present session."),
        next_step=msg("Open the page again and send the form from there."),
    )
