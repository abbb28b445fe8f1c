"""Deliver a release, grant one download, hand out the bundle.

Order of a delivery: (1) licence, votes, checks and bytes are asked again, and the rows that say so are held against
the verified ledger; (2) the event is committed, with the grant; (3) only then the bundle is written. A crash between
(2) and (3) loses nothing: the bundle is made from what is committed, whenever it is first needed.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import Hub, Transaction
from hub.errors import ChecksFailed, NotAllowed, NotFound, unknown
from hub.extracts.model import Extract
from hub.gate.actions import facts_of, find_request, refusals_of_approval, refusals_of_bytes, stored, visible_request
from hub.gate.evidence import of_ledger, of_rows, refusals_of_evidence
from hub.gate.model import ExportRequest, RequestStatus
from hub.gate.preview import whole
from hub.gate.rules import refusals_to_deliver
from hub.ledger.actions import prove, require_holding
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, usable_licence
from hub.licensing.model import Licence
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.model import Person
from hub.people.rules import Verb, refusals_to_act
from hub.products.bundle import write_bundle
from hub.products.model import DownloadGrant, Release
from hub.products.rules import GrantFacts, refusals_of_bundle, refusals_to_receive, refusals_to_redeem
from hub.products.statement import PREDICATE_TYPE, STATEMENT_TYPE, seal
from hub.products.verify import verify_bundle
from hub.rulebook.packs import pack_in_force
from hub.rulebook.parameters import Parameter


def deliver_release(hub: Hub, actor: Actor, *, request_id: str, recipient_id: str) -> Release:
    """Release an approved request to a named person of the operator.

    Raises:
        NotAllowed: Votes, checks, roles or the licence stand against it, at the time of asking.
        ChecksFailed: A frozen file is not the one that was reviewed, or the ledger does not hold or tells it otherwise.
    """
    with hub.transaction(actor, Verb.DELIVER_RELEASE, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        standing = (*refusals_to_deliver(facts_of(tx.session, request), actor), *refusals_of_approval(request, tx.now))
        tx.refuse(standing, NotAllowed)
        licence = usable_licence(tx.session, request.licence_id, tx.now)
        _refuse_without_evidence(hub, tx, request, licence)
        tx.refuse(refusals_of_bytes(hub, request), ChecksFailed)
        recipient = _recipient(tx.session, recipient_id)
        tx.refuse(
            refusals_to_receive(recipient=recipient, operator_org=licence.operator_org, request_id=request_id),
            NotAllowed,
        )
        request.status, request.closed_at = RequestStatus.RELEASED, tx.now
        entry = tx.record(
            EventKind.RELEASE_DELIVERED,
            "export_request",
            request_id,
            digest=request.digest,
            licence_id=licence.id,
            decision="released",
            counters={"files": len(request.files), "votes": len(request.votes)},
            details={"recipient": recipient_id, "pack": request.check.pack if request.check else ""},
        )
        release = Release(
            request_id=request_id,
            digest=request.digest,
            delivered_by=actor.person_id,
            delivered_at=tx.now,
            entry=entry.seq,
        )
        tx.session.add(release)
        tx.session.flush()
        _grant(hub, tx, request_id=request_id, recipient_id=recipient_id, licence_id=licence.id)
    ensure_bundle(hub, request_id)
    return release


def issue_grant(hub: Hub, actor: Actor, *, request_id: str, recipient_id: str) -> DownloadGrant:
    """Issue a further one-time grant on a released request."""
    with hub.transaction(actor, Verb.DELIVER_RELEASE, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        tx.refuse(refusals_to_act(actor, Verb.DELIVER_RELEASE), NotAllowed)
        if tx.session.get(Release, request_id) is None:
            raise NotFound(unknown(request_id))
        licence = usable_licence(tx.session, request.licence_id, tx.now)
        recipient = _recipient(tx.session, recipient_id)
        tx.refuse(
            refusals_to_receive(recipient=recipient, operator_org=licence.operator_org, request_id=request_id),
            NotAllowed,
        )
        return _grant(hub, tx, request_id=request_id, recipient_id=recipient_id, licence_id=licence.id)


def redeem_grant(hub: Hub, actor: Actor, *, request_id: str) -> Path:
    """Use the actor's grant on a release: the event is committed, then the path of the bundle is given out, once.

    Raises:
        NotAllowed: Not released, no grant in this person's name, used or expired, or the licence is not usable now.
        NotFound: The actor may not see the request.
        ChecksFailed: A frozen file or the bundle is not the one that was released.
    """
    bundle = bundle_path(hub, request_id)
    with hub.transaction(actor, Verb.REDEEM_GRANT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        release = tx.session.get(Release, request_id)
        grant = _newest_grant(tx.session, request_id, actor.person_id)
        facts = None
        if grant is not None:
            facts = GrantFacts(
                id=grant.id,
                recipient_id=grant.recipient_id,
                expires_at=grant.expires_at,
                redeemed_at=grant.redeemed_at,
                revoked_at=grant.revoked_at,
            )
        tx.refuse(
            refusals_to_redeem(
                actor=actor, request_id=request_id, released=release is not None, grant=facts, now=tx.now
            ),
            NotAllowed,
        )
        usable_licence(tx.session, request.licence_id, tx.now)
        tx.refuse(refusals_of_bytes(hub, request), ChecksFailed)
        if grant is None:
            raise NotFound(unknown(request_id))
        ensure_bundle(hub, request_id)
        genuine = _is_bundle_of(bundle, request, keys=public_keys(hub))
        tx.refuse(refusals_of_bundle(request_id, genuine=genuine), ChecksFailed)
        grant.redeemed_at = tx.now
        tx.record(
            EventKind.GRANT_REDEEMED,
            "download_grant",
            grant.id,
            digest=request.digest,
            licence_id=request.licence_id,
            counters={"bytes": bundle.stat().st_size},
            details={"request": request_id},
        )
    return bundle


def revoke_grants(tx: Transaction, licence_id: str) -> int:
    """Revoke every unused download grant on releases of a licence that is closed; gives how many there were."""
    unused = tx.session.scalars(
        select(DownloadGrant)
        .join(ExportRequest, ExportRequest.id == DownloadGrant.request_id)
        .where(
            ExportRequest.licence_id == licence_id,
            DownloadGrant.redeemed_at.is_(None),
            DownloadGrant.revoked_at.is_(None),
        )
        .order_by(DownloadGrant.id)
    ).all()
    for grant in unused:
        grant.revoked_at = tx.now
        tx.record(
            EventKind.GRANT_REVOKED,
            "download_grant",
            grant.id,
            licence_id=licence_id,
            details={"request": grant.request_id, "cause": "licence.closed"},
        )
    return len(unused)


def grants_of(hub: Hub, actor: Actor, request_id: str) -> list[DownloadGrant]:
    """The grants on a release, newest first, if the actor may see the request."""
    find_request(hub, actor, request_id)
    with hub.reading() as session:
        query = select(DownloadGrant).where(DownloadGrant.request_id == request_id)
        return list(session.scalars(query.order_by(*newest_first(DownloadGrant.id))))


def find_release(hub: Hub, actor: Actor, request_id: str) -> Release | None:
    """The release of a request that the actor may see, if it was released."""
    find_request(hub, actor, request_id)
    with hub.reading() as session:
        return session.get(Release, request_id)


def bundle_path(hub: Hub, request_id: str) -> Path:
    """Where the bundle of a released request lies."""
    return hub.folders.releases / request_id / "bundle.zip"


def public_keys(hub: Hub) -> dict[str, bytes]:
    """The raw public keys that a receiver needs."""
    return {
        "release": hub.keys.release().public_key().public_bytes_raw(),
        "ledger": hub.ledger_key.public_key().public_bytes_raw(),
    }


def ensure_bundle(hub: Hub, request_id: str) -> None:
    """Make the bundle of a delivered request from what is committed, if it is not there.

    Raises:
        ChecksFailed: A frozen file is not the one that was released; nothing is written.
    """
    path = bundle_path(hub, request_id)
    if path.is_file():
        return
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with hub.reading() as session:
        release = session.get_one(Release, request_id)
        request = session.get_one(ExportRequest, request_id)
        statement = _statement(session, request, release)
        inclusion = prove(session, release.entry)
    files = [(file.name, whole(stored(hub, file.sha256), sha256=file.sha256)) for file in request.files]
    found = [(name, content) for name, content in files if content is not None]
    if len(found) < len(files):
        raise ChecksFailed(*refusals_of_bytes(hub, request))
    write_bundle(
        path,
        files=found,
        envelope=seal(statement, hub.keys.release()),
        inclusion=inclusion,
        keys=public_keys(hub),
    )


def _is_bundle_of(path: Path, request: ExportRequest, *, keys: dict[str, bytes]) -> bool:
    """Whether the file at `path` verifies as the release of this request, signed with our keys."""
    if path.is_symlink():
        return False
    found = verify_bundle(path, trusted=keys)
    said = found.statement["predicate"].get("request", {}) if found.holds and found.statement else {}
    return said.get("id") == request.id and said.get("digest") == request.digest


def _statement(session: Session, request: ExportRequest, release: Release) -> dict[str, Any]:
    licence: Licence = licence_in(session, request.licence_id)
    extracts = [session.get_one(Extract, extract_id) for extract_id in request.extract_ids]
    check = request.check
    return {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [{"name": file.name, "digest": {"sha256": file.sha256}} for file in request.files],
        "predicate": {
            "request": {
                "id": request.id,
                "digest": request.digest,
                "title": request.title,
                "reason": request.reason,
                "form": request.product_form.value,
            },
            "licence": {
                "id": licence.id,
                "operator": licence.operator_org,
                "purpose": licence.purpose,
                "document": licence.document_ref,
                "starts": licence.starts_at.isoformat(),
                "ends": licence.ends_at.isoformat(),
            },
            "extracts": [
                {
                    "id": extract.id,
                    "table": extract.table_id,
                    "level": extract.level.value,
                    "sha256": extract.digest,
                    "source": extract.source_digest,
                    "policy": extract.policy_digest,
                    "k": extract.k,
                }
                for extract in extracts
            ],
            "made": {"facts": not request.made_up, "sealed_run": dict(request.provenance)},
            "check": {
                "verdict": check.verdict if check else "",
                "pack": check.pack if check else "",
                "codes": sorted({str(finding["code"]) for finding in check.report["findings"]}) if check else [],
            },
            "votes": [
                {
                    "reviewer": vote.person_id,
                    "organisation": vote.org_id,
                    "seat": vote.seat.value,
                    "decision": vote.decision.value,
                    "digest": vote.digest,
                    "cast": vote.cast_at.isoformat(),
                }
                for vote in request.votes
            ],
            "released": {"by": release.delivered_by, "at": release.delivered_at.isoformat()},
        },
    }


def _refuse_without_evidence(hub: Hub, tx: Transaction, request: ExportRequest, licence: Licence) -> None:
    """Hold what the database says of the request and its licence against what the ledger says happened."""
    kept = hub.checkpoint_file
    require_holding(
        tx.session,
        public=hub.ledger_key.public_key().public_bytes_raw(),
        outside=[kept.read_text(encoding="utf-8")] if kept.exists() else [],
    )
    written = of_ledger(tx.session, request_id=request.id, licence_id=licence.id)
    tx.refuse(refusals_of_evidence(request.id, of_rows(request, licence), written), ChecksFailed)


def _recipient(session: Session, recipient_id: str) -> Actor:
    person = session.get(Person, recipient_id)
    if person is None or not person.active:
        raise NotFound(unknown(recipient_id))
    return person.actor


def _grant(hub: Hub, tx: Transaction, *, request_id: str, recipient_id: str, licence_id: str) -> DownloadGrant:
    pack = pack_in_force(tx.now)
    hours = min(hub.settings.grant_hours, pack.count(Parameter.GRANT_HOURS))  # a site may be stricter, never laxer
    grant = DownloadGrant(
        id=next_id(tx.session, "g"),
        request_id=request_id,
        recipient_id=recipient_id,
        expires_at=tx.now + timedelta(hours=hours),
    )
    tx.session.add(grant)
    tx.session.flush()
    tx.record(
        EventKind.GRANT_ISSUED,
        "download_grant",
        grant.id,
        licence_id=licence_id,
        details={
            "request": request_id,
            "recipient": recipient_id,
            "expires": grant.expires_at.isoformat(),
            "rules": pack.label,
        },
    )
    return grant


def _newest_grant(session: Session, request_id: str, person_id: str) -> DownloadGrant | None:
    """The person's own newest grant; else another person's, so that the refusal can say whose it is not."""
    order = newest_first(DownloadGrant.id)
    grants = select(DownloadGrant).where(DownloadGrant.request_id == request_id).order_by(*order)
    own = session.scalar(grants.where(DownloadGrant.recipient_id == person_id).limit(1))
    return own or session.scalar(grants.limit(1))
