"""What of an agreement machines check, and what the agreement itself must hold before anybody decides on it.

Rules here: `licence.authority` (who gave the power), `licence.operator_code` (the operator's credit code),
`licence.full_in_workspace` (a reason for the full rung outside of sealed runs), `licence.product_twice`,
`licence.product_lane` (a product in another lane than the scenario), `licence.redevelopment` (the ban may not be
off), `licence.security_officer`, `licence.personnel` (people of the operator or of a named development entity),
`licence.developer` (attached to the operator), `licence.incident_hours`, `licence.retention`, `licence.renewal`,
`licence.backdated` (a term begins on the day of the draft or later, or says why not), `licence.state_secret` (a table
that concerns state secrets stops whatever names it); and when a result is submitted `export.out_of_scope` (reason
code OUT_OF_SCOPE), `export.lane_rule` (LANE_RULE), `export.quota` (RATE_LIMIT).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from hub.errors import Refusal
from hub.licensing.contract import CONTRACT_BASIS, Contract
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    Lane,
    LicenceStatus,
    OutsideData,
    ProductForm,
    SuspensionTrigger,
)
from hub.message import Message, msg
from hub.rulebook.model import Pack, district_day
from hub.rulebook.parameters import Parameter
from hub.secrecy import BASIS as SECRECY_BASIS

LEAST_REASON = 10
"""Characters below which a reason says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedTable:
    """What is agreed about one table."""

    table_id: str
    columns: tuple[str, ...]
    row_filter: str
    grain: str
    levels: frozenset[ExtractLevel]
    full_in_workspace: bool
    full_reason: str
    update_cycle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """The terms of an agreement that machines check, compiled from its items."""

    tables: tuple[AgreedTable, ...]
    joins: tuple[tuple[str, str], ...]
    product_plan: tuple[tuple[ProductForm, Lane], ...]
    redevelopment_ban: bool
    outside_data: OutsideData
    exports_per_week: int
    security_officer: str
    personnel: frozenset[str]
    """People who work under the licence as it was signed; `personnel` knows what changed since."""
    suspension_triggers: frozenset[SuspensionTrigger]


def compile_terms(contract: Contract) -> Agreed:
    """What machines check of this agreement."""
    items = contract.items
    return Agreed(
        tables=tuple(
            AgreedTable(
                table_id=one.table_id,
                columns=one.columns,
                row_filter=one.row_filter,
                grain=one.grain,
                levels=frozenset(one.levels),
                full_in_workspace=one.full_in_workspace,
                full_reason=one.full_reason,
                update_cycle=one.update_cycle,
            )
            for one in items.scope.tables
        ),
        joins=tuple((join.left, join.right) for join in items.scope.joins),
        product_plan=tuple((product.form, product.lane) for product in items.products.plan),
        redevelopment_ban=items.disclosure.redevelopment_ban,
        outside_data=items.other.outside_data,
        exports_per_week=items.other.exports_per_week,
        security_officer=items.security.officer,
        personnel=frozenset(items.security.personnel),
        suspension_triggers=frozenset(items.change.suspension_triggers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """The licence that a new one renews."""

    id: str
    operator_org: str
    status: LicenceStatus
    is_renewable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the register says of those an agreement names."""

    people: Mapping[str, str]
    """Active people of the operator and of what is attached to it: person → organisation."""
    attached: Collection[str]
    """Development entities attached to the operator."""
    renewed: Renewed | None = None


def refusals_of_agreement(contract: Contract, around: Surroundings, pack: Pack) -> tuple[Refusal, ...]:
    """Everything against deciding on, signing or putting into force this agreement, but for tables and term."""
    return (
        *_of_header(contract, around),
        *_of_tables(contract),
        *_of_products(contract),
        *_of_people(contract, around),
        *_of_numbers(contract, pack),
    )


def refusals_of_start(contract: Contract, today: date) -> tuple[Refusal, ...]:
    """Everything against drafting this agreement on `today`: a term that begins earlier would license the past."""
    term = contract.items.term
    if district_day(term.starts_at) >= today or len(term.start_reason.strip()) >= LEAST_REASON:
        return ()
    return (
        _refusal(
            "licence.backdated",
            contract.parties.licence_no,
            msg(
                "The term begins before today, and no reason of at least {count} characters says why.",
                count=LEAST_REASON,
            ),
            msg("Choose today or a later day, or write why it begins earlier; what was done before stays as it was."),
        ),
    )


def _of_header(contract: Contract, around: Surroundings) -> Iterator[Refusal]:
    licence, header = contract.parties.licence_no, contract.header
    if header.grant_source is not GrantSource.PILOT and not header.authority:
        yield _refusal(
            "licence.authority",
            licence,
            msg("The district does not sign alone: the body that gave the power to license is not named."),
            msg("Enter the body and the number of its document, or choose another source of the power."),
        )
    if not contract.parties.operator_uscc:
        yield _refusal(
            "licence.operator_code",
            licence,
            msg("The register holds no credit code of operator {org}.", org=contract.parties.operator_org),
            msg("Have the bureau enter the unified social credit code of the operator first."),
        )
    if header.renews:
        old = around.renewed
        held = (LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED, LicenceStatus.TERMINATED, LicenceStatus.EXITED)
        if (
            old is None
            or old.operator_org != contract.parties.operator_org
            or old.status not in held
            or not old.is_renewable
        ):
            yield _refusal(
                "licence.renewal",
                licence,
                msg("Only a licence of the same operator that was in force and may be renewed is renewed."),
                msg("Leave the field empty, or name such a licence."),
            )


def _of_tables(contract: Contract) -> Iterator[Refusal]:
    for one in contract.items.scope.tables:
        if one.full_in_workspace and (
            ExtractLevel.FULL not in one.levels or len(one.full_reason.strip()) < LEAST_REASON
        ):
            yield _refusal(
                "licence.full_in_workspace",
                one.table_id,
                msg(
                    "The full extract of {table} in a workspace needs the full level and a reason of at least {count} "
                    "characters.",
                    table=one.table_id,
                    count=LEAST_REASON,
                ),
                msg("Write the reason, or leave the full extract to sealed runs."),
            )


def _of_products(contract: Contract) -> Iterator[Refusal]:
    licence, plan = contract.parties.licence_no, contract.items.products.plan
    if any(count > 1 for count in Counter(product.name for product in plan).values()):
        yield _refusal(
            "licence.product_twice",
            licence,
            msg("A product stands in the plan twice."),
            msg("Give each product a name of its own."),
        )
    if any(product.lane is not contract.parties.lane for product in plan):
        yield _refusal(
            "licence.product_lane",
            licence,
            msg("A planned product is in another lane than the scenario ({lane}).", lane=contract.parties.lane),
            msg("Plan it under a scenario in that lane: one scenario, one application."),
            "关于建立公共数据资源授权运营价格形成机制的通知 第三部分",
        )
    if not contract.items.disclosure.redevelopment_ban:
        yield _refusal(
            "licence.redevelopment",
            licence,
            msg("The ban on redeveloping delivered products may not be left out."),
            msg("Tick the ban in item 6."),
        )


def _of_people(contract: Contract, around: Surroundings) -> Iterator[Refusal]:
    licence, operator = contract.parties.licence_no, contract.parties.operator_org
    security, developers = contract.items.security, contract.header.developers
    if around.people.get(security.officer) != operator:
        yield _refusal(
            "licence.security_officer",
            licence,
            msg("The security officer must be a person of the operator with an account."),
            msg("Choose one; the bureau opens accounts."),
        )
    ours = {operator, *developers}
    strangers = sum(1 for person in security.personnel if around.people.get(person) not in ours)
    if strangers:
        yield _refusal(
            "licence.personnel",
            licence,
            msg("{count} people are neither of the operator nor of a named development entity.", count=strangers),
            msg("Take them off the list, or name their development entity above."),
        )
    if set(developers) - set(around.attached):
        yield _refusal(
            "licence.developer",
            licence,
            msg("A named development entity is not attached to the operator."),
            msg("Choose from those attached to it in the register."),
        )


def _of_numbers(contract: Contract, pack: Pack) -> Iterator[Refusal]:
    licence = contract.parties.licence_no
    hours = pack.count(Parameter.INCIDENT_VULNERABILITY_REPORT)
    if contract.items.security.incident_hours > hours:
        yield _refusal(
            "licence.incident_hours",
            licence,
            msg("An incident is reported within {count} hours.", count=hours),
            msg("Agree on a shorter time in item 8."),
            "网络数据安全管理条例 第十条",
        )
    years = pack.count(Parameter.RETENTION_AUDIT_FLOOR)
    if contract.items.other.retention_years < years:
        yield _refusal(
            "licence.retention",
            licence,
            msg("Evidence is kept for at least {count} years.", count=years),
            msg("Agree on a longer time in item 13."),
            "网络数据安全管理条例 第十二条",
        )


def refusals_of_secrets(secret_tables: Sequence[str]) -> tuple[Refusal, ...]:
    """Everything against using these tables, which were marked as concerning state secrets."""
    return tuple(
        _refusal(
            "licence.state_secret",
            table,
            msg("Table {table} is marked as concerning state secrets; nothing may be done with it here.", table=table),
            msg("Stop all use and tell the bureau; the mark is never taken back on this platform."),
            SECRECY_BASIS,
        )
        for table in secret_tables
    )


def refusals_to_offer(
    licence_id: str, agreed: Agreed, *, form: ProductForm, lane: Lane, submitted_in_week: int
) -> tuple[Refusal, ...]:
    """Everything that the agreement says against a product of this form and lane asking to leave.

    Args:
        submitted_in_week: Requests of the licence in the last seven days that were neither withdrawn nor stopped by
            the machine; counted from the rows, never taken from the request.
    """
    found = []
    if form not in {planned for planned, _ in agreed.product_plan}:
        found.append(
            _refusal(
                "export.out_of_scope",
                licence_id,
                msg("The product plan of licence {licence} has no product of this form.", licence=licence_id),
                msg("Choose a planned form; another one needs a change of the agreement."),
            )
        )
    elif (form, lane) not in agreed.product_plan:
        found.append(
            _refusal(
                "export.lane_rule",
                licence_id,
                msg("The product plan of licence {licence} has this form in another lane.", licence=licence_id),
                msg("Choose the planned lane; what is for the public good is free, and the lanes are not mixed."),
                "关于建立公共数据资源授权运营价格形成机制的通知 第三部分",
            )
        )
    if submitted_in_week >= agreed.exports_per_week:
        found.append(
            _refusal(
                "export.quota",
                licence_id,
                msg(
                    "Licence {licence} allows {count} requests a week.",
                    licence=licence_id,
                    count=agreed.exports_per_week,
                ),
                msg("Wait until a week has passed since the oldest of them."),
            )
        )
    return tuple(found)


def _refusal(rule: str, subject: str, text: Message, next_step: Message, basis: str = CONTRACT_BASIS) -> Refusal:
    return Refusal(rule=rule, subject=subject, text=text, next_step=next_step, basis=basis)
