"""Build extracts: ask the licence, let the worker run, keep the result with its digests or the reason why not."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from anonymize.table import file_digest
from hub.catalog.actions import published_table
from hub.context import Hub
from hub.errors import InvalidState, NotAllowed, NotFound, unknown
from hub.extracts.model import Extract, ExtractStatus
from hub.extracts.rules import refusals_to_build, refusals_to_end
from hub.extracts.worker import Built, Failed, run_worker
from hub.intake.model import RawFile
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, list_licences, may_see, terms_of, usable_licence, visible_licence
from hub.licensing.rules import refusals_to_use
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.rules import Verb


def request_extract(hub: Hub, actor: Actor, *, licence_id: str, table_id: str) -> Extract:
    """Begin an extract: the licence is asked, the job is written down. `run_extract` does the work."""
    with hub.transaction(actor, Verb.BUILD_EXTRACT, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        licence = usable_licence(tx.session, licence_id, tx.now)
        covered = {row.table_id: row for row in licence.tables}
        building = select(Extract.id).where(
            Extract.licence_id == licence_id,
            Extract.table_id == table_id,
            Extract.status == ExtractStatus.BUILDING,
        )
        tx.refuse(
            refusals_to_build(
                actor=actor,
                licence_id=licence_id,
                table_id=table_id,
                covered=covered,
                running=tx.session.scalar(building) is not None,
            ),
            NotAllowed,
        )
        table = published_table(tx.session, table_id)
        extract = Extract(
            id=next_id(tx.session, "e"),
            licence_id=licence_id,
            table_id=table_id,
            status=ExtractStatus.BUILDING,
            source_digest=table.raw_digest,
            policy_digest=covered[table_id].policy_digest,
            built_by=actor.person_id,
            requested_at=tx.now,
        )
        tx.session.add(extract)
        tx.session.flush()
        tx.record(
            EventKind.EXTRACT_REQUESTED,
            "extract",
            extract.id,
            licence_id=licence_id,
            details={"table": table_id, "source": extract.source_digest, "policy": extract.policy_digest},
        )
        return extract


def run_extract(hub: Hub, actor: Actor, *, extract_id: str) -> Extract:
    """Do the work of a requested extract and write down how it ended. Runs long: not in a request's own thread.

    The licence is asked again when the work is done: what ended meanwhile yields no extract.

    Raises:
        InvalidState: The build has ended already, before or while this one ran; nothing of this one is kept.
    """
    with hub.transaction(actor, Verb.BUILD_EXTRACT, extract_id) as tx:
        job = _extract(tx.session, extract_id)
        tx.refuse(refusals_to_end(extract_id=extract_id, status=job.status), InvalidState)
        raw = tx.session.get_one(RawFile, job.source_digest)
        policy = {row.table_id: row.policy for row in licence_in(tx.session, job.licence_id).tables}[job.table_id]
    try:
        return _end(hub, actor, job, _built(hub, job, raw, policy))
    finally:
        _discard_unless_issued(hub, extract_id)


def _built(hub: Hub, job: Extract, raw: RawFile, policy: str) -> Built | Failed:
    """Let the worker run, and hold what it made against the digests that were written down."""
    result = run_worker(
        source=raw_path(hub, raw),
        policy=policy,
        key_file=hub.keys.pseudonym_key_file(job.licence_id),
        folder=hub.folders.extracts / job.id,
    )
    if isinstance(result, Built) and (
        result.manifest["digests"]["source"] != job.source_digest
        or result.manifest["digests"]["policy"] != job.policy_digest
        or result.manifest["digests"]["extract"] != _digest(result.folder / "extract.parquet")
    ):
        return Failed(
            code="extract.digests",
            zh="产出与源文件、规则或清单的摘要不一致，脱敏数据包不予采用；请联系区数据局核查。",
            en="Source, policy or extract have other digests than written down; not used. Tell the data bureau.",
        )
    return result


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
                details={"source": extract.source_digest, "policy": extract.policy_digest},
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


def build_extract(hub: Hub, actor: Actor, *, licence_id: str, table_id: str) -> Extract:
    """Request and run in one go."""
    return run_extract(hub, actor, extract_id=request_extract(hub, actor, licence_id=licence_id, table_id=table_id).id)


def raw_path(hub: Hub, raw: RawFile) -> Path:
    """Where the bytes of a received file lie."""
    return hub.folders.raw / f"{raw.digest}{raw.suffix}"


def extract_path(hub: Hub, extract: Extract) -> Path:
    """Where the Parquet file of an issued extract lies."""
    return hub.folders.extracts / extract.folder / "extract.parquet"


def report_path(hub: Hub, extract: Extract) -> Path:
    """Where the report of an issued extract lies."""
    return hub.folders.extracts / extract.folder / "report.html"


def issued_extracts(session: Session, licence_id: str) -> Sequence[Extract]:
    """The newest issued extract of each table of a licence, by table."""
    query = (
        select(Extract)
        .where(Extract.licence_id == licence_id, Extract.status == ExtractStatus.ISSUED)
        .order_by(*newest_first(Extract.id))
    )
    newest: dict[str, Extract] = {}
    for extract in session.scalars(query):
        newest.setdefault(extract.table_id, extract)
    return [newest[table_id] for table_id in sorted(newest)]


def list_extracts(hub: Hub, actor: Actor, *, licence_id: str | None = None) -> list[Extract]:
    """Extracts of licences that the actor may see, newest first."""
    seen = {licence.id for licence in list_licences(hub, actor)}
    with hub.reading() as session:
        found = session.scalars(select(Extract).order_by(*newest_first(Extract.id)))
        return [extract for extract in found if extract.licence_id in seen and licence_id in (None, extract.licence_id)]


def find_extract(hub: Hub, actor: Actor, extract_id: str) -> Extract:
    """One extract, if the actor may see its licence."""
    with hub.reading() as session:
        extract = _extract(session, extract_id)
        licence = licence_in(session, extract.licence_id)
    if not may_see(licence.operator_org, actor):
        raise NotFound(unknown(extract_id))
    return extract


def _extract(session: Session, extract_id: str) -> Extract:
    extract = session.get(Extract, extract_id)
    if extract is None:
        raise NotFound(unknown(extract_id))
    return extract
