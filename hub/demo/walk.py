"""`make demo`: the whole chain in the terminal, from two department tables to a product released and one refused.

Nothing stands in for anything: the tables are scanned in a box, the extracts built by the worker, the notebook code
runs in the split sandbox, the machine checks run on frozen bytes in a box, and the bundle is verified offline at the
end. State is made anew in a folder of its own and removed; `build/demo` keeps the bundle and the extract.
"""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hub.catalog.actions import publish_table, register_table
from hub.catalog.rules import TableDraft
from hub.context import Hub, open_hub
from hub.demo.agreement import conclude, proposal
from hub.demo.catalog import ELDER_CARE, FAIR, policy_of
from hub.demo.ladder import approved, climb
from hub.demo.licences import give_opinions
from hub.demo.notebook import REFUSED_CELL, RELEASED_CELL
from hub.demo.people import appoint_cast
from hub.demo.sealed import sealed_run
from hub.demo.tables import write_elder_care, write_fair
from hub.demo.terminal import Terminal, WalkFailed
from hub.errors import HubError
from hub.extracts.actions import build_extract, extract_path, prepare_rungs
from hub.extracts.model import Extract, ExtractStatus
from hub.gate.actions import cast_vote, submit_export
from hub.gate.model import Decision, ExportRequest, RequestStatus
from hub.intake.actions import receive_file
from hub.ledger.actions import verify
from hub.licensing.actions import decide_scenario, file_scenario
from hub.licensing.model import ExtractLevel, Lane, Licence, ProductForm
from hub.message import both, msg
from hub.people.actions import find_person
from hub.people.actor import Actor
from hub.products.actions import deliver_release, public_keys, redeem_grant
from hub.products.verify import verify_bundle
from hub.settings import PROJECT, Settings
from hub.web.words import word
from hub.workspaces.actions import Room, mount_extracts, open_workspace
from sandbox.client import connect
from sandbox.outbox import list_items
from sandbox.spec import Limits, ReadOnlyMount, WorkspaceSpec
from sandbox.uids import allot_uid
from sandbox.workspace import Workspace

OUT = PROJECT / "build" / "demo"


def walk(translate: Callable[[str], str]) -> None:
    """Do the walk.

    Raises:
        WalkFailed: A step did not end as it must.
        HubError, SandboxError: A step was refused that must not be.
    """
    began = time.monotonic()
    out = Terminal(translate)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="zhakou-demo-") as folder:
        hub = open_hub(Settings(state_dir=Path(folder) / "var"))
        _steps(hub, out)
    out.line(msg("The whole walk took {seconds} seconds.", seconds=round(time.monotonic() - began)))


def _steps(hub: Hub, out: Terminal) -> None:
    with out.step(msg("Organisations and people")):
        appoint_cast(hub)
    with out.step(msg("Intake and catalog: two tables are registered and published")):
        _tables(hub, out)
    with out.step(msg("Scenario and licence")):
        licence = _licence(hub, out)
    with out.step(msg("Ladder: metadata and synthetic rows at once, the full extract by two approvals")):
        _lower_rungs(hub, out, licence)
        extracts = [_extract(hub, out, licence, table_id) for table_id in ("fair", "mz_elder_care")]
    with out.step(msg("Workspace: the analyst's code runs in the split sandbox")):
        room = open_workspace(hub, _actor(hub, "ky-analyst"), licence_id=licence.id)
        asyncio.run(_work(hub, out, room))
    with out.step(msg("Gate: bytes are frozen, machine checks run on them")):
        good = _submit(hub, out, room, payload="demand.csv", title="各街道养老服务需求")
        bad = _submit(hub, out, room, payload="rows.csv", title="逐行明细")
        _refused_by_machine(out, bad)
    with out.step(msg("Review: people outside of the author's institution vote on the digest")):
        _review(hub, out, good)
    with out.step(msg("Release: asked again, event first, bytes after")):
        bundle = _release(hub, out, good)
    with out.step(msg("Verification offline")):
        _verify(hub, out, bundle)
    with out.step(msg("Sealed run: reviewed code on the full extract, its outputs unseen until released")):
        sealed_run(hub, out, room, review=_review, release=_release)
    elder = extracts[1]
    shutil.copy2(bundle, OUT / "bundle.zip")
    shutil.copy2(extract_path(hub, elder), OUT / "extract.parquet")
    with out.step(msg("Ledger")):
        _ledger(hub, out)
    out.line(msg("Released: {path}", path=str((OUT / "bundle.zip").relative_to(PROJECT))))
    out.line(msg("Check it yourself: {command}", command=".venv/bin/zhakou verify build/demo/bundle.zip"))


def _tables(hub: Hub, out: Terminal) -> None:
    with tempfile.TemporaryDirectory(prefix="zhakou-tables-") as folder:
        elder, fair = Path(folder) / "mz_elder_care.csv", Path(folder) / "fair.csv"
        write_elder_care(elder)
        write_fair(fair)
        _table(hub, out, fair, steward="tj-steward", draft=FAIR)
        _table(hub, out, elder, steward="mz-steward", draft=ELDER_CARE)


def _table(hub: Hub, out: Terminal, file: Path, *, steward: str, draft: TableDraft) -> None:
    actor = _actor(hub, steward)
    raw = receive_file(hub, actor, stream=io.BytesIO(file.read_bytes()), name=file.name, no_state_secret=True)
    register_table(hub, actor, draft, raw_digest=raw.digest)
    table = publish_table(hub, _actor(hub, "bureau-officer"), table_id=draft.id)
    out.line(
        msg(
            "{table}: {rows} rows, {columns} columns, grade {grade}, sha256 {digest}",
            table=table.id,
            rows=raw.rows,
            columns=len(raw.columns),
            grade=table.grade,
            digest=raw.digest,
        )
    )


def _licence(hub: Hub, out: Terminal) -> Licence:
    officer = _actor(hub, "bureau-officer")
    drafts = (FAIR, ELDER_CARE)
    scenario = file_scenario(
        hub,
        _actor(hub, "ky-admin"),
        title="养老服务需求分布与站点选址",
        purpose="按街道与年龄段统计养老服务需求，为站点选址提供评价指数与报告。",
        lane=Lane.PUBLIC,
        table_ids=[draft.id for draft in drafts],
    )
    give_opinions(hub, scenario.id)
    decide_scenario(hub, officer, scenario_id=scenario.id, approve=True, reason="公益用途，范围与风险明确。")
    now = hub.clock()
    header, items = proposal(
        hub,
        scenario_id=scenario.id,
        policies={draft.id: policy_of(draft.id) for draft in drafts},
        starts_at=now,
        ends_at=now + timedelta(days=365),
        document_ref="演示〔2026〕1号",
    )
    licence = conclude(hub, scenario_id=scenario.id, header=header, items=items)
    out.line(msg("Agreement {digest}: decided, signed by both sides, filed", digest=licence.contract_digest))
    out.line(
        msg(
            "Licence {licence} for {operator} until {day}, {count} reviewers",
            licence=licence.id,
            operator=licence.operator_org,
            day=licence.ends_at.date().isoformat(),
            count=licence.reviewers_required,
        )
    )
    return licence


def _lower_rungs(hub: Hub, out: Terminal, licence: Licence) -> None:
    """What the platform builds by itself, and what an analyst may not do with it."""
    for extract in prepare_rungs(hub, licence_id=licence.id):
        if extract.status is not ExtractStatus.ISSUED:
            raise WalkFailed(f"{extract.table_id}: {extract.refusal_en} [{extract.refusal_code}]")
        out.line(
            msg(
                "{extract} of {table}: {level}, {rows} rows, granted by the licence",
                extract=extract.id,
                table=extract.table_id,
                level=word(extract.level),
                rows=extract.rows,
            )
        )
    try:
        request = approved(
            hub,
            licence_id=licence.id,
            table_id="mz_elder_care",
            level=ExtractLevel.SAMPLED,
            requester="ky-analyst",
        )
        build_extract(hub, _actor(hub, "ky-analyst"), request_id=request.id)
    except HubError as error:
        out.refusals(error)
    else:
        raise WalkFailed("an analyst could build an extract")


def _extract(hub: Hub, out: Terminal, licence: Licence, table_id: str) -> Extract:
    extract = climb(hub, licence_id=licence.id, table_id=table_id, level=ExtractLevel.FULL, requester="ky-analyst")
    if extract.status is not ExtractStatus.ISSUED:
        raise WalkFailed(f"{table_id}: {extract.refusal_en} [{extract.refusal_code}]")
    rows = extract.manifest["rows"]
    out.line(
        msg(
            "{extract} of {table}: {rows} rows, {suppressed} suppressed, k {before} → {after}, sha256 {digest}",
            extract=extract.id,
            table=table_id,
            rows=extract.rows,
            suppressed=rows["suppressed"],
            before=extract.manifest["risk"]["before"]["k"],
            after=extract.k,
            digest=extract.digest,
        )
    )
    return extract


async def _work(hub: Hub, out: Terminal, room: Room) -> None:
    """Start the two boxes, run the two cells in a real kernel, stop."""
    mounted = mount_extracts(hub, _actor(hub, room.person_id), workspace_id=room.workspace_id)
    uid = allot_uid(hub.settings.state_dir / "uids", room.workspace_id) if os.geteuid() == 0 else None
    token = secrets.token_hex(16)
    workspace = Workspace(
        WorkspaceSpec(
            workspace_id=room.workspace_id,
            state_dir=room.state_dir,
            uid=uid,
            gid=uid,
            extracts=tuple(ReadOnlyMount(name=one.name, source=one.path, level=str(one.level)) for one in mounted),
            limits=Limits(memory_bytes=hub.settings.workspace_memory),
            server_argv_extra=(),
            server_env={"ZHAKOU_TOKEN": token},
            hub_socket=None,
            language="zh",
            display_name=room.person_id,
        )
    )
    socket = await workspace.start()
    try:
        for weakness in workspace.weaknesses:
            out.line(both(en=f"Weaker here: {weakness}", zh=f"此处弱于设计：{weakness.zh}"))
        async with connect(socket, token=token) as client, client.kernel() as kernel:
            for cell in (RELEASED_CELL, REFUSED_CELL):
                ran = await kernel.execute(cell, seconds=120)
                if ran.error:
                    raise WalkFailed(ran.error)
                print("".join(f"    | {line}\n" for line in ran.stdout.splitlines()), end="", flush=True)
    finally:
        await workspace.stop()


def _submit(hub: Hub, out: Terminal, room: Room, *, payload: str, title: str) -> ExportRequest:
    items = list_items(room.state_dir / "outbox")
    request = submit_export(
        hub,
        _actor(hub, room.person_id),
        workspace_id=room.workspace_id,
        slugs=[item.slug for item in items if item.payload == payload],
        title=title,
        reason="供区民政局与街道规划养老服务站点使用。",
        product_form=ProductForm.INDEX,
    )
    for file in request.files:
        out.line(msg("{request}: {name}, sha256 {digest}", request=request.id, name=file.name, digest=file.sha256))
    out.line(
        msg(
            "{request}: machine check {verdict}",
            request=request.id,
            verdict=request.check.verdict if request.check else "-",
        )
    )
    return request


def _refused_by_machine(out: Terminal, request: ExportRequest) -> None:
    codes = {finding["code"] for finding in request.check.report["findings"]} if request.check else set()
    if request.status is not RequestStatus.MACHINE_REFUSED or "RAW_ROWS" not in codes:
        raise WalkFailed("raw rows were not refused by the machine checks")
    out.line(msg("{request} is refused, with these reasons:", request=request.id))
    out.findings(request)


def _review(hub: Hub, out: Terminal, request: ExportRequest) -> None:
    if request.status is not RequestStatus.IN_REVIEW:
        out.findings(request)
        raise WalkFailed("the table of counts did not reach the reviewers")
    reason = "逐格看过：每格不少于十人，已取整，未见个人信息。"
    for outsider in ("ky-analyst", "ky-expert"):
        try:
            cast_vote(
                hub,
                _actor(hub, outsider),
                request_id=request.id,
                digest=request.digest,
                decision=Decision.APPROVE,
                reason=reason,
            )
        except HubError as error:
            out.refusals(error)
        else:
            raise WalkFailed(f"{outsider} could vote")
    for reviewer in ("mz-reviewer", "tj-reviewer", "centre-reviewer"):
        voted = cast_vote(
            hub,
            _actor(hub, reviewer),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason=reason,
        )
        out.line(msg("{person} approves digest {digest}", person=reviewer, digest=voted.digest))
    if voted.status is not RequestStatus.APPROVED:
        raise WalkFailed("the votes were not enough")


def _release(hub: Hub, out: Terminal, request: ExportRequest) -> Path:
    recipient = _actor(hub, "ky-admin")
    try:
        redeem_grant(hub, recipient, request_id=request.id)
    except HubError as error:
        out.refusals(error)
    else:
        raise WalkFailed("a bundle was handed out before its release")
    officer = _actor(hub, "release-officer")
    deliver_release(hub, officer, request_id=request.id, recipient_id=recipient.person_id)
    bundle = redeem_grant(hub, recipient, request_id=request.id)
    out.line(msg("{person} fetched {bytes} bytes, once", person=recipient.person_id, bytes=bundle.stat().st_size))
    return bundle


def _verify(hub: Hub, out: Terminal, bundle: Path) -> None:
    outcome = verify_bundle(bundle, trusted=public_keys(hub))
    for step in outcome.steps:
        print(f"    {'✓' if step.holds else '✗'} {step.code:<20} {step.text.render(out.translate)}", flush=True)
    if not outcome.holds:
        raise WalkFailed("the bundle does not verify")


def _ledger(hub: Hub, out: Terminal) -> None:
    with hub.reading() as session:
        verdict = verify(
            session,
            public=public_keys(hub)["ledger"],
            outside=[hub.checkpoint_file.read_text(encoding="utf-8")],
        )
    if not verdict.holds:
        raise WalkFailed(str(verdict.text))
    out.line(msg("The ledger holds: {size} entries, root {root}.", size=verdict.size, root=verdict.root))


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor
