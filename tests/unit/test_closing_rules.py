"""Rules of closing as a table: everything that is open stops what cannot be taken back."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.closing.disk import destroy, measure
from hub.closing.rules import ClosingFacts, refusals_of_remains, refusals_to_close
from hub.errors import InvalidState
from hub.keys import Keyring
from hub.licensing.model import LicenceStatus
from hub.people.actor import Actor, OrgKind, Role

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
OFFICER = Actor(person_id="o", org_id="bureau", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
ADMIN = Actor(person_id="a", org_id="ky", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
ENDED = ClosingFacts(
    licence_id="l-0001",
    status=LicenceStatus.ACTIVE,
    ends_at=NOW,
    open_requests=0,
    open_workspaces=0,
    building=0,
    is_sealed=False,
)
LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("change", "actor", "typed", "reason", "expected"),
    [
        ({}, OFFICER, "l-0001", "ended", set()),
        ({"status": LicenceStatus.SUSPENDED}, OFFICER, "l-0001", "ended", set()),
        ({}, ADMIN, "l-0001", "ended", {"role.missing"}),
        ({"ends_at": LATER}, OFFICER, "l-0001", "ended", {"closing.usable"}),
        ({"ends_at": LATER, "status": LicenceStatus.SUSPENDED}, OFFICER, "l-0001", "ended", {"closing.usable"}),
        ({"open_requests": 1}, OFFICER, "l-0001", "ended", {"closing.request_open"}),
        ({"open_workspaces": 1}, OFFICER, "l-0001", "ended", {"closing.workspace_open"}),
        ({"building": 1}, OFFICER, "l-0001", "ended", {"closing.extract_building"}),
        ({}, OFFICER, "l-0002", "ended", {"closing.confirm"}),
        ({}, OFFICER, "", "ended", {"closing.confirm"}),
        ({}, OFFICER, "l-0001", " ", {"closing.reason_missing"}),
        ({"is_sealed": True}, OFFICER, "l-0001", "ended", {"closing.done"}),
    ],
)
def test_licence_is_closed_only_when_nothing_is_open(
    change: dict[str, object], actor: Actor, typed: str, reason: str, expected: set[str]
) -> None:
    facts = replace(ENDED, **change)  # type: ignore[arg-type]
    found = refusals_to_close(facts, actor, typed=typed, reason=reason, now=NOW)
    assert {refusal.rule for refusal in found} == expected


def test_what_remains_stops_the_certificate() -> None:
    assert refusals_of_remains("l-0001", remaining=0) == ()
    assert [refusal.rule for refusal in refusals_of_remains("l-0001", remaining=1)] == ["closing.remains"]


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
