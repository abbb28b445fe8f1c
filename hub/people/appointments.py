"""The three responsibilities of a department: who answers for its data, from when to when, by which letter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.numbering import newest_first, next_id
from hub.people.actor import ROLE_OF_POST, Actor, OrgKind, Post, Role
from hub.people.model import Appointment, Person, PersonStatus
from hub.people.rules import Verb, refusals_to_end_appointment, refusals_to_make_responsible
from hub.wording import refusals_of_words


def appoint_responsible(
    hub: Hub,
    actor: Actor,
    *,
    org_id: str,
    post: Post,
    person_id: str,
    starts_at: datetime,
    ends_at: datetime,
    letter_ref: str,
    letter_digest: str = "",
) -> Appointment:
    """Let a person answer for a department's data in one of the three posts. Whoever held it until then is relieved.

    Args:
        letter_ref: Number of the letter of appointment.
        letter_digest: SHA-256 of the letter's file, 64 hex digits, if there is one.

    Raises:
        NotFound: No such person.
        NotAllowed: Not the bureau; not someone of the department with the post's role; no term; no letter.
    """
    with hub.transaction(actor, Verb.APPOINT_RESPONSIBLE, person_id) as tx:
        tx.refuse(refusals_of_words("-", lines=[letter_ref]), InvalidInput)
        person = tx.session.get(Person, person_id)
        if person is None or not person.active:
            raise NotFound(unknown(person_id))
        tx.refuse(
            refusals_to_make_responsible(
                actor=actor,
                holder=person.actor,
                org_id=org_id,
                post=post,
                starts_at=starts_at,
                ends_at=ends_at,
                now=tx.now,
                letter_ref=letter_ref,
                letter_digest=letter_digest,
            ),
            NotAllowed,
        )
        begins = max(starts_at, tx.now)
        others = select(Appointment).where(Appointment.org_id == org_id, Appointment.post == post)
        for earlier in tx.session.scalars(others.where(_lasting(begins))):
            earlier.ended_at, earlier.ended_by = max(begins, earlier.starts_at), actor.person_id
        appointment = Appointment(
            id=next_id(tx.session, "a"),
            org_id=org_id,
            post=post,
            person_id=person_id,
            starts_at=starts_at,
            ends_at=ends_at,
            letter_ref=letter_ref.strip(),
            letter_digest=letter_digest,
            appointed_by=actor.person_id,
            appointed_at=tx.now,
        )
        tx.session.add(appointment)
        tx.session.flush()
        tx.record(
            EventKind.RESPONSIBLE_APPOINTED,
            "appointment",
            appointment.id,
            digest=letter_digest,
            details={"org": org_id, "post": post.value, "person": person_id},
        )
        return appointment


def end_appointment(hub: Hub, actor: Actor, *, appointment_id: str) -> Appointment:
    """End an appointment now, before its day.

    Raises:
        NotFound: There is none.
        NotAllowed: Not the bureau, or it has ended already.
    """
    with hub.transaction(actor, Verb.END_APPOINTMENT, appointment_id) as tx:
        appointment = tx.session.get(Appointment, appointment_id)
        if appointment is None:
            raise NotFound(unknown(appointment_id))
        tx.refuse(
            refusals_to_end_appointment(
                actor=actor, appointment_id=appointment_id, is_over=is_over(appointment, tx.now)
            ),
            NotAllowed,
        )
        appointment.ended_at, appointment.ended_by = tx.now, actor.person_id
        tx.record(
            EventKind.RESPONSIBLE_ENDED,
            "appointment",
            appointment_id,
            details={"org": appointment.org_id, "post": appointment.post.value},
        )
        return appointment


def end_posts_without_role(tx: Transaction, person_id: str, roles: frozenset[Role]) -> None:
    """End the posts of a person for which these roles do not suffice, inside a transaction that says why."""
    held = select(Appointment).where(Appointment.person_id == person_id, _lasting(tx.now))
    for one in tx.session.scalars(held):
        if ROLE_OF_POST[one.post] in roles:
            continue
        one.ended_at, one.ended_by = max(tx.now, one.starts_at), tx.actor.person_id
        tx.record(
            EventKind.RESPONSIBLE_ENDED, "appointment", one.id, details={"org": one.org_id, "post": one.post.value}
        )


def posts_filled(session: Session, org_id: str, at: datetime) -> frozenset[Post]:
    """The posts of a department whose holders are in date and have an account, for a rule that asks."""
    held = (
        select(Appointment.post)
        .join(Person, Person.id == Appointment.person_id)
        .where(Person.status == PersonStatus.ACTIVE)
        .where(Appointment.org_id == org_id, Appointment.starts_at <= at, _lasting(at))
    )
    return frozenset(session.scalars(held))


def is_over(appointment: Appointment, at: datetime) -> bool:
    """Whether an appointment has ended, by its day or before."""
    return appointment.ends_at <= at or (appointment.ended_at is not None and appointment.ended_at <= at)


def list_appointments(hub: Hub, actor: Actor) -> Sequence[Appointment]:
    """Appointments that the actor may see, newest first: the bureau and the audit all, others their own body's."""
    query = select(Appointment).order_by(*newest_first(Appointment.id))
    if actor.org_kind not in (OrgKind.BUREAU, OrgKind.AUDIT):
        query = query.where(Appointment.org_id == actor.org_id)
    with hub.reading() as session:
        return list(session.scalars(query))


def _lasting(at: datetime) -> ColumnElement[bool]:
    """Not over at that time; it may not have begun."""
    return and_(Appointment.ends_at > at, or_(Appointment.ended_at.is_(None), Appointment.ended_at > at))
