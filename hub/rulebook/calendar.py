"""The Chinese working-day calendar: five-day weeks, moved by the State Council's yearly notices on holidays.

The notices are data (`holidays/<year>.toml`, each with its number), one for every year from the first to the last.
They are published in autumn for the next year, so a deadline asked for in November often reaches into a year without
one. Such a deadline is provisional (暂定): it lies between an earliest and a latest day (`provisional`), and each use
takes the one that is strict for whom it binds. Who owes something is told the earliest and is late after the latest;
what has to be open for some days stays open until the latest. It is computed anew once the notice is added.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from hub.errors import InvalidInput, InvalidState, Refusal
from hub.message import Message, msg
from hub.rulebook.provisional import Count, law
from hub.rulebook.strict import Table, read, refuse

FOLDER = Path(__file__).parent / "holidays"
MOST_DAYS = 5000
"""Working days a deadline may lie ahead: about twenty years, more than any clock of the hub."""

_DAY = timedelta(days=1)
Day = TypeVar("Day", bound=date)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """One holiday of a notice: free from `first` to `last`, with the weekend days worked instead."""

    zh: str
    en: str
    first: date
    last: date
    work: tuple[date, ...]

    @property
    def days(self) -> tuple[date, ...]:
        """The free days, weekends among them."""
        return tuple(self.first + n * _DAY for n in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """One year's notice."""

    year: int
    notice: str
    issued: date
    source: str
    holidays: tuple[Holiday, ...]
    free: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The last day of a term in working days: one day, or two bounds while the holidays of a year are not known."""

    earliest: date
    latest: date
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working days by the years' notices."""

    years: Mapping[int, Year]

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`.

        Raises:
            InvalidState: The year has no notice here; the answer would be a guess.
        """
        year = self.years.get(day.year)
        if year is None:
            raise InvalidState(
                Refusal(
                    rule="calendar.no_year",
                    subject=str(day.year),
                    text=msg(
                        "The holidays of {year} are not known here; working days of it are not guessed.", year=day.year
                    ),
                    next_step=msg("Add the State Council's notice of that year to the rulebook."),
                )
            )
        return day in year.worked or (day.weekday() < 5 and day not in year.free)

    def deadline(self, day: date, n: int) -> Deadline:
        """The `n`-th working day after `day`; the day itself does not count, and `n` = 0 gives `day` back.

        Provisional where a year on the way has no notice here.

        Raises:
            InvalidInput: `n` is below zero or beyond MOST_DAYS.
        """
        earliest, latest = (self._bound(day, n, is_early=is_early) for is_early in (True, False))
        return Deadline(earliest=earliest, latest=latest, is_provisional=not self.is_known(day, latest))

    def is_known(self, start: date, end: date) -> bool:
        """Whether every year of the days after `start` up to and with `end` has its notice here."""
        return end <= start or all(year in self.years for year in range(_next(start).year, end.year + 1))

    def _bound(self, day: date, n: int, *, is_early: bool) -> date:
        if not 0 <= n <= MOST_DAYS:
            raise _impossible(msg("A deadline lies 0 to {most} working days ahead.", most=MOST_DAYS))
        count, current, left = Count(law(), is_early=is_early), day, n
        while left:
            current = _next(current)
            known = current.year in self.years
            left -= self.is_working_day(current) if known else count.is_worked(current)
        return current

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`; below zero if `end` comes first.

        Raises:
            InvalidState: A year on the way has no notice here.
        """
        if end < start:
            return -self.working_days_between(end, start)
        return sum(1 for n in range(1, (end - start).days + 1) if self.is_working_day(start + n * _DAY))

    def most_working_days_between(self, start: date, end: date) -> int:
        """The same, with every day of a year without a notice as a working day: never fewer than there will be.

        For what ends after some working days: it then ends earlier rather than later, and needs no guess.
        """
        days = (start + n * _DAY for n in range(1, (end - start).days + 1))
        return sum(1 for day in days if day.year not in self.years or self.is_working_day(day))


@lru_cache(maxsize=1)
def district_calendar() -> WorkingCalendar:
    """The calendar of the notices that come with the product."""
    return load_calendar(FOLDER)


def load_calendar(folder: Path) -> WorkingCalendar:
    """Read every notice in a folder.

    Raises:
        InvalidInput: A notice contradicts itself, there is none, or a year between the first and the last has none.
    """
    years = [_year(path) for path in sorted(folder.glob("*.toml"))]
    if not years:
        raise refuse(folder.name, "-", msg("There is no notice on holidays here."))
    there = {year.year for year in years}
    for missing in sorted(set(range(min(there), max(there))) - there):
        raise refuse(
            f"{missing}.toml", "-", msg("The notice of {year} is missing between its neighbours.", year=missing)
        )
    return WorkingCalendar({year.year: year for year in years})


def add_years(day: Day, years: int) -> Day:
    """The same date that many years on; 29 February becomes 28 February in a common year.

    Note: The calendar ends with the year 9999; past it, its last day is given.

    Source: 民法典 Art. 202: a term by years ends on the matching date, or on the last day of that month.
    """
    year = day.year + years
    if year > MAXYEAR:
        return day.replace(year=MAXYEAR, month=12, day=31)
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return day.replace(year=year, day=28)
    return day.replace(year=year)


def _year(path: Path) -> Year:
    content = read(path)
    number = content.number("year")
    notice, issued, source = content.text("notice"), content.day("issued"), content.text("source")
    rows = content.rows("holidays")
    holidays = tuple(_holiday(row, int(number)) for row in rows)
    content.close()
    if path.stem != str(number):
        raise content.refused("year", msg("The file is named after another year."))
    free = [day for holiday in holidays for day in holiday.days]
    worked = [day for holiday in holidays for day in holiday.work]
    if len(set(free)) != len(free) or len(set(worked)) != len(worked) or set(free) & set(worked):
        raise content.refused("holidays", msg("A day stands in this notice twice."))
    return Year(
        year=int(number),
        notice=notice,
        issued=issued,
        source=source,
        holidays=holidays,
        free=frozenset(free),
        worked=frozenset(worked),
    )


def _holiday(row: Table, year: int) -> Holiday:
    holiday = Holiday(
        zh=row.text("zh"), en=row.text("en"), first=row.day("first"), last=row.day("last"), work=row.days("work")
    )
    row.close()
    if not holiday.first <= holiday.last or (holiday.last - holiday.first).days > 15:
        raise row.refused("last", msg("A holiday ends after it begins, and within two weeks."))
    if {day.year for day in (holiday.first, holiday.last, *holiday.work)} != {year}:
        raise row.refused("first", msg("A day of another year stands in this notice."))
    if any(day.weekday() < 5 for day in holiday.work):
        raise row.refused("work", msg("Only Saturdays and Sundays can be worked instead."))
    return holiday


def _next(day: date) -> date:
    if day == date.max:
        raise _impossible(msg("The calendar ends before this deadline."))
    return day + _DAY


def _impossible(text: Message) -> InvalidInput:
    return InvalidInput(
        Refusal(
            rule="calendar.impossible",
            subject="-",
            text=text,
            next_step=msg("Ask for a nearer day, or look at the notices in the rulebook."),
        )
    )
