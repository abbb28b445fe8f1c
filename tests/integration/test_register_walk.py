"""From a released request to a registered, priced, metered and disclosed product, through the actions a click calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.context import Hub
from hub.errors import HubError, NotFound
from hub.gate.actions import cast_vote
from hub.gate.model import Decision
from hub.ledger.actions import verify
from hub.ledger.events import EventKind
from hub.ledger.model import LedgerEntry
from hub.licensing.model import Lane
from hub.products.actions import deliver_release
from hub.register import actions
from hub.register.clock import Step, Timing
from hub.register.disclosure import Alarm, alarms, public_register, yearly_disclosure
from hub.register.model import ChargeUnit, DataProduct, RegistrationField, RegistrationStatus, RegistrationType
from tests import factories
from tests.factories import Watch, actor

S = RegistrationStatus
STATED = {field: f"stated {field.value}" for field in RegistrationField}


def released(hub: Hub, workspace: factories.Room) -> str:
    request = factories.submitted(hub, workspace)
    for person in ("mz-reviewer", "centre-reviewer"):
        cast_vote(
            hub,
            actor(hub, person),
            request_id=request.id,
            digest=request.digest,
            decision=Decision.APPROVE,
            reason="逐格看过,每格八十人。",
        )
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")
    return request.id


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    """A district with request r-0001 released in the public lane."""
    hub = factories.working(tmp_path / "state", clock=watch)
    released(hub, factories.room(hub))
    return hub


@pytest.fixture
def industry(tmp_path: Path, watch: Watch) -> Hub:
    """The same in the industry lane, entered as product d-0001, under a licence of 600 days."""
    hub = factories.district(tmp_path / "state", clock=watch)
    released(hub, factories.opened(hub, lane=Lane.INDUSTRY, days=600))
    proposed(hub)
    return hub


def proposed(hub: Hub) -> DataProduct:
    return actions.propose_product(
        hub,
        actor(hub, "ky-admin"),
        request_id="r-0001",
        name="街道就诊指数",
        description="按街道和年龄段汇总的就诊次数。",
    )


def applied(hub: Hub) -> DataProduct:
    return actions.apply_registration(hub, actor(hub, "ky-admin"), product_id="d-0001", stated=STATED)


def decided(hub: Hub, to: S, *, reason: str = "", code: str = "") -> DataProduct:
    return actions.decide_registration(
        hub, actor(hub, "bureau-officer"), product_id="d-0001", to=to, reason=reason, code=code
    )


def noticed(hub: Hub) -> None:
    proposed(hub)
    applied(hub)
    for to in (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        decided(hub, to)


def code_of(caught: pytest.ExceptionInfo[HubError]) -> str:
    return caught.value.code


def kinds(hub: Hub) -> list[str]:
    with hub.reading() as session:
        return [
            json.loads(body)["kind"] for body in session.scalars(select(LedgerEntry.body).order_by(LedgerEntry.seq))
        ]


def told(hub: Hub, person: str) -> list[tuple[Step, Timing]]:
    found: list[Alarm] = list(alarms(hub, actor(hub, person)))
    return [(alarm.due.step, alarm.timing) for alarm in found]


def test_product_takes_form_lane_and_digest_from_what_was_released(hub: Hub) -> None:
    product = proposed(hub)
    assert product.lane is Lane.PUBLIC
    with hub.reading() as session:
        bodies = [json.loads(body) for body in session.scalars(select(LedgerEntry.body))]
    delivered = next(body for body in bodies if body["kind"] == EventKind.RELEASE_DELIVERED)
    assert product.evidence_digest == delivered["object_digest"]
    assert product.status is S.DUE


def test_registration_goes_its_way_and_everything_is_in_the_ledger(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    with pytest.raises(HubError) as caught:
        decided(hub, S.CODED, code="C-1")
    assert code_of(caught) == "register.notice_running"
    watch.move(days=16)
    product = decided(hub, S.CODED, code="C-1")
    assert product.valid_until is not None
    assert (product.valid_until - hub.clock().date()).days == 14  # the licence of 30 days ends before three years do
    assert kinds(hub)[-6:] == [
        EventKind.REGISTRATION_APPLIED,
        *[EventKind.REGISTRATION_DECIDED] * 3,
        EventKind.ACTION_REFUSED,
        EventKind.REGISTRATION_DECIDED,
    ]
    with hub.reading() as session:
        assert verify(session, public=hub.ledger_key.public_key().public_bytes_raw()).holds


def test_missing_field_stops_the_application_and_nothing_is_kept(hub: Hub) -> None:
    proposed(hub)
    with pytest.raises(HubError) as caught:
        actions.apply_registration(
            hub,
            actor(hub, "ky-admin"),
            product_id="d-0001",
            stated={**STATED, RegistrationField.RISK_REPORT: ""},
        )
    assert [refusal.rule for refusal in caught.value.refusals] == ["register.field_missing"]
    assert actions.find_product(hub, actor(hub, "ky-admin"), "d-0001").stated == {}


def test_request_that_was_not_released_is_no_product(tmp_path: Path) -> None:
    hub = factories.working(tmp_path / "state")
    factories.submitted(hub, factories.room(hub))
    with pytest.raises(NotFound):
        proposed(hub)


def test_released_request_is_a_product_once(hub: Hub) -> None:
    proposed(hub)
    with pytest.raises(HubError) as caught:
        proposed(hub)
    assert code_of(caught) == "register.twice"


def test_other_operator_sees_and_does_nothing(hub: Hub) -> None:
    proposed(hub)
    rival = actor(hub, "ps-admin")
    assert actions.list_products(hub, rival) == []
    for act in (
        lambda: actions.find_product(hub, rival, "d-0001"),
        lambda: actions.apply_registration(hub, rival, product_id="d-0001", stated=STATED),
        lambda: actions.set_price(hub, rival, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1"),
        lambda: actions.propose_product(hub, rival, request_id="r-0001", name="x", description="x" * 20),
    ):
        with pytest.raises(NotFound):
            act()


def test_clock_runs_from_delivery_even_when_nobody_enters_the_product(hub: Hub, watch: Watch) -> None:
    assert told(hub, "ky-admin") == []
    watch.move(days=25)
    assert told(hub, "ky-admin") == [(Step.APPLY, Timing.DUE_SOON)]
    assert told(hub, "bureau-officer") == []
    watch.move(days=10)
    assert told(hub, "ky-admin") == [(Step.APPLY, Timing.OVERDUE)]
    assert told(hub, "bureau-officer") == [(Step.APPLY, Timing.OVERDUE)]
    assert told(hub, "ps-admin") == []
    assert told(hub, "ky-analyst") == []
    proposed(hub)
    assert told(hub, "ky-admin") == [(Step.APPLY, Timing.OVERDUE)]
    applied(hub)
    assert told(hub, "ky-admin") == []
    assert told(hub, "bureau-officer") == [(Step.ACCEPT, Timing.DUE_SOON)]


def test_public_product_takes_no_price_at_all(hub: Hub) -> None:
    proposed(hub)
    for yuan in ("0", "1", "nothing"):
        with pytest.raises(HubError) as caught:
            actions.set_price(hub, actor(hub, "ky-admin"), product_id="d-0001", unit=ChargeUnit.CALLS, yuan=yuan)
        assert code_of(caught) == "lane.public_priced"
    assert applied(hub).status is S.APPLIED


def test_industry_product_is_registered_with_a_price_under_its_cap_only(industry: Hub) -> None:
    admin, officer = actor(industry, "ky-admin"), actor(industry, "bureau-officer")

    def price(yuan: str) -> None:
        actions.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan=yuan)

    with pytest.raises(HubError) as caught:
        applied(industry)
    assert code_of(caught) == "price.missing"
    with pytest.raises(HubError) as caught:
        price("1")
    assert code_of(caught) == "price.no_cap"
    actions.enter_cap(
        industry, officer, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="0.80", document_ref="演示价〔2026〕1号"
    )
    with pytest.raises(HubError) as caught:
        price("0.81")
    assert code_of(caught) == "price.above_cap"
    price("0.8")
    assert applied(industry).status is S.APPLIED


def test_cap_lowered_below_the_price_stops_the_code(industry: Hub, watch: Watch) -> None:
    admin, officer = actor(industry, "ky-admin"), actor(industry, "bureau-officer")
    cap = {"product_id": "d-0001", "unit": ChargeUnit.HOURS, "document_ref": "演示价〔2026〕1号"}
    actions.enter_cap(industry, officer, yuan="5", **cap)  # type: ignore[arg-type]
    actions.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.HOURS, yuan="5")
    applied(industry)
    for to in (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        decided(industry, to)
    watch.move(days=16)
    actions.enter_cap(industry, officer, yuan="4.99", **cap)  # type: ignore[arg-type]
    with pytest.raises(HubError) as caught:
        decided(industry, S.CODED, code="C-1")
    assert code_of(caught) == "price.above_cap"
    actions.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.HOURS, yuan="4.99")
    assert decided(industry, S.CODED, code="C-1").status is S.CODED


def test_renewal_never_outlives_the_licence(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    watch.move(days=16)
    decided(hub, S.CODED, code="C-1")
    assert told(hub, "ky-admin") == [(Step.RENEW, Timing.DUE_SOON)]
    with pytest.raises(HubError) as caught:
        actions.renew_registration(hub, actor(hub, "bureau-officer"), product_id="d-0001")
    assert code_of(caught) == "register.renewal_term"


def test_wrong_meter_is_corrected_by_a_row_and_counted_once(hub: Hub, watch: Watch) -> None:
    proposed(hub)
    watch.move(days=10)
    first = hub.clock().date()
    admin = actor(hub, "ky-admin")
    wrong = actions.meter_usage(
        hub, admin, product_id="d-0001", unit=ChargeUnit.CALLS, amount=1000, first=first, last=first
    )
    actions.meter_usage(
        hub, admin, product_id="d-0001", unit=ChargeUnit.CALLS, amount=10, first=first, last=first, corrects=wrong.id
    )
    actions.meter_usage(hub, admin, product_id="d-0001", unit=ChargeUnit.HOURS, amount=3, first=first, last=first)
    product = actions.find_product(hub, admin, "d-0001")
    assert actions.usage_of(product) == {ChargeUnit.CALLS: 10, ChargeUnit.HOURS: 3}
    assert actions.usage_of(product, year=first.year - 1) == {}
    assert [row.amount for row in product.meters] == [1000, 10, 3]
    assert kinds(hub)[-3:] == [EventKind.USAGE_METERED] * 3


def test_public_view_holds_four_things_and_only_of_published_products(hub: Hub, watch: Watch) -> None:
    proposed(hub)
    applied(hub)
    assert public_register(hub) == []
    for to in (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        decided(hub, to)
    (entry,) = public_register(hub)
    assert (entry.subject_en, entry.type, entry.name, entry.description) == (
        "Example elder-care services",
        RegistrationType.FIRST,
        "街道就诊指数",
        "按街道和年龄段汇总的就诊次数。",
    )
    decided(hub, S.OBJECTED, reason="实名异议,附证据。")
    decided(hub, S.TERMINATED, reason="异议成立。")
    assert public_register(hub) == []


def test_lapsed_registration_leaves_the_public_view(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    watch.move(days=16)
    decided(hub, S.CODED, code="C-1")
    assert len(public_register(hub)) == 1
    watch.move(days=14)
    assert public_register(hub) == []
    assert (Step.RENEW, Timing.OVERDUE) in told(hub, "bureau-officer")


def test_disclosure_of_a_year_tells_licences_and_products_and_no_more(hub: Hub) -> None:
    noticed(hub)
    found = yearly_disclosure(hub, year=2026)
    assert [licence["operator"] for licence in found["licences"]] == ["示例康养服务"]
    (product,) = found["products"]
    assert set(product) == {"subject", "type", "name", "description", "use"}
    assert yearly_disclosure(hub, year=2025) == {"format": 1, "year": 2025, "licences": [], "products": []}
    assert "stated" not in json.dumps(found)
