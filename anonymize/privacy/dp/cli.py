"""`zhakou noisy` and `zhakou budget`: noisy statistics of a raw table, paid for out of a privacy budget."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import click

from anonymize.detect.cli import refusing
from anonymize.privacy.dp.account import Account
from anonymize.privacy.dp.ledger import BudgetLedger
from anonymize.privacy.dp.loss import STATED_DELTA, Composition, Loss, epsilon_of_rho
from anonymize.terminal import language_option
from anonymize.text import Language, Text


class _Amount(click.ParamType[Decimal]):
    """A decimal as written: 0.1 is a tenth, not the nearest float."""

    name = "decimal"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fail("must be a decimal number", param, ctx)
        return number


@click.command("noisy")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--request", "request_file", type=click.Path(path_type=Path), required=True, help="What is asked (TOML).")
@click.option("--budget", type=click.Path(path_type=Path), required=True, help="The budget ledger that pays for it.")
@click.option("--licence", required=True, help="The licence in whose name it is asked.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the answer (JSON) to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@language_option
@refusing
def noisy(
    table: Path,
    request_file: Path,
    budget: Path,
    licence: str,
    out: Path | None,
    as_json: bool,
    language: Language,
) -> None:
    """Answer a request on TABLE under differential privacy (OpenDP), out of the licence's budget.

    Spends first, then answers. The same request about the same delivery again gets the same answer, free of charge.
    """
    from anonymize.privacy.dp.noisy import ask, write_whole
    from anonymize.privacy.dp.request import load_request

    given = ask(source=table, request=load_request(request_file), licence=licence, budget=budget)
    whole = json.dumps(given, ensure_ascii=False, indent=2)
    if out is not None:
        write_whole(out, whole.encode())
    click.echo(whole if as_json else _lines(given, language))


@click.command("budget")
@click.argument("ledger", type=click.Path(path_type=Path))
@click.option("--grant", "table", help="Open or raise the budget of this table.")
@click.option("--licence", help="With --grant: for which licence.")
@click.option("--unit", help="With --grant: the column that tells people apart.")
@click.option("--row-is-unit", is_flag=True, help="With --grant: each row is one person; promised, not checked.")
@click.option("--epsilon", type=_Amount(), help="With --grant: under composition pure (epsilons add).")
@click.option("--rho", type=_Amount(), help="With --grant: under composition zcdp (rhos add).")
@click.option("--delta", type=_Amount(), default="0", show_default=True, help="With --grant: needed for unknown keys.")
@click.option("--basis", help="With --grant: by what decision; it is written into the ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print the accounts as JSON.")
@language_option
@refusing
def budget(
    ledger: Path,
    table: str | None,
    licence: str | None,
    unit: str | None,
    row_is_unit: bool,
    epsilon: Decimal | None,
    rho: Decimal | None,
    delta: Decimal,
    basis: str | None,
    as_json: bool,
    language: Language,
) -> None:
    """Show the budgets in LEDGER, per table and licence: granted, spent, left. With --grant: open or raise one."""
    book = BudgetLedger(ledger)
    if table is not None:
        if not licence or not basis or bool(unit) is row_is_unit or (epsilon is None) is (rho is None):
            raise click.UsageError(
                "--grant needs --licence, --basis, one of --unit and --row-is-unit, and one of --epsilon and --rho"
            )
        amount = rho if epsilon is None else epsilon
        book.grant(
            table=table,
            licence=licence,
            composition=Composition.ZCDP if epsilon is None else Composition.PURE,
            unit=unit or None,
            loss=Loss(amount=amount or Decimal(0), delta=delta),
            basis=basis,
        )
    accounts = book.accounts()
    if as_json:
        click.echo(json.dumps({"accounts": [one.as_json() for one in accounts]}, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_account_line(one).in_language(language) for one in accounts))


def _account_line(account: Account) -> Text:
    how, granted = account.composition, account.granted
    zh, en = granted.in_words(how), granted.in_words(how)
    if how is Composition.ZCDP:
        epsilon = epsilon_of_rho(granted.amount)
        zh += f"（即 epsilon {epsilon}，delta {STATED_DELTA:g}）"
        en += f" (that is epsilon {epsilon} at delta {STATED_DELTA:g})"
    spent, left = account.spent.in_words(how), account.left.in_words(how)
    return Text(
        f"{account.table} / {account.licence}：批准 {zh}；已用 {spent}；剩余 {left}；请求 {account.requests} 次",
        f"{account.table} / {account.licence}: granted {en}; spent {spent}; left {left}; {account.requests} requests",
    )


def _lines(given: dict[str, Any], language: Language) -> str:
    free = Text("；此前已答复，本次不计费", "; answered before, free this time") if given["repeated"] else None
    spent = ", ".join(f"{name} {value}" for name, value in given["spent"].items() if value != "0")
    head = Text(f"已消耗 {spent}{free.zh if free else ''}", f"spent {spent}{free.en if free else ''}")
    lines = [head.in_language(language)]
    for result in given["results"]:
        lines += ["", f"{result['name']} ({result['kind']}, {result['mechanism']['name']})"]
        lines += ["  " + "  ".join(f"{name}={value}" for name, value in row.items()) for row in result["rows"]]
        ranks = "".join(f" {error}" for error in result["accuracy"].get("rank_error", []))
        lines.append("  " + result["accuracy"]["meaning"][language] + ranks)
        lines += ["  " + note[language] for note in result["notes"]]
    return "\n".join(lines)


COMMANDS: Final[list[click.Command]] = [noisy, budget]
