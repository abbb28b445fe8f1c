"""Only people on a licence's personnel list work under it, at every step, and the list is kept up by two sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotAllowed, NotFound
from hub.extracts.requests import request_extract
from hub.gate.model import RequestStatus
from hub.licensing.actions import licence_in, listed_people, standing_of
from hub.licensing.annex import decide_personnel, propose_personnel, remove_personnel
from hub.licensing.model import ExtractLevel, PersonnelStatus
from hub.people.accounts import appoint_person, close_account
from hub.people.actions import record_training
from hub.people.actor import Role
from hub.runs.actions import start_run
from hub.runs.model import RunOutcome, RunStatus
from hub.workspaces.actions import choose_rung, mount_extracts, open_refusals, open_workspace
from hub.workspaces.kernels import start_kernel
from sandbox.sealed import Ran, run_sealed
from tests import factories
from tests.factories import actor

WHY = "岗位变动，负责指数产品。"


def working(folder: Path) -> Hub:
    return factories.working(folder / "s")


def listed(hub: Hub) -> frozenset[str]:
    with hub.reading() as session:
        return listed_people(licence_in(session, "l-0001"))


def take_off(hub: Hub, person_id: str = "ky-analyst", *, by: str = "ky-admin") -> None:
    remove_personnel(hub, actor(hub, by), licence_id="l-0001", person_id=person_id, reason=WHY)


def proposed(hub: Hub, person_id: str = "ky-newcomer") -> str:
    return propose_personnel(hub, actor(hub, "ky-admin"), licence_id="l-0001", person_id=person_id, reason=WHY).id


def decided(hub: Hub, change_id: str, *, acknowledge: bool = True, by: str = "bureau-officer") -> PersonnelStatus:
    return decide_personnel(
        hub, actor(hub, by), change_id=change_id, acknowledge=acknowledge, reason="已核对培训和保密承诺。"
    ).status


STEPS: dict[str, Callable[[Hub], object]] = {
    "open": lambda hub: open_workspace(hub, actor(hub, "ky-analyst"), licence_id="l-0001"),
    "mount": lambda hub: mount_extracts(hub, actor(hub, "ky-analyst"), workspace_id="w-0001"),
    "choose a rung": lambda hub: choose_rung(
        hub, actor(hub, "ky-analyst"), workspace_id="w-0001", table_id="clinic_visits", level=None
    ),
    "kernel": lambda hub: start_kernel(hub, actor(hub, "ky-analyst"), workspace_id="w-0001"),
    "extract": lambda hub: request_extract(
        hub, actor(hub, "ky-analyst"), licence_id="l-0001", table_id="clinic_visits", level=ExtractLevel.SYNTHETIC
    ),
    "sealed run": lambda hub: factories.ordered(hub, factories.Room(**ROOM, state_dir=hub.folders.workspaces)),
    "submit": lambda hub: factories.submitted(hub, factories.Room(**ROOM, state_dir=hub.folders.workspaces)),
}
ROOM = {"workspace_id": "w-0001", "number": 0, "licence_id": "l-0001", "person_id": "ky-analyst"}


@pytest.mark.parametrize("step", sorted(STEPS))
def test_whoever_was_taken_off_the_list_is_refused_at_every_step(tmp_path: Path, step: str) -> None:
    hub = working(tmp_path)
    STEPS[step](hub)
    take_off(hub)
    with pytest.raises(NotAllowed) as refused:
        STEPS[step](hub)
    assert [one.rule for one in refused.value.refusals] == ["licence.not_listed"]


def test_a_newcomer_is_refused_until_the_bureau_has_acknowledged_them(tmp_path: Path) -> None:
    hub = working(tmp_path)
    newcomer = actor(hub, "ky-newcomer")
    asked = open_refusals(hub, newcomer, "l-0001")
    change = proposed(hub)
    with pytest.raises(NotAllowed, match=r"licence\.not_listed"):
        open_workspace(hub, newcomer, licence_id="l-0001")
    assert ([one.rule for one in asked], decided(hub, change)) == (["licence.not_listed"], PersonnelStatus.IN_FORCE)
    assert open_workspace(hub, newcomer, licence_id="l-0001").person_id == "ky-newcomer"


def test_whoever_was_declined_stays_off_the_list(tmp_path: Path) -> None:
    hub = working(tmp_path)
    assert decided(hub, proposed(hub), acknowledge=False) is PersonnelStatus.DECLINED
    assert "ky-newcomer" not in listed(hub)
    assert decided(hub, proposed(hub)) is PersonnelStatus.IN_FORCE


def test_whoever_came_back_is_on_the_list_again(tmp_path: Path) -> None:
    hub = working(tmp_path)
    take_off(hub, by="bureau-officer")
    assert "ky-analyst" not in listed(hub)
    decided(hub, proposed(hub, "ky-analyst"))
    assert "ky-analyst" in listed(hub)


def test_a_person_who_lapses_between_proposal_and_acknowledgement_is_not_added(tmp_path: Path) -> None:
    hub = working(tmp_path)
    change, now = proposed(hub), hub.clock()
    officer = actor(hub, "bureau-officer")
    record_training(hub, officer, person_id="ky-newcomer", trained_until=now, confidentiality_until=now)
    with pytest.raises(NotAllowed, match=r"personnel\.not_in_date"):
        decided(hub, change)
    close_account(hub, officer, person_id="ky-newcomer")
    with pytest.raises(NotAllowed, match=r"personnel\.stranger"):
        decided(hub, change)
    assert "ky-newcomer" not in listed(hub)


@pytest.mark.parametrize("person", ["mz-steward", "nobody", "ps-analyst", "mx-analyst"])
def test_strangers_and_unknown_names_get_one_answer(tmp_path: Path, person: str) -> None:
    hub = working(tmp_path)
    with pytest.raises(NotAllowed) as refused:
        proposed(hub, person)
    assert [one.rule for one in refused.value.refusals] == ["personnel.stranger"]


def test_a_list_is_not_there_for_another_operator(tmp_path: Path) -> None:
    hub = working(tmp_path)
    change, other = proposed(hub), actor(hub, "ps-admin")
    with pytest.raises(NotFound):
        propose_personnel(hub, other, licence_id="l-0001", person_id="ps-analyst", reason=WHY)
    with pytest.raises(NotFound):
        decide_personnel(hub, other, change_id=change, acknowledge=True, reason=WHY)
    with pytest.raises(NotFound):
        take_off(hub, by="ps-admin")


def test_an_approved_run_of_a_person_off_the_list_does_not_start(tmp_path: Path) -> None:
    hub = working(tmp_path)
    run = factories.cleared(hub, factories.room(hub))
    take_off(hub)
    with pytest.raises(NotAllowed, match=r"licence\.not_listed"):
        start_run(hub, actor(hub, "centre-operator"), run_id=run.id)


def test_outputs_of_a_run_whose_author_left_the_list_are_not_kept(tmp_path: Path) -> None:
    hub = working(tmp_path)

    def leaving(*args: object, **kwargs: object) -> Ran:
        take_off(hub)
        return run_sealed(*args, **kwargs)

    run = factories.performed(hub, factories.room(hub), runner=leaving)
    assert (run.status, run.outcome) == (RunStatus.FAILED, RunOutcome.LICENCE)


def test_what_was_submitted_before_stays_the_operators(tmp_path: Path) -> None:
    hub = working(tmp_path)
    request = factories.submitted(hub, factories.room(hub))
    take_off(hub)
    assert request.status is RequestStatus.IN_REVIEW


def test_signing_in_writes_down_that_the_person_may_not_work(tmp_path: Path) -> None:
    hub = working(tmp_path)
    stands = {name: standing_of(hub, actor(hub, name), hub.clock()) for name in ("ky-analyst", "ky-newcomer")}
    assert {name: [one.rule for one in said[0].refusals] for name, said in stands.items()} == {
        "ky-analyst": [],
        "ky-newcomer": ["licence.not_listed"],
    }


def test_a_person_hired_after_the_signatures_works_only_by_the_list(tmp_path: Path) -> None:
    hub = working(tmp_path)
    until = hub.clock() + timedelta(days=300)
    appoint_person(
        hub,
        actor(hub, "bureau-officer"),
        person_id="ky-later",
        name_zh="演示",
        name_en="Demonstration",
        org_id="kangyang",
        roles=frozenset({Role.ANALYST}),
        trained_until=until,
        confidentiality_until=until,
    )
    with pytest.raises(NotAllowed, match=r"licence\.not_listed"):
        open_workspace(hub, actor(hub, "ky-later"), licence_id="l-0001")
