"""Counting working days in years whose holidays are not published: between two bounds, never by a guess.

A notice of the State Council can only free weekdays and have weekends worked in the seasons of the statutory holidays.
The earliest day a count can reach takes every weekday as worked but those that the law itself fixes, and the most
weekend days worked; the latest takes the most weekdays as free. Once the notice is in the rulebook the two meet.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from hub.message import msg
from hub.rulebook.strict import Table, read

FILE = Path(__file__).parent / "statutory.toml"
SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Where the days moved by one statutory holiday may lie; months and days as `MM-DD`, which sort as they follow."""

    zh: str
    en: str
    days: frozenset[str]
    """Free by the law itself."""
    first: str
    last: str
    free: int
    """Weekdays freed, at most."""
    worked: int
    """Weekend days worked instead, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The statutory holidays, and where they stand."""

    source: str
    seasons: tuple[Season, ...]

    def season_of(self, day: date) -> Season | None:
        """The season in which a day lies."""
        said = day.strftime("%m-%d")
        return next((one for one in self.seasons if one.first <= said <= one.last), None)


class Count:
    """Whether days of unpublished years are worked, asked day after day in order: what a season moves is used up."""

    def __init__(self, law: Law, *, is_early: bool) -> None:
        self._law = law
        self._is_early = is_early
        self._used: Counter[tuple[int, str]] = Counter()

    def is_worked(self, day: date) -> bool:
        """Whether this bound counts the day."""
        season, is_weekend = self._law.season_of(day), day.weekday() >= SATURDAY
        if season is None:
            return not is_weekend
        used = (day.year, season.first)
        if day.strftime("%m-%d") in season.days:
            self._used[used] += not self._is_early and not is_weekend
            return False
        if self._is_early is not is_weekend:
            return self._is_early
        if self._used[used] >= (season.worked if self._is_early else season.free):
            return not is_weekend
        self._used[used] += 1
        return is_weekend


@lru_cache(maxsize=1)
def law() -> Law:
    """The statutory holidays that come with the product."""
    return load_law(FILE)


def load_law(path: Path) -> Law:
    """Read the statutory holidays.

    Raises:
        InvalidInput: The file cannot be read, or a season contradicts itself or the one before.
    """
    content = read(path)
    source = content.text("source")
    rows = content.rows("seasons")
    seasons = tuple(_season(row) for row in rows)
    content.close()
    for row, before, after in zip(rows[1:], seasons, seasons[1:], strict=False):
        if after.first <= before.last:
            raise row.refused("first", msg("A season begins after the one before has ended."))
    return Law(source=source, seasons=seasons)


def _season(row: Table) -> Season:
    season = Season(
        zh=row.text("zh"),
        en=row.text("en"),
        days=frozenset(row.texts("days")),
        first=row.text("first"),
        last=row.text("last"),
        free=int(row.number("free")),
        worked=int(row.number("worked")),
    )
    row.close()
    for said in (*season.days, season.first, season.last):
        try:
            date.fromisoformat(f"2024-{said}")
        except ValueError as error:
            raise row.refused("days", msg("A day is written as month and day, MM-DD.")) from error
    if not season.first <= season.last or any(not season.first <= day <= season.last for day in season.days):
        raise row.refused("last", msg("A season ends after it begins and holds its fixed days."))
    if season.free < len(season.days) or season.worked < 0:
        raise row.refused("free", msg("A season frees at least its fixed days."))
    return season
