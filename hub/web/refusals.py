"""The one place where an exception becomes a page: which rule refused, on which basis, and what to do next.

A thing that is hidden from the reader and a thing that does not exist get the same answer, byte for byte except for
the address the reader typed.
"""

from __future__ import annotations

import logging
import traceback
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.errors import HubError, NotFound, Refusal
from hub.message import msg
from hub.web.guards import UNSAFE_METHODS, BodyTooLarge
from hub.web.visit import HubUnreachable, LoginNeeded, LoginRefused, Visit, portal_of, render

log = logging.getLogger("zhakou.web")

NOT_FOUND = Refusal(
    rule="not_found",
    subject="",
    text=msg("There is no such page or object, or none that you may see."),
    next_step=msg("Check the address, or go back to the list."),
)
TOO_LARGE = Refusal(
    rule="web.body_too_large",
    subject="",
    text=msg("What was sent is larger than this page accepts."),
    next_step=msg("Send less at once; the limit of a table is a setting of the site."),
)
MALFORMED = Refusal(
    rule="web.malformed",
    subject="",
    text=msg("The request cannot be read."),
    next_step=msg("Open the page again and use its links and buttons."),
)
WRONG_METHOD = Refusal(
    rule="web.method",
    subject="",
    text=msg("This address does not do that."),
    next_step=msg("Open the page again and use its links and buttons."),
)
LOGIN_REFUSED = Refusal(
    rule="login.refused",
    subject="",
    text=msg("The login could not be finished: it was begun elsewhere, took too long, or was already used."),
    next_step=msg("Begin again from the portal's first page."),
)
LOGIN_ENDED = Refusal(
    rule="login.ended",
    subject="",
    text=msg("Your session has ended; nothing was done."),
    next_step=msg("Log in again, then repeat the step."),
)
UNREACHABLE = Refusal(
    rule="login.unreachable",
    subject="",
    text=msg("The login service does not answer, so nobody can be recognised; nothing was done."),
    next_step=msg("Wait a minute and try again; if it lasts, tell the operator of this site."),
)
BROKEN = Refusal(
    rule="web.internal",
    subject="",
    text=msg("The portal made a mistake of its own; nothing was done."),
    next_step=msg("Try again; if it lasts, tell the operator of this site when it happened."),
)


def show(request: Request, status: int, *refusals: Refusal) -> Response:
    """The refusal page, inside the shell if the reader is known."""
    visit: Visit | None = getattr(request.state, "visit", None)
    csrf = visit.session.csrf if visit else ""
    return render(
        request,
        "web/refused.html",
        status=status,
        visit=visit,
        csrf=csrf,
        refusals=refusals,
        code=status,
        back=_back(request),
    )


def _back(request: Request) -> str:
    """Where a refused form came from: its address without the last part, which names the verb."""
    portal = portal_of(request)
    path = request.url.path.rstrip("/")
    if request.method in UNSAFE_METHODS and path.startswith(portal.prefix):
        parent = path.rsplit("/", 1)[0]
        return parent if portal.is_ours(parent) else portal.prefix
    return portal.prefix


def install(app: FastAPI) -> None:
    """Teach the app to answer exceptions with pages."""

    @app.exception_handler(HubError)
    async def _refused(request: Request, error: Exception) -> Response:
        if isinstance(error, HubError) and not isinstance(error, NotFound):
            return show(request, error.http_status, *error.refusals)
        return show(request, 404, NOT_FOUND)

    @app.exception_handler(LoginNeeded)
    async def _login(request: Request, _error: Exception) -> Response:
        portal = portal_of(request)
        if request.method in UNSAFE_METHODS:
            return show(request, 401, LOGIN_ENDED)
        here = str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
        target = here if portal.is_ours(here) else portal.prefix
        return RedirectResponse(f"{portal.path('login')}?next={quote(target, safe='/')}", status_code=303)

    @app.exception_handler(LoginRefused)
    async def _login_refused(request: Request, _error: Exception) -> Response:
        return show(request, 403, LOGIN_REFUSED)

    @app.exception_handler(HubUnreachable)
    async def _unreachable(request: Request, _error: Exception) -> Response:
        return show(request, 503, UNREACHABLE)

    @app.exception_handler(BodyTooLarge)
    async def _too_large(request: Request, _error: Exception) -> Response:
        return show(request, 413, TOO_LARGE)

    @app.exception_handler(MultiPartException)
    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, _error: Exception) -> Response:
        return show(request, 422, MALFORMED)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        match status:
            case 404:
                return show(request, 404, NOT_FOUND)
            case 405:
                return show(request, 405, WRONG_METHOD)
            case 413:
                return show(request, 413, TOO_LARGE)
            case _:
                return show(request, status if 400 <= status < 500 else 500, MALFORMED if status < 500 else BROKEN)


class Mistakes:
    """ASGI middleware: a bug of ours becomes a page without details and a stack in the log without values.

    The text of a foreign exception may carry something a person typed or a cell of a table, so it is not logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_watched)
        except Exception as error:  # the last place before the server, which would log the text
            if scope["type"] != "http":
                raise
            stack = "".join(traceback.format_tb(error.__traceback__))
            log.error("unexpected %s at %s\n%s", type(error).__name__, scope["method"], stack)
            if started:
                raise RuntimeError("the answer broke off") from None
            await show(Request(scope, receive), 500, BROKEN)(scope, receive, send)
