"""Later registrations of a product (change, correction, renewal, cancellation) and objections in public notice.

An objection stops the registration, or the change of it, that stands in notice. Upheld, it terminates that; dismissed,
and with no other one open, the registration goes on in the notice that had begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.licensing.actions import usable_licence
from hub.numbering import next_id
from hub.people.actor import Actor
from hub.people.model import Person
from hub.people.rules import Verb, refusals_to_act
from hub.register.actions import enter, facts_of, materials_of, record, validity_of, visible_product
from hub.register.amending import (
    AmendmentFacts,
    refusals_to_amend,
    refusals_to_decide_objection,
    refusals_to_enter_amendment,
    refusals_to_object,
)
from hub.register.clock import Due, due_of_amendment, validity_end
from hub.register.materials import refusals_of_stated
from hub.register.model import (
    AMENDMENTS,
    Amendment,
    AmendmentStatus,
    DataProduct,
    ObjectionStatus,
    RegistrationField,
    RegistrationObjection,
    RegistrationStatus,
    RegistrationType,
)
from hub.rulebook.calendar import district_calendar
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.wording import refusals_of_words

A = AmendmentStatus
CONTENT = frozenset({RegistrationType.CHANGE, RegistrationType.CORRECTION})


def apply_amendment(
    hub: Hub,
    actor: Actor,
    *,
    product_id: str,
    kind: RegistrationType,
    grounds: str,
    proof: str = "",
    name: str = "",
    description: str = "",
    stated: Mapping[RegistrationField, str] | None = None,
) -> Amendment:
    """Apply for a later registration of a product that is registered.

    Args:
        stated: What is to be stated; fields that stand as they are change nothing.

    Raises:
        NotAllowed: Not registered, another application is open, grounds, proof or a change are missing, or the window
            is not open.
    """
    with hub.transaction(actor, Verb.DESCRIBE_PRODUCT, product_id) as tx:
        if kind not in AMENDMENTS:
            raise NotFound(unknown(kind))
        product = visible_product(tx.session, product_id, actor)
        given = {} if kind not in CONTENT else {field: text.strip() for field, text in (stated or {}).items()}
        lines, texts = [name, proof], [grounds, description, *given.values()]
        tx.refuse(refusals_of_words(product_id, lines=lines, texts=texts), InvalidInput)
        changed = {field: text for field, text in given.items() if text and text != product.stated.get(field.value)}
        words = [
            "" if kind not in CONTENT or new.strip() == old else new.strip()
            for new, old in ((name, product.name), (description, product.description))
        ]
        today, pack = district_day(tx.now), pack_in_force(tx.now)
        refusals = refusals_to_amend(
            facts_of(tx.session, product),
            actor,
            kind=kind,
            grounds=grounds,
            proof=proof.strip(),
            name=words[0],
            description=words[1],
            changed=changed,
            is_open=open_amendment(product) is not None,
            today=today,
            pack=pack,
        )
        if changed:
            whole = {field: changed.get(field, product.stated.get(field.value, "")) for field in RegistrationField}
            refusals += refusals_of_stated(product_id, whole, today=today)
        tx.refuse(refusals, NotAllowed)
        amendment = Amendment(
            id=next_id(tx.session, "v"),
            type=kind,
            status=A.APPLIED,
            since=tx.now,
            grounds=grounds.strip(),
            proof_digest=proof.strip(),
            name=words[0],
            description=words[1],
            stated={field.value: text for field, text in changed.items()},
            applied_by=actor.person_id,
            applied_at=tx.now,
        )
        product.amendments.append(amendment)
        tx.session.flush()
        details = {"type": kind, "amendment": amendment.id}
        record(tx, EventKind.AMENDMENT_APPLIED, product, decision=amendment.status, details=details)
        return amendment


def decide_amendment(
    hub: Hub, actor: Actor, *, product_id: str, amendment_id: str, to: AmendmentStatus, reason: str = ""
) -> Amendment:
    """Enter how a later registration goes on; with `entered`, it takes effect.

    Raises:
        NotAllowed: The move is not in its table, a reason is missing, the notice still runs, the registration ended;
            or, for a renewal, the licence is not usable now.
    """
    with hub.transaction(actor, Verb.DECIDE_REGISTRATION, amendment_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        amendment = _amendment_in(product, amendment_id)
        tx.refuse(refusals_of_words(amendment_id, texts=[reason]), InvalidInput)
        today, pack = district_day(tx.now), pack_in_force(tx.now)
        tx.refuse(
            refusals_to_enter_amendment(
                facts_of(tx.session, product),
                amendment_facts(amendment),
                actor,
                to=to,
                reason=reason,
                today=today,
                pack=pack,
                calendar=district_calendar(),
            ),
            NotAllowed,
        )
        if to is A.ENTERED and amendment.type is RegistrationType.RENEWAL:
            usable_licence(tx.session, product.licence_id, tx.now)
        _move(tx, amendment, to, reason)
        was = str(product.valid_until or "")
        if to is A.PUBLIC_NOTICE:
            amendment.notice_began = tx.now
        if to is A.ENTERED:
            _take_effect(tx, product, amendment, today)
        kind = EventKind.AMENDMENT_DECIDED
        if to is A.ENTERED and amendment.type is RegistrationType.RENEWAL:
            kind = EventKind.REGISTRATION_RENEWED
        details = {"type": amendment.type, "amendment": amendment.id, "was": was, **validity_of(product)}
        record(tx, kind, product, decision=to, details=details)
        return amendment


def raise_objection(
    hub: Hub, actor: Actor, *, product_id: str, objector: str, contact: str, grounds: str, evidence: str
) -> RegistrationObjection:
    """Object to what of a product stands in public notice. Name and contact are kept here and in no event.

    Args:
        objector: Who objects. The bureau enters it for someone outside; everyone else objects in their own name.

    Raises:
        NotAllowed: Not in notice, no real name, no evidence, or it is one's own product.
    """
    with hub.transaction(actor, Verb.RAISE_OBJECTION, product_id) as tx:
        product = tx.session.get(DataProduct, product_id)
        if product is None or not is_public(product):
            raise NotFound(unknown(product_id))
        own = refusals_to_act(actor, Verb.DECIDE_OBJECTION) != ()
        person = tx.session.get(Person, actor.person_id)
        named = objector if not own else person.name_zh if person else ""
        tx.refuse(refusals_of_words(product_id, lines=[named, contact, evidence], texts=[grounds]), InvalidInput)
        amendment = amendment_in_notice(product)
        began = (amendment or product).notice_began
        pack = pack_in_force(tx.now)
        tx.refuse(
            refusals_to_object(
                facts_of(tx.session, product),
                actor,
                in_notice=began is not None and is_in_notice(product),
                began=district_day(began or tx.now),
                objector=named,
                contact=contact,
                grounds=grounds,
                evidence=evidence,
                today=district_day(tx.now),
                pack=pack,
                calendar=district_calendar(),
            ),
            NotAllowed,
        )
        objection = RegistrationObjection(
            id=next_id(tx.session, "o"),
            amendment_id=None if amendment is None else amendment.id,
            status=ObjectionStatus.RAISED,
            for_outsider=not own,
            objector=named.strip(),
            contact=contact.strip(),
            grounds=grounds.strip(),
            evidence_digest=evidence.strip(),
            raised_by=actor.person_id,
            raised_at=tx.now,
        )
        product.objections.append(objection)
        if amendment is None:
            if product.status is not RegistrationStatus.OBJECTED:
                enter(tx, product, RegistrationStatus.OBJECTED, reason="")
        elif amendment.status is not A.OBJECTED:
            _move(tx, amendment, A.OBJECTED, "")
        tx.session.flush()
        details = {"objection": objection.id, "evidence": objection.evidence_digest}
        record(tx, EventKind.OBJECTION_RAISED, product, decision=objection.status, details=details)
        return objection


def decide_objection(
    hub: Hub, actor: Actor, *, product_id: str, objection_id: str, to: ObjectionStatus, reason: str
) -> RegistrationObjection:
    """Find an objection upheld, which terminates what it is about, or dismiss it.

    Raises:
        NotAllowed: Decided already, no reason, or the one who raised it in their own name decides.
    """
    with hub.transaction(actor, Verb.DECIDE_OBJECTION, objection_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        objection = next((one for one in product.objections if one.id == objection_id), None)
        if objection is None:
            raise NotFound(unknown(objection_id))
        tx.refuse(refusals_of_words(objection_id, texts=[reason]), InvalidInput)
        tx.refuse(
            refusals_to_decide_objection(
                actor,
                objection_id=objection_id,
                status=objection.status,
                to=to,
                in_own_name="" if objection.for_outsider else objection.raised_by,
                reason=reason,
            ),
            NotAllowed,
        )
        objection.status, objection.finding = to, reason.strip()
        objection.decided_by, objection.decided_at = actor.person_id, tx.now
        others = [
            one
            for one in product.objections
            if one.amendment_id == objection.amendment_id and one.status is ObjectionStatus.RAISED
        ]
        if to is ObjectionStatus.UPHELD or not others:
            _follow(tx, product, objection, reason)
        details = {"objection": objection.id}
        record(tx, EventKind.OBJECTION_DECIDED, product, decision=to, details=details)
        return objection


def open_amendment(product: DataProduct) -> Amendment | None:
    """The later registration that is under way, if any."""
    return next((one for one in product.amendments if AMENDMENTS[one.type].get(one.status)), None)


def amendment_in_notice(product: DataProduct) -> Amendment | None:
    """The change that stands in public notice or was objected to there, if any."""
    found = open_amendment(product)
    return found if found is not None and found.status in (A.PUBLIC_NOTICE, A.OBJECTED) else None


def is_in_notice(product: DataProduct) -> bool:
    """Whether the registration or a change of it can be objected to, time aside."""
    first = product.status in (RegistrationStatus.PUBLIC_NOTICE, RegistrationStatus.OBJECTED)
    return first or amendment_in_notice(product) is not None


def is_public(product: DataProduct) -> bool:
    """Whether everyone may know that this product is there."""
    return is_in_notice(product) or product.status is RegistrationStatus.CODED


def amendment_facts(amendment: Amendment) -> AmendmentFacts:
    """The later registration as rules see it."""
    began = amendment.notice_began
    return AmendmentFacts(
        id=amendment.id,
        type=amendment.type,
        status=amendment.status,
        since=district_day(amendment.since),
        notice_began=None if began is None else district_day(began),
    )


def deadline_of_amendment(hub: Hub, product: DataProduct, amendment: Amendment) -> Due | None:
    """What a later registration waits for, and until when, by the rules in force now."""
    facts = amendment_facts(amendment)
    return due_of_amendment(
        facts.type,
        facts.status,
        since=facts.since,
        notice_began=facts.notice_began,
        valid_until=product.valid_until,
        pack=pack_in_force(hub.clock()),
        calendar=district_calendar(),
    )


def _amendment_in(product: DataProduct, amendment_id: str) -> Amendment:
    found = next((one for one in product.amendments if one.id == amendment_id), None)
    if found is None:
        raise NotFound(unknown(amendment_id))
    return found


def _move(tx: Transaction, amendment: Amendment, to: AmendmentStatus, reason: str) -> None:
    amendment.status, amendment.since, amendment.status_reason = to, tx.now, reason.strip()


def _follow(tx: Transaction, product: DataProduct, objection: RegistrationObjection, reason: str) -> None:
    """What an objection was about goes on, or ends."""
    upheld = objection.status is ObjectionStatus.UPHELD
    if objection.amendment_id is None:
        to = RegistrationStatus.TERMINATED if upheld else RegistrationStatus.PUBLIC_NOTICE
        if product.status is RegistrationStatus.OBJECTED:
            enter(tx, product, to, reason=reason)
        return
    amendment = _amendment_in(product, objection.amendment_id)
    if amendment.status is A.OBJECTED:
        _move(tx, amendment, A.TERMINATED if upheld else A.PUBLIC_NOTICE, reason)


def _take_effect(tx: Transaction, product: DataProduct, amendment: Amendment, today: date) -> None:
    match amendment.type:
        case RegistrationType.CANCELLATION:
            enter(tx, product, RegistrationStatus.CANCELLED, reason=amendment.grounds)
        case RegistrationType.RENEWAL:
            ends = facts_of(tx.session, product).licence_ends
            start = product.valid_until or today
            product.valid_until = validity_end(start, licence_ends=ends, pack=pack_in_force(tx.now))
        case _:
            product.name = amendment.name or product.name
            product.description = amendment.description or product.description
            product.stated = {**product.stated, **amendment.stated}
            product.materials = materials_of(tx.session, product)
    product.type = amendment.type
