"""Who may open, change and close accounts and organisations, and what takes two officers: pure.

Rules here: `account.self` (nobody changes their own account), `account.organisation` (the organisation is not in
use), `account.last_day` (a third-party assessor has a last day, and no last day has passed), `account.closed` (it is
not in use), `account.unchanged` (nothing would change), `account.interests` (an interest is in an organisation that
is entered), `account.last_officers` (two officers of the bureau stay), `change.own` (not the officer who proposed
it), `change.proposer` (who proposed it can still come in), `change.decided` (it was decided), `organisation.uscc` (an
operator or developer has a credit code with a right check sign), `organisation.attached` (a developer works for one
operator), `organisation.status` (the move is not in the table), `organisation.record` (admission names the entity
check and the confidentiality agreement), `organisation.bureau` (the bureau does not end itself),
`organisation.successor` (a merger names another organisation in use), `officer.not_needed` and `officer.account`
(letting an officer back in is for when no officer can act, and for a bureau officer's account).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import Actor, OrgKind, Role
from hub.people.model import (
    CHANGE_MOVES,
    ORGANISATION_MOVES,
    PERSON_MOVES,
    ChangeStatus,
    OrganisationStatus,
    PersonStatus,
)
from hub.people.rules import Verb, refusals_to_act, refusals_to_appoint
from hub.people.uscc import is_uscc

FOUR_EYES: Final = frozenset(Role) - {Role.ANALYST, Role.AUDITOR, Role.THIRD_PARTY_ASSESSOR}
"""Roles that sign, consent, give an opinion, build, vote or release for a body: giving one, or a new sign-in to a
holder, takes two. Else one officer could fill both sides of a licence with people of their own."""
LEAST_OFFICERS: Final = 2
"""Officers of the bureau that stay, or nothing that takes two could be done."""
RECOVERY_TERM = timedelta(days=7)
"""How long an officer who was let back in counts as trained: enough to train, too short to work on."""
POWERS = "普陀区公共数据管理办法 第六条"
ACCESS = "普陀区公共数据管理办法 第二十二条"
ADMISSION = "公共数据资源授权运营实施规范(试行) 第十四条"


def takes_two(gained: frozenset[Role]) -> bool:
    """Whether giving these roles has to be confirmed by a second officer."""
    return not gained.isdisjoint(FOUR_EYES)


def refusals_to_open_account(
    *,
    actor: Actor,
    person_id: str,
    org_kind: OrgKind,
    org_status: OrganisationStatus,
    roles: frozenset[Role],
    access_until: datetime | None,
    now: datetime,
) -> tuple[Refusal, ...]:
    """What stands against opening this account; that the service itself may open the first ones is its caller's."""
    found = list(refusals_to_act(actor, Verb.APPOINT_PERSON)) if actor.org_kind is not OrgKind.SYSTEM else []
    found.extend(refusals_to_appoint(org_kind, roles, person_id))
    if org_status is not OrganisationStatus.ACTIVE:
        found.append(
            _refusal(
                "account.organisation",
                person_id,
                msg("The organisation is not admitted yet, or has ended."),
                msg("Admit it first, or choose the one it was merged into."),
            )
        )
    is_missing = access_until is None and Role.THIRD_PARTY_ASSESSOR in roles
    if is_missing or (access_until is not None and access_until <= now):
        found.append(
            _refusal(
                "account.last_day",
                person_id,
                msg("A third-party assessor needs a last day, and a last day lies ahead."),
                msg("Enter the last day of the commission."),
            )
        )
    return tuple(found)


def refusals_to_change_roles(
    *,
    actor: Actor,
    person_id: str,
    status: PersonStatus,
    org_kind: OrgKind,
    before: frozenset[Role],
    after: frozenset[Role],
    officers_left: int,
) -> tuple[Refusal, ...]:
    """What stands against giving a person these roles in place of those.

    Args:
        officers_left: Officers of the bureau who can come in, without this person.
    """
    found = list(refusals_to_act(actor, Verb.CHANGE_ROLES))
    found.extend(_own(actor, person_id))
    found.extend(_not_in_use(person_id, status))
    found.extend(refusals_to_appoint(org_kind, after, person_id))
    if before == after:
        found.append(
            _refusal("account.unchanged", person_id, msg("These are the roles the person has."), msg("Choose others."))
        )
    if Role.BUREAU_OFFICER in before - after:
        found.extend(_last_officers(person_id, officers_left))
    return tuple(found)


def refusals_to_close_account(
    *, actor: Actor, person_id: str, status: PersonStatus, roles: frozenset[Role], officers_left: int
) -> tuple[Refusal, ...]:
    """What stands against closing an account for good."""
    found = list(refusals_to_act(actor, Verb.CLOSE_ACCOUNT))
    found.extend(_own(actor, person_id))
    if PersonStatus.CLOSED not in PERSON_MOVES[status]:
        found.extend(_not_in_use(person_id, status))
    if Role.BUREAU_OFFICER in roles:
        found.extend(_last_officers(person_id, officers_left))
    return tuple(found)


def refusals_to_reset(*, actor: Actor, person_id: str, status: PersonStatus) -> tuple[Refusal, ...]:
    """What stands against voiding how a person signs in and issuing a first password."""
    return (
        *refusals_to_act(actor, Verb.RESET_SIGN_IN),
        *_own(actor, person_id),
        *_not_in_use(person_id, status),
    )


def refusals_to_declare_interests(
    *, actor: Actor, person_id: str, status: PersonStatus, are_known: bool
) -> tuple[Refusal, ...]:
    """What stands against entering in which organisations a person has declared an interest."""
    found = [*refusals_to_act(actor, Verb.DECLARE_INTERESTS), *_own(actor, person_id), *_not_in_use(person_id, status)]
    if not are_known:
        text = msg("An interest is declared in an organisation that is entered here.")
        found.append(_refusal("account.interests", person_id, text, msg("Choose from the list.")))
    return tuple(found)


def refusals_to_end_sessions(*, actor: Actor, person_id: str, status: PersonStatus) -> tuple[Refusal, ...]:
    """What stands against signing another person out everywhere."""
    return (*refusals_to_act(actor, Verb.END_SESSIONS), *_not_in_use(person_id, status))


def refusals_to_decide_change(
    *,
    actor: Actor,
    change_id: str,
    person_id: str,
    status: ChangeStatus,
    to: ChangeStatus,
    proposed_by: str,
    proposer_has_access: bool,
) -> tuple[Refusal, ...]:
    """What stands against confirming or declining a change. Who proposed it may take it back, never confirm it.

    Args:
        proposer_has_access: Whether the account of who proposed it is in use: two officers stand behind a change.
    """
    found = list(refusals_to_act(actor, Verb.DECIDE_CHANGE))
    found.extend(_own(actor, person_id))
    if to not in CHANGE_MOVES[status]:
        found.append(
            _refusal(
                "change.decided",
                change_id,
                msg("Change {change} was decided already.", change=change_id),
                msg("Propose a new one if it is still wanted."),
            )
        )
    if to is ChangeStatus.CONFIRMED and not proposer_has_access:
        found.append(
            _refusal(
                "change.proposer",
                change_id,
                msg("Whoever proposed this change has no account in use any more."),
                msg("Decline it; an officer who can act proposes it anew if it is still wanted."),
            )
        )
    if to is ChangeStatus.CONFIRMED and actor.person_id == proposed_by:
        found.append(
            _refusal(
                "change.own",
                change_id,
                msg("Whoever proposed a change does not confirm it."),
                msg("Let another officer of the bureau confirm it."),
            )
        )
    return tuple(found)


def refusals_to_found_organisation(
    *, actor: Actor, org_id: str, kind: OrgKind, uscc: str, attached_kind: OrgKind | None
) -> tuple[Refusal, ...]:
    """What stands against entering an organisation.

    Args:
        attached_kind: The kind of the organisation that it works for, None if none is named or known.
    """
    found = list(refusals_to_act(actor, Verb.FOUND_ORGANISATION)) if actor.org_kind is not OrgKind.SYSTEM else []
    if (kind in (OrgKind.OPERATOR, OrgKind.DEVELOPER) or uscc) and not is_uscc(uscc):
        found.append(
            _refusal(
                "organisation.uscc",
                org_id,
                msg("The unified social credit code is missing or its check sign is wrong."),
                msg("Copy the eighteen signs from the certificate."),
                ADMISSION,
            )
        )
    if (kind is OrgKind.DEVELOPER) != (attached_kind is OrgKind.OPERATOR):
        found.append(
            _refusal(
                "organisation.attached",
                org_id,
                msg("A developer works for one operator, and only a developer does."),
                msg("Name the operator of a developer; leave the field empty otherwise."),
                ADMISSION,
            )
        )
    return tuple(found)


def refusals_to_move_organisation(
    *,
    actor: Actor,
    org_id: str,
    kind: OrgKind,
    status: OrganisationStatus,
    to: OrganisationStatus,
    entity_check: str,
    confidentiality_ref: str,
    has_successor: bool,
) -> tuple[Refusal, ...]:
    """What stands against admitting, merging or dissolving an organisation."""
    found = list(refusals_to_act(actor, Verb.MOVE_ORGANISATION))
    if to not in ORGANISATION_MOVES[status]:
        found.append(
            _refusal(
                "organisation.status",
                org_id,
                msg("Organisation {org} is {status}; this step does not follow.", org=org_id, status=status),
                msg("An organisation that ended stays so; enter a new one."),
            )
        )
    if to is OrganisationStatus.ACTIVE and not (entity_check.strip() and confidentiality_ref.strip()):
        found.append(
            _refusal(
                "organisation.record",
                org_id,
                msg("Admission names the record of the entity check and the confidentiality agreement."),
                msg("Enter both numbers."),
                ADMISSION,
            )
        )
    if to is OrganisationStatus.MERGED and not has_successor:
        found.append(
            _refusal(
                "organisation.successor",
                org_id,
                msg("A merger names another organisation that is in use."),
                msg("Choose the organisation that takes over."),
            )
        )
    if kind is OrgKind.BUREAU and to in (OrganisationStatus.MERGED, OrganisationStatus.DISSOLVED):
        found.append(
            _refusal(
                "organisation.bureau",
                org_id,
                msg("The bureau cannot end itself: nobody would be left to decide."),
                msg("Move the site to its successor with the administrator of the server."),
            )
        )
    return tuple(found)


def refusals_to_recover_officer(
    *, person_id: str, has_access: bool, roles: frozenset[Role], officers_able: int, has_sign_in: bool
) -> tuple[Refusal, ...]:
    """What stands against the server's administrator letting an officer back in.

    One officer alone cannot give another a new sign-in: that takes two.

    Args:
        officers_able: Officers of the bureau who can come in and are in date.
        has_sign_in: Whether this officer can sign in.
    """
    found: list[Refusal] = []
    if officers_able >= LEAST_OFFICERS or (officers_able and has_sign_in):
        found.append(
            _refusal(
                "officer.not_needed",
                person_id,
                msg("{count} officers of the bureau can act.", count=officers_able),
                msg("Let one of them renew the training or reset the sign-in in the portal."),
            )
        )
    if not has_access or Role.BUREAU_OFFICER not in roles:
        found.append(
            _refusal(
                "officer.account",
                person_id,
                msg("This is no open account of an officer of the bureau."),
                msg("Name one; `zhakou open-officer` opens the first accounts of an empty site."),
            )
        )
    return tuple(found)


def _own(actor: Actor, person_id: str) -> tuple[Refusal, ...]:
    if actor.person_id != person_id:
        return ()
    text = msg("Nobody changes their own account.")
    return (_refusal("account.self", person_id, text, msg("Let another officer of the bureau do it.")),)


def _not_in_use(person_id: str, status: PersonStatus) -> tuple[Refusal, ...]:
    if status is PersonStatus.ACTIVE:
        return ()
    text = msg("The account {person} is {status}.", person=person_id, status=status)
    return (_refusal("account.closed", person_id, text, msg("A closed account stays closed; open a new one.")),)


def _last_officers(person_id: str, officers_left: int) -> tuple[Refusal, ...]:
    if officers_left >= LEAST_OFFICERS:
        return ()
    text = msg("Fewer than {count} officers of the bureau would be left.", count=LEAST_OFFICERS)
    return (_refusal("account.last_officers", person_id, text, msg("Open another officer's account first.")),)


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = POWERS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
