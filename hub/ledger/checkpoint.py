"""Signed tree heads.

Source: C2SP signed-note and tlog-checkpoint: origin, size and base64 root on a line each, an empty line, then
signature lines `— name base64(key id || signature)`. Ed25519 (signature type 0x01). Lines of unknown keys are ignored
by a verifier, so later signature lines (SM2, witnesses) leave old verifiers working.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.message import Message, msg

ORIGIN = "zhakou.local/ledger"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: how many entries, and the root over them."""

    size: int
    root: bytes
    origin: str = ORIGIN

    @property
    def text(self) -> str:
        """The signed part of the note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class BadCheckpoint(ValueError):
    """The note has not the form of a checkpoint, or no signature of the expected key holds."""

    def __init__(self, said: Message) -> None:
        super().__init__(str(said))
        self.said = said


def key_id(name: str, public: bytes) -> bytes:
    """Four bytes that tell a verifier which key signed (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> str:
    """The whole note."""
    public = key.public_key().public_bytes_raw()
    signature = key_id(checkpoint.origin, public) + key.sign(checkpoint.text.encode())
    return f"{checkpoint.text}\n— {checkpoint.origin} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, public: bytes) -> Checkpoint:
    """The checkpoint in `note`, once a signature by `public` holds.

    Raises:
        BadCheckpoint: Form or signature is wrong.
    """
    head, separator, lines = note.partition("\n\n")
    parts = head.split("\n")
    if not separator or len(parts) < 3 or not lines.endswith("\n"):
        raise BadCheckpoint(msg("not a signed checkpoint"))
    try:
        size, root = int(parts[1]), base64.b64decode(parts[2], validate=True)
    except ValueError as error:
        raise BadCheckpoint(msg("size or root cannot be read")) from error
    if size < 0 or str(size) != parts[1] or len(root) != 32:
        raise BadCheckpoint(msg("size or root cannot be read"))
    checkpoint = Checkpoint(size, root, parts[0])
    expected = key_id(checkpoint.origin, public)
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        if dash != "—" or name != checkpoint.origin:
            continue
        try:
            blob = base64.b64decode(encoded, validate=True)
        except ValueError:
            continue
        if blob[:4] != expected:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], (head + "\n").encode())
        except InvalidSignature:
            continue
        return checkpoint
    raise BadCheckpoint(msg("no signature of the expected key holds"))
