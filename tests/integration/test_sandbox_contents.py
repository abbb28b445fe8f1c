"""The contents manager against a kernel that shares its folder and prepares it badly on purpose."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.web import HTTPError

from sandbox.server.contents import MAX_DEPTH, MAX_FILE_BYTES, BeneathContents
from sandbox.server.meter import Meter

NOTEBOOK: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    place = tmp_path / "secret.txt"
    place.write_text("out of reach", "utf-8")
    return place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def contents(home: Path) -> BeneathContents:
    manager = BeneathContents(language="en")
    manager.root_dir = str(home)
    manager.meter = Meter(limit_bytes=100 * 2**20)
    return manager


def status(act: Any, *arguments: Any, **named: Any) -> int:
    with pytest.raises(HTTPError) as refused:
        act(*arguments, **named)
    return int(refused.value.status_code)


def test_saved_text_comes_back(contents: BeneathContents) -> None:
    contents.save({"type": "file", "format": "text", "content": "分析"}, "a.txt")
    assert contents.get("a.txt")["content"] == "分析"
    assert contents.get("", content=True)["content"][0]["name"] == "a.txt"


def test_saved_notebook_comes_back_without_trust_and_without_script(contents: BeneathContents) -> None:
    script = {"output_type": "display_data", "data": {"application/javascript": "x"}, "metadata": {}}
    shown = {"output_type": "display_data", "data": {"text/html": "<b onclick=x>1</b>"}, "metadata": {}}
    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"trusted": True},
        "source": "1",
        "outputs": [script, shown],
        "execution_count": 1,
    }
    contents.save({"type": "notebook", "format": "json", "content": {**NOTEBOOK, "cells": [cell]}}, "a.ipynb")
    kept = contents.get("a.ipynb")["content"]["cells"][0]
    assert kept["metadata"] == {}
    assert [one["data"] for one in kept["outputs"]] == [{"text/html": "<b>1</b>"}]


def test_notebook_written_by_the_kernel_is_cleaned_on_reading(contents: BeneathContents, home: Path) -> None:
    markdown = {
        "cell_type": "markdown",
        "id": "a",
        "metadata": {},
        "source": "x",
        "attachments": {"p": {"image/svg+xml": "<svg/>"}},
    }
    (home / "a.ipynb").write_text(json.dumps({**NOTEBOOK, "cells": [markdown]}), "utf-8")
    assert contents.get("a.ipynb")["content"]["cells"][0]["attachments"] == {"p": {}}


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": 1}', '{"nbformat": 99}', "\udcff", "{" * 10_000])
def test_file_that_is_no_notebook_is_refused_in_words(contents: BeneathContents, home: Path, text: str) -> None:
    (home / "a.ipynb").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert status(contents.get, "a.ipynb") == 400


@pytest.mark.parametrize("place", ["a.txt", "folder/a.txt"])
def test_link_is_not_followed(contents: BeneathContents, home: Path, secret: Path, place: str) -> None:
    (home / "folder").mkdir()
    (home / place).symlink_to(secret)
    assert status(contents.get, place) == 403
    assert not contents.file_exists(place)
    assert [one["name"] for one in contents.get("")["content"]] == ["folder"]


@pytest.mark.parametrize("points_to", ["..", "/"])
def test_link_to_a_folder_is_not_walked_through(
    contents: BeneathContents, home: Path, secret: Path, points_to: str
) -> None:
    (home / "door").symlink_to(".." if points_to == ".." else secret.parent)
    assert status(contents.get, "door/secret.txt") == 403
    assert status(contents.get, "door") == 403
    assert status(contents.save, {"type": "file", "format": "text", "content": "x"}, "door/new.txt") == 404
    assert not (secret.parent / "new.txt").exists()


def test_saving_over_a_link_replaces_the_link(contents: BeneathContents, home: Path, secret: Path) -> None:
    (home / "a.txt").symlink_to(secret)
    contents.save({"type": "file", "format": "text", "content": "mine"}, "a.txt")
    assert secret.read_text("utf-8") == "out of reach"
    assert contents.get("a.txt")["content"] == "mine"


def test_second_name_of_a_file_is_refused_and_not_listed(contents: BeneathContents, home: Path, secret: Path) -> None:
    os.link(secret, home / "a.txt")
    assert status(contents.get, "a.txt") == 403
    assert contents.get("")["content"] == []


def test_pipe_holds_nobody_up(contents: BeneathContents, home: Path) -> None:
    os.mkfifo(home / "a.txt")
    assert status(contents.get, "a.txt") == 403
    assert contents.get("")["content"] == []


@pytest.mark.parametrize("path", ["../secret.txt", "a/../../secret.txt", "..", "./a.txt", "a//../secret.txt"])
def test_no_path_leads_out(contents: BeneathContents, home: Path, secret: Path, path: str) -> None:
    (home / "a").mkdir()
    assert status(contents.get, path) == 404
    assert status(contents.delete_file, path) in (400, 404)
    assert secret.exists()


@pytest.mark.parametrize("name", ["a.html", "a.png", "a", "a.parquet", "a.sh", "a.ipynb.exe"])
def test_other_kinds_are_refused(contents: BeneathContents, home: Path, name: str) -> None:
    (home / name).write_text("x", "utf-8")
    assert status(contents.get, name) == 403
    assert status(contents.save, {"type": "file", "format": "text", "content": "x"}, name) == 403
    assert contents.get("")["content"] == []


def test_hidden_files_are_not_there(contents: BeneathContents, home: Path) -> None:
    (home / ".secret.txt").write_text("x", "utf-8")
    assert status(contents.get, ".secret.txt") == 404
    assert contents.get("")["content"] == []


def test_base64_is_refused_both_ways(contents: BeneathContents) -> None:
    contents.save({"type": "file", "format": "text", "content": "x"}, "a.txt")
    assert status(contents.get, "a.txt", format="base64") == 400
    assert status(contents.save, {"type": "file", "format": "base64", "content": "eA=="}, "a.txt") == 400


def test_file_at_the_limit_opens_and_one_byte_more_does_not(contents: BeneathContents, home: Path) -> None:
    (home / "a.txt").write_bytes(b"x" * MAX_FILE_BYTES)
    assert len(contents.get("a.txt")["content"]) == MAX_FILE_BYTES
    (home / "a.txt").write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    assert status(contents.get, "a.txt") == 413


def test_contents_and_names_draw_on_the_budget(contents: BeneathContents, home: Path) -> None:
    (home / "a.txt").write_bytes(b"x" * 1000)
    contents.meter = Meter(limit_bytes=1100)
    contents.get("a.txt")
    contents.get("")
    assert status(contents.get, "a.txt") == 403
    assert status(contents.get, "") == 403
    contents.get("a.txt", content=False)


@pytest.mark.parametrize("name", ["a\u202eb.txt", "a\x01.txt", "字" * 41 + ".txt", "checkpoints", "trust"])
def test_odd_names_are_refused_and_not_listed(contents: BeneathContents, home: Path, name: str) -> None:
    (home / name).mkdir()
    assert status(contents.get, name) == 404
    assert contents.get("")["content"] == []


def test_too_deep_is_not_there(contents: BeneathContents, home: Path) -> None:
    deep = "/".join("a" * (MAX_DEPTH + 1))
    (home / deep).mkdir(parents=True)
    assert status(contents.get, deep) == 404


def test_rename_neither_overwrites_nor_changes_the_kind(contents: BeneathContents, home: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (home / name).write_text(name, "utf-8")
    assert status(contents.rename_file, "a.txt", "b.txt") == 409
    assert status(contents.rename_file, "a.txt", "a.html") == 403
    contents.rename_file("a.txt", "c.txt")
    assert contents.get("c.txt")["content"] == "a.txt"


def test_checkpoints_are_not_made(contents: BeneathContents) -> None:
    contents.save({"type": "file", "format": "text", "content": "x"}, "a.txt")
    assert contents.list_checkpoints("a.txt") == []
    assert status(contents.create_checkpoint, "a.txt") == 403
    contents.delete("a.txt")
    assert not contents.file_exists("a.txt")


@pytest.fixture
def swapping(home: Path, secret: Path) -> Iterator[Path]:
    """A file that is a link half of the time."""
    place, honest, link = home / "a.txt", home / ".honest", home / ".link"
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            honest.write_text("mine", "utf-8")
            os.replace(honest, place)
            link.symlink_to(secret)
            os.replace(link, place)

    thread = threading.Thread(target=swap)
    thread.start()
    yield place
    stop.set()
    thread.join()


def test_swapping_files_while_they_are_read_wins_nothing(contents: BeneathContents, swapping: Path) -> None:
    seen: set[str] = set()
    reads, until = 0, time.monotonic() + 30  # on a busy machine one thread may have the turn for long
    while reads < 1500 or (seen != {"mine", "refused"} and time.monotonic() < until):
        reads += 1
        try:
            seen.add(contents.get("a.txt")["content"])
        except HTTPError:
            seen.add("refused")
    assert seen == {"mine", "refused"}
