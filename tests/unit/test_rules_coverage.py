"""Every branch of the pure rules is taken by their tables and tests; a branch that none takes is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from hub.settings import PROJECT
from tests.unit.test_specs_complete import pure_modules

TESTS = ("tests/unit/test_*_rules.py", "tests/unit/test_*_spec.py", "tests/property/test_register_clock.py")


def untaken(folder: Path, tests: list[str], modules: list[str]) -> list[str]:
    """Run the tests by themselves; `file:line` and `file:line->line` of what they left out.

    Raises:
        AssertionError: A test failed.
    """
    (folder / "rc").write_text("[run]\nbranch = true\nrelative_files = true\n", encoding="utf-8")
    environment = {**os.environ, "COVERAGE_FILE": str(folder / "data"), "COVERAGE_RCFILE": str(folder / "rc")}
    environment.pop("PYTEST_XDIST_WORKER", None)
    coverage = [sys.executable, "-m", "coverage"]
    pytest = ["-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "-p", "no:pytest_cov", *tests]
    ran = subprocess.run(
        [*coverage, "run", f"--include={','.join(modules)}", *pytest],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    subprocess.run(
        [*coverage, "json", "-q", "-o", str(folder / "report.json")], cwd=PROJECT, env=environment, check=True
    )
    files = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    missing = [f"{name}: no test imports it" for name in modules if name not in files]
    for name, said in files.items():
        missing += [f"{name}:{line}" for line in said["missing_lines"]]
        missing += [f"{name}:{start}->{end}" for start, end in said["missing_branches"]]
    return missing


def test_every_branch_of_every_rule_is_taken(tmp_path: Path) -> None:
    tests = sorted(str(path.relative_to(PROJECT)) for pattern in TESTS for path in PROJECT.glob(pattern))
    modules = [str(path.relative_to(PROJECT)) for path in pure_modules()]
    assert untaken(tmp_path, tests, modules) == []


def test_branch_that_no_test_takes_is_named(tmp_path: Path) -> None:
    modules = ["hub/sharing/rules.py", "hub/register/codes.py"]
    found = untaken(tmp_path, ["tests/unit/test_sharing_spec.py", "-k", "missing"], modules)
    assert "hub/register/codes.py: no test imports it" in found
    assert any("->" in place for place in found)
