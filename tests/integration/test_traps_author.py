"""Trap: whoever asks also approves. The author is given every role there is at once, and still decides nothing.

Where separation rests on roles alone, the trap is to get both roles: then it is the appointment that is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotAllowed
from hub.extracts.model import ExtractRequest
from hub.extracts.requests import decide_extract
from hub.gate.actions import cast_vote
from hub.gate.model import Decision, ExportRequest
from hub.licensing.actions import decide_scenario
from hub.licensing.agreements import record_deliberation, sign_licence
from hub.licensing.model import Licence
from hub.people.accounts import appoint_person, change_roles, confirm_change, reset_sign_in
from hub.people.actions import record_training
from hub.people.actor import Actor, Role
from hub.products.actions import deliver_release, issue_grant
from hub.sharing.actions import decide_consent
from tests import factories
from tests.matrix_house import WORDS, Scene, open_scene

Trap = Callable[[Hub, Scene], object]


def with_every_role(hub: Hub, person: str) -> Actor:
    return replace(factories.actor(hub, person), roles=frozenset(Role))


def vote(hub: Hub, scene: Scene, person: str, *, state: str = "in_review") -> object:
    request = scene.things["request"][state]
    with hub.reading() as session:
        digest = session.get_one(ExportRequest, request).digest
    by = with_every_role(hub, person)
    return cast_vote(hub, by, request_id=request, digest=digest, decision=Decision.APPROVE, reason=WORDS)


def approve_extract(hub: Hub, scene: Scene, person: str) -> object:
    request = scene.things["extract_request"]["requested"]
    with hub.reading() as session:
        digest = session.get_one(ExtractRequest, request).digest
    by = with_every_role(hub, person)
    return decide_extract(hub, by, request_id=request, digest=digest, approve=True, reason=WORDS)


def contract(hub: Hub, licence: str) -> str:
    with hub.reading() as session:
        return session.get_one(Licence, licence).contract_digest


def deliberate(hub: Hub, scene: Scene) -> object:
    licence = scene.things["licence"]["drafting"]
    return record_deliberation(
        hub,
        with_every_role(hub, "bureau-officer"),
        licence_id=licence,
        digest=contract(hub, licence),
        meeting="局党组会",
        held_on=hub.clock().date(),
        attendees=("局长", "副局长", "分管负责人"),
        minutes_digest="a" * 64,
    )


def sign(hub: Hub, scene: Scene) -> object:
    licence = scene.things["licence"]["deliberating"]
    by = with_every_role(hub, "bureau-officer")
    return sign_licence(hub, by, licence_id=licence, digest=contract(hub, licence))


def deliver(hub: Hub, scene: Scene, person: str) -> object:
    request = scene.things["request"]["approved"]
    return deliver_release(hub, with_every_role(hub, person), request_id=request, recipient_id="ky-admin")


def confirm_own(hub: Hub, scene: Scene) -> object:
    return confirm_change(hub, with_every_role(hub, "bureau-officer"), change_id=scene.things["change"]["proposed"])


def train_oneself(hub: Hub, scene: Scene) -> object:
    later = hub.clock() + timedelta(days=99)
    by = with_every_role(hub, "bureau-officer")
    return record_training(hub, by, person_id="bureau-officer", trained_until=later, confidentiality_until=later)


def appoint(hub: Hub, org: str, *roles: Role) -> object:
    return appoint_person(
        hub,
        factories.actor(hub, "bureau-officer"),
        person_id="two-hats",
        name_zh="演示",
        name_en="Demonstration",
        org_id=org,
        roles=frozenset(roles),
    )


TRAPS: dict[str, tuple[str, str, Trap]] = {
    "author votes on their export": ("everyday", "vote.author", lambda hub, it: vote(hub, it, "ky-analyst")),
    "colleague votes on it": ("everyday", "vote.colleague", lambda hub, it: vote(hub, it, "ky-expert")),
    "builder of the extract votes on what comes of it": (
        "everyday",
        "vote.extract_builder",
        lambda hub, it: vote(hub, it, "centre-operator"),
    ),
    "author delivers their export": ("everyday", "release.author", lambda hub, it: deliver(hub, it, "ky-analyst")),
    "colleague delivers it": ("everyday", "release.author", lambda hub, it: deliver(hub, it, "ky-admin")),
    "reviewer delivers what they approved": (
        "everyday",
        "release.reviewer",
        lambda hub, it: deliver(hub, it, "centre-reviewer"),
    ),
    "release officer grants the download to themself": (
        "everyday",
        "release.recipient",
        lambda hub, it: issue_grant(
            hub,
            with_every_role(hub, "release-officer"),
            request_id=it.things["grant"]["used"],
            recipient_id="release-officer",
        ),
    ),
    "requester approves their extract": (
        "everyday",
        "extract.own_request",
        lambda hub, it: approve_extract(hub, it, "ky-analyst"),
    ),
    "whoever assessed a scenario approves it": (
        "everyday",
        "scenario.own_opinion",
        lambda hub, it: decide_scenario(
            hub,
            with_every_role(hub, "bureau-assessor"),
            scenario_id=it.things["scenario"]["heard"],
            approve=True,
            reason=WORDS,
        ),
    ),
    "drafter of a licence enters the collective decision": ("agreements", "licence.own_draft", deliberate),
    "drafter of a licence signs it": ("agreements", "licence.own_draft", sign),
    "department that got the data consents for the one that gave them": (
        "everyday",
        "consent.provider",
        lambda hub, it: decide_consent(
            hub,
            with_every_role(hub, "mz-steward"),
            consent_id=it.things["consent"]["requested"],
            give=True,
            reason=WORDS,
        ),
    ),
    "operator consents to its own purpose": (
        "everyday",
        "role.interest",
        lambda hub, it: decide_consent(
            hub,
            with_every_role(hub, "ky-admin"),
            consent_id=it.things["consent"]["requested"],
            give=True,
            reason=WORDS,
        ),
    ),
    "officer confirms the account they proposed": ("everyday", "change.own", confirm_own),
    "officer gives themself another role": (
        "everyday",
        "account.self",
        lambda hub, it: change_roles(
            hub,
            with_every_role(hub, "bureau-officer"),
            person_id="bureau-officer",
            roles=frozenset({Role.BUREAU_OFFICER, Role.COMPLIANCE_REVIEWER}),
        ),
    ),
    "officer issues themself a first password": (
        "everyday",
        "account.self",
        lambda hub, it: reset_sign_in(hub, with_every_role(hub, "bureau-officer"), person_id="bureau-officer"),
    ),
    "officer enters their own training": ("everyday", "training.self", train_oneself),
    "operator's administrator becomes an officer who decides its scenarios, licences and registrations": (
        "everyday",
        "role.organisation",
        lambda hub, it: appoint(hub, "kangyang", Role.LICENSEE_ADMIN, Role.BUREAU_OFFICER),
    ),
    "analyst becomes release officer": (
        "everyday",
        "role.organisation",
        lambda hub, it: appoint(hub, "kangyang", Role.ANALYST, Role.RELEASE_OFFICER),
    ),
    "reviewer becomes release officer": (
        "everyday",
        "role.conflict",
        lambda hub, it: appoint(hub, "centre", Role.COMPLIANCE_REVIEWER, Role.RELEASE_OFFICER),
    ),
    "builder of extracts becomes reviewer": (
        "everyday",
        "role.conflict",
        lambda hub, it: appoint(hub, "centre", Role.COMPLIANCE_REVIEWER, Role.CENTRE_OPERATOR),
    ),
    "steward of the data becomes reviewer of what is made of them": (
        "everyday",
        "role.conflict",
        lambda hub, it: appoint(hub, "mz", Role.DEPT_STEWARD, Role.PROVIDER_REVIEWER),
    ),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_nobody_approves_what_they_asked_for(trap: str, tmp_path: Path) -> None:
    scene, code, act = TRAPS[trap]
    hub, lying = open_scene(scene, tmp_path / "state")
    with pytest.raises(NotAllowed) as caught:
        act(hub, lying)
    assert code in {refusal.rule for refusal in caught.value.refusals}
