"""Rules of grants, of extracts and of workspaces as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.extracts.rules import refusals_to_build
from hub.people.actor import Actor, OrgKind, Role
from hub.products.rules import GrantFacts, refusals_to_receive, refusals_to_redeem
from hub.workspaces.rules import Origin, refusals_to_mount, refusals_to_open

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANALYST = Actor(person_id="a", org_id="ky", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))
BUILDER = Actor(person_id="b", org_id="centre", org_kind=OrgKind.CENTRE, roles=frozenset({Role.CENTRE_OPERATOR}))
GRANT = GrantFacts(id="g-0001", recipient_id="a", expires_at=NOW + SECOND, redeemed_at=None)

REDEEM = [
    (True, GRANT, ANALYST, set()),
    (False, None, ANALYST, {"release.not_released"}),
    (False, GRANT, BUILDER, {"release.not_released"}),
    (True, None, ANALYST, {"grant.none"}),
    (True, replace(GRANT, recipient_id="z"), ANALYST, {"grant.recipient"}),
    (True, replace(GRANT, redeemed_at=NOW), ANALYST, {"grant.redeemed"}),
    (True, replace(GRANT, expires_at=NOW), ANALYST, {"grant.expired"}),
    (True, replace(GRANT, recipient_id="b"), BUILDER, {"role.missing"}),
]


@pytest.mark.parametrize(("released", "grant", "actor", "expected"), REDEEM)
def test_fetching_a_bundle(released: bool, grant: GrantFacts | None, actor: Actor, expected: set[str]) -> None:
    found = refusals_to_redeem(actor=actor, request_id="r", released=released, grant=grant, now=NOW)
    assert {refusal.rule for refusal in found} == expected


def test_receiver_is_of_the_operator() -> None:
    assert refusals_to_receive(recipient=ANALYST, operator_org="ky", request_id="r") == ()
    other = refusals_to_receive(recipient=ANALYST, operator_org="ps", request_id="r")
    assert {refusal.rule for refusal in other} == {"release.recipient"}


BUILD = [
    (BUILDER, {"t"}, False, set()),
    (ANALYST, {"t"}, False, {"role.missing"}),
    (BUILDER, {"u"}, False, {"extract.table"}),
    (BUILDER, {"t"}, True, {"extract.running"}),
]


@pytest.mark.parametrize(("actor", "covered", "running", "expected"), BUILD)
def test_building_an_extract(actor: Actor, covered: set[str], running: bool, expected: set[str]) -> None:
    found = refusals_to_build(actor=actor, licence_id="l", table_id="t", covered=covered, running=running)
    assert {refusal.rule for refusal in found} == expected


OPEN = [
    (ANALYST, "ky", 1, set()),
    (ANALYST, "ps", 1, {"workspace.organisation"}),
    (ANALYST, "ky", 0, {"workspace.no_extract"}),
    (replace(ANALYST, roles=frozenset({Role.LICENSEE_ADMIN})), "ky", 1, {"role.missing"}),
]


@pytest.mark.parametrize(("actor", "operator", "extracts", "expected"), OPEN)
def test_opening_a_workspace(actor: Actor, operator: str, extracts: int, expected: set[str]) -> None:
    found = refusals_to_open(actor=actor, licence_id="l", operator_org=operator, extracts=extracts)
    assert {refusal.rule for refusal in found} == expected


def test_only_the_issued_bytes_are_mounted() -> None:
    issued = Origin(digest="1", source="s", policy="p")
    assert refusals_to_mount(extract_id="e", issued=issued, found=issued) == ()
    for found in ("2", ""):
        refusals = refusals_to_mount(extract_id="e", issued=issued, found=replace(issued, digest=found))
        assert {refusal.rule for refusal in refusals} == {"extract.changed"}
    for now in (replace(issued, source="t"), replace(issued, policy="")):
        refusals = refusals_to_mount(extract_id="e", issued=issued, found=now)
        assert {refusal.rule for refusal in refusals} == {"extract.stale"}
