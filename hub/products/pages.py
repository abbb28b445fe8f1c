"""Pages of releases: deliver, grant, download, verify."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.responses import Response

from hub.errors import HubError, NotAllowed, NotFound, Refusal, unknown
from hub.gate.actions import find_request, is_veiled, list_requests
from hub.gate.model import ExportRequest, RequestStatus
from hub.licensing.actions import find_licence, terms_of
from hub.licensing.rules import refusals_to_use
from hub.message import msg
from hub.people.actions import people_of
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import (
    deliver_release,
    find_release,
    grants_of,
    issue_grant,
    public_keys,
    redeem_grant,
)
from hub.products.model import DownloadGrant
from hub.products.rules import GrantFacts, refusals_to_redeem
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/products")
def listing(visit: Visited) -> Response:
    """Released products, and what waits for release."""
    requests = list_requests(visit.hub, visit.actor)
    return visit.page(
        "products/list.html",
        released=[
            (request, find_release(visit.hub, visit.actor, request.id))
            for request in requests
            if request.status is RequestStatus.RELEASED
        ],
        approved=[request for request in requests if request.status is RequestStatus.APPROVED],
        deliver_refusals=refusals_to_act(visit.actor, Verb.DELIVER_RELEASE),
        veiled=lambda request: is_veiled(request, visit.actor),
    )


@router.get("/products/{request_id}")
def detail(visit: Visited, request_id: str) -> Response:
    """One release: what it holds, its grants, how to verify it."""
    return _page(visit, find_request(visit.hub, visit.actor, request_id))


@router.post("/products/{request_id}/deliver")
def deliver(visit: Visited, request_id: str) -> Response:
    """Release an approved request to a named person."""
    find_request(visit.hub, visit.actor, request_id)
    deliver_release(visit.hub, visit.actor, request_id=request_id, recipient_id=visit.form.text("recipient"))
    return visit.redirect("products", request_id, notice=msg("Request {request} is released.", request=request_id))


@router.post("/products/{request_id}/grants")
def grant(visit: Visited, request_id: str) -> Response:
    """Issue a further download grant."""
    request = find_request(visit.hub, visit.actor, request_id)
    try:
        issue_grant(visit.hub, visit.actor, request_id=request_id, recipient_id=visit.form.text("recipient"))
    except HubError as error:
        return _page(visit, request, error)
    return visit.redirect("products", request_id, notice=msg("The download grant is issued."))


@router.get("/products/{request_id}/bundle")
def look_at_bundle(visit: Visited, request_id: str) -> Response:
    """A typed address fetches nothing: it is refused with its reasons, on record, or leads to the release's page."""
    request = find_request(visit.hub, visit.actor, request_id)
    refusals = _redeem_refusals(visit, request)
    if refusals:
        with visit.hub.transaction(visit.actor, Verb.REDEEM_GRANT, request_id) as tx:
            tx.refuse(refusals, NotAllowed)
    return visit.redirect("products", request_id)


@router.post("/products/{request_id}/bundle")
def download(visit: Visited, request_id: str) -> Response:
    """Use the reader's grant: the event is committed, then the bytes go out, once."""
    bundle = redeem_grant(visit.hub, visit.actor, request_id=request_id)
    return FileResponse(bundle, media_type="application/zip", filename=f"{request_id}-bundle.zip")


def _page(visit: Visit, request: ExportRequest, error: HubError | None = None) -> Response:
    release = find_release(visit.hub, visit.actor, request.id)
    if release is None:
        raise NotFound(unknown(request.id))
    licence = find_licence(visit.hub, visit.actor, request.licence_id)
    grants = grants_of(visit.hub, visit.actor, request.id)
    people = people_of(visit.hub, licence.operator_org)
    return visit.page(
        "products/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        request=request,
        release=release,
        grants=grants,
        now=visit.hub.clock(),
        redeem_refusals=_redeem_refusals(visit, request),
        grant_refusals=(
            *refusals_to_act(visit.actor, Verb.DELIVER_RELEASE),
            *refusals_to_use(terms_of(licence), visit.hub.clock()),
        ),
        may_grant=not refusals_to_act(visit.actor, Verb.DELIVER_RELEASE),
        may_receive=not refusals_to_act(visit.actor, Verb.REDEEM_GRANT),
        recipients=[
            (one.id, f"{visit.name_of(one)} ({one.id})")
            for one in people
            if not refusals_to_act(one.actor, Verb.REDEEM_GRANT)
        ],
        keys={name: key.hex() for name, key in public_keys(visit.hub).items()},
        events=history(visit.hub, visit.actor, request.id, *(one.id for one in grants)),
    )


def _redeem_refusals(visit: Visit, request: ExportRequest) -> tuple[Refusal, ...]:
    """What stands against the reader fetching the bundle now, without fetching it."""
    released = find_release(visit.hub, visit.actor, request.id) is not None
    grants = grants_of(visit.hub, visit.actor, request.id)
    own = next((one for one in grants if one.recipient_id == visit.person.id), None)
    now = visit.hub.clock()
    licence = find_licence(visit.hub, visit.actor, request.licence_id)
    return (
        *refusals_to_redeem(
            actor=visit.actor,
            request_id=request.id,
            released=released,
            grant=_facts(own or (grants[0] if grants else None)),
            now=now,
        ),
        *refusals_to_use(terms_of(licence), now),
    )


def _facts(grant: DownloadGrant | None) -> GrantFacts | None:
    if grant is None:
        return None
    return GrantFacts(
        id=grant.id, recipient_id=grant.recipient_id, expires_at=grant.expires_at, redeemed_at=grant.redeemed_at
    )
