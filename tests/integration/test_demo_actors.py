"""The demonstration district holds the actors of DOMAIN.md §6.4, and each is refused where it should be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.context import Hub, open_hub
from hub.demo import seed
from hub.demo.agreement import proposal
from hub.demo.catalog import policy_of
from hub.errors import HubError, NotFound
from hub.extracts.requests import request_extract
from hub.gate.actions import cast_vote
from hub.gate.model import Decision
from hub.licensing.actions import find_licence, list_licences, list_scenarios, standing_of
from hub.licensing.agreements import draft_licence
from hub.licensing.model import ExtractLevel, Lane, LicenceStatus
from hub.people.actor import OrgKind
from hub.people.model import Organisation
from hub.rulebook.calendar import add_years
from hub.settings import Settings
from hub.workspaces.actions import open_workspace
from tests.factories import actor

PURPOSE = "按街道统计需求，需要真实的行。"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    hub = open_hub(Settings(state_dir=tmp_path_factory.mktemp("demo") / "s"))
    seed.seed(hub)
    return hub


def codes(act: Callable[[], object]) -> set[str]:
    with pytest.raises(HubError) as caught:
        act()
    return {refusal.rule for refusal in caught.value.refusals}


def test_three_operators_and_a_development_entity_are_there(hub: Hub) -> None:
    with hub.reading() as session:
        names = {org.name_zh: (org.kind, org.attached_to) for org in session.query(Organisation)}
    for name in ("示例普数科技", "示例停管运营", "示例康养服务"):
        assert names[name] == (OrgKind.OPERATOR, "")
    assert names["示例模型工坊"] == (OrgKind.DEVELOPER, "pushu")


def test_one_licence_stands_in_each_notable_state(hub: Hub) -> None:
    found = {licence.id: licence for licence in list_licences(hub, actor(hub, "auditor"))}
    assert [(found[one].operator_org, found[one].lane, found[one].status) for one in sorted(found)] == [
        ("pushu", Lane.INDUSTRY, LicenceStatus.ACTIVE),
        ("kangyang", Lane.PUBLIC, LicenceStatus.ACTIVE),
        ("tingguan", Lane.INDUSTRY, LicenceStatus.SUSPENDED),
        ("pushu", Lane.INDUSTRY, LicenceStatus.DELIBERATING),
    ]
    assert found["l-0004"].renews == "l-0001"


@pytest.mark.parametrize(
    ("person", "licence", "refusals"),
    [
        ("ps-analyst", "l-0001", ["licence.expired"]),
        ("ky-analyst", "l-0002", []),
        ("ky-admin", "l-0002", []),
        ("ky-newcomer", "l-0002", ["licence.not_listed"]),
        ("tg-analyst", "l-0003", ["licence.suspended"]),
        ("ps-analyst", "l-0004", ["licence.deliberating"]),
        ("mx-analyst", "l-0004", ["licence.deliberating"]),
    ],
)
def test_standing_of_each_licence(hub: Hub, person: str, licence: str, refusals: list[str]) -> None:
    [standing] = [one for one in standing_of(hub, actor(hub, person), hub.clock()) if one.licence.id == licence]
    assert [refusal.rule for refusal in standing.refusals] == refusals


@pytest.mark.parametrize(
    ("analyst", "licence", "table", "code"),
    [
        ("ps-analyst", "l-0001", "fair", "licence.expired"),
        ("ky-newcomer", "l-0002", "mz_elder_care", "licence.not_listed"),
        ("tg-analyst", "l-0003", "cg_session", "licence.suspended"),
        ("mx-analyst", "l-0004", "fair", "licence.deliberating"),
    ],
)
def test_analysts_are_refused_at_extract_and_workspace(
    hub: Hub, analyst: str, licence: str, table: str, code: str
) -> None:
    person = actor(hub, analyst)
    asked = {"licence_id": licence, "table_id": table, "level": ExtractLevel.FULL, "purpose": PURPOSE}
    assert code in codes(lambda: request_extract(hub, person, **asked))  # type: ignore[arg-type]
    assert code in codes(lambda: open_workspace(hub, person, licence_id=licence))


def test_development_entity_sees_its_operator_s_licences_and_no_other(hub: Hub) -> None:
    person = actor(hub, "mx-analyst")
    assert find_licence(hub, person, "l-0004").developers == ["moxing"]
    for other in ("l-0002", "l-0003"):
        with pytest.raises(NotFound):
            find_licence(hub, person, other)


def test_no_agreement_is_drafted_without_the_consent_of_the_provider(hub: Hub) -> None:
    officer = actor(hub, "bureau-officer")
    [scenario] = [one for one in list_scenarios(hub, officer) if one.table_ids == ["wj_visit_summary"]]
    header, items = proposal(
        hub,
        scenario_id=scenario.id,
        policies={"wj_visit_summary": policy_of("fair")},
        starts_at=hub.clock(),
        ends_at=add_years(hub.clock(), 1),
        document_ref="演示〔2026〕9号",
    )
    found = codes(lambda: draft_licence(hub, officer, scenario_id=scenario.id, header=header, items=items))
    assert "licence.consent_missing" in found


def test_reviewer_whose_training_lapsed_does_not_vote(hub: Hub) -> None:
    lapsed = actor(hub, "centre-reviewer-2")
    found = codes(
        lambda: cast_vote(
            hub, lapsed, request_id="r-0001", digest="0" * 64, decision=Decision.APPROVE, reason="逐格看过，同意出域。"
        )
    )
    assert found == {"person.training_lapsed"}
