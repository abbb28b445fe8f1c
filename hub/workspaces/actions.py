"""Open a workspace, mount extracts into it, close it. The licence is asked at each of these steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from anonymize.table import file_digest
from hub.catalog.model import CatalogTable
from hub.context import Hub
from hub.errors import ChecksFailed, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.actions import extract_path, issued_extracts
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, usable_licence, visible_licence
from hub.people.actions import lapses_of
from hub.people.actor import SYSTEM, Actor
from hub.people.rules import Verb
from hub.workspaces.model import Workspace, WorkspaceStatus
from hub.workspaces.rules import Origin, refusals_of_destroyed, refusals_to_mount, refusals_to_open


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
    """An extract to be bound read-only: its name inside and its file outside."""

    name: str
    path: Path
    digest: str


def open_workspace(hub: Hub, actor: Actor, *, licence_id: str) -> Room:
    """Let the person's workspace under this licence start.

    Raises:
        NotFound: There is no such licence, or it is another operator's.
        NotAllowed: The licence is not usable now, the actor is not of its operator, or it has no extract yet.
    """
    with hub.transaction(actor, Verb.OPEN_WORKSPACE, licence_id) as tx:
        visible_licence(tx.session, licence_id, actor)
        licence = usable_licence(tx.session, licence_id, tx.now)
        extracts = issued_extracts(tx.session, licence_id)
        tx.refuse(
            refusals_to_open(
                actor=actor, licence_id=licence_id, operator_org=licence.operator_org, extracts=len(extracts)
            ),
            NotAllowed,
        )
        own = select(Workspace).where(Workspace.licence_id == licence_id, Workspace.person_id == actor.person_id)
        workspace = tx.session.scalar(own)
        if workspace is None:
            number = tx.session.scalar(select(func.count(Workspace.id))) or 0
            workspace = Workspace(
                id=f"w-{number + 1:04d}", number=number, licence_id=licence_id, person_id=actor.person_id
            )
            tx.session.add(workspace)
        else:
            tx.refuse(refusals_of_destroyed(workspace.id, workspace.status), NotAllowed)
        workspace.status, workspace.opened_at, workspace.closed_at = WorkspaceStatus.OPEN, tx.now, None
        tx.session.flush()
        tx.record(EventKind.WORKSPACE_OPENED, "workspace", workspace.id, licence_id=licence_id)
        return _room(hub, workspace)


def mount_extracts(hub: Hub, actor: Actor, *, workspace_id: str) -> tuple[MountedExtract, ...]:
    """The extracts to bind into an opened workspace, each held against its digest, with an event for each.

    Raises:
        NotAllowed: The licence is not usable any more.
        ChecksFailed: A file is not the one that was issued, or it was made of what the licence no longer names.
    """
    with hub.transaction(actor, Verb.OPEN_WORKSPACE, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or workspace.person_id != actor.person_id:
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_destroyed(workspace_id, workspace.status), NotAllowed)
        licence = usable_licence(tx.session, workspace.licence_id, tx.now)
        policies = {row.table_id: row.policy_digest for row in licence.tables}
        mounted = []
        for extract in issued_extracts(tx.session, licence.id):
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
                details={"workspace": workspace_id},
            )
            mounted.append(MountedExtract(name=extract.table_id, path=path, digest=extract.digest))
        return tuple(mounted)


def close_workspace(hub: Hub, *, workspace_id: str, reason: str) -> None:
    """Write down that the boxes of a workspace are gone. `reason` is a code: stopped, culled, licence, crashed."""
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
    try:
        with hub.reading() as session:
            licence = usable_licence(session, licence_id, hub.clock())
            extracts = issued_extracts(session, licence_id)
    except NotAllowed as error:
        with hub.reading() as session:
            licence = licence_in(session, licence_id)
        return (
            *lapsed,
            *error.refusals,
            *refusals_to_open(actor=actor, licence_id=licence_id, operator_org=licence.operator_org, extracts=1),
        )
    return (
        *lapsed,
        *refusals_to_open(
            actor=actor, licence_id=licence_id, operator_org=licence.operator_org, extracts=len(extracts)
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
