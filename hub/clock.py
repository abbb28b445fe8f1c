"""Where the time comes from. Rules get `now` as an argument; this is the edge that asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.errors import InvalidState, Refusal
from hub.message import msg

SLACK = timedelta(minutes=5)
"""How far the clock may be corrected backwards without a stop; time servers correct by less."""

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


def require_not_set_back(newest: datetime | None, now: datetime) -> None:
    """Refuse to act when the clock stands before what was already written down; None: nothing was.

    Raises:
        InvalidState: `now` is more than `SLACK` before the time of the newest entry of the ledger.
    """
    if newest is not None and now < newest - SLACK:
        raise InvalidState(
            Refusal(
                rule="clock.behind",
                subject="clock",
                text=msg(
                    "The clock of the server stands at {now}, before the newest entry of the ledger ({newest}).",
                    now=now.strftime("%Y-%m-%d %H:%M UTC"),
                    newest=newest.strftime("%Y-%m-%d %H:%M UTC"),
                ),
                next_step=msg("Set the clock of the server right; until then no step can be taken."),
            )
        )
