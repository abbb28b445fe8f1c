"""Counting working days forward and back agrees, whatever the days."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.rulebook.calendar import WorkingCalendar, add_years, district_calendar
from hub.rulebook.packs import all_packs, pack_in_force

CALENDAR = district_calendar()
KNOWN = st.dates(min_value=date(2024, 1, 1), max_value=date(2026, 11, 30))
ANY = st.dates(min_value=date(2022, 1, 1), max_value=date(2030, 12, 31))
EARLY = st.dates(min_value=date(2024, 1, 1), max_value=date(2025, 10, 31))
"""240 working days on, the notices still say which they are."""
FIRST = datetime(2025, 2, 28, 16, 0, tzinfo=UTC)
STEPS = st.integers(min_value=0, max_value=120)


def count(day: date, n: int) -> date:
    """The n-th working day after a day, of years that are known."""
    return CALENDAR.deadline(day, n).latest


@given(st.sampled_from(sorted(CALENDAR.years)), EARLY, STEPS)
def test_a_published_notice_never_moves_a_deadline_out_of_its_provisional_bounds(
    year: int, start: date, n: int
) -> None:
    unpublished = WorkingCalendar({one: CALENDAR.years[one] for one in CALENDAR.years if one != year})
    found = unpublished.deadline(start, n)
    assert found.earliest <= count(start, n) <= found.latest
    assert found.is_provisional is not unpublished.is_known(start, found.latest)


@given(ANY, STEPS)
def test_bounds_of_a_later_start_never_lie_earlier(start: date, n: int) -> None:
    now, later = CALENDAR.deadline(start, n), CALENDAR.deadline(start + timedelta(days=1), n)
    assert now.earliest <= later.earliest
    assert now.latest <= later.latest
    assert start <= now.earliest <= now.latest


@given(EARLY, STEPS)
def test_deadline_lies_that_many_working_days_ahead(start: date, n: int) -> None:
    assert CALENDAR.working_days_between(start, count(start, n)) == n


@given(KNOWN, st.integers(min_value=1, max_value=15))
def test_deadline_is_a_working_day_and_the_first_that_fits(start: date, n: int) -> None:
    deadline = count(start, n)
    assert CALENDAR.is_working_day(deadline)
    assert CALENDAR.working_days_between(start, deadline - timedelta(days=1)) == n - 1


@given(EARLY, st.integers(0, 100), st.integers(0, 100))
def test_two_deadlines_in_a_row_are_one_of_their_sum(start: date, first: int, second: int) -> None:
    there = count(count(start, first), second)
    assert there == count(start, first + second)


@given(KNOWN, KNOWN, KNOWN)
def test_counts_add_up_over_any_three_days(a: date, b: date, c: date) -> None:
    def between(start: date, end: date) -> int:
        return CALENDAR.working_days_between(start, end)

    assert between(a, b) == -between(b, a)
    assert between(a, b) + between(b, c) == between(a, c)


@given(EARLY, STEPS)
def test_later_start_never_ends_earlier(start: date, n: int) -> None:
    later = count(start + timedelta(days=1), n)
    assert count(start, n) <= later


@given(ANY, st.integers(min_value=0, max_value=30))
def test_years_keep_the_month_and_never_pass_the_date(day: date, years: int) -> None:
    ahead = add_years(day, years)
    assert (ahead.year, ahead.month) == (day.year + years, day.month)
    assert ahead.day in (day.day, 28)


@given(st.integers(min_value=0, max_value=15 * 365 * 86400).map(lambda s: FIRST + timedelta(seconds=s)))
def test_exactly_one_version_of_the_pack_decides_at_any_time(at: datetime) -> None:
    pack = pack_in_force(at)
    assert pack.since <= (at + timedelta(hours=8)).date()
    assert all(other.since <= pack.since or other.since > (at + timedelta(hours=8)).date() for other in all_packs())
    assert pack_in_force(at, packs=tuple(reversed(all_packs()))) is pack
