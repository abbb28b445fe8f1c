"""A department table as the catalog knows it: metadata and columns, never rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base


class ShareType(StrEnum):
    """Sharing between departments (the Measures, Art. 15)."""

    UNCONDITIONAL = "SHARE_UNCONDITIONAL"
    AUTHORIZED = "SHARE_AUTHORIZED"
    NONE = "SHARE_NONE"


class OpenType(StrEnum):
    """Opening to the public (the Measures, Art. 17)."""

    UNCONDITIONAL = "OPEN_UNCONDITIONAL"
    CONDITIONAL = "OPEN_CONDITIONAL"
    NONE = "OPEN_NONE"


class Origin(StrEnum):
    """How the department came by the data (DOMAIN.md §5.1; the Measures, Art. 14 and 18)."""

    COLLECTED = "collected"
    SHARED_IN = "shared_in"
    NEGOTIATED = "negotiated"
    PURCHASED = "purchased"


class UpdateCycle(StrEnum):
    """How often the department renews the table (DOMAIN.md §5.1)."""

    REALTIME = "realtime"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"
    IRREGULAR = "irregular"
    ONCE = "once"


class ColumnClass(StrEnum):
    """What a column can do to a person (GB/T 37964—2019)."""

    DIRECT_ID = "direct_id"
    QUASI_ID = "quasi_id"
    SENSITIVE_ATTR = "sensitive_attr"
    FREE_TEXT = "free_text"
    NON_SENSITIVE = "non_sensitive"


class Grade(StrEnum):
    """Data grade, the project's tiers (DOMAIN.md §6.2): L1 public to L4 highly sensitive."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class TableStatus(StrEnum):
    """Draft until the bureau publishes it."""

    DRAFT = "draft"
    PUBLISHED = "published"


TABLE_MOVES: dict[TableStatus, frozenset[TableStatus]] = {
    TableStatus.DRAFT: frozenset({TableStatus.PUBLISHED}),
    TableStatus.PUBLISHED: frozenset(),
}


class CatalogTable(Base):
    """One catalog entry (数据目录) with the file behind it."""

    __tablename__ = "catalog_table"

    id: Mapped[str] = mapped_column(primary_key=True)
    title_zh: Mapped[str]
    title_en: Mapped[str]
    description: Mapped[str]
    owner_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    origin: Mapped[Origin]
    provider_org: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"))
    share_type: Mapped[ShareType]
    share_basis: Mapped[str]
    open_type: Mapped[OpenType]
    open_basis: Mapped[str]
    update_cycle: Mapped[UpdateCycle]
    grade: Mapped[Grade]
    state_secret: Mapped[bool] = mapped_column(default=False)
    """Known to hold state secrets. It is not registered; if found out later, it is used nowhere, for good."""
    raw_digest: Mapped[str] = mapped_column(ForeignKey("raw_file.digest"))
    status: Mapped[TableStatus]
    registered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    registered_at: Mapped[datetime]
    published_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    published_at: Mapped[datetime | None]

    columns: Mapped[list[CatalogColumn]] = relationship(
        order_by="CatalogColumn.position", lazy="selectin", cascade="all, delete-orphan"
    )


class CatalogColumn(Base):
    """One data item (数据项)."""

    __tablename__ = "catalog_column"

    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_zh: Mapped[str]
    column_class: Mapped[ColumnClass]
    grade: Mapped[Grade]
