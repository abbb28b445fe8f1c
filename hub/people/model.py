"""Organisations, people, how they sign in, and who answers for the data of a department."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.people.actor import Actor, OrgKind, Post, Role


class OrganisationStatus(StrEnum):
    """Whether a body takes part."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    MERGED = "merged"
    DISSOLVED = "dissolved"


ORGANISATION_MOVES: Mapping[OrganisationStatus, frozenset[OrganisationStatus]] = {
    OrganisationStatus.PROPOSED: frozenset({OrganisationStatus.ACTIVE, OrganisationStatus.DISSOLVED}),
    OrganisationStatus.ACTIVE: frozenset({OrganisationStatus.MERGED, OrganisationStatus.DISSOLVED}),
    OrganisationStatus.MERGED: frozenset(),
    OrganisationStatus.DISSOLVED: frozenset(),
}
"""Moves of an organisation. Source: DOMAIN.md §1.1, Art. 2."""


class Organisation(Base):
    """A body that takes part in the walk."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[OrgKind]
    uscc: Mapped[str] = mapped_column(default="")
    status: Mapped[OrganisationStatus] = mapped_column(default=OrganisationStatus.ACTIVE)
    attached_to: Mapped[str] = mapped_column(default="")
    """Of a developer: the operator it works for. Their interests count as one."""
    merged_into: Mapped[str] = mapped_column(default="")
    entity_check: Mapped[str] = mapped_column(default="")
    """Number of the record of the check that the body is what it says (DOMAIN.md §3.3, step 0)."""
    confidentiality_ref: Mapped[str] = mapped_column(default="")
    """Number of its confidentiality agreement."""


class PersonStatus(StrEnum):
    """Whether an account can be used."""

    PROPOSED = "proposed"
    ACTIVE = "active"
    CLOSED = "closed"


PERSON_MOVES: Mapping[PersonStatus, frozenset[PersonStatus]] = {
    PersonStatus.PROPOSED: frozenset({PersonStatus.ACTIVE, PersonStatus.CLOSED}),
    PersonStatus.ACTIVE: frozenset({PersonStatus.CLOSED}),
    PersonStatus.CLOSED: frozenset(),
}
"""Moves of an account. A closed one stays closed: whoever returns gets a new id, so no id ever meant two people."""


class Person(Base):
    """Someone with an account. The id is the sign-in name."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    roles: Mapped[list[str]] = mapped_column(JSON)
    status: Mapped[PersonStatus] = mapped_column(default=PersonStatus.ACTIVE)
    interests: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Organisations in which the person has declared an interest: an employer of an expert, an own share."""
    access_until: Mapped[datetime | None]
    """When access ends by itself; None: it does not. A third-party assessor always has such a day."""
    trained_until: Mapped[datetime | None]
    """Until when the person counts as trained; None: never was."""
    confidentiality_until: Mapped[datetime | None]
    """Until when the promise of confidentiality holds; None: never given."""
    signed_out_at: Mapped[datetime | None]
    """The last time everything of this person was signed out; what was opened until then is over."""
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(lazy="selectin")

    @property
    def active(self) -> bool:
        """Whether account and organisation are in use."""
        return self.status is PersonStatus.ACTIVE and self.organisation.status is OrganisationStatus.ACTIVE

    def has_access(self, at: datetime) -> bool:
        """Whether the person may come in at that time."""
        return self.active and (self.access_until is None or at < self.access_until)

    @property
    def actor(self) -> Actor:
        """The person as rules see them."""
        return Actor(
            person_id=self.id,
            org_id=self.org_id,
            org_kind=self.organisation.kind,
            roles=frozenset(Role(role) for role in self.roles),
            attached_to=self.organisation.attached_to,
            interests=frozenset(self.interests),
        )


class Credential(Base):
    """What a person proves themselves with. Apart from `Person`, so that nothing that shows people ever holds it."""

    __tablename__ = "credential"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    password_hash: Mapped[str]
    first_until: Mapped[datetime | None]
    """Set while the password is a first one, which opens enrolment alone, until then; None: it is the person's."""
    sealed_secret: Mapped[str] = mapped_column(default="")
    """The secret of the one-time codes (`hub.people.sealed`); empty until enrolled."""
    last_step: Mapped[int] = mapped_column(default=-1)
    """The last accepted step: neither it nor an earlier one is accepted again."""
    wrong_codes: Mapped[int] = mapped_column(default=0)
    """Wrong codes after the right password, since the last sign-in."""

    def __repr__(self) -> str:
        return f"Credential({self.person_id!r})"


class SignInState(StrEnum):
    """How far a person's sign-in is set up."""

    NONE = "none"
    HANDED_OVER = "handed_over"
    RUN_OUT = "run_out"
    ENROLLED = "enrolled"
    LOCKED = "locked"


class RecoveryCode(Base):
    """A code that stands in for the authenticator once. Only its digest is kept: it has 80 random bits."""

    __tablename__ = "recovery_code"

    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    used_at: Mapped[datetime | None]


class Factor(StrEnum):
    """What stood beside the password, or instead of it."""

    TOTP = "totp"
    RECOVERY = "recovery"
    OIDC = "oidc"


class SignedIn(Base):
    """One browser in which a person signed in. The id is the digest of the session's id, which browsers hold."""

    __tablename__ = "signed_in"

    id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    factor: Mapped[Factor]
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ChangeKind(StrEnum):
    """What is to be changed about an account."""

    OPEN = "open"
    ROLES = "roles"
    RESET = "reset"


class ChangeStatus(StrEnum):
    """Where a change of an account stands that takes two officers."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


CHANGE_MOVES: Mapping[ChangeStatus, frozenset[ChangeStatus]] = {
    ChangeStatus.PROPOSED: frozenset({ChangeStatus.CONFIRMED, ChangeStatus.DECLINED}),
    ChangeStatus.CONFIRMED: frozenset(),
    ChangeStatus.DECLINED: frozenset(),
}
"""Moves of a change; only another officer than the one who proposed it confirms."""


class AccountChange(Base):
    """A change of an account that one officer of the bureau proposed and another has to confirm."""

    __tablename__ = "account_change"

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[ChangeKind]
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    roles_before: Mapped[list[str]] = mapped_column(JSON)
    roles_after: Mapped[list[str]] = mapped_column(JSON)
    status: Mapped[ChangeStatus] = mapped_column(default=ChangeStatus.PROPOSED)
    proposed_by: Mapped[str]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class Appointment(Base):
    """A person who answers for a department's data from one time to another, by a letter.

    In force while `starts_at` <= time < the earlier of `ends_at` and `ended_at`; a successor or the bureau sets
    `ended_at`. Nothing else of it ever changes.
    """

    __tablename__ = "appointment"

    id: Mapped[str] = mapped_column(primary_key=True)
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    post: Mapped[Post]
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    letter_ref: Mapped[str]
    letter_digest: Mapped[str] = mapped_column(default="")
    appointed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    appointed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
