"""What is destroyed is measured and taken away whatever an analyst put there; a destroyed key never comes back."""

import os
from pathlib import Path

import pytest

from hub.closing.disk import destroy, measure
from hub.errors import InvalidState
from hub.keys import Keyring


def test_hostile_folder_is_measured_and_destroyed_without_leaving_it(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    root = tmp_path / "w-0001"
    (root / "closed").mkdir(parents=True)
    (root / "closed" / "a").write_text("a")
    (root / "link").symlink_to(outside)
    (root / "file-link").symlink_to(outside / "kept.txt")
    os.mkfifo(root / "pipe")
    Path(os.fsdecode(os.fsencode(root) + b"/\xff\n")).write_text("odd")
    (root / "closed").chmod(0o500)
    tree = measure(root)
    assert (tree.files, tree.size) == (2, 4)
    destroy(root)
    assert not root.exists()
    assert (outside / "kept.txt").read_text() == "kept"


def test_digest_of_a_tree_tells_name_kind_and_content_apart(tmp_path: Path) -> None:
    trees = []
    for number, (name, content) in enumerate([("a", "x"), ("a", "y"), ("b", "x")]):
        root = tmp_path / str(number)
        root.mkdir()
        (root / name).write_text(content)
        trees.append(measure(root).sha256)
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "a").symlink_to("x")
    trees.append(measure(linked).sha256)
    assert len(set(trees)) == 4
    assert measure(tmp_path / "0") == measure(tmp_path / "0")


def test_destroyed_pseudonym_key_is_never_made_again(tmp_path: Path) -> None:
    keys = Keyring(tmp_path)
    secret = keys.pseudonym_key_file("l-0001").read_bytes()
    print_ = keys.pseudonym_key_print("l-0001")
    assert print_
    assert secret.hex() not in print_
    keys.destroy_pseudonym_key("l-0001")
    keys.destroy_pseudonym_key("l-0001")
    assert keys.pseudonym_key_print("l-0001") == ""
    with pytest.raises(InvalidState) as caught:
        keys.pseudonym_key_file("l-0001")
    assert caught.value.code == "licence.key_destroyed"
    assert keys.pseudonym_key_file("l-0002").is_file()
