"""A preview shows a part of exactly the frozen bytes, as text or picture, and nothing of changed ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hub.gate.preview import MOST_BYTES, MOST_COLUMNS, MOST_ROWS, PNG, Preview, preview


def look(folder: Path, content: bytes, *, name: str, sha256: str | None = None) -> Preview:
    path = folder / "frozen"
    path.write_bytes(content)
    return preview(path, name=name, position=0, sha256=sha256 or hashlib.sha256(content).hexdigest())


def test_rows_up_to_the_limit_are_whole_and_one_more_is_cut(tmp_path: Path) -> None:
    for rows, cut in ((MOST_ROWS, False), (MOST_ROWS + 1, True)):
        shown = look(tmp_path, b"a,b\n" + b"1,2\n" * rows, name="x.csv")
        assert len(shown.rows) == MOST_ROWS + 1
        assert shown.cut is cut


def test_wide_row_is_cut(tmp_path: Path) -> None:
    shown = look(tmp_path, b",".join([b"v"] * (MOST_COLUMNS + 1)), name="x.csv")
    assert len(shown.rows[0]) == MOST_COLUMNS
    assert shown.cut


def test_changed_bytes_are_not_shown(tmp_path: Path) -> None:
    shown = look(tmp_path, b"a,b\n1,2\n", name="x.csv", sha256="0" * 64)
    assert shown.changed
    assert not shown.rows
    assert not shown.text


def test_link_in_the_store_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"secret")
    link = tmp_path / "frozen"
    link.symlink_to(target)
    assert preview(link, name="x.txt", position=0, sha256=hashlib.sha256(b"secret").hexdigest()).changed


def test_missing_file_counts_as_changed(tmp_path: Path) -> None:
    assert preview(tmp_path / "none", name="x.txt", position=0, sha256="0" * 64).changed


def test_picture_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    assert look(tmp_path, PNG + b"rest", name="x.csv").picture
    assert not look(tmp_path, b"<svg onload=alert(1)>", name="x.png").picture


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.parquet", "x"])
def test_other_types_have_no_preview(tmp_path: Path, name: str) -> None:
    shown = look(tmp_path, b"<b>text</b>", name=name)
    assert shown == Preview(name=name, position=0)


def test_long_text_is_cut_and_broken_text_does_no_harm(tmp_path: Path) -> None:
    assert look(tmp_path, b"\xff\xfe" + b"a" * MOST_BYTES, name="x.txt").cut
    assert look(tmp_path, b'"open quote\x00', name="x.csv").rows
