"""From a released request to a registered, priced, metered and disclosed product, through the actions a click calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
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
from hub.licensing.actions import suspend_licence, terminate_licence
from hub.licensing.model import Lane, Licence
from hub.products.actions import deliver_release
from hub.register import actions, charging
from hub.register.amendments import apply_amendment, decide_amendment, decide_objection, raise_objection
from hub.register.clock import Step, Timing
from hub.register.codes import is_query_code
from hub.register.disclosure import Alarm, alarms, in_notice, public_register, registration_of
from hub.register.materials import Stated, read_stated
from hub.register.model import (
    AmendmentStatus,
    ChargeUnit,
    DataProduct,
    ObjectionStatus,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
)
from hub.register.papers import yearly_disclosure
from tests import factories
from tests.factories import Watch, actor

S = RegistrationStatus
STATED = factories.STATED
CAP = {"document_ref": "演示价〔2026〕1号", "decided_on": date(2026, 11, 1), "review_by": date(2029, 11, 1)}


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


def decided(hub: Hub, to: S, *, reason: str = "") -> DataProduct:
    return actions.decide_registration(hub, actor(hub, "bureau-officer"), product_id="d-0001", to=to, reason=reason)


def noticed(hub: Hub) -> None:
    proposed(hub)
    applied(hub)
    for to in (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        decided(hub, to)


def amended(hub: Hub, kind: RegistrationType, **given: object) -> object:
    words = {"grounds": "数据覆盖范围扩大,产品随之变化。", **given}
    return apply_amendment(hub, actor(hub, "ky-admin"), product_id="d-0001", kind=kind, **words)  # type: ignore[arg-type]


def moved(hub: Hub, to: AmendmentStatus, *, amendment: str = "v-0001", reason: str = "") -> None:
    officer = actor(hub, "bureau-officer")
    decide_amendment(hub, officer, product_id="d-0001", amendment_id=amendment, to=to, reason=reason)


def objected(hub: Hub, person: str = "bureau-officer", name: str = "外部某人") -> str:
    return raise_objection(
        hub,
        actor(hub, person),
        product_id="d-0001",
        objector=name,
        contact="电话 12000000000",
        grounds="公示内容与实际来源不符,附证据。",
        evidence="e" * 64,
    ).id


def judged(hub: Hub, to: ObjectionStatus, objection: str = "o-0001") -> None:
    officer = actor(hub, "bureau-officer")
    decide_objection(hub, officer, product_id="d-0001", objection_id=objection, to=to, reason="核对过全部证据。")


def coded(hub: Hub, watch: Watch) -> DataProduct:
    noticed(hub)
    watch.move(days=16)
    return decided(hub, S.CODED)


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
        decided(hub, S.CODED)
    assert code_of(caught) == "register.notice_running"
    watch.move(days=16)
    product = decided(hub, S.CODED)
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
        lambda: charging.set_price(hub, rival, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1"),
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
            charging.set_price(hub, actor(hub, "ky-admin"), product_id="d-0001", unit=ChargeUnit.CALLS, yuan=yuan)
        assert code_of(caught) == "lane.public_priced"
    assert applied(hub).status is S.APPLIED


def test_industry_product_is_registered_with_a_price_under_its_cap_only(industry: Hub) -> None:
    admin, officer = actor(industry, "ky-admin"), actor(industry, "bureau-officer")

    def price(yuan: str) -> None:
        charging.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan=yuan)

    with pytest.raises(HubError) as caught:
        applied(industry)
    assert code_of(caught) == "price.missing"
    with pytest.raises(HubError) as caught:
        price("1")
    assert code_of(caught) == "price.no_cap"
    charging.enter_cap(industry, officer, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="0.80", **CAP)
    with pytest.raises(HubError) as caught:
        price("0.81")
    assert code_of(caught) == "price.above_cap"
    price("0.8")
    assert applied(industry).status is S.APPLIED


def test_cap_lowered_below_the_price_stops_the_code(industry: Hub, watch: Watch) -> None:
    admin, officer = actor(industry, "ky-admin"), actor(industry, "bureau-officer")
    cap = {"product_id": "d-0001", "unit": ChargeUnit.HOURS, **CAP}
    charging.enter_cap(industry, officer, yuan="5", **cap)  # type: ignore[arg-type]
    charging.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.HOURS, yuan="5")
    applied(industry)
    for to in (S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        decided(industry, to)
    watch.move(days=16)
    charging.enter_cap(industry, officer, yuan="4.99", **cap)  # type: ignore[arg-type]
    with pytest.raises(HubError) as caught:
        decided(industry, S.CODED)
    assert code_of(caught) == "price.above_cap"
    charging.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.HOURS, yuan="4.99")
    assert decided(industry, S.CODED).status is S.CODED


@pytest.mark.parametrize("stop", [suspend_licence, terminate_licence])
def test_no_code_is_given_under_a_licence_that_was_stopped(
    hub: Hub, watch: Watch, stop: Callable[..., Licence]
) -> None:
    noticed(hub)
    watch.move(days=16)
    stop(hub, actor(hub, "bureau-officer"), licence_id="l-0001", reason="核查中发现超范围使用。")
    with pytest.raises(HubError) as caught:
        decided(hub, S.CODED)
    assert code_of(caught) in ("licence.suspended", "licence.terminated")
    assert actions.find_product(hub, actor(hub, "bureau-officer"), "d-0001").code == ""


def test_no_registration_is_renewed_under_a_suspended_licence(industry: Hub, watch: Watch) -> None:
    priced_and_coded(industry, watch)
    amended(industry, RegistrationType.RENEWAL)
    officer = actor(industry, "bureau-officer")
    suspend_licence(industry, officer, licence_id="l-0001", reason="核查中发现超范围使用。")
    with pytest.raises(HubError) as caught:
        moved(industry, AmendmentStatus.ENTERED)
    assert code_of(caught) == "licence.suspended"


def test_renewal_never_outlives_the_licence(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    watch.move(days=16)
    decided(hub, S.CODED)
    assert told(hub, "ky-admin") == [(Step.RENEW, Timing.DUE_SOON)]
    with pytest.raises(HubError) as caught:
        amended(hub, RegistrationType.RENEWAL)
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
    assert in_notice(hub) == [("d-0001", entry)]
    assert (entry.subject_en, entry.type, entry.name, entry.description) == (
        "Example elder-care services",
        RegistrationType.FIRST,
        "街道就诊指数",
        "按街道和年龄段汇总的就诊次数。",
    )
    objected(hub)
    judged(hub, ObjectionStatus.UPHELD)
    assert public_register(hub) == []


def test_lapsed_registration_leaves_the_public_view(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    watch.move(days=16)
    decided(hub, S.CODED)
    assert len(public_register(hub)) == 1
    watch.move(days=14)
    assert public_register(hub) == []
    watch.move(days=10)
    assert (Step.CANCEL, Timing.DUE_SOON) in told(hub, "bureau-officer")
    decided(hub, S.CANCELLED, reason="期满未续展。")
    assert (Step.CANCEL, Timing.DUE_SOON) not in told(hub, "bureau-officer")


def test_disclosure_of_a_year_tells_licences_and_products_and_no_more(hub: Hub) -> None:
    noticed(hub)
    found = yearly_disclosure(hub, year=2026)
    assert [licence["operator"] for licence in found["licences"]] == ["示例康养服务"]
    (product,) = found["products"]
    assert set(product) == {"subject", "type", "name", "description", "use"}
    assert yearly_disclosure(hub, year=2025) == {"format": 1, "year": 2025, "licences": [], "products": []}
    assert "stated" not in json.dumps(found)


def test_materials_are_kept_as_applied_for_in_all_seven_groups(hub: Hub) -> None:
    proposed(hub)
    product = applied(hub)
    assert set(product.materials) == {"subject", "source", "resource", "evidence", "product", "scenario", "risk"}
    assert product.materials["evidence"]["digest"] == product.evidence_digest
    typed = read_stated({RegistrationField(name): text for name, text in product.stated.items()})
    assert isinstance(typed, Stated)
    assert (typed.data_rows, typed.risk_date) == (240, date(2026, 11, 1))


def test_product_whose_evidence_was_edited_is_not_registered(hub: Hub) -> None:
    proposed(hub)
    with hub.database.writing() as session:
        session.get_one(DataProduct, "d-0001").evidence_digest = "0" * 64
    with pytest.raises(HubError) as caught:
        applied(hub)
    assert code_of(caught) == "register.evidence"


def test_code_carries_check_digits_and_is_found_by_everyone(hub: Hub, watch: Watch) -> None:
    product = coded(hub, watch)
    assert is_query_code(product.code)
    found = registration_of(hub, product.code)
    assert found is not None
    assert found.name == product.name
    mistyped = product.code[:-4] + product.code[-3] + product.code[-4] + product.code[-2:]
    assert mistyped == product.code or registration_of(hub, mistyped) is None


def test_dismissed_objection_lets_the_notice_go_on_and_an_upheld_one_ends_it(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    began = actions.find_product(hub, actor(hub, "ky-admin"), "d-0001").notice_began
    objected(hub)
    objected(hub, "mz-steward")
    watch.move(days=16)
    with pytest.raises(HubError) as caught:
        decided(hub, S.CODED)
    assert code_of(caught) == "register.status"
    judged(hub, ObjectionStatus.DISMISSED)
    assert actions.find_product(hub, actor(hub, "ky-admin"), "d-0001").status is S.OBJECTED
    judged(hub, ObjectionStatus.DISMISSED, "o-0002")
    product = actions.find_product(hub, actor(hub, "ky-admin"), "d-0001")
    assert (product.status, product.notice_began) == (S.PUBLIC_NOTICE, began)
    assert decided(hub, S.CODED).status is S.CODED


def test_objector_is_named_nowhere_in_the_ledger_and_never_by_someone_else(hub: Hub) -> None:
    noticed(hub)
    objected(hub, name="外部某人")
    objected(hub, "mz-steward", name="冒用之名")
    product = actions.find_product(hub, actor(hub, "bureau-officer"), "d-0001")
    assert product.objections[0].objector == "外部某人"
    assert "冒用之名" not in [one.objector for one in product.objections]
    with hub.reading() as session:
        whole = "".join(session.scalars(select(LedgerEntry.body)))
    assert "外部某人" not in whole
    assert "12000000000" not in whole


def test_objection_after_the_notice_is_refused(hub: Hub, watch: Watch) -> None:
    noticed(hub)
    watch.move(days=16)
    with pytest.raises(HubError) as caught:
        objected(hub)
    assert code_of(caught) == "objection.notice_over"


def test_change_is_told_to_the_public_and_takes_effect_when_entered(hub: Hub, watch: Watch) -> None:
    coded(hub, watch)
    amended(hub, RegistrationType.CHANGE, name="街道就诊指数二版", stated={RegistrationField.DATA_ROWS: "500"})
    for to in (AmendmentStatus.ACCEPTED, AmendmentStatus.FORM_REVIEWED, AmendmentStatus.PUBLIC_NOTICE):
        moved(hub, to)
    assert [(entry.type, entry.name) for entry in public_register(hub)] == [
        (RegistrationType.FIRST, "街道就诊指数"),
        (RegistrationType.CHANGE, "街道就诊指数二版"),
    ]
    with pytest.raises(HubError) as caught:
        moved(hub, AmendmentStatus.ENTERED)
    assert code_of(caught) == "register.notice_running"
    objected(hub)
    judged(hub, ObjectionStatus.UPHELD)
    product = actions.find_product(hub, actor(hub, "ky-admin"), "d-0001")
    assert (product.status, product.name) == (S.CODED, "街道就诊指数")  # the change ended, the registration stands
    assert product.amendments[0].status is AmendmentStatus.TERMINATED


def test_correction_mends_a_field_with_proof_and_without_a_notice(hub: Hub, watch: Watch) -> None:
    coded(hub, watch)
    rows = {RegistrationField.DATA_ROWS: "241"}
    with pytest.raises(HubError) as caught:
        amended(hub, RegistrationType.CORRECTION, stated=rows)
    assert code_of(caught) == "amendment.proof"
    amended(hub, RegistrationType.CORRECTION, stated=rows, proof="a" * 64)
    moved(hub, AmendmentStatus.ACCEPTED)
    moved(hub, AmendmentStatus.ENTERED)
    product = actions.find_product(hub, actor(hub, "ky-admin"), "d-0001")
    assert product.materials["resource"]["rows"] == 241
    assert product.type is RegistrationType.CORRECTION


def test_cancellation_ends_a_registration_and_frees_nothing_else(hub: Hub, watch: Watch) -> None:
    product = coded(hub, watch)
    amended(hub, RegistrationType.CANCELLATION)
    with pytest.raises(HubError) as caught:
        amended(hub, RegistrationType.CANCELLATION)
    assert code_of(caught) == "amendment.open"
    moved(hub, AmendmentStatus.ACCEPTED)
    moved(hub, AmendmentStatus.ENTERED)
    assert registration_of(hub, product.code) is None
    assert kinds(hub)[-1] == EventKind.AMENDMENT_DECIDED


def test_renewal_adds_at_most_three_years_and_is_an_event_of_its_own(industry: Hub, watch: Watch) -> None:
    priced_and_coded(industry, watch)
    amended(industry, RegistrationType.RENEWAL)
    moved(industry, AmendmentStatus.ENTERED)
    product = actions.find_product(industry, actor(industry, "ky-admin"), "d-0001")
    assert product.valid_until == date(2028, 7, 16)  # the licence of 600 days ends before three years do
    assert kinds(industry)[-1] == EventKind.REGISTRATION_RENEWED


def priced_and_coded(hub: Hub, watch: Watch) -> None:
    """Registered, and its renewal due."""
    charged(hub)
    for to in (S.APPLIED, S.ACCEPTED, S.FORM_REVIEWED, S.PUBLIC_NOTICE):
        applied(hub) if to is S.APPLIED else decided(hub, to)
    watch.move(days=16)
    decided(hub, S.CODED)
    with hub.database.writing() as session:  # as if it had been registered for a month alone
        session.get_one(DataProduct, "d-0001").valid_until = date(2026, 12, 31)


def charged(hub: Hub) -> None:
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    charging.enter_cap(hub, officer, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1", **CAP)  # type: ignore[arg-type]
    charging.set_price(hub, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1")


def test_cap_past_its_review_carries_no_price(industry: Hub, watch: Watch) -> None:
    officer, admin = actor(industry, "bureau-officer"), actor(industry, "ky-admin")
    short = {**CAP, "review_by": date(2026, 12, 1)}
    charging.enter_cap(industry, officer, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1", **short)  # type: ignore[arg-type]
    assert (Step.PRICE_REVIEW, Timing.DUE_SOON) in told(industry, "bureau-officer")
    watch.move(days=8)
    assert (Step.PRICE_REVIEW, Timing.OVERDUE) in told(industry, "bureau-officer")
    with pytest.raises(HubError) as caught:
        charging.set_price(industry, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1")
    assert code_of(caught) == "price.cap_outdated"


def test_notice_into_an_unpublished_year_runs_until_its_latest_end(tmp_path: Path, watch: Watch) -> None:
    hub = factories.district(tmp_path / "state", clock=watch)
    released(hub, factories.opened(hub, days=600))
    watch.move(days=28)
    noticed(hub)  # on 22 December: ten working days end in 2027
    watch.move(days=16)  # by plain weekdays it would have ended the day before
    with pytest.raises(HubError) as caught:
        decided(hub, S.CODED)
    assert code_of(caught) == "register.notice_running"
    watch.move(days=1)
    decided(hub, S.CODED)
    assert [product.status for product in actions.list_products(hub, actor(hub, "auditor"))] == [S.CODED]
