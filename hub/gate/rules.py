"""May a result be submitted, a vote be cast, a package be released, and if not, why.

Rules here: `export.status`, `export.empty`, `export.incomplete`, `export.author`, `export.state_secret`,
`export.made_up` (made on rows that are nobody's, and not marked so), `vote.precheck` (who reviewed or ran a sealed
run's code does not vote on its outputs), `vote.author`, `vote.colleague`, `vote.release_officer`,
`vote.operator_org`, `vote.provider_org`, `vote.extract_builder`, `vote.twice`, `vote.reason_missing`, `vote.digest`,
`file.changed`, `release.votes`, `release.seats`, `release.objection`, `release.check`,
`release.expired`, `release.reviewer`,
`release.author`, `release.departments`.

`approved` is the only function that says whether votes are enough; review and release both ask it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.gate.model import REQUEST_MOVES, Decision, RequestStatus, Seat
from hub.message import Message, msg
from hub.people.actor import REVIEWERS, Actor, OrgKind, Role
from hub.people.rules import Verb, refusals_to_act
from hub.rulebook.calendar import WorkingCalendar
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter
from hub.secrecy import BASIS as SECRECY_BASIS

MIN_REASON = 10
"""Fewest characters of a written reason; a single word tells an auditor nothing."""

KEY_BASIS = "DOMAIN §0.7, 上海市数据条例 第七十八条"

DECIDING_SEATS = frozenset({Seat.PROVIDER, Seat.COMPLIANCE})
"""Both must approve: the department the data come from, and the platform's compliance side (DOMAIN.md §0 item 7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CastVote:
    """A vote as rules see it."""

    person_id: str
    org_id: str
    seat: Seat
    decision: Decision
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What of a request decides who may do what with it."""

    id: str
    status: RequestStatus
    digest: str
    author_id: str
    author_org: str
    operator_org: str
    provider_orgs: frozenset[str]
    extract_builders: frozenset[str]
    reviewers_required: int
    votes: tuple[CastVote, ...]
    check_verdict: str
    check_digest: str
    prechecked_by: frozenset[str] = frozenset()


def refusals_to_submit(
    *, actor: Actor, owner_id: str, workspace_id: str, title: str, reason: str, slugs: Collection[str]
) -> tuple[Refusal, ...]:
    """Everything against this person submitting these outbox items."""
    found = list(refusals_to_act(actor, Verb.SUBMIT_EXPORT))
    if actor.person_id != owner_id:
        found.append(
            _refusal(
                "export.author",
                workspace_id,
                msg("Only the analyst whose workspace it is can submit from it."),
                msg("Submit from your own workspace."),
            )
        )
    if not slugs:
        found.append(
            _refusal(
                "export.empty",
                workspace_id,
                msg("Nothing is chosen from the outbox."),
                msg("Put a result there with outbox.put(...), then choose it here."),
            )
        )
    if not title.strip() or len(reason.strip()) < MIN_REASON:
        found.append(
            _refusal(
                "export.incomplete",
                workspace_id,
                msg("A request needs a title and a purpose of at least {count} characters.", count=MIN_REASON),
                msg("Say what the files are, for whom, and why they are safe to leave."),
            )
        )
    return tuple(found)


def refusals_of_secrets(workspace_id: str, *, marked: int) -> tuple[Refusal, ...]:
    """Everything against submitting files of which so many carry the mark of a state secret in name or content."""
    if not marked:
        return ()
    return (
        _refusal(
            "export.state_secret",
            workspace_id,
            msg("{count} files carry the mark of a state secret.", count=marked),
            msg("Data that concern state secrets are handled under the secrecy laws, outside of this platform."),
            SECRECY_BASIS,
        ),
    )


def refusals_of_made_up(workspace_id: str, *, only_made_up: bool, marked: bool) -> tuple[Refusal, ...]:
    """Everything against passing off made-up figures as facts.

    Args:
        only_made_up: Whether nothing but rows that are nobody's lay in the workspace when the results were put.
        marked: Whether the author says so.
    """
    if marked or not only_made_up:
        return ()
    return (
        _refusal(
            "export.made_up",
            workspace_id,
            msg("Only made-up rows lay in this workspace when these results were put: their figures are no facts."),
            msg("Run the same code on a higher rung or in a sealed run, or mark the request as made on such rows."),
            "公共数据资源授权运营实施规范(试行) 第二十一条",
        ),
    )


def refusals_to_withdraw(request: RequestFacts, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against the author taking the request back."""
    found = list(refusals_to_act(actor, Verb.WITHDRAW_EXPORT))
    if actor.person_id != request.author_id:
        found.append(
            _refusal(
                "export.author",
                request.id,
                msg("Only the author can withdraw a request."),
                msg("Ask the author."),
            )
        )
    found.extend(_refusals_to_move(request, RequestStatus.WITHDRAWN))
    return tuple(found)


def refusals_to_vote(
    request: RequestFacts, actor: Actor, *, digest: str, reason: str, seat: Seat | None = None
) -> tuple[Refusal, ...]:
    """Everything against this person voting on this digest now; empty if nothing does.

    What must hold: (1) the person sits in a reviewer's seat, (2) is not the author, (3) is of neither the author's
    nor the operator's organisation, (4) is not a release officer, built no extract used and neither reviewed nor ran
    the code of a sealed run, (5) as provider reviewer is of a department whose data it is, (6) has not voted yet, (7)
    the request is in review, (8) the vote is for the digest under review, (9) with a written reason.
    """
    found: list[Refusal] = []
    if actor.person_id == request.author_id:  # (2), before the role, so that an author hears the real reason
        found.append(
            _refusal(
                "vote.author",
                request.id,
                msg("The author of a request cannot vote on it."),
                msg("Two reviewers outside of your institution decide."),
            )
        )
    elif actor.org_id == request.author_org:  # (3)
        found.append(
            _refusal(
                "vote.colleague",
                request.id,
                msg("You belong to the same institution as the author; colleagues cannot vote."),
                msg("Reviewers of the data's department and of the operations centre decide."),
            )
        )
    elif actor.sides_with(request.operator_org):
        found.append(
            _refusal(
                "vote.operator_org",
                request.id,
                msg("You belong to the licensed operator or to an institution attached to it."),
                msg("Reviewers of the data's department and of the operations centre decide."),
            )
        )
    found.extend(refusals_to_act(actor, Verb.CAST_VOTE))  # (1)
    if actor.has(Role.RELEASE_OFFICER):  # (4)
        found.append(
            _refusal(
                "vote.release_officer",
                request.id,
                msg("Who releases cannot also review."),
                msg("Another reviewer must take this seat."),
            )
        )
    if actor.person_id in request.extract_builders:
        found.append(
            _refusal(
                "vote.extract_builder",
                request.id,
                msg("Who built the extract cannot also review what comes of it."),
                msg("Another reviewer must take this seat."),
            )
        )
    if actor.person_id in request.prechecked_by:
        found.append(
            _refusal(
                "vote.precheck",
                request.id,
                msg("Who reviewed or ran the code of a sealed run does not vote on what came of it."),
                msg("Another reviewer must take this seat."),
                KEY_BASIS,
            )
        )
    chosen = seat or seat_of(actor, request.provider_orgs)
    if actor.has(*REVIEWERS) and (chosen is None or chosen not in seats_of(actor, request.provider_orgs)):  # (5)
        found.append(
            _refusal(
                "vote.provider_org",
                request.id,
                msg("As provider reviewer you decide on data of your own department only."),
                msg("A reviewer of the department whose data are used must vote."),
            )
        )
    if any(vote.person_id == actor.person_id for vote in request.votes):  # (6)
        found.append(
            _refusal(
                "vote.twice",
                request.id,
                msg("You have voted on this request; a vote stands."),
                msg("Another reviewer has to vote."),
            )
        )
    if request.status is not RequestStatus.IN_REVIEW:  # (7)
        found.append(_status(request))
    if digest != request.digest:  # (8)
        found.append(
            _refusal(
                "vote.digest",
                request.id,
                msg("Your vote is for another digest than the one under review."),
                msg("Load the page again and look at the files once more."),
            )
        )
    if len(reason.strip()) < MIN_REASON:  # (9)
        found.append(
            _refusal(
                "vote.reason_missing",
                request.id,
                msg("A vote needs a written reason of at least {count} characters.", count=MIN_REASON),
                msg("Write what you looked at and why it may or may not leave."),
            )
        )
    return tuple(found)


def seats_of(actor: Actor, provider_orgs: frozenset[str]) -> frozenset[Seat]:
    """The seats this person can take on data of these departments."""
    seats = {Seat(role.value) for role in actor.roles & REVIEWERS}
    if actor.org_id not in provider_orgs:
        seats.discard(Seat.PROVIDER)
    if actor.org_kind is OrgKind.DEPARTMENT:
        seats &= {Seat.PROVIDER}
    return frozenset(seats)


def seat_of(actor: Actor, provider_orgs: frozenset[str]) -> Seat | None:
    """The seat this person takes if they name none: provider before compliance before security."""
    seats = seats_of(actor, provider_orgs)
    return next((seat for seat in (Seat.PROVIDER, Seat.COMPLIANCE, Seat.SECURITY) if seat in seats), None)


def refusals_of_files(request_id: str, expected: Mapping[str, str], found: Mapping[str, str]) -> tuple[Refusal, ...]:
    """Everything against using frozen files whose bytes were hashed again: name → digest, expected and found."""
    changed = sum(1 for name, digest in expected.items() if found.get(name) != digest)
    if not expected:
        return (_refusal("export.empty", request_id, msg("The request holds no file."), msg("Submit a new request.")),)
    if not changed and len(found) == len(expected):
        return ()
    return (
        _refusal(
            "file.changed",
            request_id,
            msg(
                "{count} files of request {request} are not the bytes that were submitted and checked.",
                count=changed or abs(len(found) - len(expected)),
                request=request_id,
            ),
            msg("Nothing can be decided on changed files. Tell the auditor; the author submits a new request."),
        ),
    )


def approved(request: RequestFacts) -> bool:
    """Whether the votes cast are enough to release this digest."""
    return not refusals_of_votes(request)


def refusals_of_votes(request: RequestFacts) -> tuple[Refusal, ...]:
    """Everything the votes still lack. Only distinct outside people count, only votes on the digest under review."""
    found: list[Refusal] = []
    outside = [vote for vote in request.votes if vote.org_id not in (request.author_org, request.operator_org)]
    counted = {
        vote.person_id: vote
        for vote in outside
        if vote.digest == request.digest
        and vote.decision is Decision.APPROVE
        and vote.person_id != request.author_id
        and vote.person_id not in request.extract_builders | request.prechecked_by
    }
    needed = max(request.reviewers_required, 2)
    if len(counted) < needed:
        found.append(
            _refusal(
                "release.votes",
                request.id,
                msg("{count} of {needed} approving votes are there.", count=len(counted), needed=needed),
                msg("Further reviewers have to vote."),
            )
        )
    missing = DECIDING_SEATS - {vote.seat for vote in counted.values()}
    if missing:
        found.append(
            _refusal(
                "release.seats",
                request.id,
                msg("These seats have not approved yet: {seats}.", seats=", ".join(sorted(missing))),
                msg("A reviewer of each seat has to vote."),
            )
        )
    silent = request.provider_orgs - {vote.org_id for vote in counted.values() if vote.seat is Seat.PROVIDER}
    if silent and Seat.PROVIDER not in missing:
        found.append(
            _refusal(
                "release.departments",
                request.id,
                msg(
                    "These departments, whose data are used, have not approved yet: {orgs}.",
                    orgs=", ".join(sorted(silent)),
                ),
                msg("A provider reviewer of each department has to vote; none decides on another's data."),
            )
        )
    if any(vote.decision is Decision.OBJECT for vote in request.votes):
        found.append(
            _refusal(
                "release.objection",
                request.id,
                msg("A reviewer objected."),
                msg("The author can submit a new request that meets the objection."),
            )
        )
    return tuple(found)


def refusals_of_check(request: RequestFacts) -> tuple[Refusal, ...]:
    """Everything the machine checks leave against the request. A check that did not run did not pass."""
    if request.check_verdict in ("pass", "flag") and request.check_digest == request.digest:
        return ()
    return (
        _refusal(
            "release.check",
            request.id,
            msg("The machine checks did not pass on these files."),
            msg("Look at the report, mend the result in the notebook and submit a new request."),
        ),
    )


def refusals_of_age(
    request_id: str, *, approved: date, today: date, pack: Pack, calendar: WorkingCalendar
) -> tuple[Refusal, ...]:
    """Everything against releasing today what was approved on `approved`: an approval does not last for ever.

    In a year whose holidays are not known yet it ends earlier, never later.
    """
    days = pack.count(Parameter.REVIEW_APPROVAL_VALIDITY)
    if calendar.most_working_days_between(approved, today) <= days:
        return ()
    return (
        _refusal(
            "release.expired",
            request_id,
            msg(
                "The approval of {request} ended {days} working days after {day}.",
                request=request_id,
                days=days,
                day=str(approved),
            ),
            msg("The author submits a new request; it is checked and reviewed as of then."),
        ),
    )


def refusals_to_deliver(request: RequestFacts, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against this person delivering this request now. The licence and the bytes are asked besides."""
    found = list(refusals_to_act(actor, Verb.DELIVER_RELEASE))
    if actor.person_id == request.author_id or actor.org_id in (request.author_org, request.operator_org):
        found.append(
            _refusal(
                "release.author",
                request.id,
                msg("Nobody of the author's institution can deliver a release."),
                msg("A release officer of the operations centre delivers."),
            )
        )
    if any(vote.person_id == actor.person_id for vote in request.votes):
        found.append(
            _refusal(
                "release.reviewer",
                request.id,
                msg("Who voted on a request cannot deliver it."),
                msg("Another release officer delivers."),
            )
        )
    found.extend(_refusals_to_move(request, RequestStatus.RELEASED))
    found.extend(refusals_of_votes(request))
    found.extend(refusals_of_check(request))
    return tuple(found)


def _refusals_to_move(request: RequestFacts, to: RequestStatus) -> Sequence[Refusal]:
    return () if to in REQUEST_MOVES[request.status] else (_status(request),)


def _status(request: RequestFacts) -> Refusal:
    return _refusal(
        "export.status",
        request.id,
        msg("Request {request} is {status}.", request=request.id, status=request.status),
        msg("This step belongs to another state; the page of the request shows what comes next."),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = KEY_BASIS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
