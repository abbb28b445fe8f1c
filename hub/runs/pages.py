"""Pages of the sealed runs: ask for one, read its code, decide, start, see how it ended."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks
from starlette.responses import Response

from hub.errors import HubError
from hub.licensing.actions import find_licence, refusals_to_work
from hub.licensing.model import ProductForm
from hub.message import msg
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.packs import pack_in_force
from hub.rulebook.parameters import Parameter
from hub.runs.actions import (
    decide_run,
    facts_of,
    find_run,
    full_extracts,
    list_runs,
    perform_run,
    rate_refusals,
    request_run,
    shown_notebook,
    start_run,
    waiting_refusals,
    withdraw_run,
)
from hub.runs.model import RunDecisionKind, RunOrder, RunStatus
from hub.runs.rules import refusals_to_decide, refusals_to_start, refusals_to_withdraw, refusals_without_full
from hub.web.history import history
from hub.web.visit import Visit, Visited
from hub.workspaces.actions import find_workspace, list_workspaces, open_refusals, workspace_dir
from hub.workspaces.model import Workspace
from sandbox.errors import SandboxError
from sandbox.notebook import NotebookFile, list_notebooks

router = APIRouter()


@router.get("/runs")
def listing(visit: Visited) -> Response:
    """Sealed runs the reader may see; those that wait for the reader first."""
    runs = list_runs(visit.hub, visit.actor)
    waiting = [run for run in runs if waits_for(visit, run)]
    return visit.page(
        "runs/list.html",
        waiting=waiting,
        others=[run for run in runs if run not in waiting],
        workspaces=list_workspaces(visit.hub, visit.actor),
        ask_refusals=refusals_to_act(visit.actor, Verb.REQUEST_RUN),
        most=pack_in_force(visit.hub.clock()).count(Parameter.RUN_PER_WEEK),
    )


def waits_for(visit: Visit, run: RunOrder) -> bool:
    """Whether the reader can take the next step of this run now."""
    if visit.lapses:
        return False
    with visit.hub.reading() as session:
        facts = facts_of(session, run)
    decides = not refusals_to_decide(facts, visit.actor, digest=run.digest, reason="-" * 99)
    return decides or not refusals_to_start(facts, visit.actor)


@router.get("/runs/new/{workspace_id}")
def new(visit: Visited, workspace_id: str) -> Response:
    """The form that asks for a sealed run of a notebook of the reader's workspace."""
    return _new_page(visit, find_workspace(visit.hub, visit.actor, workspace_id))


@router.post("/runs/new/{workspace_id}")
def ask(visit: Visited, workspace_id: str) -> Response:
    """Freeze the notebook and ask for its run."""
    workspace = find_workspace(visit.hub, visit.actor, workspace_id)
    form = visit.form
    try:
        run = request_run(
            visit.hub,
            visit.actor,
            workspace_id=workspace_id,
            notebook=form.text("notebook"),
            title=form.optional("title"),
            purpose=form.optional("purpose"),
            outputs=form.optional("outputs").split(),
            product_form=form.one_of("form", ProductForm),
        )
    except HubError as error:
        return _new_page(visit, workspace, error)
    notice = msg("Sealed run {run} is filed; its notebook is frozen and waits for review.", run=run.id)
    return visit.redirect("runs", run.id, notice=notice)


def _new_page(visit: Visit, workspace: Workspace, error: HubError | None = None) -> Response:
    now = visit.hub.clock()
    with visit.hub.reading() as session:
        missing = refusals_without_full(workspace.id, len(full_extracts(session, workspace.licence_id, now)))
        rate = rate_refusals(session, workspace.licence_id, now) or waiting_refusals(session, workspace.licence_id, now)
    licence = find_licence(visit.hub, visit.actor, workspace.licence_id)
    return visit.page(
        "runs/new.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        workspace=workspace,
        licence=licence,
        notebooks=[(one.name, one.name) for one in _notebooks(visit, workspace)],
        forms=[(form.value, form) for form in ProductForm],
        against=(*visit.lapses, *refusals_to_work(licence, visit.actor, now), *missing, *rate),
    )


def _notebooks(visit: Visit, workspace: Workspace) -> list[NotebookFile]:
    try:
        return list_notebooks(workspace_dir(visit.hub, workspace.id) / "home")
    except (SandboxError, OSError):
        return []


@router.get("/runs/{run_id}")
def detail(visit: Visited, run_id: str) -> Response:
    """One sealed run with everything a reviewer decides on."""
    return _page(visit, find_run(visit.hub, visit.actor, run_id))


@router.post("/runs/{run_id}/decide")
def decide(visit: Visited, run_id: str) -> Response:
    """Decide on the code, on the digest that the page showed."""
    run = find_run(visit.hub, visit.actor, run_id)
    form = visit.form
    try:
        decide_run(
            visit.hub,
            visit.actor,
            run_id=run_id,
            digest=form.text("digest"),
            approve=form.one_of("decision", RunDecisionKind) is RunDecisionKind.APPROVE,
            reason=form.optional("reason"),
        )
    except HubError as error:
        return _page(visit, run, error)
    return visit.redirect("runs", run_id, notice=msg("Your decision is entered; it stands."))


@router.post("/runs/{run_id}/start")
def start(visit: Visited, run_id: str, background: BackgroundTasks) -> Response:
    """Start an approved run; the work goes on after the answer, the page follows it."""
    run = find_run(visit.hub, visit.actor, run_id)
    try:
        start_run(visit.hub, visit.actor, run_id=run_id)
    except HubError as error:
        return _page(visit, run, error)
    background.add_task(perform_run, visit.hub, run_id=run_id)
    answer = visit.redirect("runs", run_id, notice=msg("Sealed run {run} has begun.", run=run_id))
    answer.background = background
    return answer


@router.post("/runs/{run_id}/withdraw")
def withdraw(visit: Visited, run_id: str) -> Response:
    """The author takes a run back that has not begun."""
    run = find_run(visit.hub, visit.actor, run_id)
    try:
        withdraw_run(visit.hub, visit.actor, run_id=run_id)
    except HubError as error:
        return _page(visit, run, error)
    return visit.redirect("runs", run_id, notice=msg("Sealed run {run} is taken back.", run=run_id))


def _page(visit: Visit, run: RunOrder, error: HubError | None = None) -> Response:
    with visit.hub.reading() as session:
        facts = facts_of(session, run)
        rate = rate_refusals(session, run.licence_id, visit.hub.clock())
    licence = find_licence(visit.hub, visit.actor, run.licence_id)
    against = (*visit.lapses, *refusals_to_work(licence, visit.actor, visit.hub.clock()))
    return visit.page(
        "runs/detail.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        run=run,
        licence=licence,
        notebook=shown_notebook(visit.hub, run),
        is_author=visit.person.id == run.author_id,
        in_review=run.status is RunStatus.IN_REVIEW,
        is_running=run.status is RunStatus.RUNNING,
        may_start=run.status is RunStatus.APPROVED and not refusals_to_act(visit.actor, Verb.START_RUN),
        may_decide=not refusals_to_act(visit.actor, Verb.DECIDE_RUN),
        decide_refusals=(*refusals_to_decide(facts, visit.actor, digest=run.digest, reason="-" * 99), *against),
        start_refusals=(*refusals_to_start(facts, visit.actor), *against, *rate),
        withdraw_refusals=refusals_to_withdraw(facts, visit.actor),
        decisions=[(kind.value, kind) for kind in RunDecisionKind],
        again=run.status in (RunStatus.FAILED, RunStatus.REFUSED, RunStatus.WITHDRAWN)
        and visit.person.id == run.author_id
        and not open_refusals(visit.hub, visit.actor, run.licence_id),
        events=history(visit.hub, visit.actor, run.id),
    )
