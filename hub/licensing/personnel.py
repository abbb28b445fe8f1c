"""Who works under a licence (item 8 of the agreement), and how that list is kept up once it is signed: pure.

Rules here: `licence.not_listed` (only people on the list work under the licence; asked at every step),
`personnel.status` (the list is changed from the signatures to the end of the licence; before, a new version says it),
`personnel.side` (the operator's administrator proposes; they or the bureau take somebody off), `personnel.reason`,
`personnel.stranger` (a person of the operator or of a named development entity, with an account in use),
`personnel.not_in_date` (trained and bound to confidentiality now), `personnel.listed` (listed or proposed already),
`personnel.absent` (not on the list), `personnel.decided`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from hub.errors import Refusal
from hub.licensing.contract import CONTRACT_BASIS
from hub.licensing.model import PERSONNEL_MOVES, LicenceStatus, PersonnelKind, PersonnelStatus
from hub.message import Message, msg
from hub.people.actor import Actor, OrgKind
from hub.people.rules import Verb, refusals_of_interest, refusals_to_act

KEPT_UP: Final = frozenset({LicenceStatus.SIGNED, LicenceStatus.FILED, LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED})
"""When the list is changed by itself: the agreement is signed and has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A licence and its list as rules see them."""

    licence_id: str
    status: LicenceStatus
    operator_org: str
    people: Collection[str]
    """Who is on the list now."""
    proposed: Collection[str]
    """Who was proposed and waits for the bureau."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who is to work under the licence."""

    person_id: str
    is_ours: bool
    """Of the operator or a development entity that the agreement names, with an account in use."""
    is_in_date: bool
    """Trained, and bound to confidentiality."""


def people_listed(
    signed: Iterable[str], changes: Iterable[tuple[PersonnelKind, PersonnelStatus, str]]
) -> frozenset[str]:
    """The list as it stands: the people of the signed agreement and, in order, each change in force since."""
    people = set(signed)
    for kind, status, person_id in changes:
        if status is PersonnelStatus.IN_FORCE:
            (people.add if kind is PersonnelKind.ADD else people.discard)(person_id)
    return frozenset(people)


def refusals_of_personnel(licence_id: str, person_id: str, people: Collection[str]) -> tuple[Refusal, ...]:
    """What stands against this person working under the licence: that they are not on its list."""
    if person_id in people:
        return ()
    return (
        _refusal(
            "licence.not_listed",
            licence_id,
            msg("Only people on the personnel list of licence {licence} work under it.", licence=licence_id),
            msg("The operator's administrator proposes the person on the licence's page; the bureau acknowledges it."),
        ),
    )


def refusals_to_propose(listing: Listing, actor: Actor, who: Candidate, *, reason: str) -> tuple[Refusal, ...]:
    """Everything against proposing that this person works under the licence."""
    found = [*refusals_to_act(actor, Verb.PROPOSE_PERSONNEL), *_status(listing), *_reason(listing, reason)]
    if not _is_operator(listing, actor):
        found.append(_side(listing))
    found.extend(_candidate(listing, who))
    if who.person_id in listing.people or who.person_id in listing.proposed:
        found.append(
            _refusal(
                "personnel.listed",
                listing.licence_id,
                msg("The person is on the list, or waits for the bureau's acknowledgement."),
                msg("Nothing is left to do, or wait for the bureau."),
            )
        )
    return tuple(found)


def refusals_to_decide_personnel(
    listing: Listing, actor: Actor, who: Candidate, *, status: PersonnelStatus, to: PersonnelStatus, reason: str
) -> tuple[Refusal, ...]:
    """Everything against the bureau acknowledging or declining a proposed person."""
    found = [*refusals_to_act(actor, Verb.DECIDE_PERSONNEL), *refusals_of_interest(actor, listing.operator_org)]
    found += [*_status(listing), *_reason(listing, reason)]
    if to not in PERSONNEL_MOVES[status]:
        found.append(
            _refusal(
                "personnel.decided",
                listing.licence_id,
                msg("This person was decided on already."),
                msg("The operator's administrator proposes the person anew if that is still wanted."),
            )
        )
    if to is PersonnelStatus.IN_FORCE:
        found.extend(_candidate(listing, who))
    return tuple(found)


def refusals_to_remove(listing: Listing, actor: Actor, *, person_id: str, reason: str) -> tuple[Refusal, ...]:
    """Everything against taking this person off the list; that they are lapsed or gone never does."""
    found = [*refusals_to_act(actor, Verb.REMOVE_PERSONNEL), *_status(listing), *_reason(listing, reason)]
    if actor.org_kind is not OrgKind.BUREAU and not _is_operator(listing, actor):
        found.append(_side(listing))
    if person_id not in listing.people:
        found.append(
            _refusal(
                "personnel.absent",
                listing.licence_id,
                msg("The person is not on the personnel list of licence {licence}.", licence=listing.licence_id),
                msg("Choose somebody who is."),
            )
        )
    return tuple(found)


def _is_operator(listing: Listing, actor: Actor) -> bool:
    return actor.org_kind is OrgKind.OPERATOR and actor.org_id == listing.operator_org


def _candidate(listing: Listing, who: Candidate) -> tuple[Refusal, ...]:
    if not who.is_ours:
        return (
            _refusal(
                "personnel.stranger",
                listing.licence_id,
                msg(
                    "Only people of the operator or of a named development entity, with an account in use, are listed."
                ),
                msg("Choose one of them; the bureau opens accounts."),
            ),
        )
    if not who.is_in_date:
        return (
            _refusal(
                "personnel.not_in_date",
                listing.licence_id,
                msg("The person's training or promise of confidentiality is not in date."),
                msg(
                    "Take the training and sign the promise; the bureau enters the new dates, then propose the person."
                ),
                "普陀区公共数据管理办法 第二十三条",
            ),
        )
    return ()


def _status(listing: Listing) -> tuple[Refusal, ...]:
    if listing.status in KEPT_UP:
        return ()
    return (
        _refusal(
            "personnel.status",
            listing.licence_id,
            msg(
                "Licence {licence} is {status}; its personnel list is not changed now.",
                licence=listing.licence_id,
                status=listing.status,
            ),
            msg("Before the signatures a new version of the agreement changes the list; after the end nobody works."),
        ),
    )


def _reason(listing: Listing, reason: str) -> tuple[Refusal, ...]:
    if reason.strip():
        return ()
    text = msg("A change of the personnel list needs a written reason.")
    return (_refusal("personnel.reason", listing.licence_id, text, msg("Write why.")),)


def _side(listing: Listing) -> Refusal:
    return _refusal(
        "personnel.side",
        listing.licence_id,
        msg("The personnel list is kept up by the operator's administrator."),
        msg("Leave it to them; the bureau acknowledges who is added and may take anybody off."),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = CONTRACT_BASIS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
