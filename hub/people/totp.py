"""One-time codes by time (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every authenticator app expects.

A code belongs to a step; who keeps the last accepted step can refuse to accept one twice (RFC 6238 §5.2).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one that are accepted: clocks differ. Source: RFC 6238 §5.2 recommends one."""
DIGITS: Final = 6
SECRET_SIGNS: Final = 32
"""160 bits in base32. Source: RFC 4226 §4 R6."""
NEVER: Final = -1
"""The last accepted step of a secret that no code was ever accepted for."""

_CODE = re.compile(r"[0-9]{6}")


def fresh_secret() -> str:
    """A new secret in base32."""
    return pyotp.random_base32(SECRET_SIGNS)


def step_of(at: datetime) -> int:
    """The number of the 30 seconds that `at` lies in."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """The code of a step."""
    return pyotp.HOTP(secret, digits=DIGITS).at(step)


def matching_step(secret: str, typed: str, now: datetime) -> int | None:
    """The step whose code was typed, of those that are accepted now; the newest if several. Always the same work."""
    plain = typed if _CODE.fullmatch(typed) else "x" * DIGITS
    middle = step_of(now)
    found: int | None = None
    for step in range(middle - WINDOW, middle + WINDOW + 1):
        if hmac.compare_digest(code_of(secret, step), plain):
            found = step
    return found


def unused_code(secret: str, last: int, now: datetime, *, before: bool = False) -> str | None:
    """A code that would be accepted now and was not yet; None: the next step has to be waited for.

    Args:
        last: The last accepted step.
        before: Whether the step before the present one may be given, which is about to end.
    """
    middle = step_of(now)
    offered: Sequence[int] = (middle - 1, middle, middle + 1) if before else (middle, middle + 1)
    return next((code_of(secret, step) for step in offered if step > last), None)


def address_for_apps(secret: str, person_id: str, site: str) -> str:
    """What the QR code says: `otpauth://totp/…`."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=person_id, issuer_name=site)


def in_groups(secret: str) -> str:
    """The secret in groups of four, for whoever types it."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1, which are mistaken for each other."""


def fresh_words(groups: int = 4) -> str:
    """A random secret for people to type: groups of four signs, about 20 bits each."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(4)) for _ in range(groups))
