"""Rules of the register as tables: who states what, how a registration goes on, what a price and a meter may say."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from hub.licensing.model import Lane
from hub.people.actor import Actor, OrgKind, Role
from hub.register.model import REGISTRATION_MOVES, ChargeUnit, RegistrationField, RegistrationStatus
from hub.register.pricing import Charge, read_fen, refusals_of_price, refusals_to_cap, refusals_to_price
from hub.register.rules import (
    Metered,
    ProductFacts,
    refusals_to_apply,
    refusals_to_enter,
    refusals_to_meter,
    refusals_to_propose,
    refusals_to_renew,
)
from hub.rulebook.calendar import district_calendar
from hub.rulebook.packs import pack_version

S = RegistrationStatus
OFFICER = Actor(person_id="o", org_id="bureau", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
ADMIN = Actor(person_id="a", org_id="ky", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
RIVAL = replace(ADMIN, org_id="other")
ANALYST = replace(ADMIN, roles=frozenset({Role.ANALYST}))
PACK = pack_version("district", "2026.1")
CALENDAR = district_calendar()
STATED = {field: "given" for field in RegistrationField}
FACTS = ProductFacts(
    id="d-0001",
    operator_org="ky",
    status=S.DUE,
    released=date(2026, 3, 2),
    since=date(2026, 3, 2),
    valid_until=None,
    licence_ends=date(2030, 1, 1),
)


def codes(refusals: tuple[object, ...]) -> set[str]:
    return {refusal.rule for refusal in refusals}  # type: ignore[attr-defined]


PROPOSALS = [
    ({}, set()),
    ({"actor": OFFICER}, {"role.missing", "register.organisation"}),
    ({"actor": RIVAL}, {"register.organisation"}),
    ({"taken": True}, {"register.twice"}),
    ({"name": " "}, {"register.incomplete"}),
    ({"description": "too short"}, {"register.incomplete"}),
]


@pytest.mark.parametrize(("change", "expected"), PROPOSALS)
def test_released_request_becomes_a_product(change: dict[str, object], expected: set[str]) -> None:
    given: dict[str, object] = {
        "actor": ADMIN,
        "request_id": "r-0001",
        "operator_org": "ky",
        "taken": False,
        "name": "Visits by street",
        "description": "Counts of visits by street and year.",
    }
    assert codes(refusals_to_propose(**{**given, **change})) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "actor", "stated", "uscc", "expected"),
    [
        (S.DUE, ADMIN, STATED, "91X", set()),
        (S.DUE, ADMIN, STATED, "", {"register.field_missing"}),
        (S.DUE, ANALYST, STATED, "91X", {"role.missing"}),
        (S.DUE, RIVAL, STATED, "91X", {"register.organisation"}),
        (S.APPLIED, ADMIN, STATED, "91X", {"register.status"}),
        (S.CODED, ADMIN, STATED, "91X", {"register.status"}),
        *((S.DUE, ADMIN, {**STATED, field: " "}, "91X", {"register.field_missing"}) for field in RegistrationField),
    ],
)
def test_application(
    status: S, actor: Actor, stated: Mapping[RegistrationField, str], uscc: str, expected: set[str]
) -> None:
    assert codes(refusals_to_apply(replace(FACTS, status=status), actor, stated=stated, uscc=uscc)) == expected


def test_each_missing_field_is_a_refusal_of_its_own() -> None:
    assert len(refusals_to_apply(FACTS, ADMIN, stated={}, uscc="")) == len(RegistrationField) + 1


# The notice of 2 March 2026 (a Monday) runs ten working days: until 16 March.
ENTRIES = [
    (S.APPLIED, S.ACCEPTED, {}, set()),
    (S.APPLIED, S.ACCEPTED, {"actor": ADMIN}, {"role.missing"}),
    (S.APPLIED, S.DUE, {}, set()),
    (S.APPLIED, S.DUE, {"reason": " "}, {"register.reason_missing"}),
    (S.ACCEPTED, S.FORM_REVIEWED, {"reason": ""}, set()),
    (S.FORM_REVIEWED, S.PUBLIC_NOTICE, {"reason": ""}, set()),
    (S.PUBLIC_NOTICE, S.CODED, {"today": date(2026, 3, 16)}, {"register.notice_running"}),
    (S.PUBLIC_NOTICE, S.CODED, {"today": date(2026, 3, 17)}, set()),
    (S.PUBLIC_NOTICE, S.CODED, {"today": date(2026, 3, 17), "code": " "}, {"register.code_missing"}),
    (S.PUBLIC_NOTICE, S.CODED, {"today": date(2026, 3, 17), "codes": {"C-1"}}, {"register.code_taken"}),
    (S.PUBLIC_NOTICE, S.CODED, {"today": date(2030, 1, 1)}, {"register.lapsed"}),
    (S.PUBLIC_NOTICE, S.OBJECTED, {"today": date(2026, 3, 16)}, set()),
    (S.PUBLIC_NOTICE, S.OBJECTED, {"today": date(2026, 3, 17)}, {"register.notice_over"}),
    (S.OBJECTED, S.PUBLIC_NOTICE, {}, set()),
    (S.OBJECTED, S.PUBLIC_NOTICE, {"reason": ""}, {"register.reason_missing"}),
    (S.OBJECTED, S.TERMINATED, {}, set()),
    (S.CODED, S.CANCELLED, {}, set()),
    (S.CODED, S.CANCELLED, {"reason": ""}, {"register.reason_missing"}),
    (S.DUE, S.APPLIED, {}, {"register.status"}),
]


@pytest.mark.parametrize(("status", "to", "change", "expected"), ENTRIES)
def test_registrar_enters_a_state(status: S, to: S, change: dict[str, object], expected: set[str]) -> None:
    given: dict[str, object] = {
        "actor": OFFICER,
        "reason": "Looked at all of it.",
        "code": "C-1",
        "codes": set(),
        "today": date(2026, 3, 3),
        "pack": PACK,
        "calendar": CALENDAR,
    }
    facts = replace(FACTS, status=status)
    assert codes(refusals_to_enter(facts, to=to, **{**given, **change})) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("status", S)
def test_every_move_outside_the_table_is_refused(status: S) -> None:
    for to in S:
        refused = refusals_to_enter(
            replace(FACTS, status=status),
            OFFICER,
            to=to,
            reason="Looked at all of it.",
            code="C-1",
            codes=set(),
            today=date(2026, 3, 17),
            pack=PACK,
            calendar=CALENDAR,
        )
        allowed = to in REGISTRATION_MOVES[status] and to is not S.APPLIED
        assert ("register.status" not in codes(refused)) == allowed


RENEWALS = [
    ({}, date(2027, 1, 1), set()),
    ({}, date(2026, 12, 2), {"register.renewal_early"}),
    ({}, date(2026, 12, 3), set()),
    ({}, date(2027, 1, 31), set()),
    ({}, date(2027, 2, 1), {"register.lapsed"}),
    ({"licence_ends": date(2027, 2, 1)}, date(2027, 1, 1), {"register.renewal_term"}),
    ({"status": S.DUE}, date(2027, 1, 1), {"register.status"}),
    ({"valid_until": None}, date(2027, 1, 1), {"register.status"}),
]


@pytest.mark.parametrize(("change", "today", "expected"), RENEWALS)
def test_renewal(change: dict[str, object], today: date, expected: set[str]) -> None:
    facts = replace(FACTS, status=S.CODED, valid_until=date(2027, 2, 1))
    facts = replace(facts, **change)  # type: ignore[arg-type]
    assert codes(refusals_to_renew(facts, OFFICER, today=today, pack=PACK)) == expected


def test_renewal_is_the_registrar_s() -> None:
    facts = replace(FACTS, status=S.CODED, valid_until=date(2027, 2, 1))
    assert codes(refusals_to_renew(facts, ADMIN, today=date(2027, 1, 1), pack=PACK)) == {"role.missing"}


CALLS, HOURS = ChargeUnit.CALLS, ChargeUnit.HOURS
PRICES = [
    (Lane.PUBLIC, None, {}, set()),
    (Lane.PUBLIC, Charge(unit=CALLS, fen=1), {CALLS: 100}, {"lane.public_priced"}),
    (Lane.PUBLIC, Charge(unit=CALLS, fen=0), {}, {"lane.public_priced"}),
    (Lane.INDUSTRY, None, {CALLS: 100}, {"price.missing"}),
    (Lane.INDUSTRY, Charge(unit=CALLS, fen=100), {CALLS: 100}, set()),
    (Lane.INDUSTRY, Charge(unit=CALLS, fen=101), {CALLS: 100}, {"price.above_cap"}),
    (Lane.INDUSTRY, Charge(unit=HOURS, fen=1), {CALLS: 100}, {"price.no_cap"}),
]


@pytest.mark.parametrize(("lane", "price", "caps", "expected"), PRICES)
def test_price_in_its_lane(lane: Lane, price: Charge | None, caps: dict[ChargeUnit, int], expected: set[str]) -> None:
    assert codes(refusals_of_price(product_id="d-0001", lane=lane, price=price, caps=caps)) == expected


@pytest.mark.parametrize(
    ("actor", "lane", "fen", "expected"),
    [
        (ADMIN, Lane.INDUSTRY, 100, set()),
        (ADMIN, Lane.INDUSTRY, None, {"price.amount"}),
        (ADMIN, Lane.INDUSTRY, 0, {"price.amount"}),
        (ADMIN, Lane.PUBLIC, 0, {"lane.public_priced"}),
        (OFFICER, Lane.INDUSTRY, 100, {"role.missing", "register.organisation"}),
        (RIVAL, Lane.INDUSTRY, 100, {"register.organisation"}),
    ],
)
def test_operator_sets_a_price(actor: Actor, lane: Lane, fen: int | None, expected: set[str]) -> None:
    found = refusals_to_price(
        actor, product_id="d-0001", operator_org="ky", lane=lane, unit=CALLS, fen=fen, caps={CALLS: 100}
    )
    assert codes(found) == expected


@pytest.mark.parametrize(
    ("actor", "lane", "fen", "document", "expected"),
    [
        (OFFICER, Lane.INDUSTRY, 100, "No 1", set()),
        (OFFICER, Lane.INDUSTRY, 100, " ", {"price.document"}),
        (OFFICER, Lane.INDUSTRY, 0, "No 1", {"price.amount"}),
        (OFFICER, Lane.PUBLIC, 100, "No 1", {"lane.public_priced"}),
        (ADMIN, Lane.INDUSTRY, 100, "No 1", {"role.missing"}),
    ],
)
def test_bureau_enters_a_cap(actor: Actor, lane: Lane, fen: int, document: str, expected: set[str]) -> None:
    found = refusals_to_cap(actor, product_id="d-0001", lane=lane, fen=fen, document_ref=document)
    assert codes(found) == expected


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("12", 1200),
        ("12.5", 1250),
        (" 0.08 ", 8),
        ("0.1", 10),
        ("1.005", None),
        ("-1", None),
        ("1e3", None),
        ("1,000", None),
        ("", None),
        ("١", None),
        (".5", None),
    ],
)
def test_money_is_read_exactly(typed: str, fen: int | None) -> None:
    assert read_fen(typed) == fen


ROW = Metered(id=7, unit=CALLS, first=date(2026, 3, 2), last=date(2026, 3, 31))
METERS = [
    ({}, set()),
    ({"actor": OFFICER}, {"role.missing", "register.organisation"}),
    ({"actor": RIVAL}, {"register.organisation"}),
    ({"amount": 0}, {"usage.amount"}),
    ({"amount": -1}, {"usage.amount"}),
    ({"amount": 10**12 + 1}, {"usage.amount"}),
    ({"first": date(2026, 3, 1), "unit": HOURS}, {"usage.period"}),
    ({"last": date(2026, 4, 11)}, {"usage.period"}),
    ({"first": date(2026, 4, 9), "last": date(2026, 4, 8)}, {"usage.period"}),
    ({"first": date(2026, 3, 31)}, {"usage.overlap"}),
    ({"first": date(2026, 3, 31), "unit": HOURS}, set()),
    ({"first": date(2026, 3, 31), "corrects": 7}, set()),
    ({"first": date(2026, 3, 31), "corrects": 7, "amount": 0}, set()),
    ({"corrects": 8}, {"usage.corrects"}),
    ({"corrects": 7, "unit": HOURS}, {"usage.corrects"}),
]


@pytest.mark.parametrize(("change", "expected"), METERS)
def test_use_is_metered_once(change: dict[str, object], expected: set[str]) -> None:
    given: dict[str, object] = {
        "actor": ADMIN,
        "unit": CALLS,
        "amount": 5,
        "first": date(2026, 4, 1),
        "last": date(2026, 4, 10),
        "corrects": None,
        "rows": [ROW],
        "today": date(2026, 4, 10),
    }
    assert codes(refusals_to_meter(FACTS, **{**given, **change})) == expected  # type: ignore[arg-type]
