"""The first page: what waits for this person, and the walk."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from hub.web.visit import Visited

router = APIRouter()


@router.get("/")
def home(visit: Visited) -> Response:
    """What waits for the reader."""
    return visit.page("web/home.html")
