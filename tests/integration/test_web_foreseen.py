"""What would be refused is not offered: the page says so before anybody fills in a form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.catalog.model import Origin
from hub.context import Hub
from hub.demo.licences import give_opinions
from hub.licensing.actions import decide_scenario, file_scenario
from hub.licensing.model import Lane
from hub.sharing.actions import decide_consent
from tests import factories
from tests.factories import actor
from tests.integration.web_house import House, open_house

DRAFT = "licences/draft/s-0001"


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    """An approved scenario whose only table was shared in; its provider has not answered."""
    hub = factories.district(tmp_path / "state")
    factories.published(hub, origin=Origin.SHARED_IN, provider_org="wj")
    file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="演示",
        purpose="按街道统计就诊次数，用于站点规划。",
        lane=Lane.PUBLIC,
        table_ids=["clinic_visits"],
    )
    give_opinions(hub, "s-0001")
    decide_scenario(hub, actor(hub, "bureau-officer"), scenario_id="s-0001", approve=True, reason="用途明确。")
    return hub


@pytest.fixture
def house(hub: Hub) -> Iterator[House]:
    with open_house(hub) as house:
        yield house


def button(page: str) -> str:
    """The form's own button, the last on the page."""
    return page[page.rindex("<button") :].split(">")[0]


def test_agreement_on_a_table_without_consent_is_not_offered(house: House, hub: Hub) -> None:
    officer = house.browser_of("bureau-officer")
    assert f'{DRAFT}"' not in officer.get("").text
    form = officer.get(DRAFT).text
    assert "licence.consent_missing" in form
    assert "disabled" in button(form)
    decide_consent(hub, actor(hub, "wj-steward"), consent_id="c-0001", give=True, reason="用途在共享约定之内。")
    assert f'{DRAFT}"' in officer.get("").text
    form = officer.get(DRAFT).text
    assert "licence.consent_missing" not in form
    assert "disabled" not in button(form)


def test_ledger_is_shown_as_shut_to_whoever_may_not_read_it(house: House) -> None:
    for person, may_read in (("auditor", True), ("bureau-officer", True), ("ky-analyst", False), ("mz-steward", False)):
        page = house.browser_of(person).get("").text
        assert ('/ledger"' in page, 'aria-disabled="true"' in page) == (may_read, not may_read), person
