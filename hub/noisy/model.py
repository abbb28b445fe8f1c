"""Privacy budgets and the answers paid for out of them. Amounts are decimal texts; no row here holds a figure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class AnswerStatus(StrEnum):
    """How an answer ended. Its price is spent before it is computed, and comes back only where no noise was drawn."""

    COMPUTING = "computing"
    ANSWERED = "answered"
    REFUSED = "refused"
    LOST = "lost"
    DESTROYED = "destroyed"


ANSWER_MOVES: dict[AnswerStatus, frozenset[AnswerStatus]] = {
    AnswerStatus.COMPUTING: frozenset({AnswerStatus.ANSWERED, AnswerStatus.REFUSED, AnswerStatus.LOST}),
    AnswerStatus.ANSWERED: frozenset({AnswerStatus.DESTROYED}),
    AnswerStatus.REFUSED: frozenset(),
    AnswerStatus.LOST: frozenset(),
    AnswerStatus.DESTROYED: frozenset(),
}


class PrivacyBudget(Base):
    """One grant on one table under one licence. Grants add up; inserted, never changed."""

    __tablename__ = "privacy_budget"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    composition: Mapped[str]
    unit: Mapped[str]
    """The column that tells people apart; empty: each row is one."""
    amount: Mapped[str]
    delta: Mapped[str]
    document_ref: Mapped[str]
    granted_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    granted_at: Mapped[datetime]


class NoisyAnswer(Base):
    """One request and what came of it. The figures lie in a file; the digest is what binds them."""

    __tablename__ = "noisy_answer"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    table_id: Mapped[str] = mapped_column(ForeignKey("catalog_table.id"))
    request: Mapped[str] = mapped_column(Text)
    request_digest: Mapped[str]
    source_digest: Mapped[str]
    amount: Mapped[str]
    delta: Mapped[str]
    status: Mapped[AnswerStatus]
    digests: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """SHA-256 of each result's file, by the query's name."""
    refusal_code: Mapped[str] = mapped_column(default="")
    refusal_zh: Mapped[str] = mapped_column(Text, default="")
    refusal_en: Mapped[str] = mapped_column(Text, default="")
    asked_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
