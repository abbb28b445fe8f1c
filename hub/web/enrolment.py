"""The first sign-in: a first password opens the page on which a person sets a password and an authenticator.

It stands outside JupyterHub's login, which therefore never has to say whether a password alone was right. Nobody is
signed in by it: afterwards the person signs in like everyone, with both factors.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus

import segno
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from hub.errors import HubError, InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.message import msg
from hub.people.sign_in import begin_enrolment, finish_enrolment
from hub.people.totp import address_for_apps, in_groups
from hub.web.enrolments import ENROLMENT_SECONDS, Enrolment
from hub.web.entrance import is_secure
from hub.web.visit import CSRF_FIELD, Portal, portal_of, render

COOKIE = "zhakou-enrol"
LONGEST = 1024

router = APIRouter()

TOO_MANY = Refusal(
    rule="enrol.wait",
    subject="",
    text=msg("Too many failed sign-ins of late."),
    next_step=msg("Wait a quarter of an hour, then try again."),
)
_STALE = Refusal(
    rule="enrol.stale",
    subject="",
    text=msg("This page has expired, or belongs to another browser."),
    next_step=msg("Begin again with the first password."),
)
_DIFFERENT = Refusal(
    rule="password.repeat",
    subject="",
    text=msg("The two passwords differ."),
    next_step=msg("Type the same password twice."),
)


@router.get("/enrol")
def ask(request: Request) -> Response:
    """Name and first password."""
    _require_local(portal_of(request))
    return render(request, "web/enrol.html", refusals=(), filled={})


@router.post("/enrol")
async def begin(request: Request) -> Response:
    """Check the first password; on to the page where one's own is set."""
    portal = portal_of(request)
    _require_local(portal)
    form = await request.form()
    name, first = _text(form, "name").strip().lower(), _text(form, "first").strip()
    if portal.attempts.must_wait(name):
        return _ask_again(request, HTTPStatus.TOO_MANY_REQUESTS, name, TOO_MANY)
    try:
        begun = await run_in_threadpool(begin_enrolment, portal.hub, username=name, first_password=first)
    except NotAllowed as error:
        portal.attempts.failed(name)
        return _ask_again(request, HTTPStatus.FORBIDDEN, name, *error.refusals)
    portal.attempts.succeeded(name)
    answer = RedirectResponse(portal.path("enrol/own"), status_code=HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        portal.enrolments.begin(begun),
        max_age=ENROLMENT_SECONDS,
        path=portal.path("enrol"),
        httponly=True,
        samesite="strict",
        secure=is_secure(request),
    )
    return answer


@router.get("/enrol/own")
def own(request: Request) -> Response:
    """Own password, QR code, one code as proof."""
    enrolment = portal_of(request).enrolments.find(request.cookies.get(COOKIE))
    if enrolment is None:
        return _ask_again(request, HTTPStatus.FORBIDDEN, "", _STALE)
    return _own_page(request, enrolment)


@router.post("/enrol/own")
async def finish(request: Request) -> Response:
    """Keep password and secret; show the recovery codes, this once."""
    portal = portal_of(request)
    eid = request.cookies.get(COOKIE)
    enrolment = portal.enrolments.find(eid)
    form = await request.form()
    if enrolment is None or not secrets.compare_digest(_text(form, CSRF_FIELD).encode(), enrolment.csrf.encode()):
        return _ask_again(request, HTTPStatus.FORBIDDEN, "", _STALE)
    password = _text(form, "password")
    try:
        if password != _text(form, "repeat"):
            raise InvalidInput(_DIFFERENT)
        codes = await run_in_threadpool(
            finish_enrolment,
            portal.hub,
            enrolment.begun,
            password=password,
            secret=enrolment.secret,
            code=_text(form, "code"),
        )
    except HubError as error:
        return _own_page(request, enrolment, error)
    portal.enrolments.close(eid)
    answer = render(request, "web/recovery_codes.html", codes=codes, refusals=(), onward=portal.path("login"))
    answer.delete_cookie(COOKIE, path=portal.path("enrol"))
    return answer


def qr_code(address: str) -> Markup:
    """The address as a picture that stands in the page itself: no request, no script, no style."""
    return Markup(segno.make(address, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff"))  # noqa: S704


def _own_page(request: Request, enrolment: Enrolment, error: HubError | None = None) -> Response:
    address = address_for_apps(enrolment.secret, enrolment.begun.person_id, "Zhakou")
    return render(
        request,
        "web/enrol_own.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        csrf=enrolment.csrf,
        person_id=enrolment.begun.person_id,
        picture=qr_code(address),
        groups=in_groups(enrolment.secret),
        action=portal_of(request).path("enrol/own"),
    )


def _ask_again(request: Request, status: int, name: str, *refusals: Refusal) -> Response:
    return render(request, "web/enrol.html", status=status, refusals=refusals, filled={"name": name[:64]})


def _require_local(portal: Portal) -> None:
    """On a site that signs in elsewhere there is nothing to enrol."""
    if not portal.hub.settings.signs_in_here:
        raise NotFound(unknown("enrol"))


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value[:LONGEST] if isinstance(value, str) else ""
