"""Register a table, publish it, look it up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogColumn, CatalogTable, TableStatus
from hub.catalog.rules import (
    TableDraft,
    refusals_of_id,
    refusals_of_taken,
    refusals_to_mark_secret,
    refusals_to_publish,
    refusals_to_register,
    table_grade,
)
from hub.context import Hub
from hub.errors import InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.intake.model import RawFile
from hub.ledger.events import EventKind
from hub.people.actor import Actor, OrgKind
from hub.people.appointments import posts_filled
from hub.people.organisations import departments_in
from hub.people.rules import Verb
from hub.secrecy import BASIS as SECRECY_BASIS
from hub.wording import refusals_of_words


def register_table(hub: Hub, actor: Actor, draft: TableDraft, *, raw_digest: str) -> CatalogTable:
    """Describe a received file as a table of the steward's department. It stays a draft until the bureau publishes it.

    Raises:
        NotAllowed: A rule of the catalog stands against it.
        NotFound: No file of this digest was received by the department.
        InvalidInput: The id is not of the form `[a-z0-9_]`.
        InvalidState: The id is taken.
    """
    with hub.transaction(actor, Verb.REGISTER_TABLE, draft.id) as tx:
        raw = tx.session.get(RawFile, raw_digest)
        if raw is None or raw.org_id != actor.org_id:
            raise NotFound(unknown("-"))
        tx.refuse(
            refusals_of_words(
                "-",
                lines=[draft.title_zh, draft.title_en, *(column.name_zh for column in draft.columns)],
                texts=[draft.description, draft.share_basis, draft.open_basis],
            ),
            InvalidInput,
        )
        filled = posts_filled(tx.session, draft.owner_org, tx.now)
        tx.refuse(
            refusals_to_register(draft, actor, raw.columns, filled=filled, departments=departments_in(tx.session)),
            NotAllowed,
        )
        tx.refuse(refusals_of_id(draft.id), InvalidInput)
        tx.refuse(refusals_of_taken(draft.id, taken=tx.session.get(CatalogTable, draft.id) is not None), InvalidState)
        columns = {column.name: column for column in draft.columns}
        table = CatalogTable(
            id=draft.id,
            title_zh=draft.title_zh.strip(),
            title_en=draft.title_en.strip(),
            description=draft.description.strip(),
            owner_org=draft.owner_org,
            origin=draft.origin,
            provider_org=draft.provider_org or None,
            share_type=draft.share_type,
            share_basis=draft.share_basis.strip(),
            open_type=draft.open_type,
            open_basis=draft.open_basis.strip(),
            update_cycle=draft.update_cycle,
            grade=table_grade(draft.columns),
            raw_digest=raw_digest,
            status=TableStatus.DRAFT,
            registered_by=actor.person_id,
            registered_at=tx.now,
            columns=[
                CatalogColumn(
                    position=position,
                    name=name,
                    name_zh=columns[name].name_zh.strip(),
                    column_class=columns[name].column_class,
                    grade=columns[name].grade,
                )
                for position, name in enumerate(raw.columns)
            ],
        )
        tx.session.add(table)
        tx.session.flush()
        tx.record(
            EventKind.TABLE_REGISTERED,
            "table",
            draft.id,
            digest=raw_digest,
            cited_basis=[basis for basis in (table.share_basis, table.open_basis) if basis],
            counters={"columns": len(table.columns), "rows": raw.rows},
            details={"origin": table.origin, "share": table.share_type, "open": table.open_type, "grade": table.grade},
        )
        return table


def publish_table(hub: Hub, actor: Actor, *, table_id: str) -> CatalogTable:
    """Put a registered table into the catalog."""
    with hub.transaction(actor, Verb.PUBLISH_TABLE, table_id) as tx:
        table = tx.session.get(CatalogTable, table_id)
        if table is None or not may_see(table, actor):
            raise NotFound(unknown(table_id))
        tx.refuse(against_publishing(tx.session, table, actor, tx.now), NotAllowed)
        table.status = TableStatus.PUBLISHED
        table.published_by, table.published_at = actor.person_id, tx.now
        tx.record(EventKind.TABLE_PUBLISHED, "table", table_id, digest=table.raw_digest)
        return table


def against_publishing(session: Session, table: CatalogTable, actor: Actor, now: datetime) -> tuple[Refusal, ...]:
    """What stands against publishing, with the department's posts as they are filled now."""
    return refusals_to_publish(
        status=table.status,
        table_id=table.id,
        owner_org=table.owner_org,
        actor=actor,
        filled=posts_filled(session, table.owner_org, now),
        state_secret=table.state_secret,
    )


def mark_state_secret(hub: Hub, actor: Actor, *, table_id: str, reason: str) -> CatalogTable:
    """Mark a registered table as concerning state secrets: whatever names it can be used no more, from now on.

    The reason is checked and not kept: what it would say belongs into no record of this platform.
    """
    with hub.transaction(actor, Verb.BAR_TABLE, table_id) as tx:
        table = tx.session.get(CatalogTable, table_id)
        if table is None or not may_see(table, actor):
            raise NotFound(unknown(table_id))
        tx.refuse(
            refusals_to_mark_secret(
                table_id=table_id,
                owner_org=table.owner_org,
                state_secret=table.state_secret,
                reason=reason,
                actor=actor,
            ),
            NotAllowed,
        )
        table.state_secret = True
        tx.record(EventKind.TABLE_BARRED, "table", table_id, cited_basis=[SECRECY_BASIS])
        return table


def may_see(table: CatalogTable, actor: Actor) -> bool:
    """Drafts are seen by their department and the bureau; published metadata by everyone with an account."""
    return table.status is TableStatus.PUBLISHED or table.owner_org == actor.org_id or actor.org_kind is OrgKind.BUREAU


def list_tables(hub: Hub, actor: Actor) -> list[CatalogTable]:
    """Tables that the actor may see, by id."""
    with hub.reading() as session:
        tables = session.scalars(select(CatalogTable).order_by(CatalogTable.id))
        return [table for table in tables if may_see(table, actor)]


def find_table(hub: Hub, actor: Actor, table_id: str) -> CatalogTable:
    """One table.

    Raises:
        NotFound: There is none, or the actor may not see it.
    """
    with hub.reading() as session:
        table = session.get(CatalogTable, table_id)
    if table is None or not may_see(table, actor):
        raise NotFound(unknown(table_id))
    return table


def published_table(session: Session, table_id: str) -> CatalogTable:
    """A published table, for another room's transaction.

    Raises:
        NotFound: There is none, or it is a draft.
    """
    table = session.get(CatalogTable, table_id)
    if table is None or table.status is not TableStatus.PUBLISHED:
        raise NotFound(unknown(table_id))
    return table
