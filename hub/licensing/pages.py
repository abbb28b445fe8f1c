"""Pages of scenarios and licences: file, decide, suspend, resume. Those of the agreement are in `agreement_pages`."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from hub.catalog.actions import find_table, list_tables
from hub.catalog.model import CatalogTable, TableStatus
from hub.errors import HubError, NotAllowed
from hub.licensing.actions import (
    decide_scenario,
    file_scenario,
    find_licence,
    find_scenario,
    give_opinion,
    list_licences,
    list_scenarios,
    resume_licence,
    suspend_licence,
    terms_of,
)
from hub.licensing.licence_page import licence_page
from hub.licensing.model import Lane, Licence, OpinionBody, Scenario, ScenarioStatus, Stance
from hub.licensing.rules import is_expiring, refusals_to_use
from hub.licensing.scenario_rules import body_of
from hub.message import msg
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.packs import pack_in_force
from hub.sharing.actions import list_consents
from hub.web.history import history
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.get("/licences")
def listing(visit: Visited) -> Response:
    """Scenarios and licences the reader may see."""
    licences = list_licences(visit.hub, visit.actor)
    return visit.page(
        "licensing/list.html",
        scenarios=list_scenarios(visit.hub, visit.actor),
        licences=licences,
        against=_against_use(visit, licences),
        expiring=_expiring(visit, licences),
        file_refusals=refusals_to_act(visit.actor, Verb.FILE_SCENARIO),
        draft_refusals=refusals_to_act(visit.actor, Verb.DRAFT_LICENCE),
    )


def _against_use(visit: Visit, licences: list[Licence]) -> Mapping[str, object]:
    now = visit.hub.clock()
    return {licence.id: refusals_to_use(terms_of(licence), now) for licence in licences}


def _expiring(visit: Visit, licences: list[Licence]) -> set[str]:
    now = visit.hub.clock()
    pack = pack_in_force(now)
    return {licence.id for licence in licences if is_expiring(terms_of(licence), now, pack)}


@router.get("/licences/scenarios/new")
def new_scenario(visit: Visited) -> Response:
    """The form that files a scenario."""
    _only(visit, Verb.FILE_SCENARIO)
    return _scenario_form(visit)


@router.post("/licences/scenarios")
def file(visit: Visited) -> Response:
    """File a scenario for the reader's institution."""
    form = visit.form
    try:
        scenario = file_scenario(
            visit.hub,
            visit.actor,
            title=form.text("title"),
            purpose=form.text("purpose"),
            lane=form.one_of("lane", Lane),
            table_ids=form.many("table"),
        )
    except HubError as error:
        return _scenario_form(visit, error)
    notice = msg("Scenario {scenario} is filed; the bureau decides.", scenario=scenario.id)
    return visit.redirect("licences/scenarios", scenario.id, notice=notice)


def _scenario_form(visit: Visit, error: HubError | None = None) -> Response:
    tables = [table for table in list_tables(visit.hub, visit.actor) if table.status is TableStatus.PUBLISHED]
    return visit.page(
        "licensing/scenario_new.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        chosen=visit.form.many("table"),
        tables=tables,
        lanes=[(lane.value, lane) for lane in Lane],
    )


@router.get("/licences/scenarios/{scenario_id}")
def scenario_detail(visit: Visited, scenario_id: str) -> Response:
    """One scenario and what came of it."""
    return _scenario_page(visit, find_scenario(visit.hub, visit.actor, scenario_id))


@router.post("/licences/scenarios/{scenario_id}/decide")
def decide(visit: Visited, scenario_id: str) -> Response:
    """Approve or refuse a scenario with a written reason."""
    scenario = find_scenario(visit.hub, visit.actor, scenario_id)
    try:
        to = visit.form.one_of("decision", ScenarioStatus)
        decide_scenario(
            visit.hub,
            visit.actor,
            scenario_id=scenario_id,
            approve=to is ScenarioStatus.APPROVED,
            reason=visit.form.optional("reason"),
        )
    except HubError as error:
        return _scenario_page(visit, scenario, error)
    return visit.redirect("licences/scenarios", scenario_id, notice=msg("The decision is entered."))


@router.post("/licences/scenarios/{scenario_id}/opinion")
def opinion(visit: Visited, scenario_id: str) -> Response:
    """Sign the opinion of the reader's body."""
    scenario = find_scenario(visit.hub, visit.actor, scenario_id)
    try:
        give_opinion(
            visit.hub,
            visit.actor,
            scenario_id=scenario_id,
            stance=visit.form.one_of("stance", Stance),
            compliance=visit.form.optional("compliance"),
            security=visit.form.optional("security"),
        )
    except HubError as error:
        return _scenario_page(visit, scenario, error)
    return visit.redirect("licences/scenarios", scenario_id, notice=msg("The opinion is entered."))


def _scenario_page(visit: Visit, scenario: Scenario, error: HubError | None = None) -> Response:
    licences = [one for one in list_licences(visit.hub, visit.actor) if one.scenario_id == scenario.id]
    return visit.page(
        "licensing/scenario.html",
        status=error.http_status if error else 200,
        refusals=error.refusals if error else (),
        filled=visit.form.filled,
        scenario=scenario,
        tables=_tables(visit, scenario.table_ids),
        licences=licences,
        is_filed=scenario.status is ScenarioStatus.FILED,
        is_approved=scenario.status is ScenarioStatus.APPROVED,
        decide_refusals=refusals_to_act(visit.actor, Verb.DECIDE_SCENARIO),
        draft_refusals=refusals_to_act(visit.actor, Verb.DRAFT_LICENCE),
        consents=[one for one in list_consents(visit.hub, visit.actor) if one.scenario_id == scenario.id],
        opinions={opinion.body: opinion for opinion in scenario.opinions},
        bodies=list(OpinionBody),
        own_body=body_of(visit.actor),
        stances=[(stance.value, stance) for stance in Stance],
        decisions=[(to.value, to) for to in (ScenarioStatus.APPROVED, ScenarioStatus.REFUSED)],
        events=history(visit.hub, visit.actor, scenario.id),
    )


@router.get("/licences/{licence_id}")
def licence_detail(visit: Visited, licence_id: str) -> Response:
    """One licence: terms, tables, policies, extracts, history."""
    return licence_page(visit, find_licence(visit.hub, visit.actor, licence_id))


@router.post("/licences/{licence_id}/suspend")
def suspend(visit: Visited, licence_id: str) -> Response:
    """Stop all use of a licence."""
    return _move(visit, licence_id, Verb.SUSPEND_LICENCE)


@router.post("/licences/{licence_id}/resume")
def resume(visit: Visited, licence_id: str) -> Response:
    """Let a suspended licence be used again."""
    return _move(visit, licence_id, Verb.RESUME_LICENCE)


def _move(visit: Visit, licence_id: str, verb: Verb) -> Response:
    licence = find_licence(visit.hub, visit.actor, licence_id)
    act = suspend_licence if verb is Verb.SUSPEND_LICENCE else resume_licence
    try:
        act(visit.hub, visit.actor, licence_id=licence_id, reason=visit.form.optional("reason"))
    except HubError as error:
        return licence_page(visit, licence, error)
    return visit.redirect("licences", licence_id, notice=msg("The decision is entered."))


def _tables(visit: Visit, table_ids: list[str]) -> list[CatalogTable]:
    return [find_table(visit.hub, visit.actor, table_id) for table_id in table_ids]


def _only(visit: Visit, verb: Verb) -> None:
    refusals = refusals_to_act(visit.actor, verb)
    if refusals:
        raise NotAllowed(*refusals)
