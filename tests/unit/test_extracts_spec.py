"""The tables of `tests/specs/extracts.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hub.errors import Refusal
from hub.extracts.model import SEATS_OF_LEVEL, ExtractRequestStatus, ExtractSeat, ExtractStatus
from hub.extracts.rules import (
    Decided,
    RungRequest,
    refusals_to_build,
    refusals_to_decide,
    refusals_to_end,
    refusals_to_request,
    refusals_to_revoke,
    refusals_to_use_extract,
    refusals_to_withdraw,
)
from hub.licensing.model import ExtractLevel
from hub.people.actor import SYSTEM, Actor, OrgKind, Role
from tests.spec_tables import Row, rows

ANALYST = Actor(person_id="分析师甲", org_id="运营机构甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))
STEWARD = Actor(
    person_id="民政局专员", org_id="区民政局", org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD})
)
BUILDER = Actor(
    person_id="运营员", org_id="区城运中心", org_kind=OrgKind.CENTRE, roles=frozenset({Role.CENTRE_OPERATOR})
)
DIGESTS = {"这一申请": "1" * 64, "另一申请": "2" * 64}
SEATS = {"数据执行专员": ExtractSeat.PROVIDER, "合规审核员": ExtractSeat.COMPLIANCE}
ENDS = datetime(2026, 12, 24, tzinfo=UTC)


def decided(said: str) -> Decided:
    """`<seat>[对另一申请]同意|拒绝`, by the seat's own person."""
    seat, approves = said[:-2], {"同意": True, "拒绝": False}[said[-2:]]
    shown = "另一申请" if seat.endswith("对另一申请") else "这一申请"
    seat = seat.removesuffix("对另一申请")
    return Decided(seat=SEATS[seat], person_id=f"{seat}的本人", approves=approves, digest=DIGESTS[shown])


def asked(row: Row, state: ExtractRequestStatus, level: ExtractLevel, decisions: Sequence[str] = ()) -> RungRequest:
    return RungRequest(
        id="q-0001",
        level=row.word("level", ExtractLevel, level),
        status=row.word("state", ExtractRequestStatus, state),
        digest=DIGESTS["这一申请"],
        requested_by=ANALYST.person_id,
        operator_org=ANALYST.org_id,
        owner_org=STEWARD.org_id,
        builders=frozenset({BUILDER.person_id}),
        decisions=tuple(decided(said) for said in row.texts("decisions", decisions)),
    )


def request(row: Row) -> Sequence[Refusal]:
    return refusals_to_request(
        actor=row.actor(ANALYST),
        licence_id="l-0001",
        operator_org="运营机构甲",
        table_id=row.text("table", "就诊表"),
        level=row.word("level", ExtractLevel, ExtractLevel.SYNTHETIC),
        allowed={"就诊表": row.words("allowed", ExtractLevel, list(ExtractLevel))},
        is_secret=row.yes("secret", default=False),
        is_there=row.yes("there", default=False),
        purpose=row.text("purpose", "按街道统计需求，需要真实的行"),
    )


def decide(row: Row) -> Sequence[Refusal]:
    return refusals_to_decide(
        asked(row, ExtractRequestStatus.REQUESTED, ExtractLevel.SAMPLED),
        row.actor(STEWARD),
        digest=DIGESTS[row.text("shown", "这一申请")],
        reason=row.text("reason", "范围与协议一致，用途明确"),
    )


def withdraw(row: Row) -> Sequence[Refusal]:
    return refusals_to_withdraw(asked(row, ExtractRequestStatus.REQUESTED, ExtractLevel.SAMPLED), row.actor(ANALYST))


def build(row: Row) -> Sequence[Refusal]:
    return refusals_to_build(
        asked(row, ExtractRequestStatus.APPROVED, ExtractLevel.SAMPLED, ["数据执行专员同意"]),
        row.actor(BUILDER),
        is_outdated=row.yes("changed", default=False),
        is_running=row.yes("running", default=False),
    )


def end(row: Row) -> Sequence[Refusal]:
    return refusals_to_end(extract_id="e-0001", status=row.word("state", ExtractStatus, ExtractStatus.BUILDING))


def revoke(row: Row) -> Sequence[Refusal]:
    return refusals_to_revoke(
        actor=row.actor(STEWARD),
        extract_id="e-0001",
        owner_org="区民政局",
        status=row.word("state", ExtractStatus, ExtractStatus.ISSUED),
        reason=row.text("reason", "发现源数据有误，停止使用"),
    )


def use(row: Row) -> Sequence[Refusal]:
    return refusals_to_use_extract(
        extract_id="e-0001",
        status=row.word("state", ExtractStatus, ExtractStatus.ISSUED),
        expires_at=ENDS,
        now=row.moment("now", datetime(2026, 12, 1, tzinfo=UTC)),
    )


@pytest.mark.parametrize("row", rows("extracts"), ids=str)
def test_extracts_as_their_tables_say(row: Row) -> None:
    asks = {"request": request, "decide": decide, "withdraw": withdraw, "build": build}
    row.holds(asks | {"end": end, "revoke": revoke, "use": use})


@pytest.mark.parametrize("level", list(ExtractLevel))
def test_platform_asks_for_and_builds_by_itself_only_what_the_licence_grants(level: ExtractLevel) -> None:
    asks = refusals_to_request(
        actor=SYSTEM,
        licence_id="l-0001",
        operator_org=ANALYST.org_id,
        table_id="就诊表",
        level=level,
        allowed={"就诊表": [level]},
        is_secret=False,
        is_there=False,
        purpose="按街道统计需求，需要真实的行",
    )
    approvals = [Decided(seat=seat, person_id="某人", approves=True, digest="1") for seat in SEATS_OF_LEVEL[level]]
    granted = RungRequest(
        id="q-0001",
        level=level,
        status=ExtractRequestStatus.APPROVED,
        digest="1",
        requested_by=SYSTEM.person_id,
        operator_org=ANALYST.org_id,
        owner_org=STEWARD.org_id,
        builders=frozenset(),
        decisions=tuple(approvals),
    )
    builds = refusals_to_build(granted, SYSTEM, is_outdated=False, is_running=False)
    by_rule = level in (ExtractLevel.METADATA, ExtractLevel.SYNTHETIC)
    assert (not asks, not builds) == (by_rule, by_rule)
