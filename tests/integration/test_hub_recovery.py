"""A start finishes what a crash left undone, and refuses to serve on a ledger that does not hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text, update

from hub.context import Hub, open_hub
from hub.errors import ChecksFailed, InvalidState
from hub.extracts.actions import find_extract, start_extract
from hub.extracts.model import ExtractStatus
from hub.ledger.actions import read_entries
from hub.ledger.model import LedgerEntry
from hub.recovery import start_site
from hub.settings import Settings
from tests import factories

either = pytest.mark.usefixtures("either_database")


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return factories.district(tmp_path / "state")


def test_start_is_an_event_that_names_what_is_unsafe(tmp_path: Path) -> None:
    hub = open_hub(Settings(state_dir=tmp_path / "state", unsafe_clock_file=str(tmp_path / "offset")))
    start_site(hub, weaknesses=["root"])
    with hub.reading() as session:
        event = json.loads(read_entries(session, limit=1)[0].body)
    assert event["kind"] == "site.started"
    assert event["details"] == {"unsafe": "unsafe_clock_file", "weaker": "root"}


@either
def test_extract_whose_worker_died_is_refused_and_can_be_built_again(hub: Hub) -> None:
    licence = factories.licensed(hub)
    builder = factories.actor(hub, "centre-operator")
    job = factories.begun(hub, licence.id)
    half = hub.folders.extracts / job.id
    half.mkdir()
    (half / "extract.parquet").write_bytes(b"half")
    start_site(hub)
    found = find_extract(hub, builder, job.id)
    assert (found.status, found.refusal_code) == (ExtractStatus.REFUSED, "extract.interrupted")
    assert not half.exists()
    assert start_extract(hub, builder, request_id=job.request_id).id != job.id


@either
def test_changed_ledger_is_not_served_on(hub: Hub) -> None:
    with hub.database.writing() as session:
        session.execute(update(LedgerEntry).where(LedgerEntry.seq == 3).values(kind="vote.cast"))
    with pytest.raises(ChecksFailed) as caught:
        start_site(hub)
    assert "entry 3" in str(caught.value)


def test_database_of_yesterday_is_not_served_on(hub: Hub, tmp_path: Path) -> None:
    database = tmp_path / "state" / "zhakou.sqlite"
    hub.database.engine.dispose()
    yesterday = database.read_bytes()
    licence = factories.licensed(hub)
    assert licence.id == "l-0001"
    hub.database.engine.dispose()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    database.write_bytes(yesterday)
    again = open_hub(Settings(state_dir=tmp_path / "state"), clock=factories.Watch())
    with pytest.raises(ChecksFailed, match="cut"):
        start_site(again)


def test_emptied_database_beside_a_kept_checkpoint_is_not_served_on(hub: Hub, tmp_path: Path) -> None:
    hub.database.engine.dispose()
    for path in (tmp_path / "state").glob("zhakou.sqlite*"):
        path.unlink()
    with pytest.raises(ChecksFailed):
        start_site(open_hub(Settings(state_dir=tmp_path / "state")))


@pytest.mark.parametrize("meddle", ["UPDATE schema_mark SET shape = 'older'", "DROP TABLE schema_mark"])
def test_state_of_another_version_is_refused_in_words_and_left_alone(hub: Hub, meddle: str) -> None:
    with hub.database.writing() as session:
        session.execute(text(meddle))
    hub.database.engine.dispose()
    file = hub.settings.state_dir / "zhakou.sqlite"
    before = file.stat().st_size
    with pytest.raises(InvalidState) as caught:
        open_hub(Settings(state_dir=hub.settings.state_dir))
    assert caught.value.code == "state.version"
    assert file.stat().st_size == before
