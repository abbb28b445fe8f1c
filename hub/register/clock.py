"""The registration clock: due dates and what they mean on a day. Pure; days are the district's.

Deadlines are counted in Chinese working days by the calendar and take their lengths from the rule pack, so that a new
pack moves them without a line of code. A registration is valid until the day `valid_until` begins; not renewed by then
it counts as cancelled, whether anyone has entered it or not. A deadline that reaches into a year whose holidays are not
published is provisional: who owes the step is told the earliest day it can fall on and is overdue after the latest; a
public notice runs until the latest, so that nobody loses a day for objecting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hub.register.model import AmendmentStatus, RegistrationStatus, RegistrationType
from hub.rulebook.calendar import WorkingCalendar, add_years
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

_DAY = timedelta(days=1)
SOON = 7 * _DAY
"""How long before its day a deadline begins to warn."""


class Step(StrEnum):
    """What has to be done by a deadline."""

    APPLY = "apply"
    ACCEPT = "accept"
    REVIEW = "review"
    PUBLISH = "publish"
    CODE = "code"
    OBJECTION = "objection"
    RENEW = "renew"
    CANCEL = "cancel"
    PRICE_REVIEW = "price_review"
    DEVIATION = "deviation"
    DISCLOSE = "disclose"
    REPORT = "report"


class Timing(StrEnum):
    """A deadline seen from a day."""

    IN_TIME = "in_time"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What has to be done, the last day for it, and the day from which it warns."""

    step: Step
    day: date
    warns: date
    latest: date | None = None
    """Of a provisional deadline: the latest day it can fall on, once the holidays are known."""

    def timing(self, today: date) -> Timing:
        """How this deadline stands on `today`."""
        if today > (self.latest or self.day):
            return Timing.OVERDUE
        return Timing.DUE_SOON if today >= self.warns else Timing.IN_TIME


def status_on(status: RegistrationStatus, valid_until: date | None, today: date) -> RegistrationStatus:
    """Where a registration stands on a day: one that ended without renewal is cancelled (登记办法 Art. 15)."""
    if status is RegistrationStatus.CODED and has_lapsed(valid_until, today):
        return RegistrationStatus.CANCELLED
    return status


_STEPS: dict[RegistrationStatus, tuple[Step, Parameter]] = {
    RegistrationStatus.DUE: (Step.APPLY, Parameter.REGISTRATION_FIRST_DEADLINE),
    RegistrationStatus.APPLIED: (Step.ACCEPT, Parameter.REGISTRATION_ACCEPT),
    RegistrationStatus.ACCEPTED: (Step.REVIEW, Parameter.REGISTRATION_REVIEW),
    RegistrationStatus.FORM_REVIEWED: (Step.PUBLISH, Parameter.REVIEW_STEP),
    RegistrationStatus.OBJECTED: (Step.OBJECTION, Parameter.REGISTRATION_PUBLICITY),
}
"""What is waited for in a state, and how many working days after the state was entered it is due. The rules give no
time for beginning the notice and for deciding an objection: the general step of a review and the length of a notice."""


def due(
    status: RegistrationStatus,
    *,
    released: date,
    since: date,
    valid_until: date | None,
    pack: Pack,
    calendar: WorkingCalendar,
    notice_began: date | None = None,
    today: date | None = None,
) -> Due | None:
    """The next deadline of a registration in this state; None when nothing is waited for.

    Args:
        released: The day of delivery. The first application counts from it, however often it was returned.
        since: The day on which the state was entered.
        valid_until: The day at whose beginning a coded registration ends.
        notice_began: The day on which the notice began, if it has.
        today: With it, a registration that has lapsed waits for its cancellation to be entered.
    """
    if status is RegistrationStatus.CODED:
        if valid_until is None:
            return None
        if today is not None and has_lapsed(valid_until, today):
            return _counted(Step.CANCEL, valid_until, pack.count(Parameter.REGISTRATION_CANCELLATION), calendar)
        return Due(step=Step.RENEW, day=valid_until - _DAY, warns=renewal_opens(valid_until, pack=pack))
    if status is RegistrationStatus.PUBLIC_NOTICE:
        return _code(since, notice_began or since, pack, calendar)
    if status not in _STEPS:
        return None
    step, parameter = _STEPS[status]
    start = released if status is RegistrationStatus.DUE else since
    return _counted(step, start, pack.count(parameter), calendar)


def due_of_amendment(
    kind: RegistrationType,
    status: AmendmentStatus,
    *,
    since: date,
    notice_began: date | None,
    valid_until: date | None,
    pack: Pack,
    calendar: WorkingCalendar,
) -> Due | None:
    """The next deadline of a later registration in this state; None when nothing is waited for."""
    if kind is RegistrationType.RENEWAL and status is AmendmentStatus.APPLIED and valid_until is not None:
        return Due(step=Step.RENEW, day=valid_until - _DAY, warns=renewal_opens(valid_until, pack=pack))
    if kind is RegistrationType.CANCELLATION and status is AmendmentStatus.ACCEPTED:
        return _counted(Step.CANCEL, since, pack.count(Parameter.REGISTRATION_CANCELLATION), calendar)
    if status is AmendmentStatus.PUBLIC_NOTICE:
        return _code(since, notice_began or since, pack, calendar)
    same = {one.value: _STEPS[one] for one in _STEPS if one is not RegistrationStatus.DUE}
    if status.value not in same:
        return None
    step, parameter = same[status.value]
    return _counted(step, since, pack.count(parameter), calendar)


def notice_end(began: date, *, pack: Pack, calendar: WorkingCalendar) -> date:
    """The last day of a public notice that began on `began`; where it is provisional, the latest it can be."""
    return calendar.deadline(began, pack.count(Parameter.REGISTRATION_PUBLICITY)).latest


def validity_end(start: date, *, licence_ends: date, pack: Pack) -> date:
    """The day at whose beginning a registration that counts from `start` ends: three years, or the licence's end."""
    return min(add_years(start, pack.count(Parameter.REGISTRATION_VALIDITY)), licence_ends)


def renewal_opens(valid_until: date, *, pack: Pack) -> date:
    """The first day on which a registration can be renewed."""
    return valid_until - pack.count(Parameter.REGISTRATION_RENEWAL_WINDOW) * _DAY


def has_lapsed(valid_until: date | None, today: date) -> bool:
    """Whether a registration has ended without renewal."""
    return valid_until is not None and today >= valid_until


def yearly(step: Step, *, year: int, pack: Pack) -> Due:
    """The last day for what is published or handed in about `year`; it warns from the first day after that year."""
    parameter = Parameter.REPORT_OPERATING if step is Step.REPORT else Parameter.DISCLOSURE_ANNUAL
    month, day = divmod(pack.count(parameter), 100)
    return Due(step=step, day=date(year + 1, month, day), warns=date(year + 1, 1, 1))


def _code(since: date, began: date, pack: Pack, calendar: WorkingCalendar) -> Due:
    """A code follows the end of the notice, or the dismissal of the last objection if that came later."""
    end = notice_end(began, pack=pack, calendar=calendar)
    return _counted(Step.CODE, max(end, since), pack.count(Parameter.REVIEW_STEP), calendar)


def _counted(step: Step, start: date, days: int, calendar: WorkingCalendar) -> Due:
    found = calendar.deadline(start, days)
    latest = found.latest if found.is_provisional else None
    return Due(step=step, day=found.earliest, warns=found.earliest - SOON, latest=latest)
