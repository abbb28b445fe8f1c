"""May a registration be changed, corrected, renewed, cancelled or objected to, and if not, why. Pure.

Rules here: `amendment.registered` (only what is in force is amended), `amendment.open` (one at a time),
`amendment.empty`, `amendment.grounds`, `amendment.proof`, `amendment.public_words`, `amendment.status`,
`register.renewal_early`, `register.renewal_term`, and for objections `objection.notice`, `objection.notice_over`,
`objection.own`, `objection.name`, `objection.evidence`, `objection.status`, `objection.decider`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.register.clock import notice_end, renewal_opens, status_on, validity_end
from hub.register.model import (
    AMENDMENTS,
    OBJECTION_MOVES,
    AmendmentStatus,
    ObjectionStatus,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
)
from hub.register.rules import (
    STEPS_BASIS,
    VALIDITY_BASIS,
    ProductFacts,
    foreign,
    reason_missing,
    refusal,
    refusals_of_notice,
)
from hub.rulebook.calendar import WorkingCalendar
from hub.rulebook.model import Pack

AMENDING_BASIS = "公共数据资源登记管理暂行办法 第九条至第十二条"
LEAST_GROUNDS = 10
"""Characters below which a text gives no grounds."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
A = AmendmentStatus
REASONED = frozenset({A.RETURNED})
BY_OBJECTION = frozenset({A.OBJECTED, A.TERMINATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentFacts:
    """What of a later registration decides how it goes on."""

    id: str
    type: RegistrationType
    status: AmendmentStatus
    since: date
    notice_began: date | None


def refusals_to_amend(
    facts: ProductFacts,
    actor: Actor,
    *,
    kind: RegistrationType,
    grounds: str,
    proof: str,
    name: str,
    description: str,
    changed: Mapping[RegistrationField, str],
    is_open: bool,
    today: date,
    pack: Pack,
) -> tuple[Refusal, ...]:
    """Everything against the operator applying for this later registration now.

    Args:
        proof: Hex SHA-256 of the document that shows an error; asked of a correction alone.
        name: The new name, empty if it stays.
        description: The new short description, empty if it stays.
        changed: The fields that are to be stated otherwise.
        is_open: Whether another later registration of the product is under way.
    """
    found = [*refusals_to_act(actor, Verb.DESCRIBE_PRODUCT), *foreign(actor, facts.operator_org, facts.id)]
    if status_on(facts.status, facts.valid_until, today) is not RegistrationStatus.CODED:
        found.append(
            refusal(
                "amendment.registered",
                facts.id,
                msg("Product {product} has no registration in force that could be amended.", product=facts.id),
                msg("Apply for its first registration, or correct the application that is under way."),
                AMENDING_BASIS,
            )
        )
    if is_open:
        found.append(
            refusal(
                "amendment.open",
                facts.id,
                msg("Another later registration of {product} is under way.", product=facts.id),
                msg("Wait until it is entered or returned."),
                AMENDING_BASIS,
            )
        )
    if len(grounds.strip()) < LEAST_GROUNDS:
        found.append(
            refusal(
                "amendment.grounds",
                facts.id,
                msg("A later registration says why, in at least {count} characters.", count=LEAST_GROUNDS),
                msg("Write what happened or what is wrong."),
                AMENDING_BASIS,
            )
        )
    match kind:
        case RegistrationType.CHANGE | RegistrationType.CORRECTION:
            found.extend(_of_content(facts, kind, proof=proof, words=(name, description), changed=changed))
        case RegistrationType.RENEWAL:
            found.extend(_of_renewal(facts, today, pack))
        case _:
            pass
    return tuple(found)


def refusals_to_enter_amendment(
    facts: ProductFacts,
    amendment: AmendmentFacts,
    actor: Actor,
    *,
    to: AmendmentStatus,
    reason: str,
    today: date,
    pack: Pack,
    calendar: WorkingCalendar,
) -> tuple[Refusal, ...]:
    """Everything against the registrar entering this state of a later registration now."""
    found = list(refusals_to_act(actor, Verb.DECIDE_REGISTRATION))
    moves = AMENDMENTS[amendment.type].get(amendment.status, frozenset())
    if to not in moves or to in BY_OBJECTION or amendment.status is A.OBJECTED:
        found.append(
            refusal(
                "amendment.status",
                amendment.id,
                msg(
                    "The application {amendment} is: {status}. From there it cannot become: {state}.",
                    amendment=amendment.id,
                    status=amendment.status,
                    state=to,
                ),
                msg("The page of the product shows what can be done next."),
                STEPS_BASIS,
            )
        )
    if to in REASONED and not reason.strip():
        found.append(reason_missing(amendment.id))
    if to is A.ENTERED and status_on(facts.status, facts.valid_until, today) is not RegistrationStatus.CODED:
        found.append(
            refusal(
                "register.lapsed",
                facts.id,
                msg("The registration of {product} is no longer in force.", product=facts.id),
                msg("Return the application; a further use of the product takes a new first registration."),
                VALIDITY_BASIS,
            )
        )
    if to is A.ENTERED and amendment.status is A.PUBLIC_NOTICE:
        began = amendment.notice_began or amendment.since
        found.extend(refusals_of_notice(facts.id, began, today, pack=pack, calendar=calendar))
    if to is A.ENTERED and amendment.type is RegistrationType.RENEWAL:
        found.extend(_of_renewal(facts, today, pack))
    return tuple(found)


def refusals_to_object(
    facts: ProductFacts,
    actor: Actor,
    *,
    in_notice: bool,
    began: date,
    objector: str,
    contact: str,
    grounds: str,
    evidence: str,
    today: date,
    pack: Pack,
    calendar: WorkingCalendar,
) -> tuple[Refusal, ...]:
    """Everything against raising this objection now.

    Args:
        in_notice: Whether the registration, or a change of it, is in public notice or already objected to.
        began: The day on which that notice began.
        objector: The real name of who objects.
        evidence: Hex SHA-256 of the evidence.
    """
    found = list(refusals_to_act(actor, Verb.RAISE_OBJECTION))
    if not in_notice:
        found.append(
            refusal(
                "objection.notice",
                facts.id,
                msg("Product {product} is not in public notice.", product=facts.id),
                msg("Outside of the notice, tell the bureau: it can have an entry corrected or cancelled."),
                STEPS_BASIS,
            )
        )
    else:
        found.extend(_of_running(facts, began, today, pack, calendar))
    if actor.org_id == facts.operator_org:
        found.append(
            refusal(
                "objection.own",
                facts.id,
                msg("An institution does not object to its own registration."),
                msg("Ask the bureau to return it, with a reason."),
                STEPS_BASIS,
            )
        )
    if len(objector.strip()) < 2 or not contact.strip():
        found.append(
            refusal(
                "objection.name",
                facts.id,
                msg("An objection is raised by real name, with a way to reach who raised it."),
                msg("Enter the name and an address or telephone number; neither is published."),
                STEPS_BASIS,
            )
        )
    if len(grounds.strip()) < LEAST_GROUNDS or not _DIGEST.fullmatch(evidence.strip()):
        found.append(
            refusal(
                "objection.evidence",
                facts.id,
                msg("An objection needs its grounds and the digest of its evidence."),
                msg("Write at least {count} characters and enter the SHA-256 of the evidence.", count=LEAST_GROUNDS),
                STEPS_BASIS,
            )
        )
    return tuple(found)


def refusals_to_decide_objection(
    actor: Actor, *, objection_id: str, status: ObjectionStatus, to: ObjectionStatus, in_own_name: str, reason: str
) -> tuple[Refusal, ...]:
    """Everything against finding this of an objection.

    Args:
        in_own_name: Who raised it in their own name; empty if it was entered for someone outside.
    """
    found = list(refusals_to_act(actor, Verb.DECIDE_OBJECTION))
    if to not in OBJECTION_MOVES[status]:
        found.append(
            refusal(
                "objection.status",
                objection_id,
                msg("Objection {objection} is {status} already.", objection=objection_id, status=status),
                msg("What was found stands."),
                STEPS_BASIS,
            )
        )
    if actor.person_id == in_own_name:
        found.append(
            refusal(
                "objection.decider",
                objection_id,
                msg("Who raised an objection does not decide it."),
                msg("Let another officer of the bureau decide."),
                STEPS_BASIS,
            )
        )
    if not reason.strip():
        found.append(reason_missing(objection_id))
    return tuple(found)


def _of_content(
    facts: ProductFacts,
    kind: RegistrationType,
    *,
    proof: str,
    words: tuple[str, str],
    changed: Mapping[RegistrationField, str],
) -> tuple[Refusal, ...]:
    found: list[Refusal] = []
    said = any(word.strip() for word in words)
    if not said and not changed:
        found.append(
            refusal(
                "amendment.empty",
                facts.id,
                msg("Nothing is to be entered otherwise than it stands."),
                msg("Change at least one field, the name or the description."),
                AMENDING_BASIS,
            )
        )
    if kind is RegistrationType.CORRECTION:
        if said:
            found.append(
                refusal(
                    "amendment.public_words",
                    facts.id,
                    msg("Name and short description, which the public reads, are not changed by a correction."),
                    msg("Apply for a change: it is told to the public before it is entered."),
                    AMENDING_BASIS,
                )
            )
        if not _DIGEST.fullmatch(proof):
            found.append(
                refusal(
                    "amendment.proof",
                    facts.id,
                    msg("A correction needs the digest of the document that shows the error."),
                    msg("Enter its SHA-256: 64 characters of 0-9 and a-f."),
                    AMENDING_BASIS,
                )
            )
    return tuple(found)


def _of_renewal(facts: ProductFacts, today: date, pack: Pack) -> tuple[Refusal, ...]:
    if facts.valid_until is None:
        return ()
    found: list[Refusal] = []
    opens = renewal_opens(facts.valid_until, pack=pack)
    if today < opens:
        found.append(
            refusal(
                "register.renewal_early",
                facts.id,
                msg("The registration of {product} can be renewed from {day}.", product=facts.id, day=str(opens)),
                msg("Renew it from that day on, before it ends."),
                VALIDITY_BASIS,
            )
        )
    if validity_end(facts.valid_until, licence_ends=facts.licence_ends, pack=pack) <= facts.valid_until:
        found.append(
            refusal(
                "register.renewal_term",
                facts.id,
                msg("The licence of {product} ends with its registration; nothing can be added.", product=facts.id),
                msg("A registration lives no longer than its licence; apply for a new licence first."),
                VALIDITY_BASIS,
            )
        )
    return tuple(found)


def _of_running(
    facts: ProductFacts, began: date, today: date, pack: Pack, calendar: WorkingCalendar
) -> tuple[Refusal, ...]:
    end = notice_end(began, pack=pack, calendar=calendar)
    if today <= end:
        return ()
    return (
        refusal(
            "objection.notice_over",
            facts.id,
            msg("The public notice of {product} ended on {day}.", product=facts.id, day=str(end)),
            msg("Objections are raised during the notice; later ones lead to a correction or a cancellation."),
            STEPS_BASIS,
        ),
    )
