"""The newest checkpoint, kept in a file beside the database, so that a database restored from yesterday is noticed.

What must hold:
  1. the file only ever moves on: whoever writes it has the turn, and reads the ledger's head after getting it;
  2. it is whole: a temporary name, flushed, then renamed;
  3. a step is taken only on a ledger that is at least as long as the checkpoint says, and says the same at its size.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import ChecksFailed, Refusal
from hub.ledger.checkpoint import BadCheckpoint, Checkpoint, open_note
from hub.ledger.model import LedgerHead
from hub.message import Message, msg


def keep_newest(path: Path, current: Callable[[], str]) -> None:
    """Write the note that `current` reads from the database to `path`."""
    with _turn(path):
        note = current()  # 1: nobody can read an older one and write it later
        temporary = path.with_name(f".{path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # 2


def require_not_cut(path: Path, head: LedgerHead | None, public: bytes) -> None:
    """Refuse to act on a ledger that is older than the checkpoint at `path`, or differs from it (3).

    Raises:
        ChecksFailed: The checkpoint is not ours, knows more entries than the ledger has, or another root at its size.
    """
    try:
        kept = open_note(path.read_text(encoding="utf-8"), public)
    except FileNotFoundError:
        return
    except (BadCheckpoint, UnicodeDecodeError):
        raise _cut(
            "checkpoint.invalid", msg("The checkpoint kept beside the database is not signed by the ledger key.")
        ) from None
    size = 0 if head is None else head.size
    if kept.size > size:
        raise _cut(
            "entry.missing",
            msg("The checkpoint kept beside the database knows {size} entries; fewer are there.", size=kept.size),
        )
    if head is not None and kept.size == size and not _says(head.note, kept, public):
        raise _cut("history.rewritten", msg("The ledger differs from the checkpoint kept beside the database."))


def _says(note: str, kept: Checkpoint, public: bytes) -> bool:
    try:
        return open_note(note, public) == kept
    except (BadCheckpoint, TypeError, AttributeError):
        return True  # the head itself is what is wrong; appending to it says so


def _cut(rule: str, text: Message) -> ChecksFailed:
    return ChecksFailed(
        Refusal(
            rule=rule,
            subject="ledger",
            text=text,
            next_step=msg("Stop the service, keep the state as it is, and run `zhakou ledger verify`."),
        )
    )


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Alone among the threads and processes of this machine: each opens the file anew, and so has its own lock."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
