"""Pages of the extracts: the ladder of a licence, requests for its rungs, builds, manifests and reports."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import FileResponse
from starlette.responses import Response

from hub.catalog.actions import find_table
from hub.errors import HubError, NotFound, unknown
from hub.extracts.actions import (
    find_extract,
    list_extracts,
    report_path,
    revoke_extract,
    run_extract,
    start_extract,
)
from hub.extracts.ladder import ladder_of
from hub.extracts.model import Extract, ExtractDecisionKind, ExtractRequest, ExtractRequestStatus, ExtractStatus
from hub.extracts.requests import (
    decide_extract,
    facts_of,
    find_extract_request,
    list_extract_requests,
    request_extract,
    withdraw_extract_request,
)
from hub.extracts.rules import is_by_rule, refusals_to_decide, refusals_to_withdraw, seat_of
from hub.licensing.actions import find_licence, list_licences, refusals_to_work
from hub.licensing.model import ExtractLevel, Licence
from hub.message import msg
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb, refusals_to_act
from hub.web.guards import REPORT_POLICY
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/extracts")
def listing(visit: Visited) -> Response:
    """The ladders the reader may see, requests that wait, and every extract that was built."""
    now = visit.hub.clock()
    licences = list_licences(visit.hub, visit.actor)
    return visit.page(
        "extracts/list.html",
        extracts=list_extracts(visit.hub, visit.actor),
        requests=list_extract_requests(visit.hub, visit.actor),
        ladders=[
            (licence, ladder_of(visit.hub, visit.actor, licence), refusals_to_work(licence, visit.actor, now))
            for licence in licences
        ],
    )


@router.get("/extracts/licences/{licence_id}")
def ladder(visit: Visited, licence_id: str) -> Response:
    """The ladder of one licence, with the forms that ask for its rungs."""
    return _ladder_page(visit, find_licence(visit.hub, visit.actor, licence_id))


@router.post("/extracts/requests")
def request(visit: Visited, background: BackgroundTasks) -> Response:
    """Ask for a rung. What the licence grants by rule is built by the platform at once, after the answer."""
    form = visit.form
    licence = find_licence(visit.hub, visit.actor, form.text("licence"))
    try:
        asked = request_extract(
            visit.hub,
            visit.actor,
            licence_id=licence.id,
            table_id=form.text("table"),
            level=form.one_of("level", ExtractLevel),
            purpose=form.optional("purpose"),
        )
        if not is_by_rule(asked.level):
            notice = msg("Request {request} is filed; it waits for approval.", request=asked.id)
            return visit.redirect("extracts/requests", asked.id, notice=notice)
        return _build(visit, background, asked.id, by=SYSTEM)
    except HubError as error:
        return _ladder_page(visit, licence, error)


@router.get("/extracts/requests/{request_id}")
def request_detail(visit: Visited, request_id: str) -> Response:
    """One request: what is asked for, who decided what, what came of it."""
    return _request_page(visit, find_extract_request(visit.hub, visit.actor, request_id))


@router.post("/extracts/requests/{request_id}/decide")
def decide(visit: Visited, request_id: str) -> Response:
    """Enter the decision of the reader's seat on the digest that the page showed."""
    asked = find_extract_request(visit.hub, visit.actor, request_id)
    try:
        decide_extract(
            visit.hub,
            visit.actor,
            request_id=request_id,
            digest=visit.form.text("digest"),
            approve=visit.form.one_of("decision", ExtractDecisionKind) is ExtractDecisionKind.APPROVE,
            reason=visit.form.optional("reason"),
        )
    except HubError as error:
        return _request_page(visit, asked, error)
    return visit.redirect("extracts/requests", request_id, notice=msg("Your decision is entered; it stands."))


@router.post("/extracts/requests/{request_id}/withdraw")
def withdraw(visit: Visited, request_id: str) -> Response:
    """The applicant takes a request back."""
    withdraw_extract_request(visit.hub, visit.actor, request_id=request_id)
    notice = msg("Request {request} is withdrawn.", request=request_id)
    return visit.redirect("extracts/requests", request_id, notice=notice)


@router.post("/extracts/requests/{request_id}/build")
def build(visit: Visited, request_id: str, background: BackgroundTasks) -> Response:
    """Begin the build of an approved rung; the work goes on after the answer, the page follows it."""
    asked = find_extract_request(visit.hub, visit.actor, request_id)
    try:
        return _build(visit, background, request_id, by=visit.actor)
    except HubError as error:
        return _request_page(visit, asked, error)


def _build(visit: Visit, background: BackgroundTasks, request_id: str, *, by: Actor) -> Response:
    extract = start_extract(visit.hub, by, request_id=request_id)
    background.add_task(run_extract, visit.hub, by, extract_id=extract.id)
    answer = visit.redirect("extracts", extract.id, notice=msg("Extract {extract} is being built.", extract=extract.id))
    answer.background = background
    return answer


@router.get("/extracts/{extract_id}")
def detail(visit: Visited, extract_id: str) -> Response:
    """One extract: what was done to each column, risk before and after."""
    return _extract_page(visit, find_extract(visit.hub, visit.actor, extract_id))


@router.post("/extracts/{extract_id}/revoke")
def revoke(visit: Visited, extract_id: str) -> Response:
    """The data's department takes an extract out of use."""
    extract = find_extract(visit.hub, visit.actor, extract_id)
    try:
        revoke_extract(visit.hub, visit.actor, extract_id=extract_id, reason=visit.form.optional("reason"))
    except HubError as error:
        return _extract_page(visit, extract, error)
    return visit.redirect("extracts", extract_id, notice=msg("Extract {extract} is out of use.", extract=extract_id))


@router.get("/extracts/{extract_id}/report")
def report(visit: Visited, extract_id: str) -> Response:
    """The report a data officer reads, without scripts, in a frame of the page."""
    extract = find_extract(visit.hub, visit.actor, extract_id)
    if not may_read_report(extract, visit.actor):
        raise NotFound(unknown(extract_id))
    return FileResponse(
        report_path(visit.hub, extract),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": REPORT_POLICY},
    )


def may_read_report(extract: Extract, actor: Actor) -> bool:
    """The government side reads reports; an operator reads the manifest on the page."""
    return extract.status is ExtractStatus.ISSUED and not actor.is_outside


def _ladder_page(visit: Visit, licence: Licence, error: HubError | None = None) -> Response:
    return visit.page(
        "extracts/ladder.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        licence=licence,
        against=refusals_to_work(licence, visit.actor, visit.hub.clock()),
        tables={row.table_id: find_table(visit.hub, visit.actor, row.table_id) for row in licence.tables},
        ladder=ladder_of(visit.hub, visit.actor, licence),
        ask_refusals=refusals_to_act(visit.actor, Verb.REQUEST_EXTRACT),
        events=history(visit.hub, visit.actor, *(one.id for one in _of(visit, licence))),
    )


def _of(visit: Visit, licence: Licence) -> list[ExtractRequest]:
    return list_extract_requests(visit.hub, visit.actor, licence_id=licence.id)


def _request_page(visit: Visit, asked: ExtractRequest, error: HubError | None = None) -> Response:
    with visit.hub.reading() as session:
        facts = facts_of(session, asked)
    licence = find_licence(visit.hub, visit.actor, asked.licence_id)
    against = refusals_to_work(licence, visit.actor, visit.hub.clock())
    decides = refusals_to_decide(facts, visit.actor, digest=asked.digest, reason="-" * 99)
    return visit.page(
        "extracts/request.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        asked=asked,
        licence=licence,
        table=find_table(visit.hub, visit.actor, asked.table_id),
        rung=_rung_of(visit, licence, asked),
        extracts=[
            one for one in list_extracts(visit.hub, visit.actor, licence_id=licence.id) if one.request_id == asked.id
        ],
        has_seat=seat_of(facts, visit.actor) is not None and asked.status is ExtractRequestStatus.REQUESTED,
        decide_refusals=(*visit.lapses, *decides, *against),
        decisions=[(kind.value, kind) for kind in ExtractDecisionKind],
        withdraw_refusals=refusals_to_withdraw(facts, visit.actor),
        may_build=not refusals_to_act(visit.actor, Verb.BUILD_EXTRACT),
        is_approved=asked.status is ExtractRequestStatus.APPROVED,
        against=against,
        events=history(visit.hub, visit.actor, asked.id),
    )


def _rung_of(visit: Visit, licence: Licence, asked: ExtractRequest) -> object:
    for table in ladder_of(visit.hub, visit.actor, licence):
        for rung in table.rungs:
            if (table.table_id, rung.level) == (asked.table_id, asked.level):
                return rung
    raise NotFound(unknown(asked.id))


def _extract_page(visit: Visit, extract: Extract, error: HubError | None = None) -> Response:
    table = find_table(visit.hub, visit.actor, extract.table_id)
    return visit.page(
        "extracts/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        extract=extract,
        table=table,
        manifest=extract.manifest,
        is_building=extract.status is ExtractStatus.BUILDING,
        is_issued=extract.status is ExtractStatus.ISSUED,
        may_revoke=not refusals_to_act(visit.actor, Verb.REVOKE_EXTRACT) and visit.actor.org_id == table.owner_org,
        refusal=extract.refusal_zh if visit.language.code == "zh" else extract.refusal_en,
        may_read_report=may_read_report(extract, visit.actor),
        events=history(visit.hub, visit.actor, extract.id),
    )
