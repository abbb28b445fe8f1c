"""The page of the rulebook: which thresholds and legal bases are in force on a day, each with its source."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from hub.rulebook.bases import registry
from hub.rulebook.calendar import district_calendar
from hub.rulebook.model import district_day
from hub.rulebook.packs import DISTRICT, all_packs, pack_in_force, pack_version
from hub.rulebook.provisional import law
from hub.web.visit import Visited

router = APIRouter()


@router.get("/rulebook")
def listing(visit: Visited, version: str = "", at: date | None = None) -> Response:
    """The version in force now, or the one asked for; bases as of its day or of `at`."""
    now = visit.hub.clock()
    current = pack_in_force(now)
    shown = pack_version(DISTRICT, version) if version else current
    day = at or district_day(now)
    books = registry()
    return visit.page(
        "rulebook/list.html",
        pack=shown,
        is_current=shown is current,
        others=[pack for pack in all_packs() if pack is not shown],
        values=[(value, books.basis(value.basis)) for value in shown.values.values()],
        day=day,
        bases=[(basis, basis.document.in_force(day)) for basis in books.bases.values()],
        law=law(),
        years=sorted(district_calendar().years.values(), key=lambda year: year.year, reverse=True),
    )
