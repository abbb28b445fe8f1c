"""File and decide scenarios; suspend, resume and terminate licences; ask a licence again.

How an agreement comes into force is in `hub.licensing.agreements`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from anonymize.errors import AnonymizeError
from anonymize.policy import parse_policy
from hub.catalog.model import CatalogTable, ColumnClass, Origin, TableStatus
from hub.context import Hub
from hub.errors import InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.licensing.contract import Contract
from hub.licensing.model import (
    Lane,
    Licence,
    LicenceStatus,
    Scenario,
    ScenarioOpinion,
    ScenarioStatus,
    Stance,
)
from hub.licensing.moves import TARGETS, LicenceFacts, refusals_to_move
from hub.licensing.personnel import people_listed, refusals_of_personnel
from hub.licensing.reading import read_contract
from hub.licensing.rules import LicenceTerms, PolicyFacts, is_expiring, refusals_to_use
from hub.licensing.scenario_rules import (
    SCENARIO_BASIS,
    Opinion,
    body_of,
    refusals_to_decide,
    refusals_to_file,
    refusals_to_give_opinion,
)
from hub.licensing.terms import Agreed, compile_terms
from hub.message import both, msg
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_of_interest
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.sharing.actions import request_consents
from hub.sharing.rules import ConsentFact
from hub.wording import refusals_of_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a licence stood when it was asked."""

    licence: Licence
    refusals: tuple[Refusal, ...]
    """What stands against using it; empty: it can be used."""
    is_expiring: bool
    asked_at: datetime


def file_scenario(
    hub: Hub, actor: Actor, *, title: str, purpose: str, lane: Lane, table_ids: Sequence[str]
) -> Scenario:
    """File one scenario for the actor's organisation."""
    with hub.transaction(actor, Verb.FILE_SCENARIO) as tx:
        tx.refuse(refusals_of_words("-", lines=[title], texts=[purpose]), InvalidInput)
        query = select(CatalogTable.id).where(CatalogTable.status == TableStatus.PUBLISHED)
        published = list(tx.session.scalars(query))
        secret = list(tx.session.scalars(select(CatalogTable.id).where(CatalogTable.state_secret)))
        wanted = sorted(set(table_ids))
        tx.refuse(
            refusals_to_file(
                actor=actor, title=title, purpose=purpose, table_ids=wanted, published=published, secret=secret
            ),
            NotAllowed,
        )
        scenario = Scenario(
            id=next_id(tx.session, "s"),
            operator_org=actor.org_id,
            title=title.strip(),
            purpose=purpose.strip(),
            lane=lane,
            table_ids=wanted,
            status=ScenarioStatus.FILED,
            filed_by=actor.person_id,
            filed_at=tx.now,
        )
        tx.session.add(scenario)
        tx.session.flush()
        request_consents(
            tx, scenario_id=scenario.id, operator_org=actor.org_id, purpose=scenario.purpose, table_ids=wanted
        )
        tx.record(EventKind.SCENARIO_FILED, "scenario", scenario.id, details={"lane": lane, "tables": " ".join(wanted)})
        return scenario


def give_opinion(
    hub: Hub, actor: Actor, *, scenario_id: str, stance: Stance, compliance: str, security: str
) -> ScenarioOpinion:
    """Sign the opinion of the actor's body on a filed scenario.

    Raises:
        NotAllowed: The actor signs for none of the three bodies, theirs was heard already, or a text is missing.
    """
    with hub.transaction(actor, Verb.GIVE_OPINION, scenario_id) as tx:
        scenario = visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_of_words(scenario_id, texts=[compliance, security]), InvalidInput)
        tx.refuse(refusals_of_interest(actor, scenario.operator_org), NotAllowed)
        refusals = refusals_to_give_opinion(
            actor=actor,
            scenario_id=scenario_id,
            status=scenario.status,
            given={opinion.body for opinion in scenario.opinions},
            compliance=compliance,
            security=security,
        )
        body = body_of(actor)
        if body is None or refusals:
            raise NotAllowed(*refusals)
        texts = [compliance.strip(), security.strip()]
        signed = json.dumps([scenario_id, scenario.purpose, scenario.table_ids, body, stance, *texts])
        opinion = ScenarioOpinion(
            scenario_id=scenario_id,
            body=body,
            stance=stance,
            compliance=texts[0],
            security=texts[1],
            given_by=actor.person_id,
            given_at=tx.now,
            digest=hashlib.sha256(signed.encode()).hexdigest(),
        )
        scenario.opinions.append(opinion)
        tx.session.flush()
        tx.record(
            EventKind.OPINION_GIVEN,
            "scenario",
            scenario_id,
            digest=opinion.digest,
            decision=stance,
            cited_basis=[SCENARIO_BASIS],
            details={"body": body},
        )
        return opinion


def decide_scenario(hub: Hub, actor: Actor, *, scenario_id: str, approve: bool, reason: str) -> Scenario:
    """Approve or refuse a filed scenario, with a written reason."""
    to = ScenarioStatus.APPROVED if approve else ScenarioStatus.REFUSED
    with hub.transaction(actor, Verb.DECIDE_SCENARIO, scenario_id) as tx:
        scenario = visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_of_words(scenario_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_of_interest(actor, scenario.operator_org), NotAllowed)
        tx.refuse(
            refusals_to_decide(
                actor=actor,
                scenario_id=scenario_id,
                status=scenario.status,
                to=to,
                reason=reason,
                opinions=opinions_of(scenario),
            ),
            NotAllowed,
        )
        scenario.status, scenario.decision_reason = to, reason.strip()
        scenario.decided_by, scenario.decided_at = actor.person_id, tx.now
        tx.record(EventKind.SCENARIO_DECIDED, "scenario", scenario_id, decision=to)
        return scenario


def suspend_licence(hub: Hub, actor: Actor, *, licence_id: str, reason: str) -> Licence:
    """Stop all use of a licence until it is resumed."""
    return _move(hub, actor, Verb.SUSPEND_LICENCE, licence_id, reason)


def resume_licence(hub: Hub, actor: Actor, *, licence_id: str, reason: str) -> Licence:
    """Let a suspended licence be used again."""
    return _move(hub, actor, Verb.RESUME_LICENCE, licence_id, reason)


def terminate_licence(hub: Hub, actor: Actor, *, licence_id: str, reason: str) -> Licence:
    """End a licence, or a draft of one, for good; what it left behind is destroyed by its closing."""
    return _move(hub, actor, Verb.TERMINATE_LICENCE, licence_id, reason)


_MOVED: Mapping[Verb, EventKind] = {
    Verb.SUSPEND_LICENCE: EventKind.LICENCE_SUSPENDED,
    Verb.RESUME_LICENCE: EventKind.LICENCE_RESUMED,
    Verb.TERMINATE_LICENCE: EventKind.LICENCE_TERMINATED,
}


def _move(hub: Hub, actor: Actor, verb: Verb, licence_id: str, reason: str) -> Licence:
    with hub.transaction(actor, verb, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_move(facts_of(licence), actor, verb, reason=reason), NotAllowed)
        licence.status, licence.status_reason = TARGETS[verb], reason.strip()
        tx.record(_MOVED[verb], "licence", licence_id, licence_id=licence_id, decision=licence.status)
        return licence


def facts_of(licence: Licence) -> LicenceFacts:
    """The licence as the rules of its moves see it."""
    version = licence.current
    days = [district_day(signature.signed_at) for signature in version.signatures]
    return LicenceFacts(
        id=licence.id,
        status=licence.status,
        digest=version.digest,
        drafted_by=version.drafted_by,
        implementing_body=licence.implementing_body,
        operator_org=licence.operator_org,
        signed=frozenset(signature.side for signature in version.signatures),
        signed_on=max(days, default=None),
    )


def read_policy(text: str, *, table_id: str) -> tuple[PolicyFacts, str]:
    """What the rules need of a policy, and its digest.

    Raises:
        InvalidInput: The text is no valid policy; the refusal says what is wrong with it.
    """
    try:
        policy = parse_policy(text)
    except (RecursionError, UnicodeEncodeError) as error:  # nested without end, or half a character
        raise InvalidInput(_unread("policy.form", table_id)) from error
    except AnonymizeError as error:
        raise InvalidInput(
            Refusal(
                rule=error.code,
                subject=table_id,
                text=both(en=error.text.en, zh=error.text.zh),
                next_step=both(en=error.next_step.en, zh=error.next_step.zh),
            )
        ) from error
    facts = PolicyFacts(
        k=policy.target.k,
        classes={rule.name: ColumnClass(rule.column_class.value) for rule in policy.columns},
        dropped=frozenset(rule.name for rule in policy.columns if rule.technique.name == "drop"),
    )
    return facts, policy.digest


def _unread(rule: str, table_id: str) -> Refusal:
    return Refusal(
        rule=rule,
        subject=table_id,
        text=msg("The policy is too deeply nested to be read."),
        next_step=msg("Start from the policy that `zhakou scan --write-policy` proposes."),
    )


def opinions_of(scenario: Scenario) -> tuple[Opinion, ...]:
    """The signed opinions as rules see them."""
    return tuple(Opinion(body=one.body, stance=one.stance, given_by=one.given_by) for one in scenario.opinions)


def terms_of(licence: Licence) -> LicenceTerms:
    """What of the licence decides whether it may be used."""
    said = {(consent.table_id, consent.provider_org): consent.status for consent in licence.consents}
    shared_in = [row.table for row in licence.tables if row.table.origin is Origin.SHARED_IN]
    return LicenceTerms(
        id=licence.id,
        status=licence.status,
        starts_at=licence.starts_at,
        ends_at=licence.ends_at,
        consents=tuple(
            ConsentFact(
                table_id=table.id,
                provider_org=table.provider_org or "-",
                status=said.get((table.id, table.provider_org or "-")),
            )
            for table in shared_in
        ),
        secret_tables=tuple(row.table_id for row in licence.tables if row.table.state_secret),
        agreed=agreed_in(licence),
    )


def contract_of(licence: Licence) -> Contract:
    """The agreement in its newest version."""
    return _read(licence.current.contract)


def agreed_in(licence: Licence) -> Agreed:
    """The terms of the agreement that machines check."""
    return _compiled(licence.current.contract)


@lru_cache(maxsize=256)
def _read(contract: str) -> Contract:
    return read_contract(contract)


@lru_cache(maxsize=256)
def _compiled(contract: str) -> Agreed:
    return compile_terms(_read(contract))


def standing_of(hub: Hub, actor: Actor, now: datetime) -> tuple[Standing, ...]:
    """How each licence that a person's organisation works under stands for them at `now`, newest first; drafts nobody
    has decided on are left out."""
    pack = pack_in_force(now)
    with hub.reading() as session:
        found = session.scalars(select(Licence).order_by(*newest_first(Licence.id)))
        return tuple(
            Standing(
                licence=licence,
                refusals=refusals_to_work(licence, actor, now),
                is_expiring=is_expiring(terms_of(licence), now, pack),
                asked_at=now,
            )
            for licence in found
            if works_under(licence, actor.org_id) and licence.status is not LicenceStatus.DRAFTING
        )


def works_under(licence: Licence, org_id: str) -> bool:
    """Whether people of this organisation work under the licence: its operator, and development entities it names."""
    return org_id == licence.operator_org or org_id in licence.developers


def listed_people(licence: Licence) -> frozenset[str]:
    """Who is on the licence's personnel list now."""
    changes = ((one.kind, one.status, one.person_id) for one in licence.personnel_changes)
    return people_listed(agreed_in(licence).personnel, changes)


def refusals_to_work(licence: Licence, actor: Actor, now: datetime) -> tuple[Refusal, ...]:
    """Everything against this person working under the licence at `now`, but for what their step asks besides.

    Operators and their development entities work by the personnel list; everybody else's part is in their role.
    """
    found = refusals_to_use(terms_of(licence), now)
    if actor.is_outside:
        found += refusals_of_personnel(licence.id, actor.person_id, listed_people(licence))
    return found


def licence_to_work(session: Session, licence_id: str, actor: Actor, now: datetime) -> Licence:
    """The licence, asked again at `now` for this person.

    Raises:
        NotFound: There is no such licence.
        NotAllowed: It cannot be used, or the person is not on its personnel list.
    """
    licence = licence_in(session, licence_id)
    refusals = refusals_to_work(licence, actor, now)
    if refusals:
        raise NotAllowed(*refusals)
    return licence


def usable_licence(session: Session, licence_id: str, now: datetime) -> Licence:
    """The licence, asked again at `now`.

    Raises:
        NotFound: There is no such licence.
        NotAllowed: It has not started, is suspended or has expired.
    """
    licence = licence_in(session, licence_id)
    refusals = refusals_to_use(terms_of(licence), now)
    if refusals:
        raise NotAllowed(*refusals)
    return licence


def licence_in(session: Session, licence_id: str) -> Licence:
    """The licence row, for another room's transaction.

    Raises:
        NotFound: There is none.
    """
    licence = session.get(Licence, licence_id)
    if licence is None:
        raise NotFound(unknown(licence_id))
    return licence


def visible_licence(session: Session, licence_id: str, actor: Actor) -> Licence:
    """One licence, for a transaction of the actor's.

    Raises:
        NotFound: There is none, or the actor may not see it: one answer for both.
    """
    licence = licence_in(session, licence_id)
    if not may_see(licence.operator_org, actor):
        raise NotFound(unknown(licence_id))
    return licence


def may_see(operator_org: str, actor: Actor) -> bool:
    """Operators see their own scenarios and licences; everyone on the government side sees all."""
    return not actor.is_outside or actor.sides_with(operator_org)


def list_scenarios(hub: Hub, actor: Actor) -> list[Scenario]:
    """Scenarios that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(Scenario).order_by(*newest_first(Scenario.id)))
        return [scenario for scenario in found if may_see(scenario.operator_org, actor)]


def find_scenario(hub: Hub, actor: Actor, scenario_id: str) -> Scenario:
    """One scenario, if the actor may see it."""
    with hub.reading() as session:
        return visible_scenario(session, scenario_id, actor)


def list_licences(hub: Hub, actor: Actor) -> list[Licence]:
    """Licences that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(Licence).order_by(*newest_first(Licence.id)))
        return [licence for licence in found if may_see(licence.operator_org, actor)]


def find_licence(hub: Hub, actor: Actor, licence_id: str) -> Licence:
    """One licence, if the actor may see it."""
    with hub.reading() as session:
        return visible_licence(session, licence_id, actor)


def visible_scenario(session: Session, scenario_id: str, actor: Actor) -> Scenario:
    """One scenario, for a transaction of the actor's.

    Raises:
        NotFound: There is none, or the actor may not see it: one answer for both.
    """
    scenario = session.get(Scenario, scenario_id)
    if scenario is None or not may_see(scenario.operator_org, actor):
        raise NotFound(unknown(scenario_id))
    return scenario
