"""The tables of `tests/specs/closing.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from hub.closing.retention import Record, add_months, kept_until, refusals_to_discard
from hub.closing.rules import ClosingFacts, refusals_of_remains, refusals_to_close
from hub.errors import Refusal
from hub.licensing.model import LicenceStatus
from hub.people.actor import Actor, OrgKind, Role
from hub.rulebook.packs import pack_version
from tests.spec_tables import Row, rows

OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
PACK = pack_version("district", "2026.1")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
RECORDS = {
    "存证账本": Record.LEDGER,
    "放行包": Record.RELEASE,
    "影响评估报告": Record.ASSESSMENT,
    "网络日志": Record.NETWORK_LOG,
}


def close(row: Row) -> Sequence[Refusal]:
    facts = ClosingFacts(
        licence_id="l-0001",
        status=row.word("status", LicenceStatus, LicenceStatus.ACTIVE),
        ends_at=row.moment("ends", NOW),
        open_requests=row.number("open requests", 0),
        open_workspaces=row.number("running workspaces", 0),
        building=row.number("extracts being built", 0),
        open_runs=row.number("open sealed runs", 0),
        is_sealed=row.yes("closed", default=False),
        unmetered=row.texts("not metered to the end"),
    )
    return refusals_to_close(
        facts,
        row.actor(OFFICER),
        typed=row.text("typed", "l-0001"),
        reason=row.text("reason", "授权期满。"),
        now=NOW,
        usage_gap=row.text("why not metered"),
    )


def certify(row: Row) -> Sequence[Refusal]:
    return refusals_of_remains("l-0001", remaining=row.number("left over", 0))


def discard(row: Row) -> Sequence[Refusal]:
    return refusals_to_discard(
        RECORDS[row.text("record", "放行包")],
        subject="r-0001",
        actor=row.actor(OFFICER),
        made=row.day("made", date(2020, 1, 1)),
        today=row.day("today", date(2026, 11, 24)),
        pack=PACK,
    )


@pytest.mark.parametrize("row", rows("closing"), ids=str)
def test_closing_as_its_tables_say(row: Row) -> None:
    row.holds({"close": close, "certify": certify, "discard": discard})


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 1, 15), 6, date(2026, 7, 15)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
    ],
)
def test_months_end_on_the_matching_date_or_the_month_s_last(day: date, months: int, expected: date) -> None:
    assert add_months(day, months) == expected


def test_ledger_is_kept_five_years() -> None:
    assert kept_until(Record.LEDGER, date(2026, 11, 24), pack=PACK) == date(2031, 11, 24)
