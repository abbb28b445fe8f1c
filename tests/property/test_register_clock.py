"""The registration clock on any day: deadlines fall on working days, validity never outlives the licence."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.register.clock import Step, Timing, due, has_lapsed, notice_end, renewal_opens, validity_end
from hub.register.model import RegistrationStatus
from hub.rulebook.calendar import add_years, district_calendar
from hub.rulebook.packs import pack_version

PACK = pack_version("district", "2026.1")
CALENDAR = district_calendar()
KNOWN = st.dates(date(2024, 1, 1), date(2026, 10, 31))
ANY = st.dates(date(2020, 1, 1), date(2060, 1, 1))
WORKING_DAYS = {
    RegistrationStatus.DUE: (Step.APPLY, 20),
    RegistrationStatus.APPLIED: (Step.ACCEPT, 3),
    RegistrationStatus.ACCEPTED: (Step.REVIEW, 20),
}


@given(KNOWN, st.sampled_from(list(WORKING_DAYS)), st.integers(0, 500))
def test_deadline_lies_its_working_days_after_its_start(start: date, status: RegistrationStatus, later: int) -> None:
    step, days = WORKING_DAYS[status]
    released = start if status is RegistrationStatus.DUE else start - timedelta(days=later)
    since = start + timedelta(days=later) if status is RegistrationStatus.DUE else start
    found = due(status, released=released, since=since, valid_until=None, pack=PACK, calendar=CALENDAR)
    assert found is not None
    assert found.step is step
    assert CALENDAR.working_days_between(start, found.day) == days
    assert CALENDAR.is_working_day(found.day)


@given(ANY, st.sampled_from(RegistrationStatus), st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.integers(1, 2000))
def test_timing_only_gets_worse(start: date, status: RegistrationStatus, today: date, later: int) -> None:
    found = due(
        status,
        released=start,
        since=start,
        valid_until=start + timedelta(days=400),
        pack=PACK,
        calendar=CALENDAR,
    )
    if found is None:
        assert status in {RegistrationStatus.TERMINATED, RegistrationStatus.CANCELLED}
        return
    order = list(Timing)
    assert order.index(found.timing(today)) <= order.index(found.timing(today + timedelta(days=later)))
    assert found.timing(found.day) is Timing.DUE_SOON
    latest = found.latest or found.day
    assert found.timing(latest) is Timing.DUE_SOON
    assert found.timing(latest + timedelta(days=1)) is Timing.OVERDUE
    assert found.timing(found.warns - timedelta(days=1)) is Timing.IN_TIME


@given(ANY, ANY)
def test_registration_outlives_neither_three_years_nor_the_licence(start: date, licence_ends: date) -> None:
    end = validity_end(start, licence_ends=licence_ends, pack=PACK)
    assert end <= licence_ends
    assert end <= add_years(start, 3)
    assert end in (licence_ends, add_years(start, 3))


@given(ANY)
def test_renewal_opens_sixty_days_before_the_end_and_closes_with_it(end: date) -> None:
    opens = renewal_opens(end, pack=PACK)
    assert end - opens == timedelta(days=60)
    found = due(RegistrationStatus.CODED, released=end, since=end, valid_until=end, pack=PACK, calendar=CALENDAR)
    assert found is not None
    assert found.timing(opens) is Timing.DUE_SOON
    assert found.timing(opens - timedelta(days=1)) is Timing.IN_TIME
    assert (found.timing(end) is Timing.OVERDUE) == has_lapsed(end, end)
    assert not has_lapsed(end, end - timedelta(days=1))
    assert not has_lapsed(None, end)


@given(KNOWN)
def test_notice_runs_ten_working_days_and_the_code_follows_it(start: date) -> None:
    end = notice_end(start, pack=PACK, calendar=CALENDAR)
    assert CALENDAR.working_days_between(start, end) == 10
    found = due(
        RegistrationStatus.PUBLIC_NOTICE, released=start, since=start, valid_until=None, pack=PACK, calendar=CALENDAR
    )
    assert found is not None
    assert found.step is Step.CODE
    assert CALENDAR.working_days_between(end, found.day) == 3


def test_spring_festival_of_2026_is_not_counted() -> None:
    found = due(
        RegistrationStatus.DUE,
        released=date(2026, 2, 9),
        since=date(2026, 2, 9),
        valid_until=None,
        pack=PACK,
        calendar=CALENDAR,
    )
    assert found is not None
    assert found.day > date(2026, 3, 9)


def test_deadline_in_an_unpublished_year_is_overdue_only_when_it_surely_is() -> None:
    found = due(
        RegistrationStatus.DUE,
        released=date(2026, 12, 21),
        since=date(2026, 12, 21),
        valid_until=None,
        pack=PACK,
        calendar=CALENDAR,
    )
    assert found is not None
    assert (found.day, found.latest) == (date(2027, 1, 16), date(2027, 1, 29))
    days = (date(2026, 12, 22), found.warns, found.day, date(2027, 1, 17), date(2027, 1, 29), date(2027, 1, 30))
    assert [found.timing(day) for day in days] == [
        Timing.IN_TIME,
        *[Timing.DUE_SOON] * 4,
        Timing.OVERDUE,
    ]
