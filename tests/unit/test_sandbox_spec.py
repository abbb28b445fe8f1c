"""A spec that exists can be run: everything else is refused when it is built, in words of both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError, SpecRefused, Words, error_as_json, error_from_json
from sandbox.spec import KIB, Limits, ReadOnlyMount, WorkspaceSpec, as_json, from_json
from sandbox.uids import allot_uid


def spec(**changed: Any) -> WorkspaceSpec:
    return WorkspaceSpec(**{"workspace_id": "w-1", "state_dir": Path("/var/zhakou/w-1"), **changed})


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("workspace_id", {"workspace_id": "W 1"}),
        ("workspace_id", {"workspace_id": "../x"}),
        ("workspace_id", {"workspace_id": "a" * 41}),
        ("state_dir", {"state_dir": Path("relative")}),
        ("state_dir", {"state_dir": Path("/a/../b")}),
        ("state_dir", {"state_dir": Path("/a\nb")}),
        ("socket_path", {"state_dir": Path("/" + "a" * 100)}),
        ("uid", {"uid": 61_000}),
        ("uid", {"uid": 0, "gid": 0}),
        ("uid", {"uid": 61_001, "gid": 61_000}),
        ("uid", {"uid": 65_534, "gid": 61_000}),
        ("uid", {"uid": True, "gid": 61_000}),
        ("hub_socket", {"hub_socket": Path("hub.sock")}),
        ("language", {"language": "fr"}),
        ("env", {"server_env": {"LD_PRELOAD": "x"}}),
        ("env", {"server_env": {"PYTHONPATH": "x"}}),
        ("env", {"server_env": {"A B": "x"}}),
        ("env", {"server_env": {"A": "x\0"}}),
        ("argv", {"server_argv_extra": ("a\0",)}),
        ("mount_twice", {"extracts": (ReadOnlyMount(name="a", source=Path("/a")),) * 2}),
    ],
)
def test_unfit_value_is_refused_by_its_rule(rule: str, changed: dict[str, Any]) -> None:
    with pytest.raises(SpecRefused) as refused:
        spec(**changed)
    assert refused.value.code == f"sandbox.spec.{rule}"
    assert refused.value.text.zh
    assert refused.value.next_step.zh


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".a", "a.b", "-a", "a\n", "e\u0301", "字" * 41])
def test_name_of_an_extract_must_be_plain(name: str) -> None:
    with pytest.raises(SpecRefused):
        ReadOnlyMount(name=name, source=Path("/a"))


@pytest.mark.parametrize("name", ["fair", "居民_2024", "elder-care"])
def test_plain_names_of_any_script_are_taken(name: str) -> None:
    assert ReadOnlyMount(name=name, source=Path("/a")).name == name


def test_limit_at_its_floor_is_taken_and_below_is_refused() -> None:
    assert Limits(output_bytes=64 * KIB).output_bytes == 64 * KIB
    with pytest.raises(SpecRefused):
        Limits(output_bytes=64 * KIB - 1)
    with pytest.raises(SpecRefused):
        Limits(processes=8.0)  # type: ignore[arg-type]


def test_display_name_may_hold_anything_a_person_is_called() -> None:
    assert spec(display_name='李 "四"\n').display_name


def test_secrets_of_the_environment_are_not_in_the_representation() -> None:
    assert "s3cret" not in repr(spec(server_env={"ZHAKOU_TOKEN": "s3cret"}))


def test_environment_cannot_be_changed_after_the_check() -> None:
    with pytest.raises(TypeError):
        spec(server_env={"A": "1"}).server_env["LD_PRELOAD"] = "x"  # type: ignore[index]


def test_spec_survives_the_way_to_the_supervisor() -> None:
    given = spec(
        uid=61_000,
        gid=61_000,
        extracts=(ReadOnlyMount(name="a", source=Path("/x/a.parquet")),),
        hub_socket=Path("/s/hub.sock"),
        server_env={"A": "1"},
    )
    assert from_json(as_json(given)) == given


def test_server_and_kernels_have_different_uids() -> None:
    given = spec(uid=61_000, gid=61_000)
    assert (given.server_uid, given.kernel_uid) == (61_000, 61_001)
    assert (spec().server_uid, spec().kernel_uid) == (None, None)


def test_error_survives_the_way_from_the_supervisor() -> None:
    with pytest.raises(SpecRefused) as refused:
        spec(language="fr")
    again = error_from_json(error_as_json(refused.value))
    assert (type(again), again.code, again.text, again.text.zh) == (
        SpecRefused,
        refused.value.code,
        refused.value.text,
        refused.value.text.zh,
    )


def test_words_speak_both_languages() -> None:
    words = Words(en="No.", zh="不。")
    assert (words.in_language("en"), words.in_language("zh")) == ("No.", "不。")


def test_each_workspace_keeps_a_pair_of_uids_of_its_own(tmp_path: Path) -> None:
    first, second = allot_uid(tmp_path, "a"), allot_uid(tmp_path, "b")
    assert (first, second) == (61_000, 61_002)
    assert allot_uid(tmp_path, "a") == first


def test_used_up_range_of_uids_is_refused(tmp_path: Path) -> None:
    allot_uid(tmp_path, "a", first=61_000, last=61_000)
    with pytest.raises(SandboxError) as refused:
        allot_uid(tmp_path, "b", first=61_000, last=61_000)
    assert refused.value.code == "sandbox.no_uid"
