"""The command line: every promised command is there, and each kind of refusal has its exit code."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
import pytest

from anonymize.errors import BadInput, TargetNotMet
from anonymize.errors import NotFound as FileNotThere
from anonymize.text import Text
from hub import cli
from hub.errors import ChecksFailed, HubError, InvalidInput, InvalidState, NotAllowed, NotFound, Refusal
from hub.message import msg
from sandbox.errors import FreezeRefused, HostUnfit, SpecRefused, Words

PROMISED = {
    "serve", "scan", "detect", "redact", "anonymize", "risk", "screen", "probe", "verify", "ledger", "doctor",
}  # fmt: skip
REFUSAL = Refusal(rule="r.ule", subject="x", text=msg("It was refused."), next_step=msg("Do this."))
WORDS = (Words(en="Refused.", zh="被拒绝。"), Words(en="Do this.", zh="请这样做。"))


@contextmanager
def command_that_raises(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    @click.command("fails")
    def fails() -> None:
        raise error

    monkeypatch.setitem(cli.zhakou.commands, "fails", fails)
    monkeypatch.setattr(cli.Overview, "get_command", lambda self, ctx, name: fails)
    yield


def test_the_promised_commands_are_there() -> None:
    assert set(cli.COMMANDS) >= PROMISED


@pytest.mark.parametrize("name", sorted(cli.COMMANDS))
def test_each_command_is_where_the_overview_says(name: str) -> None:
    commands = importlib.import_module(cli.COMMANDS[name].module).COMMANDS
    found = [command for command in commands if command.name == name]
    assert len(found) == 1
    assert found[0].help


def aware(kind: type) -> BaseException:
    if issubclass(kind, HubError):
        return kind(REFUSAL)
    if issubclass(kind, (BadInput, TargetNotMet, FileNotThere)):
        return kind(code="c.ode", subject="x", text=Text("被拒绝。", "Refused."), next_step=Text("请。", "Do this."))
    error: BaseException = kind("c.ode", *WORDS)
    return error


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (NotFound, 20), (NotAllowed, 21), (InvalidState, 22), (InvalidInput, 23), (ChecksFailed, 24),
        (FileNotThere, 20), (BadInput, 23), (TargetNotMet, 24),
        (SpecRefused, 23), (FreezeRefused, 24), (HostUnfit, 22),
    ],
)  # fmt: skip
def test_a_refusal_becomes_words_and_its_exit_code(
    kind: type, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with command_that_raises(aware(kind), monkeypatch):
        assert cli.run(["fails"]) == code
    said = capsys.readouterr().err
    assert "efused" in said
    assert "Do this." in said
    assert "Traceback" not in said


def test_a_bug_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with command_that_raises(ZeroDivisionError(), monkeypatch), pytest.raises(ZeroDivisionError):
        cli.run(["fails"])


def test_an_interrupt_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    with command_that_raises(KeyboardInterrupt(), monkeypatch):
        assert cli.run(["fails"]) == 130


@pytest.mark.parametrize("argv", [["nonsense"], ["doctor", "--nonsense"], ["verify"]])
def test_bad_usage_is_two(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(argv) == 2
    assert "Usage" in capsys.readouterr().err


def test_help_loads_neither_polars_nor_jupyterhub() -> None:
    code = (
        "import sys; from hub import cli; code = cli.run(['--help']); "
        "heavy = {'polars', 'jupyterhub', 'sqlalchemy', 'pandas', 'presidio_analyzer'} & sys.modules.keys(); "
        "sys.exit(f'loaded {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) >= PROMISED
