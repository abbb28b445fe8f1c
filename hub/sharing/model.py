"""The consent of a providing department: one a table and scenario, so one a purpose."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class ConsentStatus(StrEnum):
    """What the providing department last said. A refusal or withdrawal stands: a new scenario asks anew."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


CONSENT_MOVES: dict[ConsentStatus, frozenset[ConsentStatus]] = {
    ConsentStatus.REQUESTED: frozenset({ConsentStatus.GIVEN, ConsentStatus.REFUSED}),
    ConsentStatus.GIVEN: frozenset({ConsentStatus.WITHDRAWN}),
    ConsentStatus.REFUSED: frozenset(),
    ConsentStatus.WITHDRAWN: frozenset(),
}


class ProviderConsent(Base):
    """Asked of the department that shared a table, for one scenario and its purpose."""

    __tablename__ = "provider_consent"
    __table_args__ = (UniqueConstraint("table_id", "scenario_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    provider_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    scenario_id: Mapped[str] = mapped_column(ForeignKey("scenario.id"))
    operator_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    purpose: Mapped[str] = mapped_column(Text)
    status: Mapped[ConsentStatus]
    requested_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
