"""The starter: what it takes for a sound environment, that two runs wait for each other, what it says."""

import fcntl
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from hub import doctor

PROJECT = Path(__file__).resolve().parents[2]
ENGLISH = {"LC_ALL": "C"}


@pytest.fixture
def starter(tmp_path: Path) -> ModuleType:
    """A copy of the starter that believes `tmp_path` to be the project."""
    copy = tmp_path / "bootstrap.py"
    shutil.copy(PROJECT / "bootstrap.py", copy)
    spec = importlib.util.spec_from_file_location("starter", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_environment(starter: ModuleType) -> None:
    python = Path(starter.PYTHON)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)


def test_what_was_written_is_read_again(starter: ModuleType) -> None:
    make_environment(starter)
    starter.write_stamp({"root": starter.ROOT, "kind": "base"})
    assert starter.read_stamp() == {"root": starter.ROOT, "kind": "base"}


def test_an_environment_made_elsewhere_counts_as_none(starter: ModuleType) -> None:
    make_environment(starter)
    starter.write_stamp({"root": "/somewhere/else", "kind": "base"})
    assert starter.read_stamp() == {}


def test_an_environment_whose_python_is_gone_counts_as_none(starter: ModuleType) -> None:
    make_environment(starter)
    starter.write_stamp({"root": starter.ROOT})
    Path(starter.PYTHON).unlink()
    assert starter.read_stamp() == {}


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_broken_stamp_counts_as_none(starter: ModuleType, content: str) -> None:
    make_environment(starter)
    Path(starter.STAMP).write_text(content)
    assert starter.read_stamp() == {}


def test_the_digest_sees_content_and_names(starter: ModuleType) -> None:
    one, two = Path(starter.ROOT, "a"), Path(starter.ROOT, "b")
    one.write_text("x")
    two.write_text("x")
    before = starter.digest(str(one))
    assert before != starter.digest(str(two))
    one.write_text("y")
    assert before != starter.digest(str(one))


def test_a_second_run_waits_for_the_first(starter: ModuleType) -> None:
    held = os.open(starter.ROOT, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    code = "import bootstrap; bootstrap.set_up(tests=False, system=False, environment=False)"
    second = subprocess.Popen(
        [sys.executable, "-c", code], cwd=starter.ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, **ENGLISH}
    )
    assert second.stderr is not None
    assert "another set-up" in second.stderr.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(timeout=0.7)
    os.close(held)
    assert second.wait(timeout=10) == 0
    second.stderr.close()


@pytest.mark.parametrize(("argv", "code"), [([], 2), (["nonsense"], 2), (["help"], 0), (["--help"], 0)])
def test_bad_usage_is_told_from_a_question(argv: list[str], code: int) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "bootstrap.py"), *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "usage: python3 bootstrap.py" in done.stderr


def test_an_administrator_is_asked_once_for_everything_and_by_one_command(
    starter: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(doctor, "VENV_NEED", doctor.Need(package="python3.11-venv", present=lambda: False))
    with pytest.raises(starter.Stop) as stopped:
        starter.ensure_system(tests=True, product=True)
    command = str(stopped.value).splitlines()[-1]
    assert command.strip().startswith("sudo apt-get update && sudo apt-get install")
    for package in ("python3.11-venv", "bubblewrap", doctor.chromium_package()):
        assert package in command


def pretend_sudo(folder: Path, *, allows: str) -> None:
    """A sudo that lets one question through: `-n true` or `-n -l PROGRAM`."""
    sudo = folder / "sudo"
    sudo.write_text(f'#!/bin/sh\n[ "$*" = "{allows}" ]\n')
    sudo.chmod(0o755)


@pytest.mark.parametrize(
    ("allows", "prefix"),
    [
        ("-n true", ["sudo", "env", "DEBIAN_FRONTEND=noninteractive"]),
        ("-n -l /usr/bin/apt-get", ["sudo"]),
        ("nothing", None),
    ],
)
def test_sudo_for_apt_alone_is_enough_and_no_sudo_is_none(
    starter: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, allows: str, prefix: list[str] | None
) -> None:
    pretend_sudo(tmp_path, allows=allows)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    found = starter.privileged("/usr/bin/apt-get")
    assert (found and [Path(found[0]).name, *found[1:]]) == prefix


@pytest.mark.parametrize(("locale", "words"), [("C", "set-up stopped: "), ("zh_CN.UTF-8", "安装中止：")])
def test_a_fault_of_the_disk_is_told_in_words(starter: ModuleType, locale: str, words: str) -> None:
    # No locks beside the copy: the first file that it reads can't be read.
    argv = [sys.executable, starter.__file__ or "", "env"]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": locale}, encoding="utf-8"
    )
    assert done.returncode == 1
    assert done.stderr.startswith(words)
    assert "Traceback" not in done.stderr


def test_starter_and_doctor_run_without_any_installed_package() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap; from hub import doctor; "
        "sys.exit(doctor.main(['--json']))"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(PROJECT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 24), done.stderr
    assert json.loads(done.stdout)["checks"]
