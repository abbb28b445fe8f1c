"""May a product be proposed, registered, renewed or metered, and if not, why. Prices have rules of their own.

Rules here: `register.organisation`, `register.twice`, `register.incomplete`, `register.field_missing`,
`register.status`, `register.reason_missing`, `register.code_missing`, `register.code_taken`,
`register.notice_running`, `register.notice_over`, `register.renewal_early`, `register.lapsed`,
`register.renewal_term`, `usage.amount`, `usage.period`, `usage.overlap`, `usage.corrects`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import Actor
from hub.people.rules import Verb, refusals_to_act
from hub.register.clock import has_lapsed, notice_end, renewal_opens, validity_end
from hub.register.model import REGISTRATION_MOVES, ChargeUnit, RegistrationField, RegistrationStatus, RegistrationType
from hub.rulebook.calendar import WorkingCalendar
from hub.rulebook.model import Pack

STEPS_BASIS = "公共数据资源登记管理暂行办法 第九条至第十二条"
FIRST_BASIS = "公共数据资源登记管理暂行办法 第九条"
VALIDITY_BASIS = "公共数据资源登记管理暂行办法 第十五条"
USAGE_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第三部分"

REASONED = frozenset(
    {
        RegistrationStatus.DUE,
        RegistrationStatus.OBJECTED,
        RegistrationStatus.TERMINATED,
        RegistrationStatus.CANCELLED,
    }
)
"""What is decided only with a written reason. Setting an objection aside is, too."""

MOST_AMOUNT = 10**12
"""More uses in one row than any product has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """What of a product decides who may do what with it."""

    id: str
    operator_org: str
    status: RegistrationStatus
    released: date
    since: date
    valid_until: date | None
    licence_ends: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """One row of a meter that is in force."""

    id: int
    unit: ChargeUnit
    first: date
    last: date


def refusals_to_propose(
    *, actor: Actor, request_id: str, operator_org: str, taken: bool, name: str, description: str
) -> tuple[Refusal, ...]:
    """Everything against entering this released request as a product."""
    found = [*refusals_to_act(actor, Verb.DESCRIBE_PRODUCT), *_foreign(actor, operator_org, request_id)]
    if taken:
        found.append(
            _refusal(
                "register.twice",
                request_id,
                msg("Request {request} stands in the register already.", request=request_id),
                msg("Go on with the product that is there."),
                FIRST_BASIS,
            )
        )
    if not name.strip() or len(description.strip()) < 10:
        found.append(
            _refusal(
                "register.incomplete",
                request_id,
                msg("A product needs a name and a description of at least {count} characters.", count=10),
                msg("Say what the product is; name and description are what the public reads."),
                FIRST_BASIS,
            )
        )
    return tuple(found)


def refusals_to_apply(
    facts: ProductFacts, actor: Actor, *, stated: Mapping[RegistrationField, str], uscc: str
) -> tuple[Refusal, ...]:
    """Everything against applying for registration with these statements. The price is asked by `hub.register.pricing`.

    Args:
        uscc: The operator's unified social credit code, from the directory.
    """
    found = [
        *refusals_to_act(actor, Verb.DESCRIBE_PRODUCT),
        *_foreign(actor, facts.operator_org, facts.id),
        *_move(facts, RegistrationStatus.APPLIED),
    ]
    missing: list[RegistrationField | Message] = [
        field for field in RegistrationField if not stated.get(field, "").strip()
    ]
    if not uscc:
        missing.append(msg("unified social credit code"))
    found.extend(
        _refusal(
            "register.field_missing",
            facts.id,
            msg("The registration of {product} misses {field}.", product=facts.id, field=name),
            msg("Fill it in; a missing credit code is entered in the directory by the bureau."),
            FIRST_BASIS,
        )
        for name in missing
    )
    return tuple(found)


def refusals_to_enter(
    facts: ProductFacts,
    actor: Actor,
    *,
    to: RegistrationStatus,
    reason: str,
    code: str,
    codes: Collection[str],
    today: date,
    pack: Pack,
    calendar: WorkingCalendar,
) -> tuple[Refusal, ...]:
    """Everything against the registrar entering this state now.

    Args:
        code: The registration query code; needed for `coded` alone.
        codes: The codes of other products.
    """
    found = [*refusals_to_act(actor, Verb.DECIDE_REGISTRATION), *_move(facts, to, apply=False)]
    overruled = facts.status is RegistrationStatus.OBJECTED
    if (to in REASONED or overruled) and not reason.strip():
        found.append(
            _refusal(
                "register.reason_missing",
                facts.id,
                msg("This decision on {product} needs a written reason.", product=facts.id),
                msg("Write what was found; the operator reads it."),
                STEPS_BASIS,
            )
        )
    if to is RegistrationStatus.CODED and not code.strip():
        found.append(
            _refusal(
                "register.code_missing",
                facts.id,
                msg("Product {product} cannot be coded without its query code.", product=facts.id),
                msg("Enter the code that the registration platform assigned."),
                STEPS_BASIS,
            )
        )
    if to is RegistrationStatus.CODED and code.strip() in codes:
        found.append(
            _refusal(
                "register.code_taken",
                facts.id,
                msg("The query code belongs to another product."),
                msg("Compare it with the registration platform."),
                STEPS_BASIS,
            )
        )
    if facts.status is RegistrationStatus.PUBLIC_NOTICE:
        found.extend(_in_notice(facts, to, today, notice_end(facts.since, pack=pack, calendar=calendar).day))
    if to is RegistrationStatus.CODED and facts.licence_ends <= today:
        found.append(
            _refusal(
                "register.lapsed",
                facts.id,
                msg("The licence of {product} has ended; a registration on it would end at once.", product=facts.id),
                msg("Register the product under a licence that is in force."),
                VALIDITY_BASIS,
            )
        )
    return tuple(found)


def refusals_to_renew(facts: ProductFacts, actor: Actor, *, today: date, pack: Pack) -> tuple[Refusal, ...]:
    """Everything against renewing this registration now."""
    found = list(refusals_to_act(actor, Verb.DECIDE_REGISTRATION))
    if facts.status is not RegistrationStatus.CODED or facts.valid_until is None:
        return (*found, *_not(facts, RegistrationType.RENEWAL))
    opens = renewal_opens(facts.valid_until, pack=pack)
    if has_lapsed(facts.valid_until, today):
        found.append(
            _refusal(
                "register.lapsed",
                facts.id,
                msg("The registration of {product} ended on {day}.", product=facts.id, day=str(facts.valid_until)),
                msg("It is to be cancelled; a further use of the product takes a new first registration."),
                VALIDITY_BASIS,
            )
        )
    if today < opens:
        found.append(
            _refusal(
                "register.renewal_early",
                facts.id,
                msg("The registration of {product} can be renewed from {day}.", product=facts.id, day=str(opens)),
                msg("Renew it from that day on, before it ends."),
                VALIDITY_BASIS,
            )
        )
    if validity_end(facts.valid_until, licence_ends=facts.licence_ends, pack=pack) <= facts.valid_until:
        found.append(
            _refusal(
                "register.renewal_term",
                facts.id,
                msg("The licence of {product} ends with its registration; nothing can be added.", product=facts.id),
                msg("A registration lives no longer than its licence; apply for a new licence first."),
                VALIDITY_BASIS,
            )
        )
    return tuple(found)


def refusals_to_meter(
    facts: ProductFacts,
    actor: Actor,
    *,
    unit: ChargeUnit,
    amount: int,
    first: date,
    last: date,
    corrects: int | None,
    rows: Sequence[Metered],
    today: date,
) -> tuple[Refusal, ...]:
    """Everything against entering this use.

    Args:
        corrects: The row that this one replaces, if any.
        rows: The rows in force: those that no other row replaces.
    """
    found = [*refusals_to_act(actor, Verb.METER_USAGE), *_foreign(actor, facts.operator_org, facts.id)]
    least = 1 if corrects is None else 0  # a correction may say that there was no use
    if not least <= amount <= MOST_AMOUNT:
        found.append(
            _refusal(
                "usage.amount",
                facts.id,
                msg("An amount of use is a whole number from {least} to {most}.", least=least, most=MOST_AMOUNT),
                msg("Enter what was counted in the period; a period without use needs no row."),
                USAGE_BASIS,
            )
        )
    if not facts.released <= first <= last <= today:
        found.append(
            _refusal(
                "usage.period",
                facts.id,
                msg("A period of use lies between the release of {product} and today.", product=facts.id),
                msg("Choose the first and the last day that were counted."),
                USAGE_BASIS,
            )
        )
    replaced = next((row for row in rows if row.id == corrects), None)
    if corrects is not None and (replaced is None or replaced.unit is not unit):
        found.append(
            _refusal(
                "usage.corrects",
                facts.id,
                msg("Row {row} is no row in force of this product and unit.", row=corrects),
                msg("Choose a row from the list of this product; a corrected row is not corrected again."),
                USAGE_BASIS,
            )
        )
    if any(row.unit is unit and row.id != corrects and row.first <= last and first <= row.last for row in rows):
        found.append(
            _refusal(
                "usage.overlap",
                facts.id,
                msg("A part of this period is metered already; it would be counted twice."),
                msg("Enter the days that are missing, or correct the row that is wrong."),
                USAGE_BASIS,
            )
        )
    return tuple(found)


def _in_notice(facts: ProductFacts, to: RegistrationStatus, today: date, end: date) -> tuple[Refusal, ...]:
    if to is RegistrationStatus.CODED and today <= end:
        return (
            _refusal(
                "register.notice_running",
                facts.id,
                msg("The public notice of {product} runs until {day}.", product=facts.id, day=str(end)),
                msg("A code can be entered once it has ended without objection."),
                STEPS_BASIS,
            ),
        )
    if to is RegistrationStatus.OBJECTED and today > end:
        return (
            _refusal(
                "register.notice_over",
                facts.id,
                msg("The public notice of {product} ended on {day}.", product=facts.id, day=str(end)),
                msg("Objections are entered during the notice; later ones lead to a cancellation."),
                STEPS_BASIS,
            ),
        )
    return ()


def _move(facts: ProductFacts, to: RegistrationStatus, *, apply: bool = True) -> tuple[Refusal, ...]:
    """The table of moves; `applied` is the operator's move and no other is."""
    if to in REGISTRATION_MOVES[facts.status] and apply == (to is RegistrationStatus.APPLIED):
        return ()
    return _not(facts, to)


def _not(facts: ProductFacts, to: str) -> tuple[Refusal, ...]:
    return (
        _refusal(
            "register.status",
            facts.id,
            msg(
                "The registration of {product} is: {status}. From there it cannot become: {state}.",
                product=facts.id,
                status=facts.status,
                state=to,
            ),
            msg("The page of the product shows what can be done next."),
            STEPS_BASIS,
        ),
    )


def _foreign(actor: Actor, operator_org: str, subject: str) -> tuple[Refusal, ...]:
    if actor.org_id == operator_org:
        return ()
    return (
        _refusal(
            "register.organisation",
            subject,
            msg("{subject} belongs to another institution.", subject=subject),
            msg("Only the operator of a product states and meters it."),
            FIRST_BASIS,
        ),
    )


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
