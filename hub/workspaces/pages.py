"""Pages of the workspaces: open one under a licence, look into its outbox, submit from it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError
from hub.extracts.model import Extract
from hub.gate.actions import list_requests, submit_export
from hub.licensing.actions import find_licence, find_scenario, list_licences
from hub.licensing.model import ExtractLevel, Licence, ProductForm
from hub.message import Message, both, msg
from hub.people.rules import Verb, refusals_to_act
from hub.web.history import history
from hub.web.visit import Visit, Visited
from hub.workspaces.actions import (
    choose_rung,
    find_workspace,
    list_workspaces,
    lying_in,
    next_rungs,
    open_refusals,
    sources_of,
    workspace_dir,
)
from hub.workspaces.model import Workspace, WorkspaceStatus
from hub.workspaces.rules import may_be_mounted
from sandbox.errors import SandboxError, Words
from sandbox.outbox import list_items

router = APIRouter()


@router.get("/workspaces")
def listing(visit: Visited) -> Response:
    """The reader's licences, each with its workspace and what stands against opening it."""
    own = {workspace.licence_id: workspace for workspace in list_workspaces(visit.hub, visit.actor)}
    role_refusals = refusals_to_act(visit.actor, Verb.OPEN_WORKSPACE)
    rooms = []
    if not role_refusals:
        for licence in list_licences(visit.hub, visit.actor):
            workspace = own.get(licence.id)
            rooms.append(
                {
                    "licence": licence,
                    "scenario": find_scenario(visit.hub, visit.actor, licence.scenario_id),
                    "workspace": workspace,
                    "running": workspace is not None and workspace.status is WorkspaceStatus.OPEN,
                    "refusals": open_refusals(visit.hub, visit.actor, licence.id),
                    "spawn": spawn_address(visit.person.id, licence.id),
                    "lab": lab_address(visit.person.id, licence.id),
                    "rungs": _rungs(visit, licence, workspace),
                }
            )
    return visit.page("workspaces/list.html", rooms=rooms, role_refusals=role_refusals)


@router.get("/workspaces/{workspace_id}")
def outbox(visit: Visited, workspace_id: str) -> Response:
    """What lies in the outbox, and the form that submits it."""
    return _outbox_page(visit, find_workspace(visit.hub, visit.actor, workspace_id))


@router.post("/workspaces/{workspace_id}/submit")
def submit(visit: Visited, workspace_id: str) -> Response:
    """Freeze the chosen items and ask for their export."""
    workspace = find_workspace(visit.hub, visit.actor, workspace_id)
    form = visit.form
    try:
        request = submit_export(
            visit.hub,
            visit.actor,
            workspace_id=workspace_id,
            slugs=form.many("item"),
            title=form.optional("title"),
            reason=form.optional("reason"),
            product_form=form.one_of("form", ProductForm),
            made_up=form.ticked("made_up"),
            supersedes=form.optional("supersedes") or None,
        )
    except HubError as error:
        return _outbox_page(visit, workspace, error)
    notice = msg("Request {request} is submitted; its files are frozen.", request=request.id)
    return visit.redirect("requests", request.id, notice=notice)


def _outbox_page(visit: Visit, workspace: Workspace, error: HubError | None = None) -> Response:
    earlier = [
        request
        for request in list_requests(visit.hub, visit.actor)
        if request.workspace_id == workspace.id and request.author_id == visit.person.id
    ]
    licence = find_licence(visit.hub, visit.actor, workspace.licence_id)
    unread: Message | None = None
    items: list[dict[str, object]] = []
    try:
        items = [
            {"slug": item.slug, "title": item.title, "reason": item.reason, "payload": item.payload, "size": item.size}
            | {"refused": _said(item.refused)}
            for item in list_items(workspace_dir(visit.hub, workspace.id) / "outbox")
        ]
    except FileNotFoundError:
        items = []  # it was never started
    except SandboxError as failed:
        unread = both(en=failed.in_language("en"), zh=failed.in_language("zh"))
    return visit.page(
        "workspaces/outbox.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        chosen=visit.form.many("item"),
        workspace=workspace,
        licence=licence,
        items=items,
        unread=unread,
        forms=[(form.value, form) for form in ProductForm],
        earlier=earlier,
        closed=[("", msg("none")), *((one.id, one.id) for one in earlier if one.closed_at is not None)],
        against=open_refusals(visit.hub, visit.actor, workspace.licence_id),
        running=workspace.status is WorkspaceStatus.OPEN,
        lab=lab_address(visit.person.id, workspace.licence_id),
        spawn=spawn_address(visit.person.id, workspace.licence_id),
        rungs=_rungs(visit, licence, workspace),
        only_made_up=_only_made_up(visit, workspace),
        events=history(visit.hub, visit.actor, workspace.id),
    )


def _rungs(visit: Visit, licence: Licence, workspace: Workspace | None) -> list[dict[str, object]]:
    """For each table of the licence: what lies under its name now or at the next opening, and what can be chosen."""
    following = next_rungs(visit.hub, visit.actor, licence.id)
    inside: dict[str, Extract] = {}
    if workspace is not None and workspace.status is WorkspaceStatus.OPEN:
        with visit.hub.reading() as session:
            inside = {one.table_id: one for one in lying_in(session, workspace)}
    chosen = workspace.chosen if workspace is not None else {}
    return [
        {
            "table": row.table_id,
            "inside": inside.get(row.table_id),
            "next": following.get(row.table_id),
            "chosen": chosen.get(row.table_id, ""),
            "full": row.full_in_workspace,
            "choices": [("", msg("the best there is"))]
            + [
                (level.value, level)
                for level in ExtractLevel
                if level.value in row.levels and may_be_mounted(level, full_in_workspace=row.full_in_workspace)
            ],
        }
        for row in licence.tables
    ]


def _only_made_up(visit: Visit, workspace: Workspace) -> bool:
    with visit.hub.reading() as session:
        return sources_of(session, workspace, put_at=visit.hub.clock(), now=visit.hub.clock()).only_made_up


@router.post("/workspaces/{workspace_id}/rung")
def choose(visit: Visited, workspace_id: str) -> Response:
    """Choose how high a rung of a table lies in the workspace from its next opening on."""
    workspace = find_workspace(visit.hub, visit.actor, workspace_id)
    form = visit.form
    try:
        choose_rung(
            visit.hub,
            visit.actor,
            workspace_id=workspace_id,
            table_id=form.text("table"),
            level=form.one_of("level", ExtractLevel) if form.optional("level") else None,
        )
    except HubError as error:
        return _outbox_page(visit, workspace, error)
    notice = msg("The rung is chosen; it holds from the next opening of the workspace on.")
    return visit.redirect("workspaces", workspace_id, notice=notice)


def _said(refused: str | None) -> Message | None:
    if refused is None:
        return None
    return both(en=str(refused), zh=refused.zh if isinstance(refused, Words) else str(refused))


def spawn_address(person_id: str, licence_id: str) -> str:
    """Where the hub starts the person's workspace under a licence."""
    return f"/hub/spawn/{quote(person_id, safe='')}/{quote(licence_id, safe='')}"


def lab_address(person_id: str, licence_id: str) -> str:
    """Where a running workspace is served."""
    return f"/user/{quote(person_id, safe='')}/{quote(licence_id, safe='')}/lab"
