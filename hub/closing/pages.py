"""Pages of the end of a licence: what can be closed, the closing itself, the final report, the certificate."""

from __future__ import annotations

from collections import Counter
from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from hub.closing.actions import (
    certificate_bundle,
    close_licence,
    discard_evidence,
    facts_of,
    find_certificate,
    find_closing,
    told,
)
from hub.closing.model import DestroyedKind
from hub.closing.retention import Record, kept_until, refusals_to_discard
from hub.closing.rules import has_ended, refusals_to_close
from hub.errors import HubError, NotFound, Refusal
from hub.extracts.actions import list_extracts
from hub.gate.actions import list_requests
from hub.gate.model import ExportRequest
from hub.licensing.actions import list_licences
from hub.message import msg
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import bundle_path, find_release, public_keys
from hub.register.actions import list_products, metered_until, usage_of
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/closing")
def listing(visit: Visited) -> Response:
    """Licences that have ended, and how far their closing is."""
    now = visit.hub.clock()
    found = [find_closing(visit.hub, visit.actor, one.id) for one in list_licences(visit.hub, visit.actor)]
    return visit.page(
        "closing/list.html",
        ended=[
            (licence, closing)
            for licence, closing, _certificate in found
            if closing is not None or has_ended(licence.status, licence.ends_at, now)
        ],
    )


@router.get("/closing/{licence_id}")
def report(visit: Visited, licence_id: str) -> Response:
    """The final report of a licence, and the form that closes it."""
    return _report(visit, licence_id)


@router.post("/closing/{licence_id}/seal")
def seal(visit: Visited, licence_id: str) -> Response:
    """Close a licence for good."""
    try:
        close_licence(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            typed=visit.form.optional("typed"),
            reason=visit.form.optional("reason"),
            usage_gap=visit.form.optional("usage_gap"),
        )
    except NotFound:
        raise
    except HubError as error:
        return _report(visit, licence_id, error)
    return visit.redirect("closing", licence_id, notice=msg("Licence {licence} is closed.", licence=licence_id))


@router.get("/closing/{licence_id}/certificate")
def certificate(visit: Visited, licence_id: str) -> Response:
    """The signed certificate of destruction, as a bundle that verifies offline."""
    found = find_certificate(visit.hub, visit.actor, licence_id)
    return Response(
        certificate_bundle(visit.hub, found),
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="{licence_id}-destruction.zip"'},
    )


@router.post("/closing/{licence_id}/discard")
def discard(visit: Visited, licence_id: str) -> Response:
    """Delete a released package of a closed licence after its time of keeping."""
    request_id = visit.form.text("request")
    try:
        discard_evidence(visit.hub, visit.actor, request_id=request_id)
    except NotFound:
        raise
    except HubError as error:
        return _report(visit, licence_id, error)
    return visit.redirect("closing", licence_id, notice=msg("The package of {request} is deleted.", request=request_id))


def _report(visit: Visit, licence_id: str, error: HubError | None = None) -> Response:
    licence, closing, certificate = find_closing(visit.hub, visit.actor, licence_id)
    with visit.hub.reading() as session:
        facts = facts_of(session, licence, now=visit.hub.clock())
    against = refusals_to_close(facts, visit.actor, typed=licence_id, reason="-", now=visit.hub.clock(), usage_gap="-")
    requests = [one for one in list_requests(visit.hub, visit.actor) if one.licence_id == licence_id]
    products = [one for one in list_products(visit.hub, visit.actor) if one.licence_id == licence_id]
    return visit.page(
        "closing/report.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        closing=closing,
        destroyed=[(told(item) if visit.actor.is_outside else item) for item in closing.items] if closing else (),
        certificate=certificate,
        kinds={kind.value: kind for kind in DestroyedKind},
        against=against,
        may_close=certificate is None and not refusals_to_act(visit.actor, Verb.CLOSE_LICENCE),
        extracts=len(list_extracts(visit.hub, visit.actor, licence_id=licence_id)),
        requests=sorted(Counter(one.status for one in requests).items()),
        products=[(product, usage_of(product), metered_until(product)) for product in products],
        unmetered=facts.unmetered,
        kept=_kept(visit, requests) if certificate else (),
        may_discard=not refusals_to_act(visit.actor, Verb.DISCARD_EVIDENCE),
        release_key=public_keys(visit.hub)["release"].hex(),
        events=history(visit.hub, visit.actor, licence_id),
    )


def _kept(visit: Visit, requests: list[ExportRequest]) -> list[tuple[ExportRequest, date, bool, tuple[Refusal, ...]]]:
    """Released packages: until when each is kept, whether it is still there, and what stands against deleting it."""
    now = visit.hub.clock()
    pack, today = pack_in_force(now), district_day(now)
    found = []
    for request in requests:
        release = find_release(visit.hub, visit.actor, request.id)
        if release is None:
            continue
        made = district_day(release.delivered_at)
        against = refusals_to_discard(
            Record.RELEASE, subject=request.id, actor=visit.actor, made=made, today=today, pack=pack
        )
        until = kept_until(Record.RELEASE, made, pack=pack)
        found.append((request, until, bundle_path(visit.hub, request.id).is_file(), against))
    return found
