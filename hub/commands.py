"""The hub's own commands of `zhakou`. What they do lives in the rooms; here it is called and printed."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import click

from anonymize.text import Language, Text
from hub import doctor as machine
from hub.clock import system_clock
from hub.context import open_hub
from hub.db import Database, open_engine
from hub.errors import ChecksFailed, HubError, InvalidInput, NotFound, Refusal
from hub.ledger import actions as ledger_actions
from hub.message import msg
from hub.recovery import verify_everything
from hub.rulebook.start import faults, unknown_year
from hub.settings import load_settings
from hub.web.language import translator

LANGUAGES: Final[tuple[Language, Language]] = ("zh", "en")
for_programs = click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")


@click.command("serve")
@click.option("--verbose", is_flag=True, help="Show the hub's log here instead of writing it to its file.")
def serve(verbose: bool) -> int:
    """Serve hub, proxy and portal; an empty state is filled with the demonstration district first."""
    from hub.serve import serve as run

    return run(verbose=verbose)


@click.command("doctor")
@for_programs
@click.option("--language", type=click.Choice(["zh", "en"]), help="Default: the language of the terminal.")
def doctor(as_json: bool, language: Language | None) -> int:
    """What is missing or weaker here, and the command that mends it. Exit code 24 if nothing can be served."""
    findings = (*machine.examine(), _database(), _rules())
    report = machine.as_json if as_json else machine.as_text
    click.echo(report(findings, language or machine.terminal_language()))
    return 0 if machine.is_ready(findings) else machine.EXIT_CHECKS_FAILED


def _rules() -> machine.Finding:
    """Whether every rule file can be read, and the holidays that deadlines need are known."""
    now = system_clock()
    wrong = faults(now)
    if wrong:
        said = ["; ".join(f"{one.subject}: {one.text.render(translator(code))}" for one in wrong) for code in LANGUAGES]
        text = Text(f"规则文件有误：{said[0]}", f"The rule files are broken: {said[1]}")
        return machine.Finding(check="rulebook", level=machine.Level.MISSING, text=text)
    year = unknown_year(now)
    if year is not None:
        text = Text(
            f"规则库缺少{year}年的放假安排，跨入该年的期限暂定；国务院办公厅通知发布后，加入规则库即重新计算。",
            f"The rulebook lacks the holidays of {year}; deadlines that reach into it are provisional until the State "
            "Council's notice is added.",
        )
        return machine.Finding(check="rulebook", level=machine.Level.WEAKER, text=text)
    text = Text("规则文件可读，放假安排齐备。", "The rule files can be read and the holidays are known.")
    return machine.Finding(check="rulebook", level=machine.Level.OK, text=text)


def _database() -> machine.Finding:
    """Whether the database of the settings can be used. Nothing is made or changed in it."""
    try:
        settings = load_settings()
        if settings.database_url:
            engine = open_engine(settings.database_url, settings.state_dir, unsafe_tls=settings.unsafe_database_tls)
            Database(engine).require_usable()
    except HubError as error:
        reason = error.refusals[0]
        said = [f"{reason.text.render(words)}{reason.next_step.render(words)}" for words in (translator("zh"), None)]
        return machine.Finding(check="database", level=machine.Level.MISSING, text=Text(*said))
    if settings.database_url:
        text = Text("数据库可以使用。", "The database can be used.")
    else:
        text = Text("数据库是状态目录中的 SQLite 文件。", "The database is a SQLite file in the state folder.")
    return machine.Finding(check="database", level=machine.Level.OK, text=text)


@click.group("ledger")
def ledger() -> None:
    """The ledger of every step: verify it, keep its checkpoint elsewhere, prove an entry."""


@ledger.command("verify")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept elsewhere; may be given several times. Only with one can a cut-off end be noticed.",
)
@for_programs
def ledger_verify(checkpoints: tuple[Path, ...], as_json: bool) -> int:
    """Recompute everything: name the first entry that does not fit, then the records changed in the database. Exit code
    24 if there are any."""
    verdict = verify_everything(open_hub(), [path.read_text(encoding="utf-8") for path in checkpoints])
    if as_json:
        click.echo(json.dumps({**asdict(verdict), "text": str(verdict.text)}, indent=2))
        return 0 if verdict.holds else ChecksFailed.exit_code
    if not verdict.holds:
        raise ChecksFailed(
            Refusal(
                rule=verdict.code,
                subject="" if verdict.first_bad is None else str(verdict.first_bad),
                text=msg("The ledger does not hold: {finding}.", finding=verdict.text),
                next_step=msg(
                    "Stop releasing, keep a copy of the state as it is, and compare it with the last backup."
                ),
            )
        )
    sentence = msg("The ledger holds: {size} entries, root {root}.", size=verdict.size, root=verdict.root)
    click.echo(sentence.render(translator(machine.terminal_language())))
    return 0


@ledger.command("checkpoint")
def ledger_checkpoint() -> None:
    """Print the signed checkpoint of now. Keep it outside this machine; `ledger verify --checkpoint` compares."""
    hub = open_hub()
    with hub.reading() as session:
        note = ledger_actions.current_note(session)
    if not note:
        raise NotFound(
            Refusal(
                rule="ledger.empty",
                subject="",
                text=msg("The ledger has no entry yet."),
                next_step=msg("Ask again after the first step."),
            )
        )
    click.echo(note, nl=False)


@ledger.command("prove")
@click.argument("entry", type=click.IntRange(min=0))
def ledger_prove(entry: int) -> None:
    """Print, as JSON, the proof that ENTRY stands in the ledger, with the checkpoint it leads to."""
    hub = open_hub()
    with hub.reading() as session:
        try:
            proof = ledger_actions.prove(session, entry)
        except LookupError:
            raise NotFound(
                Refusal(
                    rule="ledger.no_entry",
                    subject=str(entry),
                    text=msg("There is no entry {entry} in the ledger.", entry=entry),
                    next_step=msg("`zhakou ledger verify` says how many there are."),
                )
            ) from None
    click.echo(json.dumps(asdict(proof), ensure_ascii=False, indent=2))


@click.command("verify")
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint of the ledger that was kept elsewhere.",
)
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The public keys the bureau published, as the keys.json of a bundle you trust.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    help="With a certificate of destruction: a folder or file found elsewhere. Exit code 24 if it was certified gone.",
)
@for_programs
def verify(bundle: Path, checkpoint: Path | None, keys: Path | None, against: Path | None, as_json: bool) -> int:
    """Verify a release bundle or a certificate of destruction offline: no service, no network, no database.

    Exit code 24 if it does not hold.
    """
    from hub.closing.held import step_of
    from hub.products.verify import verify_bundle

    outcome = verify_bundle(
        bundle,
        trusted=None if keys is None else _published_keys(keys),
        checkpoint=None if checkpoint is None else checkpoint.read_text(encoding="utf-8"),
    )
    if against is not None and outcome.statement is not None:
        outcome = replace(outcome, steps=(*outcome.steps, step_of(outcome.statement, against)))
    if as_json:
        click.echo(json.dumps(outcome.as_json(), ensure_ascii=False, indent=2))
    else:
        translate = translator(machine.terminal_language())
        signs = {True: "✓", False: "✗", None: "?"}
        for step in outcome.steps:
            click.echo(f"{signs[step.holds]} {step.code:<20} {step.text.render(translate)}")
    return 0 if outcome.holds else ChecksFailed.exit_code


def _published_keys(path: Path) -> dict[str, bytes]:
    """Name -> raw public key, of a JSON object of base64 texts."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): base64.b64decode(value, validate=True) for name, value in given.items()}
    except (ValueError, AttributeError, TypeError):
        raise InvalidInput(
            Refusal(
                rule="verify.keys",
                subject=path.name,
                text=msg("The file {name} does not hold public keys.", name=path.name),
                next_step=msg("Give the keys.json that the bureau published, or leave --keys out."),
            )
        ) from None


COMMANDS: Final[list[click.Command]] = [serve, doctor, ledger, verify]
