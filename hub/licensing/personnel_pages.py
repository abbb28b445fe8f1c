"""Forms of the personnel list on the page of a licence."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import HubError
from hub.licensing.actions import find_licence
from hub.licensing.annex import decide_personnel, propose_personnel, remove_personnel
from hub.licensing.licence_page import licence_page
from hub.licensing.model import PersonnelStatus
from hub.message import Message, msg
from hub.web.visit import Visit, Visited

router = APIRouter()


@router.post("/licences/{licence_id}/personnel/propose")
def propose(visit: Visited, licence_id: str) -> Response:
    """Propose a person."""
    form = visit.form
    return _act(
        visit,
        licence_id,
        lambda: propose_personnel(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            person_id=form.text("person"),
            reason=form.optional("personnel_reason"),
        ),
        msg("The person is proposed; the bureau acknowledges it."),
    )


@router.post("/licences/{licence_id}/personnel/remove")
def remove(visit: Visited, licence_id: str) -> Response:
    """Take a person off the list."""
    form = visit.form
    return _act(
        visit,
        licence_id,
        lambda: remove_personnel(
            visit.hub,
            visit.actor,
            licence_id=licence_id,
            person_id=form.text("person"),
            reason=form.optional("personnel_reason"),
        ),
        msg("The person is off the list; their running workspace ends within a minute."),
    )


@router.post("/licences/{licence_id}/personnel/{change_id}/decide")
def decide(visit: Visited, licence_id: str, change_id: str) -> Response:
    """Acknowledge or decline a proposed person."""
    form = visit.form

    def act() -> None:
        to = form.one_of("decision", PersonnelStatus)
        decide_personnel(
            visit.hub,
            visit.actor,
            change_id=change_id,
            acknowledge=to is PersonnelStatus.IN_FORCE,
            reason=form.optional("personnel_reason"),
        )

    return _act(visit, licence_id, act, msg("The decision is entered."))


def _act(visit: Visit, licence_id: str, act: Callable[[], object], notice: Message) -> Response:
    licence = find_licence(visit.hub, visit.actor, licence_id)
    try:
        act()
    except HubError as error:
        return licence_page(visit, licence, error)
    return visit.redirect("licences", licence_id, notice=notice)
