"""Fifty people at once: five processes of ten threads, let loose on one hub at the same moment."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from hub.context import Hub, open_hub
from hub.demo.agreement import POSTS
from hub.errors import ChecksFailed, HubError, Unavailable
from hub.extracts.actions import start_extract
from hub.extracts.requests import request_extract
from hub.gate.actions import cast_vote, withdraw_export
from hub.gate.model import Decision
from hub.licensing.actions import decide_scenario, give_opinion, resume_licence, suspend_licence, terminate_licence
from hub.licensing.agreements import enter_filing, grant_licence, record_deliberation, sign_licence
from hub.licensing.model import ExtractLevel, Stance
from hub.people.accounts import close_account
from hub.people.actions import record_training
from hub.products.actions import deliver_release, redeem_grant
from hub.rulebook.model import district_day
from hub.sharing.actions import decide_consent, withdraw_consent
from hub.workspaces.actions import open_workspace
from hub.workspaces.kernels import start_kernel
from tests import factories
from tests.factories import Watch, actor

PROCESSES, THREADS = 5, 10
PEOPLE = PROCESSES * THREADS
REASON = "逐格看过,每格八十人。"
SECONDS = 240.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a storm is about."""

    request_id: str = ""
    digest: str = ""
    licence_id: str = "l-0001"
    workspace_id: str = "w-0001"
    rung_id: str = "q-0002"


def play(hub: Hub, scene: Scene, move: str) -> None:
    """One move, allowed or refused in words.

    Raises:
        Exception: Anything else: nobody meddled, so a digest that fails is our race, and nobody may have to wait so
            long that the hub says it is busy.
    """
    verb, _, person = move.partition(" ")
    try:
        _do(hub, scene, verb, person)
    except (ChecksFailed, Unavailable):
        raise
    except HubError:
        pass


def _do(hub: Hub, scene: Scene, verb: str, person: str) -> None:
    by = actor(hub, person)
    match verb:
        case "vote" | "object":
            decision = Decision.APPROVE if verb == "vote" else Decision.OBJECT
            cast_vote(hub, by, request_id=scene.request_id, digest=scene.digest, decision=decision, reason=REASON)
        case "withdraw":
            withdraw_export(hub, by, request_id=scene.request_id)
        case "deliver":
            deliver_release(hub, by, request_id=scene.request_id, recipient_id="ky-admin")
        case "redeem":
            redeem_grant(hub, by, request_id=scene.request_id)
        case "submit":
            factories.submitted(hub, factories.Room(**_room(hub, scene)), slugs=["counts"])
        case "open":
            open_workspace(hub, by, licence_id=scene.licence_id)
        case "kernel":
            start_kernel(hub, by, workspace_id=scene.workspace_id)
        case "extract":
            start_extract(hub, by, request_id=scene.rung_id)
        case "rung":
            request_extract(
                hub, by, licence_id=scene.licence_id, table_id="clinic_visits", level=ExtractLevel.SYNTHETIC
            )
        case "suspend":
            suspend_licence(hub, by, licence_id=scene.licence_id, reason="演示中止,核查用途。")
        case "resume":
            resume_licence(hub, by, licence_id=scene.licence_id, reason="核查完毕,恢复使用。")
        case "consent" | "refuse_consent":
            decide_consent(hub, by, consent_id="c-0001", give=verb == "consent", reason="用途在共享约定之内。")
        case "take_back":
            withdraw_consent(hub, by, consent_id="c-0001", reason="共享约定已到期。")
        case "lapse":
            now = hub.clock()
            record_training(hub, by, person_id="mz-reviewer", trained_until=now, confidentiality_until=now)
        case "close":
            close_account(hub, by, person_id="mz-reviewer")
        case "deliberate":
            record_deliberation(
                hub,
                by,
                licence_id=scene.licence_id,
                digest=scene.digest,
                meeting="局党组会",
                held_on=district_day(hub.clock()),
                attendees=POSTS,
                minutes_digest="0" * 64,
            )
        case "sign":
            sign_licence(hub, by, licence_id=scene.licence_id, digest=scene.digest)
        case "file":
            today = district_day(hub.clock())
            enter_filing(hub, by, licence_id=scene.licence_id, filing_no="演示备〔2026〕1号", filed_on=today)
        case "grant":
            grant_licence(hub, by, licence_id=scene.licence_id)
        case "terminate":
            terminate_licence(hub, by, licence_id=scene.licence_id, reason="演示终止,不再使用。")
        case "opinion":
            give_opinion(
                hub, by, scenario_id="s-0001", stance=Stance.SUPPORT, compliance=REASON * 3, security=REASON * 3
            )
        case "approve" | "refuse":
            decide_scenario(hub, by, scenario_id="s-0001", approve=verb == "approve", reason="用途明确。")
        case other:
            raise AssertionError(other)


def _room(hub: Hub, scene: Scene) -> dict[str, Any]:
    return {
        "workspace_id": scene.workspace_id,
        "number": 0,
        "licence_id": scene.licence_id,
        "person_id": "ky-analyst",
        "state_dir": hub.folders.workspaces / scene.workspace_id,
    }


def threads_at_once(hub: Hub, scene: Scene, plans: Sequence[Sequence[str]]) -> list[str]:
    """One thread a plan, all at one barrier; what went wrong in words."""
    failed: list[str] = []
    barrier = threading.Barrier(len(plans))

    def work(plan: Sequence[str]) -> None:
        try:
            barrier.wait(SECONDS)
            for move in plan:
                play(hub, scene, move)
        except Exception as error:  # noqa: BLE001  # a thread can tell only through the list
            failed.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(plan,)) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


def _member(orders: Connection, barrier: Any) -> None:
    """A process of the crew: a hub of its own for each order."""
    while True:
        settings, now, scene, plans = orders.recv()
        hub = open_hub(settings, clock=Watch(now))
        barrier.wait(SECONDS)
        failed = threads_at_once(hub, scene, plans)
        hub.database.engine.dispose()
        orders.send(failed)


@dataclass(slots=True)
class Crew:
    """The five processes; they start once, because their imports take longer than a storm."""

    members: list[tuple[BaseProcess, Connection]]

    def at_once(self, hub: Hub, scene: Scene, plans: Sequence[Sequence[str]]) -> list[str]:
        """One thread a plan, ten to a process, all at once."""
        assert len(plans) == PEOPLE
        hub.database.engine.dispose()
        now: datetime = hub.clock()
        for number, (_, orders) in enumerate(self.members):
            orders.send((hub.settings, now, scene, plans[number * THREADS : (number + 1) * THREADS]))
        failed: list[str] = []
        for _, orders in self.members:
            assert orders.poll(SECONDS), "a process of the crew does not answer"
            failed += orders.recv()
        return failed


@contextmanager
def crew() -> Iterator[Crew]:
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    barrier = context.Barrier(PROCESSES)
    members = []
    for _ in range(PROCESSES):
        here, there = context.Pipe()
        process = context.Process(target=_member, args=(there, barrier), daemon=True)
        process.start()
        members.append((process, here))
    try:
        yield Crew(members)
    finally:
        for process, _ in members:
            process.kill()
            process.join()
