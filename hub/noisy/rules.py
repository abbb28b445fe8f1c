"""May a privacy budget be granted, may a question be asked out of it, and if not, why.

The licence's own rules are in `hub.licensing.rules` and are asked besides.

Rules here: `noisy.table` (the licence does not cover the table),
`noisy.organisation` (only people of the licensed operator ask), `noisy.column` (a column that the licence does not
name, or one that names people or holds free text), `noisy.unit` (no such column of the table), `noisy.terms` (another
unit or composition than the granted), `noisy.no_budget`, `noisy.spent` (more than is left), `noisy.limit` (more than
may be granted in all), `noisy.document_missing`, `noisy.status` (an answer that has ended is not ended again).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from hub.catalog.model import ColumnClass
from hub.errors import Refusal
from hub.message import Message, msg
from hub.noisy.model import ANSWER_MOVES, AnswerStatus
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_of_interest, refusals_to_act

SCOPE_BASIS = "公共数据资源授权运营实施规范(试行) 第二十一条"

NAMING = frozenset({ColumnClass.DIRECT_ID, ColumnClass.FREE_TEXT})
"""Classes of columns whose values would themselves be released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An epsilon or a rho, and a delta."""

    amount: Decimal
    delta: Decimal

    def exceeds(self, limit: Amount) -> bool:
        return self.amount > limit.amount or self.delta > limit.delta


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFacts:
    """What was granted on a table under a licence, and what of it is spent. `unit` empty: each row is a person."""

    composition: str
    unit: str
    granted: Amount
    spent: Amount

    @property
    def left(self) -> Amount:
        return Amount(amount=self.granted.amount - self.spent.amount, delta=self.granted.delta - self.spent.delta)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table as these rules see it. `classes`: class by column; `licensed`: None where the licence lacks the table."""

    id: str
    classes: dict[str, ColumnClass]
    licensed: frozenset[str] | None


def refusals_to_grant(
    *,
    actor: Actor,
    licence_id: str,
    operator_org: str,
    table: TableFacts,
    budget: BudgetFacts | None,
    composition: str,
    unit: str,
    wanted: Amount,
    limit: Amount,
    document_ref: str,
) -> tuple[Refusal, ...]:
    """Everything against granting a budget. `budget` is what was granted so far, `limit` the most in all."""
    found = [*refusals_to_act(actor, Verb.GRANT_BUDGET), *refusals_of_interest(actor, operator_org)]
    found.extend(_refusals_of_table(licence_id, table))
    if unit and unit not in table.classes:
        found.append(
            _refusal(
                "noisy.unit",
                table.id,
                msg("Table {table} has no column that could tell people apart by this name.", table=table.id),
                msg(
                    "Name the column of the table that is one value a person, or leave it empty where each row is one."
                ),
            )
        )
    if budget is not None and (budget.composition, budget.unit) != (composition, unit):
        found.append(_other_terms(table.id))
    before = budget.granted if budget is not None else Amount(amount=Decimal(0), delta=Decimal(0))
    after = Amount(amount=before.amount + wanted.amount, delta=before.delta + wanted.delta)
    if wanted.amount <= 0 or wanted.delta < 0 or after.exceeds(limit):
        found.append(
            _refusal(
                "noisy.limit",
                table.id,
                msg(
                    "A budget is above 0 and in all no more than {amount}, its delta no more than {delta}.",
                    amount=f"{limit.amount:f}",
                    delta=f"{limit.delta:f}",
                ),
                msg("Grant less. Beyond it nothing meaningful is promised to the people in the table."),
            )
        )
    if not document_ref.strip():
        found.append(
            _refusal(
                "noisy.document_missing",
                table.id,
                msg("A budget is granted by a document that can be found again."),
                msg("Enter the number of the decision."),
            )
        )
    return tuple(found)


def refusals_to_ask(
    *,
    actor: Actor,
    licence_id: str,
    operator_org: str,
    table: TableFacts,
    budget: BudgetFacts | None,
    composition: str,
    unit: str,
    columns: Collection[str],
    price: Amount,
) -> tuple[Refusal, ...]:
    """Everything against asking a question out of the budget now. `columns`: those it is about, without the unit."""
    found = list(refusals_to_act(actor, Verb.ASK_NOISY))
    if not actor.sides_with(operator_org):
        found.append(
            _refusal(
                "noisy.organisation",
                licence_id,
                msg("Licence {licence} belongs to another institution.", licence=licence_id),
                msg("Only people of the licensed operator ask for its figures."),
            )
        )
    found.extend(_refusals_of_table(licence_id, table))
    licensed = table.licensed or frozenset()
    if any(name not in licensed or table.classes.get(name) in (None, *NAMING) for name in columns):
        found.append(
            _refusal(
                "noisy.column",
                table.id,
                msg("The request is about a column of table {table} that is not open to it.", table=table.id),
                msg("Ask about columns that the licence names and that neither name people nor hold free text."),
            )
        )
    if budget is None:
        found.append(
            _refusal(
                "noisy.no_budget",
                table.id,
                msg("No privacy budget was granted on table {table} under this licence.", table=table.id),
                msg("The bureau grants one."),
            )
        )
        return tuple(found)
    if (budget.composition, budget.unit) != (composition, unit):
        found.append(_other_terms(table.id))
    elif price.exceeds(budget.left):
        found.append(
            _refusal(
                "noisy.spent",
                table.id,
                msg(
                    "The privacy budget of table {table} does not reach: this costs {price}, left is {left}.",
                    table=table.id,
                    price=f"{price.amount:f} / {price.delta:f}",
                    left=f"{budget.left.amount:f} / {budget.left.delta:f}",
                ),
                msg("Ask less or more coarsely, use the answers already given, or ask the bureau to grant more."),
            )
        )
    return tuple(found)


def refusals_to_end(*, answer_id: str, status: AnswerStatus) -> tuple[Refusal, ...]:
    """Everything against writing down how an answer ended."""
    if AnswerStatus.LOST in ANSWER_MOVES[status]:
        return ()
    return (
        _refusal(
            "noisy.status",
            answer_id,
            msg("Answer {answer} has ended already.", answer=answer_id),
            msg("Look at its page; ask again for another one."),
        ),
    )


def _refusals_of_table(licence_id: str, table: TableFacts) -> tuple[Refusal, ...]:
    if table.licensed is not None:
        return ()
    return (
        _refusal(
            "noisy.table",
            licence_id,
            msg("Licence {licence} does not cover table {table}.", licence=licence_id, table=table.id),
            msg("Choose a table of the licence."),
        ),
    )


def _other_terms(table_id: str) -> Refusal:
    return _refusal(
        "noisy.terms",
        table_id,
        msg("The budget of table {table} was granted for another unit of privacy or composition.", table=table_id),
        msg("Use the granted ones; they do not change."),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=SCOPE_BASIS)
