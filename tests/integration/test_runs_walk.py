"""A sealed run from the workspace to the release: reviewed code on the full extract, its outputs unseen until then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hub.context import Hub
from hub.errors import ChecksFailed, HubError, InvalidInput, InvalidState, NotAllowed, NotFound
from hub.extracts.actions import revoke_extract
from hub.gate.actions import cast_vote, find_request, is_veiled, may_preview, stored
from hub.gate.model import Decision, ExportRequest, RequestStatus
from hub.ledger.actions import read_entries
from hub.licensing.actions import suspend_licence
from hub.licensing.model import ExtractLevel
from hub.products.actions import deliver_release
from hub.recovery import start_site
from hub.runs.actions import decide_run, find_run, perform_run, request_run, start_run, withdraw_run
from hub.runs.model import RunOrder, RunOutcome, RunStatus
from hub.workspaces.actions import Room, mount_extracts, open_workspace
from sandbox.sealed import Ending, Ran
from tests import factories
from tests.factories import Watch, actor, notebook

REASON = "逐行看过,只输出汇总。"
PUT = factories.TABULATE


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


@pytest.fixture
def room(hub: Hub) -> Room:
    return factories.room(hub)


def refused(kind: type[HubError], code: str, act: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


def events(hub: Hub, kind: str) -> list[dict[str, Any]]:
    with hub.reading() as session:
        bodies = [json.loads(entry.body) for entry in read_entries(session)]
    return [body for body in bodies if body["kind"] == kind]


def putting(**files: bytes) -> Callable[..., Ran]:
    """A runner that puts these files into the outbox instead of running anything."""

    def run(_notebook: bytes, *, outbox: Path, **_more: Any) -> Ran:
        for number, (name, content) in enumerate(files.items()):
            folder = outbox / f"result-{number}"
            folder.mkdir()
            (folder / name).write_bytes(content)
            about = {"title": "t", "reason": "r", "payload": name}
            (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
        return Ran(ending=Ending.FINISHED)

    return run


def ending(ending: Ending, **told: Any) -> Callable[..., Ran]:
    return lambda _notebook, **_more: Ran(ending=ending, **told)


def released(hub: Hub, run: RunOrder) -> ExportRequest:
    request = find_request(hub, actor(hub, "auditor"), run.request_id or "")
    for reviewer in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, reviewer),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        )
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-analyst")
    return find_request(hub, actor(hub, "auditor"), request.id)


def test_run_of_a_real_notebook_ends_at_the_gate_and_is_released(hub: Hub, room: Room) -> None:
    run = factories.performed(hub, room)
    assert (run.status, run.outcome, run.minutes) == (RunStatus.SUBMITTED, None, 1)
    analyst, reviewer = actor(hub, "ky-analyst"), actor(hub, "mz-reviewer")
    request = find_request(hub, analyst, run.request_id or "")
    assert (request.status, request.run_id, request.author_id) == (RequestStatus.IN_REVIEW, run.id, "ky-analyst")
    (file,) = request.files
    assert stored(hub, file.sha256).read_text(encoding="utf-8").splitlines()[0] == "street,n"
    assert [is_veiled(request, one) for one in (analyst, actor(hub, "ky-admin"), reviewer)] == [True, True, False]
    assert [may_preview(request, one) for one in (analyst, reviewer)] == [False, True]
    request = released(hub, run)
    assert (request.status, may_preview(request, analyst)) == (RequestStatus.RELEASED, True)
    assert request.provenance == {
        "run": run.id,
        "notebook": run.notebook_sha256,
        "environment": run.environment_digest,
        "extract.e-0001": events(hub, "extract.issued")[0]["object_digest"],
    }
    assert list(hub.folders.runs.iterdir()) == []


def test_run_is_on_the_full_extract_even_where_no_workspace_may_hold_it(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "state")
    licence = factories.licensed(hub, full_in_workspace=False)
    for level in (ExtractLevel.SYNTHETIC, ExtractLevel.FULL):
        factories.built(hub, licence.id, level)
    analyst = actor(hub, "ky-analyst")
    room = open_workspace(hub, analyst, licence_id=licence.id)
    (inside,) = mount_extracts(hub, analyst, workspace_id=room.workspace_id)
    assert (inside.name, inside.level) == ("clinic_visits", ExtractLevel.SYNTHETIC)
    seen: list[str] = []

    def look(_notebook: bytes, *, extracts: Any, **_more: Any) -> Ran:
        seen.extend(f"{one.name} {one.level}" for one in extracts)
        return Ran(ending=Ending.ENDED)

    factories.performed(hub, room, runner=look)
    assert seen == ["clinic_visits full"]


@pytest.mark.parametrize(
    ("cells", "outcome", "cell", "named"),
    [
        (["x = 1", "raise ValueError('the secret is 7')"], RunOutcome.CELL, 2, "ValueError"),
        (["class Seven(Exception): pass", "raise Seven('7')"], RunOutcome.CELL, 2, "other"),
        (["import os", "os._exit(0)"], RunOutcome.ENDED, 2, ""),
        (["print('nothing is put')"], RunOutcome.NO_OUTPUT, 0, ""),
        (["import socket; socket.create_connection(('198.51.100.1', 80), timeout=3)"], RunOutcome.CELL, 1, "OSError"),
        (["import os; assert os.listdir('/data') == []"], RunOutcome.CELL, 1, "AssertionError"),
        ([PUT[0], PUT[1].replace('"counts"', '"s1-80"')], RunOutcome.UNEXPECTED_OUTPUT, 0, ""),
    ],
)
def test_failed_run_tells_a_cell_and_a_class_and_nothing_else(
    hub: Hub, room: Room, cells: list[str], outcome: RunOutcome, cell: int, named: str
) -> None:
    run = factories.performed(hub, room, notebook(*cells))
    assert (run.status, run.outcome, run.failed_cell, run.failed_class) == (RunStatus.FAILED, outcome, cell, named)
    assert run.request_id is None
    (event,) = events(hub, "run.ended")
    assert "secret" not in json.dumps(event)
    assert "Seven" not in json.dumps(event)
    assert list(hub.folders.runs.iterdir()) == []


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (Ran(ending=Ending.TIMED_OUT), RunOutcome.TIMED_OUT),
        (Ran(ending=Ending.OVERFULL), RunOutcome.OVERFULL),
    ],
)
def test_run_that_is_ended_from_outside_can_be_asked_for_anew(
    hub: Hub, room: Room, told: Ran, outcome: RunOutcome
) -> None:
    run = factories.performed(hub, room, runner=ending(told.ending))
    assert (run.status, run.outcome) == (RunStatus.FAILED, outcome)
    assert factories.ordered(hub, room).status is RunStatus.IN_REVIEW


def test_output_that_cannot_be_frozen_ends_the_run(hub: Hub, room: Room) -> None:
    def link(_notebook: bytes, *, outbox: Path, **_more: Any) -> Ran:
        putting(**{"counts.csv": b"x"})(b"", outbox=outbox)
        (outbox / "result-0" / "counts.csv").unlink()
        (outbox / "result-0" / "counts.csv").symlink_to("/etc/passwd")
        return Ran(ending=Ending.FINISHED)

    run = factories.performed(hub, room, runner=link)
    assert (run.status, run.outcome) == (RunStatus.FAILED, RunOutcome.NOT_FROZEN)


def test_author_s_institution_never_sees_a_digest_a_name_or_a_finding_before_the_release(hub: Hub, room: Room) -> None:
    run = factories.performed(hub, room, runner=putting(**{"counts.csv": b"street,n\nS0,3\nS1,80\n"}))
    request = find_request(hub, actor(hub, "ky-analyst"), run.request_id or "")
    assert is_veiled(request, actor(hub, "ky-analyst"))
    assert not may_preview(request, actor(hub, "ky-expert"))


def test_who_reviewed_or_ran_the_code_does_not_vote_on_its_outputs(hub: Hub, room: Room) -> None:
    run = factories.performed(hub, room, runner=putting(**{"counts.csv": factories.SAFE}))
    request = find_request(hub, actor(hub, "auditor"), run.request_id or "")
    assert request.prechecked_by == ["bureau-reviewer", "centre-operator"]
    refused(
        NotAllowed,
        "vote.precheck",
        lambda: cast_vote(
            hub,
            actor(hub, "bureau-reviewer"),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        ),
    )


def test_nobody_of_the_analyst_s_institution_decides_or_starts(hub: Hub, room: Room) -> None:
    run = factories.ordered(hub, room)
    for person in ("ky-expert", "ky-analyst"):
        given = {"run_id": run.id, "digest": run.digest, "approve": True, "reason": REASON}
        refused(NotAllowed, "run.own", lambda person=person, given=given: decide_run(hub, actor(hub, person), **given))
    refused(NotAllowed, "run.status", lambda: start_run(hub, actor(hub, "centre-operator"), run_id=run.id))
    refused(NotAllowed, "run.own", lambda: start_run(hub, actor(hub, "ky-analyst"), run_id=run.id))


def test_decision_is_for_exactly_the_digest_shown(hub: Hub, room: Room) -> None:
    run = factories.ordered(hub, room)
    reviewer = actor(hub, "bureau-reviewer")
    given = {"run_id": run.id, "approve": True, "reason": REASON}
    refused(NotAllowed, "run.digest", lambda: decide_run(hub, reviewer, digest="0" * 64, **given))


def test_notebook_that_is_exchanged_is_neither_approved_nor_run(hub: Hub, room: Room) -> None:
    run = factories.ordered(hub, room)
    path = stored(hub, run.notebook_sha256)
    original = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(notebook("print('another')"))
    given = {"run_id": run.id, "digest": run.digest, "approve": True, "reason": REASON}
    refused(ChecksFailed, "run.changed", lambda: decide_run(hub, actor(hub, "bureau-reviewer"), **given))
    path.write_bytes(original)
    decide_run(hub, actor(hub, "bureau-reviewer"), **given)
    path.write_bytes(notebook("print('another')"))
    refused(ChecksFailed, "run.changed", lambda: start_run(hub, actor(hub, "centre-operator"), run_id=run.id))
    path.write_bytes(original)
    start_run(hub, actor(hub, "centre-operator"), run_id=run.id)
    path.write_bytes(notebook("print('another')"))
    ended = perform_run(hub, run_id=run.id, pause=lambda _: None)
    assert (ended.status, ended.outcome) == (RunStatus.FAILED, RunOutcome.NOT_STARTED)


def test_order_that_is_changed_in_the_database_is_not_run(hub: Hub, room: Room) -> None:
    run = factories.cleared(hub, room)
    with hub.database.writing() as session:
        session.execute(text("UPDATE run_order SET outputs = '[\"other.csv\"]'"))
    refused(ChecksFailed, "row.changed", lambda: start_run(hub, actor(hub, "centre-operator"), run_id=run.id))


def test_licence_is_asked_at_every_step(hub: Hub, room: Room) -> None:
    officer = actor(hub, "bureau-officer")
    waiting, cleared, begun = factories.ordered(hub, room), factories.cleared(hub, room), factories.cleared(hub, room)
    start_run(hub, actor(hub, "centre-operator"), run_id=begun.id)
    suspend_licence(hub, officer, licence_id="l-0001", reason="核查期间暂停使用。")
    given = {"run_id": waiting.id, "digest": waiting.digest, "approve": True, "reason": REASON}
    steps: list[Callable[[], object]] = [
        lambda: factories.ordered(hub, room),
        lambda: decide_run(hub, actor(hub, "bureau-reviewer"), **given),
        lambda: start_run(hub, actor(hub, "centre-operator"), run_id=cleared.id),
    ]
    for step in steps:
        refused(NotAllowed, "licence.suspended", step)
    runner = putting(**{"counts.csv": factories.SAFE})
    ended = perform_run(hub, run_id=begun.id, runner=runner, screen=factories.screen_here, pause=lambda _: None)
    assert (ended.status, ended.outcome) == (RunStatus.FAILED, RunOutcome.LICENCE)


def test_extract_that_is_revoked_while_it_runs_yields_nothing(hub: Hub, room: Room) -> None:
    run = factories.cleared(hub, room)
    start_run(hub, actor(hub, "centre-operator"), run_id=run.id)
    revoke_extract(hub, actor(hub, "mz-steward"), extract_id="e-0001", reason="源数据有误,停止使用。")
    runner = putting(**{"counts.csv": factories.SAFE})
    ended = perform_run(hub, run_id=run.id, runner=runner, pause=lambda _: None)
    assert (ended.status, ended.outcome) == (RunStatus.FAILED, RunOutcome.LICENCE)
    refused(NotAllowed, "run.no_full", lambda: factories.ordered(hub, room))


def test_runs_of_a_licence_are_so_many_a_week(hub: Hub, room: Room, watch: Watch) -> None:
    runs = [factories.cleared(hub, room) for _ in range(11)]
    centre = actor(hub, "centre-operator")
    for run in runs[:10]:
        start_run(hub, centre, run_id=run.id)
    refused(NotAllowed, "run.rate", lambda: start_run(hub, centre, run_id=runs[10].id))
    refused(NotAllowed, "run.rate", lambda: factories.ordered(hub, room))
    watch.move(days=7)
    assert start_run(hub, centre, run_id=runs[10].id).status is RunStatus.RUNNING


def test_run_whose_service_was_killed_is_interrupted_and_nothing_half_is_left(hub: Hub, room: Room) -> None:
    run = factories.cleared(hub, room)
    start_run(hub, actor(hub, "centre-operator"), run_id=run.id)
    (hub.folders.runs / run.id / "outbox").mkdir(parents=True)
    start_site(hub)
    ended = find_run(hub, actor(hub, "ky-analyst"), run.id)
    assert (ended.status, ended.outcome) == (RunStatus.FAILED, RunOutcome.INTERRUPTED)
    assert list(hub.folders.runs.iterdir()) == []
    with pytest.raises(InvalidState):
        perform_run(hub, run_id=run.id)


def test_end_is_written_down_when_the_minute_is_full(hub: Hub, room: Room) -> None:
    run = factories.cleared(hub, room)
    start_run(hub, actor(hub, "centre-operator"), run_id=run.id)
    waited: list[float] = []
    ended = perform_run(hub, run_id=run.id, runner=ending(Ending.ENDED), pause=waited.append)
    assert ended.minutes == 1
    assert 55 < waited[0] <= 60


def test_rival_and_its_analyst_learn_of_nothing(hub: Hub, room: Room) -> None:
    run = factories.ordered(hub, room)
    rival = actor(hub, "ps-analyst")
    for act in (
        lambda: find_run(hub, rival, run.id),
        lambda: withdraw_run(hub, rival, run_id=run.id),
        lambda: start_run(hub, rival, run_id=run.id),
        lambda: request_run(
            hub,
            rival,
            workspace_id=room.workspace_id,
            notebook="run.ipynb",
            title="t",
            purpose=REASON,
            outputs=["a.csv"],
            product_form=run.product_form,
        ),
    ):
        with pytest.raises(NotFound):
            act()


def test_taken_back_run_is_not_run(hub: Hub, room: Room) -> None:
    run = factories.cleared(hub, room)
    assert withdraw_run(hub, actor(hub, "ky-analyst"), run_id=run.id).status is RunStatus.WITHDRAWN
    refused(NotAllowed, "run.status", lambda: start_run(hub, actor(hub, "centre-operator"), run_id=run.id))


@pytest.mark.parametrize(
    "name", ["missing.ipynb", "run.txt", "../run.ipynb", "sub/run.ipynb", "link.ipynb", ".x.ipynb"]
)
def test_only_a_plain_notebook_at_the_top_of_the_workspace_is_frozen(hub: Hub, room: Room, name: str) -> None:
    factories.save(hub, room, notebook("1"))
    home = hub.folders.workspaces / room.workspace_id / "home"
    (home / "link.ipynb").symlink_to(home / "run.ipynb")
    with pytest.raises(InvalidInput):
        factories.ordered(hub, room, notebook("1"), notebook=name)


def test_workspace_without_a_home_has_no_notebook_to_run(hub: Hub, room: Room) -> None:
    with pytest.raises(InvalidInput) as caught:
        request_run(
            hub,
            actor(hub, "ky-analyst"),
            workspace_id=room.workspace_id,
            notebook="run.ipynb",
            title="按街道",
            purpose=REASON,
            outputs=["counts.csv"],
            product_form=factories.ProductForm.INDEX,
        )
    assert caught.value.code == "run.no_home"
