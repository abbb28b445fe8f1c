"""What ends a workspace takes effect on a real site within a minute: for kernels at once, for boxes at the next look.

Seven workspaces run side by side, then everything that can end one happens at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from hub.catalog.model import Origin
from hub.context import Hub, open_hub
from hub.demo.codes import keep, kept, secret_of
from hub.demo.ladder import climb
from hub.demo.people import appoint_cast
from hub.extracts.actions import list_extracts, revoke_extract
from hub.ledger.actions import read_entries
from hub.licensing.actions import suspend_licence
from hub.licensing.annex import remove_personnel
from hub.licensing.model import ExtractLevel
from hub.people.accounts import appoint_person, close_account
from hub.people.actions import record_training
from hub.people.actor import Role
from hub.people.sign_in import unsafe_enrol
from hub.settings import Settings
from hub.sharing.actions import decide_consent, withdraw_consent
from tests import factories
from tests.factories import actor
from tests.integration.jupyter_house import Page, Site, Visitor, within

MONTH = timedelta(days=30)


class ShiftedSite(Site):
    """A site whose clock the test moves."""

    @property
    def clock_file(self) -> Path:
        return self.folder / "clock"

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "ZHAKOU_UNSAFE_CLOCK_FILE": str(self.clock_file)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What ends a workspace, and the code of the reason."""

    code: str
    person: str
    licence: str
    act: Callable[[Hub], object]


def officer(hub: Hub) -> factories.Actor:
    return actor(hub, "bureau-officer")


def lapse(hub: Hub) -> None:
    now = hub.clock()
    record_training(hub, officer(hub), person_id="ky-second", trained_until=now, confidentiality_until=now)


def revoke(hub: Hub) -> None:
    steward = actor(hub, "mz-steward")
    for extract in list_extracts(hub, steward, licence_id="l-0003"):
        revoke_extract(hub, steward, extract_id=extract.id, reason="数据部门停用,核查来源。")


def take_off(hub: Hub) -> None:
    admin = actor(hub, "ky-admin")
    remove_personnel(hub, admin, licence_id="l-0004", person_id="ky-fourth", reason="岗位变动。")


def expire(hub: Hub) -> None:
    Path(hub.settings.unsafe_clock_file).write_text(str(int(MONTH.total_seconds()) + 60))


ENDINGS = [
    Ending(
        code="licence.consent_withdrawn",
        person="ky-analyst",
        licence="l-0001",
        act=lambda hub: withdraw_consent(hub, actor(hub, "wj-steward"), consent_id="c-0001", reason="约定已到期。"),
    ),
    Ending(
        code="licence.suspended",
        person="ky-analyst",
        licence="l-0002",
        act=lambda hub: suspend_licence(hub, officer(hub), licence_id="l-0002", reason="演示中止,核查用途。"),
    ),
    Ending(code="extract.revoked", person="ky-analyst", licence="l-0003", act=revoke),
    Ending(code="person.training_lapsed", person="ky-second", licence="l-0004", act=lapse),
    Ending(
        code="person.closed",
        person="ky-third",
        licence="l-0004",
        act=lambda hub: close_account(hub, officer(hub), person_id="ky-third"),
    ),
    Ending(code="licence.not_listed", person="ky-fourth", licence="l-0004", act=take_off),
    Ending(code="licence.expired", person="ky-analyst", licence="l-0005", act=expire),
]
"""The clock is moved last: it stands for all."""


def licence(hub: Hub, table_id: str, *, days: int = 300) -> None:
    scenario_id = factories.approved_scenario(hub, table_ids=[table_id])
    if table_id == "shared":
        decide_consent(hub, actor(hub, "wj-steward"), consent_id="c-0001", give=True, reason="用途在共享约定之内。")
    policy = {"items.scope.tables.0.policy": factories.POLICY}
    granted = factories.agreed(hub, scenario_id, days=days, changes=policy)
    climb(hub, licence_id=granted.id, table_id=table_id, level=ExtractLevel.SYNTHETIC, requester="ky-analyst")


def analyst(hub: Hub, name: str) -> None:
    later = hub.clock() + timedelta(days=365)
    appoint_person(
        hub,
        officer(hub),
        person_id=name,
        name_zh="演示分析师",
        name_en="Demonstration analyst",
        org_id="kangyang",
        roles=frozenset({Role.ANALYST}),
        trained_until=later,
        confidentiality_until=later,
    )
    demo = kept(hub.settings.state_dir)
    unsafe_enrol(hub, {name: secret_of(demo["seed"], name)}, password=demo["password"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShiftedSite]:
    made = ShiftedSite(tmp_path_factory.mktemp("e"))
    made.clock_file.write_text("0")
    hub = open_hub(Settings(state_dir=made.state, unsafe_clock_file=str(made.clock_file)))
    appoint_cast(hub)
    factories.published(hub, id="clinic_visits")
    factories.published(hub, id="shared", origin=Origin.SHARED_IN, provider_org="wj")
    for name in ("ky-second", "ky-third", "ky-fourth"):
        analyst(hub, name)
    licence(hub, "shared")
    for days in (300, 300, 300, MONTH.days):
        licence(hub, "clinic_visits", days=days)
    keep(made.state, {**kept(made.state), "complete": True})
    hub.database.engine.dispose()
    made.start()
    yield made
    made.stop()


def closed(site: Site) -> dict[str, list[str]]:
    """Reasons by workspace."""
    hub = open_hub(Settings(state_dir=site.state))
    with hub.reading() as session:
        events = [json.loads(entry.body) for entry in read_entries(session, limit=1000)]
    hub.database.engine.dispose()
    return {one["object_id"]: one["reason_codes"] for one in events if one["kind"] == "workspace.closed"}


def start_kernel(visitor: Visitor, one: Ending) -> Page:
    base = f"/user/{one.person}/{one.licence}"
    token = next(cookie.value for cookie in visitor.cookies if cookie.name == "_xsrf" and cookie.path == f"{base}/")
    return visitor.get(f"{base}/api/kernels", method="POST", headers={"X-XSRFToken": str(token)})


def test_everything_that_ends_a_workspace_takes_effect_within_a_minute(site: ShiftedSite) -> None:
    visitors: dict[str, Visitor] = {}
    for one in ENDINGS:
        if one.person not in visitors:
            visitors[one.person] = Visitor(site)
            assert visitors[one.person].sign_in(one.person, site.password).status == 200
        page = visitors[one.person].open_workspace(one.person, one.licence)
        assert (page.status, "/hub/" in page.address) == (200, False), page.text
    first = ENDINGS[0]
    assert start_kernel(visitors[first.person], first).status == 201
    assert not closed(site)

    hub = open_hub(Settings(state_dir=site.state, unsafe_clock_file=str(site.clock_file)))
    began = time.monotonic()
    first.act(hub)
    refused = start_kernel(visitors[first.person], first)
    assert refused.status == 403
    assert first.code in refused.text
    for one in ENDINGS[1:]:
        one.act(hub)
    hub.database.engine.dispose()
    assert within(60, lambda: len(closed(site)) == len(ENDINGS)), closed(site)
    assert time.monotonic() - began < 60
    assert set(map(tuple, closed(site).values())) == {("licence",)}

    site.clock_file.write_text("0")  # sessions have ended by the moved clock
    analyst = Visitor(site)
    analyst.sign_in("ky-analyst", site.password)
    for one in ENDINGS[:3]:
        page = analyst.get(f"/user/{one.person}/{one.licence}/lab")
        assert one.code in page.text
        assert "It was ended for this reason" in page.text
    for one in ENDINGS[:2]:
        again = analyst.open_workspace(one.person, one.licence)
        assert (again.status, one.code in again.text) == (403, True)
