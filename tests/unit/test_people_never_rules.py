"""What each role may never do (DOMAIN.md §1.2), held against the tables that decide."""

from __future__ import annotations

import pytest

from hub.people.actor import REVIEWERS, OrgKind, Role
from hub.people.rules import APART, HOME, MAY, MAY_NEVER, READ_ONLY, Verb, never_with

DECISIONS = frozenset(
    {
        *(Verb.GIVE_OPINION, Verb.DECIDE_SCENARIO, Verb.GRANT_LICENCE, Verb.SUSPEND_LICENCE, Verb.RESUME_LICENCE),
        *(Verb.DECIDE_CONSENT, Verb.WITHDRAW_CONSENT, Verb.DECIDE_REGISTRATION, Verb.ENTER_CAP, Verb.PUBLISH_TABLE),
        *(Verb.CAST_VOTE, Verb.DELIVER_RELEASE, Verb.CLOSE_LICENCE, Verb.BUILD_EXTRACT),
    }
)
OUTSIDE = frozenset({OrgKind.OPERATOR, OrgKind.DEVELOPER})


@pytest.mark.parametrize("role", Role)
def test_no_role_may_do_what_it_may_never(role: Role) -> None:
    assert [verb.value for verb in MAY_NEVER[role].verbs if role in MAY[verb]] == []
    assert str(MAY_NEVER[role].words)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.THIRD_PARTY_ASSESSOR, Role.CAC_SUPERVISOR, Role.DATA_EXPERT])
def test_roles_that_watch_or_advise_write_nothing_else(role: Role) -> None:
    writes = {verb for verb in Verb if role in MAY[verb]} - READ_ONLY
    allowed = {Verb.GIVE_OPINION} if role in (Role.CAC_SUPERVISOR, Role.DATA_EXPERT) else set()
    assert writes == allowed


@pytest.mark.parametrize("role", Role)
def test_nobody_reviews_and_makes_or_reviews_and_releases(role: Role) -> None:
    if role in REVIEWERS:
        assert {Role.RELEASE_OFFICER, Role.CENTRE_OPERATOR} <= never_with(role)
    if role in (Role.AUDITOR, Role.THIRD_PARTY_ASSESSOR):
        assert never_with(role) == frozenset(Role) - {role}


@pytest.mark.parametrize("verb", sorted(DECISIONS))
def test_decisions_on_operators_are_taken_where_no_operator_sits(verb: Verb) -> None:
    """One role is lent by operators, the compliance reviewer; the gate refuses it to whoever sides with the applicant
    (`vote.colleague`, `vote.operator_org`)."""
    lent = {role for role in MAY[verb] if HOME[role] & OUTSIDE}
    assert lent == ({Role.COMPLIANCE_REVIEWER} if verb is Verb.CAST_VOTE else set())


def test_pairs_that_are_apart_are_apart_both_ways() -> None:
    for one, other in APART:
        for role in one:
            for second in other - {role}:
                assert second in never_with(role)
                assert role in never_with(second)
