"""The tables of `tests/specs/sharing.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import Verb
from hub.sharing.model import ConsentStatus
from hub.sharing.rules import ConsentFact, refusals_of_consent, refusals_to_answer
from tests.spec_tables import Row, rows

STEWARD = Actor(person_id="专员", org_id="区卫健委", org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD}))


def use(row: Row) -> Sequence[Refusal]:
    """One shared-in table an answer; none: it was never asked."""
    answers = row.words("answer", ConsentStatus) or (None,)
    facts = [ConsentFact(table_id=f"表{n}", provider_org="区卫健委", status=said) for n, said in enumerate(answers)]
    return refusals_of_consent(facts)


def answer(row: Row) -> Sequence[Refusal]:
    to = row.word("to", ConsentStatus, ConsentStatus.GIVEN)
    return refusals_to_answer(
        actor=row.actor(STEWARD),
        verb=Verb.WITHDRAW_CONSENT if to is ConsentStatus.WITHDRAWN else Verb.DECIDE_CONSENT,
        consent_id="c-0001",
        provider_org=row.text("provider", "区卫健委"),
        status=row.word("state", ConsentStatus, ConsentStatus.REQUESTED),
        to=to,
        reason=row.text("reason", "与法定职责相符"),
    )


@pytest.mark.parametrize("row", rows("sharing"), ids=str)
def test_sharing_as_its_tables_say(row: Row) -> None:
    row.holds({"use": use, "answer": answer})
