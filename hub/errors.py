"""The five ways the hub says no, and the refusal that explains one reason.

Each kind maps once to an HTTP status and an exit code (DESIGN.md §4). Code decides on types and on `Refusal.rule`,
never on the wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub.message import Message, msg

_ARTICLES: Mapping[str, tuple[str, ...]] = {
    "第二条": ("account", "demo", "enrol", "form.stale", "login", "name", "oidc", "password", "sign_in"),
    "第三条": ("disclosure", "form", "web", "words"),
    "第四条": ("not_found",),
    "第五条": ("appointment", "extract.running", "extract.status", "licence", "workspace"),
    "第六条": ("bundle", "extract.changed", "extract.digests", "file", "files", "statement"),
    "第七条": (
        "closing",
        "export",
        "extract",
        "kernel",
        "output",
        "row",
        "run",
        "rung",
        "sample",
        "sandbox",
        "synthetic",
        "target",
        "text",
    ),
    "第八条": ("checkpoint", "clock", "entry", "head", "history", "key", "keys", "ledger", "verify"),
    "第九条": ("database", "machine", "serve", "settings", "state"),
    "第十条": ("calendar", "column", "pack", "policy", "pseudonym", "rulebook"),
}
"""The house rules by the codes, or families of codes, that they stand behind; their words are in the registry."""

_BY_CODE = {code: article for article, codes in _ARTICLES.items() for code in codes}


def house_rule(code: str) -> str:
    """The house rule behind a code for which no law is cited; the first says what is true of all: absence means no."""
    return f"闸口规则 {_BY_CODE.get(code) or _BY_CODE.get(code.split('.')[0], '第一条')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason against an action, fit to be shown to the person who asked.

    `rule` is a stable code such as `licence.expired`; `subject` the id it is about; `basis` an entry of the registry of
    legal bases. Where no law speaks, it is the article of the house rules (闸口规则) that the code belongs to.
    """

    rule: str
    subject: str
    text: Message
    next_step: Message
    basis: str = ""

    def __post_init__(self) -> None:
        if not self.basis:
            object.__setattr__(self, "basis", house_rule(self.rule))


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
