"""No walk through the states reaches RELEASED without two distinct votes from outside.

Hypothesis plays everyone at once, honest or not: every person of the district may try every step in any order, files
of the store are changed and mended, time passes, licences are suspended. Whatever happens, a released request has two
approving votes on its digest by two people who are neither the author nor of the author's institution, in both seats,
no objection, and files that are the submitted ones.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from hub.context import Hub
from hub.demo.people import ACCOUNTS
from hub.errors import HubError
from hub.gate import actions as gate
from hub.gate.model import Decision, ExportRequest, RequestStatus, Seat
from hub.ledger.actions import verify
from hub.licensing.actions import resume_licence, suspend_licence
from hub.people.model import Person
from hub.products.actions import bundle_path, deliver_release, issue_grant, redeem_grant
from hub.products.verify import verify_bundle
from tests import factories

PEOPLE = st.sampled_from([account.id for account in ACCOUNTS])


class Walks(RuleBasedStateMachine):
    requests = Bundle("requests")

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="zhakou-walk-"))
        self.watch = factories.Watch()
        self.hub: Hub = factories.working(self.folder / "state", clock=self.watch)
        room = factories.room(self.hub)
        self.workspace_id = room.workspace_id
        factories.put(self.hub, room)
        self.changed: set[Path] = set()

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            with self.hub.reading() as session:
                assert verify(session, public=self.hub.ledger_key.public_key().public_bytes_raw()).holds
            self.hub.database.engine.dispose()
            shutil.rmtree(self.folder)

    @rule(target=requests, person=PEOPLE)
    def submit(self, person: str) -> str:
        try:
            return gate.submit_export(
                self.hub,
                factories.actor(self.hub, person),
                workspace_id=self.workspace_id,
                slugs=["counts"],
                title="按街道就诊人数",
                reason="汇总表,每格八十人,可以出域。",
                product_form=gate.ProductForm.INDEX,
                screen=factories.screen_here,
            ).id
        except HubError:
            return "r-0001"

    @rule(
        request=requests,
        person=PEOPLE,
        decision=st.sampled_from([*[Decision.APPROVE] * 5, Decision.OBJECT]),
        seat=st.none() | st.sampled_from(Seat),
        stale=st.sampled_from([False] * 5 + [True]),
    )
    def vote(self, request: str, person: str, decision: Decision, seat: Seat | None, stale: bool) -> None:
        digest = "0" * 64 if stale else self._digest(request)
        with contextlib.suppress(HubError):
            gate.cast_vote(
                self.hub,
                factories.actor(self.hub, person),
                request_id=request,
                digest=digest,
                decision=decision,
                reason="逐格看过,每格八十人。",
                seat=seat,
            )

    @rule(request=requests)
    def both_seats_approve(self, request: str) -> None:
        """The honest pair, so that walks get far enough to be worth watching."""
        for person in ("mz-reviewer", "centre-reviewer"):
            self.vote(request=request, person=person, decision=Decision.APPROVE, seat=None, stale=False)

    @rule(request=requests, person=PEOPLE, recipient=PEOPLE)
    def deliver(self, request: str, person: str, recipient: str) -> None:
        with contextlib.suppress(HubError):
            deliver_release(self.hub, factories.actor(self.hub, person), request_id=request, recipient_id=recipient)

    @rule(request=requests)
    def officer_delivers(self, request: str) -> None:
        self.deliver(request=request, person="release-officer", recipient="ky-admin")

    @rule(request=requests, person=PEOPLE, recipient=PEOPLE)
    def grant_again(self, request: str, person: str, recipient: str) -> None:
        with contextlib.suppress(HubError):
            issue_grant(self.hub, factories.actor(self.hub, person), request_id=request, recipient_id=recipient)

    @rule(request=requests, person=PEOPLE)
    def fetch(self, request: str, person: str) -> None:
        before = self._status(request)
        with contextlib.suppress(HubError):
            redeem_grant(self.hub, factories.actor(self.hub, person), request_id=request)
            assert before is RequestStatus.RELEASED

    @rule(request=requests, person=PEOPLE)
    def withdraw(self, request: str, person: str) -> None:
        with contextlib.suppress(HubError):
            gate.withdraw_export(self.hub, factories.actor(self.hub, person), request_id=request)

    @rule(request=requests)
    def change_a_frozen_file(self, request: str) -> None:
        with self.hub.reading() as session:
            found = session.get(ExportRequest, request)
            digests = [file.sha256 for file in found.files] if found else []
        for digest in digests:
            path = gate.stored(self.hub, digest)
            path.chmod(0o600)
            path.write_bytes(b"street,n\nS0,1\n")
            self.changed.add(path)

    @rule()
    def mend_the_store(self) -> None:
        for path in self.changed:
            path.write_bytes(factories.SAFE)
        self.changed.clear()

    @rule(days=st.integers(1, 20))
    def time_passes(self, days: int) -> None:
        self.watch.move(days=days)

    @rule(stop=st.booleans())
    def licence_stops_or_goes_on(self, stop: bool) -> None:
        verb = suspend_licence if stop else resume_licence
        with contextlib.suppress(HubError):
            verb(self.hub, factories.actor(self.hub, "bureau-officer"), licence_id="l-0001", reason="检查")

    @invariant()
    def what_is_released_was_voted_for_by_two_outsiders(self) -> None:
        if not hasattr(self, "hub"):
            return
        with self.hub.reading() as session:
            people = {person.id: person.org_id for person in session.query(Person)}
            for request in session.query(ExportRequest).filter_by(status=RequestStatus.RELEASED):
                yes = [vote for vote in request.votes if vote.decision is Decision.APPROVE]
                assert len({vote.person_id for vote in yes}) >= 2
                assert {Seat.PROVIDER, Seat.COMPLIANCE} <= {vote.seat for vote in yes}
                assert all(vote.digest == request.digest for vote in yes)
                assert len(yes) == len(request.votes)
                for vote in yes:
                    assert vote.person_id != request.author_id
                    assert people[vote.person_id] != request.author_org
                    assert vote.person_id not in ("release-officer", "centre-operator")
                assert request.check is not None
                assert request.check.verdict in ("pass", "flag")
                bundle = bundle_path(self.hub, request.id)
                assert verify_bundle(bundle).holds

    def _digest(self, request: str) -> str:
        with self.hub.reading() as session:
            found = session.get(ExportRequest, request)
            return found.digest if found else "0" * 64

    def _status(self, request: str) -> RequestStatus | None:
        with self.hub.reading() as session:
            found = session.get(ExportRequest, request)
            return found.status if found else None


TestWalks = pytest.mark.filterwarnings("ignore::DeprecationWarning")(Walks.TestCase)
TestWalks.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_the_honest_walk_is_released(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "state")
    request = factories.submitted(hub, factories.room(hub))
    assert request.status is RequestStatus.IN_REVIEW
    for person in ("mz-reviewer", "centre-reviewer"):
        request = gate.cast_vote(
            hub,
            factories.actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        )
    assert request.status is RequestStatus.APPROVED
    deliver_release(hub, factories.actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")
    bundle = redeem_grant(hub, factories.actor(hub, "ky-admin"), request_id=request.id)
    assert verify_bundle(bundle).holds
