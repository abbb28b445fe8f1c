"""What the ledger says of a thing, for the timeline on its page; and who the ids in it are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from hub.context import Hub
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.people.actor import Actor

MOST_EVENTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One ledger entry as pages show it."""

    seq: int
    at: datetime
    kind: EventKind
    actor: str
    actor_org: str
    object_type: str
    object_id: str
    object_digest: str
    licence_id: str
    decision: str
    reason_codes: tuple[str, ...]
    cited_basis: tuple[str, ...]
    counters: Mapping[str, int]
    details: Mapping[str, str]


def read(entry: LedgerEntry) -> Happened:
    """The entry as a value."""
    body: dict[str, Any] = json.loads(entry.body)
    return Happened(
        seq=body["seq"],
        at=datetime.fromisoformat(body["ts"]),
        kind=EventKind(body["kind"]),
        actor=body["actor"],
        actor_org=body["actor_org"],
        object_type=body["object_type"],
        object_id=body["object_id"],
        object_digest=body["object_digest"],
        licence_id=body["licence_id"],
        decision=body["decision"],
        reason_codes=tuple(body["reason_codes"]),
        cited_basis=tuple(body["cited_basis"]),
        counters=body["counters"],
        details=body["details"],
    )


def history(hub: Hub, reader: Actor, *object_ids: str) -> list[Happened]:
    """Events about these objects, oldest first, the newest 200 of them.

    An operator does not see what people of other institutions tried and were refused: that is not their affair.
    """
    if not object_ids:
        return []
    about = [
        LedgerEntry.body.contains(f'"object_id":{json.dumps(object_id)}', autoescape=True) for object_id in object_ids
    ]
    with hub.reading() as session:
        query = select(LedgerEntry).where(or_(*about)).order_by(LedgerEntry.seq.desc()).limit(MOST_EVENTS)
        events = [read(entry) for entry in session.scalars(query)]
    return [event for event in reversed(events) if event.object_id in object_ids and _for_reader(event, reader)]


def _for_reader(event: Happened, reader: Actor) -> bool:
    if event.kind is not EventKind.ACTION_REFUSED or not reader.is_outside:
        return True
    return event.actor_org == reader.org_id
