"""The tables of `tests/specs/products.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Role
from hub.products.rules import GrantFacts, refusals_of_bundle, refusals_to_receive, refusals_to_redeem
from tests.spec_tables import Row, rows

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ADMIN = Actor(person_id="领取人", org_id="运营甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))


def receive(row: Row) -> Sequence[Refusal]:
    return refusals_to_receive(recipient=row.actor(ADMIN), operator_org="运营甲", request_id="r-0001")


def redeem(row: Row) -> Sequence[Refusal]:
    grant = GrantFacts(
        id="g-0001",
        recipient_id=row.text("in the name of", "领取人"),
        expires_at=row.moment("expires", datetime(2026, 11, 27, 8, tzinfo=UTC)),
        redeemed_at=NOW if row.yes("used", default=False) else None,
        revoked_at=NOW if row.yes("revoked", default=False) else None,
    )
    return refusals_to_redeem(
        actor=row.actor(ADMIN),
        request_id="r-0001",
        released=row.yes("released", default=True),
        grant=grant if row.yes("granted", default=True) else None,
        now=NOW,
    )


def hand_out(row: Row) -> Sequence[Refusal]:
    return refusals_of_bundle("r-0001", genuine=row.yes("the released one", default=True))


@pytest.mark.parametrize("row", rows("products"), ids=str)
def test_products_as_their_tables_say(row: Row) -> None:
    row.holds({"receive": receive, "redeem": redeem, "hand_out": hand_out})
