"""Who may do what: one allow-table. A verb or role that is not in it is refused.

Rules here: `role.missing` (the verb is not in any of the person's roles), `role.organisation` (the role cannot be
held in an organisation of this kind), `role.conflict` (two roles that one person may not hold together),
`role.interest` (nobody decides on a matter of their own organisation, its operator, or one they have an interest in),
`appointment.person` (a post is held by someone of the department with its role), `appointment.term` (it must not be
over before it begins), `appointment.letter` (by a letter that can be found again), `appointment.over` (it has ended),
`person.closed` (account or organisation is not in use), `person.training_lapsed` and `person.confidentiality_lapsed`
(who is not trained or bound does nothing but sign in and read), `training.self` (nobody renews their own),
`training.closed` (nobody's at a closed account).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import REVIEWERS, ROLE_OF_POST, Actor, OrgKind, Post, Role


class Verb(StrEnum):
    """What can be done in the walk."""

    APPOINT_PERSON = "appoint_person"
    CHANGE_ROLES = "change_roles"
    CLOSE_ACCOUNT = "close_account"
    DECIDE_CHANGE = "decide_change"
    DECLARE_INTERESTS = "declare_interests"
    RESET_SIGN_IN = "reset_sign_in"
    END_SESSIONS = "end_sessions"
    FOUND_ORGANISATION = "found_organisation"
    MOVE_ORGANISATION = "move_organisation"
    APPOINT_RESPONSIBLE = "appoint_responsible"
    END_APPOINTMENT = "end_appointment"
    RECORD_TRAINING = "record_training"
    RECEIVE_FILE = "receive_file"
    REGISTER_TABLE = "register_table"
    PUBLISH_TABLE = "publish_table"
    BAR_TABLE = "bar_table"
    FILE_SCENARIO = "file_scenario"
    GIVE_OPINION = "give_opinion"
    DECIDE_SCENARIO = "decide_scenario"
    DRAFT_LICENCE = "draft_licence"
    DELIBERATE_LICENCE = "deliberate_licence"
    SIGN_LICENCE = "sign_licence"
    FILE_LICENCE = "file_licence"
    GRANT_LICENCE = "grant_licence"
    SUSPEND_LICENCE = "suspend_licence"
    RESUME_LICENCE = "resume_licence"
    TERMINATE_LICENCE = "terminate_licence"
    PROPOSE_PERSONNEL = "propose_personnel"
    DECIDE_PERSONNEL = "decide_personnel"
    REMOVE_PERSONNEL = "remove_personnel"
    DECIDE_CONSENT = "decide_consent"
    WITHDRAW_CONSENT = "withdraw_consent"
    REQUEST_EXTRACT = "request_extract"
    DECIDE_EXTRACT = "decide_extract"
    BUILD_EXTRACT = "build_extract"
    REVOKE_EXTRACT = "revoke_extract"
    GRANT_BUDGET = "grant_budget"
    ASK_NOISY = "ask_noisy"
    OPEN_WORKSPACE = "open_workspace"
    REQUEST_RUN = "request_run"
    DECIDE_RUN = "decide_run"
    START_RUN = "start_run"
    SUBMIT_EXPORT = "submit_export"
    WITHDRAW_EXPORT = "withdraw_export"
    CAST_VOTE = "cast_vote"
    DELIVER_RELEASE = "deliver_release"
    REDEEM_GRANT = "redeem_grant"
    READ_LEDGER = "read_ledger"
    DESCRIBE_PRODUCT = "describe_product"
    DECIDE_REGISTRATION = "decide_registration"
    SET_PRICE = "set_price"
    ENTER_CAP = "enter_cap"
    METER_USAGE = "meter_usage"
    RAISE_OBJECTION = "raise_objection"
    DECIDE_OBJECTION = "decide_objection"
    PERMIT_INCOME = "permit_income"
    ENTER_ACCOUNT = "enter_account"
    PUBLISH_PAPER = "publish_paper"
    CLOSE_LICENCE = "close_licence"
    DISCARD_EVIDENCE = "discard_evidence"


MAY: Mapping[Verb, frozenset[Role]] = {
    Verb.APPOINT_PERSON: frozenset({Role.BUREAU_OFFICER}),
    Verb.CHANGE_ROLES: frozenset({Role.BUREAU_OFFICER}),
    Verb.CLOSE_ACCOUNT: frozenset({Role.BUREAU_OFFICER}),
    Verb.DECIDE_CHANGE: frozenset({Role.BUREAU_OFFICER}),
    Verb.DECLARE_INTERESTS: frozenset({Role.BUREAU_OFFICER}),
    Verb.RESET_SIGN_IN: frozenset({Role.BUREAU_OFFICER}),
    Verb.END_SESSIONS: frozenset({Role.BUREAU_OFFICER}),
    Verb.FOUND_ORGANISATION: frozenset({Role.BUREAU_OFFICER}),
    Verb.MOVE_ORGANISATION: frozenset({Role.BUREAU_OFFICER}),
    Verb.APPOINT_RESPONSIBLE: frozenset({Role.BUREAU_OFFICER}),
    Verb.END_APPOINTMENT: frozenset({Role.BUREAU_OFFICER}),
    Verb.RECORD_TRAINING: frozenset({Role.BUREAU_OFFICER}),
    Verb.RECEIVE_FILE: frozenset({Role.DEPT_STEWARD}),
    Verb.REGISTER_TABLE: frozenset({Role.DEPT_STEWARD}),
    Verb.PUBLISH_TABLE: frozenset({Role.BUREAU_OFFICER}),
    Verb.BAR_TABLE: frozenset({Role.DEPT_STEWARD, Role.BUREAU_OFFICER}),
    Verb.FILE_SCENARIO: frozenset({Role.LICENSEE_ADMIN}),
    Verb.GIVE_OPINION: frozenset({Role.BUREAU_OFFICER, Role.CAC_SUPERVISOR, Role.DATA_EXPERT}),
    Verb.DECIDE_SCENARIO: frozenset({Role.BUREAU_OFFICER}),
    Verb.DRAFT_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.DELIBERATE_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.SIGN_LICENCE: frozenset({Role.BUREAU_OFFICER, Role.LICENSEE_ADMIN}),
    Verb.FILE_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.GRANT_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.SUSPEND_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.RESUME_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.TERMINATE_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.PROPOSE_PERSONNEL: frozenset({Role.LICENSEE_ADMIN}),
    Verb.DECIDE_PERSONNEL: frozenset({Role.BUREAU_OFFICER}),
    Verb.REMOVE_PERSONNEL: frozenset({Role.LICENSEE_ADMIN, Role.BUREAU_OFFICER}),
    Verb.DECIDE_CONSENT: frozenset({Role.DEPT_STEWARD}),
    Verb.WITHDRAW_CONSENT: frozenset({Role.DEPT_STEWARD}),
    Verb.REQUEST_EXTRACT: frozenset({Role.LICENSEE_ADMIN, Role.ANALYST}),
    Verb.DECIDE_EXTRACT: frozenset({Role.DEPT_STEWARD, Role.COMPLIANCE_REVIEWER}),
    Verb.BUILD_EXTRACT: frozenset({Role.CENTRE_OPERATOR}),
    Verb.REVOKE_EXTRACT: frozenset({Role.DEPT_STEWARD}),
    Verb.GRANT_BUDGET: frozenset({Role.BUREAU_OFFICER}),
    Verb.ASK_NOISY: frozenset({Role.ANALYST}),
    Verb.OPEN_WORKSPACE: frozenset({Role.ANALYST}),
    Verb.REQUEST_RUN: frozenset({Role.ANALYST}),
    Verb.DECIDE_RUN: frozenset({Role.COMPLIANCE_REVIEWER}),
    Verb.START_RUN: frozenset({Role.CENTRE_OPERATOR}),
    Verb.SUBMIT_EXPORT: frozenset({Role.ANALYST}),
    Verb.WITHDRAW_EXPORT: frozenset({Role.ANALYST}),
    Verb.CAST_VOTE: REVIEWERS,
    Verb.DELIVER_RELEASE: frozenset({Role.RELEASE_OFFICER}),
    Verb.REDEEM_GRANT: frozenset({Role.LICENSEE_ADMIN, Role.ANALYST}),
    Verb.READ_LEDGER: frozenset({Role.AUDITOR, Role.BUREAU_OFFICER}),
    Verb.DESCRIBE_PRODUCT: frozenset({Role.LICENSEE_ADMIN}),
    Verb.DECIDE_REGISTRATION: frozenset({Role.BUREAU_OFFICER}),
    Verb.SET_PRICE: frozenset({Role.LICENSEE_ADMIN}),
    Verb.ENTER_CAP: frozenset({Role.BUREAU_OFFICER}),
    Verb.METER_USAGE: frozenset({Role.LICENSEE_ADMIN}),
    Verb.RAISE_OBJECTION: frozenset(
        {Role.BUREAU_OFFICER, Role.LICENSEE_ADMIN, Role.DEPT_CHIEF, Role.DEPT_CDO, Role.DEPT_STEWARD}
    ),
    Verb.DECIDE_OBJECTION: frozenset({Role.BUREAU_OFFICER}),
    Verb.PERMIT_INCOME: frozenset({Role.BUREAU_OFFICER}),
    Verb.ENTER_ACCOUNT: frozenset({Role.LICENSEE_ADMIN}),
    Verb.PUBLISH_PAPER: frozenset({Role.BUREAU_OFFICER, Role.LICENSEE_ADMIN}),
    Verb.CLOSE_LICENCE: frozenset({Role.BUREAU_OFFICER}),
    Verb.DISCARD_EVIDENCE: frozenset({Role.BUREAU_OFFICER}),
}

HOME: Mapping[Role, frozenset[OrgKind]] = {
    Role.BUREAU_OFFICER: frozenset({OrgKind.BUREAU}),
    Role.CENTRE_OPERATOR: frozenset({OrgKind.CENTRE}),
    Role.DEPT_CHIEF: frozenset({OrgKind.DEPARTMENT}),
    Role.DEPT_CDO: frozenset({OrgKind.DEPARTMENT}),
    Role.DEPT_STEWARD: frozenset({OrgKind.DEPARTMENT}),
    Role.LICENSEE_ADMIN: frozenset({OrgKind.OPERATOR}),
    Role.ANALYST: frozenset({OrgKind.OPERATOR, OrgKind.DEVELOPER}),
    Role.PROVIDER_REVIEWER: frozenset({OrgKind.DEPARTMENT}),
    Role.COMPLIANCE_REVIEWER: frozenset({OrgKind.BUREAU, OrgKind.CENTRE, OrgKind.OPERATOR}),
    Role.SECURITY_REVIEWER: frozenset({OrgKind.BUREAU, OrgKind.CENTRE}),
    Role.RELEASE_OFFICER: frozenset({OrgKind.CENTRE}),
    Role.AUDITOR: frozenset({OrgKind.AUDIT}),
    Role.CAC_SUPERVISOR: frozenset({OrgKind.CYBERSPACE}),
    Role.DATA_EXPERT: frozenset({OrgKind.EXPERTS}),
    Role.THIRD_PARTY_ASSESSOR: frozenset({OrgKind.ASSESSOR}),
}
"""Kinds of organisation in which a role can be held. An operator may lend a compliance reviewer (an expert); the gate
then keeps them from every request of their own organisation. The cyberspace office writes nothing (DOMAIN.md §1.2) but
its opinion on a scenario, which 上海市数据条例 第四十五条 asks of it."""

APART: tuple[tuple[frozenset[Role], frozenset[Role]], ...] = (
    (frozenset({Role.RELEASE_OFFICER}), REVIEWERS),
    (frozenset({Role.CENTRE_OPERATOR}), REVIEWERS | {Role.RELEASE_OFFICER}),
    (frozenset({Role.AUDITOR}), frozenset(Role) - {Role.AUDITOR}),
    (frozenset({Role.THIRD_PARTY_ASSESSOR}), frozenset(Role) - {Role.THIRD_PARTY_ASSESSOR}),
    (frozenset({Role.DEPT_STEWARD}), frozenset({Role.PROVIDER_REVIEWER})),
    (frozenset({Role.DEPT_CHIEF}), frozenset({Role.DEPT_CDO, Role.DEPT_STEWARD})),
    (frozenset({Role.DEPT_CDO}), frozenset({Role.DEPT_STEWARD})),
    (frozenset({Role.LICENSEE_ADMIN}), REVIEWERS),
)
"""Pairs of sets of which one person may hold roles from one side only. Source: DOMAIN.md §1.2, `may never`."""


def never_with(role: Role) -> frozenset[Role]:
    """Roles that nobody holds together with `role`, of those that their organisations would allow."""
    apart: set[Role] = set()
    for one, other in APART:
        apart |= other if role in one else frozenset()
        apart |= one if role in other else frozenset()
    return frozenset(apart - {role})


READ_ONLY = frozenset({Verb.READ_LEDGER})
"""Verbs that change nothing."""
_LEAVE = frozenset({Verb.CAST_VOTE, Verb.DELIVER_RELEASE})
_MAKE = frozenset({Verb.OPEN_WORKSPACE, Verb.SUBMIT_EXPORT, Verb.WITHDRAW_EXPORT})
_PEOPLE = frozenset(
    {
        *(Verb.APPOINT_PERSON, Verb.CHANGE_ROLES, Verb.CLOSE_ACCOUNT, Verb.DECIDE_CHANGE, Verb.RESET_SIGN_IN),
        Verb.DECLARE_INTERESTS,
        *(Verb.END_SESSIONS, Verb.FOUND_ORGANISATION, Verb.MOVE_ORGANISATION, Verb.RECORD_TRAINING),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """What a role may never do: in words, and the verbs that therefore never stand beside it in `MAY`."""

    words: Message
    verbs: frozenset[Verb]


MAY_NEVER: Mapping[Role, Never] = {
    Role.BUREAU_OFFICER: Never(words=msg("approve an export, alone or with others"), verbs=_LEAVE | _MAKE),
    Role.CENTRE_OPERATOR: Never(words=msg("approve what it built"), verbs=_LEAVE | _MAKE | _PEOPLE),
    Role.DEPT_CHIEF: Never(words=msg("release another department's data"), verbs=_LEAVE | _MAKE | _PEOPLE),
    Role.DEPT_CDO: Never(words=msg("release another department's data"), verbs=_LEAVE | _MAKE | _PEOPLE),
    Role.DEPT_STEWARD: Never(words=msg("release another department's data"), verbs=_LEAVE | _MAKE | _PEOPLE),
    Role.LICENSEE_ADMIN: Never(words=msg("see other licensees"), verbs=_LEAVE | _PEOPLE | {Verb.GRANT_LICENCE}),
    Role.ANALYST: Never(words=msg("see source rows, or review its own work"), verbs=_LEAVE | _PEOPLE),
    Role.PROVIDER_REVIEWER: Never(
        words=msg("be of the applicant's organisation"), verbs=_MAKE | _PEOPLE | {Verb.DELIVER_RELEASE}
    ),
    Role.COMPLIANCE_REVIEWER: Never(
        words=msg("be who built the extract or checked before"),
        verbs=_MAKE | _PEOPLE | {Verb.DELIVER_RELEASE, Verb.BUILD_EXTRACT},
    ),
    Role.SECURITY_REVIEWER: Never(
        words=msg("skip a case of high risk"), verbs=_MAKE | _PEOPLE | {Verb.DELIVER_RELEASE, Verb.BUILD_EXTRACT}
    ),
    Role.RELEASE_OFFICER: Never(
        words=msg("be a reviewer of the same request"), verbs=_MAKE | _PEOPLE | {Verb.CAST_VOTE, Verb.BUILD_EXTRACT}
    ),
    Role.AUDITOR: Never(words=msg("write anything"), verbs=frozenset(Verb) - READ_ONLY),
    Role.CAC_SUPERVISOR: Never(
        words=msg("write anything but its opinion"), verbs=frozenset(Verb) - {Verb.GIVE_OPINION}
    ),
    Role.DATA_EXPERT: Never(words=msg("write anything but its opinion"), verbs=frozenset(Verb) - {Verb.GIVE_OPINION}),
    Role.THIRD_PARTY_ASSESSOR: Never(
        words=msg("write anything, or come in after its last day"), verbs=frozenset(Verb) - READ_ONLY
    ),
}
"""Source: DOMAIN.md §1.2, `may never`. What verbs can't say (one's own work, one's own organisation, the last day) the
rules of each room refuse; `tests/unit/test_people_never_rules.py` holds both against it."""

SIGN_IN_BASIS = "普陀区公共数据管理办法 第二十二条"
"""Basis of identity management and access control."""

RESPONSIBILITY = "普陀区公共数据管理办法 第六条"
"""Basis of the three responsibilities of a department."""

TRAINING = "普陀区公共数据管理办法 第二十三条"
"""Basis of training and confidentiality of the people in a post."""

_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")


def refusals_to_act(actor: Actor, verb: Verb) -> tuple[Refusal, ...]:
    """What stands against the actor's roles doing `verb`; the object's own rules come on top."""
    allowed = MAY.get(verb, frozenset())
    if actor.has(*allowed):
        return ()
    needed = ", ".join(sorted(role.value for role in allowed)) or "-"
    return (
        Refusal(
            rule="role.missing",
            subject=actor.person_id,
            text=msg("None of your roles may do this ({verb}).", verb=verb.value),
            next_step=msg("It takes one of the roles {roles}; ask the bureau for an appointment.", roles=needed),
            basis="普陀区公共数据管理办法 第六条",
        ),
    )


def refusals_of_interest(actor: Actor, operator_org: str) -> tuple[Refusal, ...]:
    """What stands against deciding on a matter of this operator: one's own organisation, or a declared interest."""
    if not actor.is_partial_to(operator_org):
        return ()
    return (
        Refusal(
            rule="role.interest",
            subject=operator_org,
            text=msg("Your organisation is the applicant's or works for it, or you have declared an interest in it."),
            next_step=msg("Leave this decision to somebody of another organisation."),
            basis=RESPONSIBILITY,
        ),
    )


def refusals_to_appoint(org_kind: OrgKind, roles: frozenset[Role], person_id: str) -> tuple[Refusal, ...]:
    """What stands against one person of such an organisation holding these roles together."""
    found: list[Refusal] = []
    if not roles:
        found.append(_conflict("role.missing", person_id, "-"))
    found.extend(
        _conflict("role.organisation", person_id, role.value) for role in sorted(roles) if org_kind not in HOME[role]
    )
    for one, other in APART:
        if roles & one and roles & other:
            names = ", ".join(sorted((roles & one) | (roles & other)))
            found.append(_conflict("role.conflict", person_id, names))
    return tuple(found)


def refusals_to_make_responsible(
    *,
    actor: Actor,
    holder: Actor,
    org_id: str,
    post: Post,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
    letter_ref: str,
    letter_digest: str,
) -> tuple[Refusal, ...]:
    """What stands against this person answering for the department's data in this post."""
    found = list(refusals_to_act(actor, Verb.APPOINT_RESPONSIBLE))
    role = ROLE_OF_POST[post]
    if holder.org_id != org_id or not holder.has(role):
        found.append(
            Refusal(
                rule="appointment.person",
                subject=holder.person_id,
                text=msg("Only someone of the department with the role {role} can hold this post.", role=role.value),
                next_step=msg("Open an account with that role first; each of the three posts needs its own person."),
                basis=RESPONSIBILITY,
            )
        )
    if not (starts_at < ends_at and now < ends_at):
        found.append(
            Refusal(
                rule="appointment.term",
                subject=holder.person_id,
                text=msg("The appointment would be over before it begins."),
                next_step=msg("Choose an end after the beginning and after today."),
            )
        )
    if not letter_ref.strip() or not _DIGEST.fullmatch(letter_digest):
        found.append(
            Refusal(
                rule="appointment.letter",
                subject=holder.person_id,
                text=msg("The letter of appointment is not named, or its digest is not a SHA-256."),
                next_step=msg("Give the number of the letter; leave the digest empty if there is no file."),
                basis=RESPONSIBILITY,
            )
        )
    return tuple(found)


def refusals_of_lapse(
    person_id: str,
    *,
    trained_until: datetime | None,
    confidentiality_until: datetime | None,
    now: datetime,
    has_access: bool = True,
) -> tuple[Refusal, ...]:
    """What stands against this person doing anything at all now. Asked by every transaction (`hub.context`)."""
    found: list[Refusal] = []
    if not has_access:
        found.append(
            Refusal(
                rule="person.closed",
                subject=person_id,
                text=msg("This account is closed, not confirmed, past its last day, or its organisation has ended."),
                next_step=msg("Ask the bureau."),
                basis=SIGN_IN_BASIS,
            )
        )
    if trained_until is None or trained_until <= now:
        found.append(
            Refusal(
                rule="person.training_lapsed",
                subject=person_id,
                text=msg("Your security training is not in date; you can sign in and read, nothing else."),
                next_step=msg("Take the training; the bureau then enters the new date."),
                basis=TRAINING,
            )
        )
    if confidentiality_until is None or confidentiality_until <= now:
        found.append(
            Refusal(
                rule="person.confidentiality_lapsed",
                subject=person_id,
                text=msg("Your promise of confidentiality is not in date; you can sign in and read, nothing else."),
                next_step=msg("Sign it anew; the bureau then enters the new date."),
                basis=TRAINING,
            )
        )
    return tuple(found)


def refusals_to_record_training(*, actor: Actor, person_id: str, is_closed: bool) -> tuple[Refusal, ...]:
    """What stands against entering until when a person is trained and bound.

    Args:
        is_closed: Whether the account is closed for good.
    """
    found = list(refusals_to_act(actor, Verb.RECORD_TRAINING))
    if is_closed:
        found.append(
            Refusal(
                rule="training.closed",
                subject=person_id,
                text=msg("This account is closed; no training is entered for it."),
                next_step=msg("A closed account stays closed; open a new one."),
                basis=TRAINING,
            )
        )
    if actor.person_id == person_id:
        found.append(
            Refusal(
                rule="training.self",
                subject=person_id,
                text=msg("Nobody enters their own training."),
                next_step=msg("Let another officer of the bureau enter it."),
                basis=TRAINING,
            )
        )
    return tuple(found)


def refusals_to_end_appointment(*, actor: Actor, appointment_id: str, is_over: bool) -> tuple[Refusal, ...]:
    """What stands against ending an appointment now."""
    found = list(refusals_to_act(actor, Verb.END_APPOINTMENT))
    if is_over:
        found.append(
            Refusal(
                rule="appointment.over",
                subject=appointment_id,
                text=msg("The appointment {appointment} has ended already.", appointment=appointment_id),
                next_step=msg("Nothing is left to do."),
            )
        )
    return tuple(found)


def _conflict(rule: str, person_id: str, roles: str) -> Refusal:
    texts = {
        "role.missing": msg("An account without any role cannot be opened."),
        "role.organisation": msg("Role {roles} cannot be held in an organisation of this kind.", roles=roles),
        "role.conflict": msg("One person may not hold the roles {roles} together.", roles=roles),
    }
    return Refusal(
        rule=rule,
        subject=person_id,
        text=texts[rule],
        next_step=msg("Choose roles that belong together, or appoint two people."),
        basis="普陀区公共数据管理办法 第六条",
    )
