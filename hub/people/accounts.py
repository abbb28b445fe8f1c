"""Open, change and close accounts; what gives power over releases or over accounts takes two officers of the bureau.

A change that takes two is kept as proposed and does nothing until another officer confirms it; then every rule is asked
again. A first password is returned once, to be handed over in person; afterwards only its hash is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.numbering import newest_first, next_id
from hub.people.account_rules import (
    LEAST_OFFICERS,
    RECOVERY_TERM,
    refusals_to_change_roles,
    refusals_to_close_account,
    refusals_to_decide_change,
    refusals_to_declare_interests,
    refusals_to_end_sessions,
    refusals_to_open_account,
    refusals_to_recover_officer,
    refusals_to_reset,
    takes_two,
)
from hub.people.actor import SYSTEM, Actor, OrgKind, Role
from hub.people.appointments import end_posts_without_role
from hub.people.model import (
    AccountChange,
    ChangeKind,
    ChangeStatus,
    Credential,
    Organisation,
    Person,
    PersonStatus,
    RecoveryCode,
    SignInState,
)
from hub.people.names import refuse_bad_name, refuse_taken_name
from hub.people.rules import Verb, refusals_of_lapse, refusals_to_act
from hub.people.sign_in import issue_first_password, sign_out_in
from hub.people.sign_in_rules import MOST_WRONG_CODES
from hub.wording import refusals_of_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of a change: done, or kept until another officer confirms it; and the first password, if one is."""

    person: Person
    proposed: AccountChange | None = None
    first_password: str = ""

    def __repr__(self) -> str:
        return f"Changed({self.person.id!r})"


def appoint_person(
    hub: Hub,
    actor: Actor,
    *,
    person_id: str,
    name_zh: str,
    name_en: str,
    org_id: str,
    roles: frozenset[Role],
    access_until: datetime | None = None,
    trained_until: datetime | None = None,
    confidentiality_until: datetime | None = None,
) -> Changed:
    """Open an account for a person of an organisation, with roles that belong together.

    Without the two dates of training and confidentiality the person can sign in and read, and nothing else.

    Raises:
        NotAllowed: The actor may not appoint, or the roles may not be held together or there.
        InvalidInput: The id is not of the form `[a-z0-9-]`.
    """
    with hub.transaction(actor, Verb.APPOINT_PERSON, person_id) as tx:
        require_may_set_up(tx.session, actor, Verb.APPOINT_PERSON)
        tx.refuse(refusals_of_words("-", lines=[name_zh, name_en]), InvalidInput)
        refuse_bad_name(person_id)
        organisation = tx.session.get(Organisation, org_id)
        if organisation is None:
            raise NotFound(unknown(org_id))
        refuse_taken_name(person_id, is_taken=tx.session.get(Person, person_id) is not None)
        tx.refuse(
            refusals_to_open_account(
                actor=actor,
                person_id=person_id,
                org_kind=organisation.kind,
                org_status=organisation.status,
                roles=roles,
                access_until=access_until,
                now=tx.now,
            ),
            NotAllowed,
        )
        needs_second = takes_two(roles) and actor != SYSTEM
        person = Person(
            id=person_id,
            name_zh=name_zh,
            name_en=name_en,
            org_id=org_id,
            roles=_listed(roles),
            interests=[],
            status=PersonStatus.PROPOSED if needs_second else PersonStatus.ACTIVE,
            access_until=access_until,
            trained_until=trained_until,
            confidentiality_until=confidentiality_until,
            signed_out_at=None,
            created_at=tx.now,
        )
        person.organisation = organisation
        tx.session.add(person)
        tx.session.flush()
        if needs_second:
            return Changed(person=person, proposed=_propose(tx, person, ChangeKind.OPEN, after=roles))
        _record_appointed(tx, person)
        return Changed(person=person)


def change_roles(hub: Hub, actor: Actor, *, person_id: str, roles: frozenset[Role]) -> Changed:
    """Give a person these roles in place of those they have. Posts whose role is lost end.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, one's own, roles that do not belong together or there, or the last officers.
    """
    with hub.transaction(actor, Verb.CHANGE_ROLES, person_id) as tx:
        person = _person_in(tx.session, person_id)
        tx.refuse(_against_roles(tx, person, roles, actor), NotAllowed)
        if takes_two(roles - person.actor.roles):
            return Changed(person=person, proposed=_propose(tx, person, ChangeKind.ROLES, after=roles))
        _put_roles(tx, person, roles)
        return Changed(person=person)


def close_account(hub: Hub, actor: Actor, *, person_id: str) -> Person:
    """Close an account for good: sessions, workspaces and posts end with it.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, one's own, closed already, or one of the last officers.
    """
    with hub.transaction(actor, Verb.CLOSE_ACCOUNT, person_id) as tx:
        person = _person_in(tx.session, person_id)
        tx.refuse(
            refusals_to_close_account(
                actor=actor,
                person_id=person_id,
                status=person.status,
                roles=person.actor.roles,
                officers_left=len(_officers(tx.session, tx.now, without=person_id)),
            ),
            NotAllowed,
        )
        for change in tx.session.scalars(_open_changes(person_id)):
            _decide(tx, change, ChangeStatus.DECLINED)
        _void_sign_in(tx, person_id)
        person.status = PersonStatus.CLOSED
        ended = sign_out_in(tx, person)
        tx.record(EventKind.PERSON_CLOSED, "person", person_id, counters={"sessions": ended})
        end_posts_without_role(tx, person_id, frozenset())
        return person


def declare_interests(hub: Hub, actor: Actor, *, person_id: str, interests: frozenset[str]) -> Person:
    """Enter in which organisations a person has declared an interest, in place of those entered before.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, one's own, or an organisation that is not entered.
    """
    with hub.transaction(actor, Verb.DECLARE_INTERESTS, person_id) as tx:
        person = _person_in(tx.session, person_id)
        known = set(tx.session.scalars(select(Organisation.id)))
        tx.refuse(
            refusals_to_declare_interests(
                actor=actor, person_id=person_id, status=person.status, are_known=interests <= known
            ),
            NotAllowed,
        )
        before, person.interests = person.interests, sorted(interests)
        tx.record(
            EventKind.INTERESTS_DECLARED,
            "person",
            person_id,
            details={"before": " ".join(before), "after": " ".join(person.interests)},
        )
        return person


def reset_sign_in(hub: Hub, actor: Actor, *, person_id: str) -> Changed:
    """Void how a person signs in, end what they have open, and issue a first password, shown to the caller once.

    For a person with a role that takes two, the present sign-in ends now and the first password comes when another
    officer confirms: otherwise one officer could take the place of a reviewer.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, one's own, or the account is not in use.
    """
    with hub.transaction(actor, Verb.RESET_SIGN_IN, person_id) as tx:
        person = _person_in(tx.session, person_id)
        tx.refuse(refusals_to_reset(actor=actor, person_id=person_id, status=person.status), NotAllowed)
        ended = sign_out_in(tx, person)
        _void_sign_in(tx, person_id)
        tx.record(EventKind.SIGN_IN_RESET, "person", person_id, counters={"sessions": ended})
        if takes_two(person.actor.roles):
            roles = person.actor.roles
            return Changed(person=person, proposed=_propose(tx, person, ChangeKind.RESET, after=roles))
        return Changed(person=person, first_password=_hand_over(hub, tx, person_id))


def sign_out_person(hub: Hub, actor: Actor, *, person_id: str) -> int:
    """End all sessions and workspaces of another person; how many sessions that were.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, or the account is not in use.
    """
    with hub.transaction(actor, Verb.END_SESSIONS, person_id) as tx:
        person = _person_in(tx.session, person_id)
        tx.refuse(refusals_to_end_sessions(actor=actor, person_id=person_id, status=person.status), NotAllowed)
        ended = sign_out_in(tx, person)
        tx.record(EventKind.PERSON_SIGNED_OUT, "person", person_id, counters={"sessions": ended})
        return ended


def confirm_change(hub: Hub, actor: Actor, *, change_id: str) -> Changed:
    """Let a proposed change happen, as another officer than the one who proposed it. All its rules are asked again.

    Raises:
        NotFound: No such change.
        NotAllowed: Proposed by the actor, about the actor, decided already, or against a rule by now.
    """
    with hub.transaction(actor, Verb.DECIDE_CHANGE, change_id) as tx:
        change, person = _change_in(tx, actor, change_id, ChangeStatus.CONFIRMED)
        after = frozenset(Role(role) for role in change.roles_after)
        first = ""
        proposer = _person_in(tx.session, change.proposed_by).actor
        match change.kind:
            case ChangeKind.OPEN:
                tx.refuse(
                    refusals_to_open_account(
                        actor=proposer,
                        person_id=person.id,
                        org_kind=person.organisation.kind,
                        org_status=person.organisation.status,
                        roles=after,
                        access_until=person.access_until,
                        now=tx.now,
                    ),
                    NotAllowed,
                )
                person.status = PersonStatus.ACTIVE
                _record_appointed(tx, person)
                first = _hand_over(hub, tx, person.id)
            case ChangeKind.ROLES:
                tx.refuse(_against_roles(tx, person, after, proposer), NotAllowed)
                _put_roles(tx, person, after, by=change)
            case ChangeKind.RESET:
                tx.refuse(refusals_to_reset(actor=proposer, person_id=person.id, status=person.status), NotAllowed)
                first = _hand_over(hub, tx, person.id)
        _decide(tx, change, ChangeStatus.CONFIRMED)
        return Changed(person=person, first_password=first)


def decline_change(hub: Hub, actor: Actor, *, change_id: str) -> AccountChange:
    """Decline a proposed change, or take back one's own. An account that was only proposed is closed.

    Raises:
        NotFound: No such change.
        NotAllowed: Not the bureau, about the actor, or decided already.
    """
    with hub.transaction(actor, Verb.DECIDE_CHANGE, change_id) as tx:
        change, person = _change_in(tx, actor, change_id, ChangeStatus.DECLINED)
        if change.kind is ChangeKind.OPEN:
            person.status = PersonStatus.CLOSED
        _decide(tx, change, ChangeStatus.DECLINED)
        return change


def recover_officer(hub: Hub, *, person_id: str) -> Changed:
    """Let an officer of the bureau back in: a first password, and some days counted as trained.

    When none can act; or when one alone can and this one has no sign-in, because giving a new one takes two.

    Called on the server's command line alone: who can run it owns the machine and the database anyway, and it is an
    event of the ledger.

    Raises:
        NotFound: No such person.
        NotAllowed: An officer can act, or this is no officer's open account.
    """
    with hub.transaction(SYSTEM, "recover_officer", person_id) as tx:
        person = _person_in(tx.session, person_id)
        tx.refuse(
            refusals_to_recover_officer(
                person_id=person_id,
                has_access=person.has_access(tx.now),
                roles=person.actor.roles,
                officers_able=sum(1 for one in _officers(tx.session, tx.now) if _is_able(tx, one)),
                has_sign_in=_has_sign_in(tx, person_id),
            ),
            NotAllowed,
        )
        _decline_open(tx, person_id, ChangeKind.RESET)
        sign_out_in(tx, person)
        person.trained_until = person.confidentiality_until = tx.now + RECOVERY_TERM
        tx.record(
            EventKind.OFFICER_RECOVERED,
            "person",
            person_id,
            details={"until": person.trained_until.date().isoformat()},
        )
        return Changed(person=person, first_password=_hand_over(hub, tx, person_id))


def first_password_of_officer(hub: Hub, *, person_id: str) -> str:
    """The first password of an officer whom the service itself appointed to an empty site.

    Raises:
        NotAllowed: There are officers enough already; one of them does it in the portal.
    """
    with hub.transaction(SYSTEM, "open_officer", person_id) as tx:
        if tx.session.get(Credential, person_id) is not None:
            raise NotAllowed(*refusals_to_act(SYSTEM, Verb.RESET_SIGN_IN))
        return _hand_over(hub, tx, person_id)


def sign_in_state(hub: Hub, person_id: str) -> SignInState:
    """Whether a person can sign in, for the bureau."""
    with hub.reading() as session:
        credential = session.get(Credential, person_id)
    if credential is None:
        return SignInState.NONE
    if credential.first_until is not None:
        return SignInState.HANDED_OVER if hub.clock() < credential.first_until else SignInState.RUN_OUT
    return SignInState.LOCKED if credential.wrong_codes >= MOST_WRONG_CODES else SignInState.ENROLLED


def list_changes(hub: Hub, actor: Actor) -> Sequence[AccountChange]:
    """Changes that take two, newest first: for the bureau and the audit; nothing for others."""
    if actor.org_kind not in (OrgKind.BUREAU, OrgKind.AUDIT):
        return ()
    with hub.reading() as session:
        return list(session.scalars(select(AccountChange).order_by(*newest_first(AccountChange.id))))


def require_may_set_up(session: Session, actor: Actor, verb: Verb) -> None:
    """The bureau sets up; the service itself may until the bureau has the two officers it takes to go on.

    Raises:
        NotAllowed: It is neither.
    """
    if actor == SYSTEM and len(_officers(session, None)) < LEAST_OFFICERS:
        return
    refusals = refusals_to_act(actor, verb)
    if refusals:
        raise NotAllowed(*refusals)


def _officers(session: Session, now: datetime | None, *, without: str = "") -> list[Person]:
    """Officers of the bureau whose accounts are in use; at `now`, if given."""
    query = select(Person).join(Organisation).where(Organisation.kind == OrgKind.BUREAU, Person.id != without)
    return [
        person
        for person in session.scalars(query)
        if person.actor.has(Role.BUREAU_OFFICER) and (person.active if now is None else person.has_access(now))
    ]


def _is_able(tx: Transaction, officer: Person) -> bool:
    """Whether an officer can sign in and act now."""
    lapses = refusals_of_lapse(
        officer.id,
        trained_until=officer.trained_until,
        confidentiality_until=officer.confidentiality_until,
        now=tx.now,
    )
    return not lapses and _has_sign_in(tx, officer.id)


def _has_sign_in(tx: Transaction, person_id: str) -> bool:
    credential = tx.session.get(Credential, person_id)
    if credential is None or credential.first_until is None:
        return credential is not None and bool(credential.sealed_secret)
    return tx.now < credential.first_until


def _against_roles(tx: Transaction, person: Person, roles: frozenset[Role], actor: Actor) -> Sequence[Refusal]:
    return refusals_to_change_roles(
        actor=actor,
        person_id=person.id,
        status=person.status,
        org_kind=person.organisation.kind,
        before=person.actor.roles,
        after=roles,
        officers_left=len(_officers(tx.session, tx.now, without=person.id)),
    )


def _put_roles(tx: Transaction, person: Person, roles: frozenset[Role], *, by: AccountChange | None = None) -> None:
    """Give the roles. What else was proposed for the person started from the roles before, and falls."""
    before, person.roles = person.roles, _listed(roles)
    tx.record(
        EventKind.ROLES_CHANGED,
        "person",
        person.id,
        details={"before": " ".join(before), "after": " ".join(person.roles)},
    )
    _decline_open(tx, person.id, ChangeKind.ROLES, but=by)
    end_posts_without_role(tx, person.id, roles)


def _hand_over(hub: Hub, tx: Transaction, person_id: str) -> str:
    first = issue_first_password(tx, person_id, hours=hub.settings.first_password_hours)
    tx.record(EventKind.SIGN_IN_HANDED_OVER, "person", person_id)
    return first


def _void_sign_in(tx: Transaction, person_id: str) -> None:
    credential = tx.session.get(Credential, person_id)
    if credential is not None:
        tx.session.delete(credential)
    tx.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    _decline_open(tx, person_id, ChangeKind.RESET)


def _decline_open(tx: Transaction, person_id: str, kind: ChangeKind, *, but: AccountChange | None = None) -> None:
    for change in tx.session.scalars(_open_changes(person_id).where(AccountChange.kind == kind)):
        if change is not but:
            _decide(tx, change, ChangeStatus.DECLINED)


def _propose(tx: Transaction, person: Person, kind: ChangeKind, *, after: frozenset[Role]) -> AccountChange:
    change = AccountChange(
        id=next_id(tx.session, "p"),
        kind=kind,
        person_id=person.id,
        roles_before=[] if kind is ChangeKind.OPEN else list(person.roles),
        roles_after=_listed(after),
        status=ChangeStatus.PROPOSED,
        proposed_by=tx.actor.person_id,
        proposed_at=tx.now,
        decided_by=None,
        decided_at=None,
    )
    tx.session.add(change)
    tx.session.flush()
    tx.record(
        EventKind.CHANGE_PROPOSED,
        "change",
        change.id,
        details={
            "person": person.id,
            "what": kind.value,
            "before": " ".join(change.roles_before),
            "after": " ".join(change.roles_after),
        },
    )
    return change


def _change_in(tx: Transaction, actor: Actor, change_id: str, to: ChangeStatus) -> tuple[AccountChange, Person]:
    change = tx.session.get(AccountChange, change_id)
    if change is None:
        raise NotFound(unknown(change_id))
    tx.refuse(
        refusals_to_decide_change(
            actor=actor,
            change_id=change_id,
            person_id=change.person_id,
            status=change.status,
            to=to,
            proposed_by=change.proposed_by,
            proposer_has_access=_person_in(tx.session, change.proposed_by).has_access(tx.now),
        ),
        NotAllowed,
    )
    return change, _person_in(tx.session, change.person_id)


def _decide(tx: Transaction, change: AccountChange, to: ChangeStatus) -> None:
    change.status, change.decided_by, change.decided_at = to, tx.actor.person_id, tx.now
    tx.record(EventKind.CHANGE_DECIDED, "change", change.id, decision=to.value, details={"person": change.person_id})


def _open_changes(person_id: str) -> Select[AccountChange]:
    return select(AccountChange).where(
        AccountChange.person_id == person_id, AccountChange.status == ChangeStatus.PROPOSED
    )


def _record_appointed(tx: Transaction, person: Person) -> None:
    tx.record(
        EventKind.PERSON_APPOINTED, "person", person.id, details={"org": person.org_id, "roles": " ".join(person.roles)}
    )


def _person_in(session: Session, person_id: str) -> Person:
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound(unknown(person_id))
    return person


def _listed(roles: frozenset[Role]) -> list[str]:
    return sorted(role.value for role in roles)
