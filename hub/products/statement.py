"""The signed statement of a release.

Source: in-toto Statement v1 inside a DSSE envelope (secure-systems-lab/dsse, protocol 1.0.2), signed with Ed25519.
Subjects are the files; the predicate says under which licence, from which extracts, by which checks and votes they
left.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.ledger.canonical import canonical
from hub.ledger.checkpoint import key_id
from hub.message import Message, msg

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://zhakou.example/release/v1"
DESTRUCTION_TYPE = "https://zhakou.example/destruction/v1"
"""What is said of a licence that was closed: what was there, and that it was destroyed (`hub.closing`)."""
KEY_NAME = "zhakou.local/release"


class BadStatement(ValueError):
    """The envelope has not the form of a signed statement, or its signature does not hold."""

    def __init__(self, said: Message) -> None:
        super().__init__(str(said))
        self.said = said


def pre_authentication(payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's PAE of type and payload."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(statement: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The envelope of `statement`, as canonical JSON."""
    payload = canonical(statement)
    signature = key.sign(pre_authentication(payload))
    public = key.public_key().public_bytes_raw()
    return canonical(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [
                {"keyid": key_id(KEY_NAME, public).hex(), "sig": base64.b64encode(signature).decode()},
            ],
        }
    )


def type_of(envelope: bytes) -> str:
    """The type that an envelope claims to be of; empty if it cannot be read. Nothing is verified."""
    try:
        statement = json.loads(base64.b64decode(json.loads(envelope)["payload"], validate=True))
        return str(statement["predicateType"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def unseal(envelope: bytes, public: bytes, *, predicate_type: str = PREDICATE_TYPE) -> dict[str, Any]:
    """The statement of this type in `envelope`, once a signature by `public` holds.

    Raises:
        BadStatement: Form or signature is wrong.
    """
    try:
        outer = json.loads(envelope)
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(line["sig"], validate=True) for line in outer["signatures"]]
        if outer["payloadType"] != PAYLOAD_TYPE:
            raise BadStatement(msg("the envelope holds something else than a statement"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadStatement(msg("not a signed statement")) from error
    key = Ed25519PublicKey.from_public_bytes(public)
    if not any(_holds(key, signature, payload) for signature in signatures):
        raise BadStatement(msg("no signature of the release key holds"))
    try:
        statement: dict[str, Any] = json.loads(payload)
        if statement["_type"] != STATEMENT_TYPE or statement["predicateType"] != predicate_type:
            raise BadStatement(msg("the statement is of another type"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadStatement(msg("not a release statement")) from error
    return statement


def _holds(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    try:
        key.verify(signature, pre_authentication(payload))
    except InvalidSignature:
        return False
    return True
