"""The starter: what it takes for a sound environment, that two runs wait for each other, what it says."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]


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
    second = subprocess.Popen([sys.executable, "-c", code], cwd=starter.ROOT, stderr=subprocess.PIPE, text=True)
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


def test_starter_and_doctor_run_without_any_installed_package() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap; from hub import doctor; "
        "sys.exit(doctor.main(['--json']))"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(PROJECT)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 24), done.stderr
    assert json.loads(done.stdout)["checks"]
