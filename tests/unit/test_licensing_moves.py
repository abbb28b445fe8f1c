"""Which step may be taken from which state, by whom; and that no shorter way leads into force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from hub.errors import Refusal
from hub.licensing.model import LICENCE_MOVES, LicenceStatus, SigningSide
from hub.licensing.moves import (
    TARGETS,
    LicenceFacts,
    leads,
    refusals_to_deliberate,
    refusals_to_enter_filing,
    refusals_to_move,
    refusals_to_put_in_force,
    refusals_to_revise,
    refusals_to_sign,
)
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import HOME, MAY, Verb

TODAY = date(2026, 11, 24)
DIGEST, MINUTES = "a" * 64, "b" * 64
FACTS = LicenceFacts(
    id="l-0001",
    status=LicenceStatus.DRAFTING,
    digest=DIGEST,
    drafted_by="drafter",
    implementing_body="bureau",
    operator_org="operator",
)
HOMES = {OrgKind.BUREAU: "bureau", OrgKind.OPERATOR: "operator"}

# From which states each step may be taken, written out again on purpose.
OPEN = """
draft_licence: drafting deliberating signed filed
deliberate_licence: drafting
sign_licence: deliberating
file_licence: signed
grant_licence: filed
suspend_licence: active
resume_licence: suspended
terminate_licence: drafting deliberating signed filed active suspended
close_licence: active suspended terminated
"""
AGREED = {
    Verb(verb): {LicenceStatus(one) for one in states.split()}
    for verb, _, states in (line.partition(": ") for line in OPEN.strip().splitlines())
}
PERSONS = [
    Actor(person_id="someone", org_id=HOMES.get(kind, "elsewhere"), org_kind=kind, roles=frozenset({role}))
    for role in Role
    for kind in sorted(HOME[role])
]

ASKED: Mapping[Verb, Callable[[LicenceFacts, Actor], Sequence[Refusal]]] = {
    Verb.DRAFT_LICENCE: lambda facts, actor: refusals_to_revise(facts, actor, reason="changed"),
    Verb.DELIBERATE_LICENCE: lambda facts, actor: refusals_to_deliberate(
        facts,
        actor,
        digest=DIGEST,
        meeting="board",
        held_on=TODAY,
        today=TODAY,
        attendees=("head", "deputy"),
        names=(),
        minutes_digest=MINUTES,
    ),
    Verb.SIGN_LICENCE: lambda facts, actor: refusals_to_sign(facts, actor, digest=DIGEST),
    Verb.FILE_LICENCE: lambda facts, actor: refusals_to_enter_filing(
        facts, actor, filing_no="1", filed_on=TODAY, today=TODAY
    ),
    Verb.GRANT_LICENCE: refusals_to_put_in_force,
    **{
        verb: lambda facts, actor, verb=verb: refusals_to_move(facts, actor, verb, reason="why")
        for verb in (Verb.SUSPEND_LICENCE, Verb.RESUME_LICENCE, Verb.TERMINATE_LICENCE)
    },
}


def test_steps_lead_where_it_was_agreed() -> None:
    assert set(AGREED) == set(TARGETS)
    for verb, status in product(Verb, LicenceStatus):
        assert leads(verb, status) == (status in AGREED.get(verb, set())), (verb, status)


@pytest.mark.parametrize("person", PERSONS, ids=lambda person: f"{person.org_kind}-{min(person.roles)}")
@pytest.mark.parametrize("verb", sorted(ASKED))
def test_every_state_and_role_that_is_not_in_the_tables_is_refused(verb: Verb, person: Actor) -> None:
    [role] = person.roles
    for status in LicenceStatus:
        found = ASKED[verb](replace(FACTS, status=status), person)
        assert (not found) == (role in MAY[verb] and status in AGREED[verb]), (status, found)


@pytest.mark.parametrize("left_out", [LicenceStatus.DELIBERATING, LicenceStatus.SIGNED, LicenceStatus.FILED])
def test_no_way_into_force_leaves_a_step_out(left_out: LicenceStatus) -> None:
    reached, open_ends = {LicenceStatus.DRAFTING}, [LicenceStatus.DRAFTING]
    while open_ends:
        for to in LICENCE_MOVES[open_ends.pop()] - reached - {left_out}:
            reached.add(to)
            open_ends.append(to)
    assert LicenceStatus.ACTIVE not in reached


def test_nothing_leads_out_of_the_end() -> None:
    assert LICENCE_MOVES[LicenceStatus.EXITED] == frozenset()
    assert LICENCE_MOVES[LicenceStatus.TERMINATED] == {LicenceStatus.EXITED}


def test_one_side_signs_once_and_neither_signs_for_the_other() -> None:
    facts = replace(FACTS, status=LicenceStatus.DELIBERATING, signed=frozenset({SigningSide.OPERATOR}))
    admin = Actor(person_id="a", org_id="operator", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
    rival = replace(admin, org_id="rival")
    assert [one.rule for one in refusals_to_sign(facts, admin, digest=DIGEST)] == ["licence.signed_already"]
    assert [one.rule for one in refusals_to_sign(facts, rival, digest=DIGEST)] == ["licence.side"]
