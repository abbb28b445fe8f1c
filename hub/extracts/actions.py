"""Build extracts: ask the licence, let the worker run, keep the result with its digests or the reason why not."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from anonymize.table import file_digest
from hub.catalog.actions import published_table
from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, InvalidState, NotAllowed, NotFound, unknown
from hub.extracts.issue import Issue, Joined, issued_manifest, joined_policy, sample_rows
from hub.extracts.model import Extract, ExtractRequest, ExtractStatus
from hub.extracts.requests import facts_of, is_there, request_extract, visible_request
from hub.extracts.rules import LADDER, is_by_rule, refusals_to_build, refusals_to_end, refusals_to_revoke
from hub.extracts.worker import Built, Failed, run_worker
from hub.intake.model import RawFile
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, list_licences, may_see, terms_of, usable_licence
from hub.licensing.joins import pseudonym_domains
from hub.licensing.model import ExtractLevel
from hub.licensing.rules import refusals_to_use
from hub.numbering import newest_first, next_id
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.packs import pack_in_force
from hub.wording import refusals_of_words


def start_extract(hub: Hub, actor: Actor, *, request_id: str) -> Extract:
    """Begin the build of an approved rung: the licence is asked, the job is written down. `run_extract` does the work.

    Raises:
        NotFound: There is no such request, or not for this actor.
        NotAllowed: The licence is not usable now, or a rule of the ladder stands against it.
    """
    with hub.transaction(actor, Verb.BUILD_EXTRACT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        licence = usable_licence(tx.session, request.licence_id, tx.now)
        table = published_table(tx.session, request.table_id)
        policy = {row.table_id: row.policy_digest for row in licence.tables}.get(request.table_id, "")
        building = select(Extract.id).where(
            Extract.licence_id == licence.id,
            Extract.table_id == table.id,
            Extract.level == request.level,
            Extract.status == ExtractStatus.BUILDING,
        )
        tx.refuse(
            refusals_to_build(
                facts_of(tx.session, request),
                actor,
                is_outdated=(table.raw_digest, policy) != (request.source_digest, request.policy_digest),
                is_running=tx.session.scalar(building) is not None,
            ),
            NotAllowed,
        )
        extract = Extract(
            id=next_id(tx.session, "e"),
            request_id=request_id,
            licence_id=licence.id,
            table_id=table.id,
            level=request.level,
            status=ExtractStatus.BUILDING,
            source_digest=request.source_digest,
            policy_digest=request.policy_digest,
            built_by=actor.person_id,
            requested_at=tx.now,
            expires_at=licence.ends_at,
        )
        tx.session.add(extract)
        tx.session.flush()
        tx.record(
            EventKind.EXTRACT_BEGUN,
            "extract",
            extract.id,
            licence_id=licence.id,
            details={
                "request": request_id,
                "table": table.id,
                "level": extract.level,
                "source": extract.source_digest,
                "policy": extract.policy_digest,
            },
        )
        return extract


def run_extract(hub: Hub, actor: Actor, *, extract_id: str) -> Extract:
    """Do the work of a begun extract and write down how it ended. Runs long: not in a request's own thread.

    The licence is asked again when the work is done: what ended meanwhile yields no extract.

    Raises:
        InvalidState: The build has ended already, before or while this one ran; nothing of this one is kept.
    """
    with hub.transaction(actor, Verb.BUILD_EXTRACT, extract_id) as tx:
        job = _extract(tx.session, extract_id)
        tx.refuse(() if actor == SYSTEM else refusals_to_act(actor, Verb.BUILD_EXTRACT), NotAllowed)
        tx.refuse(refusals_to_end(extract_id=extract_id, status=job.status), InvalidState)
        order = _order(tx, job)
    try:
        return _end(hub, actor, job, _built(hub, job, order))
    finally:
        _discard_unless_issued(hub, extract_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a build is made from: the file, the policy with the licence's joins, and what the manifest adds to it."""

    raw: RawFile
    policy: Joined
    title: tuple[str, str]
    most_rows: int | None
    issue: Issue


def _order(tx: Transaction, job: Extract) -> Order:
    raw = tx.session.get_one(RawFile, job.source_digest)
    licence = licence_in(tx.session, job.licence_id)
    policy = {row.table_id: row.policy for row in licence.tables}[job.table_id]
    joined = joined_policy(policy, pseudonym_domains(licence).get(job.table_id, {}))
    request = tx.session.get_one(ExtractRequest, job.request_id)
    pack = pack_in_force(tx.now)
    table = tx.session.get_one(CatalogTable, job.table_id)
    return Order(
        raw=raw,
        policy=joined,
        title=(table.title_zh, table.title_en),
        most_rows=sample_rows(pack, raw.rows, policy) if job.level is ExtractLevel.SAMPLED else None,
        issue=Issue(
            extract=job.id,
            request=request.id,
            licence=licence.id,
            scenario=licence.scenario_id,
            table=job.table_id,
            level=job.level,
            builder=job.built_by,
            approvers={str(one.seat): one.person_id for one in request.decisions},
            expires_at=job.expires_at,
            rules=pack.label,
            domains=joined.domains,
            joins=tuple((left, right) for left, right in licence.joins),
        ),
    )


def _built(hub: Hub, job: Extract, order: Order) -> Built | Failed:
    """Let the worker run, and hold what it made against the digests that were written down."""
    result = run_worker(
        source=raw_path(hub, order.raw),
        policy=order.policy.text,
        key_file=hub.keys.pseudonym_key_file(job.licence_id),
        folder=hub.folders.extracts / job.id,
        level=job.level,
        title=order.title,
        rows=order.most_rows,
    )
    if not isinstance(result, Built):
        return result
    if (
        result.manifest["digests"]["source"] != job.source_digest
        or result.manifest["digests"]["policy"] != order.policy.digest
        or result.manifest["rung"] != job.level
        or result.manifest["digests"]["extract"] != _digest(result.folder / "extract.parquet")
    ):
        return Failed(
            code="extract.digests",
            zh="产出与源文件、规则或清单的摘要不一致，脱敏数据包不予采用；请联系区数据局核查。",
            en="Source, policy or extract have other digests than written down; not used. Tell the data bureau.",
        )
    return replace(result, manifest=issued_manifest(result.manifest, order.issue))


def _end(hub: Hub, actor: Actor, job: Extract, result: Built | Failed) -> Extract:
    extract_id = job.id
    with hub.transaction(actor, Verb.BUILD_EXTRACT, extract_id) as tx:
        extract = _extract(tx.session, extract_id)
        tx.refuse(refusals_to_end(extract_id=extract_id, status=extract.status), InvalidState)
        ended = refusals_to_use(terms_of(licence_in(tx.session, extract.licence_id)), tx.now)
        if ended and isinstance(result, Built):
            result = Failed(
                code=ended[0].rule,
                zh="制作期间授权运营协议已到期或被暂停，脱敏数据包不予采用。",
                en="The licence ended or was suspended while it was built; nothing of it is used.",
            )
        extract.finished_at = tx.now
        if isinstance(result, Built):
            manifest = result.manifest
            extract.status, extract.folder = ExtractStatus.ISSUED, job.id
            extract.manifest, extract.digest = manifest, manifest["digests"]["extract"]
            extract.rows, extract.k = manifest["rows"]["out"], manifest["risk"]["after"]["k"]
            tx.record(
                EventKind.EXTRACT_ISSUED,
                "extract",
                extract_id,
                digest=extract.digest,
                licence_id=extract.licence_id,
                counters={"rows": extract.rows, "suppressed": manifest["rows"]["suppressed"], "k": extract.k},
                details={
                    "table": extract.table_id,
                    "level": extract.level,
                    "source": extract.source_digest,
                    "policy": extract.policy_digest,
                },
            )
        else:
            extract.status, extract.refusal_code = ExtractStatus.REFUSED, result.code
            extract.refusal_zh, extract.refusal_en = result.zh, result.en
            tx.record(
                EventKind.EXTRACT_REFUSED,
                "extract",
                extract_id,
                licence_id=extract.licence_id,
                decision="refused",
                reason_codes=[result.code],
            )
        return extract


def _digest(path: Path) -> str:
    return file_digest(path) if path.is_file() and not path.is_symlink() else ""


def _discard_unless_issued(hub: Hub, extract_id: str) -> None:
    """Leave nothing of a build on the disk that is not used."""
    with hub.reading() as session:
        if _extract(session, extract_id).status is not ExtractStatus.ISSUED:
            shutil.rmtree(hub.folders.extracts / extract_id, ignore_errors=True)


def build_extract(hub: Hub, actor: Actor, *, request_id: str) -> Extract:
    """Begin and run in one go."""
    return run_extract(hub, actor, extract_id=start_extract(hub, actor, request_id=request_id).id)


def prepare_rungs(hub: Hub, *, licence_id: str) -> list[Extract]:
    """Let the platform ask for and build every rung that the licence grants by rule and that is not there yet.

    Nobody has to wait for a person of the centre to write code. A licence that is not usable yields nothing.
    """
    with hub.reading() as session:
        licence = licence_in(session, licence_id)
        if refusals_to_use(terms_of(licence), hub.clock()):
            return []
        wanted = [
            (row.table_id, level)
            for row in licence.tables
            for level in LADDER
            if level.value in row.levels and is_by_rule(level) and not is_there(session, licence_id, row.table, level)
        ]
    made = []
    for table_id, level in wanted:
        request = request_extract(hub, SYSTEM, licence_id=licence_id, table_id=table_id, level=level)
        made.append(build_extract(hub, SYSTEM, request_id=request.id))
    return made


def revoke_extract(hub: Hub, actor: Actor, *, extract_id: str, reason: str) -> Extract:
    """Take an issued extract out of use: it is mounted no more, and workspaces it is mounted in are stopped.

    Raises:
        NotFound: There is no such extract, or not for this actor.
        NotAllowed: The actor is not the steward of the data's department, or it is not in use.
    """
    with hub.transaction(actor, Verb.REVOKE_EXTRACT, extract_id) as tx:
        extract = _visible(tx.session, extract_id, actor)
        tx.refuse(refusals_of_words(extract_id, texts=[reason]), InvalidInput)
        tx.refuse(
            refusals_to_revoke(
                actor=actor,
                extract_id=extract_id,
                owner_org=tx.session.get_one(CatalogTable, extract.table_id).owner_org,
                status=extract.status,
                reason=reason,
            ),
            NotAllowed,
        )
        extract.status = ExtractStatus.REVOKED
        extract.revoked_by, extract.revoked_reason = actor.person_id, reason.strip()
        tx.record(
            EventKind.EXTRACT_REVOKED,
            "extract",
            extract_id,
            digest=extract.digest,
            licence_id=extract.licence_id,
            details={"reason_digest": hashlib.sha256(extract.revoked_reason.encode()).hexdigest()},
        )
        return extract


def raw_path(hub: Hub, raw: RawFile) -> Path:
    """Where the bytes of a received file lie."""
    return hub.folders.raw / f"{raw.digest}{raw.suffix}"


def extract_path(hub: Hub, extract: Extract) -> Path:
    """Where the Parquet file of an issued extract lies."""
    return hub.folders.extracts / extract.folder / "extract.parquet"


def report_path(hub: Hub, extract: Extract) -> Path:
    """Where the report of an issued extract lies."""
    return hub.folders.extracts / extract.folder / "report.html"


def issued_rungs(session: Session, licence_id: str, now: datetime) -> Mapping[str, Mapping[ExtractLevel, Extract]]:
    """The newest extract in use of each rung of each table of a licence: table → rung → extract."""
    query = (
        select(Extract)
        .where(Extract.licence_id == licence_id, Extract.status == ExtractStatus.ISSUED, Extract.expires_at > now)
        .order_by(Extract.table_id, *newest_first(Extract.id))
    )
    newest: dict[str, dict[ExtractLevel, Extract]] = {}
    for extract in session.scalars(query):
        newest.setdefault(extract.table_id, {}).setdefault(extract.level, extract)
    return newest


def list_extracts(hub: Hub, actor: Actor, *, licence_id: str | None = None) -> list[Extract]:
    """Extracts of licences that the actor may see, newest first."""
    seen = {licence.id for licence in list_licences(hub, actor)}
    with hub.reading() as session:
        found = session.scalars(select(Extract).order_by(*newest_first(Extract.id)))
        return [extract for extract in found if extract.licence_id in seen and licence_id in (None, extract.licence_id)]


def find_extract(hub: Hub, actor: Actor, extract_id: str) -> Extract:
    """One extract, if the actor may see its licence."""
    with hub.reading() as session:
        return _visible(session, extract_id, actor)


def _visible(session: Session, extract_id: str, actor: Actor) -> Extract:
    extract = _extract(session, extract_id)
    if not may_see(licence_in(session, extract.licence_id).operator_org, actor):
        raise NotFound(unknown(extract_id))
    return extract


def _extract(session: Session, extract_id: str) -> Extract:
    extract = session.get(Extract, extract_id)
    if extract is None:
        raise NotFound(unknown(extract_id))
    return extract
