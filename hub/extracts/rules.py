"""May a rung of a table be requested, approved, built, mounted or revoked, and if not, why.

The ladder: metadata and synthetic rows hold nobody's row, so the licence itself grants them at once; a sample is
approved by the steward of the data's department; the full rung by that steward and a compliance reviewer. The licence's
own rules are in `hub.licensing.rules` and are asked besides, at every step.

Rules here: `extract.table` (the licence does not cover the table), `extract.level` (nor this rung of it),
`extract.organisation` (only people of the licensed operator ask), `extract.secret` (a table with state secrets),
`extract.purpose_missing`, `extract.requested` (the same rung waits or is granted already), `extract.own_request`
(nobody of the applicant's institution decides), `extract.seat` (this person decides nothing on this rung),
`extract.seat_taken`, `extract.builder` (who builds does not approve, who approved does not build), `extract.digest`
(the decision is for another request than the one shown), `extract.reason_missing`, `extract.request_status`,
`extract.not_approved`, `extract.outdated` (source or policy changed since the approval), `extract.running` (a build
is under way), `extract.status` (a build that has ended is not run or ended again), `extract.owner` (another
department's data), `extract.expired`, `extract.revoked`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.errors import Refusal
from hub.extracts.model import (
    EXTRACT_MOVES,
    EXTRACT_REQUEST_MOVES,
    SEATS_OF_LEVEL,
    ExtractRequestStatus,
    ExtractSeat,
    ExtractStatus,
)
from hub.licensing.model import ExtractLevel
from hub.message import Message, msg
from hub.people.actor import SYSTEM, Actor, Role
from hub.people.rules import Verb, refusals_to_act

MIN_REASON = 10
"""Fewest characters of a written purpose or reason."""

SCOPE_BASIS = "公共数据资源授权运营实施规范(试行) 第二十一条"
KEY_BASIS = "DOMAIN §0.7, 上海市数据条例 第七十八条"
STATE_BASIS = "普陀区公共数据管理办法 第三条"

LADDER: tuple[ExtractLevel, ...] = tuple(ExtractLevel)
"""The rungs, least first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision as rules see it."""

    seat: ExtractSeat
    person_id: str
    approves: bool
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RungRequest:
    """What of a request for a rung decides who may do what with it."""

    id: str
    level: ExtractLevel
    status: ExtractRequestStatus
    digest: str
    requested_by: str
    operator_org: str
    owner_org: str
    builders: frozenset[str]
    """Everyone who ever built an extract of this table under this licence."""
    decisions: tuple[Decided, ...] = ()

    @property
    def by_rule(self) -> bool:
        return is_by_rule(self.level)


def is_by_rule(level: ExtractLevel) -> bool:
    """Whether the licence itself grants the rung: it holds nobody's row."""
    return SEATS_OF_LEVEL[level] == {ExtractSeat.RULE}


def refusals_to_request(
    *,
    actor: Actor,
    licence_id: str,
    operator_org: str,
    table_id: str,
    level: ExtractLevel,
    allowed: Mapping[str, Collection[ExtractLevel]],
    is_secret: bool,
    is_there: bool,
    purpose: str,
) -> tuple[Refusal, ...]:
    """Everything against asking for this rung. The platform asks by itself for what the licence grants by rule.

    Args:
        allowed: The rungs that the licence names, by table.
        is_there: Whether the same rung of the same source waits for a decision, or is granted and not built in vain.
    """
    found: list[Refusal] = []
    if not (actor == SYSTEM and is_by_rule(level)):
        found.extend(refusals_to_act(actor, Verb.REQUEST_EXTRACT))
        if not actor.sides_with(operator_org):
            found.append(
                _refusal(
                    "extract.organisation",
                    licence_id,
                    msg("Licence {licence} belongs to another institution.", licence=licence_id),
                    msg("Only people of the licensed operator ask for its data."),
                    SCOPE_BASIS,
                )
            )
    if table_id not in allowed:
        found.append(_not_covered(licence_id, table_id))
    elif level not in allowed[table_id]:
        found.append(
            _refusal(
                "extract.level",
                licence_id,
                msg(
                    "Licence {licence} does not allow this rung of table {table}: {level}.",
                    licence=licence_id,
                    table=table_id,
                    level=level,
                ),
                msg("Use a rung that the licence names, or agree on a change of the licence with the bureau."),
                SCOPE_BASIS,
            )
        )
    if is_secret:
        found.append(
            _refusal(
                "extract.secret",
                table_id,
                msg("Table {table} holds state secrets.", table=table_id),
                msg("Nothing of it leaves the department, on no rung."),
                STATE_BASIS,
            )
        )
    if not is_by_rule(level) and len(purpose.strip()) < MIN_REASON:
        found.append(
            _refusal(
                "extract.purpose_missing",
                licence_id,
                msg("A request needs a purpose of at least {count} characters.", count=MIN_REASON),
                msg("Write what the rows are needed for and why a lower rung is not enough."),
                SCOPE_BASIS,
            )
        )
    if is_there:
        found.append(
            _refusal(
                "extract.requested",
                licence_id,
                msg("This rung of table {table} was requested already and not refused.", table=table_id),
                msg("The page of the licence shows how far it is."),
            )
        )
    return tuple(found)


def seat_of(request: RungRequest, actor: Actor) -> ExtractSeat | None:
    """The seat from which this person decides on the request, if any."""
    seats = SEATS_OF_LEVEL[request.level]
    if ExtractSeat.PROVIDER in seats and actor.has(Role.DEPT_STEWARD) and actor.org_id == request.owner_org:
        return ExtractSeat.PROVIDER
    if ExtractSeat.COMPLIANCE in seats and actor.has(Role.COMPLIANCE_REVIEWER):
        return ExtractSeat.COMPLIANCE
    return None


def refusals_to_decide(request: RungRequest, actor: Actor, *, digest: str, reason: str) -> tuple[Refusal, ...]:
    """Everything against this person deciding on this request now.

    What must hold: (1) nobody of the applicant's institution decides, (2) the person has a seat on this rung: steward
    of the data's department or compliance reviewer, (3) the seat is free, (4) the person built no extract of the
    table, (5) the request waits for a decision, (6) the decision is for the request as it was shown, (7) with a
    written reason.
    """
    found: list[Refusal] = []
    if actor.person_id == request.requested_by or actor.sides_with(request.operator_org):  # (1), before the role
        found.append(
            _refusal(
                "extract.own_request",
                request.id,
                msg("Nobody of the applicant's institution decides on its request."),
                msg("The data's department and the platform's compliance side decide."),
                KEY_BASIS,
            )
        )
    found.extend(refusals_to_act(actor, Verb.DECIDE_EXTRACT))
    seat = seat_of(request, actor)
    if seat is None:  # (2)
        found.append(
            _refusal(
                "extract.seat",
                request.id,
                msg("You have no seat in the decision on this rung: {level}.", level=request.level),
                msg(
                    "A sample is decided on by the steward of the data's department, the full rung by that steward "
                    "and a compliance reviewer."
                ),
                KEY_BASIS,
            )
        )
    if any(one.seat is seat or one.person_id == actor.person_id for one in request.decisions):  # (3)
        found.append(
            _refusal(
                "extract.seat_taken",
                request.id,
                msg("This seat has decided on the request; a decision stands."),
                msg("The other seat decides, or the applicant files a new request."),
                KEY_BASIS,
            )
        )
    if actor.person_id in request.builders:  # (4)
        found.append(_builder(request.id))
    found.extend(_refusals_to_move(request, ExtractRequestStatus.APPROVED))  # (5)
    if digest != request.digest:  # (6)
        found.append(
            _refusal(
                "extract.digest",
                request.id,
                msg("Your decision is for another digest than the one of the request."),
                msg("Load the page again and read the request once more."),
            )
        )
    if len(reason.strip()) < MIN_REASON:  # (7)
        found.append(
            _refusal(
                "extract.reason_missing",
                request.id,
                msg("A decision needs a written reason of at least {count} characters.", count=MIN_REASON),
                msg("Write what of scope, consent and need you looked at."),
                KEY_BASIS,
            )
        )
    return tuple(found)


def refusals_to_withdraw(request: RungRequest, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against this person taking the request back."""
    found = list(refusals_to_act(actor, Verb.REQUEST_EXTRACT))
    if not actor.sides_with(request.operator_org):
        found.append(
            _refusal(
                "extract.organisation",
                request.id,
                msg("Request {request} belongs to another institution.", request=request.id),
                msg("Only people of the licensed operator ask for its data."),
                SCOPE_BASIS,
            )
        )
    return (*found, *_refusals_to_move(request, ExtractRequestStatus.WITHDRAWN))


def lacking(request: RungRequest) -> frozenset[ExtractSeat]:
    """The seats that have not approved yet. The one place that says whether a rung is approved."""
    approved = {one.seat for one in request.decisions if one.approves and one.digest == request.digest}
    return SEATS_OF_LEVEL[request.level] - approved


def refusals_to_build(
    request: RungRequest, actor: Actor, *, is_outdated: bool, is_running: bool
) -> tuple[Refusal, ...]:
    """Everything against this person (or the platform, for rungs granted by rule) building the rung now."""
    found: list[Refusal] = []
    if not (actor == SYSTEM and request.by_rule):
        found.extend(refusals_to_act(actor, Verb.BUILD_EXTRACT))
    missing = lacking(request)
    if request.status is not ExtractRequestStatus.APPROVED or missing:
        found.append(
            _refusal(
                "extract.not_approved",
                request.id,
                msg("Request {request} is not approved.", request=request.id),
                msg("Wait until everyone whose approval this rung needs has given it."),
                KEY_BASIS,
            )
        )
    if any(one.person_id == actor.person_id for one in request.decisions if one.seat is not ExtractSeat.RULE):
        found.append(_builder(request.id))
    if is_outdated:
        found.append(
            _refusal(
                "extract.outdated",
                request.id,
                msg("Since request {request} was approved, the source or the policy was changed.", request=request.id),
                msg("Ask for the rung anew; what was approved is no longer what would be built."),
                SCOPE_BASIS,
            )
        )
    if is_running:
        found.append(
            _refusal(
                "extract.running",
                request.id,
                msg("This rung is being built already."),
                msg("Wait until it has ended."),
            )
        )
    return tuple(found)


def refusals_to_end(*, extract_id: str, status: ExtractStatus) -> tuple[Refusal, ...]:
    """Everything against running this build, or writing down how it ended."""
    if ExtractStatus.ISSUED in EXTRACT_MOVES[status]:
        return ()
    return (
        _refusal(
            "extract.status",
            extract_id,
            msg("The build of extract {extract} has ended: {status}.", extract=extract_id, status=status),
            msg("Request a new extract."),
        ),
    )


def refusals_to_revoke(
    *, actor: Actor, extract_id: str, owner_org: str, status: ExtractStatus, reason: str
) -> tuple[Refusal, ...]:
    """Everything against this person taking an issued extract out of use."""
    found = list(refusals_to_act(actor, Verb.REVOKE_EXTRACT))
    if actor.org_id != owner_org:
        found.append(
            _refusal(
                "extract.owner",
                extract_id,
                msg("Only the department whose data they are takes an extract out of use."),
                msg("Ask its data steward; the bureau can suspend the licence."),
                KEY_BASIS,
            )
        )
    if ExtractStatus.REVOKED not in EXTRACT_MOVES[status]:
        found.append(
            _refusal(
                "extract.status",
                extract_id,
                msg("The build of extract {extract} has ended: {status}.", extract=extract_id, status=status),
                msg("Only an issued extract can be taken out of use."),
            )
        )
    if len(reason.strip()) < MIN_REASON:
        found.append(
            _refusal(
                "extract.reason_missing",
                extract_id,
                msg("A decision needs a written reason of at least {count} characters.", count=MIN_REASON),
                msg("Write why the extract may not be used any more."),
                KEY_BASIS,
            )
        )
    return tuple(found)


def refusals_to_use_extract(
    *, extract_id: str, status: ExtractStatus, expires_at: datetime, now: datetime
) -> tuple[Refusal, ...]:
    """Everything against mounting this extract, or running on it, at `now`."""
    if status is not ExtractStatus.ISSUED:
        return (
            _refusal(
                "extract.revoked",
                extract_id,
                msg("Extract {extract} is not in use: {status}.", extract=extract_id, status=status),
                msg("Use another rung, or request a new extract."),
                SCOPE_BASIS,
            ),
        )
    if now >= expires_at:
        return (
            _refusal(
                "extract.expired",
                extract_id,
                msg("Extract {extract} expired on {day}.", extract=extract_id, day=expires_at.date().isoformat()),
                msg("Request a new extract under a licence in force."),
                SCOPE_BASIS,
            ),
        )
    return ()


def _not_covered(licence_id: str, table_id: str) -> Refusal:
    return _refusal(
        "extract.table",
        licence_id,
        msg("Licence {licence} does not cover table {table}.", licence=licence_id, table=table_id),
        msg("Choose a table of the licence."),
        SCOPE_BASIS,
    )


def _builder(subject: str) -> Refusal:
    return _refusal(
        "extract.builder",
        subject,
        msg("Who builds an extract does not approve it, and who approved it does not build it."),
        msg("Another person has to take this step."),
        KEY_BASIS,
    )


def _refusals_to_move(request: RungRequest, to: ExtractRequestStatus) -> tuple[Refusal, ...]:
    if to in EXTRACT_REQUEST_MOVES[request.status]:
        return ()
    return (
        _refusal(
            "extract.request_status",
            request.id,
            msg("Request {request} is {status}.", request=request.id, status=request.status),
            msg("A decision stands; a new request can be filed."),
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = "") -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
