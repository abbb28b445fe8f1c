"""A kernel starts only where the workspace could be opened now, and each start is an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import HubError
from hub.ledger.actions import read_entries
from hub.licensing.actions import resume_licence, suspend_licence
from hub.people.actions import record_training
from hub.workspaces.actions import close_workspace
from hub.workspaces.kernels import start_kernel
from tests import factories
from tests.factories import NOW, Watch, actor

pytestmark = pytest.mark.usefixtures("either_database")
ROOM = "w-0001"


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    return factories.working(tmp_path / "state", clock=watch)


def start(hub: Hub, person: str = "ky-analyst", room: str = ROOM) -> None:
    start_kernel(hub, actor(hub, person), workspace_id=room)


def newest(hub: Hub) -> dict[str, object]:
    with hub.reading() as session:
        return dict(json.loads(read_entries(session, limit=1)[0].body))


def test_each_start_is_an_event_of_the_analyst_about_the_workspace_and_its_licence(hub: Hub) -> None:
    start(hub)
    event = newest(hub)
    assert (event["kind"], event["actor"]) == ("kernel.started", "ky-analyst")
    assert (event["object_id"], event["licence_id"]) == (ROOM, "l-0001")


def suspended(hub: Hub, watch: Watch) -> None:
    suspend_licence(hub, actor(hub, "bureau-officer"), licence_id="l-0001", reason="演示中止,核查用途。")


def lapsed(hub: Hub, watch: Watch) -> None:
    record_training(
        hub, actor(hub, "bureau-officer"), person_id="ky-analyst", trained_until=NOW, confidentiality_until=NOW
    )


AGAINST: list[tuple[str, Callable[[Hub, Watch], None]]] = [
    ("licence.suspended", suspended),
    ("licence.expired", lambda hub, watch: watch.move(days=30)),
    ("person.training_lapsed", lapsed),
    ("workspace.closed", lambda hub, watch: close_workspace(hub, workspace_id=ROOM, reason="stopped")),
]


@pytest.mark.parametrize(("code", "meanwhile"), AGAINST, ids=[code for code, _ in AGAINST])
def test_what_ended_while_the_workspace_runs_is_found_at_the_next_kernel(
    hub: Hub, watch: Watch, code: str, meanwhile: Callable[[Hub, Watch], None]
) -> None:
    start(hub)
    meanwhile(hub, watch)
    with pytest.raises(HubError) as caught:
        start(hub)
    assert code in {refusal.rule for refusal in caught.value.refusals}
    event = newest(hub)
    assert (event["kind"], event["details"]) == ("action.refused", {"verb": "start_kernel"})


@pytest.mark.parametrize(("person", "room"), [("ps-analyst", ROOM), ("ky-admin", ROOM), ("ky-analyst", "w-0009")])
def test_nobody_starts_a_kernel_in_a_workspace_that_is_not_theirs(hub: Hub, person: str, room: str) -> None:
    with pytest.raises(HubError) as caught:
        start(hub, person, room)
    assert caught.value.code == "not_found"


def test_a_licence_that_goes_on_lets_kernels_start_again(hub: Hub, watch: Watch) -> None:
    suspended(hub, watch)
    resume_licence(hub, actor(hub, "bureau-officer"), licence_id="l-0001", reason="核查完毕,恢复使用。")
    start(hub)
