"""Ask for consents when a scenario is filed; let the providing department give, refuse and withdraw them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.model import CatalogTable, Origin
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, unknown
from hub.ledger.events import EventKind
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_of_interest
from hub.sharing.model import ConsentStatus, ProviderConsent
from hub.sharing.rules import CONSENT_BASIS, ConsentFact, refusals_to_answer
from hub.wording import refusals_of_words


def request_consents(
    tx: Transaction, *, scenario_id: str, operator_org: str, purpose: str, table_ids: Sequence[str]
) -> None:
    """Ask the provider of every shared-in table that a scenario names, in the transaction that files it."""
    for table_id in table_ids:
        table = tx.session.get_one(CatalogTable, table_id)
        if table.origin is not Origin.SHARED_IN or table.provider_org is None:
            continue
        consent = ProviderConsent(
            id=next_id(tx.session, "c"),
            table_id=table_id,
            provider_org=table.provider_org,
            scenario_id=scenario_id,
            operator_org=operator_org,
            purpose=purpose,
            status=ConsentStatus.REQUESTED,
            requested_at=tx.now,
        )
        tx.session.add(consent)
        tx.session.flush()
        tx.record(
            EventKind.CONSENT_REQUESTED,
            "consent",
            consent.id,
            cited_basis=[CONSENT_BASIS],
            details={"table": table_id, "provider": consent.provider_org, "scenario": scenario_id},
        )


def decide_consent(hub: Hub, actor: Actor, *, consent_id: str, give: bool, reason: str) -> ProviderConsent:
    """Give or refuse a consent that was asked for, with a written reason."""
    to = ConsentStatus.GIVEN if give else ConsentStatus.REFUSED
    return _answer(hub, actor, Verb.DECIDE_CONSENT, consent_id, to, reason)


def withdraw_consent(hub: Hub, actor: Actor, *, consent_id: str, reason: str) -> ProviderConsent:
    """Take a given consent back: what depends on it stops at its next step."""
    return _answer(hub, actor, Verb.WITHDRAW_CONSENT, consent_id, ConsentStatus.WITHDRAWN, reason)


def _answer(hub: Hub, actor: Actor, verb: Verb, consent_id: str, to: ConsentStatus, reason: str) -> ProviderConsent:
    with hub.transaction(actor, verb, consent_id) as tx:
        consent = _visible(tx.session, consent_id, actor)
        tx.refuse(refusals_of_words(consent_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_of_interest(actor, consent.operator_org), NotAllowed)
        tx.refuse(
            refusals_to_answer(
                actor=actor,
                verb=verb,
                consent_id=consent_id,
                provider_org=consent.provider_org,
                status=consent.status,
                to=to,
                reason=reason,
            ),
            NotAllowed,
        )
        consent.status, consent.reason = to, reason.strip()
        consent.decided_by, consent.decided_at = actor.person_id, tx.now
        tx.record(
            EventKind.CONSENT_DECIDED if to is not ConsentStatus.WITHDRAWN else EventKind.CONSENT_WITHDRAWN,
            "consent",
            consent_id,
            decision=to,
            cited_basis=[CONSENT_BASIS],
            details={"table": consent.table_id, "scenario": consent.scenario_id},
        )
        return consent


def consent_facts(session: Session, *, scenario_id: str, table_ids: Sequence[str]) -> tuple[ConsentFact, ...]:
    """What the providers said of the shared-in ones among these tables, for a scenario's purpose."""
    facts = []
    for table in session.scalars(select(CatalogTable).where(CatalogTable.id.in_(table_ids)).order_by(CatalogTable.id)):
        if table.origin is not Origin.SHARED_IN:
            continue
        said = select(ProviderConsent.status).where(
            ProviderConsent.table_id == table.id,
            ProviderConsent.scenario_id == scenario_id,
            ProviderConsent.provider_org == table.provider_org,
        )
        facts.append(
            ConsentFact(table_id=table.id, provider_org=table.provider_org or "-", status=session.scalar(said))
        )
    return tuple(facts)


def may_see(consent: ProviderConsent, actor: Actor) -> bool:
    """The government side sees all; an operator those of its own scenarios."""
    return not actor.is_outside or actor.sides_with(consent.operator_org)


def list_consents(hub: Hub, actor: Actor) -> list[ProviderConsent]:
    """Consents that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(ProviderConsent).order_by(*newest_first(ProviderConsent.id)))
        return [consent for consent in found if may_see(consent, actor)]


def find_consent(hub: Hub, actor: Actor, consent_id: str) -> ProviderConsent:
    """One consent, if the actor may see it."""
    with hub.reading() as session:
        return _visible(session, consent_id, actor)


def _visible(session: Session, consent_id: str, actor: Actor) -> ProviderConsent:
    consent = session.get(ProviderConsent, consent_id)
    if consent is None or not may_see(consent, actor):
        raise NotFound(unknown(consent_id))
    return consent
