"""Pages of the ledger: read it, verify it, take its checkpoint away."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter
from sqlalchemy import func, select
from starlette.responses import Response

from hub.errors import NotAllowed
from hub.ledger.actions import LedgerVerdict, current_note, read_entries
from hub.ledger.model import LedgerEntry
from hub.message import Message, msg
from hub.people.rules import Verb, refusals_to_act
from hub.recovery import verify_everything
from hub.web.history import read
from hub.web.visit import Visit, Visited

router = APIRouter()

PAGE = 50

DECISIONS: Mapping[str, Message] = {
    "approve": msg("approved"),
    "approved": msg("approved"),
    "block": msg("blocked"),
    "flag": msg("passed with notes for the reviewers"),
    "object": msg("objected to"),
    "pass": msg("passed"),
    "refused": msg("refused"),
    "released": msg("released"),
}
"""What an event decided, in words; the code stands beside it, as it stands in the ledger."""

COUNTERS: Mapping[str, Message] = {
    "bytes": msg("bytes"),
    "columns": msg("columns"),
    "extracts": msg("extracts"),
    "files": msg("files"),
    "findings": msg("findings"),
    "items": msg("outbox items"),
    "k": msg("smallest group k"),
    "reviewers": msg("reviewers"),
    "rows": msg("rows"),
    "suppressed": msg("rows suppressed"),
    "votes": msg("votes"),
}
"""What an event counted; a counter without a word is shown by its code."""


@router.get("/ledger")
def listing(visit: Visited, offset: int = 0) -> Response:
    """Entries, newest first."""
    _only_readers(visit)
    return _page(visit, offset=max(0, offset))


@router.post("/ledger/verify")
def check(visit: Visited) -> Response:
    """Recompute every hash of the ledger and every seal of a row now."""
    _only_readers(visit)
    return _page(visit, offset=0, verdict=verify_everything(visit.hub))


@router.get("/ledger/checkpoint")
def checkpoint(visit: Visited) -> Response:
    """The signed checkpoint as a file, to be kept elsewhere."""
    _only_readers(visit)
    with visit.hub.reading() as session:
        note = current_note(session)
    headers = {"content-disposition": 'attachment; filename="ledger.checkpoint"'}
    return Response(note, media_type="text/plain; charset=utf-8", headers=headers)


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
        decisions=DECISIONS,
        counters=COUNTERS,
    )


def _only_readers(visit: Visit) -> None:
    refusals = (*visit.lapses, *refusals_to_act(visit.actor, Verb.READ_LEDGER))
    if refusals:
        raise NotAllowed(*refusals)
