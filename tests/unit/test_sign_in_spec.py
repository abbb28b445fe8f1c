"""The tables of `tests/specs/sign_in.md`, asked of the rules; how long a session lasts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import Refusal
from hub.people.sign_in_rules import (
    IDLE,
    LIFE,
    Access,
    Proof,
    is_live,
    is_over,
    judged,
    refusals_of_password,
    refusals_to_begin_enrolment,
    refusals_to_change_sign_in,
    refusals_to_enrol,
    refusals_to_sign_in,
    refusals_to_vouched,
)
from tests.spec_tables import Row, rows

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def proof(row: Row) -> Proof:
    return Proof(
        is_known=row.yes("known", default=True),
        password_right=row.yes("password right", default=True),
        has_access=row.yes("has access", default=True),
        is_enrolled=row.yes("enrolled", default=True),
        wrong_codes=row.number("wrong codes", 0),
        step=step(row),
        last_step=row.number("last step", 99),
        recovery_right=row.yes("recovery right", default=False),
    )


def step(row: Row) -> int | None:
    return int(said) if (said := row.text("step", "100")) else None


def until(row: Row) -> datetime | None:
    return None if row.text("good until", "-") == "" else row.moment("good until", LATER)


def sign_in(row: Row) -> Sequence[Refusal]:
    return refusals_to_sign_in(judged(proof(row)))


def change(row: Row) -> Sequence[Refusal]:
    return refusals_to_change_sign_in(judged(proof(row)))


def vouched(row: Row) -> Sequence[Refusal]:
    return refusals_to_vouched(
        is_known=row.yes("known", default=True),
        has_access=row.yes("has access", default=True),
        is_strong=row.yes("strong", default=True),
    )


def begin(row: Row) -> Sequence[Refusal]:
    return refusals_to_begin_enrolment(
        password_right=row.yes("password right", default=True),
        has_access=row.yes("has access", default=True),
        until=until(row),
        now=NOW,
    )


def finish(row: Row) -> Sequence[Refusal]:
    return refusals_to_enrol(
        is_same=row.yes("same password", default=True),
        has_access=row.yes("has access", default=True),
        until=until(row),
        now=NOW,
        step=step(row),
    )


def password(row: Row) -> Sequence[Refusal]:
    given = row.text("password", "lantern-otter-maple")
    length = row.number("length", 0)
    return refusals_of_password(
        (given * length)[:length] if length else given,
        personal=("ky-analyst", "康养服务分析师", "Elder-care analyst"),
        is_old=row.yes("same as now", default=False),
    )


ASKS = {
    "sign_in": sign_in,
    "change": change,
    "vouched": vouched,
    "begin": begin,
    "finish": finish,
    "password": password,
}


@pytest.mark.parametrize("row", rows("sign_in"), ids=str)
def test_sign_in_as_its_tables_say(row: Row) -> None:
    row.holds(ASKS)


def access(**changes: object) -> Access:
    given: dict[str, object] = {
        "has_access": True,
        "signed_out_at": None,
        "trained_until": LATER,
        "confidentiality_until": LATER,
    }
    return Access(**{**given, **changes})  # type: ignore[arg-type]


EARLIER, SECOND = NOW - timedelta(hours=1), timedelta(seconds=1)
OVER = [
    ({}, False),
    ({"has_access": False}, True),
    ({"signed_out_at": NOW}, True),
    ({"signed_out_at": EARLIER}, False),
    ({"trained_until": None, "confidentiality_until": None}, False),
    ({"trained_until": NOW}, True),
    ({"confidentiality_until": NOW}, True),
    ({"trained_until": NOW + SECOND}, False),
    ({"trained_until": EARLIER}, False),  # lapsed before the session: it reads, and goes on
]


@pytest.mark.parametrize(("changes", "over"), OVER)
def test_what_is_open_ends_with_access_sign_out_and_lapses_that_came_since(
    changes: dict[str, object], over: bool
) -> None:
    assert is_over(access(**changes), EARLIER, NOW) is over


@pytest.mark.parametrize(
    ("opened", "seen", "ended", "live"),
    [
        (NOW, NOW, None, True),
        (NOW, NOW, NOW, False),
        (NOW - IDLE, NOW - IDLE, None, False),
        (NOW - IDLE, NOW - IDLE + SECOND, None, True),
        (NOW - LIFE, NOW, None, False),
        (NOW - LIFE + SECOND, NOW, None, True),
    ],
)
def test_session_has_an_idle_limit_and_a_whole_one(
    opened: datetime, seen: datetime, ended: datetime | None, live: bool
) -> None:
    assert is_live(opened_at=opened, seen_at=seen, ended_at=ended, now=NOW) is live
