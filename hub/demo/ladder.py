"""A rung of a table as the demonstration's people get it: asked for, approved by who has to, built by the centre."""

from __future__ import annotations

from sqlalchemy import select

from hub.catalog.model import CatalogTable
from hub.context import Hub
from hub.extracts.actions import build_extract
from hub.extracts.model import SEATS_OF_LEVEL, Extract, ExtractRequest, ExtractSeat
from hub.extracts.requests import decide_extract, request_extract
from hub.licensing.model import ExtractLevel
from hub.people.actions import find_person
from hub.people.actor import SYSTEM, Role
from hub.people.model import Person

PURPOSE = "按街道与年龄段统计需求，需要真实的行才能得出可用的数字。"
REASON = "范围与协议一致，提供部门已同意，用途明确，批准。"


def climb(
    hub: Hub, *, licence_id: str, table_id: str, level: ExtractLevel, requester: str, builder: str = "centre-operator"
) -> Extract:
    """Ask for a rung, let every seat approve it, build it."""
    request = approved(hub, licence_id=licence_id, table_id=table_id, level=level, requester=requester)
    by_rule = SEATS_OF_LEVEL[level] == {ExtractSeat.RULE}
    return build_extract(hub, SYSTEM if by_rule else find_person(hub, builder).actor, request_id=request.id)


def approved(hub: Hub, *, licence_id: str, table_id: str, level: ExtractLevel, requester: str) -> ExtractRequest:
    """Ask for a rung and let every seat approve it."""
    asking = find_person(hub, requester).actor
    request = request_extract(hub, asking, licence_id=licence_id, table_id=table_id, level=level, purpose=PURPOSE)
    seats = {ExtractSeat.PROVIDER: _steward(hub, table_id), ExtractSeat.COMPLIANCE: "centre-reviewer"}
    for seat in sorted(SEATS_OF_LEVEL[level] - {ExtractSeat.RULE}):
        person = find_person(hub, seats[seat]).actor
        request = decide_extract(hub, person, request_id=request.id, digest=request.digest, approve=True, reason=REASON)
    return request


def _steward(hub: Hub, table_id: str) -> str:
    with hub.reading() as session:
        owner = session.get_one(CatalogTable, table_id).owner_org
        people = session.scalars(select(Person).where(Person.org_id == owner).order_by(Person.id))
        return next(person.id for person in people if Role.DEPT_STEWARD in person.roles)
