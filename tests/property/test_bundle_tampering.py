"""A bundle verifies offline, and any changed byte, added, dropped or exchanged part does not."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Database, open_engine
from hub.ledger import actions
from hub.ledger.checkpoint import Checkpoint, sign
from hub.ledger.events import EventKind
from hub.products.bundle import write_bundle
from hub.products.statement import PREDICATE_TYPE, STATEMENT_TYPE, seal
from hub.products.verify import PARTS, verify_bundle

LEDGER, RELEASE = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
KEYS = {"release": RELEASE.public_key().public_bytes_raw(), "ledger": LEDGER.public_key().public_bytes_raw()}
NOW = datetime(2026, 11, 24, tzinfo=UTC)
CONTENT = {"counts.csv": b"street,n\nS0,80\n", "说明.md": "说明".encode()}


def statement(request_id: str = "r-0001") -> dict[str, object]:
    subjects = [
        {"name": name, "digest": {"sha256": hashlib.sha256(content).hexdigest()}} for name, content in CONTENT.items()
    ]
    predicate = {"request": {"id": request_id, "digest": "d" * 64}, "licence": {"id": "l-0001"}}
    return {"_type": STATEMENT_TYPE, "predicateType": PREDICATE_TYPE, "subject": subjects, "predicate": predicate}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    database = Database(open_engine("", folder))
    database.create_tables()
    for number, kind in enumerate([EventKind.VOTE_CAST, EventKind.RELEASE_DELIVERED, EventKind.VOTE_CAST]):
        event = actions.Event(
            kind=kind,
            actor="o",
            object_type="export_request",
            object_id="r-0001" if kind is EventKind.RELEASE_DELIVERED else f"r-000{number + 5}",
            object_digest="d" * 64,
            licence_id="l-0001",
        )
        with database.writing() as session:
            actions.append(session, event, at=NOW, key=LEDGER)
    with database.reading() as session:
        inclusion = actions.prove(session, 1)
    database.engine.dispose()
    path = folder / "bundle.zip"
    write_bundle(path, files=list(CONTENT.items()), envelope=seal(statement(), RELEASE), inclusion=inclusion, keys=KEYS)
    return path


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name) for name in bundle.namelist()}


def rebuilt(folder: Path, parts: dict[str, bytes]) -> Path:
    path = folder / "changed.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name, content in parts.items():
            bundle.writestr(name, content)
    return path


def test_whole_bundle_holds_and_says_what_it_cannot_know(bundle: Path) -> None:
    outcome = verify_bundle(bundle)
    assert outcome.holds
    assert [step.code for step in outcome.steps if step.holds is None] == ["keys.trusted"]
    assert all(step.holds for step in verify_bundle(bundle, trusted=KEYS).steps)


def test_bundle_holds_the_files_and_the_known_parts(bundle: Path) -> None:
    assert parts_of(bundle).keys() == PARTS | {f"files/{name}" for name in CONTENT}


SIGNIFICANT = sorted({"files/counts.csv", "files/说明.md", "statement.dsse.json", *PARTS} - {"VERIFY.md"})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), part=st.sampled_from(SIGNIFICANT), flip=st.integers(1, 255))
def test_any_changed_byte_of_any_part_fails(
    bundle: Path, tmp_path: Path, data: st.DataObject, part: str, flip: int
) -> None:
    parts = parts_of(bundle)
    content = bytearray(parts[part])
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= flip
    parts[part] = bytes(content)
    outcome = verify_bundle(rebuilt(tmp_path, parts), trusted=KEYS)
    if outcome.holds:  # the same meaning in other bytes (a space, a base64 pad bit) is still the same release
        assert part.endswith((".json", ".txt"))
        assert outcome.statement == statement()


@pytest.mark.parametrize("part", sorted(PARTS | {"files/counts.csv"}))
def test_missing_part_fails(bundle: Path, tmp_path: Path, part: str) -> None:
    parts = parts_of(bundle)
    del parts[part]
    assert not verify_bundle(rebuilt(tmp_path, parts)).holds


@pytest.mark.parametrize("name", ["files/extra.csv", "extra.txt", "../up.txt", "files/../keys2.json"])
def test_added_part_fails(bundle: Path, tmp_path: Path, name: str) -> None:
    assert not verify_bundle(rebuilt(tmp_path, {**parts_of(bundle), name: b"x"})).holds


def _other_keys(parts: dict[str, bytes]) -> None:
    forger = Ed25519PrivateKey.generate()
    parts["statement.dsse.json"] = seal(statement(), forger)
    public = forger.public_key().public_bytes_raw()
    parts["keys.json"] = json.dumps(
        {name: base64.b64encode(raw).decode() for name, raw in {**KEYS, "release": public}.items()}
    ).encode()


def _other_entry(parts: dict[str, bytes]) -> None:
    parts["ledger/entry.json"] = parts["ledger/entry.json"].replace(b"r-0001", b"r-0002")


def _other_statement(parts: dict[str, bytes]) -> None:
    parts["statement.dsse.json"] = seal(statement("r-0002"), RELEASE)


def _other_checkpoint(parts: dict[str, bytes]) -> None:
    parts["ledger/checkpoint.txt"] = sign(Checkpoint(3, bytes(32)), LEDGER).encode()


def _no_files(parts: dict[str, bytes]) -> None:
    for name in list(parts):
        if name.startswith("files/"):
            del parts[name]
    parts["statement.dsse.json"] = seal({**statement(), "subject": []}, RELEASE)


FORGERIES = [
    (_other_keys, "keys.trusted"),
    (_other_entry, "entry.included"),
    (_other_statement, "entry.matches"),
    (_other_checkpoint, "entry.included"),
    (_no_files, "files.match"),
]


@pytest.mark.parametrize(("forge", "code"), FORGERIES)
def test_forgery_fails_at_its_step(
    bundle: Path, tmp_path: Path, forge: Callable[[dict[str, bytes]], None], code: str
) -> None:
    parts = parts_of(bundle)
    forge(parts)
    outcome = verify_bundle(rebuilt(tmp_path, parts), trusted=KEYS)
    assert not outcome.holds
    assert outcome.steps[-1].code == code


def test_checkpoint_kept_elsewhere_agrees_or_not(bundle: Path) -> None:
    note = parts_of(bundle)["ledger/checkpoint.txt"].decode()
    assert verify_bundle(bundle, checkpoint=note).steps[-1].holds is True
    split = sign(Checkpoint(3, bytes(32)), LEDGER)
    assert verify_bundle(bundle, checkpoint=split).steps[-1].holds is False
    later = sign(Checkpoint(9, bytes(32)), LEDGER)
    assert verify_bundle(bundle, checkpoint=later).steps[-1].holds is None
    assert not verify_bundle(bundle, checkpoint="nonsense").holds


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 100, b"PK\x05\x06" + b"\x00" * 18])
def test_what_is_no_bundle_fails_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    outcome = verify_bundle(path)
    assert not outcome.holds
    assert outcome.steps[-1].text


def test_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("files/a", "w", force_zip64=True) as part:
        for _ in range(300):
            part.write(bytes(2**20))
    assert verify_bundle(path).steps[-1].code == "bundle.whole"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_any_byte_of_the_file_may_be_broken_and_is_answered_in_words(bundle: Path, tmp_path: Path, method: int) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", method) as packed:
        for name, content in parts_of(bundle).items():
            packed.writestr(name, content)
    path, content = tmp_path / "broken.zip", whole.read_bytes()
    for place in range(0, len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        assert verify_bundle(path).steps


HOSTILE = [
    b"[" * 100_000,
    b"null",
    b"5",
    b"[]",
    b"{}",
    b"\xff",
    b"9" * 5000,
    b'{"seq":1e999,"size":3,"proof":[]}',
    b'{"seq":[]}',
]


@pytest.mark.parametrize("part", sorted(PARTS - {"VERIFY.md"}))
@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_part_fails_in_words(bundle: Path, tmp_path: Path, part: str, content: bytes) -> None:
    assert not verify_bundle(rebuilt(tmp_path, {**parts_of(bundle), part: content})).holds
