"""Keep up the personnel list of a licence: the operator proposes, the bureau acknowledges, either takes off at once.

Whoever is taken off loses the running workspace at its next look, as with every other end (`hub.jupyter.spawner`).
"""

from __future__ import annotations

import hashlib

from hub.context import Hub, Transaction, lapses_in
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.licensing.actions import listed_people, visible_licence, works_under
from hub.licensing.model import Licence, PersonnelChange, PersonnelKind, PersonnelStatus
from hub.licensing.personnel import (
    Candidate,
    Listing,
    refusals_to_decide_personnel,
    refusals_to_propose,
    refusals_to_remove,
)
from hub.numbering import next_id
from hub.people.actor import Actor
from hub.people.model import Person
from hub.people.rules import Verb
from hub.wording import refusals_of_words


def propose_personnel(hub: Hub, actor: Actor, *, licence_id: str, person_id: str, reason: str) -> PersonnelChange:
    """Propose that a person works under the licence; it counts when the bureau has acknowledged it.

    Raises:
        NotFound: There is no such licence, or not for this actor.
        NotAllowed: A rule of the personnel list stands against it.
    """
    with hub.transaction(actor, Verb.PROPOSE_PERSONNEL, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[reason]), InvalidInput)
        who = _candidate(tx, licence, person_id)
        tx.refuse(refusals_to_propose(listing_of(licence), actor, who, reason=reason), NotAllowed)
        return _enter(tx, licence, person_id, PersonnelKind.ADD, reason)


def decide_personnel(hub: Hub, actor: Actor, *, change_id: str, acknowledge: bool, reason: str) -> PersonnelChange:
    """Acknowledge or decline a proposed person; their training and promise of confidentiality are asked again."""
    to = PersonnelStatus.IN_FORCE if acknowledge else PersonnelStatus.DECLINED
    with hub.transaction(actor, Verb.DECIDE_PERSONNEL, change_id) as tx:
        change = tx.session.get(PersonnelChange, change_id)
        if change is None:
            raise NotFound(unknown(change_id))
        licence = visible_licence(tx.session, change.licence_id, actor)
        tx.refuse(refusals_of_words(change_id, texts=[reason]), InvalidInput)
        tx.refuse(
            refusals_to_decide_personnel(
                listing_of(licence),
                actor,
                _candidate(tx, licence, change.person_id),
                status=change.status,
                to=to,
                reason=reason,
            ),
            NotAllowed,
        )
        change.status, change.decision_reason = to, reason.strip()
        change.decided_by, change.decided_at = actor.person_id, tx.now
        tx.record(
            EventKind.PERSONNEL_DECIDED,
            "personnel_change",
            change_id,
            licence_id=licence.id,
            decision=to,
            details={"person": change.person_id, "reason_digest": _digest(reason)},
        )
        return change


def remove_personnel(hub: Hub, actor: Actor, *, licence_id: str, person_id: str, reason: str) -> PersonnelChange:
    """Take a person off the list: in force at once, and a running workspace of theirs ends within a minute."""
    with hub.transaction(actor, Verb.REMOVE_PERSONNEL, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_remove(listing_of(licence), actor, person_id=person_id, reason=reason), NotAllowed)
        return _enter(tx, licence, person_id, PersonnelKind.REMOVE, reason)


def listing_of(licence: Licence) -> Listing:
    """The licence and its list as the rules see them."""
    return Listing(
        licence_id=licence.id,
        status=licence.status,
        operator_org=licence.operator_org,
        people=listed_people(licence),
        proposed=frozenset(
            one.person_id for one in licence.personnel_changes if one.status is PersonnelStatus.PROPOSED
        ),
    )


def _candidate(tx: Transaction, licence: Licence, person_id: str) -> Candidate:
    person = tx.session.get(Person, person_id)
    is_ours = person is not None and works_under(licence, person.org_id) and person.has_access(tx.now)
    return Candidate(
        person_id=person_id,
        is_ours=is_ours,
        is_in_date=person is not None and not lapses_in(tx.session, person.actor, tx.now),
    )


def _enter(tx: Transaction, licence: Licence, person_id: str, kind: PersonnelKind, reason: str) -> PersonnelChange:
    is_removal = kind is PersonnelKind.REMOVE
    change = PersonnelChange(
        id=next_id(tx.session, "m"),
        licence_id=licence.id,
        person_id=person_id,
        kind=kind,
        status=PersonnelStatus.IN_FORCE if is_removal else PersonnelStatus.PROPOSED,
        reason=reason.strip(),
        entered_by=tx.actor.person_id,
        entered_at=tx.now,
        decided_by=tx.actor.person_id if is_removal else None,
        decided_at=tx.now if is_removal else None,
    )
    licence.personnel_changes.append(change)
    tx.session.flush()
    tx.record(
        EventKind.PERSONNEL_REMOVED if is_removal else EventKind.PERSONNEL_PROPOSED,
        "personnel_change",
        change.id,
        licence_id=licence.id,
        details={"person": person_id, "reason_digest": _digest(reason)},
    )
    return change


def _digest(reason: str) -> str:
    return hashlib.sha256(reason.strip().encode()).hexdigest()
