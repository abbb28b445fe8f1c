"""Pages of the agreement: draft it, read it, decide, sign, file, put into force, revise, renew, end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.background import BackgroundTask
from starlette.responses import Response

from hub.catalog.actions import find_table
from hub.catalog.model import CatalogTable
from hub.errors import HubError, NotAllowed, NotFound, unknown
from hub.extracts.actions import prepare_rungs
from hub.intake.model import RawFile
from hub.licensing.actions import contract_of, find_licence, find_scenario, list_licences, terminate_licence
from hub.licensing.agreements import (
    draft_licence,
    enter_filing,
    grant_licence,
    record_deliberation,
    revise_licence,
    sign_licence,
)
from hub.licensing.contract import TITLES, Join, PlannedProduct, ScopeItem, plain
from hub.licensing.form import (
    JOINS_SHOWN,
    PRODUCTS_SHOWN,
    day_of,
    entries_of,
    groups,
    header_in,
    items_in,
)
from hub.licensing.licence_page import licence_page
from hub.licensing.model import GrantSource, Licence, LicenceMode, LicenceVersion, Scenario
from hub.licensing.proposal import proposed_header, proposed_items
from hub.licensing.reading import read_contract
from hub.message import Message, msg
from hub.people.model import Organisation, Person, PersonStatus
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.model import DISTRICT_TIME
from hub.rulebook.packs import pack_in_force
from hub.sharing.actions import consent_facts
from hub.sharing.rules import refusals_of_consent
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/licences/draft/{scenario_id}")
def new_draft(visit: Visited, scenario_id: str) -> Response:
    """The form of a new agreement, filled with what is proposed; `renews` names the licence that it renews."""
    _only(visit, Verb.DRAFT_LICENCE)
    scenario = find_scenario(visit.hub, visit.actor, scenario_id)
    header, items = _proposal(visit, scenario)
    renews = visit.request.query_params.get("renews", "")
    if renews:
        old = plain(contract_of(find_licence(visit.hub, visit.actor, renews)))
        header, items = old["header"] | {"renews": renews}, old["items"] | {"term": items["term"]}
    return _form(visit, scenario, header, items)


@router.post("/licences/draft/{scenario_id}")
def draft(visit: Visited, scenario_id: str) -> Response:
    """Write the first version of an agreement."""
    scenario = find_scenario(visit.hub, visit.actor, scenario_id)
    header, items = header_in(visit.form), items_in(visit.form)
    try:
        licence = draft_licence(visit.hub, visit.actor, scenario_id=scenario_id, header=header, items=items)
    except HubError as error:
        return _form(visit, scenario, header, items, error=error)
    return visit.redirect("licences", licence.id, notice=msg("Agreement {licence} is drafted.", licence=licence.id))


@router.get("/licences/{licence_id}/revise")
def new_version(visit: Visited, licence_id: str) -> Response:
    """The form of a new version, filled with the present one."""
    _only(visit, Verb.DRAFT_LICENCE)
    licence = find_licence(visit.hub, visit.actor, licence_id)
    said = plain(contract_of(licence))
    return _form(visit, _scenario(visit, licence), said["header"], said["items"], licence=licence)


@router.post("/licences/{licence_id}/revise")
def revise(visit: Visited, licence_id: str) -> Response:
    """Write a new version; the path begins anew."""
    licence = find_licence(visit.hub, visit.actor, licence_id)
    header, items = header_in(visit.form), items_in(visit.form)
    try:
        reason = visit.form.optional("revision_reason")
        revise_licence(visit.hub, visit.actor, licence_id=licence_id, header=header, items=items, reason=reason)
    except HubError as error:
        return _form(visit, _scenario(visit, licence), header, items, licence=licence, error=error)
    return visit.redirect("licences", licence_id, notice=msg("The new version is written; it has to be decided anew."))


@router.get("/licences/{licence_id}/agreement")
def agreement(visit: Visited, licence_id: str) -> Response:
    """The newest version as a document to read and print."""
    licence = find_licence(visit.hub, visit.actor, licence_id)
    return _document(visit, licence, licence.current)


@router.get("/licences/{licence_id}/agreement/{version}")
def older_agreement(visit: Visited, licence_id: str, version: int) -> Response:
    """One version as a document, as it was decided then."""
    licence = find_licence(visit.hub, visit.actor, licence_id)
    for one in licence.versions:
        if one.version == version:
            return _document(visit, licence, one)
    raise NotFound(unknown(licence_id))


@router.post("/licences/{licence_id}/deliberate")
def deliberate(visit: Visited, licence_id: str) -> Response:
    """Enter the collective decision."""
    form = visit.form

    def act() -> None:
        record_deliberation(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            digest=form.optional("digest"),
            meeting=form.optional("meeting"),
            held_on=form.day("held_on"),
            attendees=form.optional("attendees").splitlines(),
            minutes_digest=form.optional("minutes_digest").lower(),
        )

    return _step(visit, licence_id, act, msg("The collective decision is entered."))


@router.post("/licences/{licence_id}/sign")
def sign(visit: Visited, licence_id: str) -> Response:
    """Sign for the reader's side."""
    digest = visit.form.optional("digest")
    return _step(
        visit,
        licence_id,
        lambda: sign_licence(visit.hub, visit.actor, licence_id=licence_id, digest=digest),
        msg("Your signature is entered."),
    )


@router.post("/licences/{licence_id}/file")
def file(visit: Visited, licence_id: str) -> Response:
    """Enter the filing."""
    form = visit.form

    def act() -> None:
        enter_filing(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            filing_no=form.optional("filing_no"),
            filed_on=form.day("filed_on"),
        )

    return _step(visit, licence_id, act, msg("The filing is entered."))


@router.post("/licences/{licence_id}/grant")
def grant(visit: Visited, licence_id: str) -> Response:
    """Put a filed licence into force. The platform builds the rungs that it grants by rule after the answer."""
    answer = _step(
        visit,
        licence_id,
        lambda: grant_licence(visit.hub, visit.actor, licence_id=licence_id),
        msg("Licence {licence} is in force.", licence=licence_id),
    )
    if answer.status_code == HTTPStatus.SEE_OTHER:
        answer.background = BackgroundTask(prepare_rungs, visit.hub, licence_id=licence_id)
    return answer


@router.post("/licences/{licence_id}/terminate")
def terminate(visit: Visited, licence_id: str) -> Response:
    """End a licence for good."""
    reason = visit.form.optional("reason")
    return _step(
        visit,
        licence_id,
        lambda: terminate_licence(visit.hub, visit.actor, licence_id=licence_id, reason=reason),
        msg("The licence is terminated."),
    )


def _step(visit: Visit, licence_id: str, act: Callable[[], object], notice: Message) -> Response:
    licence = find_licence(visit.hub, visit.actor, licence_id)
    try:
        act()
    except HubError as error:
        return licence_page(visit, licence, error)
    return visit.redirect("licences", licence_id, notice=notice)


def _form(
    visit: Visit,
    scenario: Scenario,
    header: Mapping[str, Any],
    items: Mapping[str, Any],
    *,
    licence: Licence | None = None,
    error: HubError | None = None,
) -> Response:
    tables = [find_table(visit.hub, visit.actor, table_id) for table_id in scenario.table_ids]
    said = {one["table_id"]: one for one in items["scope"]["tables"]}
    proposed = {one["table_id"]: one for one in _proposal(visit, scenario)[1]["scope"]["tables"]}
    people, developers = _people(visit, scenario.operator_org)
    with visit.hub.reading() as session:
        missing = refusals_of_consent(consent_facts(session, scenario_id=scenario.id, table_ids=scenario.table_ids))
    return visit.page(
        "licensing/draft.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        wrong={refusal.subject for refusal in error.refusals} if error else set(),
        missing=missing,
        is_barred=len(missing) == len(tables),
        filled=visit.form.filled,
        scenario=scenario,
        licence=licence,
        header=header,
        items=items,
        tables=[(table, said.get(table.id, proposed[table.id]), table.id in said) for table in tables],
        column_names=[f"{table.id}.{column.name}" for table in tables for column in table.columns],
        joins=_padded(items["scope"]["joins"], JOINS_SHOWN),
        plan=_padded(items["products"]["plan"], PRODUCTS_SHOWN),
        join_entries=entries_of(Join),
        plan_entries=entries_of(PlannedProduct),
        table_entries=[one for one in entries_of(ScopeItem) if one.name not in ("table_id", "columns", "policy")],
        groups=groups(),
        titles=TITLES,
        starts=day_of(str(items["term"]["starts_at"])),
        ends=day_of(str(items["term"]["ends_at"])),
        people=people,
        developers=developers,
        modes=[(mode.value, mode) for mode in LicenceMode],
        sources=[(source.value, source) for source in GrantSource],
        least=visit.hub.settings.min_reviewers,
    )


def _padded(rows: Any, most: int) -> list[Mapping[str, Any]]:
    """The rows as typed, and blank ones below for more."""
    return [*rows, *({} for _ in range(max(2, most - len(rows))))]


def _document(visit: Visit, licence: Licence, version: LicenceVersion) -> Response:
    contract = read_contract(version.contract)
    return visit.page(
        "licensing/agreement.html",
        licence=licence,
        version=version,
        parties=contract.parties,
        header=contract.header,
        items=contract.items,
        is_current=version.version == licence.version,
        groups=groups(),
        titles=TITLES,
        table_entries=[one for one in entries_of(ScopeItem) if one.name not in ("table_id", "columns", "policy")],
        plan_entries=[one for one in entries_of(PlannedProduct) if one.name != "name"],
        tables={one.table_id: find_table(visit.hub, visit.actor, one.table_id) for one in contract.items.scope.tables},
    )


def _proposal(visit: Visit, scenario: Scenario) -> tuple[dict[str, Any], dict[str, Any]]:
    tables = [find_table(visit.hub, visit.actor, table_id) for table_id in scenario.table_ids]
    now = visit.hub.clock()
    today = datetime.combine(now.astimezone(DISTRICT_TIME).date(), time(), tzinfo=DISTRICT_TIME)
    own = [person for person in _people(visit, scenario.operator_org)[0] if person.org_id == scenario.operator_org]
    items = proposed_items(
        scenario=scenario,
        tables=tables,
        policies={table.id: _proposed_policy(visit, table) for table in tables},
        people=[person.id for person in own],
        starts_at=today,
        reviewers=visit.hub.settings.min_reviewers,
        pack=pack_in_force(now),
    )
    return proposed_header(), items


def _proposed_policy(visit: Visit, table: CatalogTable) -> str:
    """The policy last licensed for this table, else what the column scan drafted; the officer reads and changes it."""
    for licence in list_licences(visit.hub, visit.actor):
        for row in licence.tables:
            if row.table_id == table.id:
                return row.policy
    with visit.hub.reading() as session:
        raw = session.get(RawFile, table.raw_digest)
    return str(raw.proposal.get("policy", "")) if raw else ""


def _people(visit: Visit, operator_org: str) -> tuple[list[Person], list[Organisation]]:
    """People who can be named in the agreement, and the development entities that can."""
    with visit.hub.reading() as session:
        attached = list(session.scalars(select(Organisation).where(Organisation.attached_to == operator_org)))
        orgs = [operator_org, *(one.id for one in attached)]
        people = (
            select(Person)
            .where(Person.org_id.in_(orgs), Person.status == PersonStatus.ACTIVE)
            .order_by(Person.org_id, Person.id)
        )
        return list(session.scalars(people)), attached


def _scenario(visit: Visit, licence: Licence) -> Scenario:
    return find_scenario(visit.hub, visit.actor, licence.scenario_id)


def _only(visit: Visit, verb: Verb) -> None:
    refusals = refusals_to_act(visit.actor, verb)
    if refusals:
        raise NotAllowed(*refusals)
