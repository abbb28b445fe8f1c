"""Keys on disk: ledger, releases, the seals of rows, the secrets of sign-in, one pseudonym key a licence.

They lie in `<state>/keys` (0700), each file 0600, outside every workspace. No key is ever part of an error or event.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.errors import InvalidState, Refusal
from hub.message import msg

_LICENCE_ID = re.compile(r"l-[0-9]{4,}")
_PRINT = b"zhakou pseudonym key print v1\n"


class Keyring:
    """Reads keys, makes them on first use."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        for folder in (directory, directory / "licences"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)  # it may have been there, open to others

    def ledger(self) -> Ed25519PrivateKey:
        """Signs checkpoints."""
        return self._signing("ledger")

    def release(self) -> Ed25519PrivateKey:
        """Signs release statements."""
        return self._signing("release")

    def rows(self) -> bytes:
        """Seals the rows of the database."""
        path = self._directory / "rows.key"
        self._write_once(path, secrets.token_bytes(32))
        return path.read_bytes()

    def sign_in(self) -> bytes:
        """32 bytes under which the secrets of sign-in are sealed (`hub.people.sealed`)."""
        path = self._directory / "sign-in.key"
        self._write_once(path, secrets.token_bytes(32))
        return path.read_bytes()

    def pseudonym_key_file(self, licence_id: str) -> Path:
        """File with the 32 secret bytes under which this licence's pseudonyms are made; made when first asked for."""
        path = self._pseudonym(licence_id)
        if path.with_suffix(".destroyed").exists():
            raise InvalidState(
                Refusal(
                    rule="licence.key_destroyed",
                    subject=licence_id,
                    text=msg("The pseudonym key of licence {licence} was destroyed.", licence=licence_id),
                    next_step=msg("The licence is closed; no extract can be made under it again."),
                )
            )
        self._write_once(path, secrets.token_bytes(32))
        return path

    def pseudonym_key_print(self, licence_id: str) -> str:
        """A hex digest that recognises this licence's pseudonym key and tells nothing of it; empty if there is none."""
        path = self._pseudonym(licence_id)
        return hashlib.sha256(_PRINT + path.read_bytes()).hexdigest() if path.is_file() else ""

    def destroy_pseudonym_key(self, licence_id: str) -> None:
        """Overwrite and unlink this licence's pseudonym key, and never make one for it again."""
        path = self._pseudonym(licence_id)
        self._write_once(path.with_suffix(".destroyed"), b"")
        if not path.exists():
            return
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        _sync(path.parent)

    def _pseudonym(self, licence_id: str) -> Path:
        if not _LICENCE_ID.fullmatch(licence_id):
            raise ValueError("not a licence id")
        return self._directory / "licences" / f"{licence_id}.key"

    def _signing(self, name: str) -> Ed25519PrivateKey:
        path = self._directory / f"{name}.ed25519.pem"
        if not path.exists():
            fresh = Ed25519PrivateKey.generate().private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self._write_once(path, fresh)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{name}: not an Ed25519 key")
        return key

    @staticmethod
    def _write_once(path: Path, content: bytes) -> None:
        """Create `path` with `content` unless it exists; two processes that race end with one key."""
        if path.exists():
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)
            _sync(path.parent)
        except FileExistsError:
            return
        finally:
            temporary.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Bring the names in `folder` to the disk: what is signed or pseudonymized next must find its key after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
