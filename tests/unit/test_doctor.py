"""What the doctor says: must-haves decide, weaknesses are told, a fault comes with the command that mends it."""

import json
import os
from pathlib import Path

import pytest

from anonymize.text import Text
from hub import doctor
from hub.doctor import Finding, Level, Need


def finding(level: Level, mend: str = "") -> Finding:
    return Finding(check="x", level=level, text=Text("好。", "Fine."), mend=mend)


@pytest.mark.parametrize(
    ("levels", "ready"),
    [
        ([], False),
        ([Level.OK], True),
        ([Level.OK, Level.WEAKER], True),
        ([Level.OK, Level.MISSING], False),
    ],
)
def test_only_a_missing_must_have_stops_and_nothing_looked_at_is_not_ready(levels: list[Level], ready: bool) -> None:
    assert doctor.is_ready([finding(level) for level in levels]) is ready


def test_this_machine_can_confine() -> None:
    by_name = {found.check: found for found in doctor.examine()}
    for name in ("python", "bubblewrap", "user_namespaces", "libseccomp", "proxy"):
        assert by_name[name].level is Level.OK, by_name[name].text.en


def test_only_absent_packages_are_named() -> None:
    needs = [Need(package="here", present=lambda: True), Need(package="gone", present=lambda: False)]
    assert doctor.missing_packages(needs) == ("gone",)
    assert doctor.install_command(("gone",)).endswith("gone")


def test_the_report_for_people_has_the_command_under_the_fault_and_none_under_what_is_fine() -> None:
    text = doctor.as_text([finding(Level.OK, "never"), finding(Level.MISSING, "mend it")], "en")
    assert "mend it" in text
    assert "never" not in text


def test_the_report_for_programs_has_its_shape() -> None:
    report = json.loads(doctor.as_json([finding(Level.WEAKER, "do")], "zh"))
    assert report == {"ready": True, "checks": [{"check": "x", "level": "weaker", "text": "好。", "mend": "do"}]}


@pytest.mark.parametrize(
    ("lang", "language"),
    [("", "zh"), ("zh_CN.UTF-8", "zh"), ("en_US.UTF-8", "en"), ("C.UTF-8", "en"), ("C", "en"), ("POSIX", "en")],
)
def test_the_terminal_s_language_is_chinese_unless_it_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, lang: str, language: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", lang)
    assert doctor.terminal_language() == language


def test_a_machine_without_bubblewrap_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    missing = {found.check: found for found in doctor.examine() if found.level is Level.MISSING}
    assert "apt-get install" in missing["bubblewrap"].mend
    assert "user_namespaces" in missing
    assert missing["user_namespaces"].mend == ""


def test_the_report_ends_with_one_command_for_all_that_is_missing_and_the_tests_own_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = {name: Need(package=name, present=lambda: False) for name in ("venv", "bubblewrap", "browser")}
    monkeypatch.setattr(doctor, "VENV_NEED", gone["venv"])
    monkeypatch.setattr(doctor, "RUN_NEEDS", (gone["bubblewrap"],))
    monkeypatch.setattr(doctor, "TEST_NEEDS", (gone["browser"],))
    commands = [line for line in doctor.next_command("en").splitlines() if "apt-get install" in line]
    assert [command.rsplit("recommends ", 1)[1] for command in commands] == ["venv bubblewrap", "browser"]


def test_nothing_missing_needs_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUN_NEEDS", "TEST_NEEDS"):
        monkeypatch.setattr(doctor, name, ())
    assert doctor.next_command("en") == ""


def test_a_state_folder_with_a_stranger_s_file_is_refused_with_the_command_that_hands_it_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger.checkpoint").touch()
    assert {found.check: found for found in doctor.examine(tmp_path)}["state"].level is Level.OK
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    found = {found.check: found for found in doctor.examine(tmp_path)}["state"]
    assert found.level is Level.MISSING
    assert found.mend.startswith("sudo chown -R ")
    assert str(tmp_path) in found.mend


def test_a_state_folder_still_to_be_made_is_fine_where_it_can_be(tmp_path: Path) -> None:
    assert {found.check: found for found in doctor.examine(Path("/var/tmp/zhakou-a/b"))}["state"].level is Level.OK


def test_a_state_folder_too_deep_for_a_workspace_s_socket_is_refused_before_anybody_opens_one(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    assert {found.check: found for found in doctor.examine(deep)}["state"].level is Level.MISSING


def test_postgresql_is_installed_without_a_cluster_of_its_own_and_nothing_else_is_touched() -> None:
    assert "create_main_cluster=false" in doctor.install_command(("postgresql",))
    assert doctor.apt_options(("bubblewrap",)) == ()
