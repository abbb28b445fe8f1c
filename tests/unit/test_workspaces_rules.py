"""Rules of workspaces as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.people.actor import Actor, OrgKind, Role
from hub.workspaces.rules import Origin, refusals_to_mount, refusals_to_open

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANALYST = Actor(person_id="a", org_id="ky", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))

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
