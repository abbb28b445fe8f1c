"""Sealed runs (密封运行): a frozen notebook, its review, and how its one run ended. Written once but for the status."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.licensing.model import ProductForm


class RunStatus(StrEnum):
    """Where a sealed run stands. One that ended is never run again; the analyst asks for a new one."""

    IN_REVIEW = "in_review"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    RUNNING = "running"
    SUBMITTED = "submitted"
    FAILED = "failed"


RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.IN_REVIEW: frozenset({RunStatus.REFUSED, RunStatus.WITHDRAWN, RunStatus.APPROVED}),
    RunStatus.REFUSED: frozenset(),
    RunStatus.WITHDRAWN: frozenset(),
    RunStatus.APPROVED: frozenset({RunStatus.RUNNING, RunStatus.WITHDRAWN}),
    RunStatus.RUNNING: frozenset({RunStatus.SUBMITTED, RunStatus.FAILED}),
    RunStatus.SUBMITTED: frozenset(),
    RunStatus.FAILED: frozenset(),
}


class RunOutcome(StrEnum):
    """Why a run yielded nothing. All that its analyst learns besides a cell's number and a class from a fixed list."""

    CELL = "cell"
    TIMED_OUT = "timed_out"
    OVERFULL = "overfull"
    ENDED = "ended"
    NO_OUTPUT = "no_output"
    UNEXPECTED_OUTPUT = "unexpected_output"
    NOT_FROZEN = "not_frozen"
    LICENCE = "licence"
    INTERRUPTED = "interrupted"
    NOT_STARTED = "not_started"


class RunDecisionKind(StrEnum):
    """The decision of the code review."""

    APPROVE = "approve"
    REFUSE = "refuse"


class RunOrder(Base):
    """One notebook that asks to be run on the full extract. `digest` covers it, its purpose and expected outputs."""

    __tablename__ = "run_order"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    author_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    title: Mapped[str]
    purpose: Mapped[str] = mapped_column(Text)
    product_form: Mapped[ProductForm]
    outputs: Mapped[list[str]] = mapped_column(JSON)
    """Names of the files that the notebook puts into the outbox; any other ends the run without outputs."""
    notebook_name: Mapped[str]
    notebook_sha256: Mapped[str]
    notebook_cells: Mapped[int]
    digest: Mapped[str]
    status: Mapped[RunStatus]
    requested_at: Mapped[datetime]
    extract_ids: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The full extracts it ran on; empty before it began."""
    environment_digest: Mapped[str] = mapped_column(default="")
    started_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    minutes: Mapped[int] = mapped_column(default=0)
    """How long it ran, rounded up."""
    outcome: Mapped[RunOutcome | None]
    failed_cell: Mapped[int] = mapped_column(default=0)
    failed_class: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str | None] = mapped_column(ForeignKey("export_request.id"))

    decisions: Mapped[list[RunDecision]] = relationship(lazy="selectin", cascade="all", order_by="RunDecision.id")


class RunDecision(Base):
    """One reviewer's decision on one digest, with a written reason. Inserted, never changed."""

    __tablename__ = "run_decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("run_order.id"), unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    decision: Mapped[RunDecisionKind]
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    decided_at: Mapped[datetime]
