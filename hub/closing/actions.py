"""Close a licence for good.

Order: (1) the rules are asked, what is there is measured, extracts and workspaces are marked destroyed, the event is
committed: from then on nothing of it can be mounted or submitted; (2) folders and the pseudonym key are destroyed;
(3) that nothing remains is looked at, the certificate is signed and committed with its event. A crash between the
steps leaves a closing that is begun; closing again goes on from there and destroys what is left.

Kept as evidence, and said so in the certificate: the frozen files of requests, the released bundles, and the ledger.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.closing.disk import destroy, measure
from hub.closing.model import ClosingStatus, DestroyedKind, DestructionCertificate, LicenceClosing
from hub.closing.rules import ClosingFacts, refusals_of_remains, refusals_to_close
from hub.context import Hub, Transaction
from hub.errors import ChecksFailed, InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.model import EXTRACT_MOVES, Extract, ExtractStatus
from hub.gate.model import REQUEST_MOVES, ExportRequest, RequestStatus
from hub.ledger.events import EventKind
from hub.licensing.actions import find_licence, visible_licence
from hub.licensing.model import Licence
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb
from hub.products.model import Release
from hub.products.statement import STATEMENT_TYPE, seal
from hub.wording import refusals_of_words
from hub.workspaces.actions import workspace_dir
from hub.workspaces.model import Workspace, WorkspaceStatus

PREDICATE_TYPE = "https://zhakou.example/destruction/v1"
_FOLDER = re.compile(r"[ew]-[0-9]{4,}")


def close_licence(hub: Hub, actor: Actor, *, licence_id: str, typed: str, reason: str) -> DestructionCertificate:
    """Destroy everything that a licence that has ended left behind, and certify it.

    Args:
        typed: The licence's id, typed by the officer to confirm.

    Raises:
        NotAllowed: The licence can still be used, something is open under it, or it was not confirmed.
        ChecksFailed: Something could not be destroyed; no certificate is issued.
    """
    with hub.transaction(actor, Verb.CLOSE_LICENCE, licence_id) as tx:  # 1
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[typed], texts=[reason]), InvalidInput)
        tx.refuse(
            refusals_to_close(facts_of(tx.session, licence), actor, typed=typed, reason=reason, now=tx.now),
            NotAllowed,
        )
        closing = tx.session.get(LicenceClosing, licence_id)
        if closing is None:
            closing = _begin(hub, tx, licence, reason)
    _destroy(hub, closing)  # 2
    with hub.transaction(actor, Verb.CLOSE_LICENCE, licence_id) as tx:  # 3
        issued = tx.session.get(DestructionCertificate, licence_id)
        if issued is not None:
            return issued  # another officer closed it in the same moment
        tx.refuse(refusals_of_remains(licence_id, remaining=_remaining(hub, closing)), ChecksFailed)
        return _certify(hub, tx, tx.session.get_one(LicenceClosing, licence_id))


def facts_of(session: Session, licence: Licence) -> ClosingFacts:
    """The licence as the rules of closing see it."""
    open_states = [status for status in RequestStatus if REQUEST_MOVES[status]]
    closing = session.get(LicenceClosing, licence.id)

    def count(query: Any) -> int:
        return int(session.scalar(query) or 0)

    return ClosingFacts(
        licence_id=licence.id,
        status=licence.status,
        ends_at=licence.ends_at,
        open_requests=count(
            select(func.count(ExportRequest.id)).where(
                ExportRequest.licence_id == licence.id, ExportRequest.status.in_(open_states)
            )
        ),
        open_workspaces=count(
            select(func.count(Workspace.id)).where(
                Workspace.licence_id == licence.id, Workspace.status == WorkspaceStatus.OPEN
            )
        ),
        building=count(
            select(func.count(Extract.id)).where(
                Extract.licence_id == licence.id, Extract.status == ExtractStatus.BUILDING
            )
        ),
        is_sealed=closing is not None and closing.status is ClosingStatus.SEALED,
    )


def find_closing(
    hub: Hub, actor: Actor, licence_id: str
) -> tuple[Licence, LicenceClosing | None, DestructionCertificate | None]:
    """A licence that the actor may see, with its closing and certificate, if there are any."""
    licence = find_licence(hub, actor, licence_id)
    with hub.reading() as session:
        return licence, session.get(LicenceClosing, licence_id), session.get(DestructionCertificate, licence_id)


def find_certificate(hub: Hub, actor: Actor, licence_id: str) -> DestructionCertificate:
    """The certificate of a closed licence that the actor may see.

    Raises:
        NotFound: There is none, or none for this actor.
    """
    certificate = find_closing(hub, actor, licence_id)[2]
    if certificate is None:
        raise NotFound(unknown(licence_id))
    return certificate


def _begin(hub: Hub, tx: Transaction, licence: Licence, reason: str) -> LicenceClosing:
    extracts = list(
        tx.session.scalars(
            select(Extract)
            .where(
                Extract.licence_id == licence.id,
                Extract.status.in_(
                    [status for status in ExtractStatus if ExtractStatus.DESTROYED in EXTRACT_MOVES[status]]
                ),
            )
            .order_by(Extract.id)
        )
    )
    workspaces = list(
        tx.session.scalars(select(Workspace).where(Workspace.licence_id == licence.id).order_by(Workspace.id))
    )
    items = [_item(hub, DestroyedKind.EXTRACT, one.id, issued=one.digest) for one in extracts]
    items += [_item(hub, DestroyedKind.WORKSPACE, one.id) for one in workspaces]
    items.append(_key(hub, licence.id))
    for extract in extracts:
        extract.status = ExtractStatus.DESTROYED
    for workspace in workspaces:
        workspace.status = WorkspaceStatus.DESTROYED
    closing = LicenceClosing(
        licence_id=licence.id,
        status=ClosingStatus.BEGUN,
        reason=reason.strip(),
        items=items,
        begun_by=tx.actor.person_id,
        begun_at=tx.now,
    )
    tx.session.add(closing)
    tx.session.flush()
    tx.record(
        EventKind.CLOSING_BEGUN,
        "licence",
        licence.id,
        licence_id=licence.id,
        counters={"extracts": len(extracts), "workspaces": len(workspaces)},
    )
    return closing


def _item(hub: Hub, kind: DestroyedKind, thing: str, *, issued: str = "") -> dict[str, Any]:
    try:
        tree = measure(_folder(hub, kind, thing))
    except OSError as error:
        raise InvalidState(
            Refusal(
                rule="closing.unreadable",
                subject=thing,
                text=msg("What lies in the folder of {thing} cannot be read, so it cannot be certified.", thing=thing),
                next_step=msg("Nothing was destroyed. Look at the rights of the state folder, then try again."),
            )
        ) from error
    item = {"kind": kind.value, "id": thing, "files": tree.files, "bytes": tree.size, "sha256": tree.sha256}
    return {**item, "issued": issued} if issued else item


def _key(hub: Hub, licence_id: str) -> dict[str, Any]:
    print_ = hub.keys.pseudonym_key_print(licence_id)
    size = 32 if print_ else 0
    return {
        "kind": DestroyedKind.KEY.value,
        "id": licence_id,
        "files": 1 if print_ else 0,
        "bytes": size,
        "sha256": print_ or hashlib.sha256().hexdigest(),
    }


def _destroy(hub: Hub, closing: LicenceClosing) -> None:
    """Destroy everything of the closing; what cannot be removed is found by `_remaining`."""
    hub.keys.destroy_pseudonym_key(closing.licence_id)
    for root in _folders(hub, closing):
        try:
            destroy(root)
        except OSError:
            continue  # it still stands there, and `_remaining` counts it: no certificate


def _remaining(hub: Hub, closing: LicenceClosing) -> int:
    left = sum(1 for root in _folders(hub, closing) if root.is_symlink() or root.exists())
    return left + (1 if hub.keys.pseudonym_key_print(closing.licence_id) else 0)


def _folders(hub: Hub, closing: LicenceClosing) -> list[Path]:
    kinds = (DestroyedKind.EXTRACT.value, DestroyedKind.WORKSPACE.value)
    return [_folder(hub, DestroyedKind(item["kind"]), item["id"]) for item in closing.items if item["kind"] in kinds]


def _folder(hub: Hub, kind: DestroyedKind, thing: str) -> Path:
    """Where a thing lies. Only a running id leads anywhere: a meddled row must not lead to another folder."""
    if not _FOLDER.fullmatch(thing):
        raise NotFound(unknown(thing))
    return hub.folders.extracts / thing if kind is DestroyedKind.EXTRACT else workspace_dir(hub, thing)


def _certify(hub: Hub, tx: Transaction, closing: LicenceClosing) -> DestructionCertificate:
    licence = tx.session.get_one(Licence, closing.licence_id)
    requests = select(ExportRequest.id).where(ExportRequest.licence_id == licence.id)
    kept = {
        "requests": len(list(tx.session.scalars(requests))),
        "releases": len(list(tx.session.scalars(select(Release.request_id).where(Release.request_id.in_(requests))))),
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "predicateType": PREDICATE_TYPE,
        "subject": [
            {"name": f"{item['kind']}/{item['id']}", "digest": {"sha256": item["sha256"]}} for item in closing.items
        ],
        "predicate": {
            "licence": {
                "id": licence.id,
                "operator": licence.operator_org,
                "document": licence.document_ref,
                "ends": licence.ends_at.isoformat(),
            },
            "reason": closing.reason,
            "begun": {"by": closing.begun_by, "at": closing.begun_at.isoformat()},
            "destroyed": {"by": tx.actor.person_id, "at": tx.now.isoformat()},
            "items": closing.items,
            "method": "folders unlinked; pseudonym key overwritten once and unlinked",
            "kept": kept,
        },
    }
    envelope = seal(statement, hub.keys.release())
    digest = hashlib.sha256(envelope).hexdigest()
    closing.status = ClosingStatus.SEALED
    entry = tx.record(
        EventKind.LICENCE_CLOSED,
        "licence",
        licence.id,
        digest=digest,
        licence_id=licence.id,
        counters={"items": len(closing.items), **kept},
    )
    certificate = DestructionCertificate(
        licence_id=licence.id,
        envelope=envelope.decode("utf-8"),
        digest=digest,
        issued_by=tx.actor.person_id,
        issued_at=tx.now,
        entry=entry.seq,
    )
    tx.session.add(certificate)
    return certificate
