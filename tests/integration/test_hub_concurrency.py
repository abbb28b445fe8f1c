"""Twenty threads and four processes at one request: whatever they do at the same moment, one legal history remains."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from hub.context import Hub, open_hub
from hub.errors import ChecksFailed, HubError
from hub.gate.actions import cast_vote, find_request, withdraw_export
from hub.gate.model import Decision, RequestStatus
from hub.ledger.actions import read_entries, verify
from hub.ledger.checkpoint import open_note
from hub.products.actions import deliver_release, grants_of, redeem_grant
from hub.settings import Settings
from tests import factories
from tests.factories import Watch, actor

THREADS, PROCESSES = 20, 4
REASON = "逐格看过,每格八十人。"
MOVES = ("vote mz-reviewer", "vote centre-reviewer", "withdraw", "deliver", "redeem")


def attempt(hub: Hub, request_id: str, digest: str, move: str) -> None:
    """One move, allowed or refused; anything else than a refusal in words is an error of ours."""
    verb, _, person = move.partition(" ")
    try:
        match verb:
            case "vote":
                cast_vote(
                    hub,
                    actor(hub, person),
                    request_id=request_id,
                    digest=digest,
                    decision=Decision.APPROVE,
                    reason=REASON,
                )
            case "withdraw":
                withdraw_export(hub, actor(hub, "ky-analyst"), request_id=request_id)
            case "deliver":
                deliver_release(hub, actor(hub, "release-officer"), request_id=request_id, recipient_id="ky-admin")
            case "redeem":
                redeem_grant(hub, actor(hub, "ky-admin"), request_id=request_id)
    except ChecksFailed:
        raise  # nothing was meddled with: a digest or ledger that fails here is our race
    except HubError:
        pass


def storm(state: Path, now: datetime, request_id: str, digest: str, moves: Sequence[str], seed: int) -> None:
    """What one process does: five threads on a hub of its own, each with another order of the moves."""
    hub = open_hub(Settings(state_dir=state), clock=Watch(now))
    failed: list[Exception] = []

    def work(turn: int) -> None:
        for step in range(2 * len(moves)):
            try:
                attempt(hub, request_id, digest, moves[(turn + step) % len(moves)])
            except Exception as error:  # noqa: BLE001  # a thread can tell only through the list
                failed.append(error)

    threads = [threading.Thread(target=work, args=(seed + turn,)) for turn in range(THREADS // PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hub.database.engine.dispose()
    if failed:
        raise failed[0]


def let_loose(hub: Hub, request_id: str, digest: str, moves: Sequence[str]) -> None:
    hub.database.engine.dispose()
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    given = (hub.settings.state_dir, hub.clock(), request_id, digest, moves)
    processes = [context.Process(target=storm, args=(*given, seed)) for seed in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=240)
    assert [process.exitcode for process in processes] == [0] * PROCESSES


def events(hub: Hub) -> list[tuple[str, str]]:
    with hub.reading() as session:
        verdict = verify(
            session,
            public=hub.ledger_key.public_key().public_bytes_raw(),
            outside=[hub.checkpoint_file.read_text(encoding="utf-8")],
        )
        entries = [json.loads(entry.body) for entry in reversed(read_entries(session, limit=10_000))]
    assert verdict.holds, verdict.text
    kept = open_note(hub.checkpoint_file.read_text(encoding="utf-8"), hub.ledger_key.public_key().public_bytes_raw())
    assert kept.size == verdict.size
    return [(entry["kind"], entry["actor"]) for entry in entries]


def legal(hub: Hub, request_id: str) -> RequestStatus:
    """Hold rows and events against the one order in which these moves may happen; the status reached."""
    happened = [event for event in events(hub) if event[0] != "action.refused"]
    happened = happened[happened.index(("export.submitted", "ky-analyst")) :]
    kinds = Counter(kind for kind, _ in happened)
    assert max(Counter(happened).values()) == 1, happened
    request = find_request(hub, actor(hub, "auditor"), request_id)
    voters = [person for kind, person in happened if kind == "vote.cast"]
    assert sorted(voters) == sorted(vote.person_id for vote in request.votes)
    grants = grants_of(hub, actor(hub, "auditor"), request_id)
    assert sum(grant.redeemed_at is not None for grant in grants) == kinds["grant.redeemed"]
    order = [kind for kind, _ in happened]
    match request.status:
        case RequestStatus.RELEASED:
            assert order[2:] == [
                *("vote.cast", "vote.cast", "export.approved", "release.delivered", "grant.issued"),
                *(["grant.redeemed"] if kinds["grant.redeemed"] else []),
            ]
        case RequestStatus.WITHDRAWN:
            assert order[-1] == "export.withdrawn"
            assert not kinds["release.delivered"]
            assert (len(voters) == 2) == bool(kinds["export.approved"])
        case other:
            pytest.fail(f"left in {other}")
    return request.status


@pytest.fixture
def make(tmp_path: Path) -> Callable[[], Hub]:
    return lambda: factories.working(tmp_path / "state")


def test_everyone_at_once_on_one_request_is_one_legal_history(make: Callable[[], Hub]) -> None:
    hub = make()
    request = factories.submitted(hub, factories.room(hub))
    let_loose(hub, request.id, request.digest, MOVES)
    legal(hub, request.id)


def test_many_officers_and_many_fetches_at_once_deliver_once_and_hand_out_once(make: Callable[[], Hub]) -> None:
    hub = make()
    request = factories.submitted(hub, factories.room(hub))
    moves = [move for move in MOVES if move != "withdraw"]
    let_loose(hub, request.id, request.digest, moves)
    assert legal(hub, request.id) is RequestStatus.RELEASED
    kinds = Counter(kind for kind, _ in events(hub))
    assert (kinds["release.delivered"], kinds["grant.issued"], kinds["grant.redeemed"]) == (1, 1, 1)
