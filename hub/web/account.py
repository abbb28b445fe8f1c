"""One's own account: where one is signed in, the latest sign-ins, how one signs in, and signing out everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from starlette.responses import Response

from hub.context import CHANGE_SIGN_IN, ENROL, SIGN_IN, Hub
from hub.errors import HubError, InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.message import msg
from hub.people.model import Factor
from hub.people.sign_in import (
    change_password,
    live_sessions,
    move_authenticator,
    recovery_left,
    renew_recovery_codes,
    sign_out_everywhere,
)
from hub.people.totp import address_for_apps, fresh_secret, in_groups
from hub.web.enrolment import TOO_MANY, qr_code
from hub.web.history import Happened, read
from hub.web.visit import Visit, Visited

MOST_SHOWN = 30
_KINDS = (
    *(EventKind.PERSON_SIGNED_IN, EventKind.PERSON_SIGNED_OUT, EventKind.SIGN_IN_ENROLLED, EventKind.SIGN_IN_CHANGED),
    *(EventKind.SIGN_IN_RESET, EventKind.SIGN_IN_HANDED_OVER, EventKind.ACTION_REFUSED),
)

router = APIRouter()


@router.get("/account")
def account(visit: Visited) -> Response:
    """Where the reader is signed in and how they sign in."""
    return _page(visit)


@router.post("/account/sign-out")
def sign_out(visit: Visited) -> Response:
    """End everything the reader has open, here and elsewhere."""
    sign_out_everywhere(visit.hub, visit.actor)
    return RedirectResponse(visit.portal.login.logout_address, status_code=303)


@router.post("/account/password")
def password(visit: Visited) -> Response:
    """Another password; everything open ends, and the reader signs in anew."""
    form = visit.form
    try:
        _require_local(visit)
        if form.secret("new") != form.secret("repeat"):
            raise InvalidInput(_DIFFERENT)
        with _guesses_counted(visit):
            change_password(
                visit.hub,
                visit.actor,
                password=form.secret("password"),
                code=form.secret("code"),
                new=form.secret("new"),
            )
    except HubError as error:
        return _page(visit, error)
    return RedirectResponse(visit.portal.login.logout_address, status_code=303)


@router.post("/account/recovery")
def recovery(visit: Visited) -> Response:
    """Ten new recovery codes, shown this once."""
    form = visit.form
    try:
        _require_local(visit)
        with _guesses_counted(visit):
            codes = renew_recovery_codes(
                visit.hub, visit.actor, password=form.secret("password"), code=form.secret("code")
            )
    except HubError as error:
        return _page(visit, error)
    return _codes_page(visit, codes)


@router.get("/account/authenticator")
def authenticator(visit: Visited) -> Response:
    """A new secret for another telephone."""
    _require_local(visit)
    visit.session.offered_secret = fresh_secret()
    return _authenticator_page(visit)


@router.post("/account/authenticator")
def move(visit: Visited) -> Response:
    """Let codes come from the new secret, once a code shows that the telephone has it."""
    form = visit.form
    try:
        _require_local(visit)
        with _guesses_counted(visit):
            codes = move_authenticator(
                visit.hub,
                visit.actor,
                password=form.secret("password"),
                code=form.secret("code"),
                secret=visit.session.offered_secret,
                new_code=form.secret("new_code"),
            )
    except HubError as error:
        return _authenticator_page(visit, error)
    visit.session.offered_secret = ""
    return _codes_page(visit, codes)


def sign_ins_of(hub: Hub, person_id: str) -> Sequence[Happened]:
    """What the ledger says of a person's sign-ins and how they sign in, newest first, refused ones too."""
    query = select(LedgerEntry).where(
        LedgerEntry.kind.in_([kind.value for kind in _KINDS]),
        LedgerEntry.body.contains(f'"object_id":{json.dumps(person_id)}', autoescape=True),
    )
    with hub.reading() as session:
        events = [read(entry) for entry in session.scalars(query.order_by(LedgerEntry.seq.desc()).limit(200))]
    own = (SIGN_IN, ENROL, CHANGE_SIGN_IN)
    return [
        event
        for event in events
        if event.object_id == person_id
        and (event.kind is not EventKind.ACTION_REFUSED or event.details.get("verb") in own)
    ][:MOST_SHOWN]


def _page(visit: Visit, error: HubError | None = None) -> Response:
    return visit.page(
        "web/account.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        sessions=live_sessions(visit.hub, visit.person.id),
        here_is=visit.session.hub_session,
        recovery=recovery_left(visit.hub, visit.person.id),
        signs_in_here=visit.hub.settings.signs_in_here,
        factor=Factor,
        sign_ins=sign_ins_of(visit.hub, visit.person.id),
    )


def _authenticator_page(visit: Visit, error: HubError | None = None) -> Response:
    secret = visit.session.offered_secret
    if not secret:
        raise NotFound(unknown("authenticator"))
    return visit.page(
        "web/account_authenticator.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        picture=qr_code(address_for_apps(secret, visit.person.id, "Zhakou")),
        groups=in_groups(secret),
    )


def _codes_page(visit: Visit, codes: Sequence[str]) -> Response:
    return visit.page("web/recovery_codes.html", codes=codes, refusals=(), onward=visit.portal.path("account"))


@contextmanager
def _guesses_counted(visit: Visit) -> Iterator[None]:
    """Count wrong passwords and codes here as at the door: whoever stole a session cannot guess on without end.

    Raises:
        NotAllowed: Too many of late.
    """
    attempts, name = visit.portal.attempts, f"{visit.person.id} signed in"  # strangers at the door are counted apart
    if attempts.must_wait(name):
        raise NotAllowed(TOO_MANY)
    try:
        yield
    except NotAllowed as error:
        if any(refusal.rule == "sign_in.again" for refusal in error.refusals):
            attempts.failed(name)
        raise
    attempts.succeeded(name)


def _require_local(visit: Visit) -> None:
    """On a site that signs in elsewhere passwords and authenticators are changed there."""
    if not visit.hub.settings.signs_in_here:
        raise NotFound(unknown("account"))


_DIFFERENT = Refusal(
    rule="password.repeat",
    subject="",
    text=msg("The two passwords differ."),
    next_step=msg("Type the same password twice."),
)
