"""A decision keeps the version it was made by, and is asked again under that version, whatever is in force later."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.context import Hub, open_hub
from hub.demo.people import appoint_cast
from hub.errors import InvalidState, NotAllowed
from hub.gate.actions import cast_vote
from hub.gate.model import Decision
from hub.ledger.actions import read_entries
from hub.ledger.events import EventKind
from hub.licensing.actions import find_licence, read_policy
from hub.licensing.rules import TableGrant, refusals_to_policy
from hub.products.actions import deliver_release, grants_of
from hub.rulebook.model import Pack
from hub.rulebook.packs import all_packs, pack_in_force, pack_of_label, pack_version
from hub.settings import Settings
from tests.factories import POLICY, Watch, actor, clinic_draft, district, licensed, room, submitted, working

OLD_DAYS = datetime(2025, 12, 1, 1, 0, tzinfo=UTC)
WEAK = POLICY.replace("k = 5", "k = 4")


def begun(folder: Path, watch: Watch) -> Hub:
    """A district whose ledger begins on another day than the factories' own."""
    hub = open_hub(Settings(state_dir=folder / "state"), clock=watch)
    appoint_cast(hub)
    return hub


def rules_of(hub: Hub, kind: EventKind = EventKind.LICENCE_GRANTED) -> str:
    """The label of the rules that the newest event of this kind was decided by."""
    with hub.reading() as session:
        events = [json.loads(entry.body) for entry in read_entries(session, limit=100)]
    found = [event for event in events if event["kind"] == kind]
    return str(found[0]["details"]["rules"])


def facts(hub: Hub) -> TableGrant:
    """The granted table as rules see it."""
    row = find_licence(hub, actor(hub, "bureau-officer"), "l-0001").tables[0]
    catalog = {column.name: column.column_class for column in clinic_draft().columns}
    policy, _ = read_policy(row.policy, table_id=row.table_id)
    return TableGrant(table_id=row.table_id, columns=tuple(row.columns), catalog=catalog, policy=policy)


def codes(grant: TableGrant, pack: Pack) -> list[str]:
    return [refusal.rule for refusal in refusals_to_policy(grant, pack)]


def test_same_facts_are_refused_under_one_version_and_not_under_the_other(tmp_path: Path) -> None:
    old, new = pack_version("district", "2025.1"), pack_version("district", "2026.1")
    hub = begun(tmp_path, Watch(OLD_DAYS))
    licensed(hub, policy=WEAK)
    assert codes(facts(hub), old) == []
    assert codes(facts(hub), new) == ["licence.policy_k"]


def test_grant_is_asked_again_under_the_version_its_event_names(tmp_path: Path) -> None:
    watch = Watch(OLD_DAYS)
    hub = begun(tmp_path, watch)
    licensed(hub, policy=WEAK)
    watch.move(days=365)
    assert pack_in_force(hub.clock()).version == "2026.1"
    assert pack_of_label(rules_of(hub)).version == "2025.1"
    assert codes(facts(hub), pack_of_label(rules_of(hub))) == []


def test_grant_of_today_is_decided_by_today_s_version(tmp_path: Path) -> None:
    hub = district(tmp_path / "state")
    with pytest.raises(NotAllowed) as caught:
        licensed(hub, policy=WEAK)
    assert caught.value.code == "licence.policy_k"


def test_label_in_the_ledger_names_the_version_to_the_byte(tmp_path: Path) -> None:
    hub = district(tmp_path / "state")
    licensed(hub)
    edited = tuple(replace(pack, digest="0" * 64) for pack in all_packs())
    assert pack_of_label(rules_of(hub)) is pack_in_force(hub.clock())
    with pytest.raises(InvalidState):
        pack_of_label(rules_of(hub), packs=edited)


@pytest.mark.parametrize(("set_hours", "lives"), [(10, 10), (72, 72), (100, 72)])
def test_site_may_shorten_a_download_grant_and_never_lengthen_it(tmp_path: Path, set_hours: int, lives: int) -> None:
    working(tmp_path / "state")
    hub = open_hub(Settings(state_dir=tmp_path / "state", grant_hours=set_hours), clock=Watch())
    request = submitted(hub, room(hub))
    for person in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="汇总表,没有小格,同意出域。",
        )
    officer = actor(hub, "release-officer")
    deliver_release(hub, officer, request_id=request.id, recipient_id="ky-admin")
    grant = grants_of(hub, officer, request.id)[0]
    assert grant.expires_at - hub.clock() == timedelta(hours=lives)
    assert pack_of_label(rules_of(hub, EventKind.GRANT_ISSUED)) is pack_in_force(hub.clock())


def test_nothing_is_granted_at_a_time_without_rules(tmp_path: Path) -> None:
    hub = begun(tmp_path, Watch(OLD_DAYS - timedelta(days=3650)))
    with pytest.raises(InvalidState) as caught:
        licensed(hub)
    assert caught.value.code == "rulebook.no_pack"
