"""The house stands as DESIGN.md §2 and the first ADR fixed it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tracked import PROJECT, tracked_files

TOP_LEVEL = {
    ".ci", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "README.zh-CN.md", "SECURITY.md",
    "anonymize", "bootstrap.py", "docs", "hub", "jupyterhub_config.py", "notebooks", "pyproject.toml", "requirements",
    "sandbox", "tests",
}  # fmt: skip
PACKAGES = ("anonymize", "sandbox", "hub")
TARGETS = {"help", "run", "demo", "check", "fix", "test", "bench", "doctor"}


def modules() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py" and path.relative_to(PROJECT).parts[0] in PACKAGES]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_nothing_unknown_lies_at_the_top() -> None:
    assert {path.relative_to(PROJECT).parts[0] for path in tracked_files()} <= TOP_LEVEL


def test_ci_calls_the_two_targets_and_nothing_else() -> None:
    lines = (PROJECT / ".ci/run").read_text("utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make check", "make test"]


def test_the_makefile_has_the_promised_targets_and_help_is_the_default() -> None:
    text = (PROJECT / "Makefile").read_text("utf-8")
    assert set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) >= TARGETS
    assert ".DEFAULT_GOAL := help" in text


def test_no_module_is_named_after_nothing() -> None:
    names = {path.stem for path in modules()} | {path.parent.name for path in modules()}
    assert not names & {"utils", "helpers", "common", "manager", "misc"}


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(path.relative_to(PROJECT)) for path in modules() if not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


def test_only_jupyter_rooms_import_jupyterhub() -> None:
    allowed = ("hub/jupyter/", "hub/web/login.py", "sandbox/server/")
    found = {
        str(path.relative_to(PROJECT))
        for path in modules()
        for name in imports(path)
        if name.split(".")[0] == "jupyterhub"
    }
    assert {name for name in found if not name.startswith(allowed)} == set()


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        ("bootstrap.py", {"hub"}),
        ("hub/doctor.py", {"anonymize.engine.java", "anonymize.text", "sandbox"}),
        ("anonymize/engine/__init__.py", set()),
        ("anonymize/engine/java.py", set()),
        ("sandbox/__init__.py", set()),
        ("sandbox/limits.py", {"sandbox.errors", "sandbox.spec"}),
        ("sandbox/spec.py", {"sandbox.errors"}),
        ("sandbox/errors.py", set()),
        ("hub/__init__.py", set()),
        ("anonymize/__init__.py", set()),
        ("anonymize/text.py", set()),
    ],
)
def test_what_speaks_before_anything_is_installed_needs_only_the_standard_library(file: str, ours: set[str]) -> None:
    foreign = {name for name in imports(PROJECT / file) if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == ours


@pytest.mark.parametrize("room", ["catalog", "licensing", "gate", "products", "workspaces", "extracts", "people"])
def test_rules_import_no_way_to_the_outside(room: str) -> None:
    path = PROJECT / "hub" / room / "rules.py"
    effects = {"os", "pathlib", "subprocess", "socket", "random", "time", "sqlalchemy", "hub.context", "hub.db"}
    assert not {name for name in imports(path) if name in effects or name.split(".")[0] in effects}
