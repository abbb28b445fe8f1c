"""What the database says when it can't, turned into refusals once, at the edge: no driver's error reaches a person.

Decided on error codes (SQLSTATE, SQLite's result codes) and on probing, never on message text. What an error names
(host, user, address, password) is not repeated. An error that is not listed is a bug and crashes.

Rules here: `database.busy`, `database.unreachable`, `database.sign_in`, `database.missing`, `database.rights`,
`database.read_only`, `database.full`, `database.damaged`, `database.encoding`, `database.outcome_unknown`,
`words.signs`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hub.errors import InvalidInput, Refusal, Unavailable
from hub.message import Message, msg


def _refusal(rule: str, text: Message, next_step: Message) -> Refusal:
    return Refusal(rule=rule, subject="database", text=text, next_step=next_step)


_TELL = msg("Wait a minute and try again; if it lasts, tell the operator of this site.")

BUSY: Final = _refusal(
    "database.busy",
    msg("Too many steps are being taken at this moment; yours did not get its turn, and nothing was changed."),
    msg("Try again in a moment."),
)
UNREACHABLE: Final = _refusal("database.unreachable", msg("The database does not answer; nothing was changed."), _TELL)
OUTCOME_UNKNOWN: Final = _refusal(
    "database.outcome_unknown",
    msg("The database went away while the step was being written: it was kept whole, or not at all."),
    msg("Look whether it happened before you repeat it."),
)
SIGN_IN: Final = _refusal(
    "database.sign_in",
    msg("The database runs but does not let the hub in with this user and password."),
    msg("Mend the user and the password in database_url, or let this user in on the server (pg_hba.conf)."),
)
MISSING: Final = _refusal(
    "database.missing",
    msg("The database server has no database of the name in database_url, or does not let this user into it."),
    msg("Create it with encoding UTF8 and the hub's user as its owner, or mend the name in database_url."),
)
RIGHTS: Final = _refusal(
    "database.rights",
    msg("The hub's user may not do this in its database; nothing was changed."),
    msg("Make the user in database_url the owner of the database and of all its tables."),
)
READ_ONLY: Final = _refusal(
    "database.read_only",
    msg("The database can only be read: a standby server, a setting, or a file without write permission."),
    msg("Point database_url at the primary server, or let the hub write; nothing was changed."),
)
FULL: Final = _refusal(
    "database.full",
    msg("The disk of the database is full; nothing was changed."),
    msg("Free space on it, then try again."),
)
DAMAGED: Final = _refusal(
    "database.damaged",
    msg("The file of the database is damaged or is no database."),
    msg("Stop the service, keep the state as it is, and restore the last backup."),
)
ENCODING: Final = _refusal(
    "database.encoding",
    msg("The database does not keep its text as UTF8, so Chinese could be lost in it."),
    msg("Create a database with encoding UTF8 and name it in database_url."),
)
SIGNS: Final = Refusal(
    rule="words.signs",
    subject="",
    text=msg("A text holds control characters or signs that hide or reorder text."),
    next_step=msg("Type the text anew instead of pasting it."),
)

# PostgreSQL documentation, appendix A: error codes.
_BY_SQLSTATE: Final[Mapping[str, Refusal]] = {
    "55P03": BUSY,  # lock_not_available: the turn did not come within lock_timeout
    "57014": BUSY,  # query_canceled: statement_timeout
    "40001": BUSY,
    "40P01": BUSY,
    "25P03": BUSY,  # idle_in_transaction_session_timeout
    "53300": BUSY,  # too_many_connections
    "57P01": UNREACHABLE,  # admin_shutdown
    "57P02": UNREACHABLE,
    "57P03": UNREACHABLE,  # cannot_connect_now: it is starting
    "42501": RIGHTS,
    "25006": READ_ONLY,
    "53100": FULL,
    "53200": UNREACHABLE,  # out_of_memory
}
# https://www.sqlite.org/rescode.html; the low byte of an extended code is the primary one.
_BY_RESULT: Final[Mapping[int, Refusal]] = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: UNREACHABLE,
    sqlite3.SQLITE_IOERR: UNREACHABLE,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what the database can't do into a refusal.

    Raises:
        Unavailable: It does not answer, or not in time.
        InvalidInput: What holds half a character (a lone surrogate) can be neither stored nor looked up.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidInput(SIGNS) from error
    except PoolTimeout as error:
        raise Unavailable(BUSY) from error
    except DBAPIError as error:
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        # The driver's words name hosts and users: kept out of every log, and so is the chain that carries them.
        raise Unavailable(refusal) from None


def went_away(error: DBAPIError) -> bool:
    """Whether the connection ended under the statement, so that nobody can know how far it came."""
    return error.connection_invalidated or _refusal_of(error) is UNREACHABLE


def _refusal_of(error: DBAPIError) -> Refusal | None:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _BY_RESULT.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
    if not isinstance(cause, psycopg.Error):
        return None
    if cause.sqlstate is not None:
        return UNREACHABLE if cause.sqlstate.startswith("08") else _BY_SQLSTATE.get(cause.sqlstate)
    return UNREACHABLE if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) else None


def why_not_connected(parameters: Mapping[str, Any]) -> Refusal:
    """Why a connection with these parameters fails. libpq gives no code for that, so it is found out by asking.

    Source: PostgreSQL documentation, PQping: it needs neither a right user nor a right database.
    """
    known = {name: value for name, value in parameters.items() if name != "context"}  # not libpq's
    text = make_conninfo(**{**known, "connect_timeout": 5})
    if PGconn.ping(text.encode()) != Ping.OK:
        return UNREACHABLE
    for neighbour in ("postgres", "template1"):
        try:
            with psycopg.connect(text, dbname=neighbour):
                return MISSING
        except psycopg.OperationalError:
            continue
    return SIGN_IN
