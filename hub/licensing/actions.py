"""File and decide scenarios; grant, suspend and resume licences; ask a licence again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from anonymize.errors import AnonymizeError
from anonymize.policy import parse_policy
from hub.catalog.actions import published_table
from hub.catalog.model import CatalogTable, ColumnClass, Origin, TableStatus
from hub.context import Hub
from hub.errors import InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.ledger.events import EventKind
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    Lane,
    Licence,
    LicenceStatus,
    LicenceTable,
    Scenario,
    ScenarioOpinion,
    ScenarioStatus,
    Stance,
)
from hub.licensing.rules import (
    SCENARIO_BASIS,
    LicenceTerms,
    Opinion,
    PolicyFacts,
    TableGrant,
    body_of,
    refusals_to_decide,
    refusals_to_file,
    refusals_to_give_opinion,
    refusals_to_grant,
    refusals_to_move,
    refusals_to_use,
)
from hub.message import both, msg
from hub.numbering import newest_first, next_id
from hub.people.actor import Actor
from hub.people.rules import Verb
from hub.rulebook.packs import pack_in_force
from hub.sharing.actions import consent_facts, request_consents
from hub.sharing.rules import ConsentFact
from hub.wording import refusals_of_words

MOST_POLICY = 256 * 2**10
"""Characters of a policy; one of a hundred columns has some ten thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRequest:
    """One table to be licensed: its columns and the policy as TOML text."""

    table_id: str
    columns: tuple[str, ...]
    policy: str
    levels: tuple[ExtractLevel, ...] = tuple(ExtractLevel)
    full_in_workspace: bool = False


def file_scenario(
    hub: Hub, actor: Actor, *, title: str, purpose: str, lane: Lane, table_ids: Sequence[str]
) -> Scenario:
    """File one scenario for the actor's organisation."""
    with hub.transaction(actor, Verb.FILE_SCENARIO) as tx:
        tx.refuse(refusals_of_words("-", lines=[title], texts=[purpose]), InvalidInput)
        query = select(CatalogTable.id).where(CatalogTable.status == TableStatus.PUBLISHED)
        published = list(tx.session.scalars(query))
        wanted = sorted(set(table_ids))
        tx.refuse(
            refusals_to_file(actor=actor, title=title, purpose=purpose, table_ids=wanted, published=published),
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
        scenario = _visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_of_words(scenario_id, texts=[compliance, security]), InvalidInput)
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
        scenario = _visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_of_words(scenario_id, texts=[reason]), InvalidInput)
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


def grant_licence(
    hub: Hub,
    actor: Actor,
    *,
    scenario_id: str,
    tables: Sequence[TableRequest],
    starts_at: datetime,
    ends_at: datetime,
    reviewers_required: int,
    grant_source: GrantSource,
    document_ref: str,
    joins: Sequence[tuple[str, str]] = (),
) -> Licence:
    """Grant a licence on an approved scenario.

    Raises:
        NotAllowed: A rule of licensing stands against these terms.
        InvalidInput: A policy cannot be read.
        NotFound: The scenario or a table does not exist.
    """
    with hub.transaction(actor, Verb.GRANT_LICENCE, scenario_id) as tx:
        scenario = _visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_of_words(scenario_id, lines=[document_ref]), InvalidInput)
        pack = pack_in_force(tx.now)
        grants, rows = [], []
        for request in tables:
            table = published_table(tx.session, request.table_id)
            facts, digest = read_policy(request.policy, table_id=table.id)
            grants.append(
                TableGrant(
                    table_id=table.id,
                    columns=request.columns,
                    catalog={column.name: column.column_class for column in table.columns},
                    policy=facts,
                )
            )
            rows.append(
                LicenceTable(
                    table_id=table.id,
                    columns=list(request.columns),
                    policy=request.policy,
                    policy_digest=digest,
                    levels=[level.value for level in request.levels],
                    full_in_workspace=request.full_in_workspace,
                )
            )
        tx.refuse(
            refusals_to_grant(
                actor=actor,
                scenario_id=scenario_id,
                scenario_status=scenario.status,
                scenario_tables=scenario.table_ids,
                tables=grants,
                starts_at=starts_at,
                ends_at=ends_at,
                reviewers_required=reviewers_required,
                min_reviewers=hub.settings.min_reviewers,
                max_days=hub.settings.max_licence_days,
                document_ref=document_ref,
                now=tx.now,
                pack=pack,
                consents=consent_facts(
                    tx.session, scenario_id=scenario_id, table_ids=[grant.table_id for grant in grants]
                ),
            ),
            NotAllowed,
        )
        licence = Licence(
            id=next_id(tx.session, "l"),
            scenario_id=scenario_id,
            operator_org=scenario.operator_org,
            purpose=scenario.purpose,
            lane=scenario.lane,
            grant_source=grant_source,
            document_ref=document_ref.strip(),
            starts_at=starts_at,
            ends_at=ends_at,
            reviewers_required=reviewers_required,
            joins=[list(pair) for pair in joins],
            status=LicenceStatus.ACTIVE,
            granted_by=actor.person_id,
            granted_at=tx.now,
            tables=rows,
        )
        tx.session.add(licence)
        tx.session.flush()
        hub.keys.pseudonym_key_file(licence.id)
        tx.record(
            EventKind.LICENCE_GRANTED,
            "licence",
            licence.id,
            licence_id=licence.id,
            cited_basis=[licence.document_ref],
            counters={"reviewers": reviewers_required},
            details={
                "scenario": scenario_id,
                "operator": licence.operator_org,
                "starts": starts_at.isoformat(),
                "ends": ends_at.isoformat(),
                "source": grant_source,
                "rules": pack.label,
                **{f"policy.{row.table_id}": row.policy_digest for row in rows},
            },
        )
        return licence


def suspend_licence(hub: Hub, actor: Actor, *, licence_id: str, reason: str) -> Licence:
    """Stop all use of a licence until it is resumed."""
    return _move(hub, actor, Verb.SUSPEND_LICENCE, licence_id, LicenceStatus.SUSPENDED, reason)


def resume_licence(hub: Hub, actor: Actor, *, licence_id: str, reason: str) -> Licence:
    """Let a suspended licence be used again."""
    return _move(hub, actor, Verb.RESUME_LICENCE, licence_id, LicenceStatus.ACTIVE, reason)


def _move(hub: Hub, actor: Actor, verb: Verb, licence_id: str, to: LicenceStatus, reason: str) -> Licence:
    kind = EventKind.LICENCE_SUSPENDED if to is LicenceStatus.SUSPENDED else EventKind.LICENCE_RESUMED
    with hub.transaction(actor, verb, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_move(actor=actor, verb=verb, terms=terms_of(licence), to=to, reason=reason), NotAllowed)
        licence.status, licence.status_reason = to, reason.strip()
        tx.record(kind, "licence", licence_id, licence_id=licence_id, decision=to)
        return licence


def read_policy(text: str, *, table_id: str) -> tuple[PolicyFacts, str]:
    """What the rules need of a policy, and its digest.

    Raises:
        InvalidInput: The text is no valid policy; the refusal says what is wrong with it.
    """
    if len(text) > MOST_POLICY:
        raise InvalidInput(_unread("policy.long", table_id))
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
        text=msg("The policy is too long or too deeply nested to be read."),
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
    )


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
        return _visible_scenario(session, scenario_id, actor)


def list_licences(hub: Hub, actor: Actor) -> list[Licence]:
    """Licences that the actor may see, newest first."""
    with hub.reading() as session:
        found = session.scalars(select(Licence).order_by(*newest_first(Licence.id)))
        return [licence for licence in found if may_see(licence.operator_org, actor)]


def find_licence(hub: Hub, actor: Actor, licence_id: str) -> Licence:
    """One licence, if the actor may see it."""
    with hub.reading() as session:
        return visible_licence(session, licence_id, actor)


def _visible_scenario(session: Session, scenario_id: str, actor: Actor) -> Scenario:
    scenario = session.get(Scenario, scenario_id)
    if scenario is None or not may_see(scenario.operator_org, actor):
        raise NotFound(unknown(scenario_id))
    return scenario
