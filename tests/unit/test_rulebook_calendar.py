"""The working-day calendar against the State Council's notices, day by day where it is known to be hard."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from hub.errors import InvalidInput, InvalidState
from hub.rulebook.calendar import FOLDER, MOST_DAYS, WorkingCalendar, add_years, district_calendar, load_calendar
from hub.rulebook.provisional import FILE, law, load_law

CALENDAR = district_calendar()


def count(day: date, n: int) -> date:
    """The n-th working day after a day, of years that are known."""
    found = CALENDAR.deadline(day, n)
    assert (found.earliest, found.is_provisional) == (found.latest, False)
    return found.latest


SPRING_2026 = [
    (date(2026, 2, 13), True),
    (date(2026, 2, 14), True),  # a Saturday worked
    (date(2026, 2, 15), False),
    (date(2026, 2, 16), False),
    (date(2026, 2, 23), False),  # a Monday free
    (date(2026, 2, 24), True),
    (date(2026, 2, 27), True),
    (date(2026, 2, 28), True),  # a Saturday worked
    (date(2026, 3, 1), False),
]
NATIONAL_2025 = [
    (date(2025, 9, 27), False),
    (date(2025, 9, 28), True),  # a Sunday worked
    (date(2025, 9, 30), True),
    (date(2025, 10, 1), False),
    (date(2025, 10, 6), False),  # Mid-Autumn within the same week
    (date(2025, 10, 8), False),
    (date(2025, 10, 9), True),
    (date(2025, 10, 11), True),  # a Saturday worked
    (date(2025, 10, 12), False),
]
OTHERS = [
    (date(2024, 1, 1), False),
    (date(2024, 2, 9), True),  # New Year's Eve: a rest that was encouraged, not ordered
    (date(2024, 2, 18), True),
    (date(2024, 6, 10), False),
    (date(2025, 1, 2), True),
    (date(2026, 1, 4), True),
    (date(2026, 9, 20), True),
    (date(2026, 11, 24), True),
]


@pytest.mark.parametrize(("day", "works"), SPRING_2026 + NATIONAL_2025 + OTHERS)
def test_day_is_worked_or_free_as_the_notice_says(day: date, works: bool) -> None:
    assert CALENDAR.is_working_day(day) is works


@pytest.mark.parametrize(
    ("year", "notice", "working_days"),
    [(2024, "国办发明电〔2023〕7号", 251), (2025, "国办发明电〔2024〕12号", 248), (2026, "国办发明电〔2025〕7号", 248)],
)
def test_year_cites_its_notice_and_has_its_working_days(year: int, notice: str, working_days: int) -> None:
    assert CALENDAR.years[year].notice == notice
    assert CALENDAR.working_days_between(date(year - 1, 12, 31), date(year, 12, 31)) == working_days


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        (date(2026, 2, 13), 0, date(2026, 2, 13)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),
        (date(2026, 2, 13), 2, date(2026, 2, 24)),
        (date(2026, 2, 20), 1, date(2026, 2, 24)),
        (date(2025, 9, 26), 1, date(2025, 9, 28)),
        (date(2025, 9, 30), 3, date(2025, 10, 11)),
        (date(2025, 9, 30), 20, date(2025, 11, 4)),
        (date(2025, 12, 31), 1, date(2026, 1, 4)),
    ],
)
def test_deadline_in_working_days(start: date, n: int, end: date) -> None:
    assert count(start, n) == end


@pytest.mark.parametrize(
    "ask",
    [
        lambda: CALENDAR.is_working_day(date(2027, 1, 4)),
        lambda: CALENDAR.is_working_day(date(2023, 12, 29)),
        lambda: CALENDAR.working_days_between(date(2026, 12, 31), date(2027, 1, 1)),
        lambda: CALENDAR.working_days_between(date(2027, 1, 1), date(2026, 12, 31)),
    ],
)
def test_year_without_a_notice_is_refused_in_words_and_never_guessed(ask: Callable[[], object]) -> None:
    with pytest.raises(InvalidState) as caught:
        ask()
    assert caught.value.code == "calendar.no_year"
    assert "not guessed" in str(caught.value)


@pytest.mark.parametrize(
    ("start", "n", "earliest", "latest"),
    [
        (date(2026, 12, 31), 0, date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 12, 31), 1, date(2027, 1, 2), date(2027, 1, 5)),  # 1 January is free by law, whatever comes
        (date(2026, 12, 24), 20, date(2027, 1, 19), date(2027, 2, 3)),
        (date(2027, 6, 30), 10, date(2027, 7, 12), date(2027, 7, 19)),
        (date(2027, 7, 12), 10, date(2027, 7, 26), date(2027, 7, 26)),  # no holiday lies in July
        (date(2028, 2, 29), 3, date(2028, 3, 3), date(2028, 3, 13)),
    ],
)
def test_deadline_in_an_unpublished_year_lies_between_two_bounds(
    start: date, n: int, earliest: date, latest: date
) -> None:
    found = CALENDAR.deadline(start, n)
    assert (found.earliest, found.latest, found.is_provisional) == (earliest, latest, n > 0)


def test_holidays_by_law_name_the_law_and_every_notice_keeps_within_their_seasons() -> None:
    assert "795" in law().source
    for year in CALENDAR.years.values():
        moved = [day for day in year.free if day.weekday() < 5] + list(year.worked)
        assert all(law().season_of(day) for day in moved)


STATUTORY = FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('days = ["01-01"]', 'days = ["01-32"]', "days"),
        ('days = ["01-01"]', 'days = ["01-11"]', "last"),
        ("free = 2", "free = 0", "free"),
        ('first = "01-11"', 'first = "01-10"', "first"),
        ("worked = 1", "worked = 1\nremark = 1", "remark"),
    ],
)
def test_season_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in STATUTORY
    (tmp_path / "statutory.toml").write_text(STATUTORY.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_law(tmp_path / "statutory.toml")
    assert place in caught.value.refusals[0].subject


def test_last_day_of_the_last_notice_can_still_be_told() -> None:
    assert count(date(2026, 12, 30), 1) == date(2026, 12, 31)


def test_count_of_no_days_is_zero_and_backwards_it_is_negative() -> None:
    assert CALENDAR.working_days_between(date(2026, 2, 14), date(2026, 2, 14)) == 0
    assert CALENDAR.working_days_between(date(2026, 2, 24), date(2026, 2, 13)) == -2


@pytest.mark.parametrize("n", [-1, MOST_DAYS + 1])
def test_impossible_deadline_is_refused(n: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        count(date(2026, 1, 1), n)
    assert caught.value.code == "calendar.impossible"


def test_deadline_past_the_end_of_time_is_refused() -> None:
    eternal = WorkingCalendar({date.max.year: replace(CALENDAR.years[2026], free=frozenset(), worked=frozenset())})
    with pytest.raises(InvalidInput):
        eternal.deadline(date.max, 1)


def test_gap_between_two_notices_is_refused_and_named(tmp_path: Path) -> None:
    for year in (2024, 2026):
        shutil.copy(FOLDER / f"{year}.toml", tmp_path)
    with pytest.raises(InvalidInput) as caught:
        load_calendar(tmp_path)
    assert caught.value.refusals[0].subject == "2025.toml: -"


@pytest.mark.parametrize(
    ("day", "years", "expected"),
    [
        (date(2026, 11, 24), 5, date(2031, 11, 24)),
        (date(2024, 2, 29), 1, date(2025, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(9998, 5, 1), 5, date(9999, 12, 31)),
        (datetime(2023, 3, 1, 8, 30), 5, datetime(2028, 3, 1, 8, 30)),  # noqa: DTZ001  # any zone is kept, none too
    ],
)
def test_years_end_on_the_matching_date(day: date, years: int, expected: date) -> None:
    assert add_years(day, years) == expected


NOTICE = (FOLDER / "2026.toml").read_text(encoding="utf-8")
FAULTS = [
    ("year = 2026", "year = 2027", "2026.toml: "),
    ("last = 2026-01-03", "last = 2025-12-31", "last"),
    ("last = 2026-01-03", "last = 2026-02-03", "last"),
    ("first = 2026-01-01", "first = 2025-12-31", "first"),
    ("work = [2026-01-04]", "work = [2026-01-05]", "work"),
    ("work = [2026-01-04]", "work = [2026-01-03]", "holidays"),
    ("work = [2026-01-04]", "work = 4", "work"),
    ("work = [2026-01-04]", 'work = ["2026-01-04"]', "work"),
    ("first = 2026-02-15", "first = 2026-02-14", "holidays"),
    ('notice = "国办发明电〔2025〕7号"', 'notice = ""', "notice"),
    ("work = [2026-01-04]", "work = [2026-01-04]\nremark = 1", "remark"),
]


@pytest.mark.parametrize(("old", "new", "place"), FAULTS)
def test_notice_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, place: str) -> None:
    assert old in NOTICE
    (tmp_path / "2026.toml").write_text(NOTICE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_calendar(tmp_path)
    assert place in caught.value.refusals[0].subject


def test_file_named_after_another_year_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2027.toml").write_text(NOTICE, encoding="utf-8")
    with pytest.raises(InvalidInput):
        load_calendar(tmp_path)


def test_calendar_without_any_notice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load_calendar(tmp_path)
    (tmp_path / "2026.toml").write_text('year = 2026\nnotice = "n"\nissued = 2025-01-01\nsource = "s"\nholidays = []\n')
    with pytest.raises(InvalidInput):
        load_calendar(tmp_path)
