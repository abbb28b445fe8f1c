"""The tables of `tests/specs/personnel.md`, asked of the rules of the personnel list."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Refusal
from hub.licensing.model import LicenceStatus, PersonnelKind, PersonnelStatus
from hub.licensing.personnel import (
    Candidate,
    Listing,
    people_listed,
    refusals_of_personnel,
    refusals_to_decide_personnel,
    refusals_to_propose,
    refusals_to_remove,
)
from hub.people.actor import Actor, OrgKind, Role
from tests.spec_tables import Row, rows

SIGNED = ("管理员", "分析师")
ADMIN = Actor(person_id="管理员", org_id="康养服务", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))


def listing(row: Row) -> Listing:
    status = row.word("state", LicenceStatus, LicenceStatus.ACTIVE)
    return Listing(licence_id="l-0001", status=status, operator_org="康养服务", people=SIGNED, proposed=("待定人员",))


def candidate(row: Row) -> Candidate:
    ours, in_date = row.yes("ours", default=True), row.yes("in date", default=True)
    return Candidate(person_id=row.text("who", "新人"), is_ours=ours, is_in_date=in_date)


def work(row: Row) -> Sequence[Refusal]:
    return refusals_of_personnel("l-0001", row.text("who", "分析师"), SIGNED)


def later(row: Row) -> Sequence[Refusal]:
    who = row.text("who", "分析师")
    kind, status = (
        row.word("change", PersonnelKind, PersonnelKind.ADD),
        row.word("state", PersonnelStatus, PersonnelStatus.IN_FORCE),
    )
    return refusals_of_personnel("l-0001", who, people_listed(SIGNED, [(kind, status, who)]))


def propose(row: Row) -> Sequence[Refusal]:
    reason = row.text("reason", "新入职")
    return refusals_to_propose(listing(row), row.actor(ADMIN), candidate(row), reason=reason)


def decide(row: Row) -> Sequence[Refusal]:
    return refusals_to_decide_personnel(
        listing(row),
        row.actor(OFFICER),
        candidate(row),
        status=row.word("change", PersonnelStatus, PersonnelStatus.PROPOSED),
        to=row.word("decision", PersonnelStatus, PersonnelStatus.IN_FORCE),
        reason=row.text("reason", "已核对"),
    )


def remove(row: Row) -> Sequence[Refusal]:
    who, reason = row.text("who", "分析师"), row.text("reason", "离职")
    return refusals_to_remove(listing(row), row.actor(ADMIN), person_id=who, reason=reason)


ASKED = {"work": work, "later": later, "propose": propose, "decide": decide, "remove": remove}


@pytest.mark.parametrize("row", rows("personnel"), ids=str)
def test_personnel_as_its_tables_say(row: Row) -> None:
    row.holds(ASKED)


def test_the_last_change_of_a_person_is_the_one_that_counts() -> None:
    in_force = PersonnelStatus.IN_FORCE
    back = [(PersonnelKind.REMOVE, in_force, "分析师"), (PersonnelKind.ADD, in_force, "分析师")]
    assert people_listed(SIGNED, back) == set(SIGNED)
    assert people_listed(SIGNED, reversed(back)) == {"管理员"}
