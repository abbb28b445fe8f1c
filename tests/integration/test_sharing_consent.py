"""A shared-in table from its scenario to the gate: nothing goes on without its provider's consent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.catalog.model import Origin
from hub.context import Hub
from hub.demo.licences import give_opinions
from hub.errors import NotAllowed, NotFound
from hub.extracts.actions import build_extract
from hub.gate.actions import cast_vote
from hub.gate.model import Decision, ExportRequest
from hub.ledger.actions import read_entries
from hub.licensing.actions import decide_scenario, file_scenario, find_licence, terms_of
from hub.licensing.model import ExtractLevel, Lane, Licence
from hub.licensing.rules import refusals_to_use
from hub.products.actions import deliver_release
from hub.sharing.actions import decide_consent, find_consent, list_consents, withdraw_consent
from hub.sharing.model import ConsentStatus
from hub.workspaces.actions import mount_extracts, open_workspace
from tests import factories
from tests.factories import actor


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """A shared-in table, and an approved scenario that names it; the consent is asked for."""
    hub = factories.district(tmp_path / "state")
    factories.published(hub, origin=Origin.SHARED_IN, provider_org="wj")
    file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="演示场景",
        purpose="按街道统计就诊次数,用于站点规划。",
        lane=Lane.PUBLIC,
        table_ids=["clinic_visits"],
    )
    give_opinions(hub, "s-0001")
    decide_scenario(hub, actor(hub, "bureau-officer"), scenario_id="s-0001", approve=True, reason="用途明确。")
    return hub


def grant(hub: Hub) -> Licence:
    return factories.agreed(hub)


def answer(hub: Hub, *, give: bool, person: str = "wj-steward") -> None:
    decide_consent(hub, actor(hub, person), consent_id="c-0001", give=give, reason="用途在共享约定之内。")


def refused(act: Callable[[], object], code: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


def vote(hub: Hub, request: ExportRequest, reviewer: str) -> None:
    cast_vote(
        hub,
        actor(hub, reviewer),
        request_id=request.id,
        digest=request.digest,
        decision=Decision.APPROVE,
        reason="已逐格核对,同意出域。",
    )


def test_filing_a_scenario_asks_the_department_that_shared_the_table(hub: Hub) -> None:
    [consent] = list_consents(hub, actor(hub, "wj-steward"))
    assert (consent.table_id, consent.provider_org, consent.scenario_id) == ("clinic_visits", "wj", "s-0001")
    assert consent.status is ConsentStatus.REQUESTED
    assert consent.purpose == "按街道统计就诊次数,用于站点规划。"


def test_own_table_asks_nobody(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "own")
    factories.licensed(hub)
    assert list_consents(hub, actor(hub, "bureau-officer")) == []


def test_no_licence_without_consent_and_the_refusal_is_on_record(hub: Hub) -> None:
    refused(lambda: grant(hub), "licence.consent_missing")
    with hub.reading() as session:
        event = json.loads(read_entries(session, limit=1)[0].body)
    assert (event["kind"], event["reason_codes"]) == ("action.refused", ["licence.consent_missing"])


def test_refused_consent_grants_nothing(hub: Hub) -> None:
    answer(hub, give=False)
    refused(lambda: grant(hub), "licence.consent_missing")


def test_receiving_department_does_not_consent_for_the_provider(hub: Hub) -> None:
    refused(lambda: answer(hub, give=True, person="mz-steward"), "consent.provider")
    refused(lambda: answer(hub, give=True, person="bureau-officer"), "role.missing")


def test_rival_operator_does_not_learn_of_the_request(hub: Hub) -> None:
    with pytest.raises(NotFound):
        find_consent(hub, actor(hub, "ps-admin"), "c-0001")
    assert find_consent(hub, actor(hub, "ky-admin"), "c-0001").id == "c-0001"


def test_withdrawal_stops_every_step_that_follows(hub: Hub) -> None:
    answer(hub, give=True)
    licence = grant(hub)
    extract = factories.built(hub, licence.id)
    room = open_workspace(hub, actor(hub, "ky-analyst"), licence_id=licence.id)
    approved, request = factories.submitted(hub, room), factories.submitted(hub, room)
    for reviewer in ("mz-reviewer", "centre-reviewer"):
        vote(hub, approved, reviewer)
    withdraw_consent(hub, actor(hub, "wj-steward"), consent_id="c-0001", reason="共享约定已到期。")
    person = {name: actor(hub, name) for name in ("centre-operator", "ky-analyst", "release-officer")}
    steps: list[Callable[[], object]] = [
        lambda: grant(hub),
        lambda: build_extract(hub, person["centre-operator"], request_id=extract.request_id),
        lambda: factories.built(hub, licence.id, ExtractLevel.SYNTHETIC),
        lambda: open_workspace(hub, person["ky-analyst"], licence_id=licence.id),
        lambda: mount_extracts(hub, person["ky-analyst"], workspace_id=room.workspace_id),
        lambda: factories.submitted(hub, room),
        lambda: vote(hub, request, "mz-reviewer"),
        lambda: deliver_release(hub, person["release-officer"], request_id=approved.id, recipient_id="ky-analyst"),
    ]
    for step in steps:
        refused(step, "licence.consent_withdrawn")
    now = find_licence(hub, person["ky-analyst"], licence.id)
    assert [found.rule for found in refusals_to_use(terms_of(now), hub.clock())] == ["licence.consent_withdrawn"]


def test_an_answer_stands(hub: Hub) -> None:
    answer(hub, give=True)
    refused(lambda: answer(hub, give=False), "consent.status")
