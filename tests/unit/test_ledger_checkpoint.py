"""Signed checkpoints: what a verifier must accept and what it must not."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.ledger.canonical import canonical
from hub.ledger.checkpoint import BadCheckpoint, Checkpoint, open_note, sign

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
POINT = Checkpoint(7, bytes(range(32)))
NOTE = sign(POINT, KEY)


def test_own_note_opens() -> None:
    assert open_note(NOTE, PUBLIC) == POINT


def test_unknown_signature_lines_are_ignored() -> None:
    with_others = NOTE.replace("\n\n", "\n\n— someone.else AAAA\n", 1) + "— zhakou.local/ledger AAAAAAAA\n"
    assert open_note(with_others, PUBLIC) == POINT


@pytest.mark.parametrize(
    "broken",
    [
        "",
        NOTE.replace("7", "8", 1),
        NOTE.replace("zhakou", "zhakov", 1),
        NOTE.split("\n\n")[0] + "\n\n",
        NOTE.rstrip("\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("AAEC", "AAED"),
    ],
)
def test_changed_note_does_not_open(broken: str) -> None:
    assert broken != NOTE
    with pytest.raises(BadCheckpoint):
        open_note(broken, PUBLIC)


def test_other_key_does_not_open() -> None:
    with pytest.raises(BadCheckpoint):
        open_note(NOTE, Ed25519PrivateKey.generate().public_key().public_bytes_raw())


def test_canonical_form_is_sorted_and_bare() -> None:
    assert canonical({"b": [1, None, True], "a": "区"}) == '{"a":"区","b":[1,null,true]}'.encode()


@pytest.mark.parametrize("value", [1.5, {"é": 1}, {1: 2}, 2**53, b"bytes", {"a": {"b": float("nan")}}, "\ud800"])
def test_what_has_no_portable_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)
