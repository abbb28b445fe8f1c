"""Draft an agreement, decide on it collectively, sign, file and put it into force: each step one transaction.

What must hold:
1. The terms are asked again at every step up to the beginning of use, under the rule pack of that day.
2. A version is never changed: a change is a new version that starts the path anew, and older ones stay readable.
3. What is decided and signed is the digest that was read; whoever drafted it does neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.catalog.actions import published_table
from hub.catalog.model import CatalogTable
from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, Refusal
from hub.ledger.events import EventKind
from hub.licensing.actions import (
    contract_of,
    facts_of,
    read_policy,
    visible_licence,
    visible_scenario,
)
from hub.licensing.contract import Contract, ContractItems, Parties
from hub.licensing.joins import pseudonymized
from hub.licensing.linkage import JoinFacts, refusals_of_joins
from hub.licensing.model import (
    Licence,
    LicenceDeliberation,
    LicenceSignature,
    LicenceStatus,
    LicenceTable,
    LicenceVersion,
    Scenario,
    SigningSide,
)
from hub.licensing.moves import (
    refusals_to_deliberate,
    refusals_to_enter_filing,
    refusals_to_put_in_force,
    refusals_to_revise,
    refusals_to_sign,
    side_of,
)
from hub.licensing.reading import read_draft
from hub.licensing.rules import TableGrant, refusals_to_grant
from hub.licensing.terms import (
    Renewed,
    Surroundings,
    refusals_of_agreement,
    refusals_of_secrets,
    refusals_of_start,
)
from hub.numbering import next_id
from hub.people.actor import Actor
from hub.people.model import Organisation, Person, PersonStatus
from hub.people.rules import Verb, refusals_of_interest, refusals_to_act
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.sharing.actions import consent_facts
from hub.wording import refusals_of_words


def draft_licence(hub: Hub, actor: Actor, *, scenario_id: str, header: object, items: object) -> Licence:
    """Write the first version of an agreement on an approved scenario. Nothing can be used under a draft.

    Args:
        header: What `Header` says, as plain names and values.
        items: The thirteen items, as plain names and values.

    Raises:
        InvalidInput: Fields cannot be read, or a policy cannot; every problem is named.
        NotAllowed: A rule of licensing stands against these terms.
        NotFound: The scenario or a table does not exist.
    """
    with hub.transaction(actor, Verb.DRAFT_LICENCE, scenario_id) as tx:
        scenario = visible_scenario(tx.session, scenario_id, actor)
        tx.refuse(refusals_to_act(actor, Verb.DRAFT_LICENCE), NotAllowed)
        read = read_draft(header, items)
        operator = tx.session.get_one(Organisation, scenario.operator_org)
        parties = Parties(
            licence_no=next_id(tx.session, "l"),
            version=1,
            scenario_id=scenario.id,
            purpose=scenario.purpose,
            lane=scenario.lane,
            implementing_body=actor.org_id,
            operator_org=operator.id,
            operator_uscc=operator.uscc,
        )
        licence = Licence(id=parties.licence_no, scenario_id=scenario.id, versions=[], tables=[])
        _write(hub, tx, licence, Contract(parties=parties, header=read[0], items=read[1]), reason="")
        return licence


def revise_licence(hub: Hub, actor: Actor, *, licence_id: str, header: object, items: object, reason: str) -> Licence:
    """Write a new version of an agreement that is not in force yet; decision, signatures and filing begin anew.

    Raises: As `draft_licence`.
    """
    with hub.transaction(actor, Verb.DRAFT_LICENCE, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, texts=[reason]), InvalidInput)
        tx.refuse(refusals_to_revise(facts_of(licence), actor, reason=reason), NotAllowed)
        read = read_draft(header, items)
        old = contract_of(licence).parties
        parties = Parties(
            licence_no=licence_id,
            version=licence.version + 1,
            scenario_id=old.scenario_id,
            purpose=old.purpose,
            lane=old.lane,
            implementing_body=actor.org_id,
            operator_org=old.operator_org,
            operator_uscc=tx.session.get_one(Organisation, old.operator_org).uscc,
        )
        _write(hub, tx, licence, Contract(parties=parties, header=read[0], items=read[1]), reason=reason.strip())
        return licence


def record_deliberation(
    hub: Hub,
    actor: Actor,
    *,
    licence_id: str,
    digest: str,
    meeting: str,
    held_on: date,
    attendees: Sequence[str],
    minutes_digest: str,
) -> Licence:
    """Enter the collective decision (三重一大) on the version of this digest. Attendees are posts, never names."""
    with hub.transaction(actor, Verb.DELIBERATE_LICENCE, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[meeting, *attendees]), InvalidInput)
        people = tx.session.execute(select(Person.name_zh, Person.name_en, Person.id))
        tx.refuse(
            refusals_to_deliberate(
                facts_of(licence),
                actor,
                digest=digest,
                meeting=meeting,
                held_on=held_on,
                today=district_day(tx.now),
                attendees=attendees,
                names={name for person in people for name in person},
                minutes_digest=minutes_digest,
            ),
            NotAllowed,
        )
        _ask_terms(hub, tx, licence, Verb.DELIBERATE_LICENCE)
        posts = list(dict.fromkeys(post.strip() for post in attendees if post.strip()))
        licence.current.deliberation = LicenceDeliberation(
            meeting=meeting.strip(),
            held_on=held_on,
            attendees=posts,
            minutes_digest=minutes_digest,
            recorded_by=actor.person_id,
            recorded_at=tx.now,
        )
        licence.status = LicenceStatus.DELIBERATING
        tx.record(
            EventKind.LICENCE_DELIBERATED,
            "licence",
            licence_id,
            digest=digest,
            licence_id=licence_id,
            counters={"version": licence.version, "attendees": len(posts)},
            details={"held_on": held_on.isoformat(), "minutes": minutes_digest},
        )
        return licence


def sign_licence(hub: Hub, actor: Actor, *, licence_id: str, digest: str) -> Licence:
    """Sign the version of this digest for the actor's side. The second signature completes it."""
    with hub.transaction(actor, Verb.SIGN_LICENCE, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        facts = facts_of(licence)
        side = side_of(facts, actor)
        refusals = refusals_to_sign(facts, actor, digest=digest)
        if side is None or refusals:
            raise NotAllowed(*refusals)
        _ask_terms(hub, tx, licence, Verb.SIGN_LICENCE)
        signature = LicenceSignature(side=side, digest=digest, signed_by=actor.person_id, signed_at=tx.now)
        licence.current.signatures.append(signature)
        if facts.signed | {side} == frozenset(SigningSide):
            licence.status = LicenceStatus.SIGNED
        tx.session.flush()
        tx.record(
            EventKind.LICENCE_SIGNED,
            "licence",
            licence_id,
            digest=digest,
            licence_id=licence_id,
            decision=licence.status,
            counters={"version": licence.version},
            details={"side": side},
        )
        return licence


def enter_filing(hub: Hub, actor: Actor, *, licence_id: str, filing_no: str, filed_on: date) -> Licence:
    """Enter that the signed agreement was filed with the provincial data department."""
    with hub.transaction(actor, Verb.FILE_LICENCE, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_of_words(licence_id, lines=[filing_no]), InvalidInput)
        tx.refuse(
            refusals_to_enter_filing(
                facts_of(licence), actor, filing_no=filing_no, filed_on=filed_on, today=district_day(tx.now)
            ),
            NotAllowed,
        )
        licence.filing_no, licence.filed_on = filing_no.strip(), filed_on
        licence.status = LicenceStatus.FILED
        tx.record(
            EventKind.LICENCE_FILED,
            "licence",
            licence_id,
            digest=licence.contract_digest,
            licence_id=licence_id,
            cited_basis=[licence.filing_no],
            details={"filed_on": filed_on.isoformat()},
        )
        return licence


def grant_licence(hub: Hub, actor: Actor, *, licence_id: str) -> Licence:
    """Put a filed licence into force: from its start on it can be used."""
    with hub.transaction(actor, Verb.GRANT_LICENCE, licence_id) as tx:
        licence = visible_licence(tx.session, licence_id, actor)
        tx.refuse(refusals_to_put_in_force(facts_of(licence), actor), NotAllowed)
        _ask_terms(hub, tx, licence, Verb.GRANT_LICENCE)
        licence.status = LicenceStatus.ACTIVE
        licence.granted_by, licence.granted_at = actor.person_id, tx.now
        hub.keys.pseudonym_key_file(licence_id)
        tx.record(
            EventKind.LICENCE_GRANTED,
            "licence",
            licence_id,
            digest=licence.contract_digest,
            licence_id=licence_id,
            cited_basis=[licence.document_ref],
            counters={"reviewers": licence.reviewers_required, "version": licence.version},
            details={
                "scenario": licence.scenario_id,
                "operator": licence.operator_org,
                "starts": licence.starts_at.isoformat(),
                "ends": licence.ends_at.isoformat(),
                "source": licence.grant_source,
                "rules": pack_in_force(tx.now).label,
                **{f"policy.{row.table_id}": row.policy_digest for row in licence.tables},
            },
        )
        return licence


def _ask_terms(hub: Hub, tx: Transaction, licence: Licence, verb: Verb) -> None:
    tx.refuse(_against_terms(hub, tx, contract_of(licence), verb), NotAllowed)


def _write(hub: Hub, tx: Transaction, licence: Licence, contract: Contract, *, reason: str) -> None:
    """Write a version down, compile its terms into the licence's columns, and start its path."""
    refusals = _against_terms(hub, tx, contract, Verb.DRAFT_LICENCE)
    partial = refusals_of_interest(tx.actor, contract.parties.operator_org)
    tx.refuse((*partial, *refusals, *refusals_of_start(contract, district_day(tx.now))), NotAllowed)
    actor, parties = tx.actor, contract.parties
    digest = contract.digest
    licence.versions.append(
        LicenceVersion(
            version=parties.version,
            contract=contract.as_bytes().decode("utf-8"),
            digest=digest,
            reason=reason,
            drafted_by=actor.person_id,
            drafted_at=tx.now,
            deliberation=None,
            signatures=[],
        )
    )
    for name, value in compiled_columns(contract).items():
        setattr(licence, name, value)
    licence.version, licence.contract_digest = parties.version, digest
    licence.drafted_by, licence.drafted_at = actor.person_id, tx.now
    licence.status, licence.status_reason = LicenceStatus.DRAFTING, reason
    licence.filing_no, licence.filed_on = "", None
    licence.tables.clear()
    tx.session.add(licence)
    tx.session.flush()
    licence.tables.extend(_rows(contract.items))
    tx.session.flush()
    tx.session.refresh(licence)
    tx.record(
        EventKind.LICENCE_DRAFTED,
        "licence",
        licence.id,
        digest=digest,
        licence_id=licence.id,
        cited_basis=[licence.document_ref],
        counters={"version": licence.version},
        details={
            "scenario": licence.scenario_id,
            "operator": licence.operator_org,
            "rules": pack_in_force(tx.now).label,
        },
    )


def compiled_columns(contract: Contract) -> dict[str, object]:
    """The columns of a licence that say what its agreement says."""
    parties, header, items = contract.parties, contract.header, contract.items
    return {
        "operator_org": parties.operator_org,
        "implementing_body": parties.implementing_body,
        "purpose": parties.purpose,
        "lane": parties.lane,
        "mode": header.mode,
        "grant_source": header.grant_source,
        "document_ref": header.document_ref,
        "renews": header.renews or None,
        "developers": list(header.developers),
        "starts_at": items.term.starts_at,
        "ends_at": items.term.ends_at,
        "reviewers_required": items.products.reviewers,
        "joins": [[join.left, join.right] for join in items.scope.joins],
    }


def agreement_digest(licence: Licence) -> str:
    """The digest of the agreement that the licence's rows say; empty if they say anything that it does not.

    Whoever can write the database can widen a licence's columns, joins or policy; they cannot make these the agreement
    that was signed.
    """
    contract = contract_of(licence)
    kept = {name: getattr(licence, name) for name in compiled_columns(contract)}
    rows = [_said(row) for row in licence.tables]
    agreed = sorted((_said(row) for row in _rows(contract.items)), key=lambda said: str(said[0]))
    return contract.digest if kept == compiled_columns(contract) and rows == agreed else ""


def _said(row: LicenceTable) -> tuple[object, ...]:
    return (row.table_id, row.columns, row.policy, row.policy_digest, row.levels, row.full_in_workspace)


def _rows(items: ContractItems) -> list[LicenceTable]:
    return [
        LicenceTable(
            table_id=one.table_id,
            columns=list(one.columns),
            policy=one.policy,
            policy_digest=read_policy(one.policy, table_id=one.table_id)[1],
            levels=[level.value for level in one.levels],
            full_in_workspace=one.full_in_workspace,
        )
        for one in items.scope.tables
    ]


def _against_terms(hub: Hub, tx: Transaction, contract: Contract, verb: Verb) -> tuple[Refusal, ...]:
    """Everything against these terms now, from the register, the catalog, the scenario and the rule pack of today."""
    session, parties, items = tx.session, contract.parties, contract.items
    scenario = session.get_one(Scenario, parties.scenario_id)
    tables = [published_table(session, one.table_id) for one in items.scope.tables]
    grants = [
        TableGrant(
            table_id=table.id,
            columns=one.columns,
            catalog={column.name: column.column_class for column in table.columns},
            policy=read_policy(one.policy, table_id=table.id)[0],
        )
        for one, table in zip(items.scope.tables, tables, strict=True)
    ]
    pack = pack_in_force(tx.now)
    return (
        *refusals_to_grant(
            actor=tx.actor,
            verb=verb,
            scenario_id=scenario.id,
            scenario_status=scenario.status,
            scenario_tables=scenario.table_ids,
            tables=grants,
            starts_at=items.term.starts_at,
            ends_at=items.term.ends_at,
            reviewers_required=items.products.reviewers,
            min_reviewers=hub.settings.min_reviewers,
            max_days=hub.settings.max_licence_days,
            document_ref=contract.header.document_ref,
            now=tx.now,
            pack=pack,
            consents=consent_facts(session, scenario_id=scenario.id, table_ids=[table.id for table in tables]),
        ),
        *refusals_of_agreement(contract, _surroundings(session, contract), pack),
        *refusals_of_joins(_join_facts(contract, tables), pack),
        *refusals_of_secrets([table.id for table in tables if table.state_secret]),
    )


def _surroundings(session: Session, contract: Contract) -> Surroundings:
    operator, renews = contract.parties.operator_org, contract.header.renews
    attached = list(session.scalars(select(Organisation.id).where(Organisation.attached_to == operator)))
    people = select(Person.id, Person.org_id).where(
        Person.org_id.in_([operator, *attached]), Person.status == PersonStatus.ACTIVE
    )
    old = session.get(Licence, renews) if renews else None
    return Surroundings(
        people={person: org for person, org in session.execute(people)},
        attached=attached,
        renewed=None if old is None else _renewed(old),
    )


def _renewed(old: Licence) -> Renewed:
    return Renewed(
        id=old.id,
        operator_org=old.operator_org,
        status=old.status,
        is_renewable=contract_of(old).items.term.is_renewable,
    )


def _join_facts(contract: Contract, tables: Sequence[CatalogTable]) -> JoinFacts:
    scope = contract.items.scope
    kinds = {
        f"{one.table_id}.{column}": kind for one in scope.tables for column, kind in pseudonymized(one.policy).items()
    }
    return JoinFacts(
        licence_id=contract.parties.licence_no,
        joins=scope.joins,
        licensed=frozenset(f"{one.table_id}.{column}" for one in scope.tables for column in one.columns),
        kinds=kinds,
        departments={table.id: frozenset(filter(None, (table.owner_org, table.provider_org))) for table in tables},
        security_opinion=scope.security_opinion,
        security_opinion_digest=scope.security_opinion_digest,
    )
