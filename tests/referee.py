"""Replays a ledger event by event and holds each to the state that the events before it made.

Whatever happened at the same moment, the ledger says in which order it counts. The referee knows the state tables of
the rooms (`*_MOVES`) and what each step needs, written down here anew, without the rules that let the steps happen. In
the end the rows of the database must be what the events made of them: no effect without event, no event without effect.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from hub.context import Hub
from hub.extracts.model import (
    EXTRACT_MOVES,
    EXTRACT_REQUEST_MOVES,
    Extract,
    ExtractRequest,
    ExtractRequestStatus,
    ExtractStatus,
)
from hub.gate.model import REQUEST_MOVES, ExportRequest, RequestStatus, Vote
from hub.ledger.actions import read_entries, verify
from hub.ledger.checkpoint import open_note
from hub.licensing.model import LICENCE_MOVES, SCENARIO_MOVES, Licence, LicenceStatus, Scenario, ScenarioStatus
from hub.products.model import DownloadGrant, Release
from hub.sharing.model import CONSENT_MOVES, ConsentStatus, ProviderConsent

SIDES = 2
VOTES_NEEDED = 2
"""Of the licences that `tests.factories` grants."""


class Foul(AssertionError):
    """An event that could not happen where it stands."""


@dataclass(slots=True)
class Referee:
    """The states so far."""

    licences: dict[str, LicenceStatus] = field(default_factory=dict)
    scenarios: dict[str, ScenarioStatus] = field(default_factory=dict)
    scenario_of: dict[str, str] = field(default_factory=dict)
    consents: dict[str, ConsentStatus] = field(default_factory=dict)
    consents_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    extracts: dict[str, ExtractStatus] = field(default_factory=dict)
    rungs: dict[str, ExtractRequestStatus] = field(default_factory=dict)
    job_of: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    signed: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    requests: dict[str, RequestStatus] = field(default_factory=dict)
    votes: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    grants: dict[str, bool] = field(default_factory=dict)
    lapsed: set[str] = field(default_factory=set)

    def see(self, event: dict[str, Any]) -> None:
        kind, thing, details = event["kind"], event["object_id"], event["details"]
        if kind != "action.refused" and event["actor"] in self.lapsed and kind != "person.signed_in":
            raise Foul(f"{event['actor']} has lapsed: {event}")
        match kind:
            case "training.recorded":
                ended = details["trained_until"] <= event["ts"][:10]
                (self.lapsed.add if ended else self.lapsed.discard)(thing)
            case "person.closed":
                self.lapsed.add(thing)
            case "scenario.filed":
                self._begin(self.scenarios, thing, ScenarioStatus.FILED)
            case "scenario.decided":
                self._move(self.scenarios, SCENARIO_MOVES, thing, ScenarioStatus(event["decision"]))
            case "consent.requested":
                self._begin(self.consents, thing, ConsentStatus.REQUESTED)
                self.consents_of[details["scenario"]].add(thing)
            case "consent.decided" | "consent.withdrawn":
                self._move(self.consents, CONSENT_MOVES, thing, ConsentStatus(event["decision"]))
            case "licence.drafted":
                self.scenario_of[thing] = details["scenario"]
                if thing in self.licences:
                    self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.DRAFTING)
                else:
                    self._begin(self.licences, thing, LicenceStatus.DRAFTING)
            case "licence.deliberated":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.DELIBERATING)
                self.signed[thing].clear()
            case "licence.signed":
                if self.licences[thing] is not LicenceStatus.DELIBERATING or details["side"] in self.signed[thing]:
                    raise Foul(str(event))
                self.signed[thing].add(details["side"])
                if len(self.signed[thing]) == SIDES:
                    self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.SIGNED)
            case "licence.filed":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.FILED)
            case "licence.granted":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.ACTIVE)
                self._usable(thing)
            case "licence.suspended":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.SUSPENDED)
            case "licence.resumed":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.ACTIVE)
            case "licence.terminated":
                self._move(self.licences, LICENCE_MOVES, thing, LicenceStatus.TERMINATED)
            case "extract.requested":
                self._usable(event["licence_id"])
                self._begin(self.rungs, thing, ExtractRequestStatus.REQUESTED)
            case "extract.decided":
                to = ExtractRequestStatus(details["outcome"])
                if to is not self.rungs[thing]:
                    self._move(self.rungs, EXTRACT_REQUEST_MOVES, thing, to)
            case "extract.begun":
                self._usable(event["licence_id"])
                self.job_of[thing] = event["licence_id"], details["table"], details["level"]
                same = [one for one, of in self.job_of.items() if of == self.job_of[thing]]
                if any(self.extracts.get(one) is ExtractStatus.BUILDING for one in same):
                    raise Foul(f"two builds of one rung: {event}")
                if self.rungs[details["request"]] is not ExtractRequestStatus.APPROVED:
                    raise Foul(str(event))
                self._begin(self.extracts, thing, ExtractStatus.BUILDING)
            case "extract.revoked":
                self._move(self.extracts, EXTRACT_MOVES, thing, ExtractStatus.REVOKED)
            case "extract.issued":
                self._usable(event["licence_id"])
                self._move(self.extracts, EXTRACT_MOVES, thing, ExtractStatus.ISSUED)
            case "extract.refused":
                self._move(self.extracts, EXTRACT_MOVES, thing, ExtractStatus.REFUSED)
            case "workspace.opened" | "extract.mounted" | "kernel.started":
                self._usable(event["licence_id"])
            case "export.submitted":
                self._usable(event["licence_id"])
                self._begin(self.requests, thing, RequestStatus.CHECKING)
            case "export.checked":
                passed = event["decision"] in ("pass", "flag")
                to = RequestStatus.IN_REVIEW if passed else RequestStatus.MACHINE_REFUSED
                self._move(self.requests, REQUEST_MOVES, thing, to)
            case "vote.cast":
                self._usable(event["licence_id"])
                if self.requests[thing] is not RequestStatus.IN_REVIEW or event["actor"] in self.votes[thing]:
                    raise Foul(str(event))
                self.votes[thing][event["actor"]] = event["decision"]
            case "export.approved":
                if list(self.votes[thing].values()) != ["approve"] * VOTES_NEEDED:
                    raise Foul(str(event))
                self._move(self.requests, REQUEST_MOVES, thing, RequestStatus.APPROVED)
            case "export.refused":
                if "object" not in self.votes[thing].values():
                    raise Foul(str(event))
                self._move(self.requests, REQUEST_MOVES, thing, RequestStatus.REFUSED)
            case "export.withdrawn":
                self._move(self.requests, REQUEST_MOVES, thing, RequestStatus.WITHDRAWN)
            case "release.delivered":
                self._usable(event["licence_id"])
                self._move(self.requests, REQUEST_MOVES, thing, RequestStatus.RELEASED)
            case "grant.issued":
                self._usable(event["licence_id"])
                if self.requests[details["request"]] is not RequestStatus.RELEASED or thing in self.grants:
                    raise Foul(str(event))
                self.grants[thing] = False
            case "grant.redeemed":
                self._usable(event["licence_id"])
                if self.grants[thing]:
                    raise Foul(str(event))
                self.grants[thing] = True

    @staticmethod
    def _begin(states: dict[str, Any], thing: str, state: Any) -> None:
        if thing in states:
            raise Foul(f"{thing} begins twice")
        states[thing] = state

    @staticmethod
    def _move(states: dict[str, Any], moves: Any, thing: str, to: Any) -> None:
        if to not in moves[states[thing]]:
            raise Foul(f"{thing} went from {states[thing]} to {to}")
        states[thing] = to

    def _usable(self, licence_id: str) -> None:
        if self.licences[licence_id] is not LicenceStatus.ACTIVE:
            raise Foul(f"{licence_id} is {self.licences[licence_id]}")
        asked = self.consents_of[self.scenario_of[licence_id]]
        if any(self.consents[one] is not ConsentStatus.GIVEN for one in asked):
            raise Foul(f"{licence_id} lacks a consent")


def referee(hub: Hub) -> Referee:
    """Verify the ledger, replay it, and hold the rows of the database against it.

    Raises:
        AssertionError: It does not hold, an event could not happen where it stands, or rows and events differ.
    """
    public = hub.ledger_key.public_key().public_bytes_raw()
    note = hub.checkpoint_file.read_text(encoding="utf-8")
    with hub.reading() as session:
        verdict = verify(session, public=public, outside=[note])
        assert verdict.holds, verdict.text
        assert open_note(note, public).size == verdict.size
        seen = Referee()
        for entry in reversed(read_entries(session, limit=100_000)):
            seen.see(json.loads(entry.body))
        for model, states in (
            (Licence, seen.licences),
            (Scenario, seen.scenarios),
            (ProviderConsent, seen.consents),
            (Extract, seen.extracts),
            (ExtractRequest, seen.rungs),
            (ExportRequest, seen.requests),
        ):
            assert {one.id: one.status for one in session.scalars(select(model))} == states
        cast = [(vote.request_id, vote.person_id, vote.decision.value) for vote in session.scalars(select(Vote))]
        assert sorted(cast) == sorted((one, *vote) for one, votes in seen.votes.items() for vote in votes.items())
        grants = {one.id: one.redeemed_at is not None for one in session.scalars(select(DownloadGrant))}
        assert grants == seen.grants
        released = {one for one, status in seen.requests.items() if status is RequestStatus.RELEASED}
        assert set(session.scalars(select(Release.request_id))) == released
    return seen
