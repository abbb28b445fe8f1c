"""Enter released requests as products, apply for and decide first registrations, meter use.

Later registrations and objections: `amendments`; caps, prices and incomes: `charging`; yearly papers: `papers`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.gate.actions import visible_request
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.licensing.actions import licence_in, may_see, usable_licence
from hub.licensing.model import Licence, Scenario
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.model import Organisation
from hub.people.rules import Verb, refusals_of_interest
from hub.products.model import Release
from hub.register.clock import Due, due, validity_end
from hub.register.codes import number_of, query_code
from hub.register.materials import digest_of
from hub.register.model import (
    ChargeUnit,
    DataProduct,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
    UsageMeter,
)
from hub.register.pricing import Cap, Charge, refusals_of_price
from hub.register.rules import (
    Metered,
    ProductFacts,
    refusals_to_apply,
    refusals_to_enter,
    refusals_to_meter,
    refusals_to_propose,
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
            materials={},
            amendments=[],
            objections=[],
            caps=[],
            prices=[],
            meters=[],
        )
        tx.session.add(product)
        tx.session.flush()
        record(tx, EventKind.PRODUCT_PROPOSED, product, details={"request": request_id, "lane": product.lane})
        return product


def apply_registration(
    hub: Hub, actor: Actor, *, product_id: str, stated: Mapping[RegistrationField, str]
) -> DataProduct:
    """Apply for a product's first registration with all that the operator has to state.

    Raises:
        NotAllowed: A field or the evidence is missing, the price does not stand, or the registration is under way.
    """
    with hub.transaction(actor, Verb.DESCRIBE_PRODUCT, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, texts=stated.values()), InvalidInput)
        uscc = tx.session.get_one(Organisation, product.operator_org).uscc
        today = district_day(tx.now)
        tx.refuse(
            (
                *refusals_to_apply(facts_of(tx.session, product), actor, stated=stated, uscc=uscc, today=today),
                *_refusals_of_price(product, today),
            ),
            NotAllowed,
        )
        product.stated = {field.value: stated[field].strip() for field in RegistrationField}
        product.materials = materials_of(tx.session, product)
        enter(tx, product, RegistrationStatus.APPLIED, reason="")
        record(
            tx,
            EventKind.REGISTRATION_APPLIED,
            product,
            decision=product.status,
            details={"type": product.type, "materials": digest_of(product.materials)},
        )
        return product


def decide_registration(
    hub: Hub, actor: Actor, *, product_id: str, to: RegistrationStatus, reason: str = ""
) -> DataProduct:
    """Enter how a first registration goes on; with `coded`, a query code is assigned and counts until its day.

    Raises:
        NotAllowed: The move is not in the table, a reason is missing, the notice still runs, the price or the evidence
            no longer stands; or, for a code, the licence is not usable now.
    """
    with hub.transaction(actor, Verb.DECIDE_REGISTRATION, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_of_interest(actor, product.operator_org), NotAllowed)
        facts = facts_of(tx.session, product)
        today, pack = district_day(tx.now), pack_in_force(tx.now)
        refusals = refusals_to_enter(
            facts, actor, to=to, reason=reason, today=today, pack=pack, calendar=district_calendar()
        )
        if to is RegistrationStatus.CODED:
            refusals += _refusals_of_price(product, today)
        tx.refuse(refusals, NotAllowed)
        if to is RegistrationStatus.CODED:
            usable_licence(tx.session, product.licence_id, tx.now)
        before = product.status
        enter(tx, product, to, reason=reason)
        if to is RegistrationStatus.PUBLIC_NOTICE:
            product.notice_began = tx.now
        if to is RegistrationStatus.CODED:
            product.code = _next_code(tx.session, today.year)
            product.valid_until = validity_end(today, licence_ends=facts.licence_ends, pack=pack)
        details = {"type": product.type, "from": before, **validity_of(product)}
        record(tx, EventKind.REGISTRATION_DECIDED, product, decision=to, details=details)
        return product


def cancel_with_licence(tx: Transaction, licence_id: str) -> list[str]:
    """Cancel every registration that still goes on under a licence that is closed; gives the products' ids.

    A part of the closing's transaction: the licence's exit ends what was registered on it (登记办法 Art. 12).
    """
    ended = {RegistrationStatus.TERMINATED, RegistrationStatus.CANCELLED}
    found = tx.session.scalars(select(DataProduct).where(DataProduct.licence_id == licence_id).order_by(DataProduct.id))
    cancelled = []
    for product in found:
        if product.status in ended:
            continue
        details = {"type": RegistrationType.CANCELLATION, "from": product.status, "cause": "licence.closed"}
        enter(tx, product, RegistrationStatus.CANCELLED, reason="")
        record(tx, EventKind.REGISTRATION_DECIDED, product, decision=product.status, details=details)
        cancelled.append(product.id)
    return cancelled


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
        record(tx, EventKind.USAGE_METERED, product, counters={"amount": amount}, details=details)
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
        notice_began=None if product.notice_began is None else district_day(product.notice_began),
        evidence=product.evidence_digest,
        delivered=_delivered(session, product.request_id),
    )


def _delivered(session: Session, request_id: str) -> str:
    """The digest that the ledger's entry of the delivery names; empty if there is no such entry."""
    release = session.get(Release, request_id)
    entry = None if release is None else session.get(LedgerEntry, release.entry)
    if entry is None or entry.kind != EventKind.RELEASE_DELIVERED:
        return ""
    body = json.loads(entry.body)
    return str(body["object_digest"]) if body["object_id"] == request_id else ""


def materials_of(session: Session, product: DataProduct) -> dict[str, Any]:
    """All groups of materials of 登记办法 Art. 9(1), from the records and from what the operator stated."""
    licence: Licence = licence_in(session, product.licence_id)
    operator = session.get_one(Organisation, product.operator_org)
    scenario = session.get_one(Scenario, licence.scenario_id)
    release = session.get_one(Release, product.request_id)
    said = product.stated
    tables = [
        {
            "table": row.table_id,
            "title": session.get_one(CatalogTable, row.table_id).title_zh,
            "columns": list(row.columns),
        }
        for row in licence.tables
    ]
    price = price_of(product)
    return {
        "subject": {"name": operator.name_zh, "uscc": operator.uscc, "role": "operator", "contact": said["contact"]},
        "source": {
            "licence": licence.id,
            "document": licence.document_ref,
            "consents": sorted(consent.id for consent in licence.consents),
        },
        "resource": {
            "tables": tables,
            "from": said["data_from"],
            "until": said["data_until"],
            "rows": int(said["data_rows"]),
            "update": said["data_update"],
        },
        "evidence": {
            "digest": product.evidence_digest,
            "time": product.released_at.isoformat(),
            "method": "ledger entry and signed statement",
            "place": f"ledger entry {release.entry}",
        },
        "product": {
            "name": product.name,
            "description": product.description,
            "form": product.form.value,
            "lane": product.lane.value,
            "version": said["version"],
            "input": said["input"],
            "output": said["output"],
            "delivery": said["delivery"],
            "update": said["update"],
            "price_unit": "" if price is None else price.unit.value,
        },
        "scenario": {"id": scenario.id, "title": scenario.title, "purpose": scenario.purpose},
        "risk": {"report": said["risk_report"], "level": said["risk_level"], "date": said["risk_date"]},
    }


def price_of(product: DataProduct) -> Charge | None:
    """The price that counts, if any was set."""
    if not product.prices:
        return None
    newest = product.prices[-1]
    return Charge(unit=newest.unit, fen=newest.fen)


def caps_of(product: DataProduct) -> dict[ChargeUnit, Cap]:
    """The cap that counts for each unit."""
    return {cap.unit: Cap(fen=cap.fen, review_by=cap.review_by) for cap in product.caps}


def _refusals_of_price(product: DataProduct, today: date) -> tuple[Refusal, ...]:
    return refusals_of_price(
        product_id=product.id, lane=product.lane, price=price_of(product), caps=caps_of(product), today=today
    )


def _next_code(session: Session, year: int) -> str:
    given = [number_of(code) for code in session.scalars(select(DataProduct.code).where(DataProduct.code != ""))]
    return query_code(year=year, number=max((number for at, number in given if at == year), default=0) + 1)


def meters_in_force(product: DataProduct) -> list[UsageMeter]:
    """The rows that no other row replaces."""
    replaced = {row.corrects for row in product.meters}
    return [row for row in product.meters if row.id not in replaced]


def metered_until(product: DataProduct) -> date | None:
    """The last day up to which use was metered, in whatever unit."""
    return max((row.last for row in meters_in_force(product)), default=None)


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
        notice_began=None if product.notice_began is None else district_day(product.notice_began),
        today=district_day(hub.clock()),
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


def enter(tx: Transaction, product: DataProduct, to: RegistrationStatus, *, reason: str) -> None:
    """Put a registration into a state; the next deadline counts from now."""
    product.status, product.since, product.status_reason = to, tx.now, reason.strip()


def validity_of(product: DataProduct) -> dict[str, str]:
    """Code and end of a registration for an event, once there is a code."""
    return {} if product.valid_until is None else {"code": product.code, "valid_until": str(product.valid_until)}


def record(
    tx: Transaction,
    kind: EventKind,
    product: DataProduct,
    *,
    decision: str = "",
    counters: Mapping[str, int] | None = None,
    details: Mapping[str, str] | None = None,
) -> None:
    """Write the event of a change to a product."""
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
