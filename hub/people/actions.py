"""Appoint people, let them sign in, know them again."""

from __future__ import annotations

import re
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import SIGN_IN, Hub, lapses_in
from hub.errors import InvalidInput, InvalidState, NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.message import msg
from hub.people.actor import SYSTEM, Actor, OrgKind, Role
from hub.people.model import Organisation, Person
from hub.people.rules import Verb, refusals_to_act, refusals_to_appoint, refusals_to_record_training
from hub.wording import refusals_of_words

_HASHER = PasswordHasher()
_NOBODY = _HASHER.hash("the same work for a name that does not exist")
_NAME = re.compile(r"[a-z]{2}|[a-z][a-z0-9-]{1,30}[a-z0-9]")


def found_organisation(
    hub: Hub, actor: Actor, *, org_id: str, name_zh: str, name_en: str, kind: OrgKind, uscc: str = ""
) -> Organisation:
    """Enter an organisation. The service may do so while nobody has an account yet."""
    with hub.transaction(actor, Verb.APPOINT_PERSON, org_id) as tx:
        _refuse_unless_first(tx.session, actor)
        tx.refuse(refusals_of_words("-", lines=[name_zh, name_en]), InvalidInput)
        _refuse_bad_name(org_id)
        if tx.session.get(Organisation, org_id):
            raise InvalidState(_taken(org_id))
        organisation = Organisation(id=org_id, name_zh=name_zh, name_en=name_en, kind=kind, uscc=uscc)
        tx.session.add(organisation)
        tx.session.flush()
        tx.record(EventKind.PERSON_APPOINTED, "organisation", org_id, details={"kind": kind.value})
        return organisation


def appoint_person(
    hub: Hub,
    actor: Actor,
    *,
    person_id: str,
    name_zh: str,
    name_en: str,
    org_id: str,
    roles: frozenset[Role],
    password: str,
    trained_until: datetime | None = None,
    confidentiality_until: datetime | None = None,
) -> Person:
    """Open an account for a person of an organisation, with roles that belong together.

    Without the two dates the person can sign in and read, and nothing else, until `record_training`.

    Raises:
        NotAllowed: The actor may not appoint, or the roles may not be held together or there.
        InvalidInput: The name is not of the form `[a-z0-9-]`, or the password has fewer than 12 characters.
    """
    with hub.transaction(actor, Verb.APPOINT_PERSON, person_id) as tx:
        _refuse_unless_first(tx.session, actor)
        tx.refuse(refusals_of_words("-", lines=[name_zh, name_en]), InvalidInput)
        _refuse_bad_name(person_id)
        organisation = tx.session.get(Organisation, org_id)
        if organisation is None:
            raise NotFound(unknown(org_id))
        if tx.session.get(Person, person_id):
            raise InvalidState(_taken(person_id))
        tx.refuse(refusals_to_appoint(organisation.kind, roles, person_id), NotAllowed)
        if len(password) < 12:
            raise InvalidInput(
                Refusal(
                    rule="password.short",
                    subject=person_id,
                    text=msg("The password has fewer than {count} characters.", count=12),
                    next_step=msg("Choose a longer one."),
                )
            )
        person = Person(
            id=person_id,
            name_zh=name_zh,
            name_en=name_en,
            org_id=org_id,
            roles=sorted(role.value for role in roles),
            password_hash=_HASHER.hash(password),
            trained_until=trained_until,
            confidentiality_until=confidentiality_until,
            created_at=tx.now,
        )
        person.organisation = organisation
        tx.session.add(person)
        tx.session.flush()
        tx.record(
            EventKind.PERSON_APPOINTED, "person", person_id, details={"org": org_id, "roles": " ".join(person.roles)}
        )
        return person


def record_training(
    hub: Hub, actor: Actor, *, person_id: str, trained_until: datetime, confidentiality_until: datetime
) -> Person:
    """Enter until when a person is trained and bound to confidentiality. An earlier date ends it earlier.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau, or the actor's own.
    """
    with hub.transaction(actor, Verb.RECORD_TRAINING, person_id) as tx:
        person = tx.session.get(Person, person_id)
        if person is None:
            raise NotFound(unknown(person_id))
        tx.refuse(refusals_to_record_training(actor=actor, person_id=person_id), NotAllowed)
        person.trained_until, person.confidentiality_until = trained_until, confidentiality_until
        tx.record(
            EventKind.TRAINING_RECORDED,
            "person",
            person_id,
            details={
                "trained_until": trained_until.date().isoformat(),
                "confidentiality_until": confidentiality_until.date().isoformat(),
            },
        )
        return person


def lapses_of(hub: Hub, actor: Actor) -> tuple[Refusal, ...]:
    """What keeps this person from doing anything now, for a page or a running workspace."""
    with hub.reading() as session:
        return lapses_in(session, actor, hub.clock())


def sign_in(hub: Hub, *, username: str, password: str) -> Person:
    """The person behind a name and password.

    Raises:
        NotAllowed: Unknown name, wrong password, closed account: one answer for all three, after the same work.
    """
    with hub.reading() as session:
        person = session.get(Person, username) if _is_name(username) else None
    try:
        right: bool = _HASHER.verify(person.password_hash if person else _NOBODY, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):  # the last: half a character is no password
        right = False
    if person is None or not right or not person.active:
        refusal = Refusal(
            rule="sign_in.wrong",
            subject="",
            text=msg("Name or password is wrong, or the account is closed."),
            next_step=msg("Try again, or ask the administrator of your organisation."),
        )
        known = person.id if person is not None else "-"
        with hub.transaction(SYSTEM, SIGN_IN, known):
            raise NotAllowed(refusal)
    with hub.transaction(person.actor, SIGN_IN, person.id) as tx:
        tx.record(EventKind.PERSON_SIGNED_IN, "person", person.id)
    return person


def find_person(hub: Hub, person_id: str) -> Person:
    """The active person of this id.

    Raises:
        NotFound: There is none.
    """
    with hub.reading() as session:
        person = session.get(Person, person_id)
    if person is None or not person.active:
        raise NotFound(unknown(person_id))
    return person


def people_of(hub: Hub, org_id: str) -> list[Person]:
    """Active people of an organisation, by id."""
    with hub.reading() as session:
        return list(session.scalars(select(Person).where(Person.org_id == org_id, Person.active).order_by(Person.id)))


def list_people(hub: Hub, actor: Actor) -> list[Person]:
    """Active people whom the actor may see, by body and id: the bureau and the audit all, others their own body's."""
    query = select(Person).where(Person.active).order_by(Person.org_id, Person.id)
    if actor.org_kind not in (OrgKind.BUREAU, OrgKind.AUDIT):
        query = query.where(Person.org_id == actor.org_id)
    with hub.reading() as session:
        return list(session.scalars(query))


def departments(hub: Hub) -> list[Organisation]:
    """Every department, by id."""
    query = select(Organisation).where(Organisation.kind == OrgKind.DEPARTMENT).order_by(Organisation.id)
    with hub.reading() as session:
        return list(session.scalars(query))


def departments_in(session: Session) -> list[str]:
    """Ids of the district's departments."""
    query = select(Organisation.id).where(Organisation.kind == OrgKind.DEPARTMENT).order_by(Organisation.id)
    return list(session.scalars(query))


def _refuse_unless_first(session: Session, actor: Actor) -> None:
    """The bureau appoints; the service itself may, as long as nobody of the bureau has an account."""
    if actor == SYSTEM:
        bureau = select(Person.id).join(Organisation).where(Organisation.kind == OrgKind.BUREAU).limit(1)
        if session.scalar(bureau) is None:
            return
    refusals = refusals_to_act(actor, Verb.APPOINT_PERSON)
    if refusals:
        raise NotAllowed(*refusals)


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _refuse_bad_name(name: str) -> None:
    if not _is_name(name) or name == SYSTEM.person_id:  # nobody may pass for the service in the ledger
        raise InvalidInput(
            Refusal(
                rule="name.form",
                subject="",
                text=msg("The id is not of the form a-z, 0-9 and -, with 2 to 32 characters, or it is reserved."),
                next_step=msg("Choose such an id; the full name goes into its own field."),
            )
        )


def _taken(subject: str) -> Refusal:
    return Refusal(
        rule="name.taken",
        subject=subject,
        text=msg("The id {id} is taken.", id=subject),
        next_step=msg("Choose another id."),
    )
