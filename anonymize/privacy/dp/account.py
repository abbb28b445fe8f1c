"""A privacy budget of one licence on one table, what would be charged to it, and whether it can pay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from anonymize.errors import BadInput, TargetNotMet
from anonymize.privacy.dp.loss import NOTHING, Composition, Loss
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer that was given: which, to what, about which delivery. The same question again is answered with it."""

    request: str
    source: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one licence may still ask of one table.

    `unit`: the column that tells people apart; None: each row is one.
    """

    table: str
    licence: str
    composition: Composition
    unit: str | None
    granted: Loss
    spent: Loss = NOTHING
    requests: int = 0
    answered: tuple[Answered, ...] = ()

    @property
    def left(self) -> Loss:
        return self.granted - self.spent

    def answer_to(self, *, request: str, source: str) -> str | None:
        """The digest of the answer that this very question about this very delivery was given, if any."""
        return next((one.answer for one in self.answered if (one.request, one.source) == (request, source)), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "licence": self.licence,
            "composition": str(self.composition),
            "unit": self.unit,
            "granted": self.granted.as_json(self.composition),
            "spent": self.spent.as_json(self.composition),
            "left": self.left.as_json(self.composition),
            "requests": self.requests,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One request about to be paid for."""

    table: str
    licence: str
    unit: str | None
    composition: Composition
    source: str
    request: str
    loss: Loss


def check_charge(account: Account | None, charge: Charge) -> None:
    """Whether an account can pay for a charge.

    Raises:
        BadInput: there is no account, or it has another unit or composition.
        TargetNotMet: less is left than it costs.
    """
    if account is None:
        raise not_granted(charge.table)
    if (account.unit, account.composition) != (charge.unit, charge.composition):
        raise other_terms(account)
    if charge.loss.exceeds(account.left):
        how = account.composition
        raise TargetNotMet(
            code="budget.spent",
            subject=charge.table,
            text=Text(
                f"表 {charge.table} 的隐私预算不足：本次请求需要 {charge.loss.in_words(how)}，"
                f"只剩 {account.left.in_words(how)}（共批准 {account.granted.in_words(how)}）。未消耗预算。",
                f"The privacy budget of table {charge.table} does not reach: this costs {charge.loss.in_words(how)}, "
                f"left is {account.left.in_words(how)} of {account.granted.in_words(how)}. Nothing was spent.",
            ),
            next_step=Text(
                "请减少查询或降低其参数，使用已有的答案，或请区数据局追加预算。",
                "Ask less or more coarsely, use the answers already given, or ask the data bureau to grant more.",
            ),
        )


def not_granted(table: str) -> BadInput:
    """The refusal when nobody granted a budget."""
    return BadInput(
        code="budget.not_granted",
        subject=table,
        text=Text(
            f"表 {table} 在该协议下没有批准过隐私预算。",
            f"No privacy budget was granted on table {table} under this licence.",
        ),
        next_step=Text("请由区数据局批准预算。", "The data bureau grants one."),
    )


def other_terms(account: Account) -> BadInput:
    """The refusal when the account's unit or composition is another."""
    unit_zh, unit_en = (f"列“{account.unit}”", f"column “{account.unit}”") if account.unit else ("每一行", "each row")
    return BadInput(
        code="budget.terms",
        subject=account.table,
        text=Text(
            f"表 {account.table} 的预算按个体（{unit_zh}）和合成规则 {account.composition} 批准，与本次的不同。",
            f"The budget of table {account.table} was granted for the unit {unit_en} and the composition "
            f"{account.composition}; this has another.",
        ),
        next_step=Text(
            "请按批准的 unit 与 composition 提出；二者一经批准不再改变。",
            "Use the unit and composition that were granted; they do not change.",
        ),
    )


def other_name(table: str) -> BadInput:
    """The refusal when one delivery is asked about under two names."""
    return BadInput(
        code="budget.same_source",
        subject=table,
        text=Text(
            f"同一份数据已按另一个表名计费，不能再以 {table} 查询。",
            f"The same data was charged under another table's name and can't be asked as {table}.",
        ),
        next_step=Text("请使用原来的表名。", "Use the table's first name."),
    )
