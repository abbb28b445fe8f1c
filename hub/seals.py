"""A seal on every row: what was written past the hub is noticed by the next step that reads it.

Whoever can write the database can change a vote, an opinion, a consent, a term of a licence, a role. Each row carries
an HMAC over all its columns under a key that lies outside the database. A writing transaction verifies each row it
loads; `changed_rows` verifies all. Rows of the ledger have signatures of their own, counters decide nothing.

What a seal does not show: a row that was deleted, and one put back as it once was with its seal of that time. Where
that would let something leave, the release holds the rows against the ledger besides (`hub.gate.evidence`).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, event, inspect, select
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import set_committed_value

from hub.db import KEY, VERIFYING, Base
from hub.errors import ChecksFailed, Refusal
from hub.message import msg

_SEAL = "row_seal"


def changed_rows(session: Session) -> Iterator[str]:
    """`table id` of every row whose seal does not hold, table by table."""
    for mapper in sorted(Base.registry.mappers, key=lambda one: one.class_.__tablename__):
        if mapper.class_.is_sealed:
            for row in session.scalars(select(mapper.class_)).unique():
                if not _holds(session, row):
                    yield _name(row)


def _holds(session: Session, row: Base) -> bool:
    key = session.info.get(KEY)
    return key is None or hmac.compare_digest(row.row_seal.encode(), _seal(row, key).encode())


def _seal(row: Base, key: bytes) -> str:
    mapper: Mapper[Any] = inspect(type(row))
    values = {attr.key: _plain(getattr(row, attr.key)) for attr in mapper.column_attrs if attr.key != _SEAL}
    said = json.dumps([row.__tablename__, values], sort_keys=True, separators=(",", ":"))
    return hmac.new(key, said.encode(), "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """The value as it comes back from any database."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.replace(microsecond=0).timestamp()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case _:
            return value


def _name(row: Base) -> str:
    return f"{row.__tablename__} {' '.join(str(part) for part in inspect(row).identity or ('-',))}"


@event.listens_for(Base, "before_insert", propagate=True)
def _seal_new(mapper: Mapper[Any], _connection: Connection, row: Base) -> None:
    for attr in mapper.column_attrs:  # what the database layer would fill in only now
        default = attr.columns[0].default
        if attr.key not in inspect(row).dict and default is not None and not default.is_sequence:
            setattr(row, attr.key, default.arg(None) if default.is_callable else default.arg)
    _seal_changed(mapper, _connection, row)


@event.listens_for(Base, "before_update", propagate=True)
def _seal_changed(_mapper: Mapper[Any], _connection: Connection, row: Base) -> None:
    session = inspect(row).session
    key = session.info.get(KEY) if session else None
    if row.is_sealed and key is not None:
        row.row_seal = _seal(row, key)


@event.listens_for(Base, "after_insert", propagate=True)
def _seal_numbered(mapper: Mapper[Any], connection: Connection, row: Base) -> None:
    """A row that the database numbers has its number only now."""
    session = inspect(row).session
    key = session.info.get(KEY) if session else None
    table = Base.metadata.tables[row.__tablename__]
    numbered = table.autoincrement_column
    if not row.is_sealed or key is None or numbered is None:
        return
    seal = _seal(row, key)
    number = getattr(row, mapper.get_property_by_column(numbered).key)
    connection.execute(table.update().where(numbered == number).values({_SEAL: seal}))
    set_committed_value(row, _SEAL, seal)


@event.listens_for(Base, "load", propagate=True)
def _verify_loaded(row: Base, context: Any) -> None:
    if context is None:
        return  # `Session.merge` makes a row that was in no database yet
    session = context.session
    if session.info.get(VERIFYING) and row.is_sealed and not _holds(session, row):
        raise ChecksFailed(
            Refusal(
                rule="row.changed",
                subject="-",
                text=msg("A record in the database ({record}) is not as the platform wrote it.", record=_name(row)),
                next_step=msg("Nothing is decided on it. Tell the auditor; keep the state as it is."),
                basis="DOMAIN §0.7, 上海市数据条例 第七十八条",
            )
        )


@event.listens_for(Base, "refresh", propagate=True)
def _verify_again(row: Base, context: Any, _names: Any) -> None:
    _verify_loaded(row, context)
