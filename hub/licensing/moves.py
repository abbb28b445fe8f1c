"""How an agreement comes into force and ends: drafted, decided collectively, signed by both sides, filed, in force.

Rules here: `licence.status` (the move is not in the table of moves), `licence.reason_missing`, `licence.digest` (the
version decided on or signed is another than the present one), `licence.own_draft` (who drafted a version neither
records the decision on it nor signs it), `licence.deliberation` (meeting, day, posts and minutes), `licence.attendee`
(people are named by their post), `licence.side` (who signs for whom), `licence.signed_already`,
`licence.filing` (number and day).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.licensing.contract import CONTRACT_BASIS
from hub.licensing.model import LICENCE_MOVES, LicenceStatus, SigningSide
from hub.message import Message, msg
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import Verb, refusals_of_interest, refusals_to_act

SEPARATION_BASIS = "普陀区公共数据管理办法 第六条"

LEAST_ATTENDEES = 2
"""One person deciding is no collective decision."""

_DIGEST = re.compile(r"[0-9a-f]{64}")

TARGETS: dict[Verb, LicenceStatus] = {
    Verb.DRAFT_LICENCE: LicenceStatus.DRAFTING,
    Verb.DELIBERATE_LICENCE: LicenceStatus.DELIBERATING,
    Verb.SIGN_LICENCE: LicenceStatus.SIGNED,
    Verb.FILE_LICENCE: LicenceStatus.FILED,
    Verb.GRANT_LICENCE: LicenceStatus.ACTIVE,
    Verb.SUSPEND_LICENCE: LicenceStatus.SUSPENDED,
    Verb.RESUME_LICENCE: LicenceStatus.ACTIVE,
    Verb.TERMINATE_LICENCE: LicenceStatus.TERMINATED,
    Verb.CLOSE_LICENCE: LicenceStatus.EXITED,
}
"""Where each verb leads. A verb that is not here moves no licence."""

_FROM: dict[Verb, frozenset[LicenceStatus]] = {
    Verb.GRANT_LICENCE: frozenset({LicenceStatus.FILED}),
    Verb.RESUME_LICENCE: frozenset({LicenceStatus.SUSPENDED}),
}
"""Two verbs lead into force: each from its own status."""


def leads(verb: Verb, status: LicenceStatus) -> bool:
    """Whether `verb` moves a licence that stands at `status`. A draft may be written anew without a move."""
    if verb is Verb.DRAFT_LICENCE and status is LicenceStatus.DRAFTING:
        return True
    target = TARGETS.get(verb)
    return target in LICENCE_MOVES[status] and status in _FROM.get(verb, frozenset(LicenceStatus))


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceFacts:
    """What of a licence decides how it may move."""

    id: str
    status: LicenceStatus
    digest: str
    """Of the present version."""
    drafted_by: str
    implementing_body: str
    operator_org: str
    signed: frozenset[SigningSide] = frozenset()
    signed_on: date | None = None
    """Day of the later signature."""


def refusals_to_revise(facts: LicenceFacts, actor: Actor, *, reason: str) -> tuple[Refusal, ...]:
    """Everything against writing a new version: the decision and signatures on the present one count no more."""
    found = [*refusals_to_act(actor, Verb.DRAFT_LICENCE), *_status(facts, Verb.DRAFT_LICENCE)]
    return (*found, *_reason(facts.id, reason))


def refusals_to_deliberate(
    facts: LicenceFacts,
    actor: Actor,
    *,
    digest: str,
    meeting: str,
    held_on: date,
    today: date,
    attendees: Sequence[str],
    names: Collection[str],
    minutes_digest: str,
) -> tuple[Refusal, ...]:
    """Everything against entering this collective decision (三重一大).

    Args:
        names: Names of people in the register; attendees are named by post.
    """
    found = [*refusals_to_act(actor, Verb.DELIBERATE_LICENCE), *_status(facts, Verb.DELIBERATE_LICENCE)]
    found += refusals_of_interest(actor, facts.operator_org)
    found += [*_digest(facts, digest), *_own_draft(facts, actor)]
    posts = {post.strip() for post in attendees if post.strip()}
    if not meeting.strip() or held_on > today or len(posts) < LEAST_ATTENDEES or not _DIGEST.fullmatch(minutes_digest):
        found.append(
            _refusal(
                "licence.deliberation",
                facts.id,
                msg(
                    "A collective decision needs a meeting, a day that has come, at least {count} attendees by post "
                    "and the SHA-256 of the minutes.",
                    count=LEAST_ATTENDEES,
                ),
                msg("Fill in all four; the minutes themselves stay with the meeting."),
            )
        )
    if posts & set(names):
        found.append(
            _refusal(
                "licence.attendee",
                facts.id,
                msg("Attendees are entered by their post, not by name."),
                msg("Write for example head of the bureau."),
            )
        )
    return tuple(found)


def side_of(facts: LicenceFacts, actor: Actor) -> SigningSide | None:
    """The side this person can sign for, if any."""
    if actor.org_id == facts.implementing_body and actor.has(Role.BUREAU_OFFICER):
        return SigningSide.IMPLEMENTING_BODY
    if actor.org_id == facts.operator_org and actor.org_kind is OrgKind.OPERATOR and actor.has(Role.LICENSEE_ADMIN):
        return SigningSide.OPERATOR
    return None


def refusals_to_sign(facts: LicenceFacts, actor: Actor, *, digest: str) -> tuple[Refusal, ...]:
    """Everything against this person signing the present version for their side."""
    found = [*refusals_to_act(actor, Verb.SIGN_LICENCE), *_status(facts, Verb.SIGN_LICENCE)]
    found += [*_digest(facts, digest), *_own_draft(facts, actor)]
    side = side_of(facts, actor)
    if side is SigningSide.IMPLEMENTING_BODY:
        found.extend(refusals_of_interest(actor, facts.operator_org))
    if side is None:
        found.append(
            _refusal(
                "licence.side",
                facts.id,
                msg("Only an officer of the implementing body and the operator's administrator sign this licence."),
                msg("Leave it to one of them."),
            )
        )
    if side in facts.signed:
        found.append(
            _refusal(
                "licence.signed_already",
                facts.id,
                msg("Your side has signed this version already."),
                msg("The other side has to sign; a change needs a new version."),
            )
        )
    return tuple(found)


def refusals_to_enter_filing(
    facts: LicenceFacts, actor: Actor, *, filing_no: str, filed_on: date, today: date
) -> tuple[Refusal, ...]:
    """Everything against entering that the signed agreement was filed under this number."""
    found = [*refusals_to_act(actor, Verb.FILE_LICENCE), *_status(facts, Verb.FILE_LICENCE)]
    found += refusals_of_interest(actor, facts.operator_org)
    if not filing_no.strip() or filed_on > today or (facts.signed_on is not None and filed_on < facts.signed_on):
        found.append(
            _refusal(
                "licence.filing",
                facts.id,
                msg("A filing needs its number, and a day from that of the signatures to today."),
                msg("Enter what the provincial data department gave."),
            )
        )
    return tuple(found)


def refusals_to_move(facts: LicenceFacts, actor: Actor, verb: Verb, *, reason: str) -> tuple[Refusal, ...]:
    """Everything against suspending, resuming or terminating a licence. An interest keeps nobody from stopping it."""
    partial = refusals_of_interest(actor, facts.operator_org) if verb is Verb.RESUME_LICENCE else ()
    return (*refusals_to_act(actor, verb), *partial, *_status(facts, verb), *_reason(facts.id, reason))


def refusals_to_put_in_force(facts: LicenceFacts, actor: Actor) -> tuple[Refusal, ...]:
    """Everything against putting a filed licence into force; its terms are asked besides."""
    partial = refusals_of_interest(actor, facts.operator_org)
    return (*refusals_to_act(actor, Verb.GRANT_LICENCE), *partial, *_status(facts, Verb.GRANT_LICENCE))


def _status(facts: LicenceFacts, verb: Verb) -> tuple[Refusal, ...]:
    if leads(verb, facts.status):
        return ()
    return (
        _refusal(
            "licence.status",
            facts.id,
            msg("Licence {licence} is {status}; this step is not open to it.", licence=facts.id, status=facts.status),
            msg("Its page shows which step comes next."),
        ),
    )


def _reason(licence: str, reason: str) -> tuple[Refusal, ...]:
    if reason.strip():
        return ()
    return (
        _refusal(
            "licence.reason_missing",
            licence,
            msg("A decision needs a written reason."),
            msg("Write why."),
        ),
    )


def _digest(facts: LicenceFacts, digest: str) -> tuple[Refusal, ...]:
    if digest == facts.digest:
        return ()
    return (
        _refusal(
            "licence.digest",
            facts.id,
            msg("The agreement has been changed since you read it: its digest is another one."),
            msg("Read the present version and decide on that."),
        ),
    )


def _own_draft(facts: LicenceFacts, actor: Actor) -> tuple[Refusal, ...]:
    if actor.person_id != facts.drafted_by:
        return ()
    return (
        _refusal(
            "licence.own_draft",
            facts.id,
            msg("Who drafted an agreement neither records the decision on it nor signs it."),
            msg("Leave it to another officer of the bureau."),
            SEPARATION_BASIS,
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = CONTRACT_BASIS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
