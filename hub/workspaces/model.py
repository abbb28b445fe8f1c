"""Workspaces: one a person and licence, opened and closed many times."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base
from hub.licensing.model import ExtractLevel


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
    openings: Mapped[int] = mapped_column(default=0)
    """How often it was opened."""
    chosen: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """The highest rung that the analyst wants under a table's name, by table; none: the best there is."""


class WorkspaceMount(Base):
    """An extract that lay in a workspace during one of its openings. Inserted, never changed."""

    __tablename__ = "workspace_mount"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"), primary_key=True)
    opening: Mapped[int] = mapped_column(primary_key=True)
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"), primary_key=True)
    extract_id: Mapped[str] = mapped_column(ForeignKey("extract.id"))
    level: Mapped[ExtractLevel]
    mounted_at: Mapped[datetime]
