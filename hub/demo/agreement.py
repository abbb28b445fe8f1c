"""An agreement from draft to force by the real steps, each by the role that may do it: for the demonstration district,
the walk in the terminal, and tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.catalog.model import CatalogTable
from hub.context import Hub
from hub.demo.people import UNLISTED
from hub.licensing.agreements import draft_licence, enter_filing, grant_licence, record_deliberation, sign_licence
from hub.licensing.model import Licence, LicenceStatus, Scenario
from hub.licensing.proposal import proposed_header, proposed_items
from hub.people.actions import find_person, people_of
from hub.people.actor import Actor, Role
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force

POSTS = ("局长", "分管副局长", "首席数据官", "法规科科长")
"""Who decides, by post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Who does what; the drafter neither records the decision nor signs."""

    drafter: str = "bureau-officer"
    recorder: str = "bureau-assessor"
    operator: str = "ky-admin"


def proposal(
    hub: Hub,
    *,
    scenario_id: str,
    policies: Mapping[str, str],
    starts_at: datetime,
    ends_at: datetime,
    document_ref: str,
    reviewers: int = 2,
    tables: Sequence[str] = (),
    columns: Mapping[str, Sequence[str]] | None = None,
    full_in_workspace: bool = True,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and items as the form proposes them, with these few changes.

    Args:
        full_in_workspace: The demonstration's notebooks count on the full extract; agreed for each table.
    """
    with hub.reading() as session:
        scenario = session.get_one(Scenario, scenario_id)
        chosen = [session.get_one(CatalogTable, one) for one in tables or scenario.table_ids]
    people = sorted(people_of(hub, scenario.operator_org), key=lambda one: Role.LICENSEE_ADMIN not in one.roles)
    items = proposed_items(
        scenario=scenario,
        tables=chosen,
        policies=policies,
        people=[person.id for person in people if person.id not in UNLISTED],
        starts_at=starts_at,
        reviewers=reviewers,
        pack=pack_in_force(hub.clock()),
    )
    items["term"]["ends_at"] = ends_at.isoformat()
    for one in items["scope"]["tables"]:
        one["columns"] = list((columns or {}).get(one["table_id"], one["columns"]))
        if full_in_workspace:
            one |= {"full_in_workspace": True, "full_reason": "演示需要在工作空间内对全量脱敏数据包汇总。"}
    return {**proposed_header(), "document_ref": document_ref}, items


def conclude(
    hub: Hub,
    *,
    scenario_id: str,
    header: object,
    items: object,
    signers: Signers | None = None,
    until: LicenceStatus = LicenceStatus.ACTIVE,
) -> Licence:
    """Draft the agreement and take it as far as `until`."""
    signers = signers or Signers()
    drafter, recorder = _actor(hub, signers.drafter), _actor(hub, signers.recorder)
    licence = draft_licence(hub, drafter, scenario_id=scenario_id, header=header, items=items)
    licence_id, digest = licence.id, licence.contract_digest
    today = district_day(hub.clock())
    if until is LicenceStatus.DRAFTING:
        return licence
    licence = record_deliberation(
        hub,
        recorder,
        licence_id=licence_id,
        digest=digest,
        meeting="局党组会",
        held_on=today,
        attendees=POSTS,
        minutes_digest=hashlib.sha256(f"minutes {licence_id}".encode()).hexdigest(),
    )
    if until is LicenceStatus.DELIBERATING:
        return licence
    for signer in (recorder, _actor(hub, signers.operator)):
        licence = sign_licence(hub, signer, licence_id=licence_id, digest=digest)
    if until is LicenceStatus.SIGNED:
        return licence
    filing_no = f"演示备〔{today.year}〕{licence_id}"
    licence = enter_filing(hub, recorder, licence_id=licence_id, filing_no=filing_no, filed_on=today)
    return licence if until is LicenceStatus.FILED else grant_licence(hub, drafter, licence_id=licence_id)


def _actor(hub: Hub, person_id: str) -> Actor:
    return find_person(hub, person_id).actor
