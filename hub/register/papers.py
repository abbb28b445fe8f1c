"""What is told once a year about the year before: two disclosures and the operating report, filled from facts.

The implementing body discloses who was licensed, for what, on which tables, until when; an operator its products and
its use of resources (实施规范 Art. 18–19). The operating report adds cost, income, profit, sales per product, deviation
and price changes (价格通知 §5; DOMAIN.md §5.8). Money is whole fen. What is published is kept as it was, with its
digest in the ledger; a corrected paper is a further one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable
from hub.context import Hub
from hub.errors import NotAllowed
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.licensing.actions import may_see
from hub.licensing.model import Lane, Licence
from hub.people.actor import Actor, OrgKind
from hub.people.model import Organisation
from hub.people.rules import Verb
from hub.register.actions import meters_in_force, usage_of
from hub.register.amendments import is_public
from hub.register.charging import account_in, deviation_in, permitted_in
from hub.register.clock import Due, Step, yearly
from hub.register.model import DataProduct, PaperKind, YearPaper
from hub.register.pricing import yuan
from hub.register.rules import refusals_to_publish
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force

FIRST_YEAR = 2025
"""The year in which the rules on registration and disclosure came into force."""

STEP_OF: dict[PaperKind, Step] = {
    PaperKind.BODY_DISCLOSURE: Step.DISCLOSE,
    PaperKind.OPERATOR_DISCLOSURE: Step.DISCLOSE,
    PaperKind.OPERATING_REPORT: Step.REPORT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A yearly paper that an organisation owes and has not published."""

    kind: PaperKind
    org_id: str
    year: int
    due: Due


def yearly_disclosure(hub: Hub, *, year: int) -> dict[str, Any]:
    """The implementing body's disclosure of a year as plain JSON, as the facts stand now.

    A licence is of the year if it ran on one of its days, a product if it was released by its end and everyone may know
    of it.
    """
    with hub.reading() as session:
        licences = [_licence(session, one) for one in _licences(session, year)]
        return {"format": 1, "year": year, "licences": licences, "products": _products(session, year, "")}


def draft(hub: Hub, session: Session, *, kind: PaperKind, org_id: str, year: int) -> dict[str, Any]:
    """A paper as it would be published now."""
    licences = _licences(session, year, "" if kind is PaperKind.BODY_DISCLOSURE else org_id)
    whole: dict[str, Any] = {"format": 1, "kind": kind.value, "year": year}
    whole["organisation"] = session.get_one(Organisation, org_id).name_zh
    match kind:
        case PaperKind.BODY_DISCLOSURE:
            whole["licences"] = [_licence(session, one) for one in licences]
            whole["products"] = _products(session, year, "")
        case PaperKind.OPERATOR_DISCLOSURE:
            whole["resources"] = [_resources(session, one) for one in licences]
            whole["products"] = _products(session, year, org_id)
        case PaperKind.OPERATING_REPORT:
            whole["licences"] = [_operation(hub, session, one, year) for one in licences]
    return whole


def publish_paper(hub: Hub, actor: Actor, *, kind: PaperKind, year: int) -> YearPaper:
    """Publish the actor's organisation's paper about a year that is over, as the facts stand now.

    Raises:
        NotAllowed: Another organisation's paper, a year that is not over, nothing to tell, an account is missing.
    """
    with hub.transaction(actor, Verb.PUBLISH_PAPER, f"{kind}-{year}") as tx:
        own = "" if kind is PaperKind.BODY_DISCLOSURE else actor.org_id
        licences = _licences(tx.session, year, own)
        tx.refuse(
            refusals_to_publish(
                actor,
                kind=kind,
                year=year,
                first_year=FIRST_YEAR,
                today=district_day(tx.now),
                licences=len(licences),
                unaccounted=[one.id for one in licences if _lacks_account(tx.session, one, year)],
            ),
            NotAllowed,
        )
        content = draft(hub, tx.session, kind=kind, org_id=actor.org_id, year=year)
        paper = YearPaper(
            kind=kind,
            org_id=actor.org_id,
            year=year,
            content=content,
            digest=hashlib.sha256(canonical(content)).hexdigest(),
            published_by=actor.person_id,
            published_at=tx.now,
        )
        tx.session.add(paper)
        tx.session.flush()
        tx.record(
            EventKind.PAPER_PUBLISHED,
            "year_paper",
            str(paper.id),
            digest=paper.digest,
            details={"kind": kind, "year": str(year)},
        )
        return paper


def papers(hub: Hub, actor: Actor) -> list[YearPaper]:
    """Published papers: disclosures for everyone, operating reports for who may see the operator's things."""
    with hub.reading() as session:
        found = session.scalars(select(YearPaper).order_by(YearPaper.id.desc()))
        return [
            paper for paper in found if paper.kind is not PaperKind.OPERATING_REPORT or may_see(paper.org_id, actor)
        ]


def owed(hub: Hub, actor: Actor) -> Iterator[Owed]:
    """Papers about years that are over which nobody has published yet, of organisations the actor may see."""
    today, pack = district_day(hub.clock()), pack_in_force(hub.clock())
    with hub.reading() as session:
        there = {(paper.kind, paper.org_id, paper.year) for paper in session.scalars(select(YearPaper))}
        bodies = [one.id for one in session.scalars(select(Organisation)) if one.kind is OrgKind.BUREAU]
        for year in range(FIRST_YEAR, today.year):
            operators = sorted({one.operator_org for one in _licences(session, year)})
            wanted = [(PaperKind.BODY_DISCLOSURE, body) for body in bodies if operators]
            wanted += [(kind, org) for kind in list(PaperKind)[1:] for org in operators]
            for kind, org in wanted:
                if (kind, org, year) not in there and may_see(org, actor):
                    yield Owed(kind=kind, org_id=org, year=year, due=yearly(STEP_OF[kind], year=year, pack=pack))


def computed_income(product: DataProduct, year: int) -> int:
    """What the metered use of a year comes to at the prices of its days, in fen; a unit without price brings 0."""
    total = 0
    for row in meters_in_force(product):
        if row.last.year != year:
            continue
        prices = [
            price.fen for price in product.prices if price.unit is row.unit and district_day(price.set_at) <= row.last
        ]
        total += row.amount * (prices[-1] if prices else 0)
    return total


def _licences(session: Session, year: int, operator: str = "") -> list[Licence]:
    if not MINYEAR <= year <= MAXYEAR:
        return []
    first, last = date(year, 1, 1), date(year, 12, 31)
    return [
        one
        for one in session.scalars(select(Licence).order_by(Licence.id))
        if district_day(one.starts_at) <= last
        and first < district_day(one.ends_at)
        and operator in ("", one.operator_org)
    ]


def _lacks_account(session: Session, licence: Licence, year: int) -> bool:
    return licence.lane is Lane.INDUSTRY and account_in(session, licence.id, year) is None


def _products(session: Session, year: int, operator: str) -> list[dict[str, Any]]:
    return [
        {
            "subject": session.get_one(Organisation, one.operator_org).name_zh,
            "type": one.type.value,
            "name": one.name,
            "description": one.description,
            "use": {unit.value: amount for unit, amount in sorted(usage_of(one, year=year).items())},
        }
        for one in session.scalars(select(DataProduct).order_by(DataProduct.id))
        if is_public(one) and district_day(one.released_at) <= date(year, 12, 31) and operator in ("", one.operator_org)
    ]


def _licence(session: Session, licence: Licence) -> dict[str, Any]:
    return {
        "id": licence.id,
        "operator": session.get_one(Organisation, licence.operator_org).name_zh,
        "purpose": licence.purpose,
        "lane": licence.lane.value,
        "document": licence.document_ref,
        "tables": [session.get_one(CatalogTable, row.table_id).title_zh for row in licence.tables],
        "starts": district_day(licence.starts_at).isoformat(),
        "ends": district_day(licence.ends_at).isoformat(),
    }


def _resources(session: Session, licence: Licence) -> dict[str, Any]:
    return {
        "licence": licence.id,
        "tables": [
            {"title": session.get_one(CatalogTable, row.table_id).title_zh, "columns": len(row.columns)}
            for row in licence.tables
        ],
    }


def _operation(hub: Hub, session: Session, licence: Licence, year: int) -> dict[str, Any]:
    account, permitted = account_in(session, licence.id, year), permitted_in(session, licence.id, year)
    off = deviation_in(hub, session, licence.id, year)
    products = session.scalars(select(DataProduct).where(DataProduct.licence_id == licence.id).order_by(DataProduct.id))
    return {
        "licence": licence.id,
        "lane": licence.lane.value,
        "books": account.book_ref if account else "",
        "income": account.income if account else 0,
        "cost": account.cost if account else 0,
        "profit": account.income - account.cost if account else 0,
        "permitted": permitted.fen if permitted else 0,
        "deviation": f"{off.share:.4f}" if off else "",
        "consequence": off.consequence.value if off else "",
        "deducted": off.deducted if off else 0,
        "products": [
            {
                "id": one.id,
                "name": one.name,
                "status": one.status.value,
                "use": {unit.value: amount for unit, amount in sorted(usage_of(one, year=year).items())},
                "computed_income": computed_income(one, year),
                "price_changes": [
                    {"unit": price.unit.value, "yuan": yuan(price.fen), "day": district_day(price.set_at).isoformat()}
                    for price in one.prices
                    if district_day(price.set_at).year == year
                ],
            }
            for one in products
        ],
    }
