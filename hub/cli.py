"""`zhakou`: one command for everything that is done without a browser.

Commands are loaded when they are called, so that `zhakou --help` does not wait for polars and JupyterHub. The five
kinds of refusal become exit codes here and nowhere else: 0 done, 2 bad usage, 20 not found, 21 not allowed, 22 wrong
state, 23 bad input, 24 checks failed. A refusal is printed in words, never as a traceback; a bug crashes.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import click

from anonymize.errors import AnonymizeError
from hub import doctor
from hub.errors import HubError
from hub.web.language import translator
from sandbox.errors import FreezeRefused, SandboxError, SpecRefused

EXIT_USAGE: Final = 2
EXIT_WRONG_STATE: Final = 22
EXIT_BAD_INPUT: Final = 23
EXIT_CHECKS_FAILED: Final = 24
EXIT_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives: a module with a list `COMMANDS`, and its line in the overview."""

    module: str
    line: str


COMMANDS: Final[Mapping[str, Lazy]] = {
    "serve": Lazy("hub.commands", "Serve hub, proxy and portal."),
    "demo-code": Lazy("hub.people_commands", "A one-time code of a demonstration account."),
    "open-officer": Lazy("hub.people_commands", "Open the accounts of the bureau's first two officers."),
    "recover-officer": Lazy("hub.people_commands", "Let an officer of the bureau back in when none can act."),
    "doctor": Lazy("hub.commands", "What is missing on this machine and the command that mends it."),
    "scan": Lazy("anonymize.cli", "Judge every column of a table and propose a policy."),
    "detect": Lazy("anonymize.cli", "Find identifiers in lines of text."),
    "redact": Lazy("anonymize.cli", "Replace the identifiers found in free text."),
    "anonymize": Lazy("anonymize.cli", "Build an extract under a policy, or refuse."),
    "explain": Lazy("anonymize.cli", "Say in words what a policy does."),
    "risk": Lazy("anonymize.cli", "Measure k, l, t and the three attack risks of a table."),
    "utility": Lazy("anonymize.cli", "Measure what a released table is still good for."),
    "noisy": Lazy("anonymize.cli", "Statistics with noise (differential privacy), out of a budget."),
    "budget": Lazy("anonymize.cli", "Privacy budgets: granted, spent, left; grant one."),
    "screen": Lazy("anonymize.cli", "The machine checks of the gate on any file."),
    "probe": Lazy("sandbox.cli", "Isolation self-test: forbidden acts tried outside and inside."),
    "verify": Lazy("hub.commands", "Verify a release bundle offline."),
    "ledger": Lazy("hub.commands", "Verify the ledger, print its checkpoint, prove an entry."),
    "rules": Lazy("hub.rule_commands", "Thresholds and legal bases in force on a day."),
}


class Overview(click.Group):
    """The commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        lazy = COMMANDS.get(cmd_name)
        if lazy is None:
            return None
        module = importlib.import_module(lazy.module)
        return next((command for command in module.COMMANDS if command.name == cmd_name), None)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.line) for name, lazy in COMMANDS.items()])


@click.group(cls=Overview, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="zhakou", prog_name="zhakou")
def zhakou() -> None:
    """Zhakou 闸口: data works inside, only reviewed products flow out.

    Exit codes: 0 done, 2 bad usage, 20 not found, 21 not allowed, 22 wrong state, 23 bad input, 24 checks failed.
    """


def run(argv: Sequence[str] | None = None) -> int:
    """Run a command; every refusal becomes words on stderr and its exit code."""
    try:
        result = zhakou.main(args=None if argv is None else list(argv), prog_name="zhakou", standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; keep Python from complaining about the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (HubError, AnonymizeError, SandboxError) as error:
        click.echo(in_words(error), err=True)
        return exit_code_of(error)
    return result if isinstance(result, int) else 0


def exit_code_of(error: HubError | AnonymizeError | SandboxError) -> int:
    """The one place where a refusal becomes a number."""
    match error:
        case HubError() | AnonymizeError():
            return error.exit_code
        case SpecRefused():
            return EXIT_BAD_INPUT
        case FreezeRefused():
            return EXIT_CHECKS_FAILED
        case _:
            return EXIT_WRONG_STATE


def in_words(error: HubError | AnonymizeError | SandboxError) -> str:
    """The refusal in the language of the terminal: what, what next, which rule."""
    language = doctor.terminal_language()
    match error:
        case HubError():
            translate = translator(language)
            return "\n".join(
                f"{r.text.render(translate)} {r.next_step.render(translate)} [{r.rule}]" for r in error.refusals
            )
        case AnonymizeError():
            return error.sentence(language)
        case _:
            return error.in_language(language)


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
