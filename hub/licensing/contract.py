# ruff: noqa: RUF009 - each default is a field that is made once; none has a value
"""The agreement (授权运营协议) as data: all thirteen items of 实施规范 第十四条, typed and checked when read.

One dataclass an item, its fields in the order of the document. The page's form, the readable document, the strict
reading and the digest all follow from these classes, so that none of them can leave out what another has.
Reading names every problem at once and repeats no value.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from hub.catalog.model import UpdateCycle
from hub.ledger.canonical import canonical
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    Lane,
    LicenceMode,
    OutsideData,
    PlatformClass,
    ProductForm,
    SuspensionTrigger,
)
from hub.message import Message, msg

FORMAT: Final = 1
CONTRACT_BASIS: Final = "公共数据资源授权运营实施规范(试行) 第十四条"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a field of the agreement is called and what it takes."""

    label: Message
    hint: Message | None = None
    is_line: bool = False
    """One line instead of a text of several."""
    may_be_empty: bool = False
    least: int = 0
    most: int = 100
    is_code: bool = False
    """A de-identification policy in TOML: not bound to the length of a written text."""


def _text(label: Message, hint: Message | None = None, *, may_be_empty: bool = False) -> Any:
    return field(metadata={"said": Said(label=label, hint=hint, may_be_empty=may_be_empty)})


def _line(label: Message, hint: Message | None = None, *, may_be_empty: bool = False) -> Any:
    return field(metadata={"said": Said(label=label, hint=hint, is_line=True, may_be_empty=may_be_empty)})


def _number(label: Message, *, least: int, most: int, hint: Message | None = None) -> Any:
    return field(metadata={"said": Said(label=label, hint=hint, least=least, most=most)})


def _code(label: Message) -> Any:
    return field(metadata={"said": Said(label=label, is_code=True)})


def _pick(label: Message, hint: Message | None = None, *, may_be_empty: bool = False) -> Any:
    return field(metadata={"said": Said(label=label, hint=hint, may_be_empty=may_be_empty)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeItem:
    """One table of the scope, with everything that is agreed about it."""

    table_id: str = _line(msg("Table"))
    columns: tuple[str, ...] = _pick(msg("Licensed columns"))
    row_filter: str = _line(msg("Rows"), msg("Which rows of the table, in words."))
    grain: str = _line(msg("Grain"), msg("What one row is."))
    levels: tuple[ExtractLevel, ...] = _pick(msg("Levels of extracts allowed"))
    full_in_workspace: bool = _pick(
        msg("The full extract may be mounted in a workspace"), msg("Otherwise sealed runs alone use it.")
    )
    full_reason: str = _text(msg("Why the full extract is needed in a workspace"), may_be_empty=True)
    update_cycle: UpdateCycle = _pick(msg("Update frequency"))
    quality: str = _text(msg("Statement on quality"))
    policy: str = _code(msg("Policy (TOML)"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """One permitted join: two columns across which pseudonyms of the same identifier meet."""

    left: str = _line(msg("Column"))
    right: str = _line(msg("joined with column"))
    reason: str = _line(msg("Reason for the join"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """(1) Scope and catalog of the data."""

    tables: tuple[ScopeItem, ...] = _pick(msg("Tables"))
    joins: tuple[Join, ...] = _pick(
        msg("Permitted joins"),
        msg("Columns across which records of one person or firm may be linked; without any, nothing can be linked."),
        may_be_empty=True,
    )
    security_opinion: str = _line(
        msg("Number of the security opinion on the joins"),
        msg("Needed when the joined tables come from several departments."),
        may_be_empty=True,
    )
    security_opinion_digest: str = _line(msg("SHA-256 of the security opinion"), may_be_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """(2) Term."""

    starts_at: datetime = _pick(msg("Starts on"))
    ends_at: datetime = _pick(msg("Ends on"), msg("The licence ends as this day begins; five years at most."))
    is_renewable: bool = _pick(msg("May be renewed"))
    start_reason: str = _line(msg("Why the term begins before the draft"), may_be_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedProduct:
    """One product or service that may come of the licence. Nothing of another form or lane leaves."""

    name: str = _line(msg("Product or service"))
    form: ProductForm = _pick(msg("Form"))
    lane: Lane = _pick(msg("Lane"))
    standard: str = _line(msg("Technical standard"))
    security_review: str = _line(msg("What the security review asks for"))
    conduct_review: str = _line(msg("What the review of business conduct asks for"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """(3) Products and services, their standards and reviews."""

    plan: tuple[PlannedProduct, ...] = _pick(msg("Product plan"))
    reviewers: int = _number(msg("Reviewers of each export"), least=1, most=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """(4) Platform and environment."""

    platform_id: str = _line(msg("Platform"))
    environment: PlatformClass = _pick(msg("Class of the environment"))
    conditions: str = _text(msg("Conditions of use"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """(5) Ownership of facilities, products and services."""

    facilities: str = _text(msg("Hardware and software"))
    products: str = _text(msg("Products and services"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """(6) Disclosure, and no redevelopment of delivered products."""

    items: str = _text(msg("What is disclosed"))
    calendar: str = _text(msg("When it is disclosed"))
    redevelopment_ban: bool = _pick(
        msg("No redevelopment"),
        msg("The operator does not redevelop, directly or through others, products delivered under this licence."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finance:
    """(7) Costs, income and sharing of benefits."""

    accounting_unit: str = _line(msg("Accounting unit"), msg("Authorized operation keeps separate books."))
    costs: str = _text(msg("Costs and income"))
    sharing: str = _text(msg("Formula for sharing the benefit"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """(8) Security, personal information, monitoring and emergencies."""

    duties: str = _text(msg("Duties of security and of protecting personal information"))
    officer: str = _pick(msg("Security officer of the operator"))
    personnel: tuple[str, ...] = _pick(msg("People who work under the licence"))
    training: str = _text(msg("Training"))
    monitoring: str = _text(msg("Monitoring"))
    emergency: str = _text(msg("Emergencies"))
    incident_hours: int = _number(msg("Hours in which an incident is reported"), least=1, most=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """(9) Evaluation, renewal and exit."""

    indicators: str = _text(msg("Indicators"))
    threshold: str = _text(msg("Threshold for renewal"))
    exit_steps: str = _text(msg("Steps of the exit"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """(10) Breach."""

    clauses: str = _text(msg("Liability for breach"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputes:
    """(11) Disputes."""

    clauses: str = _text(msg("Settlement of disputes"))
    venue: str = _line(msg("Venue"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """(12) Change, suspension and termination."""

    conditions: str = _text(msg("Conditions of change"))
    suspension_triggers: tuple[SuspensionTrigger, ...] = _pick(msg("What suspends the licence"))
    termination: str = _text(msg("Conditions of termination"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """(13) Other agreements."""

    outside_data: OutsideData = _pick(msg("Data from outside"))
    exports_per_week: int = _number(msg("Export requests in a week, at most"), least=1, most=50)
    retention_years: int = _number(msg("Years for which evidence is kept"), least=1, most=30)
    destruction: str = _text(msg("Destruction"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractItems:
    """The thirteen items, in the order of the article."""

    scope: Scope
    term: Term
    products: Products
    platform: Platform
    ownership: Ownership
    disclosure: Disclosure
    finance: Finance
    security: Security
    evaluation: Evaluation
    breach: Breach
    disputes: Disputes
    change: Change
    other: Other


TITLES: Final[dict[str, tuple[str, Message]]] = {
    "scope": ("一", msg("Scope and catalog of the data")),
    "term": ("二", msg("Term")),
    "products": ("三", msg("Products and services, standards and reviews")),
    "platform": ("四", msg("Platform and environment")),
    "ownership": ("五", msg("Ownership of facilities, products and services")),
    "disclosure": ("六", msg("Disclosure and ban on redevelopment")),
    "finance": ("七", msg("Costs, income and sharing of benefits")),
    "security": ("八", msg("Security, personal information, monitoring and emergencies")),
    "evaluation": ("九", msg("Evaluation, renewal and exit")),
    "breach": ("十", msg("Breach of the agreement")),
    "disputes": ("十一", msg("Settlement of disputes")),
    "change": ("十二", msg("Change, suspension and termination")),
    "other": ("十三", msg("Other agreements")),
}
"""Number within the article and title of each item, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above the items and is chosen when the agreement is drafted."""

    mode: LicenceMode = _pick(msg("Mode"))
    grant_source: GrantSource = _pick(msg("Source of the power to grant"))
    authority: str = _line(
        msg("Body that gave this power"),
        msg("Needed unless it is a pilot: the district does not sign alone."),
        may_be_empty=True,
    )
    document_ref: str = _line(msg("Number of the document that gives this power"), may_be_empty=True)
    developers: tuple[str, ...] = _pick(msg("Development entities that work under the licence"), may_be_empty=True)
    renews: str = _line(msg("Renews licence"), may_be_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who and what for: filled in by the platform from scenario and register, never typed."""

    licence_no: str
    version: int
    scenario_id: str
    purpose: str
    lane: Lane
    implementing_body: str
    operator_org: str
    operator_uscc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The whole agreement in one version. What is decided, signed and filed is its digest."""

    parties: Parties
    header: Header
    items: ContractItems

    def as_bytes(self) -> bytes:
        """The canonical form that is kept and hashed."""
        return canonical({"format": FORMAT, **plain(self)})

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, hex."""
        return hashlib.sha256(self.as_bytes()).hexdigest()


def plain(value: Any) -> Any:
    """A value of this module as JSON has it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    match value:
        case tuple():
            return [plain(one) for one in value]
        case StrEnum():
            return value.value
        case datetime():
            return value.isoformat()
    return value
