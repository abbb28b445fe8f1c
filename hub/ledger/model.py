"""What the ledger keeps: the entries, and the head of the tree over them."""

from __future__ import annotations

from sqlalchemy import LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub.db import Base


class LedgerEntry(Base):
    """One event. `seq` counts from 0 without gaps; `note` is the signed checkpoint of the tree that ends with it."""

    __tablename__ = "ledger_entry"
    is_sealed = False

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    leaf: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)


class LedgerHead(Base):
    """The one row that every append reads and moves on: size and right edge of the tree."""

    __tablename__ = "ledger_head"
    is_sealed = False

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    frontier: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
