"""`zhakou rules`: which version of the thresholds, and which legal bases, are in force on a day."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time

import click

from hub import doctor as machine
from hub.clock import system_clock
from hub.message import msg
from hub.rulebook.bases import registry
from hub.rulebook.model import DISTRICT_TIME, Basis, Pack, district_day
from hub.rulebook.packs import all_packs, pack_in_force
from hub.web.language import translator


@click.group("rules", invoke_without_command=True)
@click.option("--at", "at", type=click.DateTime(["%Y-%m-%d"]), help="A day in the district; default today.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_context
def rules(context: click.Context, at: datetime | None, as_json: bool) -> None:
    """List the thresholds and legal bases in force on a day, each with its source."""
    if context.invoked_subcommand is not None:
        return
    day = district_day(system_clock()) if at is None else at.date()
    pack = pack_in_force(datetime.combine(day, time(), DISTRICT_TIME).astimezone(UTC))
    bases = registry().in_force(day)
    if as_json:
        versions = [{"name": p.name, "version": p.version, "from": p.since.isoformat()} for p in all_packs()]
        report = {
            "day": day.isoformat(),
            "pack": _pack(pack),
            "versions": versions,
            "bases": [_basis(b) for b in bases],
        }
        click.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    language = machine.terminal_language()
    head = msg("Rule pack {pack}, in force on {day}:", pack=f"{pack.name} {pack.version}", day=day.isoformat())
    click.echo(head.render(translator(language)))
    for value in pack.values.values():
        title = value.meaning.zh if language == "zh" else value.meaning.en
        basis = registry().basis(value.basis)
        click.echo(f"  {value.meaning.parameter:<30} {value.shown} {value.meaning.unit}  {title}  [{basis.cite}]")
    click.echo(msg("Legal bases in force on {day}:", day=day.isoformat()).render(translator(language)))
    for basis in bases:
        click.echo(f"  {basis.cite}  {basis.zh if language == 'zh' else basis.en}")


def _pack(pack: Pack) -> dict[str, object]:
    values = {
        parameter.value: {
            "value": value.shown,
            "unit": value.meaning.unit.value,
            "basis": value.basis,
            "source": value.source.value,
            "enforced": value.meaning.enforced,
        }
        for parameter, value in pack.values.items()
    }
    return {
        "name": pack.name,
        "version": pack.version,
        "from": pack.since.isoformat(),
        "digest": pack.digest,
        "values": values,
    }


def _basis(basis: Basis) -> dict[str, str]:
    return {"id": basis.id, "cite": basis.cite, "zh": basis.zh, "en": basis.en, "source": basis.source.value}
