"""Suspended, expired, untrained: refused at every step at which it must be, through the forms of the portal and at the
doors of the notebooks. Consent that is missing or withdrawn is in test_sharing_consent.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import HubError
from hub.gate.model import ExportRequest
from hub.licensing.actions import suspend_licence
from hub.people.actions import record_training
from hub.workspaces.actions import mount_extracts, open_workspace
from hub.workspaces.kernels import start_kernel
from tests import factories
from tests.factories import Watch, actor
from tests.integration.web_house import House, open_house
from tests.matrix_house import WORDS, Scene, open_scene

Place = tuple[House, Scene]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    hub, scene = open_scene("everyday", tmp_path / "state")
    factories.put(hub, factories.room(hub))
    with open_house(hub) as house:
        yield house, scene


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(HubError) as caught:
        act()
    assert code in {refusal.rule for refusal in caught.value.refusals}


def sent(house: House, person: str, path: str, **fields: str) -> str:
    """What the portal answers to a form that it refuses."""
    browser = house.browser_of(person)
    browser.get("account")
    answer = browser.post(path, dict(fields))
    assert answer.status_code >= 400, (path, person, answer.status_code)
    assert "What to do next" in answer.text or "下一步" in answer.text or answer.status_code == 404
    return answer.text


def forms(house: House, scene: Scene) -> Iterator[tuple[str, str]]:
    """Every form with which data move on, filled in as it should be, and what the portal says to it."""
    request, ready = scene.things["request"]["in_review"], scene.things["request"]["approved"]
    fresh, workspace = scene.things["grant"]["fresh"], scene.things["workspace"]["open"]
    with house.hub.reading() as session:
        digest = session.get_one(ExportRequest, request).digest
    submit = {"item": "counts", "title": "就诊人数", "reason": WORDS, "form": "INDEX"}
    vote = {"digest": digest, "decision": "approve", "reason": WORDS}
    yield "submit", sent(house, "ky-analyst", f"workspaces/{workspace}/submit", **submit)
    yield "vote", sent(house, "mz-reviewer", f"requests/{request}/votes", **vote)
    yield "deliver", sent(house, "release-officer", f"products/{ready}/deliver", recipient="ky-admin")
    yield "grant", sent(house, "release-officer", f"products/{fresh}/grants", recipient="ky-admin")
    yield "download", sent(house, "ky-analyst", f"products/{fresh}/bundle")


def doors(hub: Hub, scene: Scene, code: str) -> None:
    """Spawn, mount and kernel start."""
    analyst, workspace = actor(hub, "ky-analyst"), scene.things["workspace"]["open"]
    refused(code, lambda: open_workspace(hub, analyst, licence_id="l-0001"))
    refused(code, lambda: mount_extracts(hub, analyst, workspace_id=workspace))
    refused(code, lambda: start_kernel(hub, analyst, workspace_id=workspace))


def test_suspended_licence_is_refused_at_every_step(place: Place) -> None:
    house, scene = place
    suspend_licence(house.hub, actor(house.hub, "bureau-officer"), licence_id="l-0001", reason=WORDS)
    for step, said in forms(house, scene):
        assert "licence.suspended" in said, step
    doors(house.hub, scene, "licence.suspended")


def test_expired_licence_is_refused_at_every_step(tmp_path: Path) -> None:
    hub, scene = open_scene("everyday", tmp_path / "state")
    factories.put(hub, factories.room(hub))
    assert isinstance(hub.clock, Watch)
    hub.clock.move(days=560)
    with open_house(hub) as house:
        for step, said in forms(house, scene):
            allowed = {
                "download": ("grant.expired", "licence.expired"),
                "deliver": ("release.expired", "licence.expired"),
            }
            assert any(code in said for code in allowed.get(step, ("licence.expired",))), step
        doors(hub, scene, "licence.expired")


@pytest.mark.parametrize("person", ["ky-analyst", "mz-reviewer", "release-officer"])
def test_lapsed_training_is_refused_whatever_the_step(place: Place, person: str) -> None:
    house, scene = place
    hub = house.hub
    over = hub.clock() - timedelta(seconds=1)
    record_training(
        hub,
        actor(hub, "bureau-officer"),
        person_id=person,
        trained_until=over,
        confidentiality_until=hub.clock() + timedelta(days=9),
    )
    request, ready = scene.things["request"]["in_review"], scene.things["request"]["approved"]
    fresh, workspace = scene.things["grant"]["fresh"], scene.things["workspace"]["open"]
    submit = {"item": "counts", "title": "就诊人数", "reason": WORDS, "form": "INDEX"}
    vote = {"digest": "0" * 64, "decision": "approve", "reason": WORDS}
    steps: dict[str, list[tuple[str, dict[str, str]]]] = {
        "ky-analyst": [(f"workspaces/{workspace}/submit", submit), (f"products/{fresh}/bundle", {})],
        "mz-reviewer": [(f"requests/{request}/votes", vote)],
        "release-officer": [
            (f"products/{ready}/deliver", {"recipient": "ky-admin"}),
            (f"products/{fresh}/grants", {"recipient": "ky-admin"}),
        ],
    }
    for path, fields in steps[person]:
        assert "person.training_lapsed" in sent(house, person, path, **fields), path
    if person == "ky-analyst":
        doors(hub, scene, "person.training_lapsed")
    assert house.browser_of(person).get("").status_code == 200  # signing in and reading stay
