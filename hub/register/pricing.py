"""May this price stand, and if not, why. The public lane is free; the industry lane is charged under a cap.

Rules here: `lane.public_priced` (LANE_RULE of DOMAIN.md §3.3), `price.missing` (PRICE_MISSING), `price.no_cap`,
`register.ended`, `price.above_cap`, `price.cap_outdated`, `price.amount`, `price.document`, `price.review_cycle`.
Amounts are whole fen; no fraction of money is computed in floats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.licensing.model import Lane
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.register.model import ChargeUnit, RegistrationStatus
from hub.rulebook.calendar import add_years
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第三部分"
REVIEW_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第四部分"
ENDED = frozenset({RegistrationStatus.CANCELLED, RegistrationStatus.TERMINATED})
"""Registrations that have ended."""
MOST_FEN = 10**13
"""A hundred thousand million yuan; more is a slip of the pen."""

_YUAN = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """So much per unit, in fen."""

    unit: ChargeUnit
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """The highest price of a unit, in fen, and the last day on which prices stand under it."""

    fen: int
    review_by: date


def read_fen(yuan: str) -> int | None:
    """An amount in yuan as it is typed (`12`, `12.5`, `0.08`), in fen; None when it is none."""
    found = _YUAN.fullmatch(yuan.strip())
    if found is None:
        return None
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def refusals_of_price(
    *, product_id: str, lane: Lane, price: Charge | None, caps: Mapping[ChargeUnit, Cap], today: date
) -> tuple[Refusal, ...]:
    """Everything against this product being offered at this price; None: no price is set."""
    if lane is Lane.PUBLIC:
        return () if price is None else (_public(product_id),)
    if price is None:
        return (
            _refusal(
                "price.missing",
                product_id,
                msg("Product {product} is in the industry lane and has no price.", product=product_id),
                msg("The operator sets a price per unit; the bureau enters the cap before."),
            ),
        )
    cap = caps.get(price.unit)
    if cap is None:
        return (
            _refusal(
                "price.no_cap",
                product_id,
                msg("There is no cap for this unit of {product} yet.", product=product_id),
                msg("Ask the bureau to enter the cap, with the number of its document."),
            ),
        )
    found: list[Refusal] = []
    if price.fen > cap.fen:
        found.append(
            _refusal(
                "price.above_cap",
                product_id,
                msg("The price of {product} is above the cap of {cap} yuan.", product=product_id, cap=yuan(cap.fen)),
                msg("Set a price at or below the cap."),
            )
        )
    if today > cap.review_by:
        found.append(
            _refusal(
                "price.cap_outdated",
                product_id,
                msg("The cap of {product} was to be reviewed by {day}.", product=product_id, day=str(cap.review_by)),
                msg("Ask the bureau to enter the reviewed cap, with the number of its document."),
                REVIEW_BASIS,
            )
        )
    return tuple(found)


def refusals_to_price(
    actor: Actor,
    *,
    product_id: str,
    operator_org: str,
    status: RegistrationStatus,
    lane: Lane,
    unit: ChargeUnit,
    fen: int | None,
    caps: Mapping[ChargeUnit, Cap],
    today: date,
) -> tuple[Refusal, ...]:
    """Everything against the operator setting this price."""
    found = list(refusals_to_act(actor, Verb.SET_PRICE))
    if actor.org_id != operator_org:
        found.append(
            _refusal(
                "register.organisation",
                product_id,
                msg("{subject} belongs to another institution.", subject=product_id),
                msg("Only the operator of a product states and meters it."),
            )
        )
    found.extend(refusals_of_ended(product_id, status))
    found.extend(_of_amount(product_id, fen) if lane is Lane.INDUSTRY else ())
    price = Charge(unit=unit, fen=fen or 0)
    return (*found, *refusals_of_price(product_id=product_id, lane=lane, price=price, caps=caps, today=today))


def refusals_of_ended(product_id: str, status: RegistrationStatus) -> tuple[Refusal, ...]:
    """Everything against changing what a product costs once its registration has ended."""
    if status not in ENDED:
        return ()
    return (
        _refusal(
            "register.ended",
            product_id,
            msg(
                "The registration of {product} is {status}; nothing of its price changes any more.",
                product=product_id,
                status=status,
            ),
            msg("Register the product anew if it is offered again."),
        ),
    )


def refusals_to_cap(
    actor: Actor,
    *,
    product_id: str,
    status: RegistrationStatus,
    lane: Lane,
    fen: int | None,
    document_ref: str,
    decided_on: date,
    review_by: date,
    today: date,
    pack: Pack,
) -> tuple[Refusal, ...]:
    """Everything against the bureau entering this cap."""
    found = [*refusals_to_act(actor, Verb.ENTER_CAP), *refusals_of_ended(product_id, status)]
    if lane is Lane.PUBLIC:
        found.append(_public(product_id))
    found.extend(_of_amount(product_id, fen))
    if not document_ref.strip():
        found.append(
            _refusal(
                "price.document",
                product_id,
                msg("A cap needs the number of the document that sets it."),
                msg("Enter the number of the pricing authority's document."),
            )
        )
    found.extend(refusals_of_cycle(product_id, decided_on=decided_on, review_by=review_by, today=today, pack=pack))
    return tuple(found)


def refusals_of_cycle(
    subject: str, *, decided_on: date, review_by: date, today: date, pack: Pack
) -> tuple[Refusal, ...]:
    """Everything against a price decision of `decided_on` standing until `review_by`."""
    years = pack.count(Parameter.PRICE_REVIEW_CYCLE)
    if decided_on <= today and decided_on < review_by <= add_years(decided_on, years):
        return ()
    return (
        _refusal(
            "price.review_cycle",
            subject,
            msg(
                "A price decision is reviewed within {years} years of its day, and that day is not ahead.", years=years
            ),
            msg("Enter the day of the document and a day of review within the cycle."),
            REVIEW_BASIS,
        ),
    )


def yuan(fen: int) -> str:
    """Fen as yuan with two digits."""
    return f"{fen // 100}.{fen % 100:02}"


def _of_amount(product_id: str, fen: int | None) -> tuple[Refusal, ...]:
    if fen is not None and 0 < fen <= MOST_FEN:
        return ()
    return (
        _refusal(
            "price.amount",
            product_id,
            msg("An amount is yuan above zero with at most two digits after the point."),
            msg("Type it like 12 or 12.50, without other signs."),
        ),
    )


def _public(product_id: str) -> Refusal:
    return _refusal(
        "lane.public_priced",
        product_id,
        msg("Product {product} serves public governance or interest and is free (LANE_RULE).", product=product_id),
        msg("Set no price. A charged product needs a licence in the industry lane."),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = BASIS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
