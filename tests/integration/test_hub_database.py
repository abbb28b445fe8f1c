"""Both databases keep the same promises; what a PostgreSQL can't do is refused in words, never with its address."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

import hub.db
from hub.context import Hub, open_hub
from hub.errors import HubError, InvalidInput, InvalidState, Unavailable
from hub.extracts.model import Extract
from hub.ledger.actions import read_entries, verify
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.people.actions import find_person
from hub.people.actor import SYSTEM
from hub.people.model import Person
from hub.settings import Settings
from tests import factories
from tests.postgres_house import PASSWORD, Postgres, serve_postgres

either = pytest.mark.usefixtures("either_database")


def record(hub: Hub, **counters: int) -> None:
    with hub.transaction(SYSTEM, "test") as tx:
        tx.record(EventKind.SITE_STARTED, "site", "zhakou", counters=counters)


def size(hub: Hub) -> int:
    with hub.reading() as session:
        return len(read_entries(session, limit=10_000))


@pytest.fixture
def made(tmp_path: Path) -> Hub:
    return factories.district(tmp_path / "state")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.db, "WAIT_SECONDS", 1)


@either
def test_sign_of_code_0_is_refused_in_words_wherever_it_would_be_kept_or_looked_up(made: Hub) -> None:
    with pytest.raises(InvalidInput) as looked_up:
        find_person(made, "ky\0analyst")
    with pytest.raises(InvalidInput) as kept, made.database.writing() as session:
        session.get_one(Person, "ky-analyst").name_zh = "分\0析"
    assert {looked_up.value.code, kept.value.code} == {"words.signs"}


@either
def test_half_a_character_is_refused_in_words(made: Hub) -> None:
    with pytest.raises(InvalidInput, match=r"words\.signs"):
        find_person(made, "ky\ud800")


@either
def test_counts_beyond_four_bytes_are_kept(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "state")
    with hub.database.writing() as session:
        session.query(Extract).one().rows = 2**40
    with hub.reading() as session:
        assert session.query(Extract).one().rows == 2**40


@either
def test_text_comes_back_as_it_went_in(made: Hub) -> None:
    name = "𠮷野·阿依古丽 “”\n\\ %s :x '"
    with made.database.writing() as session:
        session.get_one(Person, "ky-analyst").name_zh = name
    assert find_person(made, "ky-analyst").name_zh == name


@either
def test_a_reader_changes_nothing(made: Hub) -> None:
    with suppress(Unavailable), made.reading() as session:  # PostgreSQL refuses it outright
        session.get_one(Person, "ky-analyst").name_en = "changed"
        session.flush()
    assert find_person(made, "ky-analyst").name_en != "changed"


@either
def test_a_reader_sees_one_moment_while_others_write(made: Hub) -> None:
    ends = threading.Event()

    def write() -> None:
        while not ends.is_set():
            record(made)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(40):
            with made.reading() as session:
                before = len(read_entries(session, limit=10_000))
                verdict = verify(session, public=made.ledger_key.public_key().public_bytes_raw())
                assert (verdict.holds, verdict.size) == (True, before), verdict.text
    finally:
        ends.set()
        writer.join()


@either
@pytest.mark.usefixtures("impatient")
def test_whoever_does_not_get_a_turn_in_time_is_told_so_and_nothing_was_changed(made: Hub) -> None:
    other = open_hub(made.settings, clock=factories.Watch())
    before = size(made)
    with made.database.writing() as session:
        session.get_one(Person, "ky-analyst").name_en = "changed"
        with pytest.raises(Unavailable) as caught:
            record(other)
        session.rollback()
    assert (caught.value.code, caught.value.http_status, caught.value.exit_code) == ("database.busy", 503, 22)
    assert size(made) == before
    record(other)
    assert size(made) == before + 1


@either
def test_whatever_was_read_after_the_turn_is_what_the_one_before_left_behind(made: Hub) -> None:
    before = size(made)
    hubs = [open_hub(made.settings, clock=factories.Watch()) for _ in range(3)]

    def work(hub: Hub) -> None:
        for _ in range(10):
            with hub.database.writing() as session:
                person = session.get_one(Person, "ky-analyst")
                session.refresh(person)
                person.name_en = str(int(person.name_en) + 1)

    with made.database.writing() as session:
        session.get_one(Person, "ky-analyst").name_en = "0"
    threads = [threading.Thread(target=work, args=(hub,)) for hub in hubs for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert find_person(made, "ky-analyst").name_en == "60"
    assert size(made) == before


@either
def test_two_processes_that_open_an_empty_database_end_with_one_set_of_tables(
    tmp_path: Path,
) -> None:
    settings = factories.empty(tmp_path / "state")
    code = (
        "import sys; from pathlib import Path; from hub.context import open_hub; from hub.settings import Settings;"
        "open_hub(Settings(state_dir=Path(sys.argv[1]), database_url=sys.argv[2]))"
    )
    argv = [sys.executable, "-c", code, str(settings.state_dir), settings.database_url]
    started = [subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [one.communicate(timeout=120)[1] for one in started]
    assert [one.returncode for one in started] == [0, 0, 0], said


@either
@pytest.mark.parametrize("meddle", ["UPDATE schema_mark SET shape = 'older'", "DROP TABLE schema_mark"])
def test_database_of_another_version_is_refused_in_words(made: Hub, meddle: str) -> None:
    with made.database.writing() as session:
        session.execute(text(meddle))
    with pytest.raises(InvalidState) as caught:
        open_hub(made.settings)
    assert caught.value.code == "state.version"


# -- what only a server can do -----------------------------------------------------------------------------------------

SERVERS: dict[str, Callable[[Postgres, str], str]] = {
    "database.sign_in": lambda server, name: server.address(name, password="not-" + PASSWORD),
    "database.missing": lambda server, name: server.address(name + "_x"),
    "database.unreachable": lambda server, name: server.address(name).replace("zhakou-pg-", "zhakou-pg-x"),
    "database.encoding": lambda server, name: server.address(server.new_database(encoding="SQL_ASCII")),
}


@pytest.mark.parametrize("code", sorted(SERVERS))
def test_a_database_that_cannot_be_used_is_refused_in_words_without_its_address(
    postgres: Postgres, tmp_path: Path, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = SERVERS[code](postgres, postgres.new_database())
    with pytest.raises(Unavailable) as caught:
        open_hub(Settings(state_dir=tmp_path / "state", database_url=address))
    assert caught.value.code == code
    said = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(caught.value)
    assert PASSWORD not in said
    assert str(postgres.folder) not in said


@pytest.mark.parametrize(
    ("take_away", "code"),
    [
        ("ALTER DATABASE {name} SET default_transaction_read_only = on", "database.read_only"),
        ("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC, zhakou", "database.missing"),
        ("ALTER TABLE ledger_entry OWNER TO postgres", "database.rights"),
    ],
)
def test_a_right_that_is_missing_is_named(postgres: Postgres, tmp_path: Path, take_away: str, code: str) -> None:
    name = postgres.new_database()
    settings = Settings(state_dir=tmp_path / "state", database_url=postgres.address(name))
    open_hub(settings).database.engine.dispose()
    postgres.run(take_away.format(name=name), database=name)
    with pytest.raises(Unavailable) as caught:
        record(open_hub(settings, clock=factories.Watch()))
    assert caught.value.code == code


@pytest.fixture
def own_server() -> Iterator[Postgres]:
    with serve_postgres() as server:
        yield server


def test_a_server_that_restarts_is_refused_in_words_and_found_again(own_server: Postgres, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", database_url=own_server.address(own_server.new_database()))
    hub = open_hub(settings, clock=factories.Watch())
    record(hub)
    own_server.stop()
    for act in (lambda: record(hub), lambda: size(hub)):
        with pytest.raises(Unavailable, match=r"database\.unreachable") as caught:
            act()
        assert str(own_server.folder) not in "".join(traceback.format_exception(caught.value))
    own_server.start()
    record(hub)
    own_server.stop()
    own_server.start()  # nobody noticed
    record(hub)
    assert size(hub) == 3


def break_connection(hub: Hub, postgres: Postgres, *, before: bool) -> None:
    """A step whose connection the server ends, before its event is written or after that, right before the commit."""
    with hub.transaction(SYSTEM, "test") as tx:
        if not before:
            tx.record(EventKind.SITE_STARTED, "site", "zhakou")
        postgres.run(f"SELECT pg_terminate_backend({tx.session.scalar(text('SELECT pg_backend_pid()'))})")
        if before:
            tx.record(EventKind.SITE_STARTED, "site", "zhakou")


def test_a_connection_that_breaks_in_the_commit_is_said_to_be_of_unknown_outcome(
    postgres: Postgres, tmp_path: Path
) -> None:
    hub = open_hub(
        Settings(state_dir=tmp_path / "state", database_url=postgres.address(postgres.new_database())),
        clock=factories.Watch(),
    )
    record(hub)
    with pytest.raises(Unavailable) as caught:
        break_connection(hub, postgres, before=False)
    assert caught.value.code == "database.outcome_unknown"
    assert size(hub) == 1


def test_a_connection_that_breaks_between_two_statements_changed_nothing(postgres: Postgres, tmp_path: Path) -> None:
    hub = open_hub(
        Settings(state_dir=tmp_path / "state", database_url=postgres.address(postgres.new_database())),
        clock=factories.Watch(),
    )
    with pytest.raises(Unavailable) as caught:
        break_connection(hub, postgres, before=True)
    assert caught.value.code == "database.unreachable"
    assert size(hub) == 0


def test_the_first_two_steps_of_a_new_ledger_take_turns_too(postgres: Postgres, tmp_path: Path) -> None:
    """Before the first entry there is no head that could be locked."""
    settings = Settings(state_dir=tmp_path / "state", database_url=postgres.address(postgres.new_database()))
    hub = open_hub(settings, clock=factories.Watch())
    failed: list[HubError] = []

    def first() -> None:
        try:
            record(hub)
        except HubError as error:
            failed.append(error)

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with hub.reading() as session:
        assert [entry.seq for entry in session.query(LedgerEntry).order_by(LedgerEntry.seq)] == list(range(8))


@pytest.mark.parametrize("code", ["ok", *sorted(SERVERS)])
def test_doctor_says_how_the_database_is(postgres: Postgres, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    from hub.commands import _database

    name = postgres.new_database()
    address = postgres.address(name) if code == "ok" else SERVERS[code](postgres, name)
    monkeypatch.setenv("ZHAKOU_DATABASE_URL", address)
    finding = _database()
    assert (finding.check, finding.level.value) == ("database", "ok" if code == "ok" else "missing")
    assert PASSWORD not in finding.text.en + finding.text.zh


def test_sqlite_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    state = tmp_path / "state"
    open_hub(Settings(state_dir=state)).database.engine.dispose()
    for path in state.glob("zhakou.sqlite*"):
        path.write_bytes(b"not a database" * 500)
    with pytest.raises(Unavailable) as caught:
        open_hub(Settings(state_dir=state))
    assert caught.value.code == "database.damaged"
