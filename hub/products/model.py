"""Releases and the grants to fetch them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class Release(Base):
    """A delivered request. `entry` is the ledger entry of the delivery; the bundle proves that entry."""

    __tablename__ = "release"

    request_id: Mapped[str] = mapped_column(ForeignKey("export_request.id"), primary_key=True)
    digest: Mapped[str]
    delivered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    delivered_at: Mapped[datetime]
    entry: Mapped[int]


class DownloadGrant(Base):
    """One named person may fetch one bundle once, until it expires."""

    __tablename__ = "download_grant"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("release.request_id"))
    recipient_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime]
    redeemed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
