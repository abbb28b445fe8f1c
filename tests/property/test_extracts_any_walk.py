"""Every state, verb and role of the ladder and of sealed runs: what no table lists is refused."""

from __future__ import annotations

from itertools import product

import pytest

from hub.extracts.model import (
    EXTRACT_MOVES,
    EXTRACT_REQUEST_MOVES,
    SEATS_OF_LEVEL,
    ExtractRequestStatus,
    ExtractSeat,
    ExtractStatus,
)
from hub.extracts.rules import (
    Decided,
    RungRequest,
    lacking,
    refusals_to_build,
    refusals_to_decide,
    refusals_to_end,
    refusals_to_request,
    refusals_to_revoke,
    refusals_to_withdraw,
)
from hub.licensing.model import ExtractLevel
from hub.people.actor import SYSTEM, Actor, OrgKind, Role
from hub.people.rules import HOME, MAY, Verb
from hub.runs.model import RUN_MOVES, RunStatus
from hub.runs.rules import RunFacts, refusals_to_start
from hub.runs.rules import refusals_to_decide as refusals_to_decide_run
from hub.runs.rules import refusals_to_withdraw as refusals_to_withdraw_run

REASON = "范围与协议一致,用途明确。"
PEOPLE = [
    Actor(person_id=f"{role}-{kind}", org_id=f"org-{kind}", org_kind=kind, roles=frozenset({role}))
    for role in Role
    for kind in sorted(HOME[role])
]
LICENSEE = f"org-{OrgKind.OPERATOR}"
OWNER = f"org-{OrgKind.DEPARTMENT}"


def rung(level: ExtractLevel, status: ExtractRequestStatus, decisions: tuple[Decided, ...] = ()) -> RungRequest:
    return RungRequest(
        id="q-0001",
        level=level,
        status=status,
        digest="d",
        requested_by="someone",
        operator_org=LICENSEE,
        owner_org=OWNER,
        builders=frozenset(),
        decisions=decisions,
    )


@pytest.mark.parametrize("level", list(ExtractLevel))
def test_rung_is_asked_for_decided_and_built_by_whom_the_tables_name_and_nobody_else(level: ExtractLevel) -> None:
    approvals = tuple(Decided(seat=seat, person_id="x", approves=True, digest="d") for seat in SEATS_OF_LEVEL[level])
    seats = {Role.DEPT_STEWARD: ExtractSeat.PROVIDER, Role.COMPLIANCE_REVIEWER: ExtractSeat.COMPLIANCE}
    for actor, status in product(PEOPLE, ExtractRequestStatus):
        (role,) = actor.roles
        asks = refusals_to_request(
            actor=actor,
            licence_id="l-0001",
            operator_org=LICENSEE,
            table_id="t",
            level=level,
            allowed={"t": [level]},
            is_secret=False,
            is_there=False,
            purpose=REASON,
        )
        assert (not asks) == (role in MAY[Verb.REQUEST_EXTRACT] and actor.org_id == LICENSEE)
        decides = refusals_to_decide(rung(level, status), actor, digest="d", reason=REASON)
        open_ = ExtractRequestStatus.APPROVED in EXTRACT_REQUEST_MOVES[status]
        seated = seats.get(role) in SEATS_OF_LEVEL[level] and actor.org_id != LICENSEE
        assert (not decides) == (open_ and seated), (actor, status)
        takes_back = refusals_to_withdraw(rung(level, status), actor)
        asked = role in MAY[Verb.REQUEST_EXTRACT] and actor.org_id == LICENSEE
        assert (not takes_back) == (asked and ExtractRequestStatus.WITHDRAWN in EXTRACT_REQUEST_MOVES[status])
        builds = refusals_to_build(rung(level, status, approvals), actor, is_outdated=False, is_running=False)
        assert (not builds) == (role is Role.CENTRE_OPERATOR and status is ExtractRequestStatus.APPROVED)


def test_platform_itself_asks_for_and_builds_only_what_the_licence_grants_by_rule() -> None:
    for level in ExtractLevel:
        by_rule = SEATS_OF_LEVEL[level] == {ExtractSeat.RULE}
        asks = refusals_to_request(
            actor=SYSTEM,
            licence_id="l-0001",
            operator_org=LICENSEE,
            table_id="t",
            level=level,
            allowed={"t": [level]},
            is_secret=False,
            is_there=False,
            purpose=REASON,
        )
        approvals = tuple(
            Decided(seat=seat, person_id=SYSTEM.person_id, approves=True, digest="d") for seat in SEATS_OF_LEVEL[level]
        )
        request = rung(level, ExtractRequestStatus.APPROVED, approvals)
        builds = refusals_to_build(request, SYSTEM, is_outdated=False, is_running=False)
        assert (not asks, not builds) == (by_rule, by_rule)
        assert refusals_to_decide(rung(level, ExtractRequestStatus.REQUESTED), SYSTEM, digest="d", reason=REASON)


@pytest.mark.parametrize("level", list(ExtractLevel))
def test_no_set_of_decisions_short_of_all_seats_on_this_digest_approves(level: ExtractLevel) -> None:
    options = [
        Decided(seat=seat, person_id=f"{seat}", approves=approves, digest=digest)
        for seat, approves, digest in product(ExtractSeat, (True, False), ("d", "other"))
    ]
    for one, other in product(options, options):
        request = rung(level, ExtractRequestStatus.APPROVED, (one, other))
        said = {decided.seat for decided in (one, other) if decided.approves and decided.digest == "d"}
        assert (not lacking(request)) == (said >= SEATS_OF_LEVEL[level])


def test_extract_moves_by_the_table_alone() -> None:
    for actor, status in product(PEOPLE, ExtractStatus):
        (role,) = actor.roles
        revokes = refusals_to_revoke(actor=actor, extract_id="e-0001", owner_org=OWNER, status=status, reason=REASON)
        may = role is Role.DEPT_STEWARD and ExtractStatus.REVOKED in EXTRACT_MOVES[status]
        assert (not revokes) == may
        ends = refusals_to_end(extract_id="e-0001", status=status)
        assert (not ends) == (status is ExtractStatus.BUILDING)


def test_sealed_run_is_decided_started_and_taken_back_by_whom_the_tables_name() -> None:
    for actor, status in product(PEOPLE, RunStatus):
        (role,) = actor.roles
        run = RunFacts(
            id="n-0001",
            status=status,
            digest="d",
            author_id=f"{Role.ANALYST}-{OrgKind.OPERATOR}",
            author_org=LICENSEE,
            operator_org=LICENSEE,
            builders=frozenset(),
        )
        decides = refusals_to_decide_run(run, actor, digest="d", reason=REASON)
        outside = actor.org_id != LICENSEE
        may = role in MAY[Verb.DECIDE_RUN] and outside and RunStatus.APPROVED in RUN_MOVES[status]
        assert (not decides) == may, (actor, status)
        starts = refusals_to_start(run, actor)
        assert (not starts) == (role in MAY[Verb.START_RUN] and outside and RunStatus.RUNNING in RUN_MOVES[status])
        back = refusals_to_withdraw_run(run, actor)
        is_author = actor.person_id == run.author_id
        assert (not back) == (is_author and RunStatus.WITHDRAWN in RUN_MOVES[status])
