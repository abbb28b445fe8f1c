"""Pages of the ledger: read it, verify it, take its checkpoint away."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.responses import Response

from hub.context import Hub
from hub.errors import NotAllowed
from hub.ledger.actions import LedgerVerdict, current_note, read_entries, verify
from hub.ledger.model import LedgerEntry
from hub.people.rules import Verb, refusals_to_act
from hub.web.history import read
from hub.web.visit import Visit, Visited

router = APIRouter()

PAGE = 50


@router.get("/ledger")
def listing(visit: Visited, offset: int = 0) -> Response:
    """Entries, newest first."""
    _only_readers(visit)
    return _page(visit, offset=max(0, offset))


@router.post("/ledger/verify")
def check(visit: Visited) -> Response:
    """Recompute every hash now."""
    _only_readers(visit)
    return _page(visit, offset=0, verdict=verify_now(visit.hub))


@router.get("/ledger/checkpoint")
def checkpoint(visit: Visited) -> Response:
    """The signed checkpoint as a file, to be kept elsewhere."""
    _only_readers(visit)
    with visit.hub.reading() as session:
        note = current_note(session)
    headers = {"content-disposition": 'attachment; filename="ledger.checkpoint"'}
    return Response(note, media_type="text/plain; charset=utf-8", headers=headers)


def verify_now(hub: Hub) -> LedgerVerdict:
    """The verdict on the ledger, held against the checkpoint that lies beside the database."""
    outside = [hub.checkpoint_file.read_text(encoding="utf-8")] if hub.checkpoint_file.exists() else []
    with hub.reading() as session:
        return verify(session, public=hub.ledger_key.public_key().public_bytes_raw(), outside=outside)


def _page(visit: Visit, *, offset: int, verdict: LedgerVerdict | None = None) -> Response:
    with visit.hub.reading() as session:
        entries = [read(entry) for entry in read_entries(session, offset=offset, limit=PAGE)]
        total = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
        note = current_note(session)
    return visit.page(
        "ledger/list.html",
        events=entries,
        offset=offset,
        limit=PAGE,
        total=total,
        note=note,
        verdict=verdict,
    )


def _only_readers(visit: Visit) -> None:
    refusals = (*visit.lapses, *refusals_to_act(visit.actor, Verb.READ_LEDGER))
    if refusals:
        raise NotAllowed(*refusals)
