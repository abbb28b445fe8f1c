"""Pages of the gate: requests, their frozen files, the machine's report, votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError, NotFound, unknown
from hub.gate.actions import (
    cast_vote,
    facts_of,
    find_request,
    is_veiled,
    list_requests,
    look_at_files,
    may_preview,
    refusals_of_approval,
    refusals_of_bytes,
    stored,
    vote_refusals,
    withdraw_export,
)
from hub.gate.findings import arrange
from hub.gate.model import Decision, ExportRequest, RequestStatus, Seat
from hub.gate.preview import PNG, preview, whole
from hub.gate.rules import refusals_of_votes, refusals_to_deliver, refusals_to_withdraw, seats_of
from hub.licensing.actions import licence_in, terms_of
from hub.licensing.rules import refusals_to_use
from hub.message import Message, msg
from hub.people.actions import people_of
from hub.people.actor import Role
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import find_release
from hub.web.history import Happened, history
from hub.web.visit import Visit, Visited

router = APIRouter()

VERDICTS: Mapping[str, tuple[Message, str]] = {
    "pass": (msg("passed"), "good"),
    "flag": (msg("passed with notes for the reviewers"), "wait"),
    "block": (msg("blocked"), "bad"),
}
LEVELS: Mapping[str, tuple[Message, str]] = {
    "block": (msg("blocks"), "bad"),
    "flag": (msg("for the reviewers"), "wait"),
    "note": (msg("note"), "calm"),
}
STAGES: tuple[Message, ...] = (
    msg("Submitted and frozen"),
    msg("Machine check"),
    msg("Human review"),
    msg("Approved"),
    msg("Released"),
)
_REACHED: Mapping[RequestStatus, tuple[int, bool]] = {
    RequestStatus.CHECKING: (1, False),
    RequestStatus.MACHINE_REFUSED: (1, True),
    RequestStatus.IN_REVIEW: (2, False),
    RequestStatus.REFUSED: (2, True),
    RequestStatus.APPROVED: (4, False),
    RequestStatus.EXPIRED: (4, True),
    RequestStatus.RELEASED: (5, False),
}
"""Which stage a request is in (0 the first), and whether it was stopped there."""


@router.get("/requests")
def listing(visit: Visited) -> Response:
    """Requests the reader may see; those that wait for the reader first."""
    requests = list_requests(visit.hub, visit.actor)
    mine = {one.id for one in requests if not vote_refusals(visit.hub, visit.actor, one)}
    return visit.page(
        "gate/list.html",
        waiting=[one for one in requests if one.id in mine],
        others=[one for one in requests if one.id not in mine],
        submit_refusals=refusals_to_act(visit.actor, Verb.SUBMIT_EXPORT),
        veiled=lambda request: is_veiled(request, visit.actor),
    )


@router.get("/requests/{request_id}")
def detail(visit: Visited, request_id: str) -> Response:
    """One request with everything a reviewer decides on."""
    return _page(visit, find_request(visit.hub, visit.actor, request_id))


@router.post("/requests/{request_id}/votes")
def vote(visit: Visited, request_id: str) -> Response:
    """Vote on the digest that the page showed."""
    request = find_request(visit.hub, visit.actor, request_id)
    form = visit.form
    try:
        seat = form.one_of("seat", Seat) if form.optional("seat") else None
        cast_vote(
            visit.hub,
            visit.actor,
            request_id=request_id,
            digest=form.text("digest"),
            decision=form.one_of("decision", Decision),
            reason=form.optional("reason"),
            seat=seat,
        )
    except HubError as error:
        return _page(visit, request, error)
    return visit.redirect("requests", request_id, notice=msg("Your vote is entered; it stands."))


@router.post("/requests/{request_id}/withdraw")
def withdraw(visit: Visited, request_id: str) -> Response:
    """The author takes a request back."""
    find_request(visit.hub, visit.actor, request_id)
    withdraw_export(visit.hub, visit.actor, request_id=request_id)
    return visit.redirect("requests", request_id, notice=msg("Request {request} is withdrawn.", request=request_id))


@router.get("/requests/{request_id}/files/{position}/picture")
def picture(visit: Visited, request_id: str, position: int) -> Response:
    """A frozen picture, for those who may look at contents."""
    request = find_request(visit.hub, visit.actor, request_id)
    file = next((one for one in request.files if one.position == position), None)
    if file is None or visit.lapses:
        raise NotFound(unknown(request_id))
    look_at_files(visit.hub, visit.actor, request_id=request_id)
    content = whole(stored(visit.hub, file.sha256), sha256=file.sha256)
    if content is None or not content.startswith(PNG):
        raise NotFound(unknown(request_id))
    headers = {"content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'"}
    return Response(content, media_type="image/png", headers=headers)


def _page(visit: Visit, request: ExportRequest, error: HubError | None = None) -> Response:
    hub, actor = visit.hub, visit.actor
    with hub.reading() as session:
        facts = facts_of(session, request)
        licence = licence_in(session, request.licence_id)
    licence_refusals = refusals_to_use(terms_of(licence), hub.clock())
    bytes_refusals = refusals_of_bytes(hub, request)
    previews = []
    if may_preview(request, actor) and not visit.lapses:
        look_at_files(hub, actor, request_id=request.id)
        previews = [
            preview(stored(hub, file.sha256), name=file.name, position=file.position, sha256=file.sha256)
            for file in request.files
        ]
    reached, stopped = _reached(request)
    seats = [seat for seat in Seat if seat in seats_of(actor, facts.provider_orgs)]
    return visit.page(
        "gate/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        request=request,
        veiled=is_veiled(request, actor),
        codes=_codes(request) if is_veiled(request, actor) else (),
        licence=licence,
        stages=STAGES,
        reached=reached,
        stopped=stopped,
        is_author=actor.person_id == request.author_id,
        in_review=request.status is RequestStatus.IN_REVIEW,
        report=_report(request),
        verdicts=VERDICTS,
        levels=LEVELS,
        previews=previews,
        votes_missing=refusals_of_votes(facts) if request.status is RequestStatus.IN_REVIEW else (),
        bytes_refusals=bytes_refusals,
        vote_refusals=(*vote_refusals(hub, actor, request), *licence_refusals, *bytes_refusals),
        seats=[(seat.value, seat) for seat in seats],
        decisions=[(decision.value, decision) for decision in Decision],
        withdraw_refusals=refusals_to_withdraw(facts, actor),
        deliver_refusals=(
            *refusals_to_deliver(facts, actor),
            *refusals_of_approval(request, hub.clock()),
            *licence_refusals,
            *bytes_refusals,
        ),
        may_deliver=actor.has(Role.RELEASE_OFFICER) and request.status is RequestStatus.APPROVED,
        recipients=_recipients(visit, licence.operator_org),
        release=find_release(hub, actor, request.id),
        events=_events(visit, request),
    )


def _codes(request: ExportRequest) -> tuple[str, ...]:
    """All that the analyst of a sealed run learns from the machine checks before its release: codes, each once."""
    if request.check is None:
        return ()
    return tuple(
        sorted({finding["code"] for finding in request.check.report["findings"] if finding["level"] != "note"})
    )


def _events(visit: Visit, request: ExportRequest) -> list[Happened]:
    events = history(visit.hub, visit.actor, request.id)
    if not is_veiled(request, visit.actor):
        return events
    return [replace(event, object_digest="", reason_codes=(), counters={}, details={}) for event in events]


def _reached(request: ExportRequest) -> tuple[int, bool]:
    if request.status is RequestStatus.WITHDRAWN:
        return (2 if request.check else 1), True
    return _REACHED[request.status]


def _recipients(visit: Visit, org_id: str) -> list[tuple[str, str]]:
    people = [one for one in people_of(visit.hub, org_id) if not refusals_to_act(one.actor, Verb.REDEEM_GRANT)]
    return [(one.id, f"{visit.name_of(one)} ({one.id})") for one in people]


def _report(request: ExportRequest) -> Mapping[str, object] | None:
    """The machine's report in both languages; it holds no cell value."""
    if request.check is None:
        return None
    document = request.check.report
    arranged = arrange(document["findings"])
    return {
        "verdict": request.check.verdict,
        "pack": request.check.pack,
        "ran_at": request.check.ran_at,
        "digest": request.check.digest,
        "checks": document["checks_run"],
        "ran": len({rule for check in document["checks_run"] for rule in check["rules"]}),
        "open": arranged.open,
        "folded": arranged.folded,
    }
