"""Scenarios and licences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Text, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.catalog.model import CatalogTable
from hub.db import Base
from hub.sharing.model import ProviderConsent


class Lane(StrEnum):
    """Public governance and public interest, or industry (价格通知 §3)."""

    PUBLIC = "LANE_PUBLIC"
    INDUSTRY = "LANE_INDUSTRY"


class GrantSource(StrEnum):
    """Where the power to license comes from (DOMAIN.md §0 item 2); never assumed."""

    CITY_OVERALL = "city_overall"
    DISTRICT_EXCEPTION = "district_exception"
    PILOT = "pilot"


class LicenceMode(StrEnum):
    """How the data are licensed (实施规范 第九条; DOMAIN.md §4, 81)."""

    OVERALL = "MODE_OVERALL"
    DOMAIN = "MODE_DOMAIN"
    SCENARIO = "MODE_SCENARIO"


class ProductForm(StrEnum):
    """Form of the product that leaves (DOMAIN.md §4, 86). A row-level data set is no product form."""

    INDEX = "INDEX"
    REPORT = "REPORT"
    MODEL = "MODEL"


class PlatformClass(StrEnum):
    """The environment that is agreed on (实施规范 第十五条)."""

    ISOLATED = "isolated"
    SEALED = "sealed"


class OutsideData(StrEnum):
    """Whether data from elsewhere may be brought into a workspace."""

    FORBIDDEN = "forbidden"
    OPEN_ONLY = "open_only"
    DECLARED = "declared"


class SuspensionTrigger(StrEnum):
    """What the parties agree suspends the licence."""

    SECURITY_INCIDENT = "security_incident"
    OUT_OF_SCOPE = "out_of_scope"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    REPORT_OVERDUE = "report_overdue"
    AUTHORITY_ORDER = "authority_order"
    SECURITY_OFFICER = "security_officer"


class SigningSide(StrEnum):
    """The two parties that sign."""

    IMPLEMENTING_BODY = "implementing_body"
    OPERATOR = "operator"


class PersonnelKind(StrEnum):
    """What a change of the personnel list does."""

    ADD = "add"
    REMOVE = "remove"


class PersonnelStatus(StrEnum):
    """Where a change of the personnel list stands. Taking somebody off is in force at once."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    DECLINED = "declined"


PERSONNEL_MOVES: dict[PersonnelStatus, frozenset[PersonnelStatus]] = {
    PersonnelStatus.PROPOSED: frozenset({PersonnelStatus.IN_FORCE, PersonnelStatus.DECLINED}),
    PersonnelStatus.IN_FORCE: frozenset(),
    PersonnelStatus.DECLINED: frozenset(),
}
"""Moves of a change of the personnel list; the bureau decides what the operator proposes."""


class ScenarioStatus(StrEnum):
    """A scenario is filed, then approved or refused; a refused one is filed anew."""

    FILED = "filed"
    APPROVED = "approved"
    REFUSED = "refused"


SCENARIO_MOVES: dict[ScenarioStatus, frozenset[ScenarioStatus]] = {
    ScenarioStatus.FILED: frozenset({ScenarioStatus.APPROVED, ScenarioStatus.REFUSED}),
    ScenarioStatus.APPROVED: frozenset(),
    ScenarioStatus.REFUSED: frozenset(),
}


class OpinionBody(StrEnum):
    """Who must have been heard before a scenario is approved (上海市数据条例 第四十五条; DOMAIN.md §3.3, step 1)."""

    BUREAU = "bureau"
    CYBERSPACE = "cyberspace"
    EXPERTS = "experts"


class Stance(StrEnum):
    """How an opinion ends."""

    SUPPORT = "support"
    OPPOSE = "oppose"


class LicenceStatus(StrEnum):
    """How far a licence has come. Expiring and expired are no statuses: they follow from the end date and the time of
    asking (DOMAIN.md §5.2)."""

    DRAFTING = "drafting"
    DELIBERATING = "deliberating"
    SIGNED = "signed"
    FILED = "filed"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    EXITED = "exited"


LICENCE_MOVES: dict[LicenceStatus, frozenset[LicenceStatus]] = {
    LicenceStatus.DRAFTING: frozenset({LicenceStatus.DELIBERATING, LicenceStatus.TERMINATED}),
    LicenceStatus.DELIBERATING: frozenset({LicenceStatus.DRAFTING, LicenceStatus.SIGNED, LicenceStatus.TERMINATED}),
    LicenceStatus.SIGNED: frozenset({LicenceStatus.DRAFTING, LicenceStatus.FILED, LicenceStatus.TERMINATED}),
    LicenceStatus.FILED: frozenset({LicenceStatus.DRAFTING, LicenceStatus.ACTIVE, LicenceStatus.TERMINATED}),
    LicenceStatus.ACTIVE: frozenset({LicenceStatus.SUSPENDED, LicenceStatus.TERMINATED, LicenceStatus.EXITED}),
    LicenceStatus.SUSPENDED: frozenset({LicenceStatus.ACTIVE, LicenceStatus.TERMINATED, LicenceStatus.EXITED}),
    LicenceStatus.TERMINATED: frozenset({LicenceStatus.EXITED}),
    LicenceStatus.EXITED: frozenset(),
}


class ExtractLevel(StrEnum):
    """The rungs of the ladder of extracts, from the least to the most (DOMAIN.md §1.3, M15)."""

    METADATA = "metadata"
    SYNTHETIC = "synthetic"
    SAMPLED = "sampled"
    FULL = "full"


class Scenario(Base):
    """One application of data to one purpose (一场景一申请)."""

    __tablename__ = "scenario"

    id: Mapped[str] = mapped_column(primary_key=True)
    operator_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    purpose: Mapped[str] = mapped_column(Text)
    lane: Mapped[Lane]
    table_ids: Mapped[list[str]] = mapped_column(JSON)
    status: Mapped[ScenarioStatus]
    filed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    filed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(Text, default="")

    opinions: Mapped[list[ScenarioOpinion]] = relationship(lazy="selectin", order_by="ScenarioOpinion.body")


class ScenarioOpinion(Base):
    """What one body says of a scenario: given once, by a person of that body, and never changed."""

    __tablename__ = "scenario_opinion"

    scenario_id: Mapped[str] = mapped_column(ForeignKey("scenario.id"), primary_key=True)
    body: Mapped[OpinionBody] = mapped_column(primary_key=True)
    stance: Mapped[Stance]
    compliance: Mapped[str] = mapped_column(Text)
    security: Mapped[str] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    given_at: Mapped[datetime]
    digest: Mapped[str]


class Licence(Base):
    """What one operator may do, with which columns, for what purpose, until when (授权运营协议).

    Its terms stand in the agreement (`LicenceVersion.contract`); the columns here are compiled from its newest version.
    """

    __tablename__ = "licence"

    id: Mapped[str] = mapped_column(primary_key=True)
    scenario_id: Mapped[str] = mapped_column(ForeignKey("scenario.id"))
    operator_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    implementing_body: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    purpose: Mapped[str] = mapped_column(Text)
    lane: Mapped[Lane]
    mode: Mapped[LicenceMode]
    grant_source: Mapped[GrantSource]
    document_ref: Mapped[str]
    renews: Mapped[str | None] = mapped_column(ForeignKey("licence.id"))
    developers: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Organisations attached to the operator whose people work under this licence."""
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reviewers_required: Mapped[int]
    joins: Mapped[list[list[str]]] = mapped_column(JSON, default=list)
    """Permitted joins: pairs of `table.column`. Pseudonyms meet across these and nowhere else."""
    status: Mapped[LicenceStatus]
    status_reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int]
    contract_digest: Mapped[str]
    drafted_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    drafted_at: Mapped[datetime]
    filing_no: Mapped[str] = mapped_column(default="")
    filed_on: Mapped[date | None]
    granted_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    granted_at: Mapped[datetime | None]

    tables: Mapped[list[LicenceTable]] = relationship(
        lazy="selectin", cascade="all, delete-orphan", order_by="LicenceTable.table_id"
    )
    versions: Mapped[list[LicenceVersion]] = relationship(
        lazy="selectin", cascade="all", order_by="LicenceVersion.version"
    )
    personnel_changes: Mapped[list[PersonnelChange]] = relationship(
        lazy="selectin", order_by=lambda: (func.length(PersonnelChange.id), PersonnelChange.id)
    )
    consents: Mapped[list[ProviderConsent]] = relationship(
        primaryjoin="Licence.scenario_id == foreign(ProviderConsent.scenario_id)", viewonly=True, lazy="selectin"
    )

    @property
    def current(self) -> LicenceVersion:
        """The newest version of the agreement: what is decided, signed and in force."""
        return self.versions[-1]


class LicenceVersion(Base):
    """One version of the agreement, with the decision and the signatures given on it. Never changed, never removed."""

    __tablename__ = "licence_version"

    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    contract: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    """Why this version was written; empty for the first."""
    drafted_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    drafted_at: Mapped[datetime]

    deliberation: Mapped[LicenceDeliberation | None] = relationship(lazy="selectin", cascade="all")
    signatures: Mapped[list[LicenceSignature]] = relationship(
        lazy="selectin", cascade="all", order_by="LicenceSignature.side"
    )


class LicenceDeliberation(Base):
    """The collective decision (三重一大) on one version: who was there by post, and the digest of the minutes."""

    __tablename__ = "licence_deliberation"
    __table_args__ = (
        ForeignKeyConstraint(["licence_id", "version"], ["licence_version.licence_id", "licence_version.version"]),
    )

    licence_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    meeting: Mapped[str]
    held_on: Mapped[date]
    attendees: Mapped[list[str]] = mapped_column(JSON)
    minutes_digest: Mapped[str]
    recorded_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    recorded_at: Mapped[datetime]


class LicenceSignature(Base):
    """One side's signature on the digest of one version."""

    __tablename__ = "licence_signature"
    __table_args__ = (
        ForeignKeyConstraint(["licence_id", "version"], ["licence_version.licence_id", "licence_version.version"]),
    )

    licence_id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    side: Mapped[SigningSide] = mapped_column(primary_key=True)
    digest: Mapped[str]
    signed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    signed_at: Mapped[datetime]


class PersonnelChange(Base):
    """One change of the list of people who work under a licence (item 8), since the agreement was signed."""

    __tablename__ = "personnel_change"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[PersonnelKind]
    status: Mapped[PersonnelStatus]
    reason: Mapped[str] = mapped_column(Text)
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(Text, default="")


class LicenceTable(Base):
    """One table in a licence: the columns it covers and the policy its extract is made by."""

    __tablename__ = "licence_table"

    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"), primary_key=True)
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"), primary_key=True)
    columns: Mapped[list[str]] = mapped_column(JSON)
    policy: Mapped[str] = mapped_column(Text)
    policy_digest: Mapped[str]
    levels: Mapped[list[str]] = mapped_column(JSON, default=lambda: [level.value for level in ExtractLevel])
    """The rungs (`ExtractLevel`) that this licence allows for the table."""
    full_in_workspace: Mapped[bool] = mapped_column(default=False)
    """Whether the full rung may be mounted in a workspace; otherwise sealed runs alone use it."""

    table: Mapped[CatalogTable] = relationship(viewonly=True, lazy="joined")
