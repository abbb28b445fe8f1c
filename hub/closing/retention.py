"""How long what was kept has to be kept, and whether it may go. Pure.

Rules here: `retention.floor` (inside the time that law or this site's rules ask for, nothing is deleted),
`retention.never` (the ledger has no deletion at all).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from enum import StrEnum

from hub.errors import Refusal
from hub.message import msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.calendar import add_years
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

LOG_BASIS = "网络安全法 第二十三条"
RECORD_BASIS = "网络数据安全管理条例 第十二条"
ASSESSMENT_BASIS = "个人信息保护法 第五十六条"


class Record(StrEnum):
    """What is kept for a time."""

    LEDGER = "ledger"
    RELEASE = "release"
    ASSESSMENT = "assessment"
    NETWORK_LOG = "network_log"


_YEARS: dict[Record, tuple[tuple[Parameter, ...], str]] = {
    Record.LEDGER: ((Parameter.RETENTION_AUDIT, Parameter.RETENTION_AUDIT_FLOOR), RECORD_BASIS),
    Record.RELEASE: ((Parameter.RETENTION_EVIDENCE_CHAIN, Parameter.RETENTION_PROVIDE_ENTRUST), RECORD_BASIS),
    Record.ASSESSMENT: ((Parameter.RETENTION_IMPACT_ASSESSMENT,), ASSESSMENT_BASIS),
}
"""The longest of these counts."""


def kept_until(record: Record, made: date, *, pack: Pack) -> date:
    """The last day on which a record of `made` has to be there."""
    if record is Record.NETWORK_LOG:
        return add_months(made, pack.count(Parameter.RETENTION_NETWORK_LOGS))
    parameters, _ = _YEARS[record]
    return add_years(made, max(pack.count(parameter) for parameter in parameters))


def refusals_to_discard(
    record: Record, *, subject: str, actor: Actor, made: date, today: date, pack: Pack
) -> tuple[Refusal, ...]:
    """Everything against deleting this record today."""
    found = list(refusals_to_act(actor, Verb.DISCARD_EVIDENCE))
    until = kept_until(record, made, pack=pack)
    basis = LOG_BASIS if record is Record.NETWORK_LOG else _YEARS[record][1]
    if today <= until:
        found.append(
            Refusal(
                rule="retention.floor",
                subject=subject,
                text=msg("{subject} is to be kept until {day}.", subject=subject, day=str(until)),
                next_step=msg("Nothing is deleted before that day is over."),
                basis=basis,
            )
        )
    elif record is Record.LEDGER:
        found.append(
            Refusal(
                rule="retention.never",
                subject=subject,
                text=msg("Entries of the ledger are never deleted; every later one proves itself by them."),
                next_step=msg("Keep the ledger. It holds no value of a table."),
                basis=basis,
            )
        )
    return tuple(found)


def add_months(day: date, months: int) -> date:
    """The same date that many months on, or the last day of that month (民法典 Art. 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
