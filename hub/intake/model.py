"""Files that departments handed in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class RawFile(Base):
    """One file in the raw zone, named by its digest. `proposal` is what the column scan said of each column."""

    __tablename__ = "raw_file"

    digest: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    suffix: Mapped[str]
    size: Mapped[int]
    rows: Mapped[int]
    columns: Mapped[list[str]] = mapped_column(JSON)
    proposal: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    received_at: Mapped[datetime]
