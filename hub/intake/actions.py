"""Receive a department's file into the raw zone.

The bytes are copied to a file named by their digest. What columns it has, and what they seem to hold, is found out by
the column scan in a box: the portal itself never parses a department's file.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select

from hub.context import Hub, Transaction
from hub.errors import InvalidInput, NotAllowed, NotFound, Refusal, unknown
from hub.intake.model import RawFile
from hub.intake.rules import (
    refusals_of_marks,
    refusals_of_owner,
    refusals_of_scan,
    refusals_of_size,
    refusals_to_receive,
)
from hub.ledger.events import EventKind
from hub.message import both
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.secrecy import LONGEST, holds_mark
from hub.tools import Ran, run_tool

SCAN_TIMEOUT = 600.0
_CHUNK = 2**20

Scan = Callable[[Path], dict[str, Any]]


def receive_file(
    hub: Hub,
    actor: Actor,
    *,
    stream: BinaryIO,
    name: str,
    no_state_secret: bool,
    scan: Scan | None = None,
) -> RawFile:
    """Take in a file, look at its columns in a box, and keep it by its digest. The same bytes twice are one file.

    Raises:
        NotAllowed: The actor is no data steward.
        InvalidInput: Name or type is not accepted, the file is too large, marked secret, or no readable table.
    """
    with hub.transaction(actor, Verb.RECEIVE_FILE) as tx:
        tx.refuse(refusals_to_act(actor, Verb.RECEIVE_FILE), NotAllowed)
        tx.refuse(refusals_to_receive(name, no_state_secret=no_state_secret), InvalidInput)
    suffix = Path(name).suffix.lower()
    temporary = hub.folders.raw / f".incoming-{secrets.token_hex(8)}{suffix}"
    try:
        with hub.recording_refusals(actor, Verb.RECEIVE_FILE):
            digest, size = _copy(stream, temporary, limit=hub.settings.max_raw_bytes)
            found = (scan or scan_file)(temporary)
            Transaction.refuse(refusals_of_scan(found), InvalidInput)
        final = hub.folders.raw / f"{digest}{suffix}"
        os.replace(temporary, final)
    finally:
        temporary.unlink(missing_ok=True)
    with hub.transaction(actor, Verb.RECEIVE_FILE) as tx:
        known = tx.session.get(RawFile, digest)
        tx.refuse(refusals_of_owner(actor.org_id, known_of=known.org_id if known else None), InvalidInput)
        if known is not None:
            return known
        raw = RawFile(
            digest=digest,
            org_id=actor.org_id,
            name=Path(name).name,
            suffix=suffix,
            size=size,
            rows=found["rows"],
            columns=[column["name"] for column in found["columns"]],
            proposal=found,
            received_by=actor.person_id,
            received_at=tx.now,
        )
        tx.session.add(raw)
        tx.session.flush()
        tx.record(
            EventKind.FILE_RECEIVED,
            "raw_file",
            digest[:16],
            digest=digest,
            counters={"bytes": size, "rows": raw.rows, "columns": len(raw.columns)},
        )
        return raw


def scan_file(path: Path) -> dict[str, Any]:
    """What the column scan, run in a box, says: `{"rows", "columns": [{"name", "class", "grade", "kinds"}]}`."""
    inside = f"/in/table{path.suffix}"
    done = run_tool(["scan", inside, "--json"], files=[(path, inside)], timeout=SCAN_TIMEOUT)
    if not isinstance(done, Ran):
        raise InvalidInput(*refusals_of_scan(None))
    try:
        said: dict[str, Any] = json.loads(done.stdout)
        if "refused" in said:
            texts = said["refused"]["i18n"]
            raise InvalidInput(
                Refusal(
                    rule=str(said["refused"]["code"]),
                    subject="",
                    text=both(en=texts["en"]["text"], zh=texts["zh"]["text"]),
                    next_step=both(en=texts["en"]["next_step"], zh=texts["zh"]["next_step"]),
                )
            )
        if done.returncode == 0:
            return said
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidInput(*refusals_of_scan(None))


def find_raw(hub: Hub, actor: Actor, digest: str) -> RawFile:
    """A file that the actor's department handed in."""
    with hub.reading() as session:
        raw = session.get(RawFile, digest)
    if raw is None or raw.org_id != actor.org_id:
        raise NotFound(unknown(digest[:16]))
    return raw


def list_raw(hub: Hub, actor: Actor) -> list[RawFile]:
    """Files of the actor's department, newest first."""
    with hub.reading() as session:
        query = select(RawFile).where(RawFile.org_id == actor.org_id).order_by(RawFile.received_at.desc())
        return list(session.scalars(query))


def _copy(stream: BinaryIO, target: Path, *, limit: int) -> tuple[str, int]:
    """Copy with a limit; the digest is that of the copy kept."""
    digest, size, tail = hashlib.sha256(), 0, b""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            Transaction.refuse(refusals_of_size(size, limit=limit), InvalidInput)
            Transaction.refuse(refusals_of_marks((), in_content=True) if holds_mark(tail + chunk) else (), InvalidInput)
            tail = chunk[-LONGEST:]
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size
