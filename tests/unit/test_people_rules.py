"""The allow-table: the whole product of roles and verbs, and which roles go together."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.people.actor import REVIEWERS, SYSTEM, Actor, OrgKind, Role
from hub.people.rules import (
    HOME,
    MAY,
    Verb,
    refusals_of_lapse,
    refusals_to_act,
    refusals_to_appoint,
    refusals_to_record_training,
)

# One line a verb: who may. Written out again here on purpose, so that a change of the table is a change of two places.
ALLOWED = """
appoint_person: bureau_officer
change_roles: bureau_officer
close_account: bureau_officer
decide_change: bureau_officer
declare_interests: bureau_officer
reset_sign_in: bureau_officer
end_sessions: bureau_officer
found_organisation: bureau_officer
move_organisation: bureau_officer
appoint_responsible: bureau_officer
end_appointment: bureau_officer
record_training: bureau_officer
receive_file: dept_steward
register_table: dept_steward
publish_table: bureau_officer
bar_table: dept_steward bureau_officer
file_scenario: licensee_admin
give_opinion: bureau_officer cac_supervisor data_expert
decide_scenario: bureau_officer
draft_licence: bureau_officer
deliberate_licence: bureau_officer
sign_licence: bureau_officer licensee_admin
file_licence: bureau_officer
grant_licence: bureau_officer
suspend_licence: bureau_officer
resume_licence: bureau_officer
terminate_licence: bureau_officer
propose_personnel: licensee_admin
decide_personnel: bureau_officer
remove_personnel: licensee_admin bureau_officer
decide_consent: dept_steward
withdraw_consent: dept_steward
request_extract: licensee_admin analyst
decide_extract: dept_steward compliance_reviewer
build_extract: centre_operator
revoke_extract: dept_steward
grant_budget: bureau_officer
ask_noisy: analyst
open_workspace: analyst
request_run: analyst
decide_run: compliance_reviewer
start_run: centre_operator
submit_export: analyst
withdraw_export: analyst
cast_vote: provider_reviewer compliance_reviewer security_reviewer
deliver_release: release_officer
redeem_grant: licensee_admin analyst
read_ledger: auditor bureau_officer
describe_product: licensee_admin
decide_registration: bureau_officer
set_price: licensee_admin
enter_cap: bureau_officer
meter_usage: licensee_admin
raise_objection: bureau_officer dept_cdo dept_chief dept_steward licensee_admin
decide_objection: bureau_officer
permit_income: bureau_officer
enter_account: licensee_admin
publish_paper: bureau_officer licensee_admin
close_licence: bureau_officer
discard_evidence: bureau_officer
"""


def holder(*roles: Role) -> Actor:
    return Actor(person_id="x", org_id="y", org_kind=OrgKind.CENTRE, roles=frozenset(roles))


def test_the_table_is_the_one_agreed() -> None:
    agreed = {}
    for line in ALLOWED.strip().splitlines():
        verb, _, roles = line.partition(": ")
        agreed[Verb(verb)] = frozenset(Role(role) for role in roles.split())
    assert agreed == MAY
    assert set(MAY) == set(Verb)


@pytest.mark.parametrize("verb", Verb)
def test_every_pair_that_is_not_in_the_table_is_refused(verb: Verb) -> None:
    for role in Role:
        refused = bool(refusals_to_act(holder(role), verb))
        assert refused == (role not in MAY[verb])
    assert refusals_to_act(holder(), verb)
    assert refusals_to_act(SYSTEM, verb)
    everything_else = holder(*(set(Role) - MAY[verb]))
    assert refusals_to_act(everything_else, verb)


TOGETHER = [
    (OrgKind.CENTRE, {Role.RELEASE_OFFICER}, set()),
    (OrgKind.CENTRE, {Role.RELEASE_OFFICER, Role.COMPLIANCE_REVIEWER}, {"role.conflict"}),
    (OrgKind.CENTRE, {Role.CENTRE_OPERATOR, Role.RELEASE_OFFICER}, {"role.conflict"}),
    (OrgKind.CENTRE, {Role.CENTRE_OPERATOR, Role.SECURITY_REVIEWER}, {"role.conflict"}),
    (OrgKind.CENTRE, {Role.COMPLIANCE_REVIEWER, Role.SECURITY_REVIEWER}, set()),
    (OrgKind.DEPARTMENT, {Role.DEPT_STEWARD, Role.PROVIDER_REVIEWER}, {"role.conflict"}),
    (OrgKind.DEPARTMENT, {Role.DEPT_CHIEF}, set()),
    (OrgKind.DEPARTMENT, {Role.DEPT_CHIEF, Role.DEPT_CDO}, {"role.conflict"}),
    (OrgKind.DEPARTMENT, {Role.DEPT_CDO, Role.DEPT_STEWARD}, {"role.conflict"}),
    (OrgKind.CENTRE, {Role.DEPT_CDO}, {"role.organisation"}),
    (OrgKind.OPERATOR, {Role.LICENSEE_ADMIN, Role.ANALYST}, set()),
    (OrgKind.OPERATOR, {Role.BUREAU_OFFICER}, {"role.organisation"}),
    (OrgKind.OPERATOR, {Role.RELEASE_OFFICER}, {"role.organisation"}),
    (OrgKind.AUDIT, {Role.AUDITOR, Role.BUREAU_OFFICER}, {"role.organisation", "role.conflict"}),
    (OrgKind.BUREAU, set(), {"role.missing"}),
    (OrgKind.SYSTEM, {Role.AUDITOR}, {"role.organisation"}),
]


@pytest.mark.parametrize(("kind", "roles", "expected"), TOGETHER)
def test_roles_that_one_person_may_hold(kind: OrgKind, roles: set[Role], expected: set[str]) -> None:
    assert {refusal.rule for refusal in refusals_to_appoint(kind, frozenset(roles), "x")} == expected


def test_every_role_has_a_home_and_the_service_has_none() -> None:
    assert set(HOME) == set(Role)
    assert all(OrgKind.SYSTEM not in kinds for kinds in HOME.values())
    assert {role.value for role in REVIEWERS} < {role.value for role in Role}


NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LATER, NEXT = NOW + timedelta(days=300), NOW + timedelta(seconds=1)
LAPSES = [
    # trained until, bound until, refused
    (LATER, LATER, set()),
    (NEXT, NEXT, set()),
    (NOW, LATER, {"person.training_lapsed"}),
    (None, LATER, {"person.training_lapsed"}),
    (LATER, NOW, {"person.confidentiality_lapsed"}),
    (LATER, None, {"person.confidentiality_lapsed"}),
    (None, None, {"person.training_lapsed", "person.confidentiality_lapsed"}),
]


@pytest.mark.parametrize(("trained", "bound", "expected"), LAPSES)
def test_training_and_confidentiality_end_with_their_day(
    trained: datetime | None, bound: datetime | None, expected: set[str]
) -> None:
    found = refusals_of_lapse("x", trained_until=trained, confidentiality_until=bound, now=NOW)
    assert {refusal.rule for refusal in found} == expected
    assert all(refusal.basis.endswith("第二十三条") for refusal in found)


def test_nobody_enters_their_own_training() -> None:
    officer = holder(Role.BUREAU_OFFICER)
    assert refusals_to_record_training(actor=officer, person_id="someone", is_closed=False) == ()
    found = refusals_to_record_training(actor=officer, person_id=officer.person_id, is_closed=False)
    assert {refusal.rule for refusal in found} == {"training.self"}
    steward = refusals_to_record_training(actor=holder(Role.DEPT_STEWARD), person_id="someone", is_closed=False)
    assert {refusal.rule for refusal in steward} == {"role.missing"}
