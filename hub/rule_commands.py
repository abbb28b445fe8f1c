"""`zhakou rules replay`, below the rulebook's own command: it knows every room whose decisions it asks again."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

import click

from hub import doctor as machine
from hub.context import open_hub
from hub.errors import ChecksFailed
from hub.message import msg
from hub.replay import replay
from hub.rulebook.cli import rules
from hub.web.language import translator


@rules.command("replay")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def replay_decisions(as_json: bool) -> int:
    """Ask every past decision again under its own version of the rules. Exit code 24 if one does not stand."""
    hub = open_hub()
    with hub.reading() as session:
        found = list(replay(session, now=hub.clock()))
    fallen = [one for one in found if not one.stands]
    if as_json:
        click.echo(json.dumps([asdict(one) | {"stands": one.stands} for one in found], ensure_ascii=False, indent=2))
        return 0 if not fallen else ChecksFailed.exit_code
    translate = translator(machine.terminal_language())
    for one in found:
        if one.own or one.today:
            sign = "✓" if one.stands else "✗"
            click.echo(f"{sign} {one.seq:>6}  {one.kind:<22} {one.subject:<10} {one.rules.split('#')[0]}")
        if one.own:
            click.echo("         " + msg("does not stand: {codes}", codes=", ".join(one.own)).render(translate))
        elif one.today:
            text = msg("stands; under today's rules it would not: {codes}", codes=", ".join(one.today))
            click.echo("         " + text.render(translate))
    said = msg("{count} decisions asked again, {fallen} do not stand.", count=len(found), fallen=len(fallen))
    click.echo(said.render(translate))
    return 0 if not fallen else ChecksFailed.exit_code


COMMANDS: Final[list[click.Command]] = [rules]
