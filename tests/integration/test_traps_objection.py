"""Trap: an objection is outvoted, an approval is used for something else, a vote is cast twice by changing hats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import HubError
from hub.extracts.actions import start_extract
from hub.extracts.model import ExtractRequest
from hub.extracts.requests import decide_extract
from hub.gate.actions import cast_vote, find_request
from hub.gate.model import Decision, ExportRequest, RequestStatus, Seat
from hub.licensing.actions import decide_scenario, file_scenario, give_opinion
from hub.licensing.agreements import sign_licence
from hub.licensing.model import Lane, Licence, Stance
from hub.people.accounts import appoint_person, change_roles, close_account, confirm_change
from hub.people.actor import Role
from hub.products.actions import deliver_release
from hub.register.actions import decide_registration
from hub.register.model import RegistrationStatus
from tests import factories
from tests.factories import actor
from tests.matrix_house import WORDS, Scene, open_scene

BODIES = ("bureau-assessor", "cac-supervisor", "data-expert")


@pytest.fixture
def everyday(tmp_path: Path) -> tuple[Hub, Scene]:
    return open_scene("everyday", tmp_path / "state")


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(HubError) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


def vote(
    hub: Hub, person: str, request: str, decision: Decision, *, digest: str = "", seat: Seat | None = None
) -> object:
    with hub.reading() as session:
        digest = digest or session.get_one(ExportRequest, request).digest
    by = actor(hub, person)
    return cast_vote(hub, by, request_id=request, digest=digest, decision=decision, reason=WORDS, seat=seat)


@pytest.mark.parametrize("objector", ["mz-reviewer", "centre-reviewer"])
def test_one_objection_is_not_outvoted_whoever_votes_after_it(everyday: tuple[Hub, Scene], objector: str) -> None:
    hub, scene = everyday
    request = scene.things["request"]["in_review"]
    vote(hub, objector, request, Decision.OBJECT)
    for person in ("mz-reviewer", "centre-reviewer"):
        refused("export.status", lambda person=person: vote(hub, person, request, Decision.APPROVE))  # type: ignore[misc]
    refused("release.objection", lambda: deliver(hub, request))
    assert find_request(hub, actor(hub, "auditor"), request).status is RequestStatus.REFUSED


def deliver(hub: Hub, request: str) -> object:
    return deliver_release(hub, actor(hub, "release-officer"), request_id=request, recipient_id="ky-admin")


@pytest.mark.parametrize("against", BODIES)
def test_body_that_is_against_a_scenario_is_not_outvoted_by_the_two_others(
    everyday: tuple[Hub, Scene], against: str
) -> None:
    hub, _ = everyday
    scenario = file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="衔接",
        purpose="按街道汇总就诊次数，衔接服务。",
        lane=Lane.PUBLIC,
        table_ids=["clinic_visits"],
    ).id
    for person in BODIES:
        stance = Stance.OPPOSE if person == against else Stance.SUPPORT
        give_opinion(hub, actor(hub, person), scenario_id=scenario, stance=stance, compliance=WORDS, security=WORDS)
    officer = actor(hub, "bureau-officer")
    refused("scenario.opposed", lambda: decide_scenario(hub, officer, scenario_id=scenario, approve=True, reason=WORDS))


def test_department_that_refuses_an_extract_is_not_outvoted_by_the_centre(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    request = scene.things["extract_request"]["requested"]
    decide(hub, "mz-steward", request, approve=False)
    refused("extract.request_status", lambda: decide(hub, "centre-reviewer", request, approve=True))
    builder = actor(hub, "centre-operator")
    refused("extract.not_approved", lambda: start_extract(hub, builder, request_id=request))


def decide(hub: Hub, person: str, request: str, *, approve: bool, digest: str = "") -> object:
    with hub.reading() as session:
        digest = digest or session.get_one(ExtractRequest, request).digest
    return decide_extract(hub, actor(hub, person), request_id=request, digest=digest, approve=approve, reason=WORDS)


def test_registration_that_is_objected_to_gets_no_code(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    for person in ("bureau-officer", "bureau-assessor"):
        refused(
            "register.status",
            lambda person=person: decide_registration(  # type: ignore[misc]
                hub,
                actor(hub, person),
                product_id=scene.things["product"]["objected"],
                to=RegistrationStatus.CODED,
                reason=WORDS,
            ),
        )


def test_approval_of_one_package_is_not_used_for_another(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    with hub.reading() as session:
        other = session.get_one(ExportRequest, scene.things["request"]["machine_refused"]).digest
    request = scene.things["request"]["in_review"]
    refused("vote.digest", lambda: vote(hub, "mz-reviewer", request, Decision.APPROVE, digest=other))


def test_approval_of_one_extract_is_not_used_for_another(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    with hub.reading() as session:
        other = session.get_one(ExtractRequest, scene.things["extract_request"]["approved"]).digest
    request = scene.things["extract_request"]["requested"]
    refused("extract.digest", lambda: decide(hub, "mz-steward", request, approve=True, digest=other))


def test_signature_under_one_agreement_is_not_used_for_another(tmp_path: Path) -> None:
    hub, scene = open_scene("agreements", tmp_path / "state")
    with hub.reading() as session:
        other = session.get_one(Licence, scene.things["licence"]["signed"]).contract_digest
    licence = scene.things["licence"]["deliberating"]
    assessor = actor(hub, "bureau-assessor")
    refused("licence.digest", lambda: sign_licence(hub, assessor, licence_id=licence, digest=other))


def test_second_vote_after_a_change_of_role_is_refused(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    request, officer = scene.things["request"]["in_review"], actor(hub, "bureau-officer")
    vote(hub, "centre-reviewer", request, Decision.APPROVE)
    both = frozenset({Role.COMPLIANCE_REVIEWER, Role.SECURITY_REVIEWER})
    change = change_roles(hub, officer, person_id="centre-reviewer", roles=both).proposed
    assert change is not None
    confirm_change(hub, actor(hub, "bureau-assessor"), change_id=change.id)
    refused("vote.twice", lambda: vote(hub, "centre-reviewer", request, Decision.APPROVE, seat=Seat.SECURITY))


def test_account_that_was_closed_does_not_come_back_under_its_name(everyday: tuple[Hub, Scene]) -> None:
    hub, scene = everyday
    officer = actor(hub, "bureau-officer")
    vote(hub, "centre-reviewer", scene.things["request"]["in_review"], Decision.APPROVE)
    close_account(hub, officer, person_id="centre-reviewer")
    refused(
        "name.taken",
        lambda: appoint_person(
            hub,
            officer,
            person_id="centre-reviewer",
            name_zh="演示",
            name_en="Demonstration",
            org_id="bureau",
            roles=frozenset({Role.SECURITY_REVIEWER}),
        ),
    )
    refused(
        "account.closed",
        lambda: change_roles(hub, officer, person_id="centre-reviewer", roles=frozenset({Role.ANALYST})),
    )
    assert hub.clock() >= factories.NOW
