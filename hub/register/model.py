"""Products, their registrations, objections, prices, caps, incomes, metered use and yearly papers.

Prices, caps, incomes, meters and papers are inserted, never changed.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.licensing.model import Lane, ProductForm


class RegistrationStatus(StrEnum):
    """Where a registration stands (登记办法 Art. 9–15). That it lapsed follows from the day of asking."""

    DUE = "due"
    APPLIED = "applied"
    ACCEPTED = "accepted"
    FORM_REVIEWED = "form_reviewed"
    PUBLIC_NOTICE = "public_notice"
    OBJECTED = "objected"
    CODED = "coded"
    TERMINATED = "terminated"
    CANCELLED = "cancelled"


REGISTRATION_MOVES: dict[RegistrationStatus, frozenset[RegistrationStatus]] = {
    RegistrationStatus.DUE: frozenset({RegistrationStatus.APPLIED}),
    RegistrationStatus.APPLIED: frozenset({RegistrationStatus.ACCEPTED, RegistrationStatus.DUE}),
    RegistrationStatus.ACCEPTED: frozenset({RegistrationStatus.FORM_REVIEWED, RegistrationStatus.DUE}),
    RegistrationStatus.FORM_REVIEWED: frozenset({RegistrationStatus.PUBLIC_NOTICE}),
    RegistrationStatus.PUBLIC_NOTICE: frozenset({RegistrationStatus.CODED, RegistrationStatus.OBJECTED}),
    RegistrationStatus.OBJECTED: frozenset({RegistrationStatus.PUBLIC_NOTICE, RegistrationStatus.TERMINATED}),
    RegistrationStatus.CODED: frozenset({RegistrationStatus.CANCELLED}),
    RegistrationStatus.TERMINATED: frozenset(),
    RegistrationStatus.CANCELLED: frozenset(),
}

PUBLISHED = frozenset(
    {RegistrationStatus.PUBLIC_NOTICE, RegistrationStatus.OBJECTED, RegistrationStatus.CODED},
)
"""States in which the public view shows a product."""


class RegistrationType(StrEnum):
    """What a registration is for (登记办法 Art. 9–15)."""

    FIRST = "first"
    CHANGE = "change"
    CORRECTION = "correction"
    RENEWAL = "renewal"
    CANCELLATION = "cancellation"


class AmendmentStatus(StrEnum):
    """Where a later registration stands. Each type has its own table of moves."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    FORM_REVIEWED = "form_reviewed"
    PUBLIC_NOTICE = "public_notice"
    OBJECTED = "objected"
    ENTERED = "entered"
    RETURNED = "returned"
    TERMINATED = "terminated"


_END: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.ENTERED: frozenset(),
    AmendmentStatus.RETURNED: frozenset(),
}

CHANGE_MOVES: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.APPLIED: frozenset({AmendmentStatus.ACCEPTED, AmendmentStatus.RETURNED}),
    AmendmentStatus.ACCEPTED: frozenset({AmendmentStatus.FORM_REVIEWED, AmendmentStatus.RETURNED}),
    AmendmentStatus.FORM_REVIEWED: frozenset({AmendmentStatus.PUBLIC_NOTICE}),
    AmendmentStatus.PUBLIC_NOTICE: frozenset({AmendmentStatus.ENTERED, AmendmentStatus.OBJECTED}),
    AmendmentStatus.OBJECTED: frozenset({AmendmentStatus.PUBLIC_NOTICE, AmendmentStatus.TERMINATED}),
    AmendmentStatus.TERMINATED: frozenset(),
    **_END,
}
"""A change (变更) is told to the public like the first registration."""

CORRECTION_MOVES: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.APPLIED: frozenset({AmendmentStatus.ACCEPTED, AmendmentStatus.RETURNED}),
    AmendmentStatus.ACCEPTED: frozenset({AmendmentStatus.ENTERED, AmendmentStatus.RETURNED}),
    **_END,
}
"""A correction (更正) mends what was proved to be wrong; what the public reads is changed by a change alone."""

RENEWAL_MOVES: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.APPLIED: frozenset({AmendmentStatus.ENTERED, AmendmentStatus.RETURNED}),
    **_END,
}
"""A renewal (续展) is applied for within its window and entered before the registration ends."""

CANCELLATION_MOVES: dict[AmendmentStatus, frozenset[AmendmentStatus]] = {
    AmendmentStatus.APPLIED: frozenset({AmendmentStatus.ACCEPTED, AmendmentStatus.RETURNED}),
    AmendmentStatus.ACCEPTED: frozenset({AmendmentStatus.ENTERED, AmendmentStatus.RETURNED}),
    **_END,
}
"""A cancellation (注销) ends the registration."""

AMENDMENTS: dict[RegistrationType, dict[AmendmentStatus, frozenset[AmendmentStatus]]] = {
    RegistrationType.CHANGE: CHANGE_MOVES,
    RegistrationType.CORRECTION: CORRECTION_MOVES,
    RegistrationType.RENEWAL: RENEWAL_MOVES,
    RegistrationType.CANCELLATION: CANCELLATION_MOVES,
}


class ObjectionStatus(StrEnum):
    """An objection is raised in the notice by real name with evidence, then upheld or dismissed."""

    RAISED = "raised"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


OBJECTION_MOVES: dict[ObjectionStatus, frozenset[ObjectionStatus]] = {
    ObjectionStatus.RAISED: frozenset({ObjectionStatus.UPHELD, ObjectionStatus.DISMISSED}),
    ObjectionStatus.UPHELD: frozenset(),
    ObjectionStatus.DISMISSED: frozenset(),
}


class RegistrationField(StrEnum):
    """What the operator states when it applies; the rest is read from licence, catalog, request and ledger."""

    CONTACT = "contact"
    DATA_FROM = "data_from"
    DATA_UNTIL = "data_until"
    DATA_ROWS = "data_rows"
    DATA_UPDATE = "data_update"
    VERSION = "version"
    INPUT = "input"
    OUTPUT = "output"
    DELIVERY = "delivery"
    UPDATE = "update"
    RISK_REPORT = "risk_report"
    RISK_LEVEL = "risk_level"
    RISK_DATE = "risk_date"


class Delivery(StrEnum):
    """How a product reaches its user."""

    FILE = "file"
    INTERFACE = "interface"
    REPORT = "report"
    ON_SITE = "on_site"


class RiskLevel(StrEnum):
    """What the security risk assessment found."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class PaperKind(StrEnum):
    """What an organisation makes public or hands in once a year, about the year before."""

    BODY_DISCLOSURE = "body_disclosure"
    OPERATOR_DISCLOSURE = "operator_disclosure"
    OPERATING_REPORT = "operating_report"


class ChargeUnit(StrEnum):
    """What is counted when a product is charged or metered (价格通知 §3)."""

    PRODUCT_COUNT = "product_count"
    SERVICE_COUNT = "service_count"
    HOURS = "hours"
    CALLS = "calls"


class DataProduct(Base):
    """One released request as a product (数据产品和服务)."""

    __tablename__ = "data_product"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release.request_id"), unique=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    operator_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    form: Mapped[ProductForm]
    lane: Mapped[Lane]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(Text)
    evidence_digest: Mapped[str]
    """The digest of the released package, which votes, delivery and signed statement name."""
    released_at: Mapped[datetime]
    proposed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    status: Mapped[RegistrationStatus]
    type: Mapped[RegistrationType]
    since: Mapped[datetime]
    """When the status was entered; the next deadline counts from it."""
    notice_began: Mapped[datetime | None]
    """When the public notice began. An objection that is dismissed does not begin it anew."""
    status_reason: Mapped[str] = mapped_column(Text, default="")
    stated: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """RegistrationField → what the operator stated."""
    materials: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """All groups of materials as they were when applied for (`hub.register.materials`)."""
    code: Mapped[str] = mapped_column(default="")
    valid_until: Mapped[date | None] = mapped_column(Date)

    amendments: Mapped[list[Amendment]] = relationship(lazy="selectin", cascade="all", order_by="Amendment.applied_at")
    objections: Mapped[list[RegistrationObjection]] = relationship(
        lazy="selectin", cascade="all", order_by="RegistrationObjection.raised_at"
    )
    caps: Mapped[list[PriceCap]] = relationship(lazy="selectin", cascade="all", order_by="PriceCap.id")
    prices: Mapped[list[Price]] = relationship(lazy="selectin", cascade="all", order_by="Price.id")
    meters: Mapped[list[UsageMeter]] = relationship(lazy="selectin", cascade="all", order_by="UsageMeter.id")


class Amendment(Base):
    """A later registration of a product: change, correction, renewal or cancellation, with its own way and clock."""

    __tablename__ = "registration_amendment"

    id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    type: Mapped[RegistrationType]
    status: Mapped[AmendmentStatus]
    since: Mapped[datetime]
    notice_began: Mapped[datetime | None]
    grounds: Mapped[str] = mapped_column(Text)
    """Why, and for a correction what shows that the entry was wrong."""
    proof_digest: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(Text)
    stated: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """The fields that are to be stated otherwise."""
    status_reason: Mapped[str] = mapped_column(Text, default="")
    applied_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    applied_at: Mapped[datetime]


class RegistrationObjection(Base):
    """What someone says against a registration in public notice. Its name and contact stay out of the ledger."""

    __tablename__ = "registration_objection"

    id: Mapped[str] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    amendment_id: Mapped[str | None] = mapped_column(ForeignKey("registration_amendment.id"))
    status: Mapped[ObjectionStatus]
    for_outsider: Mapped[bool]
    """Whether the bureau entered it for someone without an account; everyone else objects in their own name."""
    objector: Mapped[str]
    contact: Mapped[str]
    grounds: Mapped[str] = mapped_column(Text)
    evidence_digest: Mapped[str]
    raised_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    raised_at: Mapped[datetime]
    finding: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


class PriceCap(Base):
    """The highest price per unit, in fen, by a document of the pricing authority. The newest of a unit counts."""

    __tablename__ = "price_cap"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    fen: Mapped[int] = mapped_column(BigInteger)
    document_ref: Mapped[str]
    decided_on: Mapped[date] = mapped_column(Date)
    review_by: Mapped[date] = mapped_column(Date)
    """The last day on which prices can be set under it; the authority reviews it before."""
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]


class Price(Base):
    """What the operator charges per unit, in fen. The newest counts."""

    __tablename__ = "price"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    fen: Mapped[int] = mapped_column(BigInteger)
    set_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class UsageMeter(Base):
    """How much of a product was used from `first` to `last`. A wrong row is not changed: a new one names it."""

    __tablename__ = "usage_meter"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    amount: Mapped[int] = mapped_column(BigInteger)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("usage_meter.id"), unique=True)
    metered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    metered_at: Mapped[datetime]


class PermittedIncome(Base):
    """The maximum permitted income (最高准许收入) of a licence in one year, in fen. The newest of a year counts."""

    __tablename__ = "permitted_income"

    id: Mapped[int] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    year: Mapped[int]
    fen: Mapped[int] = mapped_column(BigInteger)
    bond_yield: Mapped[int]
    """Average yield of ten-year government bonds in the year before the cost survey, in basis points."""
    profit_rate: Mapped[int]
    """Permitted profit rate, in basis points."""
    document_ref: Mapped[str]
    decided_on: Mapped[date] = mapped_column(Date)
    review_by: Mapped[date] = mapped_column(Date)
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]


class YearAccount(Base):
    """What a licence earned and cost in one year, in fen, from its separate books. The newest of a year counts."""

    __tablename__ = "year_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    year: Mapped[int]
    income: Mapped[int] = mapped_column(BigInteger)
    cost: Mapped[int] = mapped_column(BigInteger)
    book_ref: Mapped[str]
    """Where the separate books of the licence are kept (实施规范 Art. 22)."""
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]


class YearPaper(Base):
    """A yearly disclosure or operating report as it was published. A corrected one is a further row."""

    __tablename__ = "year_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PaperKind]
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    year: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str]
    published_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime]
