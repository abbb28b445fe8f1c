"""Products, their registration, prices, caps and metered use. Prices, caps and meters are inserted, never changed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Date, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.gate.model import ProductForm
from hub.licensing.model import Lane


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
    """What a registration is for."""

    FIRST = "first"
    RENEWAL = "renewal"


class RegistrationField(StrEnum):
    """What the operator states when it applies; the rest is read from licence, catalog, request and ledger."""

    CONTACT = "contact"
    TIME_SPAN = "time_span"
    VOLUME = "volume"
    INPUT = "input"
    OUTPUT = "output"
    DELIVERY = "delivery"
    UPDATE = "update"
    RISK_REPORT = "risk_report"
    RISK_LEVEL = "risk_level"
    RISK_DATE = "risk_date"


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
    status_reason: Mapped[str] = mapped_column(Text, default="")
    stated: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """RegistrationField → what the operator stated."""
    code: Mapped[str] = mapped_column(default="")
    valid_until: Mapped[date | None] = mapped_column(Date)

    caps: Mapped[list[PriceCap]] = relationship(lazy="selectin", cascade="all", order_by="PriceCap.id")
    prices: Mapped[list[Price]] = relationship(lazy="selectin", cascade="all", order_by="Price.id")
    meters: Mapped[list[UsageMeter]] = relationship(lazy="selectin", cascade="all", order_by="UsageMeter.id")


class PriceCap(Base):
    """The highest price per unit, in fen, by a document of the pricing authority. The newest of a unit counts."""

    __tablename__ = "price_cap"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    fen: Mapped[int]
    document_ref: Mapped[str]
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]


class Price(Base):
    """What the operator charges per unit, in fen. The newest counts."""

    __tablename__ = "price"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    fen: Mapped[int]
    set_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class UsageMeter(Base):
    """How much of a product was used from `first` to `last`. A wrong row is not changed: a new one names it."""

    __tablename__ = "usage_meter"

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("data_product.id"))
    unit: Mapped[ChargeUnit]
    amount: Mapped[int]
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    corrects: Mapped[int | None] = mapped_column(ForeignKey("usage_meter.id"), unique=True)
    metered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    metered_at: Mapped[datetime]
