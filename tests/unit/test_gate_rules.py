"""The gate's rules as tables a reviewer can read, and the whole product of roles, seats and states."""

from dataclasses import replace
from itertools import product

import pytest

from hub.gate.model import REQUEST_MOVES, Decision, RequestStatus, Seat
from hub.gate.rules import (
    CastVote,
    RequestFacts,
    approved,
    refusals_of_check,
    refusals_of_files,
    refusals_of_votes,
    refusals_to_deliver,
    refusals_to_submit,
    refusals_to_vote,
    refusals_to_withdraw,
)
from hub.people.actor import Actor, OrgKind, Role

DIGEST = "d" * 64
REASON = "looked at every cell of the table"


def person(name: str, org: str, kind: OrgKind, *roles: Role) -> Actor:
    return Actor(person_id=name, org_id=org, org_kind=kind, roles=frozenset(roles))


PROVIDER = person("p", "mz", OrgKind.DEPARTMENT, Role.PROVIDER_REVIEWER)
COMPLIANCE = person("c", "centre", OrgKind.CENTRE, Role.COMPLIANCE_REVIEWER)
SECURITY = person("s", "bureau", OrgKind.BUREAU, Role.SECURITY_REVIEWER)
AUTHOR = person("a", "ky", OrgKind.OPERATOR, Role.ANALYST)
COLLEAGUE = person("e", "ky", OrgKind.OPERATOR, Role.COMPLIANCE_REVIEWER)
RELEASER = person("r", "centre", OrgKind.CENTRE, Role.RELEASE_OFFICER)
BUILDER = person("b", "centre", OrgKind.CENTRE, Role.CENTRE_OPERATOR)


def vote(actor: Actor, seat: Seat, decision: Decision = Decision.APPROVE, digest: str = DIGEST) -> CastVote:
    return CastVote(person_id=actor.person_id, org_id=actor.org_id, seat=seat, decision=decision, digest=digest)


BOTH = (vote(PROVIDER, Seat.PROVIDER), vote(COMPLIANCE, Seat.COMPLIANCE))

IN_REVIEW = RequestFacts(
    id="r-0001",
    status=RequestStatus.IN_REVIEW,
    digest=DIGEST,
    author_id="a",
    author_org="ky",
    operator_org="ky",
    provider_orgs=frozenset({"mz"}),
    extract_builders=frozenset({"b"}),
    reviewers_required=2,
    votes=(),
    check_verdict="pass",
    check_digest=DIGEST,
)
APPROVED = replace(IN_REVIEW, status=RequestStatus.APPROVED, votes=BOTH)


def codes(refusals: tuple[object, ...]) -> set[str]:
    return {refusal.rule for refusal in refusals}  # type: ignore[attr-defined]


VOTERS = [
    (PROVIDER, set()),
    (COMPLIANCE, set()),
    (SECURITY, set()),
    (AUTHOR, {"vote.author", "role.missing"}),
    (replace(AUTHOR, roles=frozenset({Role.ANALYST, Role.COMPLIANCE_REVIEWER})), {"vote.author"}),
    (COLLEAGUE, {"vote.colleague"}),
    (RELEASER, {"role.missing", "vote.release_officer"}),
    (replace(COMPLIANCE, roles=frozenset({Role.COMPLIANCE_REVIEWER, Role.RELEASE_OFFICER})), {"vote.release_officer"}),
    (replace(COMPLIANCE, person_id="b"), {"vote.extract_builder"}),
    (replace(PROVIDER, org_id="tj"), {"vote.provider_org"}),
    (person("x", "audit", OrgKind.AUDIT, Role.AUDITOR), {"role.missing"}),
    (person("x", "centre", OrgKind.CENTRE), {"role.missing"}),
]


@pytest.mark.parametrize(("actor", "expected"), VOTERS)
def test_who_may_vote(actor: Actor, expected: set[str]) -> None:
    assert codes(refusals_to_vote(IN_REVIEW, actor, digest=DIGEST, reason=REASON)) == expected


def test_operator_that_is_not_the_authors_institution_cannot_vote() -> None:
    request = replace(IN_REVIEW, author_org="developer", author_id="z")
    assert codes(refusals_to_vote(request, COLLEAGUE, digest=DIGEST, reason=REASON)) == {"vote.operator_org"}


@pytest.mark.parametrize("status", RequestStatus)
def test_votes_are_cast_in_review_only(status: RequestStatus) -> None:
    found = codes(refusals_to_vote(replace(IN_REVIEW, status=status), PROVIDER, digest=DIGEST, reason=REASON))
    assert found == (set() if status is RequestStatus.IN_REVIEW else {"export.status"})


def test_vote_needs_the_digest_under_review_and_a_written_reason_and_stands() -> None:
    assert codes(refusals_to_vote(IN_REVIEW, PROVIDER, digest="e" * 64, reason=REASON)) == {"vote.digest"}
    assert codes(refusals_to_vote(IN_REVIEW, PROVIDER, digest=DIGEST, reason=" ok      ")) == {"vote.reason_missing"}
    assert codes(refusals_to_vote(IN_REVIEW, PROVIDER, digest=DIGEST, reason="0123456789")) == set()
    voted = replace(IN_REVIEW, votes=(vote(PROVIDER, Seat.PROVIDER),))
    assert codes(refusals_to_vote(voted, PROVIDER, digest=DIGEST, reason=REASON)) == {"vote.twice"}


def test_nobody_takes_a_seat_that_is_not_theirs() -> None:
    found = codes(refusals_to_vote(IN_REVIEW, COMPLIANCE, digest=DIGEST, reason=REASON, seat=Seat.PROVIDER))
    assert found == {"vote.provider_org"}


ENOUGH = [
    ((), {"release.votes", "release.seats"}),
    (BOTH[:1], {"release.votes", "release.seats"}),
    (BOTH, set()),
    ((*BOTH, vote(SECURITY, Seat.SECURITY, Decision.OBJECT)), {"release.objection"}),
    ((BOTH[0], vote(SECURITY, Seat.SECURITY)), {"release.seats"}),
    ((BOTH[0], vote(PROVIDER, Seat.COMPLIANCE)), {"release.votes", "release.seats"}),
    ((BOTH[0], vote(COMPLIANCE, Seat.COMPLIANCE, digest="e" * 64)), {"release.votes", "release.seats"}),
    ((BOTH[0], vote(COLLEAGUE, Seat.COMPLIANCE)), {"release.votes", "release.seats"}),
    ((BOTH[0], vote(AUTHOR, Seat.COMPLIANCE)), {"release.votes", "release.seats"}),
    ((BOTH[0], vote(BUILDER, Seat.COMPLIANCE)), {"release.votes", "release.seats"}),
]


@pytest.mark.parametrize(("votes", "expected"), ENOUGH)
def test_when_votes_are_enough(votes: tuple[CastVote, ...], expected: set[str]) -> None:
    request = replace(IN_REVIEW, votes=votes)
    assert codes(refusals_of_votes(request)) == expected
    assert approved(request) == (not expected)


def test_licence_may_ask_for_more_and_never_for_fewer_than_two() -> None:
    assert codes(refusals_of_votes(replace(APPROVED, reviewers_required=3))) == {"release.votes"}
    assert codes(refusals_of_votes(replace(APPROVED, reviewers_required=1, votes=BOTH[:1]))) >= {"release.votes"}


CHECKS = [("pass", DIGEST, set()), ("flag", DIGEST, set())] + [
    (verdict, digest, {"release.check"})
    for verdict, digest in [("block", DIGEST), ("", ""), ("Pass", DIGEST), ("pass", "e" * 64), ("pass", "")]
]


@pytest.mark.parametrize(("verdict", "digest", "expected"), CHECKS)
def test_check_that_did_not_pass_on_these_bytes_is_no_check(verdict: str, digest: str, expected: set[str]) -> None:
    assert codes(refusals_of_check(replace(IN_REVIEW, check_verdict=verdict, check_digest=digest))) == expected


DELIVERERS = [
    (RELEASER, set()),
    (replace(RELEASER, person_id="c"), {"release.reviewer"}),
    (replace(RELEASER, person_id="a"), {"release.author"}),
    (replace(RELEASER, org_id="ky"), {"release.author"}),
    (COMPLIANCE, {"role.missing", "release.reviewer"}),
    (BUILDER, {"role.missing"}),
]


@pytest.mark.parametrize(("actor", "expected"), DELIVERERS)
def test_who_may_deliver(actor: Actor, expected: set[str]) -> None:
    assert codes(refusals_to_deliver(APPROVED, actor)) == expected


@pytest.mark.parametrize("status", RequestStatus)
def test_only_an_approved_request_is_delivered(status: RequestStatus) -> None:
    found = codes(refusals_to_deliver(replace(APPROVED, status=status), RELEASER))
    assert found == (set() if status is RequestStatus.APPROVED else {"export.status"})


def test_no_combination_of_votes_without_two_distinct_outside_people_and_both_seats_is_approved() -> None:
    people = [PROVIDER, COMPLIANCE, SECURITY, AUTHOR, COLLEAGUE, BUILDER]
    ballots = [vote(*ballot) for ballot in product(people, Seat, Decision, [DIGEST, "e" * 64])]
    for pair in product(ballots, repeat=2):
        if approved(replace(IN_REVIEW, votes=pair)):
            assert {ballot.person_id for ballot in pair} <= {"p", "c", "s"}
            assert pair[0].person_id != pair[1].person_id
            assert {ballot.seat for ballot in pair} == {Seat.PROVIDER, Seat.COMPLIANCE}
            assert all(ballot.decision is Decision.APPROVE and ballot.digest == DIGEST for ballot in pair)


FILES = [
    ({"a.csv": "1"}, {"a.csv": "1"}, set()),
    ({"a.csv": "1"}, {"a.csv": "2"}, {"file.changed"}),
    ({"a.csv": "1"}, {}, {"file.changed"}),
    ({"a.csv": "1"}, {"a.csv": "1", "b.csv": "1"}, {"file.changed"}),
    ({}, {}, {"export.empty"}),
]


@pytest.mark.parametrize(("expected", "found", "rules"), FILES)
def test_files_hashed_again(expected: dict[str, str], found: dict[str, str], rules: set[str]) -> None:
    assert codes(refusals_of_files("r-0001", expected, found)) == rules


SUBMISSIONS = [
    (AUTHOR, "a", "title", REASON, ["x"], set()),
    (AUTHOR, "other", "title", REASON, ["x"], {"export.author"}),
    (AUTHOR, "a", "title", REASON, [], {"export.empty"}),
    (AUTHOR, "a", " ", REASON, ["x"], {"export.incomplete"}),
    (AUTHOR, "a", "title", "short", ["x"], {"export.incomplete"}),
    (PROVIDER, "p", "title", REASON, ["x"], {"role.missing"}),
]


@pytest.mark.parametrize(("actor", "owner", "title", "reason", "slugs", "expected"), SUBMISSIONS)
def test_who_may_submit(
    actor: Actor, owner: str, title: str, reason: str, slugs: list[str], expected: set[str]
) -> None:
    found = refusals_to_submit(
        actor=actor, owner_id=owner, workspace_id="w-0001", title=title, reason=reason, slugs=slugs
    )
    assert codes(found) == expected


def test_author_alone_withdraws_while_nothing_is_final() -> None:
    assert codes(refusals_to_withdraw(IN_REVIEW, AUTHOR)) == set()
    assert codes(refusals_to_withdraw(IN_REVIEW, replace(AUTHOR, person_id="b"))) == {"export.author"}
    for status in RequestStatus:
        final = RequestStatus.WITHDRAWN not in REQUEST_MOVES[status]
        found = codes(refusals_to_withdraw(replace(IN_REVIEW, status=status), AUTHOR))
        assert found == ({"export.status"} if final else set())


def test_every_refusal_says_what_to_do_next() -> None:
    for refusal in refusals_to_vote(IN_REVIEW, AUTHOR, digest="", reason=""):
        assert str(refusal.text).endswith(".")
        assert str(refusal.next_step).endswith(".")


def test_each_department_whose_data_are_used_has_to_approve() -> None:
    joined = replace(IN_REVIEW, provider_orgs=frozenset({"mz", "tj"}), votes=BOTH)
    assert codes(refusals_of_votes(joined)) == {"release.departments"}
    other = person("q", "tj", OrgKind.DEPARTMENT, Role.PROVIDER_REVIEWER)
    assert approved(replace(joined, votes=(*BOTH, vote(other, Seat.PROVIDER))))
    on_another_seat = vote(replace(other, roles=frozenset({Role.COMPLIANCE_REVIEWER})), Seat.COMPLIANCE)
    assert not approved(replace(joined, votes=(*BOTH, on_another_seat)))
