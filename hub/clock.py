"""Where the time comes from. Rules get `now` as an argument; this is the edge that asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's time, aware, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def unsafe_shifted_clock(offset_file: Path) -> Clock:
    """The machine's time plus the whole seconds written in `offset_file` (missing or empty: none).

    For demonstrations and tests that must see a licence expire. Unsafe: whoever can write the file moves the terms of
    every licence. The settings name it `unsafe_clock_file`, announce it at start and write it into the ledger.
    """

    def now() -> datetime:
        try:
            text = offset_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            text = ""
        return system_clock() + timedelta(seconds=int(text or "0"))

    return now
