"""Steps that a partial, departed or too eager person could once take: each is refused at the action itself."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path

import pytest

from hub.closing import actions as closing
from hub.context import Hub
from hub.demo.agreement import POSTS
from hub.errors import HubError
from hub.gate.actions import withdraw_export
from hub.licensing.actions import contract_of, find_licence, resume_licence, suspend_licence
from hub.licensing.agreements import enter_filing, grant_licence, record_deliberation, sign_licence
from hub.licensing.model import LicenceStatus
from hub.people.accounts import appoint_person, close_account, confirm_change, declare_interests, decline_change
from hub.people.actions import record_training
from hub.people.actor import Role
from hub.products.statement import DESTRUCTION_TYPE, unseal
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.rulebook.parameters import Parameter
from hub.runs.actions import decide_run, start_run, withdraw_run
from hub.workspaces.actions import close_workspace, mount_extracts
from sandbox.sealed import run_sealed
from tests import factories
from tests.factories import Watch, actor

WORDS = "逐行看过，只输出汇总。"


def codes(act: object, *args: object, **given: object) -> set[str]:
    with pytest.raises(HubError) as caught:
        act(*args, **given)  # type: ignore[operator]
    return {one.rule for one in caught.value.refusals}


def partial(hub: Hub, person_id: str) -> None:
    """The person declares an interest in the operator."""
    other = "bureau-officer" if person_id != "bureau-officer" else "bureau-assessor"
    declare_interests(hub, actor(hub, other), person_id=person_id, interests=frozenset({"kangyang"}))


@pytest.mark.parametrize(
    "until", [LicenceStatus.DRAFTING, LicenceStatus.DELIBERATING, LicenceStatus.SIGNED, LicenceStatus.FILED]
)
def test_an_officer_with_an_interest_takes_no_step_into_force(tmp_path: Path, until: LicenceStatus) -> None:
    hub = factories.district(tmp_path / "s")
    licence = factories.agreed(hub, factories.approved_scenario(hub), until=until)
    partial(hub, "bureau-assessor")
    officer, digest, today = actor(hub, "bureau-assessor"), licence.contract_digest, district_day(hub.clock())
    steps = {
        LicenceStatus.DRAFTING: lambda: record_deliberation(
            hub,
            officer,
            licence_id=licence.id,
            digest=digest,
            meeting="局党组会",
            held_on=today,
            attendees=POSTS,
            minutes_digest="0" * 64,
        ),
        LicenceStatus.DELIBERATING: lambda: sign_licence(hub, officer, licence_id=licence.id, digest=digest),
        LicenceStatus.SIGNED: lambda: enter_filing(
            hub, officer, licence_id=licence.id, filing_no="演示备1号", filed_on=today
        ),
        LicenceStatus.FILED: lambda: grant_licence(hub, officer, licence_id=licence.id),
    }
    assert codes(steps[until]) == {"role.interest"}


def test_an_officer_with_an_interest_stops_a_licence_and_does_not_let_it_go_on(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "s")
    partial(hub, "bureau-assessor")
    officer = actor(hub, "bureau-assessor")
    suspend_licence(hub, officer, licence_id="l-0001", reason="核查用途。")
    assert codes(resume_licence, hub, officer, licence_id="l-0001", reason="核查完毕。") == {"role.interest"}


def test_a_reviewer_with_an_interest_does_not_review_code_nor_a_partial_operator_start_it(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "s")
    run = factories.ordered(hub, factories.room(hub))
    partial(hub, "bureau-reviewer")
    reviewer = actor(hub, "bureau-reviewer")
    given = {"run_id": run.id, "digest": run.digest, "approve": True, "reason": WORDS}
    assert codes(decide_run, hub, reviewer, **given) == {"role.interest"}
    decide_run(hub, actor(hub, "centre-reviewer"), **given)  # type: ignore[arg-type]
    partial(hub, "centre-operator")
    assert codes(start_run, hub, actor(hub, "centre-operator"), run_id=run.id) == {"role.interest"}


def test_what_a_departed_officer_proposed_can_only_be_declined(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "s")
    first, second, third = actor(hub, "bureau-officer"), actor(hub, "bureau-assessor"), "bureau-third"
    until = hub.clock() + timedelta(days=300)

    def opened(by: object, name: str, org: str, role: Role) -> object:
        return appoint_person(
            hub,
            by,  # type: ignore[arg-type]
            person_id=name,
            name_zh="演示",
            name_en="Demonstration",
            org_id=org,
            roles=frozenset({role}),
            trained_until=until,
            confidentiality_until=until,
        ).proposed

    confirm_change(hub, second, change_id=opened(first, third, "bureau", Role.BUREAU_OFFICER).id)  # type: ignore[attr-defined]
    change = opened(actor(hub, third), "mz-another", "mz", Role.PROVIDER_REVIEWER)
    close_account(hub, first, person_id=third)
    assert codes(confirm_change, hub, second, change_id=change.id) == {"change.proposer"}  # type: ignore[attr-defined]
    assert decline_change(hub, second, change_id=change.id).decided_by == "bureau-assessor"  # type: ignore[attr-defined]


def test_no_training_is_entered_for_a_closed_account(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "s")
    officer, until = actor(hub, "bureau-officer"), hub.clock() + timedelta(days=300)
    close_account(hub, officer, person_id="ky-newcomer")
    given = {"person_id": "ky-newcomer", "trained_until": until, "confidentiality_until": until}
    assert codes(record_training, hub, officer, **given) == {"training.closed"}


def test_a_term_that_begins_in_the_past_says_why(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "s")
    scenario = factories.approved_scenario(hub)
    early = {"items.term.starts_at": (hub.clock() - timedelta(days=1)).isoformat()}
    found = codes(factories.agreed, hub, scenario, changes=early, until=LicenceStatus.DRAFTING)
    assert found == {"licence.backdated"}
    said = {**early, "items.term.start_reason": "前一协议昨日到期，服务不得中断。"}
    licence = factories.agreed(hub, scenario, changes=said)
    read = contract_of(find_licence(hub, actor(hub, "ky-admin"), licence.id))
    assert read.items.term.start_reason == said["items.term.start_reason"]


def test_only_so_many_runs_of_a_licence_wait_for_their_review(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "s")
    room = factories.room(hub)
    most = pack_in_force(hub.clock()).count(Parameter.RUN_IN_REVIEW)
    runs = [factories.ordered(hub, room).id for _ in range(most)]
    assert codes(factories.ordered, hub, room) == {"run.waiting"}
    withdraw_run(hub, actor(hub, "ky-analyst"), run_id=runs[0])
    assert factories.ordered(hub, room).id not in runs


def test_nothing_is_mounted_in_a_workspace_that_was_stopped(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "s")
    analyst = actor(hub, "ky-analyst")
    mount_extracts(hub, analyst, workspace_id="w-0001")
    close_workspace(hub, workspace_id="w-0001", reason="stopped")
    assert codes(mount_extracts, hub, analyst, workspace_id="w-0001") == {"workspace.closed"}


def test_a_certificate_tells_the_operator_nothing_of_outputs_that_were_never_released(tmp_path: Path) -> None:
    watch = Watch()
    hub = factories.working(tmp_path / "s", clock=watch)
    room = factories.room(hub)
    run = factories.performed(hub, room, runner=run_sealed)
    assert run.request_id is not None
    close_workspace(hub, workspace_id=room.workspace_id, reason="stopped")
    watch.move(days=31)
    _stop(hub, run.request_id)
    certificate = closing.close_licence(
        hub,
        actor(hub, "bureau-officer"),
        licence_id="l-0001",
        typed="l-0001",
        reason="期满退出。",
        usage_gap="无产品。",
    )
    said = unseal(
        certificate.envelope.encode(),
        hub.keys.release().public_key().public_bytes_raw(),
        predicate_type=DESTRUCTION_TYPE,
    )
    [package] = [one for one in said["predicate"]["items"] if one["kind"] == "package"]
    [kept] = [
        one for one in closing.find_closing(hub, actor(hub, "auditor"), "l-0001")[1].items if one["kind"] == "package"
    ]  # type: ignore[union-attr]
    assert package.keys() == {"kind", "id", "sha256", "is_salted"}
    assert kept["sha256"] not in json.dumps(said)
    assert not any(content in json.dumps(said) for content in kept["contents"])
    assert package["sha256"] == hashlib.sha256(f"{kept['salt']} {kept['sha256']}".encode()).hexdigest()


def _stop(hub: Hub, request_id: str) -> None:
    """Withdraw the request, so that nothing is open under the licence."""
    withdraw_export(hub, actor(hub, "ky-analyst"), request_id=request_id)
