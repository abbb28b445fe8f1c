"""Every past decision is asked again under its own version, whatever is in force now; a meddled one does not stand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from hub.context import Hub
from hub.gate.actions import cast_vote
from hub.gate.model import Decision, Vote
from hub.ledger.events import DECIDED_BY_RULES, EventKind
from hub.ledger.model import LedgerEntry
from hub.licensing.model import Lane
from hub.products.actions import deliver_release
from hub.register import actions, amendments, charging
from hub.register.model import (
    AmendmentStatus,
    ChargeUnit,
    DataProduct,
    Price,
    PriceCap,
    RegistrationStatus,
    RegistrationType,
)
from hub.replay import ASK, Replayed, replay
from hub.rulebook.model import Pack
from hub.rulebook.packs import all_packs
from hub.rulebook.parameters import Parameter
from tests import factories
from tests.factories import STATED, Watch, actor

P = Parameter
WAY = (
    RegistrationStatus.ACCEPTED,
    RegistrationStatus.FORM_REVIEWED,
    RegistrationStatus.PUBLIC_NOTICE,
    RegistrationStatus.CODED,
)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    """A product of the industry lane went the whole way: licensed, released, priced, registered, renewed."""
    hub = factories.district(tmp_path / "state", clock=watch)
    officer, admin = actor(hub, "bureau-officer"), actor(hub, "ky-admin")
    request = factories.submitted(hub, factories.opened(hub, lane=Lane.INDUSTRY, days=600))
    for person in ("mz-reviewer", "centre-reviewer"):
        vote = {"digest": request.digest, "decision": Decision.APPROVE, "reason": "逐格看过,每格八十人。"}
        cast_vote(hub, actor(hub, person), request_id=request.id, **vote)  # type: ignore[arg-type]
    deliver_release(hub, actor(hub, "release-officer"), request_id=request.id, recipient_id="ky-admin")
    words = {"name": "街道就诊指数", "description": "按街道和年龄段汇总的就诊次数。"}
    actions.propose_product(hub, admin, request_id=request.id, **words)
    days = {"decided_on": date(2026, 11, 1), "review_by": date(2029, 11, 1)}
    charging.enter_cap(
        hub, officer, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1", document_ref="演示价1号", **days
    )
    charging.set_price(hub, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1")
    charging.permit_income(
        hub,
        officer,
        licence_id="l-0001",
        year=2026,
        yuan="1000000",
        bond_yield="2.35",
        profit_rate="8.35",
        document_ref="演示价2号",
        **days,
    )
    actions.apply_registration(hub, admin, product_id="d-0001", stated=STATED)
    for to in WAY:
        if to is RegistrationStatus.CODED:
            watch.move(days=16)
        actions.decide_registration(hub, officer, product_id="d-0001", to=to)
    with hub.database.writing() as session:  # as if it had been registered for a few weeks alone
        session.get_one(DataProduct, "d-0001").valid_until = date(2026, 12, 31)
    amendments.apply_amendment(
        hub, admin, product_id="d-0001", kind=RegistrationType.RENEWAL, grounds="产品继续提供，申请续展。"
    )
    amendments.decide_amendment(hub, officer, product_id="d-0001", amendment_id="v-0001", to=AmendmentStatus.ENTERED)
    return hub


def asked(hub: Hub, packs: tuple[Pack, ...] | None = None) -> list[Replayed]:
    with hub.reading() as session:
        return list(replay(session, now=hub.clock(), packs=packs))


def stricter(pack: Pack, amounts: Mapping[Parameter, str]) -> Pack:
    values = {
        name: replace(value, amount=Decimal(amounts.get(name, value.amount))) for name, value in pack.values.items()
    }
    return replace(pack, version="2026.9", since=date(2026, 12, 1), values=values, digest="9" * 64)


def test_every_kind_of_decision_is_asked_again_and_stands(hub: Hub) -> None:
    found = asked(hub)
    assert [one for one in found if not one.stands or one.today] == []
    assert {one.kind for one in found} >= set(ASK)
    assert all(one.rules.startswith("district@2026.1#") for one in found)


TIGHTER = [
    (P.LICENCE_MAX_TERM, "1", EventKind.LICENCE_GRANTED, "licence.term"),
    (P.LICENCE_MIN_REVIEWERS, "3", EventKind.LICENCE_GRANTED, "licence.reviewers"),
    (P.LICENCE_MIN_REVIEWERS, "3", EventKind.EXPORT_APPROVED, "release.votes"),
    (P.EXTRACT_MIN_K, "6", EventKind.LICENCE_GRANTED, "licence.policy_k"),
    (P.GRANT_HOURS, "71", EventKind.GRANT_ISSUED, "grant.hours"),
    (P.REGISTRATION_VALIDITY, "1", EventKind.REGISTRATION_DECIDED, "register.validity"),
    (P.REGISTRATION_PUBLICITY, "13", EventKind.REGISTRATION_DECIDED, "register.notice_running"),
    (P.REGISTRATION_VALIDITY, "1", EventKind.REGISTRATION_RENEWED, "register.validity"),
    (P.REGISTRATION_RENEWAL_WINDOW, "5", EventKind.REGISTRATION_RENEWED, "register.renewal_early"),
    (P.PRICE_REVIEW_CYCLE, "1", EventKind.PRICE_CAPPED, "price.review_cycle"),
    (P.PRICE_PROFIT_RATE, "5", EventKind.INCOME_PERMITTED, "income.profit_rate"),
]


@pytest.mark.parametrize(("parameter", "amount", "kind", "code"), TIGHTER)
def test_decision_stands_under_its_own_version_and_would_fall_under_a_stricter_one(
    hub: Hub, parameter: Parameter, amount: str, kind: EventKind, code: str
) -> None:
    packs = (*all_packs(), stricter(all_packs()[-1], {parameter: amount}))
    found = [one for one in asked(hub, packs) if one.kind is kind]
    assert all(one.stands for one in found)
    assert any(code in one.today for one in found)


def test_decision_by_a_version_that_was_edited_since_does_not_stand(hub: Hub) -> None:
    edited = tuple(replace(pack, digest="0" * 64) for pack in all_packs())
    assert {one.own for one in asked(hub, edited)} == {("rulebook.changed",)}


MEDDLING = [
    (update(PriceCap).values(fen=50), EventKind.PRICE_SET, "price.above_cap"),
    (update(PriceCap).values(review_by=date(2029, 10, 1)), EventKind.PRICE_CAPPED, "price.changed"),
    (
        update(Vote).where(Vote.person_id == "mz-reviewer").values(digest="0" * 64),
        EventKind.EXPORT_APPROVED,
        "release.votes",
    ),
    (update(Price).values(unit=ChargeUnit.HOURS), EventKind.PRICE_SET, "price.no_cap"),
]


@pytest.mark.parametrize(("meddle", "kind", "code"), MEDDLING, ids=[code for _, _, code in MEDDLING])
def test_decision_whose_record_was_edited_does_not_stand(hub: Hub, meddle: object, kind: EventKind, code: str) -> None:
    with hub.database.writing() as session:
        session.execute(meddle)  # type: ignore[call-overload]
    fallen = {(one.kind, code) for one in asked(hub) if not one.stands for code in one.own}
    assert (kind, code) in fallen


def test_event_of_each_decision_names_its_version_and_no_other_event_does(hub: Hub) -> None:
    with hub.reading() as session:
        entries = list(session.scalars(select(LedgerEntry)))
    for entry in entries:
        decided = EventKind(entry.kind) in DECIDED_BY_RULES
        assert ("rules" in json.loads(entry.body)["details"]) == decided
