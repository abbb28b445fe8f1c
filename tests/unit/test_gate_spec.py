"""The tables of `tests/specs/gate.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from hub.errors import Refusal
from hub.gate.model import Decision, RequestStatus, Seat
from hub.gate.rules import (
    CastVote,
    RequestFacts,
    refusals_of_age,
    refusals_of_files,
    refusals_of_made_up,
    refusals_of_secrets,
    refusals_to_deliver,
    refusals_to_submit,
    refusals_to_vote,
    refusals_to_withdraw,
)
from hub.people.actor import Actor, OrgKind, Role
from hub.rulebook.calendar import district_calendar
from hub.rulebook.packs import pack_version
from tests.spec_tables import Row, rows

ANALYST = Actor(person_id="分析师甲", org_id="运营机构甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))
REVIEWER = Actor(
    person_id="民政局审核员",
    org_id="区民政局",
    org_kind=OrgKind.DEPARTMENT,
    roles=frozenset({Role.PROVIDER_REVIEWER}),
)
OFFICER = Actor(
    person_id="放行员", org_id="区城运中心", org_kind=OrgKind.CENTRE, roles=frozenset({Role.RELEASE_OFFICER})
)
FILES = {"审核中的文件": "1" * 64, "另一份文件": "2" * 64, "旧文件": "3" * 64}
VOTERS = {
    "民政局审核员": ("区民政局", Seat.PROVIDER),
    "统计局审核员": ("区统计局", Seat.PROVIDER),
    "城运审核员": ("区城运中心", Seat.COMPLIANCE),
    "安全审核员": ("区城运中心", Seat.SECURITY),
    "专家甲": ("运营机构甲", Seat.COMPLIANCE),
    "申请人": ("区城运中心", Seat.COMPLIANCE),
    "运营员": ("区城运中心", Seat.COMPLIANCE),
}
VERDICTS = {"通过": "pass", "通过但有提示": "flag", "未通过": "block", "未运行": ""}
ENOUGH = ("民政局审核员同意", "城运审核员同意")


def vote_of(said: str) -> CastVote:
    """`<who>[对旧文件]同意|反对`."""
    who, decision = said[:-2], {"同意": Decision.APPROVE, "反对": Decision.OBJECT}[said[-2:]]
    old = who.endswith("对旧文件")
    who = who.removesuffix("对旧文件")
    org, seat = VOTERS[who]
    return CastVote(
        person_id=ANALYST.person_id if who == "申请人" else who,
        org_id=org,
        seat=seat,
        decision=decision,
        digest=FILES["旧文件" if old else "审核中的文件"],
    )


def request(row: Row, *, state: RequestStatus, votes: Sequence[str]) -> RequestFacts:
    return RequestFacts(
        id="r-0001",
        status=row.word("state", RequestStatus, state),
        digest=FILES["审核中的文件"],
        author_id=ANALYST.person_id,
        author_org=row.text("organisation of the author", ANALYST.org_id),
        operator_org=ANALYST.org_id,
        provider_orgs=frozenset(row.texts("departments", ["区民政局"])),
        extract_builders=frozenset({"运营员"}),
        reviewers_required=row.number("reviewers required", 2),
        votes=tuple(vote_of(said) for said in row.texts("votes", votes)),
        check_verdict=VERDICTS[row.text("check", "通过")],
        check_digest=FILES[row.text("checked files", "审核中的文件")],
        prechecked_by=frozenset(row.texts("prechecked by")),
    )


def submit(row: Row) -> Sequence[Refusal]:
    return refusals_to_submit(
        actor=row.actor(ANALYST),
        owner_id=row.text("owner of the workspace", ANALYST.person_id),
        workspace_id="w-0001",
        title=row.text("title", "就诊人数"),
        reason=row.text("reason", "按街道汇总，每格八十人"),
        slugs=row.texts("items", ["汇总表"]),
    )


def made_up(row: Row) -> Sequence[Refusal]:
    return refusals_of_made_up(
        "w-0001",
        only_made_up=row.yes("only made-up rows", default=False),
        marked=row.yes("marked", default=False),
    )


def withdraw(row: Row) -> Sequence[Refusal]:
    return refusals_to_withdraw(request(row, state=RequestStatus.IN_REVIEW, votes=()), row.actor(ANALYST))


def vote(row: Row) -> Sequence[Refusal]:
    return refusals_to_vote(
        request(row, state=RequestStatus.IN_REVIEW, votes=()),
        row.actor(REVIEWER),
        digest=FILES[row.text("voted on", "审核中的文件")],
        reason=row.text("reason", "逐格看过，每格八十人。"),
        seat=row.word_or_none("seat", Seat, None),
    )


def deliver(row: Row) -> Sequence[Refusal]:
    return refusals_to_deliver(request(row, state=RequestStatus.APPROVED, votes=ENOUGH), row.actor(OFFICER))


def files(row: Row) -> Sequence[Refusal]:
    submitted = row.texts("submitted files")
    changed, missing = row.texts("changed files"), row.texts("missing files")
    found = {name: "2" if name in changed else "1" for name in submitted if name not in missing}
    found |= dict.fromkeys(row.texts("extra files"), "1")
    return refusals_of_files("r-0001", dict.fromkeys(submitted, "1"), found)


def marks(row: Row) -> Sequence[Refusal]:
    return refusals_of_secrets("w-0001", marked=row.number("marked files", 0))


def age(row: Row) -> Sequence[Refusal]:
    return refusals_of_age(
        "r-0001",
        approved=row.day("approved", date(2026, 11, 24)),
        today=row.day("today", date(2026, 11, 24)),
        pack=pack_version("district", "2026.1"),
        calendar=district_calendar(),
    )


@pytest.mark.parametrize(("today", "codes"), [(date(2027, 1, 9), []), (date(2027, 1, 10), ["release.expired"])])
def test_approval_ends_earlier_in_a_year_without_a_calendar_and_never_later(today: date, codes: list[str]) -> None:
    found = refusals_of_age(
        "r-0001",
        approved=date(2026, 12, 30),
        today=today,
        pack=pack_version("district", "2026.1"),
        calendar=district_calendar(),
    )
    assert [refusal.rule for refusal in found] == codes


ASKS = {
    "age": age,
    "submit": submit,
    "made_up": made_up,
    "withdraw": withdraw,
    "vote": vote,
    "deliver": deliver,
    "files": files,
    "marks": marks,
}


@pytest.mark.parametrize("row", rows("gate"), ids=str)
def test_gate_as_its_tables_say(row: Row) -> None:
    row.holds(ASKS)
