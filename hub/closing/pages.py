"""Pages of the end of a licence: what can be closed, the closing itself, the final report, the certificate."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from starlette.responses import Response

from hub.closing.actions import close_licence, facts_of, find_certificate, find_closing
from hub.closing.model import DestroyedKind
from hub.closing.rules import has_ended, refusals_to_close
from hub.errors import HubError, NotFound
from hub.extracts.actions import list_extracts
from hub.gate.actions import list_requests
from hub.licensing.actions import list_licences
from hub.message import msg
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import public_keys
from hub.register.actions import list_products, usage_of
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
        )
    except NotFound:
        raise
    except HubError as error:
        return _report(visit, licence_id, error)
    return visit.redirect("closing", licence_id, notice=msg("Licence {licence} is closed.", licence=licence_id))


@router.get("/closing/{licence_id}/certificate")
def certificate(visit: Visited, licence_id: str) -> Response:
    """The signed certificate of destruction."""
    found = find_certificate(visit.hub, visit.actor, licence_id)
    return Response(
        found.envelope.encode("utf-8"),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{licence_id}-destruction.dsse.json"'},
    )


def _report(visit: Visit, licence_id: str, error: HubError | None = None) -> Response:
    licence, closing, certificate = find_closing(visit.hub, visit.actor, licence_id)
    with visit.hub.reading() as session:
        facts = facts_of(session, licence)
    against = refusals_to_close(facts, visit.actor, typed=licence_id, reason="-", now=visit.hub.clock())
    requests = [one for one in list_requests(visit.hub, visit.actor) if one.licence_id == licence_id]
    products = [one for one in list_products(visit.hub, visit.actor) if one.licence_id == licence_id]
    return visit.page(
        "closing/report.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        closing=closing,
        certificate=certificate,
        kinds={kind.value: kind for kind in DestroyedKind},
        against=against,
        may_close=certificate is None and not refusals_to_act(visit.actor, Verb.CLOSE_LICENCE),
        extracts=len(list_extracts(visit.hub, visit.actor, licence_id=licence_id)),
        requests=sorted(Counter(one.status for one in requests).items()),
        products=[(product, usage_of(product)) for product in products],
        release_key=public_keys(visit.hub)["release"].hex(),
        events=history(visit.hub, visit.actor, licence_id),
    )
