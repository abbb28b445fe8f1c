"""Enter released requests as products, apply for and decide registrations, set prices and caps, meter use."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.gate.actions import visible_request
from hub.ledger.events import EventKind
from hub.licensing.actions import licence_in, may_see
from hub.licensing.model import Licence
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.model import Organisation
from hub.people.rules import Verb
from hub.products.model import Release
from hub.register.clock import Due, due, validity_end
from hub.register.model import (
    ChargeUnit,
    DataProduct,
    Price,
    PriceCap,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
    UsageMeter,
)
from hub.register.pricing import Charge, read_fen, refusals_of_price, refusals_to_cap, refusals_to_price
from hub.register.rules import (
    Metered,
    ProductFacts,
    refusals_to_apply,
    refusals_to_enter,
    refusals_to_meter,
    refusals_to_propose,
    refusals_to_renew,
)
from hub.rulebook.calendar import district_calendar
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.wording import refusals_of_words


def propose_product(hub: Hub, actor: Actor, *, request_id: str, name: str, description: str) -> DataProduct:
    """Enter a released request as a product; its registration is due from the day of delivery.

    Raises:
        NotFound: There is no such request for this actor, or it was not released.
    """
    with hub.transaction(actor, Verb.DESCRIBE_PRODUCT, request_id) as tx:
        request = visible_request(tx.session, request_id, actor)
        release = tx.session.get(Release, request_id)
        if release is None:
            raise NotFound(unknown(request_id))
        licence = licence_in(tx.session, request.licence_id)
        tx.refuse(refusals_of_words(request_id, lines=[name], texts=[description]), InvalidInput)
        taken = tx.session.scalar(select(DataProduct.id).where(DataProduct.request_id == request_id))
        tx.refuse(
            refusals_to_propose(
                actor=actor,
                request_id=request_id,
                operator_org=licence.operator_org,
                taken=taken is not None,
                name=name,
                description=description,
            ),
            NotAllowed,
        )
        product = DataProduct(
            id=next_id(tx.session, "d"),
            request_id=request_id,
            licence_id=licence.id,
            operator_org=licence.operator_org,
            form=request.product_form,
            lane=licence.lane,
            name=name.strip(),
            description=description.strip(),
            evidence_digest=release.digest,
            released_at=release.delivered_at,
            proposed_by=actor.person_id,
            status=RegistrationStatus.DUE,
            type=RegistrationType.FIRST,
            since=tx.now,
            stated={},
            caps=[],
            prices=[],
            meters=[],
        )
        tx.session.add(product)
        tx.session.flush()
        _record(tx, EventKind.PRODUCT_PROPOSED, product, details={"request": request_id, "lane": product.lane})
        return product


def apply_registration(
    hub: Hub, actor: Actor, *, product_id: str, stated: Mapping[RegistrationField, str]
) -> DataProduct:
    """Apply for a product's registration with all that the operator has to state.

    Raises:
        NotAllowed: A field is missing, the price does not stand, or the registration is under way.
    """
    with hub.transaction(actor, Verb.DESCRIBE_PRODUCT, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, texts=stated.values()), InvalidInput)
        uscc = tx.session.get_one(Organisation, product.operator_org).uscc
        tx.refuse(
            (
                *refusals_to_apply(facts_of(tx.session, product), actor, stated=stated, uscc=uscc),
                *refusals_of_price(
                    product_id=product_id, lane=product.lane, price=price_of(product), caps=caps_of(product)
                ),
            ),
            NotAllowed,
        )
        product.stated = {field.value: stated[field].strip() for field in RegistrationField}
        _enter(tx, product, RegistrationStatus.APPLIED, reason="")
        _record(tx, EventKind.REGISTRATION_APPLIED, product, decision=product.status)
        return product


def decide_registration(
    hub: Hub, actor: Actor, *, product_id: str, to: RegistrationStatus, reason: str = "", code: str = ""
) -> DataProduct:
    """Enter how a registration goes on; with `coded`, the query code and how long it is valid.

    Raises:
        NotAllowed: The move is not in the table, a reason or code is missing, the notice still runs, the price no
            longer stands.
    """
    with hub.transaction(actor, Verb.DECIDE_REGISTRATION, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, lines=[code], texts=[reason]), InvalidInput)
        facts = facts_of(tx.session, product)
        today, pack = district_day(tx.now), pack_in_force(tx.now)
        codes = tx.session.scalars(select(DataProduct.code).where(DataProduct.id != product_id, DataProduct.code != ""))
        refusals = refusals_to_enter(
            facts,
            actor,
            to=to,
            reason=reason,
            code=code,
            codes=set(codes),
            today=today,
            pack=pack,
            calendar=district_calendar(),
        )
        if to is RegistrationStatus.CODED:
            refusals += refusals_of_price(
                product_id=product_id, lane=product.lane, price=price_of(product), caps=caps_of(product)
            )
        tx.refuse(refusals, NotAllowed)
        _enter(tx, product, to, reason=reason)
        if to is RegistrationStatus.CODED:
            product.code = code.strip()
            product.valid_until = validity_end(today, licence_ends=facts.licence_ends, pack=pack)
        _record(
            tx,
            EventKind.REGISTRATION_DECIDED,
            product,
            decision=to,
            details={"rules": pack.label, **_validity(product)},
        )
        return product


def renew_registration(hub: Hub, actor: Actor, *, product_id: str) -> DataProduct:
    """Renew a coded registration within its window, by three years or to the end of the licence.

    Raises:
        NotAllowed: Too early, too late, or the licence gives no further time.
    """
    with hub.transaction(actor, Verb.DECIDE_REGISTRATION, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        facts, pack = facts_of(tx.session, product), pack_in_force(tx.now)
        tx.refuse(refusals_to_renew(facts, actor, today=district_day(tx.now), pack=pack), NotAllowed)
        if facts.valid_until is None:
            raise AssertionError("a registration without an end was let through")  # refusals_to_renew says status
        product.valid_until = validity_end(facts.valid_until, licence_ends=facts.licence_ends, pack=pack)
        product.type = RegistrationType.RENEWAL
        _record(tx, EventKind.REGISTRATION_RENEWED, product, details={"rules": pack.label, **_validity(product)})
        return product


def enter_cap(
    hub: Hub, actor: Actor, *, product_id: str, unit: ChargeUnit, yuan: str, document_ref: str
) -> DataProduct:
    """Enter the highest price of a unit, by a document of the pricing authority."""
    with hub.transaction(actor, Verb.ENTER_CAP, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, lines=[document_ref]), InvalidInput)
        fen = read_fen(yuan)
        tx.refuse(
            refusals_to_cap(actor, product_id=product_id, lane=product.lane, fen=fen, document_ref=document_ref),
            NotAllowed,
        )
        cap = PriceCap(
            unit=unit,
            fen=fen or 0,
            document_ref=document_ref.strip(),
            entered_by=actor.person_id,
            entered_at=tx.now,
        )
        product.caps.append(cap)
        tx.session.flush()
        tx.record(
            EventKind.PRICE_CAPPED,
            "data_product",
            product_id,
            licence_id=product.licence_id,
            cited_basis=[cap.document_ref],
            counters={"fen": cap.fen},
            details={"unit": unit},
        )
        return product


def set_price(hub: Hub, actor: Actor, *, product_id: str, unit: ChargeUnit, yuan: str) -> DataProduct:
    """Set what a unit of an industry product costs.

    Raises:
        NotAllowed: The product is free, there is no cap, or the price is above it.
    """
    with hub.transaction(actor, Verb.SET_PRICE, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        fen = read_fen(yuan)
        tx.refuse(
            refusals_to_price(
                actor,
                product_id=product_id,
                operator_org=product.operator_org,
                lane=product.lane,
                unit=unit,
                fen=fen,
                caps=caps_of(product),
            ),
            NotAllowed,
        )
        price = Price(unit=unit, fen=fen or 0, set_by=actor.person_id, set_at=tx.now)
        product.prices.append(price)
        tx.session.flush()
        _record(tx, EventKind.PRICE_SET, product, counters={"fen": price.fen}, details={"unit": unit})
        return product


def meter_usage(
    hub: Hub,
    actor: Actor,
    *,
    product_id: str,
    unit: ChargeUnit,
    amount: int,
    first: date,
    last: date,
    corrects: int | None = None,
) -> UsageMeter:
    """Enter how much of a product was used from `first` to `last`, both counted.

    Args:
        corrects: The row that this one replaces.
    """
    with hub.transaction(actor, Verb.METER_USAGE, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        rows = [Metered(id=row.id, unit=row.unit, first=row.first, last=row.last) for row in meters_in_force(product)]
        tx.refuse(
            refusals_to_meter(
                facts_of(tx.session, product),
                actor,
                unit=unit,
                amount=amount,
                first=first,
                last=last,
                corrects=corrects,
                rows=rows,
                today=district_day(tx.now),
            ),
            NotAllowed,
        )
        meter = UsageMeter(
            unit=unit,
            amount=amount,
            first=first,
            last=last,
            corrects=corrects,
            metered_by=actor.person_id,
            metered_at=tx.now,
        )
        product.meters.append(meter)
        tx.session.flush()
        details = {"unit": unit, "first": str(first), "last": str(last), "row": str(meter.id)}
        if corrects is not None:
            details["corrects"] = str(corrects)
        _record(tx, EventKind.USAGE_METERED, product, counters={"amount": amount}, details=details)
        return meter


def facts_of(session: Session, product: DataProduct) -> ProductFacts:
    """The product as rules see it."""
    licence: Licence = licence_in(session, product.licence_id)
    return ProductFacts(
        id=product.id,
        operator_org=product.operator_org,
        status=product.status,
        released=district_day(product.released_at),
        since=district_day(product.since),
        valid_until=product.valid_until,
        licence_ends=district_day(licence.ends_at),
    )


def price_of(product: DataProduct) -> Charge | None:
    """The price that counts, if any was set."""
    if not product.prices:
        return None
    newest = product.prices[-1]
    return Charge(unit=newest.unit, fen=newest.fen)


def caps_of(product: DataProduct) -> dict[ChargeUnit, int]:
    """The cap that counts for each unit, in fen."""
    return {cap.unit: cap.fen for cap in product.caps}


def meters_in_force(product: DataProduct) -> list[UsageMeter]:
    """The rows that no other row replaces."""
    replaced = {row.corrects for row in product.meters}
    return [row for row in product.meters if row.id not in replaced]


def usage_of(product: DataProduct, *, year: int | None = None) -> dict[ChargeUnit, int]:
    """How much was used in each unit: in all, or in the periods that ended in a year."""
    total: dict[ChargeUnit, int] = {}
    for row in meters_in_force(product):
        if year in (None, row.last.year):
            total[row.unit] = total.get(row.unit, 0) + row.amount
    return total


def deadline_of(hub: Hub, product: DataProduct) -> Due | None:
    """What the product's registration waits for, and until when, by the rules in force now."""
    return due(
        product.status,
        released=district_day(product.released_at),
        since=district_day(product.since),
        valid_until=product.valid_until,
        pack=pack_in_force(hub.clock()),
        calendar=district_calendar(),
    )


def deadline_of_release(hub: Hub, delivered_at: datetime) -> Due | None:
    """The same for a release that nobody has entered as a product yet: the clock runs all the same."""
    day = district_day(delivered_at)
    return due(
        RegistrationStatus.DUE,
        released=day,
        since=day,
        valid_until=None,
        pack=pack_in_force(hub.clock()),
        calendar=district_calendar(),
    )


def list_products(hub: Hub, actor: Actor) -> list[DataProduct]:
    """Products that the actor may see in full, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(DataProduct).order_by(*newest_first(DataProduct.id)))
        return [product for product in found if may_see(product.operator_org, actor)]


def find_product(hub: Hub, actor: Actor, product_id: str) -> DataProduct:
    """One product, if the actor may see it in full."""
    with hub.reading() as session:
        return visible_product(session, product_id, actor)


def visible_product(session: Session, product_id: str, actor: Actor) -> DataProduct:
    """One product, for a transaction of the actor's.

    Raises:
        NotFound: There is none, or the actor may not see it: one answer for both.
    """
    product = session.get(DataProduct, product_id)
    if product is None or not may_see(product.operator_org, actor):
        raise NotFound(unknown(product_id))
    return product


def _enter(tx: Transaction, product: DataProduct, to: RegistrationStatus, *, reason: str) -> None:
    product.status, product.since, product.status_reason = to, tx.now, reason.strip()


def _validity(product: DataProduct) -> dict[str, str]:
    return {} if product.valid_until is None else {"code": product.code, "valid_until": str(product.valid_until)}


def _record(
    tx: Transaction,
    kind: EventKind,
    product: DataProduct,
    *,
    decision: str = "",
    counters: Mapping[str, int] | None = None,
    details: Mapping[str, str] | None = None,
) -> None:
    tx.record(
        kind,
        "data_product",
        product.id,
        digest=product.evidence_digest,
        licence_id=product.licence_id,
        decision=decision,
        counters=counters,
        details=details,
    )
