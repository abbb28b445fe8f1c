"""May a permitted income or a year's account be entered, and what a year's income means. Pure; amounts are whole fen.

Rules here: `income.organisation`, `income.lane`, `income.year`, `income.amount`, `income.document`,
`income.profit_rate`, `income.review_cycle`, `income.books`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from hub.errors import Refusal
from hub.licensing.model import Lane
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.register.pricing import MOST_FEN, refusals_of_cycle
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

INCOME_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第三部分"
REVIEW_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第四部分"
BOOKS_BASIS = "公共数据资源授权运营实施规范（试行） 第二十二条"
MOST_POINTS = 10_000
"""A rate of one hundred percent, in basis points."""


class Consequence(StrEnum):
    """What follows from a year's income (价格通知 §4)."""

    NONE = "none"
    ADJUST_PRICES = "adjust_prices"
    ADJUST_CAPS = "adjust_caps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far a year's income is off the permitted maximum, and what follows.

    `share` is (income - maximum) / maximum; `deducted` the excess in fen that the next cycle takes off.
    """

    share: Decimal
    consequence: Consequence
    deducted: int


def deviation(*, income: int, permitted: int, pack: Pack) -> Deviation:
    """What a year's income means against the maximum.

    Units: whole fen; the maximum is above zero. On the maximum nothing follows; off it by up to the trigger the actual
    prices are adjusted, further off the caps. Only an excess is taken off later, a shortfall is not made up.
    """
    share = Decimal(income - permitted) / Decimal(permitted)
    if income == permitted:
        consequence = Consequence.NONE
    elif abs(share) <= pack.amount(Parameter.PRICE_DEVIATION_TRIGGER):
        consequence = Consequence.ADJUST_PRICES
    else:
        consequence = Consequence.ADJUST_CAPS
    return Deviation(share=share, consequence=consequence, deducted=max(0, income - permitted))


def refusals_to_permit(
    actor: Actor,
    *,
    licence_id: str,
    lane: Lane,
    year: int,
    years: range,
    fen: int | None,
    bond_yield: int,
    profit_rate: int,
    document_ref: str,
    decided_on: date,
    review_by: date,
    today: date,
    pack: Pack,
) -> tuple[Refusal, ...]:
    """Everything against entering this maximum permitted income.

    Args:
        years: The years in which the licence runs.
        bond_yield: Basis points, of the year before the cost survey.
        profit_rate: Basis points.
    """
    found = [
        *refusals_to_act(actor, Verb.PERMIT_INCOME),
        *_of_lane(licence_id, lane),
        *_of_year(licence_id, year, years),
    ]
    if fen is None or not 0 < fen <= MOST_FEN:
        found.append(_amount(licence_id))
    if not document_ref.strip():
        found.append(
            _refusal(
                "income.document",
                licence_id,
                msg("A permitted income needs the number of the document that sets it."),
                msg("Enter the number of the pricing authority's document."),
                INCOME_BASIS,
            )
        )
    most = bond_yield + int(pack.amount(Parameter.PRICE_PROFIT_RATE) * 100)
    if not 0 <= bond_yield <= MOST_POINTS or not 0 <= profit_rate <= most:
        found.append(
            _refusal(
                "income.profit_rate",
                licence_id,
                msg(
                    "The profit rate is at most the bond yield and {points} percentage points.",
                    points=str(pack.amount(Parameter.PRICE_PROFIT_RATE)),
                ),
                msg("Enter both in percent with two digits, as the document says them."),
                INCOME_BASIS,
            )
        )
    found.extend(refusals_of_cycle(licence_id, decided_on=decided_on, review_by=review_by, today=today, pack=pack))
    return tuple(found)


def refusals_to_account(
    actor: Actor,
    *,
    licence_id: str,
    operator_org: str,
    lane: Lane,
    year: int,
    years: range,
    income: int | None,
    cost: int | None,
    book_ref: str,
    today: date,
) -> tuple[Refusal, ...]:
    """Everything against the operator entering what a year brought and cost."""
    found = list(refusals_to_act(actor, Verb.ENTER_ACCOUNT))
    if actor.org_id != operator_org:
        found.append(
            _refusal(
                "income.organisation",
                licence_id,
                msg("Licence {licence} belongs to another institution.", licence=licence_id),
                msg("Only the operator of a licence enters its accounts."),
                BOOKS_BASIS,
            )
        )
    found.extend(_of_year(licence_id, year, years))
    if year >= today.year:
        found.append(
            _refusal(
                "income.year",
                licence_id,
                msg("The year {year} is not over.", year=year),
                msg("Accounts are entered once the year has ended."),
                REVIEW_BASIS,
            )
        )
    if income is None or cost is None or not 0 <= income <= MOST_FEN or not 0 <= cost <= MOST_FEN:
        found.append(_amount(licence_id))
    elif lane is Lane.PUBLIC and income > 0:
        found.extend(_of_lane(licence_id, lane))
    if not book_ref.strip():
        found.append(
            _refusal(
                "income.books",
                licence_id,
                msg("Authorized operation is kept in books of its own, and the account says where."),
                msg("Enter the name or number of the separate books."),
                BOOKS_BASIS,
            )
        )
    return tuple(found)


def _of_lane(licence_id: str, lane: Lane) -> tuple[Refusal, ...]:
    if lane is Lane.INDUSTRY:
        return ()
    return (
        _refusal(
            "income.lane",
            licence_id,
            msg("Licence {licence} serves public governance or interest; it earns nothing.", licence=licence_id),
            msg("Enter 0; an income needs a licence in the industry lane."),
            INCOME_BASIS,
        ),
    )


def _of_year(licence_id: str, year: int, years: range) -> tuple[Refusal, ...]:
    if year in years:
        return ()
    return (
        _refusal(
            "income.year",
            licence_id,
            msg("Licence {licence} does not run in {year}.", licence=licence_id, year=year),
            msg("Choose a year of its term."),
            INCOME_BASIS,
        ),
    )


def _amount(licence_id: str) -> Refusal:
    return _refusal(
        "income.amount",
        licence_id,
        msg("An amount is yuan with at most two digits after the point."),
        msg("Type it like 12 or 12.50, without other signs."),
        INCOME_BASIS,
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
