"""Whoever has declared an interest in an operator decides on nothing of it; end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotAllowed
from hub.gate.actions import cast_vote
from hub.gate.model import Decision
from hub.ledger.actions import read_entries
from hub.licensing.actions import decide_scenario, file_scenario, give_opinion
from hub.licensing.model import Lane, Stance
from hub.people.accounts import declare_interests
from tests import factories
from tests.factories import actor
from tests.integration.web_house import open_house

OPERATOR = "kangyang"
TEXT = "用途与法定职责相符，范围必需，风险可控。"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return factories.working(tmp_path / "state")


def declare(hub: Hub, person_id: str, *, by: str = "bureau-officer") -> None:
    declare_interests(hub, actor(hub, by), person_id=person_id, interests=frozenset({OPERATOR}))


def refused(act: object) -> set[str]:
    with pytest.raises(NotAllowed) as error:
        act()  # type: ignore[operator]
    return {refusal.rule for refusal in error.value.refusals}


def test_expert_with_an_interest_gives_no_opinion_and_officer_with_one_decides_nothing(hub: Hub) -> None:
    scenario = file_scenario(
        hub, actor(hub, "ky-admin"), title="新场景", purpose=TEXT * 2, lane=Lane.PUBLIC, table_ids=["clinic_visits"]
    )

    def opinion() -> object:
        return give_opinion(
            hub,
            actor(hub, "data-expert"),
            scenario_id=scenario.id,
            stance=Stance.SUPPORT,
            compliance=TEXT,
            security=TEXT,
        )

    declare(hub, "data-expert")
    assert refused(opinion) == {"role.interest"}
    declare_interests(hub, actor(hub, "bureau-officer"), person_id="data-expert", interests=frozenset({"pushu"}))
    opinion()
    declare(hub, "bureau-officer", by="bureau-assessor")
    officer = actor(hub, "bureau-officer")
    assert refused(lambda: decide_scenario(hub, officer, scenario_id=scenario.id, approve=False, reason=TEXT)) == {
        "role.interest"
    }


def test_reviewer_with_an_interest_casts_no_vote(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    declare(hub, "centre-reviewer")

    def vote() -> object:
        return cast_vote(
            hub,
            actor(hub, "centre-reviewer"),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason=TEXT,
        )

    assert refused(vote) == {"role.interest"}


def test_interests_are_entered_by_the_page_with_before_and_after_and_not_by_oneself(hub: Hub) -> None:
    with open_house(hub) as house:
        officer = house.browser_of("bureau-officer")
        officer.get("people/data-expert/account")
        assert officer.post("people/data-expert/interests", {"interests": OPERATOR}).status_code == 303
        assert "account.interests" in officer.post("people/data-expert/interests", {"interests": "nobody"}).text
        assert "account.self" in officer.post("people/bureau-officer/interests", {"interests": OPERATOR}).text
    with hub.reading() as session:
        entry = next(one for one in read_entries(session, limit=50) if one.kind == "interests.declared")
    assert f'"after":"{OPERATOR}"' in entry.body
