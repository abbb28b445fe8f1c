"""The few pages that need no login: begin and finish a login, log out, choose the language, tell that we are alive."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from hub.people.sign_in import end_session
from hub.web.language import LANGUAGE_COOKIE
from hub.web.sessions import ATTEMPT_SECONDS, LIFE_SECONDS
from hub.web.visit import CSRF_FIELD, SESSION_COOKIE, LoginRefused, portal_of

BROWSER_COOKIE = "zhakou-login"
_YEAR = 365 * 24 * 60 * 60

router = APIRouter()


def is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, as the proxy in front says."""
    return request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip() == "https"


@router.get("/login")
async def begin(request: Request, next: str = "") -> Response:
    """Send the browser to the hub with a fresh state and PKCE challenge."""
    portal = portal_of(request)
    state = secrets.token_urlsafe(32)
    browser = request.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(32)
    challenge = portal.login.begin(state)
    target = next if portal.is_ours(next) else portal.prefix
    portal.sessions.begin_attempt(state=state, next_path=target, verifier=challenge.verifier, browser=browser)
    answer = RedirectResponse(challenge.address, status_code=303)
    answer.set_cookie(
        BROWSER_COOKIE,
        browser,
        max_age=ATTEMPT_SECONDS,
        path=portal.prefix,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    return answer


@router.get("/oauth_callback")
async def finish(request: Request, code: str = "", state: str = "") -> Response:
    """Exchange the code for a session: same browser, same state, once."""
    portal = portal_of(request)
    attempt = portal.sessions.take_attempt(state=state, browser=request.cookies.get(BROWSER_COOKIE))
    if attempt is None or not code:
        raise LoginRefused
    identity = await portal.login.finish(code=code, verifier=attempt.verifier)
    portal.sessions.close(request.cookies.get(SESSION_COOKIE))
    sid = portal.sessions.open(user=identity.user, token=identity.token, hub_session=identity.session)
    answer = RedirectResponse(attempt.next_path, status_code=303)
    answer.set_cookie(
        SESSION_COOKIE,
        sid,
        max_age=int(LIFE_SECONDS),
        path=portal.prefix,
        httponly=True,
        samesite="lax",
        secure=is_secure(request),
    )
    answer.delete_cookie(BROWSER_COOKIE, path=portal.prefix)
    return answer


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session here and at the hub."""
    portal = portal_of(request)
    session = portal.sessions.find(request.cookies.get(SESSION_COOKIE))
    given = (await request.form()).get(CSRF_FIELD)
    token = given.encode() if isinstance(given, str) else b""
    if session is not None and secrets.compare_digest(token, session.csrf.encode()):
        portal.sessions.close(request.cookies.get(SESSION_COOKIE))
        await run_in_threadpool(end_session, portal.hub, session=session.hub_session)
    answer = RedirectResponse(portal.login.logout_address, status_code=303)
    answer.delete_cookie(SESSION_COOKIE, path=portal.prefix)
    return answer


@router.get("/language/{code}")
async def choose_language(request: Request, code: str, back: str = "") -> Response:
    """Remember the language in this browser and go back to the page."""
    portal = portal_of(request)
    answer = RedirectResponse(back if portal.is_ours(back) else portal.prefix, status_code=303)
    if code in ("zh", "en"):
        # Path "/": the hub's own pages and the notebooks read the same choice.
        answer.set_cookie(
            LANGUAGE_COOKIE, code, max_age=_YEAR, path="/", httponly=True, samesite="lax", secure=is_secure(request)
        )
    return answer


@router.get("/health")
async def health(request: Request) -> Response:
    """Whether the database answers; nothing else."""
    await run_in_threadpool(_touch, request)
    return PlainTextResponse("ok\n")


def _touch(request: Request) -> None:
    with portal_of(request).hub.reading() as session:
        session.connection()
