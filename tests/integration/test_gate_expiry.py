"""An approval that nobody used in ten working days is none any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.errors import NotAllowed
from hub.gate.actions import cast_vote, expire_approvals, find_request
from hub.gate.model import Decision, RequestStatus
from hub.ledger.actions import read_entries
from hub.products.actions import deliver_release
from hub.recovery import start_site
from tests import factories
from tests.factories import Watch, actor


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    """Request r-0001 was approved today, a Tuesday, and not released."""
    hub = factories.working(tmp_path / "state", clock=watch)
    request = factories.submitted(hub, factories.room(hub))
    for person in ("mz-reviewer", "centre-reviewer"):
        vote = {"digest": request.digest, "decision": Decision.APPROVE, "reason": "逐格看过,每格八十人。"}
        cast_vote(hub, actor(hub, person), request_id=request.id, **vote)  # type: ignore[arg-type]
    return hub


def delivered(hub: Hub) -> None:
    deliver_release(hub, actor(hub, "release-officer"), request_id="r-0001", recipient_id="ky-admin")


def test_approval_is_used_on_its_last_day(hub: Hub, watch: Watch) -> None:
    watch.now += timedelta(days=14)
    assert expire_approvals(hub) == []
    delivered(hub)


def test_day_after_nothing_is_released_whether_or_not_the_request_was_ended(hub: Hub, watch: Watch) -> None:
    watch.now += timedelta(days=15)
    with pytest.raises(NotAllowed) as caught:
        delivered(hub)
    assert [refusal.rule for refusal in caught.value.refusals] == ["release.expired"]
    start_site(hub)
    assert find_request(hub, actor(hub, "ky-analyst"), "r-0001").status is RequestStatus.EXPIRED
    with hub.reading() as session:
        assert "export.expired" in [entry.kind for entry in read_entries(session, limit=3)]
    with pytest.raises(NotAllowed) as caught:
        delivered(hub)
    assert "export.status" in {refusal.rule for refusal in caught.value.refusals}
