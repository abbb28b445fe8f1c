"""Secrets of sign-in at rest: AES-256-GCM under a key that lies outside the database, bound to whose they are.

A copy of the database alone gives no code away; a secret moved to another person's row does not open.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
"""Source: NIST SP 800-38D §5.2.1.1."""


def seal(key: bytes, owner: str, secret: str) -> str:
    """The secret as text for the database."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, secret.encode(), owner.encode())).decode()


def unseal(key: bytes, owner: str, sealed: str) -> str | None:
    """The secret; None when this key and owner did not seal it, or someone changed it."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode()).decode()
    except (ValueError, InvalidTag):
        return None
