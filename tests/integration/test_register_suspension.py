"""The daily look proposes to suspend a licence for the causes that its agreement names; a person decides."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.context import Hub
from hub.licensing.actions import find_licence, suspend_licence
from hub.licensing.annex import remove_personnel
from hub.licensing.model import LicenceStatus, SuspensionTrigger
from hub.people.accounts import close_account
from hub.people.actions import record_training
from hub.register.suspension import suspension_proposals
from tests import factories
from tests.factories import Watch, actor


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    hub = factories.district(tmp_path / "s", clock=watch)
    factories.agreed(hub, factories.approved_scenario(hub), days=600)
    return hub


def triggers(hub: Hub, person: str = "bureau-officer") -> list[SuspensionTrigger]:
    return [one.trigger for one in suspension_proposals(hub, actor(hub, person))]


def test_nothing_is_proposed_while_everything_is_in_date(hub: Hub) -> None:
    assert triggers(hub) == []


def test_lapse_of_the_security_officer_is_proposed_until_it_is_mended(hub: Hub) -> None:
    officer, now = actor(hub, "bureau-officer"), hub.clock()
    record_training(hub, officer, person_id="ky-admin", trained_until=now, confidentiality_until=now)
    assert triggers(hub) == [SuspensionTrigger.SECURITY_OFFICER]
    assert find_licence(hub, officer, "l-0001").status is LicenceStatus.ACTIVE  # nothing happens by itself
    later = now + timedelta(days=300)
    record_training(hub, officer, person_id="ky-admin", trained_until=later, confidentiality_until=later)
    assert triggers(hub) == []


def test_security_officer_who_left_the_list_or_the_house_is_proposed(hub: Hub) -> None:
    officer = actor(hub, "bureau-officer")
    remove_personnel(hub, officer, licence_id="l-0001", person_id="ky-admin", reason="已离职。")
    assert triggers(hub) == [SuspensionTrigger.SECURITY_OFFICER]
    close_account(hub, officer, person_id="ky-admin")
    assert triggers(hub) == [SuspensionTrigger.SECURITY_OFFICER]


def test_overdue_report_is_proposed_from_april_on(hub: Hub, watch: Watch) -> None:
    watch.now = watch.now.replace(year=2027, month=3, day=31)
    assert triggers(hub) == []
    watch.move(days=1)
    assert set(triggers(hub)) == {SuspensionTrigger.REPORT_OVERDUE}


def test_what_the_agreement_does_not_name_is_not_proposed(tmp_path: Path) -> None:
    hub = factories.district(tmp_path / "s")
    named = {"items.change.suspension_triggers": [SuspensionTrigger.AUTHORITY_ORDER.value]}
    factories.agreed(hub, factories.approved_scenario(hub), changes=named)
    officer, now = actor(hub, "bureau-officer"), hub.clock()
    record_training(hub, officer, person_id="ky-admin", trained_until=now, confidentiality_until=now)
    assert triggers(hub) == []


def test_suspended_licence_is_proposed_no_more_and_operators_see_no_proposals(hub: Hub) -> None:
    officer, now = actor(hub, "bureau-officer"), hub.clock()
    record_training(hub, officer, person_id="ky-admin", trained_until=now, confidentiality_until=now)
    assert triggers(hub, "ky-analyst") == triggers(hub, "auditor") == []
    suspend_licence(hub, officer, licence_id="l-0001", reason="安全负责人培训过期。")
    assert triggers(hub) == []
