"""Who is let in, for how long, with which password: pure.

Rules here: `sign_in.wrong` (name, password, code or account is not right: one answer for all), `sign_in.refused` (what
another service says of a person does not open this site), `enrol.wrong` (no first password of that name is valid),
`enrol.over` (it was used, replaced or has run out), `enrol.code` (the code does not fit the secret shown),
`password.short`, `password.long`, `password.common`, `password.personal`, `password.same`, `sign_in.again` (a step that
changes how someone signs in asks for password and code once more).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from hub.errors import Refusal
from hub.message import Message, msg

IDLE = timedelta(minutes=30)
"""Source: NIST SP 800-63B 4.2.3 (AAL2): sign in again after 30 idle minutes."""
LIFE = timedelta(hours=8)
"""A working day; the same source allows twelve hours."""
SIGN_IN_BASIS = "普陀区公共数据管理办法 第二十二条"
"""Basis of identity management and access control."""

LEAST_PASSWORD: Final = 12
MOST_PASSWORD: Final = 256
"""Characters. Source: NIST SP 800-63B 5.1.1.2: at least 8 and at least 64 allowed; no rules of composition."""
LEAST_DISTINCT: Final = 5
LEAST_PART: Final = 4
"""A part of the name or id shorter than this may occur by chance."""
MOST_WRONG_CODES: Final = 20
"""Wrong codes after the right password until the account waits for the bureau: with three codes right at any time, a
thief of the password guesses one with 1 in 16,000. Source of the order: NIST SP 800-63B 5.2.2, at most 100."""

_COMMON: Final = frozenset(
    {
        *("password1234", "password12345", "passw0rd1234", "administrator", "administrator1", "welcome12345"),
        *("qwertyuiop12", "qwertyuiop123", "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "q1w2e3r4t5y6", "asdfghjkl123"),
        *("iloveyou1234", "woaini1314520", "woaini5201314", "5201314520131", "abc123456789", "a123456789012"),
        *("zhakou123456", "shanghai2025", "shanghai2026", "putuo1234567", "letmein12345", "changeme1234"),
        *("correcthorsebatterystaple", "correct horse battery staple", "trustno1trustno1", "passwordpassword"),
    }
)
"""Passwords of twelve signs and more that lists of leaked ones hold often, and what a site like this invites."""
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiopasdfghjklzxcvbnm")


class Tried(StrEnum):
    """What a sign-in came to, for the ledger. The person who tried is told no more than right or wrong."""

    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    PASSWORD = "password"  # noqa: S105 - a word, not one
    CLOSED = "closed"
    NOT_ENROLLED = "not_enrolled"
    LOCKED = "locked"
    REPLAYED = "replayed"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was shown, weighed against what is kept."""

    is_known: bool
    password_right: bool
    has_access: bool
    is_enrolled: bool
    wrong_codes: int
    step: int | None
    """The step whose code was typed; None: no code of now."""
    last_step: int
    recovery_right: bool
    """An unused recovery code was typed."""


def judged(proof: Proof) -> Tried:
    """What this proof is worth."""
    if not proof.is_known:
        return Tried.UNKNOWN
    if not proof.password_right:
        return Tried.PASSWORD
    if not proof.has_access:
        return Tried.CLOSED
    if not proof.is_enrolled:
        return Tried.NOT_ENROLLED
    if proof.wrong_codes >= MOST_WRONG_CODES:
        return Tried.LOCKED
    if proof.recovery_right:
        return Tried.ACCEPTED
    if proof.step is None:
        return Tried.CODE
    return Tried.ACCEPTED if proof.step > proof.last_step else Tried.REPLAYED


def refusals_to_sign_in(tried: Tried) -> tuple[Refusal, ...]:
    """The one answer for everything that is wrong."""
    if tried is Tried.ACCEPTED:
        return ()
    return (
        Refusal(
            rule="sign_in.wrong",
            subject="",
            text=msg("Name, password or one-time code is wrong, or the account is closed."),
            next_step=msg("Wait for the next code and try again, or ask the bureau to reset your sign-in."),
        ),
    )


def refusals_to_vouched(*, is_known: bool, has_access: bool, is_strong: bool) -> tuple[Refusal, ...]:
    """What stands against letting in whom another service vouches for. Claims of that service grant nothing."""
    if is_known and has_access and is_strong:
        return ()
    return (
        Refusal(
            rule="sign_in.refused",
            subject="",
            text=msg("You have no open account here, or the sign-in service did not ask you for a second factor."),
            next_step=msg("Ask the bureau for an account; sign in there with two factors."),
            basis=SIGN_IN_BASIS,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What ends the sessions of a person besides their own limits."""

    has_access: bool
    signed_out_at: datetime | None
    trained_until: datetime | None
    confidentiality_until: datetime | None


def is_over(access: Access, opened_at: datetime, now: datetime) -> bool:
    """Whether what this person opened at that time has ended: account, sign-out, or a lapse that came since."""
    if not access.has_access or (access.signed_out_at is not None and opened_at < access.signed_out_at):
        return True
    lapses = (access.trained_until, access.confidentiality_until)
    return any(lapse is not None and opened_at < lapse <= now for lapse in lapses)


def is_live(*, opened_at: datetime, seen_at: datetime, ended_at: datetime | None, now: datetime) -> bool:
    """Whether a session is within its own limits: not ended, not idle for half an hour, not older than eight hours."""
    return ended_at is None and now - seen_at < IDLE and now - opened_at < LIFE


def refusals_to_begin_enrolment(
    *, password_right: bool, has_access: bool, until: datetime | None, now: datetime
) -> tuple[Refusal, ...]:
    """What stands against enrolling with this first password. One answer for everything that is wrong."""
    if password_right and has_access and until is not None and now < until:
        return ()
    return (
        Refusal(
            rule="enrol.wrong",
            subject="",
            text=msg("Name or first password is wrong, or the first password has run out or was used."),
            next_step=msg("Check both; ask the bureau for a new first password."),
        ),
    )


def refusals_to_enrol(
    *, is_same: bool, has_access: bool, until: datetime | None, now: datetime, step: int | None
) -> tuple[Refusal, ...]:
    """What stands against finishing an enrolment.

    Args:
        is_same: Whether the first password is still the one that the enrolment was begun with.
        step: The step of the code that was typed, None if it fits the secret at no step of now.
    """
    if not is_same or not has_access or until is None or now >= until:
        return (
            Refusal(
                rule="enrol.over",
                subject="",
                text=msg("This enrolment has ended: the first password was used, replaced, or has run out."),
                next_step=msg("Sign in if you have enrolled already; otherwise ask the bureau for a new one."),
            ),
        )
    return refusals_of_new_code(step)


def refusals_of_new_code(step: int | None) -> tuple[Refusal, ...]:
    """What stands against a code that is to show that the authenticator has the new secret."""
    if step is not None:
        return ()
    return (
        Refusal(
            rule="enrol.code",
            subject="",
            text=msg("The code does not belong to the secret on this page."),
            next_step=msg("Check that the telephone's clock is set automatically, and type the code of now."),
        ),
    )


def refusals_to_change_sign_in(tried: Tried) -> tuple[Refusal, ...]:
    """What stands against changing one's own password or codes: both factors are asked once more."""
    if tried is Tried.ACCEPTED:
        return ()
    return (
        Refusal(
            rule="sign_in.again",
            subject="",
            text=msg("The present password or the one-time code is wrong."),
            next_step=msg("Type the present password and a code that was not used yet."),
        ),
    )


def refusals_of_password(password: str, *, personal: Sequence[str], is_old: bool = False) -> tuple[Refusal, ...]:
    """What stands against this password.

    Args:
        personal: Words that others know of the person: id, names, organisation.
        is_old: Whether it is the one in force.

    Source: NIST SP 800-63B 5.1.1.2: length and a list of what is guessed first; no rules of composition.
    """
    plain = unicodedata.normalize("NFKC", password).casefold()
    found: list[Refusal] = []
    if len(password) < LEAST_PASSWORD:
        found.append(
            _password("password.short", msg("The password has fewer than {count} characters.", count=LEAST_PASSWORD))
        )
    if len(password) > MOST_PASSWORD:
        found.append(
            _password("password.long", msg("The password has more than {count} characters.", count=MOST_PASSWORD))
        )
    if plain in _COMMON or len(set(plain)) < LEAST_DISTINCT or any(plain in row for row in _ROWS):
        found.append(_password("password.common", msg("The password is one of those that are guessed first.")))
    words = [word for text in personal for word in (text, *text.replace("-", " ").split())]
    if any(len(word) >= LEAST_PART and word.casefold() in plain for word in words):
        found.append(_password("password.personal", msg("The password holds your name, id or organisation.")))
    if is_old:
        found.append(_password("password.same", msg("This is the password you have.")))
    return tuple(found)


def _password(rule: str, text: Message) -> Refusal:
    return Refusal(
        rule=rule,
        subject="",
        text=text,
        next_step=msg("Choose another, such as four words that do not belong together."),
    )
