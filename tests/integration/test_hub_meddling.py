"""Someone with write access to the state folder, or to the clock: what they change is noticed before it is built on."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from hub.clock import unsafe_shifted_clock
from hub.context import Hub, open_hub
from hub.db import Base
from hub.errors import ChecksFailed, HubError, InvalidState, NotAllowed
from hub.gate.actions import cast_vote
from hub.gate.model import Decision, ExportRequest, RequestStatus
from hub.ledger import tree
from hub.ledger.actions import read_entries, verify
from hub.ledger.checkpoint import open_note
from hub.ledger.model import LedgerEntry, LedgerHead
from hub.licensing.actions import suspend_licence
from hub.people.actor import SYSTEM
from hub.products.actions import deliver_release, redeem_grant
from hub.recovery import verify_everything
from hub.seals import changed_rows
from hub.settings import Settings
from tests import factories
from tests.factories import Watch, actor

either = pytest.mark.usefixtures("either_database")

REASON = "逐格看过,每格八十人。"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


def suspend(hub: Hub) -> None:
    suspend_licence(hub, actor(hub, "bureau-officer"), licence_id="l-0001", reason="安全检查")


def vote(hub: Hub, person: str, request: ExportRequest) -> ExportRequest:
    return cast_vote(
        hub,
        actor(hub, person),
        request_id=request.id,
        digest=request.digest,
        decision=Decision.APPROVE,
        reason=REASON,
    )


def approved(hub: Hub) -> ExportRequest:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    return vote(hub, "centre-reviewer", request)


def deliver(hub: Hub, request: ExportRequest) -> None:
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")


def holds(hub: Hub) -> bool:
    with hub.reading() as session:
        return verify(session, public=hub.ledger_key.public_key().public_bytes_raw()).holds


def size(hub: Hub) -> int:
    with hub.reading() as session:
        return session.get_one(LedgerHead, 1).size


def edit(hub: Hub, *statements: Any) -> None:
    """What an administrator does with the database open in an editor."""
    with hub.database.writing() as session:
        for statement in statements:
            session.execute(text(statement) if isinstance(statement, str) else statement)


def change(hub: Hub, *statements: Any) -> None:
    """What one does who has the key of the seals as well."""
    edit(hub, *statements)
    factories.seal_anew(hub)


def refused(kind: type[HubError], code: str, act: Callable[[], object]) -> None:
    with pytest.raises(kind) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


@either
def test_rewritten_history_is_never_signed_by_the_next_event(hub: Hub) -> None:
    with hub.database.writing() as session:
        entry = session.get_one(LedgerEntry, 3)
        entry.body = entry.body.replace('"actor":"', '"actor":"x')
        entry.leaf = tree.leaf_hash(entry.body.encode())
        session.flush()
        frontier = tree.Frontier()
        for one in reversed(read_entries(session, limit=10_000)):
            frontier = frontier.append(one.leaf)
        session.get_one(LedgerHead, 1).frontier = " ".join(node.hex() for node in frontier.nodes)
    before = size(hub)
    refused(ChecksFailed, "head.invalid", lambda: suspend(hub))
    assert size(hub) == before
    assert not holds(hub)


@either
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET size = 999",
        "UPDATE ledger_head SET note = ''",
        "UPDATE ledger_head SET note = x'00'",
        "UPDATE ledger_head SET frontier = 'zz'",
        "UPDATE ledger_head SET frontier = ''",
    ],
)
def test_nothing_is_written_after_a_head_that_was_meddled_with(hub: Hub, statement: str) -> None:
    change(hub, statement)
    refused(ChecksFailed, "head.invalid", lambda: suspend(hub))


def test_database_put_back_while_the_site_runs_is_noticed_by_the_next_step(hub: Hub, tmp_path: Path) -> None:
    hub.database.engine.dispose()
    shutil.copy2(hub.settings.state_dir / "zhakou.sqlite", tmp_path / "yesterday")
    suspend(hub)
    hub.database.engine.dispose()
    for leftover in hub.settings.state_dir.glob("zhakou.sqlite-*"):
        leftover.unlink()
    shutil.copy2(tmp_path / "yesterday", hub.settings.state_dir / "zhakou.sqlite")
    kept = hub.checkpoint_file.read_bytes()
    refused(ChecksFailed, "entry.missing", lambda: suspend(hub))
    assert hub.checkpoint_file.read_bytes() == kept


@either
def test_checkpoint_beside_the_database_cannot_be_exchanged(hub: Hub) -> None:
    hub.checkpoint_file.write_text("nonsense", encoding="utf-8")
    refused(ChecksFailed, "checkpoint.invalid", lambda: suspend(hub))


@either
def test_checkpoint_never_goes_back_and_no_thread_stumbles_over_another(hub: Hub) -> None:
    failed: list[Exception] = []

    def act() -> None:
        for _ in range(10):
            try:
                suspend(hub)
            except NotAllowed:
                pass  # suspended already: the refusal is an event all the same
            except Exception as error:  # noqa: BLE001  # a thread can tell only through the list
                failed.append(error)

    threads = [threading.Thread(target=act) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    public = hub.ledger_key.public_key().public_bytes_raw()
    assert open_note(hub.checkpoint_file.read_text(encoding="utf-8"), public).size == size(hub)
    assert [path.name for path in hub.settings.state_dir.glob(".ledger*")] == [".ledger.checkpoint.lock"]


@either
def test_time_of_a_step_is_read_when_its_turn_has_come(hub: Hub, watch: Watch) -> None:
    waiting, seen = threading.Event(), []

    def late() -> None:
        waiting.set()
        with hub.transaction(SYSTEM, "wait") as tx:
            tx.session.get(LedgerHead, 1)
            seen.append(tx.now)

    with hub.database.writing() as session:
        session.execute(update(LedgerHead).values(id=1))
        thread = threading.Thread(target=late)
        thread.start()
        waiting.wait()
        thread.join(timeout=0.3)
        watch.move(days=31)
    thread.join()
    assert seen == [watch.now]


@either
def test_clock_set_back_revives_nothing(hub: Hub, watch: Watch) -> None:
    watch.move(days=31)
    refused(NotAllowed, "licence.expired", lambda: factories.room(hub))
    watch.move(days=-10)
    refused(InvalidState, "clock.behind", lambda: factories.room(hub))
    watch.move(days=10)
    refused(NotAllowed, "licence.expired", lambda: factories.room(hub))


@either
def test_clock_that_is_corrected_by_a_moment_stops_nothing(hub: Hub, watch: Watch) -> None:
    watch.move(minutes=-4)
    suspend(hub)


def test_shifted_clock_may_go_back_because_it_is_called_unsafe(hub: Hub, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text(str(60 * 86_400), encoding="ascii")
    state = hub.settings.state_dir
    shifted = open_hub(Settings(state_dir=state, unsafe_clock_file=str(offset)), clock=unsafe_shifted_clock(offset))
    refused(NotAllowed, "licence.expired", lambda: factories.room(shifted))
    offset.write_text(str(50 * 86_400), encoding="ascii")
    refused(NotAllowed, "licence.expired", lambda: factories.room(shifted))


SEALED = [
    "UPDATE person SET roles = '[\"release_officer\"]' WHERE id = 'centre-reviewer'",
    "UPDATE export_request SET title = 'another'",
    "UPDATE export_file SET sha256 = 'x'",
    "UPDATE vote SET decision = 'APPROVE', reason = 'another'",
    "UPDATE check_run SET verdict = 'pass', pack = 'none 0'",
    "UPDATE licence SET ends_at = '2029-01-01 00:00:00.000000'",
    "UPDATE licence_table SET columns = '[]'",
    "UPDATE licence SET status_reason = 'x', row_seal = ''",
    "UPDATE vote SET row_seal = (SELECT row_seal FROM licence)",
]


@either
@pytest.mark.parametrize("statement", SEALED)
def test_row_changed_in_the_database_stops_the_next_step_that_reads_it(hub: Hub, statement: str) -> None:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    edit(hub, statement)
    refused(ChecksFailed, "row.changed", lambda: vote(hub, "centre-reviewer", request))
    verdict = verify_everything(hub)
    assert not verdict.holds
    assert (verdict.code, str(verdict.text).count(statement.split()[1])) == ("row.changed", 1)


@either
def test_untouched_rows_of_a_whole_walk_hold(hub: Hub) -> None:
    request = approved(hub)
    deliver(hub, request)
    redeem_grant(hub, actor(hub, "ky-admin"), request_id=request.id)
    suspend(hub)
    with open_hub(hub.settings, clock=hub.clock).reading() as session:
        assert list(changed_rows(session)) == []
        kinds = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.is_sealed]
        assert sum(session.scalar(select(func.count()).select_from(kind)) > 0 for kind in kinds) > 15


@either
def test_votes_put_into_the_database_by_hand_release_nothing(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    change(
        hub,
        "INSERT INTO vote (request_id, person_id, org_id, seat, decision, reason, digest, cast_at)"
        " SELECT request_id, 'centre-reviewer', 'centre', 'COMPLIANCE', decision, reason, digest, cast_at FROM vote",
        "UPDATE export_request SET status = 'APPROVED'",
    )
    refused(ChecksFailed, "release.evidence", lambda: deliver(hub, request))


@either
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE check_run SET verdict = 'pass', pack = 'none 0'",
        "UPDATE export_request SET author_org = 'audit'",
        'UPDATE export_request SET provider_orgs = \'["mz", "tj"]\'',
        "UPDATE vote SET org_id = 'bureau' WHERE person_id = 'centre-reviewer'",
        "UPDATE licence SET ends_at = '2029-01-01 00:00:00.000000'",
        "UPDATE licence SET reviewers_required = 3",
        "UPDATE licence SET operator_org = 'pushu'",
    ],
)
def test_record_changed_by_hand_releases_nothing(hub: Hub, statement: str) -> None:
    request = approved(hub)
    change(hub, statement)
    with pytest.raises(HubError):
        deliver(hub, request)
    assert holds(hub)


@either
def test_objection_taken_out_by_hand_releases_nothing(hub: Hub) -> None:
    request = factories.submitted(hub, factories.room(hub))
    vote(hub, "mz-reviewer", request)
    cast_vote(
        hub,
        actor(hub, "centre-reviewer"),
        request_id=request.id,
        digest=request.digest,
        decision=Decision.OBJECT,
        reason=REASON,
    )
    change(hub, "UPDATE vote SET decision = 'APPROVE'", "UPDATE export_request SET status = 'APPROVED'")
    refused(ChecksFailed, "release.evidence", lambda: deliver(hub, request))


@either
def test_suspension_undone_by_hand_releases_nothing(hub: Hub) -> None:
    request = approved(hub)
    suspend(hub)
    change(hub, "UPDATE licence SET status = 'ACTIVE'")
    refused(ChecksFailed, "release.evidence", lambda: deliver(hub, request))


@either
def test_release_is_refused_while_the_ledger_does_not_hold(hub: Hub) -> None:
    request = approved(hub)
    change(hub, 'UPDATE ledger_entry SET body = replace(body, \'"actor":"\', \'"actor":"x\') WHERE seq = 5')
    refused(ChecksFailed, "entry.changed", lambda: deliver(hub, request))


@either
def test_bundle_exchanged_in_the_store_is_not_handed_out(hub: Hub) -> None:
    request = approved(hub)
    deliver(hub, request)
    bundle = hub.folders.releases / request.id / "bundle.zip"
    genuine = bundle.read_bytes()
    bundle.write_bytes(b"PK other bytes")
    admin = actor(hub, "ky-admin")
    refused(ChecksFailed, "bundle.changed", lambda: redeem_grant(hub, admin, request_id=request.id))
    elsewhere = hub.settings.state_dir / "elsewhere.zip"
    elsewhere.write_bytes(genuine)
    bundle.unlink()
    bundle.symlink_to(elsewhere)
    refused(ChecksFailed, "bundle.changed", lambda: redeem_grant(hub, admin, request_id=request.id))
    bundle.unlink()
    assert redeem_grant(hub, admin, request_id=request.id).read_bytes() != b""


@either
def test_bundle_of_another_release_is_not_handed_out(hub: Hub) -> None:
    one, other = approved(hub), approved(hub)
    deliver(hub, one)
    deliver(hub, other)
    folders = hub.folders.releases
    shutil.copy2(folders / one.id / "bundle.zip", folders / other.id / "bundle.zip")
    admin = actor(hub, "ky-admin")
    refused(ChecksFailed, "bundle.changed", lambda: redeem_grant(hub, admin, request_id=other.id))


@either
def test_bundle_is_never_made_of_other_bytes_than_were_reviewed(hub: Hub) -> None:
    request = approved(hub)
    deliver(hub, request)
    (hub.folders.releases / request.id / "bundle.zip").unlink()
    frozen = hub.folders.frozen / request.files[0].sha256[:2] / request.files[0].sha256
    frozen.chmod(0o600)
    frozen.write_bytes(b"street,n\nS0,1\n")
    admin = actor(hub, "ky-admin")
    refused(ChecksFailed, "file.changed", lambda: redeem_grant(hub, admin, request_id=request.id))
    assert not (hub.folders.releases / request.id / "bundle.zip").exists()


@either
def test_extract_of_another_source_or_policy_than_is_licensed_now_is_not_mounted(hub: Hub) -> None:
    from hub.workspaces.actions import mount_extracts

    room = factories.room(hub)
    analyst = actor(hub, "ky-analyst")
    for statement in (
        "UPDATE extract SET policy_digest = 'other'",
        "UPDATE extract SET policy_digest = (SELECT policy_digest FROM licence_table), source_digest = 'other'",
    ):
        change(hub, statement)
        refused(ChecksFailed, "extract.stale", lambda: mount_extracts(hub, analyst, workspace_id=room.workspace_id))


def test_nothing_in_the_state_can_be_written_or_read_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        hub = factories.working(tmp_path / "state")
        request = approved(hub)
        deliver(hub, request)
        made = open_hub(Settings(state_dir=tmp_path / "fresh"), clock=Watch())
        with made.transaction(SYSTEM, "x"):
            pass
    finally:
        os.umask(before)
    loose = []
    for top in (tmp_path / "state", tmp_path / "fresh"):
        open_folders = {top, top / "workspaces"}
        for path in top.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            sheltered = any(
                not stat.S_IMODE(parent.stat().st_mode) & 0o077 for parent in path.parents if parent.is_relative_to(top)
            )
            if path not in open_folders and not sheltered and mode & 0o077:
                loose.append(f"{path.relative_to(top)} {mode:o}")
    assert [one for one in loose if not one.startswith("workspaces/")] == []


def test_folders_found_open_to_others_are_closed(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "raw").mkdir(parents=True)
    (state / "raw").chmod(0o755)
    (state / "keys").mkdir()
    (state / "keys").chmod(0o755)
    (state / "zhakou.sqlite").touch(0o644)
    open_hub(Settings(state_dir=state), clock=Watch())
    assert {oct(stat.S_IMODE((state / name).stat().st_mode)) for name in ("raw", "keys")} == {"0o700"}
    assert stat.S_IMODE((state / "zhakou.sqlite").stat().st_mode) == 0o600


@either
def test_status_and_event_of_the_last_step_agree(hub: Hub) -> None:
    request = approved(hub)
    with hub.reading() as session:
        newest = json.loads(read_entries(session, limit=1)[0].body)
    assert (request.status, newest["kind"]) == (RequestStatus.APPROVED, "export.approved")
