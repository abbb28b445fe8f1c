"""Ask every past decision again under the version of the rules it was made by (Art. 32 of the Measures).

The facts come from the ledger's own event wherever it carries them, else from the record of the thing; the thresholds
from the pack that the event names, to the byte. A decision that does not stand under its own version was edited, or
was never lawful. That it would fall under the version in force today is no fault: it is said, and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable
from hub.errors import HubError
from hub.gate.model import Decision, ExportRequest
from hub.gate.rules import refusals_of_age
from hub.ledger.actions import TIME_FORMAT
from hub.ledger.events import DECIDED_BY_RULES, EventKind
from hub.ledger.model import LedgerEntry
from hub.licensing.actions import read_policy
from hub.licensing.model import ExtractLevel, Licence
from hub.licensing.rules import TableGrant, refusals_to_policy
from hub.register.clock import notice_end, renewal_opens, validity_end
from hub.register.model import DataProduct, PermittedIncome, Price, PriceCap
from hub.register.pricing import refusals_of_cycle
from hub.rulebook.calendar import add_years, district_calendar
from hub.rulebook.model import Pack, district_day
from hub.rulebook.packs import pack_in_force, pack_of_label
from hub.rulebook.parameters import Parameter

Event = Mapping[str, Any]
Codes = Iterator[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One decision asked again: codes that stand against it under its own version, and under today's."""

    seq: int
    kind: EventKind
    subject: str
    rules: str
    own: tuple[str, ...]
    today: tuple[str, ...]

    @property
    def stands(self) -> bool:
        """Whether nothing stands against it under the version it was made by."""
        return not self.own


def replay(session: Session, *, now: datetime, packs: Sequence[Pack] | None = None) -> Iterator[Replayed]:
    """Every decision of the ledger that thresholds had a part in, oldest first.

    Args:
        packs: The versions to choose from; those that come with the product when not given.
    """
    current = pack_in_force(now, packs=packs)
    for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)):
        kind = EventKind(entry.kind)
        if kind not in DECIDED_BY_RULES:
            continue
        event = json.loads(entry.body)
        label = str(event["details"].get("rules", ""))
        ask = ASK.get(kind)
        try:
            pack = pack_of_label(label, packs=packs)
        except HubError as error:
            yield Replayed(
                seq=entry.seq, kind=kind, subject=event["object_id"], rules=label, own=(error.code,), today=()
            )
            continue
        own = tuple(ask(session, event, pack)) if ask else ()
        today = tuple(ask(session, event, current)) if ask and current is not pack else own
        yield Replayed(seq=entry.seq, kind=kind, subject=event["object_id"], rules=label, own=own, today=today)


def _at(event: Event) -> datetime:
    return datetime.strptime(str(event["ts"]), TIME_FORMAT).replace(tzinfo=UTC)


def _granted(session: Session, event: Event, pack: Pack) -> Codes:
    starts, ends = (datetime.fromisoformat(event["details"][name]) for name in ("starts", "ends"))
    if ends > add_years(starts, pack.count(Parameter.LICENCE_MAX_TERM)):
        yield "licence.term"
    if event["counters"]["reviewers"] < pack.count(Parameter.LICENCE_MIN_REVIEWERS):
        yield "licence.reviewers"
    licence = session.get_one(Licence, event["object_id"])
    for row in licence.tables:
        if event["details"].get(f"policy.{row.table_id}") != row.policy_digest:
            yield "licence.policy_changed"
        facts, _ = read_policy(row.policy, table_id=row.table_id)
        table = session.get_one(CatalogTable, row.table_id)
        catalog = {column.name: column.column_class for column in table.columns}
        grant = TableGrant(table_id=row.table_id, columns=tuple(row.columns), catalog=catalog, policy=facts)
        yield from (refusal.rule for refusal in refusals_to_policy(grant, pack))


def _issued(_session: Session, event: Event, pack: Pack) -> Codes:
    level, counters = event["details"].get("level"), event["counters"]
    if level in (ExtractLevel.SAMPLED, ExtractLevel.FULL) and counters["k"] < pack.count(Parameter.EXTRACT_MIN_K):
        yield "licence.policy_k"
    if level == ExtractLevel.SAMPLED and counters["rows"] > pack.count(Parameter.EXTRACT_SAMPLE_ROWS):
        yield "extract.sample_rows"


def _approved(session: Session, event: Event, pack: Pack) -> Codes:
    request = session.get_one(ExportRequest, event["object_id"])
    licence = session.get_one(Licence, request.licence_id)
    needed = max(licence.reviewers_required, pack.count(Parameter.LICENCE_MIN_REVIEWERS))
    votes = {
        vote.person_id
        for vote in request.votes
        if vote.decision is Decision.APPROVE and vote.digest == event["object_digest"] and vote.cast_at <= _at(event)
    }
    if len(votes) < needed:
        yield "release.votes"


def _delivered(session: Session, event: Event, pack: Pack) -> Codes:
    approved = _newest(session, EventKind.EXPORT_APPROVED, event)
    if approved is None:
        yield "release.votes"
        return
    yield from (
        refusal.rule
        for refusal in refusals_of_age(
            event["object_id"],
            approved=district_day(_at(approved)),
            today=district_day(_at(event)),
            pack=pack,
            calendar=district_calendar(),
        )
    )


def _grant(_session: Session, event: Event, pack: Pack) -> Codes:
    lives = datetime.fromisoformat(event["details"]["expires"]) - _at(event)
    if lives > timedelta(hours=pack.count(Parameter.GRANT_HOURS)):
        yield "grant.hours"


def _registered(session: Session, event: Event, pack: Pack) -> Codes:
    if event["decision"] != "coded":
        return
    product = session.get_one(DataProduct, event["object_id"])
    day = district_day(_at(event))
    ends = district_day(session.get_one(Licence, product.licence_id).ends_at)
    if date.fromisoformat(event["details"]["valid_until"]) > validity_end(day, licence_ends=ends, pack=pack):
        yield "register.validity"
    began = district_day(product.notice_began) if product.notice_began else day
    if day <= notice_end(began, pack=pack, calendar=district_calendar()):
        yield "register.notice_running"


def _renewed(session: Session, event: Event, pack: Pack) -> Codes:
    product = session.get_one(DataProduct, event["object_id"])
    was, until = (date.fromisoformat(event["details"][name]) for name in ("was", "valid_until"))
    ends = district_day(session.get_one(Licence, product.licence_id).ends_at)
    if until > validity_end(was, licence_ends=ends, pack=pack):
        yield "register.validity"
    if district_day(_at(event)) < renewal_opens(was, pack=pack):
        yield "register.renewal_early"


def _capped(session: Session, event: Event, pack: Pack) -> Codes:
    row = session.get_one(PriceCap, int(event["details"]["row"]))
    yield from _cycle(row, event, pack)


def _permitted(session: Session, event: Event, pack: Pack) -> Codes:
    row = session.get_one(PermittedIncome, int(event["details"]["row"]))
    yield from _cycle(row, event, pack)
    counters = event["counters"]
    if counters["profit_rate"] > counters["bond_yield"] + int(pack.amount(Parameter.PRICE_PROFIT_RATE) * 100):
        yield "income.profit_rate"


def _cycle(row: PriceCap | PermittedIncome, event: Event, pack: Pack) -> Codes:
    if str(row.review_by) != event["details"]["review_by"]:
        yield "price.changed"
    day = district_day(_at(event))
    found = refusals_of_cycle("-", decided_on=row.decided_on, review_by=row.review_by, today=day, pack=pack)
    yield from (refusal.rule for refusal in found)


def _priced(session: Session, event: Event, _pack: Pack) -> Codes:
    price = session.get_one(Price, int(event["details"]["row"]))
    caps = select(PriceCap).where(PriceCap.product_id == event["object_id"], PriceCap.unit == price.unit)
    then = [cap for cap in session.scalars(caps.order_by(PriceCap.id)) if cap.entered_at <= _at(event)]
    if not then or event["counters"]["fen"] > then[-1].fen:
        yield "price.above_cap" if then else "price.no_cap"


def _newest(session: Session, kind: EventKind, event: Event) -> Event | None:
    """The newest earlier event of a kind about the same thing."""
    found = [
        json.loads(entry.body)
        for entry in session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == kind).order_by(LedgerEntry.seq.desc())
        )
    ]
    return next((one for one in found if one["object_id"] == event["object_id"] and one["seq"] < event["seq"]), None)


ASK: Mapping[EventKind, Callable[[Session, Event, Pack], Codes]] = {
    EventKind.LICENCE_GRANTED: _granted,
    EventKind.EXTRACT_ISSUED: _issued,
    EventKind.EXPORT_APPROVED: _approved,
    EventKind.RELEASE_DELIVERED: _delivered,
    EventKind.GRANT_ISSUED: _grant,
    EventKind.REGISTRATION_DECIDED: _registered,
    EventKind.REGISTRATION_RENEWED: _renewed,
    EventKind.PRICE_CAPPED: _capped,
    EventKind.PRICE_SET: _priced,
    EventKind.INCOME_PERMITTED: _permitted,
}
"""The decisions that a threshold alone can overturn. Of the others the version alone is held."""
