"""Export requests (出域申请): frozen files, machine checks, votes. All but the status is written once."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.licensing.model import Lane, ProductForm


class RequestStatus(StrEnum):
    """Where a request stands (DOMAIN.md §3.3). Refused, withdrawn and released requests are never reopened."""

    CHECKING = "checking"
    MACHINE_REFUSED = "machine_refused"
    IN_REVIEW = "in_review"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    RELEASED = "released"
    EXPIRED = "expired"


REQUEST_MOVES: dict[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.CHECKING: frozenset(
        {RequestStatus.MACHINE_REFUSED, RequestStatus.IN_REVIEW, RequestStatus.WITHDRAWN}
    ),
    RequestStatus.MACHINE_REFUSED: frozenset(),
    RequestStatus.IN_REVIEW: frozenset({RequestStatus.REFUSED, RequestStatus.APPROVED, RequestStatus.WITHDRAWN}),
    RequestStatus.REFUSED: frozenset(),
    RequestStatus.WITHDRAWN: frozenset(),
    RequestStatus.APPROVED: frozenset({RequestStatus.RELEASED, RequestStatus.WITHDRAWN, RequestStatus.EXPIRED}),
    RequestStatus.RELEASED: frozenset(),
    RequestStatus.EXPIRED: frozenset(),
}


class Decision(StrEnum):
    """A vote. One objection is enough to refuse."""

    APPROVE = "approve"
    OBJECT = "object"


class Seat(StrEnum):
    """From which side a vote is cast (两把钥匙: the data's department and the platform's compliance)."""

    PROVIDER = "provider_reviewer"
    COMPLIANCE = "compliance_reviewer"
    SECURITY = "security_reviewer"


class EvidencePart(StrEnum):
    """What of a request is held against the ledger before bytes leave (`hub.gate.evidence`)."""

    SUBMISSION = "submission"
    CHECK = "check"
    VOTES = "votes"
    LICENCE = "licence"


class ExportRequest(Base):
    """One package that asks to leave. `digest` covers its files, title, purpose, form, lane and licence."""

    __tablename__ = "export_request"

    id: Mapped[str] = mapped_column(primary_key=True)
    licence_id: Mapped[str] = mapped_column(ForeignKey("licence.id"))
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspace.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    author_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    operator_org: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    """That of the licence: the author's organisation, or the one for which it develops."""
    title: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    product_form: Mapped[ProductForm]
    lane: Mapped[Lane]
    status: Mapped[RequestStatus]
    digest: Mapped[str]
    extract_ids: Mapped[list[str]] = mapped_column(JSON)
    provider_orgs: Mapped[list[str]] = mapped_column(JSON)
    made_up: Mapped[bool] = mapped_column(default=False)
    """Marked by its author as made on rows that are nobody's: its figures are no facts."""
    made_up_tables: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Tables under whose name such rows lay in the workspace at some time."""
    run_id: Mapped[str] = mapped_column(default="")
    """The sealed run whose outputs these are; empty for a submission from a workspace."""
    provenance: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    """Of a sealed run: digests of notebook, environment and extracts. Written once."""
    prechecked_by: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Who reviewed the code of a sealed run or ran it: they do not vote on what came of it."""
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("export_request.id"))
    submitted_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    files: Mapped[list[ExportFile]] = relationship(lazy="selectin", cascade="all", order_by="ExportFile.position")
    votes: Mapped[list[Vote]] = relationship(lazy="selectin", cascade="all", order_by="Vote.id")
    check: Mapped[CheckRun | None] = relationship(lazy="selectin", cascade="all")


class ExportFile(Base):
    """One frozen file. Its bytes lie in the frozen store under `sha256`."""

    __tablename__ = "export_file"

    request_id: Mapped[str] = mapped_column(ForeignKey("export_request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]


class CheckRun(Base):
    """What the machine checks said of the frozen bytes: the whole report, bound to the digest it was made on."""

    __tablename__ = "check_run"

    request_id: Mapped[str] = mapped_column(ForeignKey("export_request.id"), primary_key=True)
    digest: Mapped[str]
    verdict: Mapped[str]
    pack: Mapped[str]
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    ran_at: Mapped[datetime]


class Vote(Base):
    """One reviewer's decision on one digest, with a written reason. Inserted, never changed."""

    __tablename__ = "vote"
    __table_args__ = (UniqueConstraint("request_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("export_request.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    seat: Mapped[Seat]
    decision: Mapped[Decision]
    reason: Mapped[str] = mapped_column(Text)
    digest: Mapped[str]
    cast_at: Mapped[datetime]


class Look(Base):
    """That a person saw the contents of a request on a day (UTC): the first time of that day."""

    __tablename__ = "export_look"

    request_id: Mapped[str] = mapped_column(ForeignKey("export_request.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
