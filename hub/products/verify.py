"""Verify a released bundle offline: no database, no service, no network.

What must hold, each a step of the answer: (1) the zip holds exactly the parts it should; (2) the statement is signed;
(3) the files are those of the statement, and there are no others; (4) the checkpoint is signed; (5) the delivery's
ledger entry is included in it; (6) that entry is the delivery of this statement; (7) the keys are the ones the caller
trusts, if they were given; (8) a checkpoint kept elsewhere agrees, if one was given.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.ledger import tree
from hub.ledger.checkpoint import BadCheckpoint, Checkpoint, open_note
from hub.products.statement import BadStatement, unseal

PARTS = frozenset(
    {
        "statement.dsse.json",
        "ledger/entry.json",
        "ledger/proof.json",
        "ledger/checkpoint.txt",
        "keys.json",
        "VERIFY.md",
    }
)
MAX_UNPACKED = 256 * 2**20
"""Bytes a bundle may unpack to; a release holds at most 20 files of 16 MB before compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at. `holds` is None when it could not be decided and nothing was claimed."""

    code: str
    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The answer: every step looked at, in order. A step that fails ends it."""

    steps: tuple[Step, ...]
    statement: dict[str, Any] | None

    @property
    def holds(self) -> bool:
        """Whether nothing failed and all steps were reached."""
        return self.statement is not None and all(step.holds is not False for step in self.steps)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "holds": self.holds,
            "steps": [{"code": step.code, "holds": step.holds, "text": step.text} for step in self.steps],
            "statement": self.statement,
        }


class _FailedStep(Exception):  # control flow of this module only
    def __init__(self, code: str, text: str) -> None:
        self.step = Step(code=code, holds=False, text=text)
        super().__init__(text)


def fingerprint(public: bytes) -> str:
    """How a public key is read out over the telephone: SHA-256 in groups of four."""
    digest = hashlib.sha256(public).hexdigest()[:32]
    return " ".join(digest[i : i + 4] for i in range(0, 32, 4))


def verify_bundle(
    path: Path, *, trusted: dict[str, bytes] | None = None, checkpoint: str | None = None
) -> Verification:
    """Verify the bundle at `path`.

    Args:
        trusted: The published public keys (`release`, `ledger`, 32 raw bytes each), if the caller has them.
        checkpoint: A signed checkpoint that was kept elsewhere.

    Never raises for what is in the file: whatever is wrong with it is a step that does not hold.
    """
    steps: list[Step] = []
    try:
        parts = _read(path)
        steps.append(Step(code="bundle.whole", holds=True, text=f"{len(parts)} parts, all of them known"))
        keys = _keys(parts["keys.json"])
        statement = unseal(parts["statement.dsse.json"], keys["release"])
        steps.append(Step(code="statement.signed", holds=True, text="the statement is signed by the release key"))
        count = _files(parts, statement)
        steps.append(Step(code="files.match", holds=True, text=f"{count} files have the digests of the statement"))
        head = open_note(parts["ledger/checkpoint.txt"].decode(), keys["ledger"])
        steps.append(
            Step(code="checkpoint.signed", holds=True, text=f"the ledger's head at {head.size} entries is signed")
        )
        _included(parts, head)
        steps.append(Step(code="entry.included", holds=True, text="the delivery stands in the ledger"))
        _about(parts["ledger/entry.json"], statement)
        steps.append(Step(code="entry.matches", holds=True, text="the entry is the delivery of these files"))
        steps.append(_trust(keys, trusted))
        if checkpoint is not None:
            steps.append(_outside(head, checkpoint, keys["ledger"]))
    except _FailedStep as failed:
        return Verification(steps=(*steps, failed.step), statement=None)
    except (BadStatement, BadCheckpoint, UnicodeDecodeError) as error:
        code = "statement.signed" if isinstance(error, BadStatement) else "checkpoint.signed"
        return Verification(steps=(*steps, Step(code=code, holds=False, text=str(error))), statement=None)
    return Verification(steps=tuple(steps), statement=statement)


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as bundle:
            infos = bundle.infolist()
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or sum(info.file_size for info in infos) > MAX_UNPACKED:
                raise _FailedStep("bundle.whole", "a name stands twice in the bundle, or it unpacks to too much")
            parts = {info.filename: bundle.read(info) for info in infos}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        raise _FailedStep("bundle.whole", "the bundle cannot be read as a zip file") from error
    extra = {name for name in parts if name not in PARTS and not name.startswith("files/")}
    missing = PARTS - parts.keys()
    if extra or missing:
        raise _FailedStep("bundle.whole", f"{len(missing)} parts are missing, {len(extra)} do not belong in a bundle")
    return parts


def _keys(content: bytes) -> dict[str, bytes]:
    try:
        keys = {str(name): base64.b64decode(value, validate=True) for name, value in json.loads(content).items()}
    except (ValueError, AttributeError, TypeError, binascii.Error) as error:
        raise _FailedStep("statement.signed", "the public keys cannot be read") from error
    if any(len(keys.get(name, b"")) != 32 for name in ("release", "ledger")):
        raise _FailedStep("statement.signed", "the public keys cannot be read")
    return keys


def _files(parts: dict[str, bytes], statement: dict[str, Any]) -> int:
    try:
        expected = {f"files/{subject['name']}": subject["digest"]["sha256"] for subject in statement["subject"]}
    except (KeyError, TypeError) as error:
        raise _FailedStep("files.match", "the statement names no files") from error
    found = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items() if name.startswith("files/")}
    if not expected:
        raise _FailedStep("files.match", "the statement names no files")
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise _FailedStep("files.match", f"{name} is missing")
        if expected.get(name) != found[name]:
            raise _FailedStep("files.match", f"{name} is not the file that was released")
    return len(found)


def _included(parts: dict[str, bytes], head: Checkpoint) -> None:
    try:
        said = json.loads(parts["ledger/proof.json"])
        proof = [bytes.fromhex(node) for node in said["proof"]]
        seq, size = int(said["seq"]), int(said["size"])
    except (ValueError, KeyError, TypeError) as error:
        raise _FailedStep("entry.included", "the inclusion proof cannot be read") from error
    leaf = tree.leaf_hash(parts["ledger/entry.json"])
    if size != head.size or tree.root_from_inclusion(leaf, seq, size, proof) != head.root:
        raise _FailedStep("entry.included", "the delivery does not stand in the ledger of this checkpoint")


def _about(entry: bytes, statement: dict[str, Any]) -> None:
    try:
        event, predicate = json.loads(entry), statement["predicate"]
        same = (
            event["kind"] == "release.delivered"
            and event["object_id"] == predicate["request"]["id"]
            and event["object_digest"] == predicate["request"]["digest"]
            and event["licence_id"] == predicate["licence"]["id"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _FailedStep("entry.matches", "the ledger entry cannot be read") from error
    if not same:
        raise _FailedStep("entry.matches", "the ledger entry is about another delivery")


def _trust(keys: dict[str, bytes], trusted: dict[str, bytes] | None) -> Step:
    prints = ", ".join(f"{name} {fingerprint(keys[name])}" for name in ("release", "ledger"))
    if trusted is None:
        return Step(
            code="keys.trusted",
            holds=None,
            text=f"compare with the fingerprints that the bureau published: {prints}",
        )
    if any(keys[name] != trusted.get(name) for name in ("release", "ledger")):
        raise _FailedStep("keys.trusted", "the bundle was signed with other keys than the ones you trust")
    return Step(code="keys.trusted", holds=True, text="signed with the keys you trust")


def _outside(head: Checkpoint, note: str, public: bytes) -> Step:
    try:
        kept = open_note(note, public)
    except BadCheckpoint as error:
        raise _FailedStep("checkpoint.agrees", f"the checkpoint you gave: {error}") from error
    if kept.size != head.size:
        return Step(
            code="checkpoint.agrees",
            holds=None,
            text=f"yours is of {kept.size} entries, the bundle's of {head.size}: ask for a consistency proof",
        )
    if kept.root != head.root:
        raise _FailedStep("checkpoint.agrees", "two checkpoints of one size differ: the ledger was split")
    return Step(code="checkpoint.agrees", holds=True, text="the checkpoint you kept agrees")
