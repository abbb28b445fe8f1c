"""The ladder of a licence as people see it: for each table four rungs, how far each has come, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.context import Hub
from hub.extracts.actions import list_extracts
from hub.extracts.model import (
    SEATS_OF_LEVEL,
    Extract,
    ExtractDecision,
    ExtractRequest,
    ExtractRequestStatus,
    ExtractSeat,
    ExtractStatus,
    Standing,
)
from hub.extracts.requests import list_extract_requests
from hub.extracts.rules import LADDER, is_by_rule
from hub.licensing.model import ExtractLevel, Licence
from hub.message import Message, msg
from hub.people.actor import Actor

NEXT: dict[Standing, Message] = {
    Standing.NOT_ALLOWED: msg("The licence does not allow this rung."),
    Standing.OPEN: msg("People of the operator can ask for it."),
    Standing.WAITING: msg("Waits for approval by the seats below."),
    Standing.GRANTED: msg("Approved; the operations centre builds it."),
    Standing.BUILDING: msg("Is being built."),
    Standing.FAILED: msg("The build ended without an extract; it can be built again, or asked for anew."),
    Standing.REFUSED: msg("Not approved; a new request can meet the reason."),
    Standing.IN_USE: msg("In use."),
    Standing.REVOKED: msg("Taken out of use by the data's department; a new request can be filed."),
    Standing.EXPIRED: msg("Expired with its licence."),
}

BY_RULE: dict[Standing, Message] = {
    Standing.OPEN: msg("Granted by the licence itself: ask for it and the platform builds it at once."),
    Standing.GRANTED: msg("Granted by the licence itself; the platform builds it."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RungView:
    """One rung of one table."""

    level: ExtractLevel
    standing: Standing
    next_step: Message
    by_rule: bool
    request: ExtractRequest | None
    extract: Extract | None
    seats: tuple[tuple[ExtractSeat, ExtractDecision | None], ...]
    in_workspace: bool
    """Whether the licence lets this rung into a workspace."""
    can_ask: bool
    can_build: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLadder:
    """The four rungs of one table, the most first, as a ladder stands."""

    table_id: str
    rungs: tuple[RungView, ...]


def ladder_of(hub: Hub, actor: Actor, licence: Licence) -> list[TableLadder]:
    """The ladder of each table of a licence that the actor may see."""
    requests = list_extract_requests(hub, actor, licence_id=licence.id)
    extracts = list_extracts(hub, actor, licence_id=licence.id)
    now = hub.clock()
    return [
        TableLadder(
            table_id=row.table_id,
            rungs=tuple(
                _rung(
                    level,
                    allowed=level.value in row.levels,
                    in_workspace=level is not ExtractLevel.FULL or row.full_in_workspace,
                    requests=[one for one in requests if (one.table_id, one.level) == (row.table_id, level)],
                    extracts=[one for one in extracts if (one.table_id, one.level) == (row.table_id, level)],
                    now=now,
                )
                for level in reversed(LADDER)
            ),
        )
        for row in licence.tables
    ]


def _rung(
    level: ExtractLevel,
    *,
    allowed: bool,
    in_workspace: bool,
    requests: Sequence[ExtractRequest],
    extracts: Sequence[Extract],
    now: datetime,
) -> RungView:
    request = requests[0] if requests else None
    extract = next((one for one in extracts if request is not None and one.request_id == request.id), None)
    standing = _standing(allowed=allowed, request=request, extract=extract, now=now)
    by_rule = is_by_rule(level)
    decisions = {one.seat: one for one in request.decisions} if request is not None else {}
    return RungView(
        level=level,
        standing=standing,
        next_step=BY_RULE.get(standing, NEXT[standing]) if by_rule else NEXT[standing],
        by_rule=by_rule,
        request=request,
        extract=extract,
        seats=tuple((seat, decisions.get(seat)) for seat in ExtractSeat if seat in SEATS_OF_LEVEL[level]),
        in_workspace=in_workspace,
        can_ask=standing in (Standing.OPEN, Standing.REFUSED, Standing.FAILED, Standing.REVOKED),
        can_build=standing in (Standing.GRANTED, Standing.FAILED),
    )


def _standing(*, allowed: bool, request: ExtractRequest | None, extract: Extract | None, now: datetime) -> Standing:
    if request is None or request.status is ExtractRequestStatus.WITHDRAWN:
        return Standing.OPEN if allowed else Standing.NOT_ALLOWED
    if request.status is ExtractRequestStatus.REQUESTED:
        return Standing.WAITING
    if request.status is ExtractRequestStatus.REFUSED:
        return Standing.REFUSED
    if extract is None:
        return Standing.GRANTED
    match extract.status:
        case ExtractStatus.BUILDING:
            return Standing.BUILDING
        case ExtractStatus.REFUSED:
            return Standing.FAILED
        case ExtractStatus.ISSUED:
            return Standing.IN_USE if now < extract.expires_at else Standing.EXPIRED
        case ExtractStatus.REVOKED | ExtractStatus.DESTROYED:
            return Standing.REVOKED if extract.status is ExtractStatus.REVOKED else Standing.EXPIRED
