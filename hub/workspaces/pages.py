"""Pages of the workspaces: open one under a licence, look into its outbox, submit from it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError
from hub.gate.actions import list_requests, submit_export
from hub.licensing.actions import find_licence, find_scenario, list_licences
from hub.licensing.model import ProductForm
from hub.message import Message, both, msg
from hub.people.rules import Verb, refusals_to_act
from hub.web.history import history
from hub.web.visit import Visit, Visited
from hub.workspaces.actions import find_workspace, list_workspaces, open_refusals, workspace_dir
from hub.workspaces.model import Workspace, WorkspaceStatus
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
    unread: Message | None = None
    items: list[dict[str, object]] = []
    try:
        items = [
            {"slug": item.slug, "title": item.title, "reason": item.reason, "payload": item.payload, "size": item.size}
            | {"refused": _said(item.refused)}
            for item in list_items(workspace_dir(visit.hub, workspace.id) / "outbox")
        ]
    except SandboxError as failed:
        unread = both(en=failed.in_language("en"), zh=failed.in_language("zh"))
    return visit.page(
        "workspaces/outbox.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        chosen=visit.form.many("item"),
        workspace=workspace,
        licence=find_licence(visit.hub, visit.actor, workspace.licence_id),
        items=items,
        unread=unread,
        forms=[(form.value, form) for form in ProductForm],
        earlier=earlier,
        closed=[("", msg("none")), *((one.id, one.id) for one in earlier if one.closed_at is not None)],
        against=open_refusals(visit.hub, visit.actor, workspace.licence_id),
        running=workspace.status is WorkspaceStatus.OPEN,
        lab=lab_address(visit.person.id, workspace.licence_id),
        spawn=spawn_address(visit.person.id, workspace.licence_id),
        events=history(visit.hub, visit.actor, workspace.id),
    )


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
