"""Closed licences and the certificates of what was destroyed with them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class ClosingStatus(StrEnum):
    """How far a closing is. Begun means that nothing of the licence can be mounted or submitted any more."""

    BEGUN = "begun"
    SEALED = "sealed"


CLOSING_MOVES: dict[ClosingStatus, frozenset[ClosingStatus]] = {
    ClosingStatus.BEGUN: frozenset({ClosingStatus.SEALED}),
    ClosingStatus.SEALED: frozenset(),
}


class DestroyedKind(StrEnum):
    """What is destroyed when a licence is closed."""

    EXTRACT = "extract"
    ANSWER = "answer"
    WORKSPACE = "workspace"
    KEY = "key"
    PACKAGE = "package"
    RUN = "run"


class LicenceClosing(Base):
    """The closing of one licence. `items` says what was there when it began: kind, id, files, bytes, digest."""

    __tablename__ = "licence_closing"

    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"), primary_key=True)
    status: Mapped[ClosingStatus]
    reason: Mapped[str] = mapped_column(Text)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    ended: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What ended with the licence: grants revoked, registrations cancelled, until when use was metered."""
    begun_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]


class DestructionCertificate(Base):
    """The signed statement of what was destroyed. `digest` is the SHA-256 of `envelope`, and stands in the ledger."""

    __tablename__ = "destruction_certificate"

    licence_id: Mapped[str] = mapped_column(ForeignKey("licence_closing.licence_id"), primary_key=True)
    envelope: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    issued_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    issued_at: Mapped[datetime]
    entry: Mapped[int]
