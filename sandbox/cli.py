"""Commands of the sandbox, for the `zhakou` program."""

from __future__ import annotations

import json
import sys

import click

from sandbox.errors import SandboxError
from sandbox.probe import ProbeReport, run_probe

_CHECKS_FAILED = 24


@click.command(name="probe")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def probe_command(as_json: bool) -> None:
    """Try every forbidden act outside (control) and inside a real box, and report. Exit 24 when one is not blocked."""
    try:
        report = run_probe()
    except SandboxError as error:
        if as_json:
            refused = {"code": error.code, "text": str(error.text), "next_step": str(error.next_step)}
            click.echo(json.dumps({"green": False, "acts": [], "error": refused}))
        else:
            click.echo(f"{error.in_language('zh')}\n{error}", err=True)
        sys.exit(_CHECKS_FAILED)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print(report)
    if not report.green:
        sys.exit(_CHECKS_FAILED)


def _print(report: ProbeReport) -> None:
    width = max(len(one.act) for one in report.acts)
    for one in report.acts:
        colour = "green" if one.green else "red"
        verdict = click.style("green" if one.green else "RED", fg=colour)
        click.echo(f"{one.act:<{width}}  {one.outside:<11}  {one.inside:<8}  {one.why:<14}  {verdict}")
    controlled = sum(1 for one in report.acts if one.outside == "allowed")
    click.echo(
        f"{len(report.acts)} acts, {controlled} allowed outside, "
        f"{sum(1 for one in report.acts if one.green)} blocked inside; limits by {report.level}"
    )
    for weakness in report.weaknesses:
        click.echo(f"weaker here: {weakness}")


COMMANDS = [probe_command]
