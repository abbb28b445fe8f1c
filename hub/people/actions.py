"""Know people again, list them, and enter their training."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from hub.context import Hub, lapses_in
from hub.errors import NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.people.actor import Actor, OrgKind
from hub.people.model import Person, PersonStatus
from hub.people.rules import Verb, refusals_to_record_training


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
        is_closed = person.status is PersonStatus.CLOSED
        against = refusals_to_record_training(actor=actor, person_id=person_id, is_closed=is_closed)
        tx.refuse(against, NotAllowed)
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


def find_person(hub: Hub, person_id: str) -> Person:
    """The person of this id, if they may come in now.

    Raises:
        NotFound: There is none.
    """
    with hub.reading() as session:
        person = session.get(Person, person_id)
    if person is None or not person.has_access(hub.clock()):
        raise NotFound(unknown(person_id))
    return person


def account_of(hub: Hub, person_id: str) -> Person:
    """The person of this id, whether they may come in now or not: `lapses_of` says so in words.

    Raises:
        NotFound: There is none.
    """
    with hub.reading() as session:
        person = session.get(Person, person_id)
    if person is None:
        raise NotFound(unknown(person_id))
    return person


def people_of(hub: Hub, org_id: str) -> list[Person]:
    """Active people of an organisation, by id."""
    in_use = select(Person).where(Person.org_id == org_id, Person.status == PersonStatus.ACTIVE).order_by(Person.id)
    with hub.reading() as session:
        return [person for person in session.scalars(in_use) if person.active]


def list_people(hub: Hub, actor: Actor) -> list[Person]:
    """People whom the actor may see, by body and id: the bureau and the audit all, others who is active in their own
    body."""
    query = select(Person).order_by(Person.org_id, Person.id)
    if actor.org_kind not in (OrgKind.BUREAU, OrgKind.AUDIT):
        query = query.where(Person.org_id == actor.org_id, Person.status == PersonStatus.ACTIVE)
    with hub.reading() as session:
        return list(session.scalars(query))
