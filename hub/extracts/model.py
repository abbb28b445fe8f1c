"""Desensitized extracts (脱敏数据包) and the requests for their rungs: de-identified, never called anonymized."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.licensing.model import ExtractLevel


class ExtractRequestStatus(StrEnum):
    """Where the request for one rung of one table stands. Who is missing is said by its decisions."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


EXTRACT_REQUEST_MOVES: dict[ExtractRequestStatus, frozenset[ExtractRequestStatus]] = {
    ExtractRequestStatus.REQUESTED: frozenset(
        {ExtractRequestStatus.APPROVED, ExtractRequestStatus.REFUSED, ExtractRequestStatus.WITHDRAWN}
    ),
    ExtractRequestStatus.APPROVED: frozenset(),
    ExtractRequestStatus.REFUSED: frozenset(),
    ExtractRequestStatus.WITHDRAWN: frozenset(),
}


class ExtractSeat(StrEnum):
    """Who decides on a rung: the licence itself by rule, the data's department, the platform's compliance side."""

    RULE = "rule"
    PROVIDER = "dept_steward"
    COMPLIANCE = "compliance_reviewer"


class ExtractDecisionKind(StrEnum):
    """One decision on a request. One refusal is enough."""

    APPROVE = "approve"
    REFUSE = "refuse"


SEATS_OF_LEVEL: Mapping[ExtractLevel, frozenset[ExtractSeat]] = {
    ExtractLevel.METADATA: frozenset({ExtractSeat.RULE}),
    ExtractLevel.SYNTHETIC: frozenset({ExtractSeat.RULE}),
    ExtractLevel.SAMPLED: frozenset({ExtractSeat.PROVIDER}),
    ExtractLevel.FULL: frozenset({ExtractSeat.PROVIDER, ExtractSeat.COMPLIANCE}),
}
"""Who must approve a rung, all of them. Source: DOMAIN.md §3.3, steps 3 to 5."""


class ExtractStatus(StrEnum):
    """A job that ends with an extract or with the reason why there is none.

    That an extract has expired is no status: it follows from its last day and the time of asking.
    """

    BUILDING = "building"
    ISSUED = "issued"
    REFUSED = "refused"
    REVOKED = "revoked"
    DESTROYED = "destroyed"


EXTRACT_MOVES: dict[ExtractStatus, frozenset[ExtractStatus]] = {
    ExtractStatus.BUILDING: frozenset({ExtractStatus.ISSUED, ExtractStatus.REFUSED}),
    ExtractStatus.ISSUED: frozenset({ExtractStatus.REVOKED, ExtractStatus.DESTROYED}),
    ExtractStatus.REFUSED: frozenset(),
    ExtractStatus.REVOKED: frozenset({ExtractStatus.DESTROYED}),
    ExtractStatus.DESTROYED: frozenset(),
}


class Standing(StrEnum):
    """How far one rung of one table has come."""

    NOT_ALLOWED = "not_allowed"
    OPEN = "open"
    WAITING = "waiting"
    GRANTED = "granted"
    BUILDING = "building"
    FAILED = "failed"
    REFUSED = "refused"
    IN_USE = "in_use"
    REVOKED = "revoked"
    EXPIRED = "expired"


class ExtractRequest(Base):
    """An application for one rung of one table (数据申请). `digest` covers what is decided on; written once."""

    __tablename__ = "extract_request"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    level: Mapped[ExtractLevel]
    purpose: Mapped[str] = mapped_column(Text)
    status: Mapped[ExtractRequestStatus]
    source_digest: Mapped[str]
    policy_digest: Mapped[str]
    digest: Mapped[str]
    requested_by: Mapped[str]
    """A person's id, or `system`: the platform asks for rungs that hold no row of a person by itself."""
    requested_org: Mapped[str]
    requested_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    decisions: Mapped[list[ExtractDecision]] = relationship(
        lazy="selectin", cascade="all", order_by="ExtractDecision.id"
    )


class ExtractDecision(Base):
    """One seat's decision on one digest, with a written reason. Inserted, never changed."""

    __tablename__ = "extract_decision"
    __table_args__ = (UniqueConstraint("request_id", "seat"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("extract_request.id"))
    seat: Mapped[ExtractSeat]
    person_id: Mapped[str]
    """`system` where the licence itself decides."""
    org_id: Mapped[str]
    decision: Mapped[ExtractDecisionKind]
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    decided_at: Mapped[datetime]


class Extract(Base):
    """One build of one rung of one table under one licence. `folder` is relative to the extracts folder."""

    __tablename__ = "extract"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("extract_request.id"))
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    level: Mapped[ExtractLevel]
    status: Mapped[ExtractStatus]
    source_digest: Mapped[str]
    policy_digest: Mapped[str]
    """Of the policy in the licence; the domains of its pseudonyms are the licence's joins, see the manifest."""
    digest: Mapped[str] = mapped_column(default="")
    rows: Mapped[int] = mapped_column(default=0)
    k: Mapped[int] = mapped_column(default=0)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    refusal_code: Mapped[str] = mapped_column(default="")
    refusal_zh: Mapped[str] = mapped_column(Text, default="")
    refusal_en: Mapped[str] = mapped_column(Text, default="")
    folder: Mapped[str] = mapped_column(default="")
    built_by: Mapped[str]
    """A person's id, or `system` for rungs that the platform builds by itself."""
    requested_at: Mapped[datetime]
    """When the build began."""
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """The end of the licence as it was when the build began; not mounted afterwards."""
    revoked_by: Mapped[str | None]
    revoked_reason: Mapped[str] = mapped_column(Text, default="")
