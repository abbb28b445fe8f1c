"""Pages of the data catalog: hand in a file, describe it, publish it, look it up."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from hub.catalog.actions import (
    against_publishing,
    find_table,
    list_tables,
    mark_state_secret,
    publish_table,
    register_table,
)
from hub.catalog.model import ColumnClass, Grade, OpenType, Origin, ShareType, TableStatus, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft
from hub.errors import HubError, InvalidInput, NotAllowed, Refusal
from hub.intake.actions import find_raw, list_raw, receive_file
from hub.intake.model import RawFile
from hub.intake.rules import SUFFIXES
from hub.message import msg
from hub.people.actor import OrgKind
from hub.people.organisations import departments_in
from hub.people.rules import Verb, refusals_to_act
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/catalog")
def listing(visit: Visited) -> Response:
    """Every table the reader may see."""
    return visit.page(
        "catalog/list.html",
        tables=list_tables(visit.hub, visit.actor),
        register_refusals=refusals_to_act(visit.actor, Verb.REGISTER_TABLE),
    )


@router.get("/catalog/tables/{table_id}")
def detail(visit: Visited, table_id: str) -> Response:
    """One table: metadata and columns, never rows."""
    table = find_table(visit.hub, visit.actor, table_id)
    with visit.hub.reading() as session:
        against = against_publishing(session, table, visit.actor, visit.hub.clock())
    return visit.page(
        "catalog/detail.html",
        table=table,
        publish_refusals=against,
        is_draft=table.status is TableStatus.DRAFT,
        may_bar=not table.state_secret
        and not refusals_to_act(visit.actor, Verb.BAR_TABLE)
        and (visit.actor.org_kind is not OrgKind.DEPARTMENT or visit.actor.org_id == table.owner_org),
        events=history(visit.hub, visit.actor, table_id),
    )


@router.post("/catalog/tables/{table_id}/publish")
def publish(visit: Visited, table_id: str) -> Response:
    """The bureau puts a draft into the catalog."""
    find_table(visit.hub, visit.actor, table_id)
    publish_table(visit.hub, visit.actor, table_id=table_id)
    return visit.redirect("catalog/tables", table_id, notice=msg("Table {table} is published.", table=table_id))


@router.post("/catalog/tables/{table_id}/bar")
def bar(visit: Visited, table_id: str) -> Response:
    """Mark a table as concerning state secrets: whatever names it stops."""
    mark_state_secret(visit.hub, visit.actor, table_id=table_id, reason=visit.form.optional("reason"))
    notice = msg("Table {table} is marked; nothing can be done with it any more.", table=table_id)
    return visit.redirect("catalog/tables", table_id, notice=notice)


@router.get("/catalog/intake")
def intake(visit: Visited) -> Response:
    """Files of the steward's department, and the form that receives another one."""
    _only_stewards(visit)
    return _intake_page(visit)


@router.post("/catalog/upload")
def upload(visit: Visited) -> Response:
    """Receive a file into the raw zone."""
    try:
        given = visit.form.file("table")
        if given is None:
            raise InvalidInput(
                Refusal(
                    rule="form.missing",
                    subject="table",
                    text=msg("No file was chosen."),
                    next_step=msg("Choose a file of type {types}.", types=", ".join(SUFFIXES)),
                )
            )
        raw = receive_file(
            visit.hub,
            visit.actor,
            stream=given.file,
            name=given.filename or "",
            no_state_secret=visit.form.ticked("no_state_secret"),
        )
    except HubError as error:
        return _intake_page(visit, error)
    notice = msg(
        "The file is in the raw zone: {rows} rows, {columns} columns.", rows=raw.rows, columns=len(raw.columns)
    )
    return visit.redirect("catalog/register", raw.digest, notice=notice)


def _intake_page(visit: Visit, error: HubError | None = None) -> Response:
    return visit.page(
        "catalog/intake.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        files=list_raw(visit.hub, visit.actor),
        types=", ".join(SUFFIXES),
        most=visit.hub.settings.max_raw_bytes,
    )


@router.get("/catalog/register/{digest}")
def describe(visit: Visited, digest: str) -> Response:
    """The form that describes a received file, filled with what the column scan proposes."""
    _only_stewards(visit)
    return _register_page(visit, find_raw(visit.hub, visit.actor, digest))


@router.post("/catalog/register/{digest}")
def register(visit: Visited, digest: str) -> Response:
    """Register the described table; it stays a draft until the bureau publishes it."""
    raw = find_raw(visit.hub, visit.actor, digest)
    try:
        table = register_table(visit.hub, visit.actor, _draft(visit, raw), raw_digest=raw.digest)
    except HubError as error:
        return _register_page(visit, raw, error)
    return visit.redirect("catalog/tables", table.id, notice=msg("Table {table} is registered.", table=table.id))


def _draft(visit: Visit, raw: RawFile) -> TableDraft:
    form = visit.form
    return TableDraft(
        id=form.text("id"),
        title_zh=form.text("title_zh"),
        title_en=form.text("title_en"),
        description=form.text("description"),
        owner_org=visit.actor.org_id,
        origin=form.one_of("origin", Origin),
        provider_org=form.optional("provider_org"),
        share_type=form.one_of("share_type", ShareType),
        share_basis=form.optional("share_basis"),
        open_type=form.one_of("open_type", OpenType),
        open_basis=form.optional("open_basis"),
        update_cycle=form.one_of("update_cycle", UpdateCycle),
        state_secret=not form.ticked("no_state_secret"),
        columns=tuple(
            ColumnDraft(
                name=name,
                name_zh=form.optional(f"name.{position}"),
                column_class=form.one_of(f"class.{position}", ColumnClass),
                grade=form.one_of(f"grade.{position}", Grade),
            )
            for position, name in enumerate(raw.columns)
        ),
    )


def _register_page(visit: Visit, raw: RawFile, error: HubError | None = None) -> Response:
    filled: Mapping[str, str] = visit.form.filled
    return visit.page(
        "catalog/register.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        raw=raw,
        proposed=raw.proposal["columns"],
        filled=filled,
        origins=[(origin.value, origin) for origin in Origin],
        departments=_other_departments(visit),
        share_types=[(kind.value, kind) for kind in ShareType],
        open_types=[(kind.value, kind) for kind in OpenType],
        cycles=[(cycle.value, cycle) for cycle in UpdateCycle],
        classes=list(ColumnClass),
        grades=list(Grade),
    )


def _other_departments(visit: Visit) -> list[tuple[str, str]]:
    with visit.hub.reading() as session:
        others = [org for org in departments_in(session) if org != visit.actor.org_id]
    return [("", "–"), *((org, visit.org(org)) for org in others)]


def _only_stewards(visit: Visit) -> None:
    refusals = refusals_to_act(visit.actor, Verb.REGISTER_TABLE)
    if refusals:
        raise NotAllowed(*refusals)
