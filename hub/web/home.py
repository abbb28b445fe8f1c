"""The first page: what waits for this person, and the walk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from fastapi import APIRouter
from starlette.responses import Response

from hub.catalog.actions import list_tables
from hub.catalog.model import TableStatus
from hub.extracts.actions import list_extracts
from hub.extracts.model import ExtractRequest, ExtractRequestStatus
from hub.extracts.requests import facts_of, list_extract_requests
from hub.extracts.rules import is_by_rule, refusals_to_decide
from hub.gate.actions import list_requests, vote_refusals
from hub.gate.model import ExportRequest, RequestStatus
from hub.licensing.actions import Standing, list_licences, list_scenarios, standing_of, terms_of
from hub.licensing.actions import facts_of as facts_of_licence
from hub.licensing.model import PersonnelStatus, Scenario, ScenarioStatus
from hub.licensing.moves import leads, side_of
from hub.licensing.personnel import KEPT_UP
from hub.licensing.rules import refusals_to_use
from hub.licensing.scenario_rules import body_of
from hub.message import Message, msg
from hub.people.rules import Verb, refusals_to_act
from hub.products.actions import grants_of
from hub.register.clock import Timing
from hub.register.disclosure import alarms
from hub.register.suspension import suspension_proposals
from hub.rulebook.calendar import district_calendar
from hub.rulebook.model import district_day
from hub.rulebook.packs import pack_in_force
from hub.rulebook.parameters import Parameter
from hub.runs.actions import list_runs
from hub.runs.model import RunStatus
from hub.runs.pages import waits_for
from hub.sharing.actions import consent_facts, list_consents
from hub.sharing.model import ConsentStatus
from hub.sharing.rules import refusals_of_consent
from hub.web.visit import Visit, Visited
from hub.web.words import say
from hub.workspaces.actions import open_refusals

router = APIRouter()

ONE_DAY = timedelta(days=1)
"""How long before its day a step of the review begins to warn; it has three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing that waits for the reader, with the page where it is done."""

    kind: Message | StrEnum
    title: str
    subject: str
    address: tuple[str, ...]
    due: tuple[Timing, date, bool] | None = None
    """How its last day stands today, that day, and whether it is provisional."""


@router.get("/")
def home(visit: Visited) -> Response:
    """What waits for the reader."""
    return visit.page(
        "web/home.html", tasks=list(tasks_of(visit)), counts=_counts(visit), standings=list(_standings(visit))
    )


def _standings(visit: Visit) -> Iterator[Standing]:
    """Licences of the reader's institution that cannot be used now, or end soon."""
    if visit.actor.is_outside:
        for standing in standing_of(visit.hub, visit.actor, visit.hub.clock()):
            if standing.refusals or standing.is_expiring:
                yield standing


def tasks_of(visit: Visit) -> Iterator[Task]:
    """Everything in the walk that this person, and nobody before them, has to do next."""
    yield from _for_the_bureau(visit)
    yield from _for_parties(visit)
    yield from _for_personnel_lists(visit)
    yield from _of_suspensions(visit)
    yield from _for_bodies(visit)
    yield from _for_providers(visit)
    yield from _for_the_centre(visit)
    yield from _for_deciders(visit)
    yield from _for_sealed_runs(visit)
    yield from _for_reviewers(visit)
    yield from _for_operators(visit)
    yield from _by_the_clock(visit)


def _may(visit: Visit, verb: Verb) -> bool:
    return not refusals_to_act(visit.actor, verb)


def _for_the_bureau(visit: Visit) -> Iterator[Task]:
    if _may(visit, Verb.PUBLISH_TABLE):
        for table in list_tables(visit.hub, visit.actor):
            if table.status is TableStatus.DRAFT:
                address = ("catalog/tables", table.id)
                yield Task(kind=msg("Publish a table"), title=visit.name_of(table), subject=table.id, address=address)
    if _may(visit, Verb.DECIDE_SCENARIO):
        licensed = {licence.scenario_id for licence in list_licences(visit.hub, visit.actor)}
        for scenario in list_scenarios(visit.hub, visit.actor):
            if scenario.status is ScenarioStatus.FILED:
                address = ("licences/scenarios", scenario.id)
                kind = msg("Decide on a scenario")
                yield Task(kind=kind, title=scenario.title, subject=scenario.id, address=address)
            elif scenario.status is ScenarioStatus.APPROVED and scenario.id not in licensed:
                if _waits_for_consent(visit, scenario):
                    continue
                address = ("licences/draft", scenario.id)
                yield Task(kind=msg("Draft an agreement"), title=scenario.title, subject=scenario.id, address=address)


def _waits_for_consent(visit: Visit, scenario: Scenario) -> bool:
    """Whether no table of the scenario can be licensed before a department that shared it consents."""
    with visit.hub.reading() as session:
        facts = consent_facts(session, scenario_id=scenario.id, table_ids=scenario.table_ids)
    return len(refusals_of_consent(facts)) == len(scenario.table_ids)


def _for_parties(visit: Visit) -> Iterator[Task]:
    """The next step of each agreement, for whoever may take it; who drafted it neither decides nor signs."""
    for licence in list_licences(visit.hub, visit.actor):
        facts = facts_of_licence(licence)
        for verb in (Verb.DELIBERATE_LICENCE, Verb.SIGN_LICENCE, Verb.FILE_LICENCE, Verb.GRANT_LICENCE):
            if not leads(verb, licence.status) or not _may(visit, verb):
                continue
            if verb in (Verb.DELIBERATE_LICENCE, Verb.SIGN_LICENCE) and visit.actor.person_id == facts.drafted_by:
                continue
            if verb is Verb.SIGN_LICENCE and side_of(facts, visit.actor) in (None, *facts.signed):
                continue
            yield Task(kind=_STEPS[verb], title=licence.purpose, subject=licence.id, address=("licences", licence.id))


def _of_suspensions(visit: Visit) -> Iterator[Task]:
    """Causes for suspending a licence, one task a licence."""
    seen: set[str] = set()
    for one in suspension_proposals(visit.hub, visit.actor):
        if one.licence.id not in seen:
            seen.add(one.licence.id)
            kind, address = msg("Decide on a proposal to suspend"), ("register/suspensions",)
            yield Task(kind=kind, title=one.licence.purpose, subject=one.licence.id, address=address)


def _for_personnel_lists(visit: Visit) -> Iterator[Task]:
    """People whom operators want to work under a licence, for the bureau to acknowledge."""
    if not _may(visit, Verb.DECIDE_PERSONNEL):
        return
    for licence in list_licences(visit.hub, visit.actor):
        if licence.status in KEPT_UP and not visit.actor.is_partial_to(licence.operator_org):
            for change in licence.personnel_changes:
                if change.status is PersonnelStatus.PROPOSED:
                    kind, address = msg("Acknowledge a person"), ("licences", licence.id)
                    yield Task(kind=kind, title=licence.purpose, subject=licence.id, address=address)


_STEPS: Mapping[Verb, Message] = {
    Verb.DELIBERATE_LICENCE: msg("Enter the collective decision"),
    Verb.SIGN_LICENCE: msg("Sign the agreement"),
    Verb.FILE_LICENCE: msg("Enter the filing"),
    Verb.GRANT_LICENCE: msg("Put into force"),
}


def _for_providers(visit: Visit) -> Iterator[Task]:
    if not _may(visit, Verb.DECIDE_CONSENT):
        return
    for consent in list_consents(visit.hub, visit.actor):
        if consent.status is ConsentStatus.REQUESTED and consent.provider_org == visit.actor.org_id:
            address = ("consents", consent.id)
            kind = msg("Answer a request for consent")
            due = _by(visit, consent.requested_at, Parameter.CONSENT_ANSWER)
            yield Task(kind=kind, title=consent.table_id, subject=consent.id, address=address, due=due)


def _for_bodies(visit: Visit) -> Iterator[Task]:
    body = body_of(visit.actor)
    if body is None:
        return
    for scenario in list_scenarios(visit.hub, visit.actor):
        if scenario.status is ScenarioStatus.FILED and body not in {opinion.body for opinion in scenario.opinions}:
            address = ("licences/scenarios", scenario.id)
            kind = msg("Give an opinion on a scenario")
            due = _by(visit, scenario.filed_at, Parameter.SCENARIO_OPINIONS)
            yield Task(kind=kind, title=scenario.title, subject=scenario.id, address=address, due=due)


def _for_the_centre(visit: Visit) -> Iterator[Task]:
    if _may(visit, Verb.BUILD_EXTRACT):
        tried = {extract.request_id for extract in list_extracts(visit.hub, visit.actor)}
        for asked in _usable_requests(visit):
            waits = asked.status is ExtractRequestStatus.APPROVED and asked.id not in tried
            if waits and not is_by_rule(asked.level):
                address = ("extracts/requests", asked.id)
                yield Task(kind=msg("Build an extract"), title=asked.table_id, subject=asked.id, address=address)
    if _may(visit, Verb.DELIVER_RELEASE):
        for request in list_requests(visit.hub, visit.actor):
            if request.status is RequestStatus.APPROVED:
                address = ("requests", request.id)
                due = _by(visit, _last_vote(request), Parameter.REVIEW_APPROVAL_VALIDITY)
                yield Task(kind=msg("Release"), title=request.title, subject=request.id, address=address, due=due)


def _usable_requests(visit: Visit) -> Iterator[ExtractRequest]:
    now = visit.hub.clock()
    usable = {one.id for one in list_licences(visit.hub, visit.actor) if not refusals_to_use(terms_of(one), now)}
    for asked in list_extract_requests(visit.hub, visit.actor):
        if asked.licence_id in usable:
            yield asked


def _for_deciders(visit: Visit) -> Iterator[Task]:
    """Rungs of the ladder that wait for the reader's seat."""
    if not _may(visit, Verb.DECIDE_EXTRACT):
        return
    for asked in _usable_requests(visit):
        with visit.hub.reading() as session:
            facts = facts_of(session, asked)
        if not refusals_to_decide(facts, visit.actor, digest=asked.digest, reason="-" * 99):
            address = ("extracts/requests", asked.id)
            kind = msg("Decide on a request for data")
            due = _by(visit, asked.requested_at, Parameter.CONSENT_ANSWER)
            yield Task(kind=kind, title=asked.table_id, subject=asked.id, address=address, due=due)


def _for_sealed_runs(visit: Visit) -> Iterator[Task]:
    """Sealed runs whose next step is the reader's."""
    for run in list_runs(visit.hub, visit.actor):
        if waits_for(visit, run):
            review = run.status is RunStatus.IN_REVIEW
            kind = msg("Review the code of a sealed run") if review else msg("Start a sealed run")
            yield Task(kind=kind, title=run.title, subject=run.id, address=("runs", run.id))


def _for_reviewers(visit: Visit) -> Iterator[Task]:
    if not _may(visit, Verb.CAST_VOTE):
        return
    for request in list_requests(visit.hub, visit.actor):
        if not vote_refusals(visit.hub, visit.actor, request):
            address = ("requests", request.id)
            due = _by(visit, _last_vote(request), Parameter.REVIEW_STEP)
            kind = msg("Review and vote")
            yield Task(kind=kind, title=request.title, subject=request.id, address=address, due=due)


def _for_operators(visit: Visit) -> Iterator[Task]:
    if _may(visit, Verb.REDEEM_GRANT):
        for request in list_requests(visit.hub, visit.actor):
            if request.status is not RequestStatus.RELEASED:
                continue
            for grant in grants_of(visit.hub, visit.actor, request.id):
                if grant.recipient_id == visit.person.id and grant.redeemed_at is None:
                    address = ("products", request.id)
                    kind = msg("Download a released product")
                    yield Task(kind=kind, title=request.title, subject=request.id, address=address)
    if _may(visit, Verb.OPEN_WORKSPACE):
        for licence in list_licences(visit.hub, visit.actor):
            if not open_refusals(visit.hub, visit.actor, licence.id):
                title = licence.purpose if len(licence.purpose) <= 60 else f"{licence.purpose[:59]}…"
                kind = msg("Work in the workspace")
                yield Task(kind=kind, title=title, subject=licence.id, address=("workspaces",))


def _by_the_clock(visit: Visit) -> Iterator[Task]:
    """What of the register's board is the reader's affair."""
    for alarm in alarms(visit.hub, visit.actor):
        yield Task(
            kind=alarm.due.step,
            due=(alarm.timing, alarm.due.day, alarm.due.latest is not None),
            title=say(alarm.title, visit.language.gettext),
            subject=alarm.subject,
            address=alarm.address,
        )


def _by(visit: Visit, since: datetime, parameter: Parameter) -> tuple[Timing, date, bool]:
    """The last day for what waits since a moment, by the rules in force now, and how it stands today."""
    now = visit.hub.clock()
    found = district_calendar().deadline(district_day(since), pack_in_force(now).count(parameter))
    day, today = found.earliest, district_day(now)
    if today > found.latest:
        return Timing.OVERDUE, day, found.is_provisional
    return (Timing.DUE_SOON if day - today <= ONE_DAY else Timing.IN_TIME), day, found.is_provisional


def _last_vote(request: ExportRequest) -> datetime:
    """When the review of a request last moved; each further step counts from then."""
    return max((vote.cast_at for vote in request.votes), default=request.submitted_at)


def _counts(visit: Visit) -> dict[str, int]:
    """How many things the reader can see in each room."""
    requests = list_requests(visit.hub, visit.actor)
    return {
        "catalog": len(list_tables(visit.hub, visit.actor)),
        "licensing": len(list_licences(visit.hub, visit.actor)),
        "extracts": len(list_extracts(visit.hub, visit.actor)),
        "gate": len(requests),
        "products": sum(1 for request in requests if request.status is RequestStatus.RELEASED),
    }
