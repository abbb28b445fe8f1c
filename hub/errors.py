"""The five ways the hub says no, and the refusal that explains one reason.

Each kind maps once to an HTTP status and an exit code (DESIGN.md §4). Code decides on types and on `Refusal.rule`,
never on the wording.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.message import Message, msg


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason against an action, fit to be shown to the person who asked.

    `rule` is a stable code such as `licence.expired`; `subject` the id it is about; `basis` the law or rule pack
    entry behind it, if any.
    """

    rule: str
    subject: str
    text: Message
    next_step: Message
    basis: str = ""


class HubError(Exception):
    """Base of everything the hub refuses. Carries at least one refusal."""

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, *refusals: Refusal) -> None:
        if not refusals:
            raise ValueError("a refusal without a reason")
        self.refusals = refusals
        super().__init__("; ".join(f"{r.text} {r.next_step} [{r.rule}]" for r in refusals))

    @property
    def code(self) -> str:
        """The rule of the first refusal."""
        return self.refusals[0].rule


class NotFound(HubError):
    """No such thing, or none that this person may know of."""

    http_status = 404
    exit_code = 20


class NotAllowed(HubError):
    """The thing exists; this person may not do this with it."""

    http_status = 403
    exit_code = 21


class InvalidState(HubError):
    """The thing is not in a state in which this can happen."""

    http_status = 409
    exit_code = 22


class Unavailable(InvalidState):
    """The database does not answer, or not in time. Nothing can be written down, so nothing is done."""

    http_status = 503


class InvalidInput(HubError):
    """What was given cannot be used."""

    http_status = 422
    exit_code = 23


class ChecksFailed(HubError):
    """A machine check, a digest or a signature says no."""

    http_status = 422
    exit_code = 24


def unknown(subject: str) -> Refusal:
    """The one answer for what does not exist and for what a person may not know of."""
    return Refusal(
        rule="not_found",
        subject=subject,
        text=msg("There is no {id}, or none that you may see.", id=subject),
        next_step=msg("Check the address, or go back to the list."),
    )
