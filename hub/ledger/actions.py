"""Append to the ledger, read it, verify it.

`append` runs inside the caller's transaction: an effect and its event are one. Events hold ids, digests, counts and
codes; never a data value, a person's name or a key. A head is signed only on top of a head that we signed, so that a
history changed in the database is never given a new signature by the next event.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from hub.errors import ChecksFailed, Refusal
from hub.ledger import checkpoint as notes
from hub.ledger import tree
from hub.ledger.canonical import canonical
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry, LedgerHead
from hub.message import Message, msg

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is written about one step. Empty text means: does not apply."""

    kind: EventKind
    actor: str
    actor_org: str = ""
    object_type: str
    object_id: str
    object_digest: str = ""
    licence_id: str = ""
    decision: str = ""
    reason_codes: Sequence[str] = ()
    cited_basis: Sequence[str] = ()
    counters: Mapping[str, int] | None = None
    details: Mapping[str, str] | None = None
    """Further ids, digests and codes of this kind of event."""


def append(session: Session, event: Event, *, at: datetime, key: Ed25519PrivateKey) -> LedgerEntry:
    """Write `event` as the next entry and move the head, in the caller's transaction.

    Raises:
        ChecksFailed: The head is not the one that was signed; nothing is written on top of it.
    """
    head = lock_head(session)
    if head is None:
        head = LedgerHead(id=1, size=0, frontier="", note="")
        session.add(head)
        frontier = tree.Frontier()
    else:
        frontier = _signed_frontier(head, key.public_key().public_bytes_raw())
    body = canonical(
        {
            "seq": frontier.size,
            "ts": at.strftime(TIME_FORMAT),
            "kind": event.kind.value,
            "actor": event.actor,
            "actor_org": event.actor_org,
            "object_type": event.object_type,
            "object_id": event.object_id,
            "object_digest": event.object_digest,
            "licence_id": event.licence_id,
            "decision": event.decision,
            "reason_codes": list(event.reason_codes),
            "cited_basis": list(event.cited_basis),
            "counters": dict(event.counters or {}),
            "details": dict(event.details or {}),
        }
    )
    leaf = tree.leaf_hash(body)
    frontier = frontier.append(leaf)
    note = notes.sign(notes.Checkpoint(frontier.size, frontier.root), key)
    entry = LedgerEntry(seq=frontier.size - 1, kind=event.kind.value, body=body.decode(), leaf=leaf, note=note)
    session.add(entry)
    head.size, head.note = frontier.size, note
    head.frontier = " ".join(node.hex() for node in frontier.nodes)
    session.flush()
    return entry


def lock_head(session: Session) -> LedgerHead | None:
    """The head, held until the end of the transaction; None before the first event.

    Asked first by every writing transaction, so that one waits for the other before it reads anything (PostgreSQL;
    on SQLite the transaction has begun as the only writing one).
    """
    return session.get(LedgerHead, 1, with_for_update=True, populate_existing=True)


def _signed_frontier(head: LedgerHead, public: bytes) -> tree.Frontier:
    """The right edge kept in the head, once the signed note in the head says the same."""
    try:
        signed = notes.open_note(head.note, public)
        frontier = tree.Frontier(head.size, tuple(bytes.fromhex(node) for node in head.frontier.split()))
    except (ValueError, TypeError, AttributeError):  # a database is not typed: anything may stand there
        signed, frontier = None, tree.Frontier()
    if signed is None or (signed.size, signed.root) != (frontier.size, frontier.root):
        raise ChecksFailed(
            Refusal(
                rule="head.invalid",
                subject="ledger",
                text=msg("The head of the ledger is not the one that was signed; nothing is written on top of it."),
                next_step=msg("Stop the service, keep the state as it is, and run `zhakou ledger verify`."),
            )
        )
    return frontier


_HOLDS = msg("the ledger holds")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerVerdict:
    """Outcome of a verification. `first_bad` is the number of the first entry that does not fit, if any."""

    holds: bool
    size: int
    root: str
    first_bad: int | None = None
    code: str = ""
    text: Message = _HOLDS


def verify(session: Session, *, public: bytes, outside: Sequence[str] = ()) -> LedgerVerdict:
    """Recompute every hash and hold the result against the signed head and against checkpoints kept elsewhere.

    What must hold, in this order: (1) numbers run from 0 without a gap and stand in the entry itself; (2) each stored
    leaf is the hash of its entry; (3) the tree over them has the signed head's size and root; (4) each checkpoint in
    `outside` is signed by our key and is a prefix of this tree. If (3) fails, the checkpoint kept with each entry
    tells the first one that does not fit.

    Without an outside checkpoint nothing can show that the newest entries were cut off together with the head.
    """
    frontier, entries = tree.Frontier(), []
    roots = {0: frontier.root}
    wanted = _sizes(outside, public)
    if isinstance(wanted, Message):
        return LedgerVerdict(holds=False, size=0, root="", code="checkpoint.invalid", text=wanted)
    for entry in _entries(session):
        seq = frontier.size
        try:
            inside = json.loads(entry.body)
            in_form = canonical(inside) == entry.body.encode() and inside["seq"] == seq and inside["kind"] == entry.kind
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            in_form = False
        if entry.seq != seq:
            return _bad(frontier, seq, "entry.missing", msg("entry {seq} is missing", seq=seq))
        if not in_form:
            return _bad(
                frontier, seq, "entry.changed", msg("entry {seq} is not what was written at this place", seq=seq)
            )
        if tree.leaf_hash(entry.body.encode()) != entry.leaf:
            return _bad(frontier, seq, "entry.changed", msg("entry {seq} was changed: its hash differs", seq=seq))
        frontier = frontier.append(entry.leaf)
        entries.append((entry.note, frontier.root))
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root
    head = session.get(LedgerHead, 1)
    if head is None:
        return _bad(frontier, 0, "head.missing", msg("the head of the ledger is missing"))
    try:
        signed = notes.open_note(head.note, public)
    except notes.BadCheckpoint:
        return _bad(frontier, None, "head.invalid", msg("the head of the ledger is not signed by the ledger key"))
    if signed.size > frontier.size:
        return _bad(
            frontier,
            frontier.size,
            "entry.missing",
            msg("entry {seq} is missing: the ledger was cut", seq=frontier.size),
        )
    if signed.size != head.size or signed.size < frontier.size or signed.root != frontier.root:
        first = _first_unsigned(entries, public)
        if first is None:  # each entry fits its own checkpoint: it is the head that was put back
            return _bad(frontier, None, "head.invalid", msg("the head of the ledger is not that of its newest entry"))
        text = msg("entry {seq} does not fit the checkpoint signed with it", seq=first)
        return _bad(frontier, first, "entry.changed", text)
    for size, root in wanted.items():
        if size > frontier.size:
            return _bad(
                frontier,
                frontier.size,
                "entry.missing",
                msg("a checkpoint kept elsewhere knows {size} entries: cut", size=size),
            )
        if roots[size] != root:
            first = _first_unsigned(entries, public)
            return _bad(
                frontier, first, "history.rewritten", msg("history differs from a checkpoint of size {size}", size=size)
            )
    return LedgerVerdict(holds=True, size=frontier.size, root=frontier.root.hex())


def require_holding(session: Session, *, public: bytes, outside: Sequence[str]) -> None:
    """Refuse to go on with a ledger that does not hold.

    Raises:
        ChecksFailed: It does not; the refusal says why.
    """
    verdict = verify(session, public=public, outside=outside)
    if not verdict.holds:
        raise ChecksFailed(refusal_of(verdict))


def refusal_of(verdict: LedgerVerdict) -> Refusal:
    """A verdict that does not hold, as the reason against going on."""
    return Refusal(
        rule=verdict.code,
        subject="ledger",
        text=msg("The ledger does not hold: {finding}.", finding=verdict.text),
        next_step=msg("Keep a copy of the state as it is and look into it; restore the last backup to go on."),
    )


def _sizes(outside: Sequence[str], public: bytes) -> dict[int, bytes] | Message:
    found: dict[int, bytes] = {}
    for note in outside:
        try:
            known = notes.open_note(note, public)
        except notes.BadCheckpoint:
            return msg("a checkpoint kept elsewhere is not signed by the ledger key")
        if found.setdefault(known.size, known.root) != known.root:
            return msg("two checkpoints of one size differ: the ledger was split")
    return found


def _first_unsigned(entries: Sequence[tuple[str, bytes]], public: bytes) -> int | None:
    """The first entry whose own checkpoint does not sign the recomputed root; signatures hold up to it, so bisect."""
    low, high = 0, len(entries)
    while low < high:
        middle = (low + high) // 2
        note, root = entries[middle]
        try:
            fits = notes.open_note(note, public) == notes.Checkpoint(middle + 1, root)
        except notes.BadCheckpoint:
            fits = False
        low, high = (middle + 1, high) if fits else (low, middle)
    return low if low < len(entries) else None


def _bad(frontier: tree.Frontier, first: int | None, code: str, text: Message) -> LedgerVerdict:
    return LedgerVerdict(
        holds=False, size=frontier.size, root=frontier.root.hex(), first_bad=first, code=code, text=text
    )


def _entries(session: Session) -> Iterator[LedgerEntry]:
    yield from session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq).execution_options(yield_per=1000))


def newest_time(session: Session) -> datetime | None:
    """When the newest entry was written; None before the first event, or if that cannot be read from it."""
    body = session.scalar(select(LedgerEntry.body).order_by(LedgerEntry.seq.desc()).limit(1))
    try:
        return None if body is None else datetime.strptime(json.loads(body)["ts"], TIME_FORMAT).replace(tzinfo=UTC)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # the entry was changed: verification names it, and a release verifies


def current_note(session: Session) -> str:
    """The signed checkpoint of the ledger as it stands; empty text before the first event."""
    head = session.get(LedgerHead, 1)
    return head.note if head else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """Proof that an entry stands in the tree of a checkpoint."""

    seq: int
    size: int
    body: str
    proof: tuple[str, ...]
    note: str


def prove(session: Session, seq: int) -> Inclusion:
    """The inclusion proof of entry `seq` in the current tree.

    Raises:
        LookupError: There is no such entry.
    """
    entry = session.get(LedgerEntry, seq)
    if entry is None:
        raise LookupError(seq)
    leaves = list(session.scalars(select(LedgerEntry.leaf).order_by(LedgerEntry.seq)))
    proof = tree.inclusion_proof(leaves, seq)
    return Inclusion(
        seq=seq,
        size=len(leaves),
        body=entry.body,
        proof=tuple(node.hex() for node in proof),
        note=current_note(session),
    )


def read_entries(session: Session, *, offset: int = 0, limit: int = 100) -> list[LedgerEntry]:
    """Entries, newest first, `limit` of them after the first `offset`."""
    query = select(LedgerEntry).order_by(LedgerEntry.seq.desc()).offset(offset).limit(limit)
    return list(session.scalars(query))
