"""The database: one declarative base, one way to open it, one way to write.

Writers take turns, whichever database it is: a writing transaction begins by taking the turn, first among the threads
of this process, then among all processes; waits for each no longer than `WAIT_SECONDS`; and holds it until it ends. So
a history of concurrent steps is the history of the same steps one after the other. Readers never wait and see one
moment.

SQLite: write-ahead log, `synchronous=FULL`, `BEGIN IMMEDIATE`; a decision that was acknowledged is on the disk.
PostgreSQL: an advisory lock of the transaction is the turn; then READ COMMITTED, so that everything read after the
turn has come is what the one before left behind (docs/adr/0003-turns-in-the-database.md). Readers: REPEATABLE READ,
read-only.
"""

from __future__ import annotations

import hashlib
import os
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import URL, BigInteger, DateTime, Engine, Enum, Integer, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from hub.errors import InvalidInput, InvalidState, Refusal, Unavailable
from hub.faults import BUSY, ENCODING, OUTCOME_UNKNOWN, SIGNS, in_words, went_away, why_not_connected
from hub.message import msg

KEY = "row_key"
VERIFYING = "verifying"
"""What a session knows of seals: the key, and whether each row it loads is verified."""
WAIT_SECONDS: Final = 15
"""How long a step waits for its turn, or for a connection, before it is refused as `database.busy`."""
STATEMENT_SECONDS: Final = 60
IDLE_SECONDS: Final = 180
"""How long a transaction may do nothing in the database: a mount hashes gigabytes between two statements."""
CONNECTIONS: Final = 30
"""At most, of one process. Hub, portal and a command stay below PostgreSQL's default of 100."""
_TURN: Final = 0x7A68616B6F75
"""Key of the advisory lock; advisory locks are kept per database."""


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

    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it from the class
        datetime: Instant(),
        int: BigInteger().with_variant(Integer(), "sqlite"),  # bytes are counted; SQLite's integers are 64 bits wide
        StrEnum: Enum(StrEnum, native_enum=False, length=64),  # the same text in both databases
    }
    is_sealed: ClassVar[bool] = True
    """Whether its rows carry a seal (`hub.seals`)."""

    row_seal: Mapped[str] = mapped_column(default="", server_default="", sort_order=999)


class SchemaMark(Base):
    """One row: the shape of the tables when they were made."""

    __tablename__ = "schema_mark"
    is_sealed = False

    id: Mapped[int] = mapped_column(primary_key=True)
    shape: Mapped[str]


_OTHER_VERSION = Refusal(
    rule="state.version",
    subject="state_dir",
    text=msg("The database was made by another version of this program."),
    next_step=msg("Serve it with that version, or set another state_dir and database_url; nothing was changed."),
)


def _shape() -> str:
    """Digest of all tables with their columns and types, in one order."""
    lines = [
        f"{table.name}.{column.name} {column.type!r} {column.nullable}"
        for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name)
        for column in table.columns
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def open_engine(url: str, state_dir: Path, *, unsafe_tls: bool = False) -> Engine:
    """An engine on `url`, or on `<state_dir>/zhakou.sqlite` (mode 0600) when it is empty.

    Args:
        unsafe_tls: Let a server on another machine be reached without verifying who it is.

    Raises:
        InvalidInput: The address cannot be read, names a database that is not supported, or an unverified server.
    """
    if not url:
        path = state_dir / "zhakou.sqlite"
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o600)  # it may have been there, open to others; SQLite gives its log the same rights
        os.close(descriptor)
        url = f"sqlite:///{path}"
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, NoSuchModuleError, ValueError):
        backend = ""
    match backend:
        case "sqlite":
            engine = _sqlite(address)
        case "postgresql":
            engine = _postgresql(address, unsafe_tls=unsafe_tls)
        case _:
            raise InvalidInput(_ADDRESS)
    event.listen(engine, "before_cursor_execute", _refuse_nul)
    return engine


_ADDRESS = Refusal(
    rule="settings.invalid",
    subject="database_url",
    text=msg("The database_url is not the address of a PostgreSQL or SQLite database."),
    next_step=msg(
        "Write postgresql://user:password@host/database, with special signs percent-encoded, or leave it empty."
    ),
)
_UNVERIFIED = Refusal(
    rule="database.unverified",
    subject="database_url",
    text=msg("The database is on another machine, and its server would not be verified on the way there."),
    next_step=msg(
        "Add sslmode=verify-full (and sslrootcert=FILE) to database_url; on a network that you trust, set "
        "unsafe_database_tls=true."
    ),
)


def _sqlite(address: URL) -> Engine:
    engine = create_engine(
        address,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
    )

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


def _postgresql(address: URL, *, unsafe_tls: bool) -> Engine:
    address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(
        address,
        connect_args=connect_parameters(address, unsafe_tls=unsafe_tls),
        pool_size=CONNECTIONS // 3,
        max_overflow=CONNECTIONS - CONNECTIONS // 3,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # a server that was restarted is found again
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _take_turn(connection: Any) -> None:
        if connection.get_execution_options().get("writing", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_TURN})")

    return engine


def connect_parameters(address: URL, *, unsafe_tls: bool) -> Mapping[str, str | int]:
    """What every connection to PostgreSQL is made with, beside what the address says.

    Raises:
        InvalidInput: The server is on another machine and would not be verified.
    """
    asked = dict(address.query)
    settings = {
        "timezone": "UTC",
        "synchronous_commit": "on",  # acknowledged is on the disk, whatever the server's default
        "lock_timeout": f"{WAIT_SECONDS}s",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
    }
    options = [str(asked.get("options", "")), *(f"-c {name}={value}" for name, value in settings.items())]
    found: dict[str, str | int] = {
        "application_name": "zhakou",
        "client_encoding": "utf8",
        "connect_timeout": 5,
        "keepalives_idle": 30,
        "tcp_user_timeout": 30_000,
        "options": " ".join(options).strip(),
    }
    if unsafe_tls or all(_is_here(host) for host in _hosts(address)):
        return found
    if asked.setdefault("sslmode", "verify-full") != "verify-full":
        raise InvalidInput(_UNVERIFIED)
    found["sslmode"] = "verify-full"
    if "sslrootcert" not in asked and (known := ssl.get_default_verify_paths().cafile):
        found["sslrootcert"] = known
    return found


def _hosts(address: URL) -> list[str]:
    named = [address.host or ""]
    for key in ("host", "hostaddr"):
        given = address.query.get(key, ())
        named += [part for one in ([given] if isinstance(given, str) else given) for part in one.split(",")]
    named = [host for host in named if host] or [os.environ.get("PGHOSTADDR") or os.environ.get("PGHOST") or ""]
    return named


def _is_here(host: str) -> bool:
    """A unix socket or loopback: nobody stands between."""
    return host.startswith(("/", "@", "127.")) or host in ("", "localhost", "::1")


def _refuse_nul(_connection: Any, _cursor: Any, _statement: Any, given: Any, _context: Any, many: bool) -> None:
    """PostgreSQL's text cannot hold the sign of code 0; both databases refuse it alike, in what is kept or looked up.

    Raises:
        InvalidInput: A value holds it.
    """
    for row in given if many else (given,):
        for value in row.values() if isinstance(row, dict) else row or ():
            if isinstance(value, str) and "\0" in value:
                raise InvalidInput(SIGNS)


class Database:
    """Reading and writing sessions on one engine.

    Args:
        key: Seals and verifies rows; without one nothing but the ledger can be written for a hub.
    """

    def __init__(self, engine: Engine, *, key: bytes | None = None) -> None:
        self.engine = engine
        postgresql = engine.dialect.name == "postgresql"
        of_reader = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True} if postgresql else {}
        of_writer = {"isolation_level": "READ COMMITTED"} if postgresql else {}
        self._writer = engine.execution_options(writing=True, **of_writer)
        self._read = sessionmaker(engine.execution_options(**of_reader), expire_on_commit=False, info={KEY: key})
        self._write = sessionmaker(self._writer, expire_on_commit=False, info={KEY: key, VERIFYING: True})
        self._turn = threading.Lock()

    def require_usable(self) -> None:
        """Connect once, and say in words why that fails.

        Raises:
            Unavailable: It is not reached, lets the hub not in, or does not keep UTF8.
        """
        with in_words():
            try:
                with self.engine.connect() as connection:
                    if self.engine.dialect.name != "postgresql":
                        return
                    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
            except OperationalError:
                if self.engine.dialect.name != "postgresql":
                    raise
                _, parameters = self.engine.dialect.create_connect_args(self.engine.url)
                raise Unavailable(why_not_connected(parameters)) from None
        if encoding != "UTF8":
            raise Unavailable(ENCODING)

    def create_tables(self) -> None:
        """Make all tables in an empty database; know a database that this version made.

        Raises:
            InvalidState: Another version made it. There are no migrations yet, and a guess could lose evidence.
            Unavailable: It cannot be used; why, in words.
        """
        self.require_usable()
        # One writing transaction, so that two processes that open an empty state end with one set of tables.
        with in_words(), self._writer.begin() as connection:
            if not (tables := inspect(connection).get_table_names()):
                Base.metadata.create_all(connection)
                connection.execute(insert(SchemaMark).values(id=1, shape=_shape()))
            elif SchemaMark.__tablename__ not in tables or connection.scalar(select(SchemaMark.shape)) != _shape():
                raise InvalidState(_OTHER_VERSION)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view; nothing that is changed in it is kept.

        Raises:
            Unavailable: The database does not answer.
        """
        with in_words(), self._read() as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would empty the objects that the reader goes on using
                session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """All or nothing: commits at the end, rolls back on any exception.

        Raises:
            Unavailable: The turn did not come in time, or the database does not answer. Nothing was changed, except
                that nobody can know it if the connection broke during the commit; the refusal says which.
        """
        with in_words(), self._first_of_this_process(), self._write() as session:
            yield session
            session.flush()
            try:
                session.commit()
            except DBAPIError as error:
                if went_away(error):
                    raise Unavailable(OUTCOME_UNKNOWN) from None
                raise

    @contextmanager
    def _first_of_this_process(self) -> Iterator[None]:
        """Wait without a connection: were all of them held by those who wait, whoever has the turn could not read."""
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise Unavailable(BUSY)
        try:
            yield
        finally:
            self._turn.release()
