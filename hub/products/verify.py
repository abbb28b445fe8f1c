"""Verify a released bundle offline: no database, no service, no network.

What must hold, each a step of the answer: (1) the zip holds exactly the parts it should; (2) the statement is signed;
(3) the files are those of the statement, and there are no others; (4) the checkpoint is signed; (5) the delivery's
ledger entry is included in it; (6) that entry is the delivery of this statement; (7) the keys are the ones the caller
trusts, if they were given; (8) a checkpoint kept elsewhere agrees, if one was given.

A certificate of destruction is verified in the same way: it holds no files (3), and its entry is the closing whose
event names the digest of this very envelope (6).
"""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.ledger import tree
from hub.ledger.checkpoint import BadCheckpoint, Checkpoint, open_note
from hub.message import Message, msg
from hub.products.statement import DESTRUCTION_TYPE, PREDICATE_TYPE, BadStatement, type_of, unseal

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
"""Bytes a bundle may unpack to; the files of a release are 20 MB together, before compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was looked at. `holds` is None when it could not be decided and nothing was claimed."""

    code: str
    holds: bool | None
    text: Message


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
            "steps": [{"code": step.code, "holds": step.holds, "text": str(step.text)} for step in self.steps],
            "statement": self.statement,
        }


_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
)
"""What `zipfile` raises on broken files; RecursionError is a RuntimeError."""


class _FailedStep(Exception):  # control flow of this module only
    def __init__(self, code: str, text: Message) -> None:
        self.step = Step(code=code, holds=False, text=text)
        super().__init__(code)


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
        steps.append(
            Step(code="bundle.whole", holds=True, text=msg("{count} parts, all of them known", count=len(parts)))
        )
        keys = _keys(parts["keys.json"])
        envelope = parts["statement.dsse.json"]
        kind = DESTRUCTION_TYPE if type_of(envelope) == DESTRUCTION_TYPE else PREDICATE_TYPE
        statement = unseal(envelope, keys["release"], predicate_type=kind)
        steps.append(Step(code="statement.signed", holds=True, text=msg("the statement is signed by the release key")))
        steps.append(_nothing(parts, statement) if kind == DESTRUCTION_TYPE else _matching(parts, statement))
        head = open_note(parts["ledger/checkpoint.txt"].decode(errors="replace"), keys["ledger"])
        steps.append(
            Step(
                code="checkpoint.signed",
                holds=True,
                text=msg("the ledger's head at {size} entries is signed", size=head.size),
            )
        )
        _included(parts, head)
        steps.append(Step(code="entry.included", holds=True, text=msg("what it tells of stands in the ledger")))
        if kind == DESTRUCTION_TYPE:
            _about_closing(parts["ledger/entry.json"], statement, envelope)
            said = msg("the entry is the closing of this licence, with this certificate")
        else:
            _about(parts["ledger/entry.json"], statement)
            said = msg("the entry is the delivery of these files")
        steps.append(Step(code="entry.matches", holds=True, text=said))
        steps.append(_trust(keys, trusted))
        if checkpoint is not None:
            steps.append(_outside(head, checkpoint, keys["ledger"]))
    except _FailedStep as failed:
        return Verification(steps=(*steps, failed.step), statement=None)
    except BadStatement as error:
        failed_step = Step(code="statement.signed", holds=False, text=error.said)
        return Verification(steps=(*steps, failed_step), statement=None)
    except BadCheckpoint as error:
        failed_step = Step(code="checkpoint.signed", holds=False, text=error.said)
        return Verification(steps=(*steps, failed_step), statement=None)
    return Verification(steps=tuple(steps), statement=statement)


def _read(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as bundle:
            infos = bundle.infolist()
            names = [info.filename for info in infos]
            if len(set(names)) != len(names) or sum(info.file_size for info in infos) > MAX_UNPACKED:
                raise _FailedStep("bundle.whole", msg("a name stands twice in the bundle, or it unpacks to too much"))
            parts = {info.filename: bundle.read(info) for info in infos}
    except _UNREADABLE as error:
        raise _FailedStep("bundle.whole", msg("the bundle cannot be read as a zip file")) from error
    extra = {name for name in parts if name not in PARTS and not name.startswith("files/")}
    missing = PARTS - parts.keys()
    if extra or missing:
        raise _FailedStep(
            "bundle.whole",
            msg(
                "{missing} parts are missing, {extra} do not belong in a bundle",
                missing=len(missing),
                extra=len(extra),
            ),
        )
    return parts


def _keys(content: bytes) -> dict[str, bytes]:
    try:
        keys = {str(name): base64.b64decode(value, validate=True) for name, value in json.loads(content).items()}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise _FailedStep("statement.signed", msg("the public keys cannot be read")) from error
    if any(len(keys.get(name, b"")) != 32 for name in ("release", "ledger")):
        raise _FailedStep("statement.signed", msg("the public keys cannot be read"))
    return keys


def _matching(parts: dict[str, bytes], statement: dict[str, Any]) -> Step:
    count = _files(parts, statement)
    return Step(
        code="files.match", holds=True, text=msg("{count} files have the digests of the statement", count=count)
    )


def _nothing(parts: dict[str, bytes], statement: dict[str, Any]) -> Step:
    """A certificate lists what is gone; whatever lies beside it was added."""
    if any(name.startswith("files/") for name in parts):
        raise _FailedStep("files.match", msg("a certificate of destruction holds no files"))
    try:
        count = len(statement["predicate"]["items"])
        same = [item["sha256"] for item in statement["predicate"]["items"]] == [
            subject["digest"]["sha256"] for subject in statement["subject"]
        ]
    except (KeyError, TypeError) as error:
        raise _FailedStep("files.match", msg("the certificate does not say what was destroyed")) from error
    if not same or not count:
        raise _FailedStep("files.match", msg("the certificate does not say what was destroyed"))
    return Step(
        code="files.match", holds=True, text=msg("{count} things were destroyed, each with its digest", count=count)
    )


def _files(parts: dict[str, bytes], statement: dict[str, Any]) -> int:
    try:
        expected = {f"files/{subject['name']}": subject["digest"]["sha256"] for subject in statement["subject"]}
    except (KeyError, TypeError) as error:
        raise _FailedStep("files.match", msg("the statement names no files")) from error
    found = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items() if name.startswith("files/")}
    if not expected:
        raise _FailedStep("files.match", msg("the statement names no files"))
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise _FailedStep("files.match", msg("{name} is missing", name=name))
        if expected.get(name) != found[name]:
            raise _FailedStep("files.match", msg("{name} is not the file that was released", name=name))
    return len(found)


def _included(parts: dict[str, bytes], head: Checkpoint) -> None:
    try:
        said = json.loads(parts["ledger/proof.json"])
        proof = [bytes.fromhex(node) for node in said["proof"]]
        seq, size = int(said["seq"]), int(said["size"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise _FailedStep("entry.included", msg("the inclusion proof cannot be read")) from error
    leaf = tree.leaf_hash(parts["ledger/entry.json"])
    if size != head.size or tree.root_from_inclusion(leaf, seq, size, proof) != head.root:
        raise _FailedStep("entry.included", msg("what it tells of does not stand in the ledger of this checkpoint"))


def _about(entry: bytes, statement: dict[str, Any]) -> None:
    try:
        event, predicate = json.loads(entry), statement["predicate"]
        same = (
            event["kind"] == "release.delivered"
            and event["object_id"] == predicate["request"]["id"]
            and event["object_digest"] == predicate["request"]["digest"]
            and event["licence_id"] == predicate["licence"]["id"]
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _FailedStep("entry.matches", msg("the ledger entry cannot be read")) from error
    if not same:
        raise _FailedStep("entry.matches", msg("the ledger entry is about another delivery"))


def _about_closing(entry: bytes, statement: dict[str, Any], envelope: bytes) -> None:
    try:
        event, licence = json.loads(entry), statement["predicate"]["licence"]["id"]
        same = (
            event["kind"] == "licence.closed"
            and event["object_id"] == event["licence_id"] == licence
            and event["object_digest"] == hashlib.sha256(envelope).hexdigest()
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _FailedStep("entry.matches", msg("the ledger entry cannot be read")) from error
    if not same:
        raise _FailedStep("entry.matches", msg("the ledger entry is about another closing"))


def _trust(keys: dict[str, bytes], trusted: dict[str, bytes] | None) -> Step:
    prints = ", ".join(f"{name} {fingerprint(keys[name])}" for name in ("release", "ledger"))
    if trusted is None:
        return Step(
            code="keys.trusted",
            holds=None,
            text=msg("compare with the fingerprints that the bureau published: {prints}", prints=prints),
        )
    if any(keys[name] != trusted.get(name) for name in ("release", "ledger")):
        raise _FailedStep("keys.trusted", msg("the bundle was signed with other keys than the ones you trust"))
    return Step(code="keys.trusted", holds=True, text=msg("signed with the keys you trust"))


def _outside(head: Checkpoint, note: str, public: bytes) -> Step:
    try:
        kept = open_note(note, public)
    except BadCheckpoint as error:
        raise _FailedStep("checkpoint.agrees", msg("the checkpoint you gave: {why}", why=error.said)) from error
    if kept.size != head.size:
        return Step(
            code="checkpoint.agrees",
            holds=None,
            text=msg(
                "yours is of {yours} entries, the bundle's of {theirs}: ask for a consistency proof",
                yours=kept.size,
                theirs=head.size,
            ),
        )
    if kept.root != head.root:
        raise _FailedStep("checkpoint.agrees", msg("two checkpoints of one size differ: the ledger was split"))
    return Step(code="checkpoint.agrees", holds=True, text=msg("the checkpoint you kept agrees"))
