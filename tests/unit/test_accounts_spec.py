"""The tables of `tests/specs/accounts.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from hub.errors import Refusal
from hub.people.account_rules import (
    refusals_to_change_roles,
    refusals_to_close_account,
    refusals_to_decide_change,
    refusals_to_declare_interests,
    refusals_to_end_sessions,
    refusals_to_found_organisation,
    refusals_to_move_organisation,
    refusals_to_open_account,
    refusals_to_recover_officer,
    refusals_to_reset,
    takes_two,
)
from hub.people.actor import SYSTEM, Actor, OrgKind, Role
from hub.people.model import ChangeStatus, OrganisationStatus, PersonStatus
from tests.spec_tables import Row, rows

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
USCC = "91990107MA00000153"


def open_account(row: Row) -> Sequence[Refusal]:
    return refusals_to_open_account(
        actor=row.actor(OFFICER),
        person_id="某人",
        org_kind=row.word("organisation type", OrgKind, OrgKind.OPERATOR),
        org_status=row.word("state of the organisation", OrganisationStatus, OrganisationStatus.ACTIVE),
        roles=frozenset(row.words("account's role", Role, [Role.ANALYST])),
        access_until=None if row.text("last day") == "" else row.moment("last day", NOW),
        now=NOW,
    )


def change_roles(row: Row) -> Sequence[Refusal]:
    return refusals_to_change_roles(
        actor=row.actor(OFFICER),
        person_id=row.text("account", "某人"),
        status=row.word("state", PersonStatus, PersonStatus.ACTIVE),
        org_kind=row.word("organisation type", OrgKind, OrgKind.CENTRE),
        before=frozenset(row.words("roles before", Role, [Role.COMPLIANCE_REVIEWER])),
        after=frozenset(row.words("roles after", Role, [Role.SECURITY_REVIEWER])),
        officers_left=row.number("officers left", 2),
    )


def close(row: Row) -> Sequence[Refusal]:
    return refusals_to_close_account(
        actor=row.actor(OFFICER),
        person_id=row.text("account", "某人"),
        status=row.word("state", PersonStatus, PersonStatus.ACTIVE),
        roles=frozenset(row.words("roles before", Role, [Role.ANALYST])),
        officers_left=row.number("officers left", 2),
    )


def reset(row: Row) -> Sequence[Refusal]:
    status = row.word("state", PersonStatus, PersonStatus.ACTIVE)
    return refusals_to_reset(actor=row.actor(OFFICER), person_id=row.text("account", "某人"), status=status)


def end_sessions(row: Row) -> Sequence[Refusal]:
    status = row.word("state", PersonStatus, PersonStatus.ACTIVE)
    return refusals_to_end_sessions(actor=row.actor(OFFICER), person_id=row.text("account", "某人"), status=status)


def interests(row: Row) -> Sequence[Refusal]:
    return refusals_to_declare_interests(
        actor=row.actor(OFFICER),
        person_id=row.text("account", "某人"),
        status=row.word("state", PersonStatus, PersonStatus.ACTIVE),
        are_known=row.yes("known organisations", default=True),
    )


def decide(row: Row) -> Sequence[Refusal]:
    return refusals_to_decide_change(
        actor=row.actor(OFFICER),
        change_id="c-0001",
        person_id=row.text("account", "某人"),
        status=row.word("state of the change", ChangeStatus, ChangeStatus.PROPOSED),
        to=row.word("decision", ChangeStatus, ChangeStatus.CONFIRMED),
        proposed_by=row.text("proposed by", "另一名经办人"),
        proposer_has_access=row.yes("proposer in use", default=True),
    )


def found(row: Row) -> Sequence[Refusal]:
    kind = row.word("organisation type", OrgKind, OrgKind.OPERATOR)
    return refusals_to_found_organisation(
        actor=row.actor(OFFICER),
        org_id="某机构",
        kind=kind,
        uscc=row.text("credit code", USCC),
        attached_kind=row.word_or_none("attached to a", OrgKind, None),
    )


def move(row: Row) -> Sequence[Refusal]:
    return refusals_to_move_organisation(
        actor=row.actor(OFFICER),
        org_id="某机构",
        kind=row.word("organisation type", OrgKind, OrgKind.OPERATOR),
        status=row.word("state of the organisation", OrganisationStatus, OrganisationStatus.ACTIVE),
        to=row.word("to", OrganisationStatus, OrganisationStatus.DISSOLVED),
        entity_check=row.text("entity check", "核验〔2026〕1号"),
        confidentiality_ref=row.text("confidentiality agreement", "保密〔2026〕1号"),
        has_successor=row.yes("has a successor", default=True),
    )


def recover(row: Row) -> Sequence[Refusal]:
    return refusals_to_recover_officer(
        person_id="经办人",
        has_access=row.yes("has access", default=True),
        roles=frozenset(row.words("roles before", Role, [Role.BUREAU_OFFICER])),
        officers_able=row.number("officers able", 0),
        has_sign_in=row.yes("has a sign-in", default=True),
    )


ASKS = {
    "open": open_account,
    "change_roles": change_roles,
    "close": close,
    "reset": reset,
    "end_sessions": end_sessions,
    "decide": decide,
    "interests": interests,
    "found": found,
    "move": move,
    "recover": recover,
}


@pytest.mark.parametrize("row", rows("accounts"), ids=str)
def test_accounts_as_their_tables_say(row: Row) -> None:
    row.holds(ASKS)


def test_the_service_opens_and_founds_without_a_role_where_its_caller_lets_it() -> None:
    opened = refusals_to_open_account(
        actor=SYSTEM,
        person_id="某人",
        org_kind=OrgKind.BUREAU,
        org_status=OrganisationStatus.ACTIVE,
        roles=frozenset({Role.BUREAU_OFFICER}),
        access_until=None,
        now=NOW,
    )
    founded = refusals_to_found_organisation(
        actor=SYSTEM, org_id="某机构", kind=OrgKind.BUREAU, uscc="", attached_kind=None
    )
    assert (opened, founded) == ((), ())


@pytest.mark.parametrize("role", Role)
def test_roles_that_decide_anything_for_a_body_take_two(role: Role) -> None:
    one = {"analyst", "auditor", "third_party_assessor"}
    assert takes_two(frozenset({role})) == (role.value not in one)
    assert not takes_two(frozenset())
