"""Organisations and people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hub.db import Base
from hub.people.actor import Actor, OrgKind, Role


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
