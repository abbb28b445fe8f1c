"""Freezing an outbox that belongs to hostile code."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import FreezeRefused
from sandbox.outbox import checked_name, freeze, list_items


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    (tmp_path / "outbox").mkdir()
    return tmp_path / "outbox"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def put(
    outbox: Path, slug: str = "result-1", *, payload: str = "a.csv", content: bytes = b"a,b\n1,2\n", **about: Any
) -> Path:
    folder = outbox / slug
    folder.mkdir()
    said = {"title": "T", "reason": "R", "created_at": "2026-01-01", "payload": payload, **about}
    (folder / "about.json").write_text(json.dumps(said), "utf-8")
    (folder / payload).write_bytes(content)
    return folder


def code(act: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(FreezeRefused) as refused:
        act(*arguments, **named)
    assert refused.value.text.zh
    return refused.value.code.removeprefix("sandbox.freeze.")


def test_frozen_copy_is_named_by_the_digest_of_its_bytes_and_read_only(outbox: Path, store: Path) -> None:
    put(outbox, content=b"abc")
    (frozen,) = freeze(outbox, ["result-1"], store)
    digest = hashlib.sha256(b"abc").hexdigest()
    assert (frozen.name, frozen.size, frozen.sha256) == ("a.csv", 3, digest)
    assert frozen.path == store / digest[:2] / digest
    assert frozen.path.read_bytes() == b"abc"
    assert stat.S_IMODE(frozen.path.stat().st_mode) == 0o444


def test_what_happens_to_the_outbox_afterwards_does_not_matter(outbox: Path, store: Path) -> None:
    folder = put(outbox, content=b"before")
    (frozen,) = freeze(outbox, ["result-1"], store)
    (folder / "a.csv").write_bytes(b"after!")
    assert frozen.path.read_bytes() == b"before"


def test_same_bytes_twice_are_one_file(outbox: Path, store: Path) -> None:
    put(outbox, "r-1", payload="a.csv")
    put(outbox, "r-2", payload="b.csv")
    first, second = freeze(outbox, ["r-1", "r-2"], store)
    assert first.path == second.path
    assert freeze(outbox, ["r-1"], store)[0].path == first.path
    assert [path.name for path in store.rglob("*") if path.is_file()] == [first.sha256]


def test_nothing_selected_is_refused(outbox: Path, store: Path) -> None:
    assert code(freeze, outbox, [], store) == "empty"


def test_unknown_item_is_refused(outbox: Path, store: Path) -> None:
    assert code(freeze, outbox, ["result-9"], store) == "broken_missing"


@pytest.mark.parametrize("slug", ["../outbox", "a/b", ".", "..", "", "A", "a\n"])
def test_slug_that_is_a_path_is_refused(outbox: Path, store: Path, slug: str) -> None:
    assert code(freeze, outbox, [slug], store) == "broken_slug"


def test_payload_that_is_a_link_is_refused(outbox: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", "utf-8")
    folder = put(outbox)
    (folder / "a.csv").unlink()
    (folder / "a.csv").symlink_to(tmp_path / "secret")
    assert code(freeze, outbox, ["result-1"], store) == "not_plain"
    assert list_items(outbox)[0].refused


@pytest.mark.parametrize("absolute", [True, False])
def test_item_that_is_a_link_is_refused(outbox: Path, store: Path, tmp_path: Path, absolute: bool) -> None:
    put(tmp_path, "elsewhere")
    (outbox / "result-1").symlink_to(tmp_path / "elsewhere" if absolute else "../elsewhere")
    assert code(freeze, outbox, ["result-1"], store) == "not_plain"


def test_second_name_of_another_file_is_refused(outbox: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", "utf-8")
    folder = put(outbox)
    (folder / "a.csv").unlink()
    os.link(tmp_path / "secret", folder / "a.csv")
    assert code(freeze, outbox, ["result-1"], store) == "not_plain"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_special_file_is_refused_and_holds_nobody_up(outbox: Path, store: Path, kind: str) -> None:
    folder = put(outbox)
    (folder / "a.csv").unlink()
    if kind == "pipe":
        os.mkfifo(folder / "a.csv")
    else:
        (folder / "a.csv").mkdir()
    assert code(freeze, outbox, ["result-1"], store) == "not_plain"


def test_about_that_is_a_pipe_holds_nobody_up(outbox: Path) -> None:
    folder = put(outbox)
    (folder / "about.json").unlink()
    os.mkfifo(folder / "about.json")
    assert list_items(outbox)[0].refused


@pytest.mark.parametrize(
    "payload",
    ["../../secret", "/etc/passwd", "about.json", ".a.csv", "-rf", "a\nb.csv", "a\u202eb.csv", "e\u0301.csv", " a", ""],
)
def test_payload_name_that_means_more_than_a_name_is_refused(outbox: Path, store: Path, payload: str) -> None:
    folder = put(outbox)
    said = {"title": "T", "reason": "R", "payload": payload}
    (folder / "about.json").write_text(json.dumps(said), "utf-8")
    assert code(freeze, outbox, ["result-1"], store) in ("name", "broken_payload")


def test_name_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert checked_name("a" * 120)
    assert code(checked_name, "a" * 121) == "name"


@pytest.mark.parametrize(
    "about",
    [
        *(b"", b"{", b"[]", b"null", b'{"title": 1}', b"\xff", b"[" * 5000),
        b'{"title":"T","reason":"R","payload":"a.csv"}' + b" " * 20_000,
    ],
)
def test_description_that_cannot_be_read_is_refused_and_listed_as_broken(
    outbox: Path, store: Path, about: bytes
) -> None:
    folder = put(outbox)
    (folder / "about.json").write_bytes(about)
    assert code(freeze, outbox, ["result-1"], store).startswith("broken_")
    (item,) = list_items(outbox)
    assert item.refused


def test_title_is_shown_without_signs_that_reorder_text(outbox: Path) -> None:
    put(outbox, title="a\u202eb\nc\x00d")
    assert list_items(outbox)[0].title == "ab cd"


def test_selection_at_the_limit_passes_and_one_byte_more_does_not(outbox: Path, store: Path) -> None:
    put(outbox, "r-1", content=b"x" * 6, payload="a.csv")
    put(outbox, "r-2", content=b"x" * 4, payload="b.csv")
    assert len(freeze(outbox, ["r-1", "r-2"], store, max_bytes=10)) == 2
    assert code(freeze, outbox, ["r-1", "r-2"], store, max_bytes=9) == "too_large"


def test_too_many_and_repeated_items_are_refused(outbox: Path, store: Path) -> None:
    put(outbox, "r-1")
    put(outbox, "r-2", payload="b.csv")
    assert code(freeze, outbox, ["r-1", "r-2"], store, max_files=1) == "too_many"
    assert code(freeze, outbox, ["r-1", "r-1"], store) == "too_many"


def test_two_files_of_one_name_are_refused(outbox: Path, store: Path) -> None:
    put(outbox, "r-1", payload="a.csv")
    put(outbox, "r-2", payload="A.CSV")
    assert code(freeze, outbox, ["r-1", "r-2"], store) == "same_name"


def test_whatever_is_no_item_is_left_out_of_the_list(outbox: Path) -> None:
    put(outbox)
    (outbox / ".new-result-2").mkdir()
    (outbox / "Not An Item").mkdir()
    assert [item.slug for item in list_items(outbox)] == ["result-1"]


def test_file_being_rewritten_is_frozen_as_one_of_its_states_or_refused(outbox: Path, store: Path) -> None:
    """Replaced by renaming, the copy is one version as a whole."""
    folder = put(outbox, content=b"A" * 200_000)
    stop = threading.Event()

    def rewrite() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            (folder / ".new").write_bytes(b"AB"[turn % 2 : turn % 2 + 1] * 200_000)
            os.replace(folder / ".new", folder / "a.csv")

    thread = threading.Thread(target=rewrite)
    thread.start()
    seen = set()
    try:
        for _ in range(60):
            try:
                (frozen,) = freeze(outbox, ["result-1"], store)
                seen |= set(frozen.path.read_bytes())
                assert frozen.sha256 == hashlib.sha256(frozen.path.read_bytes()).hexdigest()
                assert len(set(frozen.path.read_bytes())) == 1
            except FreezeRefused:
                continue
    finally:
        stop.set()
        thread.join()
    assert seen <= set(b"AB")
