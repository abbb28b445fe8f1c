"""The tables of `tests/specs/people.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Post, Role
from hub.people.rules import (
    Verb,
    refusals_of_interest,
    refusals_of_lapse,
    refusals_to_act,
    refusals_to_appoint,
    refusals_to_end_appointment,
    refusals_to_make_responsible,
    refusals_to_record_training,
)
from tests.spec_tables import Row, rows

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
NEXT_YEAR = datetime(2027, 11, 24, tzinfo=UTC)
OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))


def act(row: Row) -> Sequence[Refusal]:
    return refusals_to_act(row.actor(OFFICER), row.word("act", Verb, Verb.GRANT_LICENCE))


def open_account(row: Row) -> Sequence[Refusal]:
    kind = row.word("kind of organisation", OrgKind, OrgKind.OPERATOR)
    return refusals_to_appoint(kind, frozenset(row.words("role", Role)), "分析师甲")


def make_responsible(row: Row) -> Sequence[Refusal]:
    holder = Actor(
        person_id="某人",
        org_id=row.text("department of the holder", "区民政局"),
        org_kind=OrgKind.DEPARTMENT,
        roles=frozenset(row.words("role of the holder", Role, [Role.DEPT_STEWARD])),
    )
    return refusals_to_make_responsible(
        actor=row.actor(OFFICER),
        holder=holder,
        org_id="区民政局",
        post=row.word("post", Post, Post.DATA_STEWARD),
        starts_at=row.moment("starts", NOW),
        ends_at=row.moment("ends", NEXT_YEAR),
        now=NOW,
        letter_ref=row.text("letter", "民政〔2026〕3号"),
        letter_digest=row.text("digest of the letter"),
    )


def end_appointment(row: Row) -> Sequence[Refusal]:
    return refusals_to_end_appointment(
        actor=row.actor(OFFICER), appointment_id="a-0001", is_over=row.yes("over", default=False)
    )


def until(row: Row, heading: str) -> datetime | None:
    return None if row.text(heading) == "从未" else row.moment(heading, NEXT_YEAR)


def lapse(row: Row) -> Sequence[Refusal]:
    return refusals_of_lapse(
        "某人",
        has_access=row.yes("has access", default=True),
        trained_until=until(row, "trained until"),
        confidentiality_until=until(row, "bound until"),
        now=NOW,
    )


def interest(row: Row) -> Sequence[Refusal]:
    decider = replace(
        row.actor(OFFICER), attached_to=row.text("attached to"), interests=frozenset(row.texts("interest in"))
    )
    return refusals_of_interest(decider, row.text("operator", "示例普数科技"))


def record_training(row: Row) -> Sequence[Refusal]:
    return refusals_to_record_training(
        actor=row.actor(OFFICER),
        person_id=row.text("trained person", "分析师甲"),
        is_closed=row.yes("closed", default=False),
    )


ASKS = {
    "act": act,
    "open_account": open_account,
    "make_responsible": make_responsible,
    "end_appointment": end_appointment,
    "lapse": lapse,
    "interest": interest,
    "record_training": record_training,
}


@pytest.mark.parametrize("row", rows("people"), ids=str)
def test_people_as_their_tables_say(row: Row) -> None:
    row.holds(ASKS)
