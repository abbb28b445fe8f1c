"""The database: one declarative base, one way to open it, one way to write.

SQLite runs with a write-ahead log, `synchronous=FULL` and `BEGIN IMMEDIATE`, so that a decision that was acknowledged
is on the disk and two writers never interleave. PostgreSQL (by setting) gets the same order from a lock on the head of
the ledger, which every writing transaction takes before it reads anything (`Hub.transaction`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from hub.errors import InvalidInput, InvalidState, Refusal
from hub.message import msg


class Instant(TypeDecorator[datetime]):
    """An aware UTC time to the second. A naive time is refused rather than guessed."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Parent of every stored entity of the hub."""

    type_annotation_map = {datetime: Instant()}  # noqa: RUF012  # SQLAlchemy reads it from the class


class SchemaMark(Base):
    """One row: the shape of the tables when they were made."""

    __tablename__ = "schema_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    shape: Mapped[str]


_OTHER_VERSION = Refusal(
    rule="state.version",
    subject="state_dir",
    text=msg("The database in the state folder was made by another version of this program."),
    next_step=msg("Serve it with that version, or set another state_dir (ZHAKOU_STATE_DIR); nothing was changed."),
)


def _shape() -> str:
    """Digest of all tables with their columns and types, in one order."""
    lines = [
        f"{table.name}.{column.name} {column.type!r} {column.nullable}"
        for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name)
        for column in table.columns
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def open_engine(url: str, state_dir: Path) -> Engine:
    """An engine on `url`, or on `<state_dir>/zhakou.sqlite` (mode 0600) when it is empty."""
    if not url:
        path = state_dir / "zhakou.sqlite"
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)  # it may have been there, open to others; SQLite gives its log the same rights
        os.close(descriptor)
        url = f"sqlite:///{path}"
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy, not the driver, says BEGIN
        # What was meddled with is read all the same, so that verification can name it; no hash holds on it.
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


class Database:
    """Reading and writing sessions on one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._read = sessionmaker(engine, expire_on_commit=False)
        self._write = sessionmaker(engine.execution_options(writing=True), expire_on_commit=False)

    def create_tables(self) -> None:
        """Make all tables in an empty database; know a database that this version made.

        Raises:
            InvalidState: Another version made it. There are no migrations yet, and a guess could lose evidence.
        """
        # One writing transaction, so that two processes that open an empty state end with one set of tables.
        with self.engine.execution_options(writing=True).begin() as connection:
            if not (tables := inspect(connection).get_table_names()):
                Base.metadata.create_all(connection)
                connection.execute(insert(SchemaMark).values(id=1, shape=_shape()))
            elif SchemaMark.__tablename__ not in tables or connection.scalar(select(SchemaMark.shape)) != _shape():
                raise InvalidState(_OTHER_VERSION)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view; nothing that is changed in it is kept."""
        with _encodable(), self._read() as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would empty the objects that the reader goes on using
                session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """All or nothing: commits at the end, rolls back on any exception."""
        with _encodable(), self._write.begin() as session:
            yield session


@contextmanager
def _encodable() -> Iterator[None]:
    """What holds half a character (a lone surrogate) can be neither stored nor looked up: refused, not a crash."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput(
            Refusal(
                rule="words.signs",
                subject="",
                text=msg("A text holds control characters or signs that hide or reorder text."),
                next_step=msg("Type the text anew instead of pasting it."),
            )
        ) from error
