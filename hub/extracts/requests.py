"""Ask for a rung, decide on it, take it back. What the licence grants by rule is granted as it is asked for."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.actions import published_table
from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.extracts.model import (
    Extract,
    ExtractDecision,
    ExtractDecisionKind,
    ExtractRequest,
    ExtractRequestStatus,
    ExtractSeat,
    ExtractStatus,
)
from hub.extracts.rules import (
    SCOPE_BASIS,
    Decided,
    RungRequest,
    is_by_rule,
    lacking,
    refusals_to_decide,
    refusals_to_request,
    refusals_to_withdraw,
    seat_of,
)
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.licensing.actions import (
    licence_in,
    licence_to_work,
    list_licences,
    listed_people,
    may_see,
    usable_licence,
    visible_licence,
)
from hub.licensing.model import ExtractLevel
from hub.licensing.personnel import refusals_of_personnel
from hub.numbering import newest_first, next_id
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb
from hub.wording import refusals_of_words


def request_extract(
    hub: Hub, actor: Actor, *, licence_id: str, table_id: str, level: ExtractLevel, purpose: str = ""
) -> ExtractRequest:
    """Ask for one rung of one table. Metadata and synthetic rows are granted in the same step, by the licence.

    Raises:
        NotFound: There is no such licence or table, or not for this actor.
        NotAllowed: The licence is not usable now, a consent is missing, or a rule of the ladder stands against it.
    """
    with hub.transaction(actor, Verb.REQUEST_EXTRACT, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[purpose]), InvalidInput)
        licence = licence_to_work(tx.session, licence_id, actor, tx.now)
        covered = {row.table_id: row for row in licence.tables}
        table = tx.session.get(CatalogTable, table_id)
        tx.refuse(
            refusals_to_request(
                actor=actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                table_id=table_id,
                level=level,
                allowed={name: [ExtractLevel(one) for one in row.levels] for name, row in covered.items()},
                is_secret=table is not None and table.state_secret,
                is_there=table is not None and is_there(tx.session, licence_id, table, level),
                purpose=purpose,
            ),
            NotAllowed,
        )
        table = published_table(tx.session, table_id)
        request = ExtractRequest(
            id=next_id(tx.session, "q"),
            licence_id=licence_id,
            table_id=table_id,
            level=level,
            purpose=purpose.strip(),
            status=ExtractRequestStatus.REQUESTED,
            source_digest=table.raw_digest,
            policy_digest=covered[table_id].policy_digest,
            digest="",
            requested_by=actor.person_id,
            requested_org=actor.org_id,
            requested_at=tx.now,
            decisions=[],
        )
        request.digest = request_digest(request)
        tx.session.add(request)
        tx.session.flush()
        tx.record(
            EventKind.EXTRACT_REQUESTED,
            "extract_request",
            request.id,
            digest=request.digest,
            licence_id=licence_id,
            details={"table": table_id, "level": level, "source": request.source_digest},
        )
        if is_by_rule(level):
            reason = f"{licence_id}: {licence.document_ref}"
            _enter(tx, request, ExtractSeat.RULE, ExtractDecisionKind.APPROVE, reason, by=SYSTEM)
        return request


def decide_extract(
    hub: Hub, actor: Actor, *, request_id: str, digest: str, approve: bool, reason: str
) -> ExtractRequest:
    """Enter the decision of the actor's seat. One refusal refuses; all seats of the rung approve.

    Raises:
        NotFound: There is no such request, or not for this actor.
        NotAllowed: A rule of the ladder stands against it, or the licence is not usable now.
    """
    with hub.transaction(actor, Verb.DECIDE_EXTRACT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        tx.refuse(refusals_of_words(request_id, texts=[reason]), InvalidInput)
        facts = facts_of(tx.session, request)
        tx.refuse(refusals_to_decide(facts, actor, digest=digest, reason=reason), NotAllowed)
        usable_licence(tx.session, request.licence_id, tx.now)
        seat = seat_of(facts, actor)
        if seat is None:
            raise AssertionError("a decision without a seat was let through")  # refusals_to_decide says extract.seat
        kind = ExtractDecisionKind.APPROVE if approve else ExtractDecisionKind.REFUSE
        _enter(tx, request, seat, kind, reason.strip(), by=actor)
        return request


def withdraw_extract_request(hub: Hub, actor: Actor, *, request_id: str) -> ExtractRequest:
    """Take an undecided request back."""
    with hub.transaction(actor, Verb.REQUEST_EXTRACT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        tx.refuse(refusals_to_withdraw(facts_of(tx.session, request), actor), NotAllowed)
        people = listed_people(licence_in(tx.session, request.licence_id))
        tx.refuse(refusals_of_personnel(request.licence_id, actor.person_id, people), NotAllowed)
        request.status, request.closed_at = ExtractRequestStatus.WITHDRAWN, tx.now
        tx.record(
            EventKind.EXTRACT_DECIDED,
            "extract_request",
            request_id,
            digest=request.digest,
            licence_id=request.licence_id,
            decision=ExtractRequestStatus.WITHDRAWN,
        )
        return request


def _enter(
    tx: Transaction,
    request: ExtractRequest,
    seat: ExtractSeat,
    kind: ExtractDecisionKind,
    reason: str,
    *,
    by: Actor,
) -> None:
    request.decisions.append(
        ExtractDecision(
            seat=seat,
            person_id=by.person_id,
            org_id=by.org_id,
            decision=kind,
            reason=reason,
            digest=request.digest,
            decided_at=tx.now,
        )
    )
    tx.session.flush()
    if kind is ExtractDecisionKind.REFUSE:
        request.status, request.closed_at = ExtractRequestStatus.REFUSED, tx.now
    elif not lacking(facts_of(tx.session, request)):
        request.status, request.closed_at = ExtractRequestStatus.APPROVED, tx.now
    tx.record(
        EventKind.EXTRACT_DECIDED,
        "extract_request",
        request.id,
        digest=request.digest,
        licence_id=request.licence_id,
        decision=kind,
        cited_basis=[SCOPE_BASIS],
        details={
            "seat": seat,
            "level": request.level,
            "reason_digest": hashlib.sha256(reason.encode()).hexdigest(),
            "outcome": request.status,
        },
    )


def request_digest(request: ExtractRequest) -> str:
    """What is decided on: licence, table, rung, purpose, source, policy and who asks."""
    return hashlib.sha256(
        canonical(
            {
                "licence": request.licence_id,
                "table": request.table_id,
                "level": str(request.level),
                "purpose": request.purpose,
                "source": request.source_digest,
                "policy": request.policy_digest,
                "by": request.requested_by,
            }
        )
    ).hexdigest()


def facts_of(session: Session, request: ExtractRequest) -> RungRequest:
    """The request as rules see it."""
    builders = select(Extract.built_by).where(
        Extract.licence_id == request.licence_id, Extract.table_id == request.table_id
    )
    return RungRequest(
        id=request.id,
        level=request.level,
        status=request.status,
        digest=request.digest,
        requested_by=request.requested_by,
        operator_org=licence_in(session, request.licence_id).operator_org,
        owner_org=session.get_one(CatalogTable, request.table_id).owner_org,
        builders=frozenset(session.scalars(builders)) - {SYSTEM.person_id},
        decisions=tuple(
            Decided(
                seat=one.seat,
                person_id=one.person_id,
                approves=one.decision is ExtractDecisionKind.APPROVE,
                digest=one.digest,
            )
            for one in request.decisions
        ),
    )


def list_extract_requests(hub: Hub, actor: Actor, *, licence_id: str | None = None) -> list[ExtractRequest]:
    """Requests of licences that the actor may see, newest first."""
    seen = {licence.id for licence in list_licences(hub, actor)}
    with hub.reading() as session:
        found = session.scalars(select(ExtractRequest).order_by(*newest_first(ExtractRequest.id)))
        return [one for one in found if one.licence_id in seen and licence_id in (None, one.licence_id)]


def find_extract_request(hub: Hub, actor: Actor, request_id: str) -> ExtractRequest:
    """One request, if the actor may see its licence."""
    with hub.reading() as session:
        return visible_request(session, request_id, actor)


def visible_request(session: Session, request_id: str, actor: Actor) -> ExtractRequest:
    """One request, for a transaction of the actor's.

    Raises:
        NotFound: There is none, or the actor may not see it: one answer for both.
    """
    request = session.get(ExtractRequest, request_id)
    if request is None or not may_see(licence_in(session, request.licence_id).operator_org, actor):
        raise NotFound(unknown(request_id))
    return request


def is_there(session: Session, licence_id: str, table: CatalogTable, level: ExtractLevel) -> bool:
    """Whether this rung of the table as it is now waits, is approved and to be built, or is issued."""
    same = select(ExtractRequest).where(
        ExtractRequest.licence_id == licence_id,
        ExtractRequest.table_id == table.id,
        ExtractRequest.level == level,
        ExtractRequest.source_digest == table.raw_digest,
        ExtractRequest.status.in_([ExtractRequestStatus.REQUESTED, ExtractRequestStatus.APPROVED]),
    )
    for request in session.scalars(same):
        ended = select(Extract.status).where(Extract.request_id == request.id)
        statuses = set(session.scalars(ended))
        if not statuses or statuses & {ExtractStatus.BUILDING, ExtractStatus.ISSUED}:
            return True
    return False
