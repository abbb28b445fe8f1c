"""Desensitized extracts (脱敏数据包): de-identified, never called anonymized."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class ExtractStatus(StrEnum):
    """A job that ends with an extract or with the reason why there is none; destroyed when its licence is closed."""

    BUILDING = "building"
    ISSUED = "issued"
    REFUSED = "refused"
    DESTROYED = "destroyed"


EXTRACT_MOVES: dict[ExtractStatus, frozenset[ExtractStatus]] = {
    ExtractStatus.BUILDING: frozenset({ExtractStatus.ISSUED, ExtractStatus.REFUSED}),
    ExtractStatus.ISSUED: frozenset({ExtractStatus.DESTROYED}),
    ExtractStatus.REFUSED: frozenset(),
    ExtractStatus.DESTROYED: frozenset(),
}


class Extract(Base):
    """One build of one table under one licence. `folder` is relative to the extracts folder."""

    __tablename__ = "extract"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    status: Mapped[ExtractStatus]
    source_digest: Mapped[str]
    policy_digest: Mapped[str]
    digest: Mapped[str] = mapped_column(default="")
    rows: Mapped[int] = mapped_column(default=0)
    k: Mapped[int] = mapped_column(default=0)
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    refusal_code: Mapped[str] = mapped_column(default="")
    refusal_zh: Mapped[str] = mapped_column(Text, default="")
    refusal_en: Mapped[str] = mapped_column(Text, default="")
    folder: Mapped[str] = mapped_column(default="")
    built_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
