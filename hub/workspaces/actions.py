"""Open a workspace, mount extracts into it, close it. The licence is asked at each of these steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from anonymize.table import file_digest
from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import ChecksFailed, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.actions import extract_path, issued_rungs
from hub.extracts.issue import REAL
from hub.extracts.model import Extract, ExtractStatus
from hub.extracts.rules import refusals_to_use_extract
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, licence_to_work, visible_licence
from hub.licensing.model import ExtractLevel, Licence
from hub.noisy.actions import answers_in_use, result_path
from hub.numbering import newest_first
from hub.people.actions import lapses_of
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb
from hub.workspaces.model import Workspace, WorkspaceMount, WorkspaceStatus
from hub.workspaces.rules import (
    Origin,
    refusals_of_closed,
    refusals_of_destroyed,
    refusals_to_choose,
    refusals_to_mount,
    refusals_to_open,
    rung_to_mount,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the spawner needs to know of an opened workspace."""

    workspace_id: str
    number: int
    """Counts workspaces from 0; the uids of the boxes follow from it."""
    licence_id: str
    person_id: str
    state_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedExtract:
    """An extract to be bound read-only: its name inside, the same on every rung, and its file outside."""

    name: str
    path: Path
    digest: str
    level: str
    """An `ExtractLevel`; empty: the result of a noisy answer, which is no rung."""


def open_workspace(hub: Hub, actor: Actor, *, licence_id: str) -> Room:
    """Let the person's workspace under this licence start.

    Raises:
        NotFound: There is no such licence, or it is another operator's.
        NotAllowed: The licence is not usable now, the actor is not of its operator, or it has no extract yet.
    """
    with hub.transaction(actor, Verb.OPEN_WORKSPACE, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        licence = licence_to_work(tx.session, licence_id, actor, tx.now)
        own = select(Workspace).where(Workspace.licence_id == licence_id, Workspace.person_id == actor.person_id)
        workspace = tx.session.scalar(own)
        extracts = _to_mount(tx.session, licence, workspace, tx.now)
        tx.refuse(
            refusals_to_open(
                actor=actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                developers=licence.developers,
                extracts=len(extracts),
            ),
            NotAllowed,
        )
        if workspace is None:
            number = tx.session.scalar(select(func.count(Workspace.id))) or 0
            workspace = Workspace(
                id=f"w-{number + 1:04d}",
                number=number,
                licence_id=licence_id,
                person_id=actor.person_id,
                openings=0,
                chosen={},
            )
            tx.session.add(workspace)
        else:
            tx.refuse(refusals_of_destroyed(workspace.id, workspace.status), NotAllowed)
        workspace.status, workspace.opened_at, workspace.closed_at = WorkspaceStatus.OPEN, tx.now, None
        workspace.openings += 1
        tx.session.flush()
        tx.record(EventKind.WORKSPACE_OPENED, "workspace", workspace.id, licence_id=licence_id)
        return _room(hub, workspace)


def mount_extracts(hub: Hub, actor: Actor, *, workspace_id: str) -> tuple[MountedExtract, ...]:
    """The extracts to bind into an opened workspace, each held against its digest, with an event for each.

    Raises:
        NotAllowed: The licence is not usable any more, or the workspace was stopped meanwhile.
        ChecksFailed: A file is not the one that was issued, or it was made of what the licence no longer names.
    """
    with hub.transaction(actor, Verb.OPEN_WORKSPACE, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or workspace.person_id != actor.person_id:
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_destroyed(workspace_id, workspace.status), NotAllowed)
        tx.refuse(refusals_of_closed(workspace_id, workspace.status), NotAllowed)
        licence = licence_to_work(tx.session, workspace.licence_id, actor, tx.now)
        policies = {row.table_id: row.policy_digest for row in licence.tables}
        mounted = []
        for extract in _to_mount(tx.session, licence, workspace, tx.now):
            path = extract_path(hub, extract)
            found = file_digest(path) if path.is_file() and not path.is_symlink() else ""
            tx.refuse(
                refusals_to_mount(
                    extract_id=extract.id,
                    issued=Origin(digest=extract.digest, source=extract.source_digest, policy=extract.policy_digest),
                    found=Origin(
                        digest=found,
                        source=tx.session.get_one(CatalogTable, extract.table_id).raw_digest,
                        policy=policies.get(extract.table_id, ""),
                    ),
                ),
                ChecksFailed,
            )
            tx.record(
                EventKind.EXTRACT_MOUNTED,
                "extract",
                extract.id,
                digest=extract.digest,
                licence_id=licence.id,
                counters={"rows": extract.rows},
                details={"workspace": workspace_id, "level": extract.level},
            )
            tx.session.merge(
                WorkspaceMount(
                    workspace_id=workspace_id,
                    opening=workspace.openings,
                    table_id=extract.table_id,
                    extract_id=extract.id,
                    level=extract.level,
                    mounted_at=tx.now,
                )
            )
            mounted.append(MountedExtract(name=extract.table_id, path=path, digest=extract.digest, level=extract.level))
        return (*mounted, *_mount_answers(hub, tx, licence.id, workspace_id))


def _mount_answers(hub: Hub, tx: Transaction, licence_id: str, workspace_id: str) -> list[MountedExtract]:
    """The results of the licence's noisy answers, each held against its digest."""
    mounted = []
    for answer in answers_in_use(tx.session, licence_id):
        for name, digest in answer.digests.items():
            path = result_path(hub, answer.id, name)
            found = file_digest(path) if path.is_file() and not path.is_symlink() else ""
            same = Origin(digest=digest, source="", policy="")
            tx.refuse(
                refusals_to_mount(extract_id=answer.id, issued=same, found=Origin(digest=found, source="", policy="")),
                ChecksFailed,
            )
            mounted.append(MountedExtract(name=f"{answer.id}_{name}", path=path, digest=digest, level=""))
        tx.record(
            EventKind.NOISY_MOUNTED,
            "noisy_answer",
            answer.id,
            digest=answer.request_digest,
            licence_id=licence_id,
            details={"workspace": workspace_id},
        )
    return mounted


def choose_rung(hub: Hub, actor: Actor, *, workspace_id: str, table_id: str, level: ExtractLevel | None) -> Workspace:
    """Let the analyst work on a lower rung of a table than the best there is; None: the best. Holds from the next
    opening on.

    Raises:
        NotFound: There is no such workspace of theirs, or its licence has no such table.
        NotAllowed: The licence keeps the full rung out of workspaces, or the workspace is destroyed.
    """
    with hub.transaction(actor, Verb.OPEN_WORKSPACE, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or workspace.person_id != actor.person_id:
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_destroyed(workspace_id, workspace.status), NotAllowed)
        licence = licence_to_work(tx.session, workspace.licence_id, actor, tx.now)
        full = {row.table_id: row.full_in_workspace for row in licence.tables}
        if table_id not in full:
            raise NotFound(unknown(table_id))
        tx.refuse(
            refusals_to_choose(
                actor=actor,
                workspace_id=workspace_id,
                owner_id=workspace.person_id,
                level=level or ExtractLevel.METADATA,
                full_in_workspace=full[table_id],
            ),
            NotAllowed,
        )
        others = {name: one for name, one in workspace.chosen.items() if name != table_id}
        workspace.chosen = others | ({} if level is None else {table_id: level.value})
        tx.record(
            EventKind.RUNG_CHOSEN,
            "workspace",
            workspace_id,
            licence_id=licence.id,
            details={"table": table_id, "level": level.value if level else "best"},
        )
        return workspace


def _to_mount(session: Session, licence: Licence, workspace: Workspace | None, now: datetime) -> Sequence[Extract]:
    """For each table of the licence the best rung in use that may lie in a workspace, no higher than chosen."""
    issued = issued_rungs(session, licence.id, now)
    chosen = workspace.chosen if workspace is not None else {}
    found = []
    for row in licence.tables:
        rungs = issued.get(row.table_id, {})
        wanted = chosen.get(row.table_id)
        level = rung_to_mount(
            list(rungs),
            full_in_workspace=row.full_in_workspace,
            chosen=ExtractLevel(wanted) if wanted else None,
        )
        if level is not None:
            found.append(rungs[level])
    return found


def mounts_of(session: Session, workspace_id: str) -> Sequence[WorkspaceMount]:
    """Everything that ever lay in the workspace, by opening and table."""
    query = select(WorkspaceMount).where(WorkspaceMount.workspace_id == workspace_id)
    return list(session.scalars(query.order_by(WorkspaceMount.opening, WorkspaceMount.table_id)))


def lying_in(session: Session, workspace: Workspace) -> Sequence[Extract]:
    """The extracts of the workspace's last opening."""
    here = [one.extract_id for one in mounts_of(session, workspace.id) if one.opening == workspace.openings]
    return list(session.scalars(select(Extract).where(Extract.id.in_(here)).order_by(Extract.table_id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a result put into a workspace's outbox may have been made from."""

    extracts: tuple[Extract, ...]
    """Every extract that ever lay there and still exists, and what would lie there now."""
    made_up: tuple[str, ...]
    """Tables under whose name lay rows that are nobody's."""
    only_made_up: bool
    """Whether nothing but such rows lay there when the result was put. Noisy answers are figures of real people."""


def sources_of(session: Session, workspace: Workspace, *, put_at: datetime, now: datetime) -> Sources:
    """What a result may come from that was put into the outbox at `put_at`, by its file's own time."""
    licence = licence_in(session, workspace.licence_id)
    mounts = mounts_of(session, workspace.id)
    now_inside = _to_mount(session, licence, workspace, now)
    openings: dict[int, list[ExtractLevel]] = {}
    for mount in mounts:
        if mount.opening == workspace.openings or put_at < workspace.opened_at:
            openings.setdefault(mount.opening, []).append(mount.level)
    if workspace.openings not in openings:
        openings[workspace.openings] = [one.level for one in now_inside]
    ever = {mount.extract_id for mount in mounts} | {one.id for one in now_inside}
    there = [ExtractStatus.ISSUED, ExtractStatus.REVOKED]
    has_answers = any(
        one.finished_at is not None and one.finished_at <= workspace.opened_at
        for one in answers_in_use(session, licence.id)
    )
    query = select(Extract).where(Extract.id.in_(ever), Extract.status.in_(there)).order_by(*newest_first(Extract.id))
    extracts = tuple(session.scalars(query))
    made_up = {one.table_id for one in extracts if one.level not in REAL}
    return Sources(
        extracts=extracts,
        made_up=tuple(sorted(made_up)),
        only_made_up=not has_answers and any(levels and not set(levels) & REAL for levels in openings.values()),
    )


def next_rungs(hub: Hub, actor: Actor, licence_id: str) -> Mapping[str, Extract]:
    """What the person's workspace under a licence would hold if it were opened now, by table."""
    with hub.reading() as session:
        licence = visible_licence(session, licence_id, actor)
        own = select(Workspace).where(Workspace.licence_id == licence_id, Workspace.person_id == actor.person_id)
        found = _to_mount(session, licence, session.scalar(own), hub.clock())
    return {extract.table_id: extract for extract in found}


def close_workspace(hub: Hub, *, workspace_id: str, reason: str) -> None:
    """Write down that the boxes of a workspace are gone. `reason` is a code: stopped, licence, unasked, crashed."""
    with hub.transaction(SYSTEM, "close_workspace", workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None:
            raise NotFound(unknown(workspace_id))
        if workspace.status is not WorkspaceStatus.OPEN:
            return
        workspace.status, workspace.closed_at = WorkspaceStatus.CLOSED, tx.now
        tx.record(
            EventKind.WORKSPACE_CLOSED,
            "workspace",
            workspace_id,
            licence_id=workspace.licence_id,
            reason_codes=[reason],
        )


def opened_at(hub: Hub, workspace_id: str) -> datetime | None:
    """When a workspace was last allowed to start; None: never was."""
    with hub.reading() as session:
        workspace = session.get(Workspace, workspace_id)
        return None if workspace is None else workspace.opened_at


def list_workspaces(hub: Hub, actor: Actor) -> list[Workspace]:
    """The person's own workspaces, by licence."""
    with hub.reading() as session:
        query = select(Workspace).where(Workspace.person_id == actor.person_id).order_by(Workspace.licence_id)
        return list(session.scalars(query))


def find_workspace(hub: Hub, actor: Actor, workspace_id: str) -> Workspace:
    """One of the person's own workspaces."""
    with hub.reading() as session:
        workspace = session.get(Workspace, workspace_id)
    if workspace is None or workspace.person_id != actor.person_id:
        raise NotFound(unknown(workspace_id))
    return workspace


def open_refusals(hub: Hub, actor: Actor, licence_id: str) -> tuple[Refusal, ...]:
    """What stands against opening a workspace now, for a page that shows a grey button."""
    lapsed = lapses_of(hub, actor)
    own = select(Workspace).where(Workspace.licence_id == licence_id, Workspace.person_id == actor.person_id)
    now = hub.clock()
    try:
        with hub.reading() as session:
            licence = licence_to_work(session, licence_id, actor, now)
            workspace = session.scalar(own)
            extracts = _to_mount(session, licence, workspace, now)
            is_open = workspace is not None and workspace.status is WorkspaceStatus.OPEN
            inside = lying_in(session, workspace) if workspace is not None and is_open else ()
    except NotAllowed as error:
        with hub.reading() as session:
            licence = licence_in(session, licence_id)
        return (
            *lapsed,
            *error.refusals,
            *refusals_to_open(
                actor=actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                developers=licence.developers,
                extracts=1,
            ),
        )
    return (
        *lapsed,
        *refusals_to_open(
            actor=actor,
            licence_id=licence_id,
            operator_org=licence.operator_org,
            developers=licence.developers,
            extracts=len(extracts),
        ),
        *(
            refusal
            for one in inside
            for refusal in refusals_to_use_extract(
                extract_id=one.id, status=one.status, expires_at=one.expires_at, now=now
            )
        ),
    )


def workspace_dir(hub: Hub, workspace_id: str) -> Path:
    """Folder of a workspace's state: notebooks, outbox, logs."""
    return hub.folders.workspaces / workspace_id


def _room(hub: Hub, workspace: Workspace) -> Room:
    return Room(
        workspace_id=workspace.id,
        number=workspace.number,
        licence_id=workspace.licence_id,
        person_id=workspace.person_id,
        state_dir=workspace_dir(hub, workspace.id),
    )
