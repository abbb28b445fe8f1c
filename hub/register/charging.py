"""Caps and prices of products; permitted incomes and yearly accounts of licences."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import Hub
from hub.errors import InvalidInput, NotAllowed
from hub.ledger.events import EventKind
from hub.licensing.actions import visible_licence
from hub.licensing.model import Licence
from hub.people.actor import Actor
from hub.people.rules import Verb
from hub.register.actions import caps_of, record, visible_product
from hub.register.clock import status_on
from hub.register.income import Deviation, deviation, refusals_to_account, refusals_to_permit
from hub.register.model import ChargeUnit, DataProduct, PermittedIncome, Price, PriceCap, YearAccount
from hub.register.pricing import read_fen, refusals_to_cap, refusals_to_price
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.wording import refusals_of_words


def enter_cap(
    hub: Hub,
    actor: Actor,
    *,
    product_id: str,
    unit: ChargeUnit,
    yuan: str,
    document_ref: str,
    decided_on: date,
    review_by: date,
) -> DataProduct:
    """Enter the highest price of a unit, by a document of the pricing authority, and until when it stands."""
    with hub.transaction(actor, Verb.ENTER_CAP, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        tx.refuse(refusals_of_words(product_id, lines=[document_ref]), InvalidInput)
        fen, pack = read_fen(yuan), pack_in_force(tx.now)
        tx.refuse(
            refusals_to_cap(
                actor,
                product_id=product_id,
                status=status_on(product.status, product.valid_until, district_day(tx.now)),
                lane=product.lane,
                fen=fen,
                document_ref=document_ref,
                decided_on=decided_on,
                review_by=review_by,
                today=district_day(tx.now),
                pack=pack,
            ),
            NotAllowed,
        )
        cap = PriceCap(
            unit=unit,
            fen=fen or 0,
            document_ref=document_ref.strip(),
            decided_on=decided_on,
            review_by=review_by,
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
            details={"unit": unit, "row": str(cap.id), "review_by": str(review_by)},
        )
        return product


def set_price(hub: Hub, actor: Actor, *, product_id: str, unit: ChargeUnit, yuan: str) -> DataProduct:
    """Set what a unit of an industry product costs.

    Raises:
        NotAllowed: The product is free, there is no cap that still stands, or the price is above it.
    """
    with hub.transaction(actor, Verb.SET_PRICE, product_id) as tx:
        product = visible_product(tx.session, product_id, actor)
        fen = read_fen(yuan)
        tx.refuse(
            refusals_to_price(
                actor,
                product_id=product_id,
                operator_org=product.operator_org,
                status=status_on(product.status, product.valid_until, district_day(tx.now)),
                lane=product.lane,
                unit=unit,
                fen=fen,
                caps=caps_of(product),
                today=district_day(tx.now),
            ),
            NotAllowed,
        )
        price = Price(unit=unit, fen=fen or 0, set_by=actor.person_id, set_at=tx.now)
        product.prices.append(price)
        tx.session.flush()
        details = {"unit": unit, "row": str(price.id)}
        record(tx, EventKind.PRICE_SET, product, counters={"fen": price.fen}, details=details)
        return product


def permit_income(
    hub: Hub,
    actor: Actor,
    *,
    licence_id: str,
    year: int,
    yuan: str,
    bond_yield: str,
    profit_rate: str,
    document_ref: str,
    decided_on: date,
    review_by: date,
) -> PermittedIncome:
    """Enter the maximum permitted income of a licence in one year.

    Args:
        bond_yield: Percent with at most two digits after the point, as typed; likewise `profit_rate`.
    """
    with hub.transaction(actor, Verb.PERMIT_INCOME, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[document_ref]), InvalidInput)
        fen, base, rate = read_fen(yuan), read_fen(bond_yield), read_fen(profit_rate)
        pack = pack_in_force(tx.now)
        tx.refuse(
            refusals_to_permit(
                actor,
                licence_id=licence_id,
                lane=licence.lane,
                year=year,
                years=years_of(licence),
                fen=fen,
                bond_yield=-1 if base is None else base,
                profit_rate=-1 if rate is None else rate,
                document_ref=document_ref,
                decided_on=decided_on,
                review_by=review_by,
                today=district_day(tx.now),
                pack=pack,
            ),
            NotAllowed,
        )
        row = PermittedIncome(
            licence_id=licence_id,
            year=year,
            fen=fen or 0,
            bond_yield=base or 0,
            profit_rate=rate or 0,
            document_ref=document_ref.strip(),
            decided_on=decided_on,
            review_by=review_by,
            entered_by=actor.person_id,
            entered_at=tx.now,
        )
        tx.session.add(row)
        tx.session.flush()
        tx.record(
            EventKind.INCOME_PERMITTED,
            "licence",
            licence_id,
            licence_id=licence_id,
            cited_basis=[row.document_ref],
            counters={"fen": row.fen, "bond_yield": row.bond_yield, "profit_rate": row.profit_rate},
            details={"year": str(year), "row": str(row.id), "review_by": str(review_by)},
        )
        return row


def enter_account(
    hub: Hub, actor: Actor, *, licence_id: str, year: int, income: str, cost: str, book_ref: str
) -> YearAccount:
    """Enter what a licence brought and cost in a year that is over, from its separate books."""
    with hub.transaction(actor, Verb.ENTER_ACCOUNT, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[book_ref]), InvalidInput)
        earned, spent = read_fen(income), read_fen(cost)
        tx.refuse(
            refusals_to_account(
                actor,
                licence_id=licence_id,
                operator_org=licence.operator_org,
                lane=licence.lane,
                year=year,
                years=years_of(licence),
                income=earned,
                cost=spent,
                book_ref=book_ref,
                today=district_day(tx.now),
            ),
            NotAllowed,
        )
        row = YearAccount(
            licence_id=licence_id,
            year=year,
            income=earned or 0,
            cost=spent or 0,
            book_ref=book_ref.strip(),
            entered_by=actor.person_id,
            entered_at=tx.now,
        )
        tx.session.add(row)
        tx.session.flush()
        tx.record(
            EventKind.ACCOUNT_ENTERED,
            "licence",
            licence_id,
            licence_id=licence_id,
            counters={"income": row.income, "cost": row.cost},
            details={"year": str(year), "row": str(row.id)},
        )
        return row


def years_of(licence: Licence) -> range:
    """The years in which a licence runs."""
    return range(district_day(licence.starts_at).year, district_day(licence.ends_at).year + 1)


def permitted_in(session: Session, licence_id: str, year: int) -> PermittedIncome | None:
    """The maximum that counts for a year."""
    query = select(PermittedIncome).where(PermittedIncome.licence_id == licence_id, PermittedIncome.year == year)
    return session.scalar(query.order_by(PermittedIncome.id.desc()).limit(1))


def account_in(session: Session, licence_id: str, year: int) -> YearAccount | None:
    """The account that counts for a year."""
    query = select(YearAccount).where(YearAccount.licence_id == licence_id, YearAccount.year == year)
    return session.scalar(query.order_by(YearAccount.id.desc()).limit(1))


def deviation_in(hub: Hub, session: Session, licence_id: str, year: int) -> Deviation | None:
    """How far a year's income is off its maximum; None until both are known."""
    permitted, account = permitted_in(session, licence_id, year), account_in(session, licence_id, year)
    if permitted is None or account is None:
        return None
    return deviation(income=account.income, permitted=permitted.fen, pack=pack_in_force(hub.clock()))
