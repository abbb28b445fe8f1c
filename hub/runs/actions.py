"""Ask for a sealed run, review its code, run it, hand its outputs to the gate.

What must hold:
1. What runs is what was reviewed: the notebook is frozen by digest, the decision is for it, and it is hashed again.
2. The licence is asked when the run is asked for, approved, started, and when its outputs are submitted.
3. Nothing that the code prints, draws or raises is kept; only `sandbox.sealed.Ran` is.
4. Files leave the box only by names that were named before; their contents are the gate's from then on.
5. How long it took is told in whole minutes: the end is written down when the minute is full.
6. However it ends, nothing of it stays on the disk but what the gate froze.
"""

from __future__ import annotations

import hashlib
import math
import platform
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import distributions
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from anonymize.table import file_digest
from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import ChecksFailed, HubError, InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.extracts.actions import extract_path, issued_rungs
from hub.extracts.model import Extract
from hub.extracts.rules import refusals_to_use_extract
from hub.gate.actions import SealedOutputs, check_export, enter_sealed, stored
from hub.gate.screening import Screen, screen_frozen
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.licensing.actions import agreed_in, licence_in, licence_to_work, listed_people, usable_licence
from hub.licensing.actions import may_see as may_see_licence
from hub.licensing.model import ExtractLevel, Licence, ProductForm
from hub.licensing.personnel import refusals_of_personnel
from hub.licensing.terms import refusals_to_offer
from hub.message import both, msg
from hub.numbering import newest_first, next_id
from hub.people.actor import SYSTEM, Actor, OrgKind
from hub.people.rules import Verb
from hub.rulebook.packs import pack_in_force
from hub.rulebook.parameters import Parameter
from hub.runs.model import RunDecision, RunDecisionKind, RunOrder, RunOutcome, RunStatus
from hub.runs.notebook import Notebook, read_notebook
from hub.runs.rules import (
    RunFacts,
    refusals_of_notebook,
    refusals_of_rate,
    refusals_of_waiting,
    refusals_to_decide,
    refusals_to_end,
    refusals_to_request,
    refusals_to_start,
    refusals_to_withdraw,
    refusals_without_full,
)
from hub.wording import refusals_of_words
from hub.workspaces.actions import workspace_dir
from hub.workspaces.model import Workspace
from hub.workspaces.rules import Origin, refusals_of_destroyed, refusals_to_mount
from sandbox.errors import SandboxError
from sandbox.notebook import freeze_notebook
from sandbox.outbox import FrozenFile, list_items
from sandbox.sealed import Ending, Ran, run_sealed
from sandbox.spec import Limits, ReadOnlyMount

WEEK = timedelta(days=7)
_OUTCOMES = {
    Ending.FAILED: RunOutcome.CELL,
    Ending.TIMED_OUT: RunOutcome.TIMED_OUT,
    Ending.OVERFULL: RunOutcome.OVERFULL,
    Ending.ENDED: RunOutcome.ENDED,
}


class Runner(Protocol):
    """What executes a notebook. `sandbox.sealed.run_sealed` is the one in use."""

    def __call__(
        self,
        notebook: bytes,
        *,
        extracts: Sequence[ReadOnlyMount],
        outbox: Path,
        limits: Limits,
        seconds: float,
        cells: int,
    ) -> Ran: ...


def request_run(
    hub: Hub,
    actor: Actor,
    *,
    workspace_id: str,
    notebook: str,
    title: str,
    purpose: str,
    outputs: Sequence[str],
    product_form: ProductForm,
) -> RunOrder:
    """Freeze a notebook of the workspace and ask for its run on the full extracts of the licence.

    Args:
        notebook: Name of the file at the top of the workspace.
        outputs: Names of the files that it puts into the outbox.

    Raises:
        NotFound: There is no such workspace, or it is one of another institution.
        NotAllowed: The licence is not usable now, or a rule of sealed runs stands against it.
        InvalidInput: The file cannot be kept, or is no notebook that may be reviewed.
    """
    with hub.transaction(actor, Verb.REQUEST_RUN, workspace_id) as tx:
        workspace = tx.session.get(Workspace, workspace_id)
        if workspace is None or not may_see_licence(licence_in(tx.session, workspace.licence_id).operator_org, actor):
            raise NotFound(unknown(workspace_id))
        tx.refuse(refusals_of_words(workspace_id, lines=[title, *outputs], texts=[purpose]), InvalidInput)
        tx.refuse(refusals_of_destroyed(workspace_id, workspace.status), NotAllowed)
        licence = licence_to_work(tx.session, workspace.licence_id, actor, tx.now)
        tx.refuse(
            refusals_to_offer(
                licence.id, agreed_in(licence), form=product_form, lane=licence.lane, submitted_in_week=0
            ),
            NotAllowed,
        )
        names = [name.strip() for name in outputs if name.strip()]
        tx.refuse(
            refusals_to_request(
                actor=actor,
                owner_id=workspace.person_id,
                workspace_id=workspace_id,
                title=title,
                purpose=purpose,
                outputs=names,
                full_extracts=len(full_extracts(tx.session, licence.id, tx.now)),
            ),
            NotAllowed,
        )
        tx.refuse(rate_refusals(tx.session, licence.id, tx.now), NotAllowed)
        tx.refuse(waiting_refusals(tx.session, licence.id, tx.now), NotAllowed)
        frozen = _frozen(hub, workspace_id, notebook)
        read = read_notebook(frozen.path.read_bytes(), workspace_id)
        if not isinstance(read, Notebook):
            raise InvalidInput(*read)
        run = RunOrder(
            id=next_id(tx.session, "n"),
            licence_id=licence.id,
            workspace_id=workspace_id,
            author_id=actor.person_id,
            author_org=actor.org_id,
            title=title.strip(),
            purpose=purpose.strip(),
            product_form=product_form,
            outputs=names,
            notebook_name=frozen.name,
            notebook_sha256=frozen.sha256,
            notebook_cells=len(read.cells),
            digest="",
            status=RunStatus.IN_REVIEW,
            requested_at=tx.now,
            extract_ids=[],
            decisions=[],
        )
        run.digest = run_digest(run)
        tx.session.add(run)
        tx.session.flush()
        tx.record(
            EventKind.RUN_REQUESTED,
            "run",
            run.id,
            digest=run.digest,
            licence_id=licence.id,
            counters={"cells": run.notebook_cells, "outputs": len(names)},
            details={"notebook": run.notebook_sha256, "workspace": workspace_id},
        )
        return run


def decide_run(hub: Hub, actor: Actor, *, run_id: str, digest: str, approve: bool, reason: str) -> RunOrder:
    """Enter the decision of the code review, on exactly this digest.

    Raises:
        NotFound: There is no such run, or not for this actor.
        NotAllowed: A rule of sealed runs stands against it, or the licence is not usable now.
        ChecksFailed: The notebook that is kept is not the one that was frozen.
    """
    with hub.transaction(actor, Verb.DECIDE_RUN, run_id) as tx:
        run = _visible(tx.session, run_id, actor)
        tx.refuse(refusals_of_words(run_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_decide(facts_of(tx.session, run), actor, digest=digest, reason=reason), NotAllowed)
        usable_licence(tx.session, run.licence_id, tx.now)
        notebook_bytes(hub, run)
        kind = RunDecisionKind.APPROVE if approve else RunDecisionKind.REFUSE
        run.decisions.append(
            RunDecision(
                person_id=actor.person_id,
                org_id=actor.org_id,
                decision=kind,
                reason=reason.strip(),
                digest=digest,
                decided_at=tx.now,
            )
        )
        run.status = RunStatus.APPROVED if approve else RunStatus.REFUSED
        tx.session.flush()
        tx.record(
            EventKind.RUN_DECIDED,
            "run",
            run_id,
            digest=digest,
            licence_id=run.licence_id,
            decision=kind,
            details={"reason_digest": hashlib.sha256(reason.strip().encode()).hexdigest()},
        )
        return run


def withdraw_run(hub: Hub, actor: Actor, *, run_id: str) -> RunOrder:
    """Take a run back that has not begun."""
    with hub.transaction(actor, Verb.REQUEST_RUN, run_id) as tx:
        run = _visible(tx.session, run_id, actor)
        tx.refuse(refusals_to_withdraw(facts_of(tx.session, run), actor), NotAllowed)
        run.status = RunStatus.WITHDRAWN
        tx.record(EventKind.RUN_WITHDRAWN, "run", run_id, digest=run.digest, licence_id=run.licence_id)
        return run


def start_run(hub: Hub, actor: Actor, *, run_id: str) -> RunOrder:
    """Begin an approved run: everything is asked again, the extracts are fixed. `perform_run` does the work.

    Raises:
        NotFound: There is no such run, or not for this actor.
        NotAllowed: The licence is not usable now, or a rule of sealed runs stands against it.
        ChecksFailed: The notebook or an extract is not the one that was reviewed or issued.
    """
    with hub.transaction(actor, Verb.START_RUN, run_id) as tx:
        run = _visible(tx.session, run_id, actor)
        tx.refuse(refusals_to_start(facts_of(tx.session, run), actor), NotAllowed)
        licence = usable_licence(tx.session, run.licence_id, tx.now)
        tx.refuse(refusals_of_personnel(licence.id, run.author_id, listed_people(licence)), NotAllowed)
        tx.refuse(rate_refusals(tx.session, licence.id, tx.now), NotAllowed)
        notebook_bytes(hub, run)
        extracts = full_extracts(tx.session, licence.id, tx.now)
        tx.refuse(refusals_without_full(run_id, len(extracts)), NotAllowed)
        for extract in extracts:
            _refuse_changed(hub, tx, licence, extract)
        run.status, run.started_by, run.started_at = RunStatus.RUNNING, actor.person_id, tx.now
        run.extract_ids = [extract.id for extract in extracts]
        run.environment_digest = environment_digest()
        tx.record(
            EventKind.RUN_STARTED,
            "run",
            run_id,
            digest=run.digest,
            licence_id=licence.id,
            details={
                "notebook": run.notebook_sha256,
                "environment": run.environment_digest,
                **{f"extract.{extract.id}": extract.digest for extract in extracts},
            },
        )
        return run


def perform_run(
    hub: Hub,
    *,
    run_id: str,
    runner: Runner = run_sealed,
    screen: Screen = screen_frozen,
    pause: Callable[[float], None] = time.sleep,
) -> RunOrder:
    """Do the work of a run that has begun, and write down how it ended. Runs long: not in a request's own thread.

    Raises:
        InvalidState: The run has ended already; nothing of this one is kept.
    """
    with hub.reading() as session:
        run = _run(session, run_id)
        if against := refusals_to_end(facts_of(session, run)):
            raise InvalidState(*against)
        extracts = [session.get_one(Extract, extract_id) for extract_id in run.extract_ids]
    folder = hub.folders.runs / run_id
    began = time.monotonic()
    try:
        ran = _box(hub, run, extracts, folder, runner)
        elapsed = time.monotonic() - began
        minutes = max(1, math.ceil(elapsed / 60))
        pause(minutes * 60 - elapsed)  # 5
        return _finish(hub, run_id, ran, folder / "outbox", minutes=minutes, screen=screen)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # 6


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStarted:
    """The box did not come up."""


def _box(hub: Hub, run: RunOrder, extracts: Sequence[Extract], folder: Path, runner: Runner) -> Ran | NotStarted:
    settings = hub.settings
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "outbox").mkdir(parents=True, mode=0o700)
    try:
        return runner(
            notebook_bytes(hub, run),
            extracts=[
                ReadOnlyMount(name=one.table_id, source=extract_path(hub, one), level=one.level.value)
                for one in extracts
            ],
            outbox=folder / "outbox",
            limits=Limits(
                memory_bytes=settings.workspace_memory,
                processes=settings.workspace_processes,
                cpu_percent=settings.workspace_cpu_percent,
                file_bytes=settings.workspace_file,
                scratch_bytes=settings.workspace_scratch,
            ),
            seconds=settings.run_seconds,
            cells=run.notebook_cells,
        )
    except (SandboxError, ChecksFailed):
        return NotStarted()


def _finish(hub: Hub, run_id: str, ran: Ran | NotStarted, outbox: Path, *, minutes: int, screen: Screen) -> RunOrder:
    """Submit the outputs of a run that finished; else write down why there are none."""
    if isinstance(ran, NotStarted):
        return _fail(hub, run_id, RunOutcome.NOT_STARTED, minutes=minutes)
    if ran.ending is not Ending.FINISHED:
        return _fail(hub, run_id, _OUTCOMES[ran.ending], ran=ran, minutes=minutes)
    try:
        request_id = _submit(hub, run_id, outbox, minutes=minutes)
    except NotAllowed:
        return _fail(hub, run_id, RunOutcome.LICENCE, minutes=minutes)
    except InvalidInput:
        return _fail(hub, run_id, RunOutcome.NOT_FROZEN, minutes=minutes)
    if isinstance(request_id, RunOutcome):
        return _fail(hub, run_id, request_id, minutes=minutes)
    check_export(hub, request_id=request_id, screen=screen)
    with hub.reading() as session:
        return _run(session, run_id)


def _submit(hub: Hub, run_id: str, outbox: Path, *, minutes: int) -> str | RunOutcome:
    """Enter the outputs as an export request; its id, or why there are none. The end and the request commit together.

    Raises:
        NotAllowed: The licence ended meanwhile, or an extract was taken out of use.
        InvalidInput: An output cannot be frozen.
        InvalidState: The run has ended already.
    """
    with hub.transaction(SYSTEM, "end_run", run_id) as tx:
        run = _run(tx.session, run_id)
        tx.refuse(refusals_to_end(facts_of(tx.session, run)), InvalidState)
        items = list_items(outbox)
        if not items:
            return RunOutcome.NO_OUTPUT
        if not {item.payload for item in items} <= set(run.outputs):  # 4
            return RunOutcome.UNEXPECTED_OUTPUT
        extracts = [tx.session.get_one(Extract, extract_id) for extract_id in run.extract_ids]
        for one in extracts:
            tx.refuse(
                refusals_to_use_extract(extract_id=one.id, status=one.status, expires_at=one.expires_at, now=tx.now),
                NotAllowed,
            )
        request = enter_sealed(
            hub,
            tx,
            SealedOutputs(
                run_id=run.id,
                licence_id=run.licence_id,
                workspace_id=run.workspace_id,
                author_id=run.author_id,
                author_org=run.author_org,
                title=run.title,
                reason=run.purpose,
                product_form=run.product_form,
                extract_ids=tuple(run.extract_ids),
                outbox=outbox,
                slugs=tuple(item.slug for item in items),
                provenance={
                    "run": run.id,
                    "notebook": run.notebook_sha256,
                    "environment": run.environment_digest,
                    **{f"extract.{one.id}": one.digest for one in extracts},
                },
                prechecked_by=tuple({one.person_id for one in run.decisions} | {run.started_by or ""}),
            ),
        )
        run.status, run.request_id = RunStatus.SUBMITTED, request.id
        _end(tx, run, minutes=minutes, details={"request": request.id})
        return request.id


def _fail(hub: Hub, run_id: str, outcome: RunOutcome, *, ran: Ran | None = None, minutes: int = 0) -> RunOrder:
    with hub.transaction(SYSTEM, "end_run", run_id) as tx:
        run = _run(tx.session, run_id)
        tx.refuse(refusals_to_end(facts_of(tx.session, run)), InvalidState)
        run.status, run.outcome = RunStatus.FAILED, outcome
        if ran is not None:
            run.failed_cell, run.failed_class = ran.cell, ran.error
        _end(tx, run, minutes=minutes, details={"class": run.failed_class or "-"})
        return run


def _end(tx: Transaction, run: RunOrder, *, minutes: int, details: dict[str, str]) -> None:
    run.ended_at, run.minutes = tx.now, minutes
    tx.record(
        EventKind.RUN_ENDED,
        "run",
        run.id,
        digest=run.digest,
        licence_id=run.licence_id,
        decision=run.status,
        reason_codes=[run.outcome] if run.outcome else [],
        counters={"minutes": minutes, "cell": run.failed_cell or 0},
        details=details,
    )


def end_cut_off_runs(hub: Hub) -> None:
    """Write down runs whose service was stopped as interrupted; nothing of them is kept. At each start of the site."""
    with hub.reading() as session:
        cut_off = list(session.scalars(select(RunOrder.id).where(RunOrder.status == RunStatus.RUNNING)))
    for run_id in cut_off:
        _fail(hub, run_id, RunOutcome.INTERRUPTED)
    for left in hub.folders.runs.iterdir():
        shutil.rmtree(left, ignore_errors=True)


def full_extracts(session: Session, licence_id: str, now: datetime) -> list[Extract]:
    """The newest full extract in use of each table of a licence."""
    rungs = issued_rungs(session, licence_id, now)
    return [rungs[table][ExtractLevel.FULL] for table in sorted(rungs) if ExtractLevel.FULL in rungs[table]]


def rate_refusals(session: Session, licence_id: str, now: datetime) -> tuple[Refusal, ...]:
    """What stands against one more run of this licence now, by the rule pack in force."""
    recent = select(func.count(RunOrder.id)).where(RunOrder.licence_id == licence_id, RunOrder.started_at > now - WEEK)
    most = pack_in_force(now).count(Parameter.RUN_PER_WEEK)
    return refusals_of_rate(licence_id, started=int(session.scalar(recent) or 0), most=most)


def waiting_refusals(session: Session, licence_id: str, now: datetime) -> tuple[Refusal, ...]:
    """What stands against one more run of this licence asking for its review now."""
    reviewed = select(func.count(RunOrder.id)).where(
        RunOrder.licence_id == licence_id, RunOrder.status == RunStatus.IN_REVIEW
    )
    most = pack_in_force(now).count(Parameter.RUN_IN_REVIEW)
    return refusals_of_waiting(licence_id, waiting=int(session.scalar(reviewed) or 0), most=most)


def run_digest(run: RunOrder) -> str:
    """What reviewers decide on: the notebook's bytes, what it is for, and what it may put out."""
    described = {
        "notebook": run.notebook_sha256,
        "title": run.title,
        "purpose": run.purpose,
        "outputs": run.outputs,
        "form": run.product_form.value,
        "licence": run.licence_id,
        "author": run.author_id,
    }
    return hashlib.sha256(canonical(described)).hexdigest()


def environment_digest() -> str:
    """SHA-256 over the interpreter's version and every installed package with its version: what the code ran with."""
    packages = sorted({f"{one.metadata['Name']}=={one.version}" for one in distributions()})
    return hashlib.sha256("\n".join([platform.python_version(), *packages]).encode()).hexdigest()


def notebook_bytes(hub: Hub, run: RunOrder) -> bytes:
    """The frozen notebook, hashed again.

    Raises:
        ChecksFailed: It is not the one that was frozen, or the order is not the one that was entered.
    """
    path = stored(hub, run.notebook_sha256)
    content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    refusals = refusals_of_notebook(
        run.id, reviewed=run.notebook_sha256, found=hashlib.sha256(content).hexdigest()
    ) or refusals_of_notebook(run.id, reviewed=run.digest, found=run_digest(run))
    if refusals:
        raise ChecksFailed(*refusals)
    return content


def shown_notebook(hub: Hub, run: RunOrder) -> Notebook | None:
    """The code as a reviewer reads it; None where the kept bytes are not the frozen ones."""
    try:
        read = read_notebook(notebook_bytes(hub, run), run.id)
    except HubError:
        return None
    return read if isinstance(read, Notebook) else None


def facts_of(session: Session, run: RunOrder) -> RunFacts:
    """The run as rules see it."""
    builders = select(Extract.built_by).where(Extract.licence_id == run.licence_id)
    return RunFacts(
        id=run.id,
        status=run.status,
        digest=run.digest,
        author_id=run.author_id,
        author_org=run.author_org,
        operator_org=licence_in(session, run.licence_id).operator_org,
        builders=frozenset(session.scalars(builders)) - {SYSTEM.person_id},
        reviewers=frozenset(one.person_id for one in run.decisions),
    )


def may_see(session: Session, run: RunOrder, actor: Actor) -> bool:
    """The author's institution, the departments whose data the licence covers, bureau, centre and audit."""
    match actor.org_kind:
        case OrgKind.OPERATOR | OrgKind.DEVELOPER:
            return run.author_org == actor.org_id
        case OrgKind.DEPARTMENT:
            tables = [row.table_id for row in licence_in(session, run.licence_id).tables]
            owners = select(CatalogTable.owner_org).where(CatalogTable.id.in_(tables))
            return actor.org_id in set(session.scalars(owners))
        case OrgKind.BUREAU | OrgKind.CENTRE | OrgKind.AUDIT:
            return True
        case OrgKind.CYBERSPACE | OrgKind.EXPERTS | OrgKind.ASSESSOR | OrgKind.SYSTEM:
            return False


def list_runs(hub: Hub, actor: Actor) -> list[RunOrder]:
    """Sealed runs that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(RunOrder).order_by(*newest_first(RunOrder.id)))
        return [run for run in found if may_see(session, run, actor)]


def find_run(hub: Hub, actor: Actor, run_id: str) -> RunOrder:
    """One sealed run, if the actor may see it."""
    with hub.reading() as session:
        return _visible(session, run_id, actor)


def _visible(session: Session, run_id: str, actor: Actor) -> RunOrder:
    run = _run(session, run_id)
    if not may_see(session, run, actor):
        raise NotFound(unknown(run_id))
    return run


def _run(session: Session, run_id: str) -> RunOrder:
    run = session.get(RunOrder, run_id)
    if run is None:
        raise NotFound(unknown(run_id))
    return run


def _refuse_changed(hub: Hub, tx: Transaction, licence: Licence, extract: Extract) -> None:
    path = extract_path(hub, extract)
    policies = {row.table_id: row.policy_digest for row in licence.tables}
    tx.refuse(
        refusals_to_mount(
            extract_id=extract.id,
            issued=Origin(digest=extract.digest, source=extract.source_digest, policy=extract.policy_digest),
            found=Origin(
                digest=file_digest(path) if path.is_file() and not path.is_symlink() else "",
                source=tx.session.get_one(CatalogTable, extract.table_id).raw_digest,
                policy=policies.get(extract.table_id, ""),
            ),
        ),
        ChecksFailed,
    )


def _frozen(hub: Hub, workspace_id: str, notebook: str) -> FrozenFile:
    try:
        return freeze_notebook(workspace_dir(hub, workspace_id) / "home", notebook, hub.folders.frozen)
    except SandboxError as error:
        raise InvalidInput(
            Refusal(
                rule=error.code,
                subject=workspace_id,
                text=both(en=str(error.text), zh=error.text.zh),
                next_step=both(en=str(error.next_step), zh=error.next_step.zh),
            )
        ) from error
    except OSError as error:
        raise InvalidInput(
            Refusal(
                rule="run.no_home",
                subject=workspace_id,
                text=msg("The workspace has no notebooks yet."),
                next_step=msg("Start the workspace and save a notebook at its top."),
            )
        ) from error
