"""Organisations, people, and who answers for the data of a department."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.people.actor import Actor, OrgKind, Post, Role


class Organisation(Base):
    """A body that takes part in the walk."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[OrgKind]
    uscc: Mapped[str] = mapped_column(default="")


class Person(Base):
    """Someone with an account. The id is the sign-in name."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    org_id: Mapped[str] = mapped_column(ForeignKey("organisation.id"))
    roles: Mapped[list[str]] = mapped_column(JSON)
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    trained_until: Mapped[datetime | None]
    """Until when the person counts as trained; None: never was."""
    confidentiality_until: Mapped[datetime | None]
    """Until when the promise of confidentiality holds; None: never given."""
    created_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship(lazy="selectin")

    @property
    def actor(self) -> Actor:
        """The person as rules see them."""
        return Actor(
            person_id=self.id,
            org_id=self.org_id,
            org_kind=self.organisation.kind,
            roles=frozenset(Role(role) for role in self.roles),
        )


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
