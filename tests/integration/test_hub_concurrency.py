"""Fifty at once, threads and processes, SQLite and PostgreSQL: whatever they do, one legal history remains.

Each test prepares a state, lets fifty threads loose on it at a barrier (all in this process, or ten in each of five)
and asks the referee, who replays the ledger. Nobody may meet anything but a refusal in words; nobody is told to come
again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hub.catalog.model import Origin
from hub.context import Hub
from hub.demo.ladder import approved
from hub.demo.licences import give_opinions
from hub.extracts.model import ExtractStatus
from hub.gate.model import RequestStatus
from hub.licensing.actions import decide_scenario, file_scenario
from hub.licensing.model import ExtractLevel, Lane, LicenceStatus, ScenarioStatus
from hub.sharing.actions import decide_consent
from hub.sharing.model import ConsentStatus
from hub.workspaces.actions import open_workspace
from tests import factories
from tests.crew import PEOPLE, THREADS, Crew, Scene, crew, threads_at_once
from tests.factories import actor
from tests.referee import Referee, referee

pytestmark = pytest.mark.usefixtures("either_database")
Storm = Callable[[Hub, Scene, Sequence[Sequence[str]]], list[str]]

VOTES = ("vote mz-reviewer", "vote centre-reviewer")
OUT = ("deliver release-officer", "redeem ky-admin")


@pytest.fixture(scope="module")
def five_processes() -> Iterator[Crew]:
    with crew() as members:
        yield members


@pytest.fixture
def processes(five_processes: Crew) -> Storm:
    return five_processes.at_once


def plans(moves: Sequence[str], seed: int, *, each: int) -> list[list[str]]:
    """For each of the fifty `each` of the moves, in an order of their own."""
    chance = random.Random(seed)  # noqa: S311  # an order, not a secret
    return [chance.sample(moves, each) for _ in range(PEOPLE)]


def judged(hub: Hub, storm: Storm, scene: Scene, moves: Sequence[Sequence[str]]) -> Referee:
    failed = storm(hub, scene, moves)
    assert failed == []
    return referee(hub)


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return factories.working(tmp_path / "state")


def submitted(hub: Hub, rung_id: str = "") -> Scene:
    request = factories.submitted(hub, factories.room(hub))
    return Scene(request_id=request.id, digest=request.digest, rung_id=rung_id)


def rung(hub: Hub) -> str:
    """A rung that waits to be built."""
    return approved(
        hub, licence_id="l-0001", table_id="clinic_visits", level=ExtractLevel.SAMPLED, requester="ky-analyst"
    ).id


@pytest.mark.parametrize("seed", range(3))
def test_fifty_in_five_processes_on_one_request_make_one_legal_history(hub: Hub, processes: Storm, seed: int) -> None:
    scene = submitted(hub)
    seen = judged(
        hub, processes, scene, plans(("withdraw ky-analyst", "object ops-reviewer", *VOTES, *OUT), seed, each=3)
    )
    assert len(seen.votes[scene.request_id]) <= 2


def test_fifty_threads_on_one_request_make_one_legal_history(hub: Hub) -> None:
    judged(hub, threads_at_once, submitted(hub), plans(("withdraw ky-analyst", *VOTES, *OUT), 7, each=2))


def test_fifty_who_agree_release_once_and_fetch_once(hub: Hub, processes: Storm) -> None:
    scene = submitted(hub)
    seen = judged(hub, processes, scene, [[*VOTES, *OUT] if n % 2 else [*reversed(VOTES), *OUT] for n in range(PEOPLE)])
    assert seen.requests[scene.request_id] is RequestStatus.RELEASED
    assert seen.votes[scene.request_id] == {"mz-reviewer": "approve", "centre-reviewer": "approve"}
    assert list(seen.grants.values()) == [True]


def test_nothing_happens_under_a_licence_between_its_suspension_and_its_return(hub: Hub, processes: Storm) -> None:
    factories.put(hub, factories.room(hub))
    moves = (
        *("suspend bureau-officer", "resume bureau-officer", "submit ky-analyst", "open ky-analyst"),
        *("kernel ky-analyst", "extract centre-operator", "rung ky-analyst", *VOTES, *OUT),
    )
    judged(hub, processes, submitted(hub, rung(hub)), plans(moves, 11, each=2))


def test_one_build_of_a_table_at_a_time_and_none_once_suspended(hub: Hub, processes: Storm) -> None:
    moves = ["extract centre-operator"] * 5 + ["suspend bureau-officer"]
    seen = judged(hub, processes, Scene(rung_id=rung(hub)), plans(moves, 13, each=2))
    assert seen.licences["l-0001"] is LicenceStatus.SUSPENDED
    assert list(seen.extracts.values()).count(ExtractStatus.BUILDING) <= 1


@pytest.mark.parametrize("end", ["lapse", "close"])
def test_a_reviewer_whose_training_or_account_ends_votes_before_it_or_not_at_all(
    hub: Hub, processes: Storm, end: str
) -> None:
    scene = submitted(hub)
    seen = judged(hub, processes, scene, plans((f"{end} bureau-officer", *VOTES, *OUT), 17, each=2))
    assert "mz-reviewer" in seen.lapsed


def shared_in(hub: Hub) -> None:
    factories.published(hub, origin=Origin.SHARED_IN, provider_org="wj")
    file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="演示场景",
        purpose="按街道统计就诊次数,用于站点规划。",
        lane=Lane.PUBLIC,
        table_ids=["clinic_visits"],
    )


def test_nothing_is_released_or_fetched_once_a_consent_is_withdrawn(tmp_path: Path, processes: Storm) -> None:
    hub = factories.district(tmp_path / "state")
    shared_in(hub)
    give_opinions(hub, "s-0001")
    officer = actor(hub, "bureau-officer")
    decide_scenario(hub, officer, scenario_id="s-0001", approve=True, reason="用途明确。")
    decide_consent(hub, actor(hub, "wj-steward"), consent_id="c-0001", give=True, reason="用途在共享约定之内。")
    licence = factories.agreed(hub)
    factories.built(hub, licence.id)
    open_workspace(hub, actor(hub, "ky-analyst"), licence_id=licence.id)
    moves = ("take_back wj-steward", "submit ky-analyst", "kernel ky-analyst", *VOTES, *OUT)
    seen = judged(hub, processes, submitted(hub), plans(moves, 19, each=2))
    assert seen.consents["c-0001"] is ConsentStatus.WITHDRAWN


def test_two_officers_who_decide_the_same_thing_decide_it_once(tmp_path: Path, processes: Storm) -> None:
    hub = factories.district(tmp_path / "state")
    shared_in(hub)
    bodies = [f"opinion {person}" for person in ("bureau-assessor", "cac-supervisor", "data-expert")]
    answers = ["consent wj-steward", "refuse_consent wj-steward"]
    decisions = ["approve bureau-officer", "refuse bureau-officer"]
    seen = judged(hub, processes, Scene(), plans([*bodies, *answers, *decisions], 23, each=3))
    judged(hub, processes, Scene(), [[*bodies, *decisions] if n % THREADS == 0 else decisions for n in range(PEOPLE)])
    assert seen.consents["c-0001"] in (ConsentStatus.GIVEN, ConsentStatus.REFUSED)
    assert referee(hub).scenarios["s-0001"] in (ScenarioStatus.APPROVED, ScenarioStatus.REFUSED)


def test_an_agreement_comes_into_force_once_and_in_order_whoever_pushes_it(tmp_path: Path, processes: Storm) -> None:
    hub = factories.district(tmp_path / "state")
    factories.approved_scenario(hub)
    licence = factories.agreed(hub, until=LicenceStatus.DRAFTING)
    steps = ["deliberate bureau-assessor", "sign bureau-assessor", "sign ky-admin", "file bureau-assessor"]
    scene = Scene(licence_id=licence.id, digest=licence.contract_digest)
    moves = [[*steps, "grant bureau-officer"]] * (PEOPLE - 5) + [["grant bureau-officer", "suspend bureau-officer"]] * 5
    seen = judged(hub, processes, scene, moves)
    assert seen.licences[licence.id] in (LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED)
