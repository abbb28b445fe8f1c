"""Workspaces: one a person and licence, opened and closed many times."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class WorkspaceStatus(StrEnum):
    """Whether its boxes may be running; destroyed with its folder when the licence is closed, for good."""

    OPEN = "open"
    CLOSED = "closed"
    DESTROYED = "destroyed"


class Workspace(Base):
    """One analyst's room under one licence. `number` gives its uids."""

    __tablename__ = "workspace"
    __table_args__ = (UniqueConstraint("licence_id", "person_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    status: Mapped[WorkspaceStatus]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
