"""A request as its rows tell it and as the ledger tells it: before bytes leave, both must be the same.

Whoever can write the database can put a vote into it, take an objection out or move a licence's end; what they cannot
do without the ledger's key is write the event that belongs to it. Each row that decides about a release is held
against the event of the action that made it. The caller has verified the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import Refusal
from hub.gate.model import EvidencePart, ExportRequest
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.licensing.agreements import agreement_digest
from hub.licensing.model import Licence, LicenceStatus
from hub.message import msg

Said = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What decides about a release, from one source. Each part is texts in a fixed order; empty: it never happened."""

    submission: Said = ()
    """Digest, author, author's organisation, licence, extracts, departments, how it was made."""
    check: Said = ()
    """Digest, verdict, rule pack."""
    votes: tuple[Said, ...] = ()
    """Reviewer, organisation, seat, decision, digest; sorted."""
    licence: Said = ()
    """Operator, start, end, number of reviewers, digest of the agreement, status."""


def of_rows(request: ExportRequest, licence: Licence) -> Evidence:
    """As the database has it now."""
    check = request.check
    return Evidence(
        submission=(
            request.digest,
            request.author_id,
            request.author_org,
            request.licence_id,
            " ".join(request.extract_ids),
            " ".join(request.provider_orgs),
            said_of_origin(request),
        ),
        check=(check.digest, check.verdict, check.pack) if check else (),
        votes=tuple(
            sorted(
                (vote.person_id, vote.org_id, str(vote.seat), str(vote.decision), vote.digest) for vote in request.votes
            )
        ),
        licence=(
            licence.operator_org,
            licence.starts_at.isoformat(),
            licence.ends_at.isoformat(),
            str(licence.reviewers_required),
            agreement_digest(licence),
            str(licence.status),
        ),
    )


def said_of_origin(request: ExportRequest) -> str:
    """How a request says it was made, as one canonical text for the event of its submission."""
    return canonical(
        {
            "made_up": request.made_up,
            "made_up_tables": request.made_up_tables,
            "run": request.run_id,
            "provenance": request.provenance,
            "prechecked_by": request.prechecked_by,
        }
    ).decode("utf-8")


def of_ledger(session: Session, *, request_id: str, licence_id: str) -> Evidence:
    """As the events say it happened."""
    submission: Said = ()
    check: Said = ()
    votes: list[Said] = []
    terms: Said = ()
    status: str = LicenceStatus.ACTIVE
    for event in _events(session, request_id, licence_id):
        details = event["details"]
        match event["kind"]:
            case EventKind.EXPORT_SUBMITTED:
                submission = (
                    *(event["object_digest"], details["author"], details["author_org"], event["licence_id"]),
                    *(details["extracts"], details["providers"], details["made"]),
                )
            case EventKind.EXPORT_CHECKED:
                check = (event["object_digest"], event["decision"], details["pack"])
            case EventKind.VOTE_CAST:
                votes.append(
                    (event["actor"], event["actor_org"], details["seat"], event["decision"], event["object_digest"])
                )
            case EventKind.LICENCE_GRANTED:
                reviewers = str(event["counters"]["reviewers"])
                terms = (details["operator"], details["starts"], details["ends"], reviewers, event["object_digest"])
            case EventKind.LICENCE_SUSPENDED | EventKind.LICENCE_RESUMED | EventKind.LICENCE_TERMINATED:
                status = event["decision"]
    return Evidence(
        submission=submission, check=check, votes=tuple(sorted(votes)), licence=(*terms, status) if terms else ()
    )


def refusals_of_evidence(request_id: str, rows: Evidence, written: Evidence) -> tuple[Refusal, ...]:
    """Everything against releasing what the database says by what the ledger says."""
    parts = [part.value for part in EvidencePart if getattr(rows, part) != getattr(written, part)]
    if not parts and written.submission and written.check and written.votes and written.licence:
        return ()
    return (
        Refusal(
            rule="release.evidence",
            subject=request_id,
            text=msg(
                "What the database says of request {request} is not what the ledger says happened: {parts}.",
                request=request_id,
                parts=", ".join(parts) or "-",
            ),
            next_step=msg("Nothing can be released on it. Tell the auditor; keep the state as it is."),
            basis="DOMAIN §0.7, 上海市数据条例 第七十八条",
        ),
    )


def _events(session: Session, *ids: str) -> Sequence[dict[str, Any]]:
    """The events about these things, oldest first."""
    found: list[dict[str, Any]] = []
    for object_id in ids:
        query = select(LedgerEntry.body).where(LedgerEntry.body.contains(f'"object_id":"{object_id}"', autoescape=True))
        found.extend(json.loads(body) for body in session.scalars(query.order_by(LedgerEntry.seq)))
    return [event for event in found if event["object_id"] in ids]
