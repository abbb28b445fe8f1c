"""What of the register everyone may read, what waits for whom, and the yearly disclosure.

The public view holds subject, registration type, data name and short description, and nothing else (登记办法 Art. 9–12;
DOMAIN.md §5.5): no licence, request, digest, price or person can come into it, because `PublicEntry` has no place for
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable
from hub.context import Hub
from hub.gate.model import ExportRequest
from hub.licensing.actions import may_see
from hub.licensing.model import Licence
from hub.numbering import newest_first
from hub.people.actor import Actor, Role
from hub.people.model import Organisation
from hub.products.model import Release
from hub.register.actions import deadline_of, deadline_of_release, list_products, usage_of
from hub.register.clock import Due, Step, Timing
from hub.register.model import PUBLISHED, DataProduct, RegistrationType
from hub.rulebook.model import district_day

MINE: dict[Step, Role] = {
    Step.APPLY: Role.LICENSEE_ADMIN,
    Step.ACCEPT: Role.BUREAU_OFFICER,
    Step.REVIEW: Role.BUREAU_OFFICER,
    Step.PUBLISH: Role.BUREAU_OFFICER,
    Step.CODE: Role.BUREAU_OFFICER,
    Step.RENEW: Role.BUREAU_OFFICER,
}
"""Who has to do a step. What is overdue, the bureau is told of as well, and the operator of each end of validity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicEntry:
    """One registration as everyone may read it."""

    subject_zh: str
    subject_en: str
    type: RegistrationType
    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A deadline that is near or missed. `product_id` is empty for a release that nobody has entered yet."""

    product_id: str
    request_id: str
    title: str
    due: Due
    timing: Timing


def public_register(hub: Hub) -> list[PublicEntry]:
    """Every registration in public notice or in force, newest first. For everyone with an account."""
    today = district_day(hub.clock())
    with hub.reading() as session:
        names = {one.id: one for one in session.scalars(select(Organisation))}
        found = session.scalars(
            select(DataProduct).where(DataProduct.status.in_(PUBLISHED)).order_by(*newest_first(DataProduct.id))
        )
        return [
            PublicEntry(
                subject_zh=names[product.operator_org].name_zh,
                subject_en=names[product.operator_org].name_en,
                type=product.type,
                name=product.name,
                description=product.description,
            )
            for product in found
            if product.valid_until is None or today < product.valid_until
        ]


def releases_without_product(hub: Hub, actor: Actor) -> list[tuple[ExportRequest, Release]]:
    """Releases that the actor's side has not entered as products, oldest first."""
    with hub.reading() as session:
        taken = set(session.scalars(select(DataProduct.request_id)))
        found = []
        for release in session.scalars(select(Release).order_by(Release.delivered_at, Release.request_id)):
            request = session.get_one(ExportRequest, release.request_id)
            operator = session.get_one(Licence, request.licence_id).operator_org
            if release.request_id not in taken and may_see(operator, actor):
                found.append((request, release))
        return found


def alarms(hub: Hub, actor: Actor) -> Iterator[Alarm]:
    """Deadlines that are near or missed and are the actor's affair, the most urgent first."""
    yield from sorted(_alarms(hub, actor), key=lambda alarm: (alarm.due.day, alarm.request_id))


def _alarms(hub: Hub, actor: Actor) -> Iterator[Alarm]:
    if not actor.has(Role.BUREAU_OFFICER, Role.LICENSEE_ADMIN):
        return
    today = district_day(hub.clock())
    waiting = [
        (release.request_id, "", request.title, deadline_of_release(hub, release.delivered_at))
        for request, release in releases_without_product(hub, actor)
    ]
    waiting += [
        (product.request_id, product.id, product.name, deadline_of(hub, product))
        for product in list_products(hub, actor)
    ]
    for request_id, product_id, title, due in waiting:
        timing = due.timing(today) if due else Timing.IN_TIME
        if due is None or timing is Timing.IN_TIME:
            continue
        told = timing is Timing.OVERDUE and actor.has(Role.BUREAU_OFFICER)
        ends = due.step is Step.RENEW and actor.has(Role.LICENSEE_ADMIN)
        if actor.has(MINE[due.step]) or told or ends:
            yield Alarm(product_id=product_id, request_id=request_id, title=title, due=due, timing=timing)


def yearly_disclosure(hub: Hub, *, year: int) -> dict[str, Any]:
    """The year's disclosure as plain JSON: licences (who, what, scope, term) and products with their use.

    Source: 实施规范 Art. 18–19. A licence is of the year if it ran on one of its days, a product if it was released by
    its end and is in public notice or registered.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    with hub.reading() as session:
        licences = [
            _licence(session, one)
            for one in session.scalars(select(Licence).order_by(Licence.id))
            if district_day(one.starts_at) <= last and first < district_day(one.ends_at)
        ]
        products = [
            {
                "subject": session.get_one(Organisation, one.operator_org).name_zh,
                "type": one.type.value,
                "name": one.name,
                "description": one.description,
                "use": {unit.value: amount for unit, amount in sorted(usage_of(one, year=year).items())},
            }
            for one in session.scalars(select(DataProduct).order_by(DataProduct.id))
            if one.status in PUBLISHED and district_day(one.released_at) <= last
        ]
    return {"format": 1, "year": year, "licences": licences, "products": products}


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
