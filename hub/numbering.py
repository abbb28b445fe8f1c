"""Running ids: `l-0001`, `r-0042`. Taken inside the writing transaction, so no two are alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from hub.db import Base


class Counter(Base):
    """Last number given for a prefix."""

    __tablename__ = "counter"
    is_sealed = False

    prefix: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


def next_id(session: Session, prefix: str) -> str:
    """The next id with `prefix`."""
    counter = session.get(Counter, prefix, with_for_update=True)
    if counter is None:
        counter = Counter(prefix=prefix, last=0)
        session.add(counter)
    counter.last += 1
    session.flush()
    return f"{prefix}-{counter.last:04d}"


def newest_first(column: InstrumentedAttribute[str]) -> tuple[ColumnElement[Any], ...]:
    """The order of running ids, highest number first: `r-10000` before `r-9999`, which no order of texts gives."""
    return func.length(column).desc(), column.desc()
