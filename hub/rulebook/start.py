"""Look at every rule file before anything is served: a broken one refuses at the start, not at the first decision."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.errors import HubError, InvalidInput, Refusal
from hub.rulebook.bases import registry
from hub.rulebook.calendar import district_calendar
from hub.rulebook.measures import articles
from hub.rulebook.model import district_day
from hub.rulebook.packs import all_packs, pack_in_force, parameters

NEXT_YEAR_FROM = 12
"""The month from which the next year's holidays should be known; the State Council publishes them in autumn."""


def faults(now: datetime) -> tuple[Refusal, ...]:
    """Everything that is wrong with the rule files, each with its file and place.

    What cannot be read for another file's fault is not blamed a second time: packs need parameters and bases.
    """
    reads: tuple[Callable[[], object], ...] = (
        registry,
        parameters,
        all_packs,
        lambda: pack_in_force(now),
        district_calendar,
        articles,
    )
    found: dict[str, Refusal] = {}
    for read in reads:
        try:
            read()
        except HubError as error:
            found.update({f"{refusal.rule} {refusal.subject}": refusal for refusal in error.refusals})
    return tuple(found.values())


def require_rulebook(now: datetime) -> None:
    """Refuse to serve on rules that cannot be read.

    Raises:
        InvalidInput: A rule file is broken, or no pack is in force; the refusals name file and place.
    """
    found = faults(now)
    if found:
        raise InvalidInput(*found)


def unknown_year(now: datetime) -> int | None:
    """The year whose holidays are missing though deadlines reach into it: this one, or in December the next."""
    day, known = district_day(now), district_calendar().years
    if day.year not in known:
        return day.year
    return day.year + 1 if day.month >= NEXT_YEAR_FROM and day.year + 1 not in known else None
