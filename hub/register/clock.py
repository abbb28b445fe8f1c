"""The registration clock: due dates and what they mean on a day. Pure; days are the district's.

Deadlines are counted in Chinese working days by the calendar and take their lengths from the rule pack, so that a new
pack moves them without a line of code. A registration is valid until the day `valid_until` begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from hub.register.model import RegistrationStatus
from hub.rulebook.calendar import Deadline, WorkingCalendar, add_years
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

_DAY = timedelta(days=1)
SOON = 7 * _DAY
"""How long before its day a deadline begins to warn."""

UNREGULATED = 3
"""Working days for a step to which the rules give none: entering the notice after the review, the code after the
notice. A default of this project."""


class Step(StrEnum):
    """What has to be done by a deadline."""

    APPLY = "apply"
    ACCEPT = "accept"
    REVIEW = "review"
    PUBLISH = "publish"
    CODE = "code"
    RENEW = "renew"


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
    is_estimated: bool

    def timing(self, today: date) -> Timing:
        """How this deadline stands on `today`."""
        if today > self.day:
            return Timing.OVERDUE
        return Timing.DUE_SOON if today >= self.warns else Timing.IN_TIME


_STEPS: dict[RegistrationStatus, tuple[Step, Parameter]] = {
    RegistrationStatus.DUE: (Step.APPLY, Parameter.REGISTRATION_FIRST_DEADLINE),
    RegistrationStatus.APPLIED: (Step.ACCEPT, Parameter.REGISTRATION_ACCEPT),
    RegistrationStatus.ACCEPTED: (Step.REVIEW, Parameter.REGISTRATION_REVIEW),
}
"""What is waited for in a state, and how many working days after the state was entered it is due."""


def due(
    status: RegistrationStatus,
    *,
    released: date,
    since: date,
    valid_until: date | None,
    pack: Pack,
    calendar: WorkingCalendar,
) -> Due | None:
    """The next deadline of a registration in this state; None when nothing is waited for.

    Args:
        released: The day of delivery. The first application counts from it, however often it was returned.
        since: The day on which the state was entered.
        valid_until: The day at whose beginning a coded registration ends.
    """
    if status is RegistrationStatus.CODED:
        if valid_until is None:
            return None
        opens = renewal_opens(valid_until, pack=pack)
        return Due(step=Step.RENEW, day=valid_until - _DAY, warns=opens, is_estimated=False)
    if status is RegistrationStatus.FORM_REVIEWED:
        return _due(Step.PUBLISH, calendar.add_working_days(since, UNREGULATED))
    if status is RegistrationStatus.PUBLIC_NOTICE:
        days = pack.count(Parameter.REGISTRATION_PUBLICITY) + UNREGULATED
        return _due(Step.CODE, calendar.add_working_days(since, days))
    if status not in _STEPS:
        return None
    step, parameter = _STEPS[status]
    start = released if status is RegistrationStatus.DUE else since
    return _due(step, calendar.add_working_days(start, pack.count(parameter)))


def notice_end(since: date, *, pack: Pack, calendar: WorkingCalendar) -> Deadline:
    """The last day of a public notice that began on `since`."""
    return calendar.add_working_days(since, pack.count(Parameter.REGISTRATION_PUBLICITY))


def validity_end(start: date, *, licence_ends: date, pack: Pack) -> date:
    """The day at whose beginning a registration that counts from `start` ends: three years, or the licence's end."""
    return min(add_years(start, pack.count(Parameter.REGISTRATION_VALIDITY)), licence_ends)


def renewal_opens(valid_until: date, *, pack: Pack) -> date:
    """The first day on which a registration can be renewed."""
    return valid_until - pack.count(Parameter.REGISTRATION_RENEWAL_WINDOW) * _DAY


def has_lapsed(valid_until: date | None, today: date) -> bool:
    """Whether a registration has ended without renewal."""
    return valid_until is not None and today >= valid_until


def _due(step: Step, deadline: Deadline) -> Due:
    return Due(step=step, day=deadline.day, warns=deadline.day - SOON, is_estimated=deadline.is_estimated)
