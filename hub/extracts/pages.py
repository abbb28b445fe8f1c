"""Pages of the extracts: request a build, follow it, read the manifest and the report."""

from __future__ import annotations

from fastapi import APIRouter, BackgroundTasks
from fastapi.responses import FileResponse
from starlette.responses import Response

from hub.catalog.actions import find_table
from hub.errors import NotFound, unknown
from hub.extracts.actions import find_extract, list_extracts, report_path, request_extract, run_extract
from hub.extracts.model import Extract, ExtractStatus
from hub.licensing.actions import list_licences, terms_of
from hub.licensing.rules import refusals_to_use
from hub.message import msg
from hub.people.actor import Actor, OrgKind
from hub.people.rules import Verb, refusals_to_act
from hub.web.guards import REPORT_POLICY
from hub.web.history import history
from hub.web.visit import Visited

router = APIRouter()


@router.get("/extracts")
def listing(visit: Visited) -> Response:
    """Extracts the reader may see, and what can be built."""
    now = visit.hub.clock()
    licences = list_licences(visit.hub, visit.actor)
    return visit.page(
        "extracts/list.html",
        extracts=list_extracts(visit.hub, visit.actor),
        licences=[(licence, refusals_to_use(terms_of(licence), now)) for licence in licences],
        build_refusals=refusals_to_act(visit.actor, Verb.BUILD_EXTRACT),
    )


@router.post("/extracts")
def request(visit: Visited, background: BackgroundTasks) -> Response:
    """Begin a build; the work goes on after the answer, the page follows it."""
    extract = request_extract(
        visit.hub, visit.actor, licence_id=visit.form.text("licence"), table_id=visit.form.text("table")
    )
    background.add_task(run_extract, visit.hub, visit.actor, extract_id=extract.id)
    answer = visit.redirect("extracts", extract.id, notice=msg("Extract {extract} is being built.", extract=extract.id))
    answer.background = background
    return answer


@router.get("/extracts/{extract_id}")
def detail(visit: Visited, extract_id: str) -> Response:
    """One extract: what was done to each column, risk before and after."""
    extract = find_extract(visit.hub, visit.actor, extract_id)
    return visit.page(
        "extracts/detail.html",
        extract=extract,
        table=find_table(visit.hub, visit.actor, extract.table_id),
        manifest=extract.manifest,
        is_building=extract.status is ExtractStatus.BUILDING,
        is_issued=extract.status is ExtractStatus.ISSUED,
        refusal=extract.refusal_zh if visit.language.code == "zh" else extract.refusal_en,
        may_read_report=may_read_report(extract, visit.actor),
        events=history(visit.hub, visit.actor, extract_id),
    )


@router.get("/extracts/{extract_id}/report")
def report(visit: Visited, extract_id: str) -> Response:
    """The report a data officer reads, without scripts, in a frame of the page."""
    extract = find_extract(visit.hub, visit.actor, extract_id)
    if not may_read_report(extract, visit.actor):
        raise NotFound(unknown(extract_id))
    return FileResponse(
        report_path(visit.hub, extract),
        media_type="text/html; charset=utf-8",
        headers={"content-security-policy": REPORT_POLICY},
    )


def may_read_report(extract: Extract, actor: Actor) -> bool:
    """The government side reads reports; an operator reads the manifest on the page."""
    return extract.status is ExtractStatus.ISSUED and actor.org_kind is not OrgKind.OPERATOR
