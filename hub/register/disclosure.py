"""What of the register everyone may read, and the board of what is due or missed.

The public view holds subject, registration type, data name and short description, and nothing else (登记办法 Art. 9–12;
DOMAIN.md §5.5): no licence, request, digest, price or person can come into it, because `PublicEntry` has no place for
them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.context import Hub
from hub.gate.model import ExportRequest
from hub.licensing.actions import list_licences, may_see
from hub.licensing.model import Licence
from hub.message import Message, msg
from hub.numbering import newest_first
from hub.people.actor import Actor, Role
from hub.people.model import Organisation
from hub.products.model import Release
from hub.register.actions import deadline_of, deadline_of_release, list_products
from hub.register.amendments import amendment_in_notice, deadline_of_amendment, is_public, open_amendment
from hub.register.charging import account_in, deviation_in, years_of
from hub.register.clock import SOON, Due, Step, Timing, has_lapsed
from hub.register.codes import is_query_code
from hub.register.income import Consequence
from hub.register.model import DataProduct, RegistrationStatus, RegistrationType
from hub.register.papers import owed
from hub.rulebook.model import district_day

OPERATOR_STEPS = frozenset({Step.APPLY, Step.RENEW, Step.REPORT, Step.DISCLOSE})
"""What the operator has to do. The rest is the bureau's; the bureau is told of whatever is overdue as well."""


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
    """A deadline that is near, missed or cannot be told. `address` is the page where it is dealt with."""

    title: Message | str
    subject: str
    org_id: str
    due: Due
    timing: Timing
    address: tuple[str, ...]


def public_register(hub: Hub) -> list[PublicEntry]:
    """Every registration in public notice or in force, newest first. For everyone with an account.

    A change in public notice is shown as it is applied for, beside the entry that still stands.
    """
    with hub.reading() as session:
        return [entry for product in _public(hub, session) for entry in _entries(session, product)]


def in_notice(hub: Hub) -> list[tuple[str, PublicEntry]]:
    """What can be objected to: the product's id and what the public reads of it."""
    with hub.reading() as session:
        found = []
        for product in _public(hub, session):
            if amendment_in_notice(product) or product.status is not RegistrationStatus.CODED:
                found.append((product.id, _entries(session, product)[-1]))
        return found


def registration_of(hub: Hub, code: str) -> PublicEntry | None:
    """The registration in force that carries a query code, as everyone may read it."""
    if not is_query_code(code):
        return None
    with hub.reading() as session:
        found = [product for product in _public(hub, session) if product.code == code]
        return _entries(session, found[0])[0] if found else None


def _public(hub: Hub, session: Session) -> list[DataProduct]:
    today = district_day(hub.clock())
    found = session.scalars(select(DataProduct).order_by(*newest_first(DataProduct.id)))
    return [one for one in found if is_public(one) and not has_lapsed(one.valid_until, today)]


def _entries(session: Session, product: DataProduct) -> list[PublicEntry]:
    subject = session.get_one(Organisation, product.operator_org)

    def entry(kind: RegistrationType, name: str, description: str) -> PublicEntry:
        return PublicEntry(
            subject_zh=subject.name_zh, subject_en=subject.name_en, type=kind, name=name, description=description
        )

    found = [entry(product.type, product.name, product.description)]
    change = amendment_in_notice(product)
    if change is not None:
        found.append(entry(change.type, change.name or product.name, change.description or product.description))
    return found


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


def board(hub: Hub, actor: Actor) -> list[Alarm]:
    """Everything of the register that is due soon, missed or cannot be told, as far as the actor may see it."""
    today = district_day(hub.clock())
    found = [*_of_products(hub, actor), *_of_money(hub, actor), *_of_papers(hub, actor)]
    told = [
        Alarm(title=title, subject=subject, org_id=org, due=due, timing=due.timing(today), address=address)
        for title, subject, org, due, address in found
        if due.timing(today) is not Timing.IN_TIME
    ]
    return sorted(told, key=lambda alarm: (alarm.due.day, alarm.subject, alarm.due.step))


def alarms(hub: Hub, actor: Actor) -> Iterator[Alarm]:
    """What of the board is the actor's affair, the most urgent first; shown on the first page."""
    officer, admin = actor.has(Role.BUREAU_OFFICER), actor.has(Role.LICENSEE_ADMIN)
    if not officer and not admin:
        return
    for alarm in board(hub, actor):
        theirs = alarm.due.step in OPERATOR_STEPS and alarm.org_id == actor.org_id
        bureau = officer and (
            alarm.due.step not in OPERATOR_STEPS or alarm.timing is not Timing.DUE_SOON or alarm.org_id == actor.org_id
        )
        if (admin and theirs) or bureau or (officer and alarm.due.step is Step.RENEW):
            yield alarm


_Row = tuple[Message | str, str, str, Due, tuple[str, ...]]


def _of_products(hub: Hub, actor: Actor) -> Iterator[_Row]:
    for request, release in releases_without_product(hub, actor):
        due = deadline_of_release(hub, release.delivered_at)
        if due is not None:
            yield request.title, request.id, request.author_org, due, ("register",)
    for product in list_products(hub, actor):
        address = ("register/products", product.id)
        due = deadline_of(hub, product)
        if due is not None and not (due.step is Step.RENEW and open_amendment(product)):
            yield product.name, product.id, product.operator_org, due, address
        amendment = open_amendment(product)
        later = None if amendment is None else deadline_of_amendment(hub, product, amendment)
        if amendment is not None and later is not None:
            yield product.name, amendment.id, product.operator_org, later, address


def _of_money(hub: Hub, actor: Actor) -> Iterator[_Row]:
    for product in list_products(hub, actor):
        newest = {cap.unit: cap for cap in product.caps}
        for cap in newest.values():
            due = Due(step=Step.PRICE_REVIEW, day=cap.review_by, warns=cap.review_by - SOON)
            yield product.name, product.id, product.operator_org, due, ("register/products", product.id)
    today = district_day(hub.clock())
    for licence in list_licences(hub, actor):
        with hub.reading() as session:
            offs = [(year, deviation_in(hub, session, licence.id, year)) for year in years_of(licence)]
            accounts = {year: account_in(session, licence.id, year) for year, _ in offs}
        capped = [
            cap.entered_at
            for product in list_products(hub, actor)
            if product.licence_id == licence.id
            for cap in product.caps
        ]
        for year, off in offs:
            account = accounts[year]
            answered = account is not None and any(at >= account.entered_at for at in capped)
            if off is not None and off.consequence is Consequence.ADJUST_CAPS and not answered:
                title = msg("Income of {year} is off the permitted maximum", year=year)
                due = Due(step=Step.DEVIATION, day=today, warns=today)
                yield title, licence.id, licence.operator_org, due, ("register/income", licence.id)


def _of_papers(hub: Hub, actor: Actor) -> Iterator[_Row]:
    for paper in owed(hub, actor):
        yield (
            msg("{paper} for {year}", paper=paper.kind, year=paper.year),
            paper.org_id,
            paper.org_id,
            paper.due,
            ("register/papers",),
        )
