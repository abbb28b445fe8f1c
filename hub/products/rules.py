"""May a bundle be fetched, and if not, why.

Rules here: `grant.none`, `grant.recipient`, `grant.expired`, `grant.redeemed`, `release.recipient`, `bundle.changed`,
and for a typed address `release.not_released`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act

BASIS = "公共数据资源授权运营实施规范（试行） 第十五条"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantFacts:
    """What of a grant decides whether it may be used."""

    id: str
    recipient_id: str
    expires_at: datetime
    redeemed_at: datetime | None
    revoked_at: datetime | None = None


def refusals_to_receive(*, recipient: Actor, operator_org: str, request_id: str) -> tuple[Refusal, ...]:
    """Everything against naming this person as the receiver of a release."""
    found = list(refusals_to_act(recipient, Verb.REDEEM_GRANT))
    if recipient.org_id != operator_org:
        found.append(
            _refusal(
                "release.recipient",
                request_id,
                msg("The receiver does not belong to the licensed operator."),
                msg("Name a person of the operator that holds the licence."),
            )
        )
    return tuple(found)


def refusals_to_redeem(
    *, actor: Actor, request_id: str, released: bool, grant: GrantFacts | None, now: datetime
) -> tuple[Refusal, ...]:
    """Everything against this person fetching the bundle now."""
    if not released:
        return (
            _refusal(
                "release.not_released",
                request_id,
                msg("Request {request} has not been released; nothing can be fetched.", request=request_id),
                msg("The page of the request shows what is still missing."),
            ),
        )
    found = list(refusals_to_act(actor, Verb.REDEEM_GRANT))
    if grant is None:
        found.append(
            _refusal(
                "grant.none",
                request_id,
                msg("There is no download grant for you on this release."),
                msg("Ask the release officer to issue one in your name."),
            )
        )
        return tuple(found)
    if grant.recipient_id != actor.person_id:
        found.append(
            _refusal(
                "grant.recipient",
                request_id,
                msg("The download grant is in another person's name."),
                msg("The person named in it has to fetch the bundle."),
            )
        )
    if grant.redeemed_at is not None:
        found.append(
            _refusal(
                "grant.redeemed",
                request_id,
                msg("The download grant was used; it works once."),
                msg("Ask the release officer to issue another one, with a reason."),
            )
        )
    if grant.revoked_at is not None:
        found.append(
            _refusal(
                "grant.revoked",
                request_id,
                msg("The download grant ended with its licence."),
                msg("Nothing is handed out under a licence that is closed."),
            )
        )
    if now >= grant.expires_at:
        found.append(
            _refusal(
                "grant.expired",
                request_id,
                msg("The download grant has expired."),
                msg("Ask the release officer to issue another one."),
            )
        )
    return tuple(found)


def refusals_of_bundle(request_id: str, *, genuine: bool) -> tuple[Refusal, ...]:
    """Everything against handing out the bundle that lies in the store."""
    if genuine:
        return ()
    return (
        _refusal(
            "bundle.changed",
            request_id,
            msg("The bundle in the store is not the one of release {request}.", request=request_id),
            msg("Nothing is handed out. Tell the auditor; once the file is taken away, the bundle is made anew."),
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=BASIS)
