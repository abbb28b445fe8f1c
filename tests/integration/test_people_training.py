"""Training and confidentiality lapse, and then nothing is left but signing in and reading; end to end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotAllowed
from hub.gate.actions import cast_vote, vote_refusals
from hub.gate.model import Decision
from hub.ledger.actions import read_entries
from hub.people.actions import lapses_of, record_training
from hub.people.actor import OrgKind
from hub.workspaces.actions import mount_extracts, open_refusals, open_workspace
from tests import factories
from tests.factories import NOW, Watch, actor
from tests.integration.web_house import open_house

LAPSED = "centre-reviewer-2"
REASON = "逐格看过,未见个人信息,同意出域。"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


def train(hub: Hub, person_id: str, *, by: str = "bureau-officer", days: int = 30, bound: int = 30) -> None:
    record_training(
        hub,
        actor(hub, by),
        person_id=person_id,
        trained_until=hub.clock() + timedelta(days=days),
        confidentiality_until=hub.clock() + timedelta(days=bound),
    )


def refused(act: object) -> set[str]:
    with pytest.raises(NotAllowed) as error:
        act()  # type: ignore[operator]
    return {refusal.rule for refusal in error.value.refusals}


def test_reviewer_with_lapsed_training_is_refused_at_the_vote_until_the_bureau_enters_the_new_date(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))

    def vote() -> object:
        return cast_vote(
            hub,
            actor(hub, LAPSED),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason=REASON,
        )

    assert refused(vote) == {"person.training_lapsed"}
    assert "person.training_lapsed" in {refusal.rule for refusal in vote_refusals(hub, actor(hub, LAPSED), request)}
    with hub.reading() as session:
        newest = read_entries(session, limit=1000)[0:1000]
    refusals = [entry for entry in newest if entry.kind == "action.refused" and "person.training_lapsed" in entry.body]
    assert refusals
    assert all("第二十三条" in entry.body for entry in refusals)
    train(hub, LAPSED)
    vote()


def test_reviewer_with_lapsed_training_reads_the_request_in_words_but_no_contents(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    with open_house(hub) as house:
        browser = house.browser_of(LAPSED)
        page = browser.get(f"requests/{request.id}")
        assert page.status_code == 200
        assert "person.training_lapsed" in page.text
        assert "S0" not in page.text
        answer = browser.post(
            f"requests/{request.id}/votes", {"digest": request.digest, "decision": "approve", "reason": REASON}
        )
        assert answer.status_code == 403
        assert "person.training_lapsed" in answer.text
        assert "S0" in house.browser_of("centre-reviewer").get(f"requests/{request.id}").text


def test_analyst_whose_promise_ends_loses_the_workspace_that_runs(hub: Hub, watch: Watch) -> None:
    room = factories.room(hub)
    analyst = actor(hub, "ky-analyst")
    train(hub, "ky-analyst", days=9, bound=3)
    assert open_refusals(hub, analyst, "l-0001") == ()
    watch.move(days=3)
    assert {refusal.rule for refusal in open_refusals(hub, analyst, "l-0001")} == {"person.confidentiality_lapsed"}
    lapsed = {"person.confidentiality_lapsed"}
    assert refused(lambda: open_workspace(hub, analyst, licence_id="l-0001")) == lapsed
    assert refused(lambda: mount_extracts(hub, analyst, workspace_id=room.workspace_id)) == lapsed
    assert refused(lambda: factories.submitted(hub, room)) == lapsed


def test_actor_value_taken_before_the_lapse_does_not_outlive_it(hub: Hub) -> None:
    officer = actor(hub, "bureau-officer")
    train(hub, "bureau-officer", by="bureau-assessor", days=-1)
    assert "person.training_lapsed" in refused(lambda: train(hub, "ky-admin"))
    assert {refusal.rule for refusal in lapses_of(hub, officer)} == {"person.training_lapsed"}


@pytest.mark.parametrize(
    ("by", "of", "rule"),
    [
        ("bureau-officer", "bureau-officer", "training.self"),
        ("ky-admin", "ky-analyst", "role.missing"),
        ("mz-cdo", "mz-steward", "role.missing"),
        (LAPSED, LAPSED, "person.training_lapsed"),
    ],
)
def test_only_another_officer_of_the_bureau_enters_a_training(hub: Hub, by: str, of: str, rule: str) -> None:
    assert rule in refused(lambda: train(hub, of, by=by))


def test_actor_without_an_account_counts_as_never_trained(hub: Hub) -> None:
    stranger = type(actor(hub, "auditor"))(
        person_id="nobody", org_id="centre", org_kind=OrgKind.CENTRE, roles=actor(hub, "centre-operator").roles
    )
    assert {refusal.rule for refusal in lapses_of(hub, stranger)} == {
        "person.training_lapsed",
        "person.confidentiality_lapsed",
    }


def test_auditor_whose_training_lapsed_does_not_read_the_ledger(hub: Hub) -> None:
    with open_house(hub) as house:
        browser = house.browser_of("auditor")
        assert browser.get("ledger").status_code == 200
        train(hub, "auditor", days=-1)
        answer = browser.get("ledger")
        assert answer.status_code == 403
        assert "person.training_lapsed" in answer.text
        assert browser.get("").status_code == 200


def test_training_is_entered_with_its_dates_in_the_ledger(hub: Hub) -> None:
    train(hub, "ky-analyst", days=10, bound=20)
    with hub.reading() as session:
        last = next(entry for entry in read_entries(session, limit=1000) if entry.kind == "training.recorded")
    assert (NOW + timedelta(days=10)).date().isoformat() in last.body
    assert (NOW + timedelta(days=20)).date().isoformat() in last.body
