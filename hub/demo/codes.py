"""What opens the demonstration accounts: one password, and one-time codes that anyone at this machine may ask for.

The second factor is required of these accounts as of all others; who tries the demonstration simply has no
authenticator with thirty accounts in it. So the secrets follow from one seed beside the password, and their codes are
given out by `zhakou demo-code` and, where the site is reached from this machine alone, by the sign-in page. They are no
secret to whoever can read the state folder; a site with data of its own turns `demo_district` off.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hub.context import Hub
from hub.errors import InvalidState, NotFound, Refusal, unknown
from hub.message import msg
from hub.people.model import Credential
from hub.people.sealed import unseal
from hub.people.totp import unused_code
from hub.settings import Settings

FILE: Final = "demo-accounts.json"


def kept(state_dir: Path) -> dict[str, Any]:
    """Password, seed, and whether the district is complete; empty when this state holds no demonstration."""
    try:
        read: dict[str, Any] = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return read


def keep(state_dir: Path, content: dict[str, Any]) -> None:
    """Keep it for the terminal, readable by the service's user alone."""
    temporary = state_dir / f".{FILE}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(temporary, state_dir / FILE)


def fresh() -> dict[str, Any]:
    """Password and seed of a new demonstration."""
    return {
        "password": "-".join(secrets.token_hex(2) for _ in range(4)),
        "seed": secrets.token_hex(32),
        "complete": False,
    }


def secret_of(seed: str, account: str) -> str:
    """The secret of an account's codes, in base32."""
    digest = hmac.new(bytes.fromhex(seed), account.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:20]).decode()


def is_demonstration(settings: Settings) -> bool:
    """Whether demonstration accounts are in force on this site."""
    return settings.demo_district and settings.signs_in_here and bool(kept(settings.state_dir))


def may_show(settings: Settings) -> bool:
    """Whether the sign-in page may give codes out: a demonstration that is reached from this machine alone."""
    if settings.public_host == "localhost":
        return is_demonstration(settings)
    try:
        return ipaddress.ip_address(settings.public_host).is_loopback and is_demonstration(settings)
    except ValueError:
        return False


def code_for(hub: Hub, account: str, *, at: datetime | None = None, before: bool = False) -> str:
    """A code of a demonstration account that would be accepted now.

    Args:
        before: Whether the code of the step that is about to end may be given.

    Raises:
        InvalidState: This site has no demonstration accounts, or the next code has to be waited for.
        NotFound: The account is none of them, or the person has enrolled an authenticator of their own.
    """
    if not is_demonstration(hub.settings):
        raise InvalidState(
            Refusal(
                rule="demo.none",
                subject=account,
                text=msg("This site has no demonstration accounts; codes come from each person's own authenticator."),
                next_step=msg("Whoever lost theirs asks the bureau to reset their sign-in."),
            )
        )
    secret = secret_of(kept(hub.settings.state_dir)["seed"], account)
    with hub.reading() as session:
        credential = session.get(Credential, account)
    if credential is None or unseal(hub.keys.sign_in(), account, credential.sealed_secret) != secret:
        raise NotFound(unknown(account))
    code = unused_code(secret, credential.last_step, at or hub.wall_clock(), before=before)
    if code is None:
        raise InvalidState(
            Refusal(
                rule="demo.used",
                subject=account,
                text=msg("The codes of this moment were used; each opens once."),
                next_step=msg("Wait half a minute."),
            )
        )
    return code
