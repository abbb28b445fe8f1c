"""May a product be proposed, registered, objected to or metered, and if not, why.

Rules here: `register.organisation`, `register.twice`, `register.incomplete`, `register.evidence`, `register.status`,
`register.reason_missing`, `register.notice_running`, `register.lapsed`, `usage.amount`, `usage.period`,
`usage.overlap`, `usage.corrects`, `paper.organisation`, `paper.year`, `paper.nothing`,
`paper.account_missing`. Fields of the materials have rules of their own (`materials`), as have later registrations and
objections (`amending`), prices (`pricing`) and incomes (`income`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hub.errors import Refusal
from hub.message import Message, msg
from hub.people.actor import Actor, OrgKind
from hub.people.rules import Verb, refusals_to_act
from hub.register.clock import notice_end, status_on
from hub.register.materials import missing, refusals_of_stated
from hub.register.model import REGISTRATION_MOVES, ChargeUnit, PaperKind, RegistrationField, RegistrationStatus
from hub.register.pricing import ENDED
from hub.rulebook.calendar import WorkingCalendar
from hub.rulebook.model import Pack

STEPS_BASIS = "公共数据资源登记管理暂行办法 第九条至第十二条"
FIRST_BASIS = "公共数据资源登记管理暂行办法 第九条"
VALIDITY_BASIS = "公共数据资源登记管理暂行办法 第十五条"
PAPER_BASIS = "公共数据资源授权运营实施规范（试行） 第十八条至第十九条"
REPORT_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第五部分"
USAGE_BASIS = "关于建立公共数据资源授权运营价格形成机制的通知 第三部分"

REASONED = frozenset({RegistrationStatus.DUE, RegistrationStatus.CANCELLED})
"""What is decided only with a written reason."""

BY_OTHERS = frozenset({RegistrationStatus.APPLIED, RegistrationStatus.OBJECTED, RegistrationStatus.TERMINATED})
"""States that the registrar does not enter: the operator applies; an objection, and what is found of it, decides."""

_DIGEST = re.compile(r"[0-9a-f]{64}")

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
    notice_began: date | None = None
    evidence: str = ""
    """The digest that the product claims as its evidence (存证)."""
    delivered: str = ""
    """The digest that the ledger's entry of the delivery names."""


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
    found = [*refusals_to_act(actor, Verb.DESCRIBE_PRODUCT), *foreign(actor, operator_org, request_id)]
    if taken:
        found.append(
            refusal(
                "register.twice",
                request_id,
                msg("Request {request} stands in the register already.", request=request_id),
                msg("Go on with the product that is there."),
                FIRST_BASIS,
            )
        )
    if not name.strip() or len(description.strip()) < 10:
        found.append(
            refusal(
                "register.incomplete",
                request_id,
                msg("A product needs a name and a description of at least {count} characters.", count=10),
                msg("Say what the product is; name and description are what the public reads."),
                FIRST_BASIS,
            )
        )
    return tuple(found)


def refusals_to_apply(
    facts: ProductFacts, actor: Actor, *, stated: Mapping[RegistrationField, str], uscc: str, today: date
) -> tuple[Refusal, ...]:
    """Everything against applying for the first registration with these statements. The price is asked by `pricing`.

    Args:
        uscc: The operator's unified social credit code, from the directory.
    """
    found = [
        *refusals_to_act(actor, Verb.DESCRIBE_PRODUCT),
        *foreign(actor, facts.operator_org, facts.id),
        *_move(facts, RegistrationStatus.APPLIED, applying=True, today=today),
        *refusals_of_evidence(facts),
        *refusals_of_stated(facts.id, stated, today=today),
    ]
    if not uscc:
        found.append(missing(facts.id, msg("unified social credit code")))
    return tuple(found)


def refusals_of_evidence(facts: ProductFacts) -> tuple[Refusal, ...]:
    """Everything against taking the product's evidence digest for that of what was delivered."""
    if _DIGEST.fullmatch(facts.evidence) and facts.evidence == facts.delivered:
        return ()
    return (
        refusal(
            "register.evidence",
            facts.id,
            msg("The evidence digest of {product} is missing, or is not the one the ledger names.", product=facts.id),
            msg("Nothing is registered without its evidence. Tell the auditor; `zhakou ledger verify` says more."),
            FIRST_BASIS,
        ),
    )


def refusals_to_enter(
    facts: ProductFacts,
    actor: Actor,
    *,
    to: RegistrationStatus,
    reason: str,
    today: date,
    pack: Pack,
    calendar: WorkingCalendar,
) -> tuple[Refusal, ...]:
    """Everything against the registrar entering this state now."""
    found = [*refusals_to_act(actor, Verb.DECIDE_REGISTRATION), *_move(facts, to, applying=False, today=today)]
    if to in REASONED and not reason.strip():
        found.append(reason_missing(facts.id))
    if to is RegistrationStatus.CODED:
        found.extend(refusals_of_evidence(facts))
        found.extend(
            refusals_of_notice(facts.id, facts.notice_began or facts.since, today, pack=pack, calendar=calendar)
        )
        if facts.licence_ends <= today:
            found.append(
                refusal(
                    "register.lapsed",
                    facts.id,
                    msg(
                        "The licence of {product} has ended; a registration on it would end at once.", product=facts.id
                    ),
                    msg("Register the product under a licence that is in force."),
                    VALIDITY_BASIS,
                )
            )
    return tuple(found)


def refusals_of_notice(
    subject: str, began: date, today: date, *, pack: Pack, calendar: WorkingCalendar
) -> tuple[Refusal, ...]:
    """Everything against entering what was in public notice since `began`."""
    end = notice_end(began, pack=pack, calendar=calendar)
    if today > end:
        return ()
    provisional = msg(
        "The public notice of {product} runs until {day}, counted provisionally: the holidays are not published yet.",
        product=subject,
        day=str(end),
    )
    text = msg("The public notice of {product} runs until {day}.", product=subject, day=str(end))
    return (
        refusal(
            "register.notice_running",
            subject,
            text if calendar.is_known(began, end) else provisional,
            msg("It can be entered once the notice has ended without objection."),
            STEPS_BASIS,
        ),
    )


def ended_on(facts: ProductFacts, today: date) -> date:
    """The first day on which a use is no longer one of this product; the end of time while its registration lives."""
    if facts.status in ENDED:
        return facts.since + timedelta(days=1)
    lapsed = status_on(facts.status, facts.valid_until, today) in ENDED
    return facts.valid_until if lapsed and facts.valid_until is not None else date.max


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
    found = [*refusals_to_act(actor, Verb.METER_USAGE), *foreign(actor, facts.operator_org, facts.id)]
    if not 0 <= amount <= MOST_AMOUNT:
        found.append(
            refusal(
                "usage.amount",
                facts.id,
                msg("An amount of use is a whole number from 0 to {most}.", most=MOST_AMOUNT),
                msg("Enter what was counted in the period; 0 says that there was no use."),
                USAGE_BASIS,
            )
        )
    if not facts.released <= first <= last <= today:
        found.append(
            refusal(
                "usage.period",
                facts.id,
                msg("A period of use lies between the release of {product} and today.", product=facts.id),
                msg("Choose the first and the last day that were counted."),
                USAGE_BASIS,
            )
        )
    if last >= ended_on(facts, today):
        found.append(
            refusal(
                "usage.ended",
                facts.id,
                msg(
                    "The registration of {product} has ended; a use after it is none of this product.", product=facts.id
                ),
                msg("Enter the use up to the day on which it ended."),
                USAGE_BASIS,
            )
        )
    replaced = next((row for row in rows if row.id == corrects), None)
    if corrects is not None and (replaced is None or replaced.unit is not unit):
        found.append(
            refusal(
                "usage.corrects",
                facts.id,
                msg("Row {row} is no row in force of this product and unit.", row=corrects),
                msg("Choose a row from the list of this product; a corrected row is not corrected again."),
                USAGE_BASIS,
            )
        )
    if any(row.unit is unit and row.id != corrects and row.first <= last and first <= row.last for row in rows):
        found.append(
            refusal(
                "usage.overlap",
                facts.id,
                msg("A part of this period is metered already; it would be counted twice."),
                msg("Enter the days that are missing, or correct the row that is wrong."),
                USAGE_BASIS,
            )
        )
    return tuple(found)


def _move(facts: ProductFacts, to: RegistrationStatus, *, applying: bool, today: date) -> tuple[Refusal, ...]:
    """The table of moves; who applies makes no other move, and who registers does not make the others' moves."""
    mine = to is RegistrationStatus.APPLIED if applying else to not in BY_OTHERS
    status = status_on(facts.status, facts.valid_until, today)
    ends = facts.status is RegistrationStatus.CODED and to is RegistrationStatus.CANCELLED
    backwards = facts.status is RegistrationStatus.OBJECTED
    if mine and not backwards and (to in REGISTRATION_MOVES[status] or ends):
        return ()
    return (not_so(facts.id, status, to),)


def not_so(subject: str, status: str, to: str) -> Refusal:
    """The one refusal of a move that is not in the table."""
    return refusal(
        "register.status",
        subject,
        msg(
            "The registration of {product} is: {status}. From there it cannot become: {state}.",
            product=subject,
            status=status,
            state=to,
        ),
        msg("The page of the product shows what can be done next."),
        STEPS_BASIS,
    )


def reason_missing(subject: str) -> Refusal:
    """The one refusal of a decision without its reason."""
    return refusal(
        "register.reason_missing",
        subject,
        msg("This decision on {product} needs a written reason.", product=subject),
        msg("Write what was found; the operator reads it."),
        STEPS_BASIS,
    )


def foreign(actor: Actor, operator_org: str, subject: str) -> tuple[Refusal, ...]:
    """What stands against someone of another institution than the product's."""
    if actor.org_id == operator_org:
        return ()
    return (
        refusal(
            "register.organisation",
            subject,
            msg("{subject} belongs to another institution.", subject=subject),
            msg("Only the operator of a product states and meters it."),
            FIRST_BASIS,
        ),
    )


def refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str) -> Refusal:
    """A refusal of the register."""
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)


def refusals_to_publish(
    actor: Actor,
    *,
    kind: PaperKind,
    year: int,
    first_year: int,
    today: date,
    licences: int,
    unaccounted: Sequence[str],
) -> tuple[Refusal, ...]:
    """Everything against the actor's organisation publishing this yearly paper now.

    Args:
        licences: How many licences the paper is about.
        unaccounted: Licences of the industry lane whose account of the year is missing; an operating report needs it.
    """
    found = list(refusals_to_act(actor, Verb.PUBLISH_PAPER))
    if (kind is PaperKind.BODY_DISCLOSURE) != (actor.org_kind is OrgKind.BUREAU):
        found.append(
            refusal(
                "paper.organisation",
                kind,
                msg("This paper is published by another organisation."),
                msg("The implementing body discloses licences; an operator its products, and hands in its report."),
                PAPER_BASIS,
            )
        )
    if not first_year <= year < today.year:
        found.append(
            refusal(
                "paper.year",
                kind,
                msg("There are papers for the years {first} to {last}.", first=first_year, last=today.year - 1),
                msg("A year is told of once it is over."),
                PAPER_BASIS,
            )
        )
    if not licences:
        found.append(
            refusal(
                "paper.nothing",
                kind,
                msg("No licence ran in {year}; there is nothing to tell.", year=year),
                msg("Choose another year."),
                PAPER_BASIS,
            )
        )
    if kind is PaperKind.OPERATING_REPORT and unaccounted:
        found.append(
            refusal(
                "paper.account_missing",
                kind,
                msg("The account of the year is missing for {licences}.", licences=", ".join(unaccounted)),
                msg("Enter income and cost of each licence from its separate books first."),
                REPORT_BASIS,
            )
        )
    return tuple(found)
