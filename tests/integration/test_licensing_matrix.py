"""Status x role x step over a real hub: what the tables do not allow is refused, on record, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hub.context import Hub
from hub.demo.agreement import POSTS
from hub.demo.people import ACCOUNTS
from hub.errors import HubError
from hub.ledger.actions import read_entries
from hub.licensing.actions import contract_of, find_licence, resume_licence, suspend_licence, terminate_licence
from hub.licensing.agreements import (
    enter_filing,
    grant_licence,
    record_deliberation,
    revise_licence,
    sign_licence,
)
from hub.licensing.contract import plain
from hub.licensing.model import Licence, LicenceStatus
from hub.people.actor import Actor
from hub.people.rules import MAY, Verb
from hub.rulebook.model import district_day
from tests import factories
from tests.factories import actor
from tests.unit.test_licensing_moves import AGREED

REASON = "演示所需。"
AFTER = (LicenceStatus.SUSPENDED, LicenceStatus.TERMINATED)
STATES = [status for status in LicenceStatus if status is not LicenceStatus.EXITED]


def reached(hub: Hub, status: LicenceStatus) -> Licence:
    """A licence that stands there, by the real steps."""
    factories.approved_scenario(hub)
    licence = factories.agreed(hub, until=LicenceStatus.ACTIVE if status in AFTER else status)
    officer = actor(hub, "bureau-officer")
    if status is LicenceStatus.SUSPENDED:
        return suspend_licence(hub, officer, licence_id=licence.id, reason=REASON)
    if status is LicenceStatus.TERMINATED:
        return terminate_licence(hub, officer, licence_id=licence.id, reason=REASON)
    return licence


def steps(hub: Hub, licence: Licence) -> Mapping[Verb, Callable[[Actor], object]]:
    said, today, digest = plain(contract_of(licence)), district_day(hub.clock()), licence.contract_digest
    return {
        Verb.DRAFT_LICENCE: lambda by: revise_licence(
            hub, by, licence_id=licence.id, header=said["header"], items=said["items"], reason=REASON
        ),
        Verb.DELIBERATE_LICENCE: lambda by: record_deliberation(
            hub,
            by,
            licence_id=licence.id,
            digest=digest,
            meeting="局党组会",
            held_on=today,
            attendees=POSTS,
            minutes_digest="b" * 64,
        ),
        Verb.SIGN_LICENCE: lambda by: sign_licence(hub, by, licence_id=licence.id, digest=digest),
        Verb.FILE_LICENCE: lambda by: enter_filing(hub, by, licence_id=licence.id, filing_no="1", filed_on=today),
        Verb.GRANT_LICENCE: lambda by: grant_licence(hub, by, licence_id=licence.id),
        Verb.SUSPEND_LICENCE: lambda by: suspend_licence(hub, by, licence_id=licence.id, reason=REASON),
        Verb.RESUME_LICENCE: lambda by: resume_licence(hub, by, licence_id=licence.id, reason=REASON),
        Verb.TERMINATE_LICENCE: lambda by: terminate_licence(hub, by, licence_id=licence.id, reason=REASON),
    }


@pytest.mark.parametrize("status", STATES)
def test_every_pair_that_is_not_in_the_tables_is_refused(tmp_path: Path, status: LicenceStatus) -> None:
    hub = factories.district(tmp_path / "state")
    licence = reached(hub, status)
    people = {min(account.roles): actor(hub, account.id) for account in reversed(ACCOUNTS) if account.is_trained}
    tried = 0
    for verb, act in steps(hub, licence).items():
        for role, person in people.items():
            if role in MAY[verb] and status in AGREED[verb]:
                continue
            with pytest.raises(HubError):
                act(person)
            tried += 1
    now = find_licence(hub, actor(hub, "bureau-officer"), licence.id)
    assert (now.status, now.contract_digest, now.version) == (status, licence.contract_digest, 1)
    with hub.reading() as session:
        kinds = [entry.body.split('"kind":"')[1].split('"')[0] for entry in read_entries(session, limit=tried)]
    assert tried > 90
    assert set(kinds) == {"action.refused"}
