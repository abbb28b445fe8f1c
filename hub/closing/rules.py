"""May a licence be closed, and if not, why. Closing destroys and cannot be taken back, so everything open stops it.

Rules here: `closing.usable`, `closing.request_open`, `closing.workspace_open`, `closing.extract_building`,
`closing.run_open`,
`closing.never_active`, `closing.usage_open` (use is metered to the end, or it is said why not), `closing.confirm`,
`closing.reason_missing`, `closing.done`, `closing.remains`. How long what is kept is kept: `retention`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.errors import Refusal
from hub.licensing.model import LICENCE_MOVES, LicenceStatus
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act

BASIS = "公共数据资源授权运营实施规范（试行） 第十四条, 数据安全法 第四十条"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingFacts:
    """What of a licence decides whether it can be closed: its terms, and how many things are open under it."""

    licence_id: str
    status: LicenceStatus
    ends_at: datetime
    open_requests: int
    open_workspaces: int
    building: int
    open_runs: int
    is_sealed: bool
    unmetered: tuple[str, ...] = ()
    """Products whose use is not metered until the licence's last day."""


def has_ended(status: LicenceStatus, ends_at: datetime, now: datetime) -> bool:
    """Whether a licence that was in force can never be used again: its term is over, or it was terminated.

    A draft has left nothing behind and has nothing to close.
    """
    if status in (LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED):
        return now >= ends_at
    return status in (LicenceStatus.TERMINATED, LicenceStatus.EXITED)


def refusals_to_close(
    facts: ClosingFacts, actor: Actor, *, typed: str, reason: str, now: datetime, usage_gap: str = ""
) -> tuple[Refusal, ...]:
    """Everything against closing this licence now.

    Args:
        typed: What the officer typed to confirm; must be the licence's id.
        usage_gap: Why use is not metered to the end, if it is not; an operator that is gone must not keep data alive.
    """
    found = list(refusals_to_act(actor, Verb.CLOSE_LICENCE))
    licence = facts.licence_id
    if facts.is_sealed:
        return (
            *found,
            _refusal(
                "closing.done",
                licence,
                msg("Licence {licence} is closed; what was destroyed is gone.", licence=licence),
                msg("The page of the closing holds the certificate."),
            ),
        )
    if facts.unmetered and not usage_gap.strip():
        found.append(
            _refusal(
                "closing.usage_open",
                licence,
                msg("The use of {products} is not metered until the end.", products=", ".join(facts.unmetered)),
                msg("The operator enters it, 0 if there was none; or write why it cannot be had."),
            )
        )
    if LicenceStatus.EXITED not in LICENCE_MOVES[facts.status] and facts.status is not LicenceStatus.EXITED:
        found.append(
            _refusal(
                "closing.never_active",
                licence,
                msg("Licence {licence} never came into force; there is nothing to destroy.", licence=licence),
                msg("Terminate it instead."),
            )
        )
    elif not has_ended(facts.status, facts.ends_at, now):
        found.append(
            _refusal(
                "closing.usable",
                licence,
                msg("Licence {licence} has not ended; it can be used, now or once it is resumed.", licence=licence),
                msg("Wait for the end of its term; until then it can be suspended."),
            )
        )
    if facts.open_requests:
        found.append(
            _refusal(
                "closing.request_open",
                licence,
                msg("{count} export requests of {licence} are open.", count=facts.open_requests, licence=licence),
                msg("Their authors withdraw them, or reviewers decide them, first."),
            )
        )
    if facts.open_workspaces:
        found.append(
            _refusal(
                "closing.workspace_open",
                licence,
                msg("{count} workspaces of {licence} are running.", count=facts.open_workspaces, licence=licence),
                msg("They stop within a minute after the licence ends; close the licence then."),
            )
        )
    if facts.open_runs:
        found.append(
            _refusal(
                "closing.run_open",
                licence,
                msg("{count} sealed runs of {licence} are open.", count=facts.open_runs, licence=licence),
                msg("Their authors withdraw them, or they end, first."),
            )
        )
    if facts.building:
        found.append(
            _refusal(
                "closing.extract_building",
                licence,
                msg("{count} extracts of {licence} are being built.", count=facts.building, licence=licence),
                msg("Wait until they have ended."),
            )
        )
    if typed.strip() != licence:
        found.append(
            _refusal(
                "closing.confirm",
                licence,
                msg("Closing destroys for good; it was not confirmed."),
                msg("Type the number of the licence, {licence}, to confirm.", licence=licence),
            )
        )
    if not reason.strip():
        found.append(
            _refusal(
                "closing.reason_missing",
                licence,
                msg("Closing a licence needs a written reason."),
                msg("Write why it is closed now; the reason stands in the final report."),
            )
        )
    return tuple(found)


def refusals_of_remains(licence_id: str, *, remaining: int) -> tuple[Refusal, ...]:
    """Everything against certifying that all was destroyed."""
    if remaining == 0:
        return ()
    return (
        _refusal(
            "closing.remains",
            licence_id,
            msg("{count} things of licence {licence} are still on the disk.", count=remaining, licence=licence_id),
            msg("No certificate is issued. Look at the rights of the state folder, then close the licence again."),
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=BASIS)
