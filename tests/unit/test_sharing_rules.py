"""Rules of consent as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import Verb
from hub.sharing.model import CONSENT_MOVES, ConsentStatus
from hub.sharing.rules import ConsentFact, refusals_of_consent, refusals_to_answer

STEWARD = Actor(person_id="s", org_id="wj", org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD}))
REVIEWER = replace(STEWARD, roles=frozenset({Role.PROVIDER_REVIEWER}))
FACT = ConsentFact(table_id="t", provider_org="wj", status=ConsentStatus.GIVEN)

USES = [
    ([], []),
    ([ConsentStatus.GIVEN], []),
    ([None], ["licence.consent_missing"]),
    ([ConsentStatus.REQUESTED], ["licence.consent_missing"]),
    ([ConsentStatus.REFUSED], ["licence.consent_missing"]),
    ([ConsentStatus.WITHDRAWN], ["licence.consent_withdrawn"]),
    ([ConsentStatus.GIVEN, None], ["licence.consent_missing"]),
    ([ConsentStatus.WITHDRAWN, ConsentStatus.REFUSED], ["licence.consent_withdrawn", "licence.consent_missing"]),
]


@pytest.mark.parametrize(("statuses", "expected"), USES)
def test_use_of_shared_in_tables(statuses: list[ConsentStatus | None], expected: list[str]) -> None:
    facts = [replace(FACT, status=status) for status in statuses]
    assert [refusal.rule for refusal in refusals_of_consent(facts)] == expected


ANSWERS = [
    ({}, set()),
    ({"to": ConsentStatus.REFUSED}, set()),
    ({"actor": replace(STEWARD, org_id="mz")}, {"consent.provider"}),
    ({"actor": REVIEWER}, {"role.missing"}),
    ({"to": ConsentStatus.WITHDRAWN}, {"consent.status"}),
    ({"reason": " "}, {"consent.reason_missing"}),
]


@pytest.mark.parametrize(("change", "expected"), ANSWERS)
def test_answering_a_request(change: dict[str, Any], expected: set[str]) -> None:
    given: dict[str, Any] = {
        "actor": STEWARD,
        "verb": Verb.DECIDE_CONSENT,
        "consent_id": "c-0001",
        "provider_org": "wj",
        "status": ConsentStatus.REQUESTED,
        "to": ConsentStatus.GIVEN,
        "reason": "because",
    }
    assert {refusal.rule for refusal in refusals_to_answer(**{**given, **change})} == expected


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", ConsentStatus)
@pytest.mark.parametrize("to", ConsentStatus)
def test_every_status_role_and_answer_that_is_not_in_the_tables_is_refused(
    status: ConsentStatus, to: ConsentStatus, role: Role
) -> None:
    refusals = refusals_to_answer(
        actor=replace(STEWARD, roles=frozenset({role})),
        verb=Verb.WITHDRAW_CONSENT if to is ConsentStatus.WITHDRAWN else Verb.DECIDE_CONSENT,
        consent_id="c-0001",
        provider_org="wj",
        status=status,
        to=to,
        reason="because",
    )
    assert (not refusals) == (role is Role.DEPT_STEWARD and to in CONSENT_MOVES[status])
