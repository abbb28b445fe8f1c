"""Three opinions before a scenario is approved: asked of the real hub, with the people of the demonstration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import InvalidInput, NotAllowed
from hub.ledger.actions import read_entries
from hub.licensing.actions import decide_scenario, file_scenario, find_scenario, give_opinion
from hub.licensing.model import Lane, ScenarioStatus, Stance
from tests import factories
from tests.factories import actor

BODIES = ("bureau-assessor", "cac-supervisor", "data-expert")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    hub = factories.district(tmp_path / "state")
    factories.published(hub)
    file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="演示场景",
        purpose="按街道统计就诊次数,用于站点规划。",
        lane=Lane.PUBLIC,
        table_ids=["clinic_visits"],
    )
    return hub


def sign(
    hub: Hub, person: str, stance: Stance = Stance.SUPPORT, compliance: str = "用途与法定职责相符,范围必需。"
) -> None:
    give_opinion(
        hub,
        actor(hub, person),
        scenario_id="s-0001",
        stance=stance,
        compliance=compliance,
        security="在隔离环境内使用,风险可控。",
    )


def approve(hub: Hub, person: str = "bureau-officer") -> None:
    decide_scenario(hub, actor(hub, person), scenario_id="s-0001", approve=True, reason="用途明确。")


def refused(hub: Hub, code: str, person: str = "bureau-officer") -> None:
    with pytest.raises(NotAllowed) as caught:
        approve(hub, person)
    assert code in {refusal.rule for refusal in caught.value.refusals}
    assert find_scenario(hub, actor(hub, "bureau-officer"), "s-0001").status is ScenarioStatus.FILED


def test_approval_waits_for_the_last_opinion(hub: Hub) -> None:
    for person in BODIES:
        refused(hub, "scenario.opinion_missing")
        sign(hub, person)
    approve(hub)
    assert find_scenario(hub, actor(hub, "ky-admin"), "s-0001").status is ScenarioStatus.APPROVED


def test_one_body_against_is_not_outvoted(hub: Hub) -> None:
    for person in BODIES[:2]:
        sign(hub, person)
    sign(hub, "data-expert", Stance.OPPOSE)
    refused(hub, "scenario.opposed")


def test_who_signed_for_the_bureau_does_not_approve(hub: Hub) -> None:
    for person in BODIES:
        sign(hub, person)
    refused(hub, "scenario.own_opinion", "bureau-assessor")


def test_a_body_signs_once_and_only_a_body_signs(hub: Hub) -> None:
    sign(hub, "bureau-assessor")
    for person, code in (("bureau-officer", "scenario.opinion_given"), ("ky-admin", "role.interest")):
        with pytest.raises(NotAllowed) as caught:
            sign(hub, person)
        assert code in {refusal.rule for refusal in caught.value.refusals}


def test_hostile_words_do_not_get_into_an_opinion(hub: Hub) -> None:
    with pytest.raises(InvalidInput):
        sign(hub, "data-expert", compliance="看起来没有问题\u202e的一段文字说明")
    assert find_scenario(hub, actor(hub, "data-expert"), "s-0001").opinions == []


def test_a_signed_opinion_is_on_record_with_its_digest(hub: Hub) -> None:
    sign(hub, "cac-supervisor")
    [opinion] = find_scenario(hub, actor(hub, "auditor"), "s-0001").opinions
    with hub.reading() as session:
        event = json.loads(read_entries(session, limit=1)[0].body)
    assert (event["kind"], event["actor_org"], event["object_digest"]) == ("opinion.given", "cac", opinion.digest)
