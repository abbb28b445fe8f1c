"""What a development entity makes under its operator's licence reaches the operator, and is the operator's affair."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotFound
from hub.gate.actions import cast_vote, find_request, look_at_files, submit_export
from hub.gate.model import Decision, ExportRequest
from hub.licensing.model import ProductForm
from hub.people.accounts import appoint_person
from hub.people.actor import OrgKind, Role
from hub.people.model import OrganisationStatus
from hub.people.organisations import found_organisation, move_organisation
from hub.products.actions import deliver_release, redeem_grant
from hub.register.actions import propose_product
from hub.workspaces.actions import open_workspace
from tests import factories
from tests.factories import actor


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """Licence l-0001 of kangyang names the development entity atelier."""
    hub = factories.district(tmp_path / "state")
    officer = actor(hub, "bureau-officer")
    found_organisation(
        hub,
        officer,
        org_id="atelier",
        name_zh="示例工坊",
        name_en="Example workshop",
        kind=OrgKind.DEVELOPER,
        uscc="91990107MA00000153",
        attached_to="kangyang",
    )
    record = {"entity_check": "核验〔2026〕1号", "confidentiality_ref": "保密〔2026〕1号"}
    move_organisation(hub, officer, org_id="atelier", to=OrganisationStatus.ACTIVE, **record)
    until = hub.clock() + timedelta(days=300)
    appoint_person(
        hub,
        officer,
        person_id="at-analyst",
        name_zh="工坊分析师",
        name_en="Workshop analyst",
        org_id="atelier",
        roles=frozenset({Role.ANALYST}),
        trained_until=until,
        confidentiality_until=until,
    )
    scenario = factories.approved_scenario(hub)
    _, items = factories.terms(hub, scenario)
    listed = [*items["security"]["personnel"], "at-analyst"]
    changes = {"header.developers": ["atelier"], "items.security.personnel": listed}
    factories.built(hub, factories.agreed(hub, scenario, changes=changes).id)
    return hub


def submitted(hub: Hub) -> ExportRequest:
    analyst = actor(hub, "at-analyst")
    room = open_workspace(hub, analyst, licence_id="l-0001")
    return submit_export(
        hub,
        analyst,
        workspace_id=room.workspace_id,
        slugs=[factories.put(hub, room)],
        title="按街道就诊人数",
        reason="汇总表,每格八十人,可以出域。",
        product_form=ProductForm.INDEX,
        screen=factories.screen_here,
    )


def test_operator_fetches_and_registers_what_its_development_entity_made(hub: Hub) -> None:
    request, admin = submitted(hub), actor(hub, "ky-admin")
    for person in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        )
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")
    assert redeem_grant(hub, admin, request_id=request.id).is_file()
    description = "按街道统计的就诊人数指数。"
    assert propose_product(hub, admin, request_id=request.id, name="就诊指数", description=description).id == "d-0001"


def test_operator_s_people_see_the_request_and_not_its_contents(hub: Hub) -> None:
    request = submitted(hub)
    for person in ("ky-admin", "ky-expert"):
        assert find_request(hub, actor(hub, person), request.id).id == request.id
        with pytest.raises(NotFound):
            look_at_files(hub, actor(hub, person), request_id=request.id)
    with pytest.raises(NotFound):
        find_request(hub, actor(hub, "mx-analyst"), request.id)
