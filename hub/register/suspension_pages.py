"""The page of proposals to suspend licences, for the bureau."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hub.errors import NotAllowed
from hub.people.rules import Verb, refusals_to_act
from hub.register.suspension import suspension_proposals
from hub.web.visit import Visited

router = APIRouter()


@router.get("/register/suspensions")
def listing(visit: Visited) -> Response:
    """What could be suspended by its own agreement, and why; a person decides on the licence's page."""
    refusals = refusals_to_act(visit.actor, Verb.SUSPEND_LICENCE)
    if refusals:
        raise NotAllowed(*refusals)
    return visit.page(
        "register/suspensions.html",
        proposals=suspension_proposals(visit.hub, visit.actor),
        asked_at=visit.hub.clock(),
    )
