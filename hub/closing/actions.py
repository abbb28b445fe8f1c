"""Close a licence for good.

Order: (1) the rules are asked, what is there is measured, extracts and workspaces are marked destroyed, unused grants
are revoked and registrations cancelled, the events are committed: from then on nothing of it can be mounted, submitted
or fetched; (2) folders, the frozen files of what was never released, and the pseudonym key are destroyed; (3) that
nothing remains is looked at, the certificate is signed, the licence has exited, and the event is committed. A crash
between the steps leaves a closing that is begun; closing again goes on from there and destroys what is left.

Kept as evidence, and said so in the certificate with the day until which: released packages, and the ledger. What was
refused or withdrawn is destroyed: it may hold what must not exist (that is why it was refused), and its digest,
findings and votes stay in the ledger. Source: 数据安全法 第四十条, nothing stays with whoever was entrusted.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hub.closing.disk import destroy, measure
from hub.closing.model import ClosingStatus, DestroyedKind, DestructionCertificate, LicenceClosing
from hub.closing.retention import Record, kept_until, refusals_to_discard
from hub.closing.rules import ClosingFacts, refusals_of_remains, refusals_to_close
from hub.context import Hub, Transaction
from hub.errors import ChecksFailed, InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.model import EXTRACT_MOVES, Extract, ExtractStatus
from hub.gate.actions import stored
from hub.gate.model import REQUEST_MOVES, ExportRequest, RequestStatus
from hub.ledger.actions import prove
from hub.ledger.events import EventKind
from hub.licensing.actions import find_licence, visible_licence
from hub.licensing.model import Licence, LicenceStatus
from hub.message import msg
from hub.noisy.actions import answers_in_use
from hub.noisy.model import AnswerStatus
from hub.people.actor import Actor
from hub.people.rules import Verb
from hub.products.actions import bundle_path, public_keys, revoke_grants
from hub.products.bundle import bundle_bytes
from hub.products.model import Release
from hub.products.statement import DESTRUCTION_TYPE, STATEMENT_TYPE, seal
from hub.register.actions import cancel_with_licence, metered_until
from hub.register.model import DataProduct
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.runs.model import RUN_MOVES, RunOrder, RunStatus
from hub.wording import refusals_of_words
from hub.workspaces.actions import workspace_dir
from hub.workspaces.model import Workspace, WorkspaceStatus

VERIFY = """# Verify this certificate / 验证本销毁证明

    zhakou verify certificate.zip
    zhakou verify certificate.zip --keys keys.json
    zhakou verify certificate.zip --against FOLDER

The first form proves that the certificate is whole, was signed by the key inside it and stands in the ledger; compare
the keys' fingerprints with those that the data bureau published, or give them with `--keys`. The last form says
whether a folder found elsewhere, in a backup for instance, is one of the things that were certified as destroyed.

第一种形式证明本证明完整、由包内公钥对应的私钥签名并已记入存证账本；请与区数据局公布的公钥指纹比对，或以 `--keys` 给出。
最后一种形式判断在他处（例如备份中）发现的文件夹是否为已证明销毁之物。
"""
_FOLDER = re.compile(r"[ewy]-[0-9]{4,}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def close_licence(
    hub: Hub, actor: Actor, *, licence_id: str, typed: str, reason: str, usage_gap: str = ""
) -> DestructionCertificate:
    """Destroy everything that a licence that has ended left behind, and certify it.

    Args:
        typed: The licence's id, typed by the officer to confirm.
        usage_gap: Why the use of its products is not metered to the end, if it is not.

    Raises:
        NotAllowed: The licence can still be used, something is open under it, or it was not confirmed.
        ChecksFailed: Something could not be destroyed; no certificate is issued.
    """
    with hub.transaction(actor, Verb.CLOSE_LICENCE, licence_id) as tx:  # 1
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[typed], texts=[reason, usage_gap]), InvalidInput)
        facts = facts_of(tx.session, licence, now=tx.now)
        tx.refuse(
            refusals_to_close(facts, actor, typed=typed, reason=reason, now=tx.now, usage_gap=usage_gap), NotAllowed
        )
        closing = tx.session.get(LicenceClosing, licence_id)
        if closing is None:
            closing = _begin(hub, tx, licence, reason, usage_gap)
    _destroy(hub, closing)  # 2
    with hub.transaction(actor, Verb.CLOSE_LICENCE, licence_id) as tx:  # 3
        issued = tx.session.get(DestructionCertificate, licence_id)
        if issued is not None:
            return issued  # another officer closed it in the same moment
        tx.refuse(refusals_of_remains(licence_id, remaining=_remaining(hub, closing)), ChecksFailed)
        return _certify(hub, tx, tx.session.get_one(LicenceClosing, licence_id))


def certificate_bundle(hub: Hub, certificate: DestructionCertificate) -> bytes:
    """The certificate with all that is needed to verify it offline, as a zip."""
    with hub.reading() as session:
        inclusion = prove(session, certificate.entry)
    return bundle_bytes(
        files=(),
        envelope=certificate.envelope.encode("utf-8"),
        inclusion=inclusion,
        keys=public_keys(hub),
        verify=VERIFY,
    )


def discard_evidence(hub: Hub, actor: Actor, *, request_id: str) -> None:
    """Delete a released package, its bundle and its frozen files, once its time of keeping is over.

    Raises:
        NotFound: There is no such release under a closed licence that the actor may see.
        NotAllowed: Its time of keeping is not over.
    """
    with hub.transaction(actor, Verb.DISCARD_EVIDENCE, request_id) as tx:
        request, release = tx.session.get(ExportRequest, request_id), tx.session.get(Release, request_id)
        if request is None or release is None:
            raise NotFound(unknown(request_id))
        visible_licence(tx.session, request.licence_id, actor)
        if tx.session.get(DestructionCertificate, request.licence_id) is None:
            raise NotFound(unknown(request_id))
        pack, today = pack_in_force(tx.now), district_day(tx.now)
        made = district_day(release.delivered_at)
        tx.refuse(
            refusals_to_discard(Record.RELEASE, subject=request_id, actor=actor, made=made, today=today, pack=pack),
            NotAllowed,
        )
        tx.record(
            EventKind.EVIDENCE_DISCARDED,
            "export_request",
            request_id,
            digest=release.digest,
            licence_id=request.licence_id,
            details={"kept_until": str(kept_until(Record.RELEASE, made, pack=pack))},
        )
        shas = _own_contents(tx.session, request)
    bundle_path(hub, request_id).unlink(missing_ok=True)
    for sha256 in shas:
        stored(hub, sha256).unlink(missing_ok=True)


def facts_of(session: Session, licence: Licence, *, now: datetime) -> ClosingFacts:
    """The licence as the rules of closing see it."""
    last = district_day(min(licence.ends_at, now) - timedelta(microseconds=1))
    products = session.scalars(select(DataProduct).where(DataProduct.licence_id == licence.id))
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
        open_runs=count(
            select(func.count(RunOrder.id)).where(
                RunOrder.licence_id == licence.id, RunOrder.status.in_([one for one in RunStatus if RUN_MOVES[one]])
            )
        ),
        is_sealed=closing is not None and closing.status is ClosingStatus.SEALED,
        unmetered=()
        if closing
        else tuple(sorted(one.id for one in products if (metered_until(one) or date.min) < last)),
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


def _begin(hub: Hub, tx: Transaction, licence: Licence, reason: str, usage_gap: str) -> LicenceClosing:
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
    answers = answers_in_use(tx.session, licence.id)
    items += [_item(hub, DestroyedKind.ANSWER, one.id) for one in answers]
    items += [_item(hub, DestroyedKind.WORKSPACE, one.id) for one in workspaces]
    items.append(_key(hub, licence.id))
    items += [_package(hub, tx.session, one) for one in _unreleased(tx.session, licence.id)]
    items += _runs(hub, tx.session, licence.id)
    products = list(
        tx.session.scalars(select(DataProduct).where(DataProduct.licence_id == licence.id).order_by(DataProduct.id))
    )
    ended = {
        "metered": [{"product": one.id, "until": str(metered_until(one) or "")} for one in products],
        "usage_gap": usage_gap.strip(),
        "grants_revoked": revoke_grants(tx, licence.id),
        "registrations_cancelled": cancel_with_licence(tx, licence.id),
    }
    for extract in extracts:
        extract.status = ExtractStatus.DESTROYED
    for answer in answers:
        answer.status = AnswerStatus.DESTROYED
    for workspace in workspaces:
        workspace.status = WorkspaceStatus.DESTROYED
    closing = LicenceClosing(
        licence_id=licence.id,
        status=ClosingStatus.BEGUN,
        reason=reason.strip(),
        items=items,
        ended=ended,
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


def _unreleased(session: Session, licence_id: str) -> list[ExportRequest]:
    released = select(Release.request_id)
    found = session.scalars(
        select(ExportRequest).where(ExportRequest.licence_id == licence_id, ExportRequest.id.not_in(released))
    )
    return sorted(found, key=lambda request: request.id)


def _own_contents(session: Session, request: ExportRequest) -> list[str]:
    """The frozen files of a request that nothing kept refers to as well: files are stored by digest."""
    mine = {file.sha256 for file in request.files}
    others = session.scalars(select(ExportRequest).where(ExportRequest.id != request.id))
    kept: set[str] = set()
    for other in others:
        if session.get(Release, other.id) is not None or other.licence_id != request.licence_id:
            kept |= {file.sha256 for file in other.files}
    return sorted(mine - kept)


def _package(hub: Hub, session: Session, request: ExportRequest) -> dict[str, Any]:
    contents = _own_contents(session, request)
    paths = [stored(hub, sha256) for sha256 in contents]
    return {
        "kind": DestroyedKind.PACKAGE.value,
        "id": request.id,
        "files": len(contents),
        "bytes": sum(path.stat().st_size for path in paths if path.is_file()),
        "sha256": request.digest,
        "contents": contents,
        **({"salt": secrets.token_hex(16)} if request.run_id else {}),
    }


def told(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a certificate says of one thing that was destroyed; certificates go to the operator.

    What a sealed run put out was never released to its operator: a digest would let them try guesses, a size or a
    number of files would tell what the code saw. Of these a salted digest is told; the bureau keeps salt and digest.
    """
    if "salt" not in item:
        return dict(item)
    salted = hashlib.sha256(f"{item['salt']} {item['sha256']}".encode()).hexdigest()
    return {"kind": item["kind"], "id": item["id"], "sha256": salted, "is_salted": True}


def _runs(hub: Hub, session: Session, licence_id: str) -> list[dict[str, Any]]:
    """The frozen notebooks of sealed runs that nothing released came of; the others are part of the evidence."""
    kept, gone = set(), []
    for run in session.scalars(select(RunOrder).order_by(RunOrder.id)):
        released = run.request_id is not None and session.get(Release, run.request_id) is not None
        if released or run.licence_id != licence_id:
            kept.add(run.notebook_sha256)
        else:
            gone.append(run)
    items = []
    for run in gone:
        contents = [run.notebook_sha256] if run.notebook_sha256 not in kept else []
        sizes = [path.stat().st_size for sha256 in contents if (path := stored(hub, sha256)).is_file()]
        items.append(
            {
                "kind": DestroyedKind.RUN.value,
                "id": run.id,
                "files": len(contents),
                "bytes": sum(sizes),
                "sha256": run.digest,
                "contents": contents,
            }
        )
    return items


def _destroy(hub: Hub, closing: LicenceClosing) -> None:
    """Destroy everything of the closing; what cannot be removed is found by `_remaining`."""
    hub.keys.destroy_pseudonym_key(closing.licence_id)
    for root in _folders(hub, closing):
        try:
            destroy(root)
        except OSError:
            continue  # it still stands there, and `_remaining` counts it: no certificate
    for path in _contents(hub, closing):
        try:
            path.unlink(missing_ok=True)
        except OSError:
            continue  # likewise


def _remaining(hub: Hub, closing: LicenceClosing) -> int:
    gone = [*_folders(hub, closing), *_contents(hub, closing)]
    left = sum(1 for path in gone if path.is_symlink() or path.exists())
    return left + (1 if hub.keys.pseudonym_key_print(closing.licence_id) else 0)


def _folders(hub: Hub, closing: LicenceClosing) -> list[Path]:
    kinds = (DestroyedKind.EXTRACT.value, DestroyedKind.ANSWER.value, DestroyedKind.WORKSPACE.value)
    return [_folder(hub, DestroyedKind(item["kind"]), item["id"]) for item in closing.items if item["kind"] in kinds]


def _contents(hub: Hub, closing: LicenceClosing) -> list[Path]:
    """Where the frozen files of packages lie. Only a digest leads anywhere."""
    found = [sha256 for item in closing.items for sha256 in item.get("contents", ())]
    return [stored(hub, sha256) for sha256 in found if _DIGEST.fullmatch(sha256)]


def _folder(hub: Hub, kind: DestroyedKind, thing: str) -> Path:
    """Where a thing lies. Only a running id leads anywhere: a meddled row must not lead to another folder."""
    if not _FOLDER.fullmatch(thing):
        raise NotFound(unknown(thing))
    match kind:
        case DestroyedKind.EXTRACT:
            return hub.folders.extracts / thing
        case DestroyedKind.ANSWER:
            return hub.folders.answers / thing
        case _:
            return workspace_dir(hub, thing)


def _certify(hub: Hub, tx: Transaction, closing: LicenceClosing) -> DestructionCertificate:
    licence = tx.session.get_one(Licence, closing.licence_id)
    requests = select(ExportRequest.id).where(ExportRequest.licence_id == licence.id)
    pack = pack_in_force(tx.now)
    releases = tx.session.scalars(select(Release).where(Release.request_id.in_(requests)).order_by(Release.request_id))
    kept = [
        {
            "request": one.request_id,
            "digest": one.digest,
            "until": str(kept_until(Record.RELEASE, district_day(one.delivered_at), pack=pack)),
        }
        for one in releases
    ]
    items = [told(item) for item in closing.items]
    statement = {
        "_type": STATEMENT_TYPE,
        "predicateType": DESTRUCTION_TYPE,
        "subject": [{"name": f"{item['kind']}/{item['id']}", "digest": {"sha256": item["sha256"]}} for item in items],
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
            "items": items,
            "ended": closing.ended,
            "method": "folders and files unlinked; pseudonym key overwritten once and unlinked",
            "kept": kept,
        },
    }
    envelope = seal(statement, hub.keys.release())
    digest = hashlib.sha256(envelope).hexdigest()
    closing.status = ClosingStatus.SEALED
    licence.status = LicenceStatus.EXITED
    entry = tx.record(
        EventKind.LICENCE_CLOSED,
        "licence",
        licence.id,
        digest=digest,
        licence_id=licence.id,
        decision=licence.status,
        counters={"items": len(closing.items), "kept": len(kept)},
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
