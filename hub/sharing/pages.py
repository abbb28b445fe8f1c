"""Pages of consents: what was asked of whom, and the providing department's answer."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hub.catalog.actions import find_table
from hub.errors import HubError
from hub.message import msg
from hub.people.rules import Verb
from hub.sharing.actions import decide_consent, find_consent, list_consents, withdraw_consent
from hub.sharing.model import CONSENT_MOVES, ConsentStatus, ProviderConsent
from hub.sharing.rules import refusals_to_answer
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/consents")
def listing(visit: Visited) -> Response:
    """Consents the reader may see."""
    return visit.page("sharing/list.html", consents=list_consents(visit.hub, visit.actor))


@router.get("/consents/{consent_id}")
def detail(visit: Visited, consent_id: str) -> Response:
    """One consent."""
    return _page(visit, find_consent(visit.hub, visit.actor, consent_id))


@router.post("/consents/{consent_id}/answer")
def answer(visit: Visited, consent_id: str) -> Response:
    """Give, refuse or withdraw it, with a written reason."""
    consent = find_consent(visit.hub, visit.actor, consent_id)
    try:
        to = visit.form.one_of("decision", ConsentStatus)
        reason = visit.form.optional("reason")
        if to is ConsentStatus.WITHDRAWN:
            withdraw_consent(visit.hub, visit.actor, consent_id=consent_id, reason=reason)
        else:
            give = to is ConsentStatus.GIVEN
            decide_consent(visit.hub, visit.actor, consent_id=consent_id, give=give, reason=reason)
    except HubError as error:
        return _page(visit, consent, error)
    return visit.redirect("consents", consent_id, notice=msg("The decision is entered."))


def _page(visit: Visit, consent: ProviderConsent, error: HubError | None = None) -> Response:
    ways = [to for to in ConsentStatus if to in CONSENT_MOVES[consent.status]]
    withdrawing = consent.status is ConsentStatus.GIVEN
    return visit.page(
        "sharing/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        consent=consent,
        table=find_table(visit.hub, visit.actor, consent.table_id),
        decisions=[(to.value, to) for to in ways],
        answer_refusals=refusals_to_answer(
            actor=visit.actor,
            verb=Verb.WITHDRAW_CONSENT if withdrawing else Verb.DECIDE_CONSENT,
            consent_id=consent.id,
            provider_org=consent.provider_org,
            status=consent.status,
            to=ways[0] if ways else consent.status,
            reason="-",
        ),
        events=history(visit.hub, visit.actor, consent.id),
    )
