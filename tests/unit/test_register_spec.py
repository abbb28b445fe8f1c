"""The tables of `tests/specs/register.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from hub.errors import Refusal
from hub.licensing.model import Lane
from hub.people.actor import Actor, OrgKind, Role
from hub.register.amending import (
    AmendmentFacts,
    refusals_to_amend,
    refusals_to_decide_objection,
    refusals_to_enter_amendment,
    refusals_to_object,
)
from hub.register.clock import Due, Step, Timing, due, due_of_amendment, notice_end, status_on, yearly
from hub.register.codes import is_query_code, number_of, query_code
from hub.register.income import Consequence, deviation, refusals_to_account, refusals_to_permit
from hub.register.materials import digest_of, read_stated
from hub.register.model import (
    AMENDMENTS,
    REGISTRATION_MOVES,
    AmendmentStatus,
    ChargeUnit,
    Delivery,
    ObjectionStatus,
    PaperKind,
    RegistrationField,
    RegistrationStatus,
    RegistrationType,
)
from hub.register.pricing import Cap, Charge, read_fen, refusals_of_price, refusals_to_cap, refusals_to_price
from hub.register.rules import (
    BY_OTHERS,
    Metered,
    ProductFacts,
    refusals_to_apply,
    refusals_to_enter,
    refusals_to_meter,
    refusals_to_propose,
    refusals_to_publish,
)
from hub.rulebook.calendar import district_calendar
from hub.rulebook.packs import pack_version
from tests.factories import STATED
from tests.spec_tables import Row, rows

OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
ADMIN = Actor(person_id="管理员", org_id="运营甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
PACK = pack_version("district", "2026.1")
CALENDAR = district_calendar()
DIGEST = "a" * 64
S, A, T = RegistrationStatus, AmendmentStatus, RegistrationType
MONDAY = date(2026, 3, 2)
CHARGE, CAPS = Charge(unit=ChargeUnit.CALLS, fen=100), {ChargeUnit.CALLS: Cap(fen=100, review_by=date(2026, 12, 31))}


def product(row: Row, status: RegistrationStatus = S.DUE) -> ProductFacts:
    return ProductFacts(
        id="d-0001",
        operator_org="运营甲",
        status=row.word("registration", S, status),
        released=MONDAY,
        since=row.day("since", MONDAY),
        valid_until=row.day("valid until", date(2027, 2, 1)),
        licence_ends=row.day("licence ends", date(2030, 1, 1)),
        notice_began=row.day("notice began", MONDAY),
        evidence=row.text("evidence", DIGEST),
        delivered=DIGEST,
    )


def propose(row: Row) -> Sequence[Refusal]:
    return refusals_to_propose(
        actor=row.actor(ADMIN),
        request_id="r-0001",
        operator_org="运营甲",
        taken=row.yes("in the register", default=False),
        name=row.text("name", "街道就诊指数"),
        description=row.text("description", "按街道和年龄段汇总的就诊次数。"),
    )


def apply(row: Row) -> Sequence[Refusal]:
    field = row.word_or_none("field", RegistrationField, None)
    stated = STATED if field is None else {**STATED, field: row.text("says", "")}
    facts = product(row)
    uscc = row.text("credit code", "91990107MA0000001M")
    return refusals_to_apply(facts, row.actor(ADMIN), stated=stated, uscc=uscc, today=date(2026, 11, 24))


def enter(row: Row) -> Sequence[Refusal]:
    return refusals_to_enter(
        product(row, S.PUBLIC_NOTICE),
        row.actor(OFFICER),
        to=row.word("becomes", S, S.CODED),
        reason=row.text("reason", "核对过全部材料。"),
        today=row.day("today", date(2026, 3, 17)),
        pack=PACK,
        calendar=CALENDAR,
    )


def amend(row: Row) -> Sequence[Refusal]:
    kind = row.word("kind", T, T.CHANGE)
    content = kind in (T.CHANGE, T.CORRECTION)
    changed = row.yes("field changed", default=content)
    return refusals_to_amend(
        product(row, S.CODED),
        row.actor(ADMIN),
        kind=kind,
        grounds=row.text("grounds", "数据覆盖范围扩大,产品随之变化。"),
        proof=row.text("proof", DIGEST),
        name=row.text("name"),
        description="",
        changed={RegistrationField.DATA_ROWS: "500"} if changed else {},
        is_open=row.yes("another under way", default=False),
        today=row.day("today", date(2027, 1, 4)),
        pack=PACK,
    )


def enter_amendment(row: Row) -> Sequence[Refusal]:
    return refusals_to_enter_amendment(
        product(row, S.CODED),
        AmendmentFacts(
            id="v-0001",
            type=row.word("kind", T, T.CHANGE),
            status=row.word("status", A, A.PUBLIC_NOTICE),
            since=MONDAY,
            notice_began=row.day("notice began", MONDAY),
        ),
        row.actor(OFFICER),
        to=row.word("becomes", A, A.ENTERED),
        reason=row.text("reason"),
        today=row.day("today", date(2026, 12, 4)),
        pack=PACK,
        calendar=CALENDAR,
    )


def object_to(row: Row) -> Sequence[Refusal]:
    return refusals_to_object(
        product(row, S.PUBLIC_NOTICE),
        row.actor(OFFICER),
        in_notice=row.yes("in notice", default=True),
        began=row.day("notice began", MONDAY),
        objector=row.text("objector", "张某某"),
        contact=row.text("contact", "真如镇某路1号"),
        grounds=row.text("grounds", "公示内容与实际来源不符。"),
        evidence=row.text("evidence of it", DIGEST),
        today=row.day("today", date(2026, 3, 16)),
        pack=PACK,
        calendar=CALENDAR,
    )


def judge(row: Row) -> Sequence[Refusal]:
    return refusals_to_decide_objection(
        row.actor(OFFICER),
        objection_id="o-0001",
        status=row.word("status", ObjectionStatus, ObjectionStatus.RAISED),
        to=row.word("finding", ObjectionStatus, ObjectionStatus.UPHELD),
        in_own_name=row.text("raised by"),
        reason=row.text("reason", "核对过全部证据。"),
    )


def price(row: Row) -> Charge | None:
    return (
        None
        if row.text("price", "1") == ""
        else Charge(unit=ChargeUnit.CALLS, fen=read_fen(row.text("price", "1")) or 0)
    )


def caps(row: Row) -> dict[ChargeUnit, Cap]:
    cap = row.text("cap", "1")
    review = row.day("review by", date(2026, 12, 31))
    return {} if cap == "" else {ChargeUnit.CALLS: Cap(fen=read_fen(cap) or 0, review_by=review)}


def offer(row: Row) -> Sequence[Refusal]:
    return refusals_of_price(
        product_id="d-0001",
        lane=row.word("lane", Lane, Lane.INDUSTRY),
        price=price(row),
        caps=caps(row),
        today=row.day("today", date(2026, 12, 31)),
    )


def set_price(row: Row) -> Sequence[Refusal]:
    return refusals_to_price(
        row.actor(ADMIN),
        product_id="d-0001",
        operator_org="运营甲",
        status=row.word("registration", S, S.CODED),
        lane=row.word("lane", Lane, Lane.INDUSTRY),
        unit=ChargeUnit.CALLS,
        fen=read_fen(row.text("price", "1")),
        caps=caps(row),
        today=row.day("today", date(2026, 12, 31)),
    )


def cap(row: Row) -> Sequence[Refusal]:
    return refusals_to_cap(
        row.actor(OFFICER),
        product_id="d-0001",
        status=row.word("registration", S, S.CODED),
        lane=row.word("lane", Lane, Lane.INDUSTRY),
        fen=read_fen(row.text("cap", "1")),
        document_ref=row.text("document", "演示价〔2026〕1号"),
        decided_on=row.day("decided on", date(2026, 11, 1)),
        review_by=row.day("review by", date(2029, 11, 1)),
        today=date(2026, 11, 24),
        pack=PACK,
    )


def meter(row: Row) -> Sequence[Refusal]:
    corrects = row.number("corrects", 0)
    return refusals_to_meter(
        product(row),
        row.actor(ADMIN),
        unit=row.word("unit", ChargeUnit, ChargeUnit.CALLS),
        amount=row.number("amount", 5),
        first=row.day("first", date(2026, 4, 1)),
        last=row.day("last", date(2026, 4, 10)),
        corrects=corrects or None,
        rows=[Metered(id=7, unit=ChargeUnit.CALLS, first=MONDAY, last=date(2026, 3, 31))],
        today=date(2026, 4, 10),
    )


def permit(row: Row) -> Sequence[Refusal]:
    return refusals_to_permit(
        row.actor(OFFICER),
        licence_id="l-0001",
        lane=row.word("lane", Lane, Lane.INDUSTRY),
        year=row.number("year", 2026),
        years=range(2025, 2029),
        fen=read_fen(row.text("maximum", "1000000")),
        bond_yield=read_fen(row.text("bond yield", "2.35")) or -1,
        profit_rate=read_fen(row.text("profit rate", "8.35")) or -1,
        document_ref=row.text("document", "演示价〔2026〕2号"),
        decided_on=row.day("decided on", date(2026, 11, 1)),
        review_by=row.day("review by", date(2029, 11, 1)),
        today=date(2026, 11, 24),
        pack=PACK,
    )


def account(row: Row) -> Sequence[Refusal]:
    return refusals_to_account(
        row.actor(ADMIN),
        licence_id="l-0001",
        operator_org="运营甲",
        lane=row.word("lane", Lane, Lane.INDUSTRY),
        year=row.number("year", 2025),
        years=range(2025, 2029),
        income=read_fen(row.text("income", "900000")),
        cost=read_fen(row.text("cost", "700000")),
        book_ref=row.text("books", "授权运营账套001"),
        today=date(2026, 11, 24),
    )


def publish(row: Row) -> Sequence[Refusal]:
    return refusals_to_publish(
        row.actor(ADMIN),
        kind=row.word("paper", PaperKind, PaperKind.OPERATING_REPORT),
        year=row.number("year", 2025),
        first_year=2025,
        today=date(2026, 11, 24),
        licences=row.number("licences", 1),
        unaccounted=row.texts("without account"),
    )


ASKS = {
    "propose": propose,
    "apply": apply,
    "enter": enter,
    "amend": amend,
    "enter_amendment": enter_amendment,
    "object_to": object_to,
    "judge": judge,
    "offer": offer,
    "set_price": set_price,
    "cap": cap,
    "meter": meter,
    "permit": permit,
    "account": account,
    "publish": publish,
}


@pytest.mark.parametrize("row", rows("register"), ids=str)
def test_register_as_its_tables_say(row: Row) -> None:
    row.holds(ASKS)


def codes(refusals: Sequence[Refusal]) -> set[str]:
    return {refusal.rule for refusal in refusals}


@pytest.mark.parametrize("status", S)
def test_every_move_outside_the_table_is_refused(status: RegistrationStatus) -> None:
    facts = ProductFacts(
        id="d-0001",
        operator_org="运营甲",
        status=status,
        released=MONDAY,
        since=MONDAY,
        valid_until=None,
        licence_ends=date(2030, 1, 1),
        evidence=DIGEST,
        delivered=DIGEST,
    )
    today = date(2026, 3, 17)
    for to in S:
        refused = refusals_to_enter(facts, OFFICER, to=to, reason="核对过。", today=today, pack=PACK, calendar=CALENDAR)
        allowed = to in REGISTRATION_MOVES[status] - BY_OTHERS and status is not S.OBJECTED
        assert ("register.status" not in codes(refused)) == allowed


@pytest.mark.parametrize("kind", AMENDMENTS)
@pytest.mark.parametrize("status", A)
def test_every_move_of_a_later_registration_outside_its_table_is_refused(
    kind: RegistrationType, status: AmendmentStatus
) -> None:
    facts = ProductFacts(
        id="d-0001",
        operator_org="运营甲",
        status=S.CODED,
        released=MONDAY,
        since=MONDAY,
        valid_until=date(2026, 4, 1),
        licence_ends=date(2030, 1, 1),
    )
    amendment = AmendmentFacts(id="v-0001", type=kind, status=status, since=MONDAY, notice_began=None)
    for to in A:
        refused = refusals_to_enter_amendment(
            facts,
            amendment,
            OFFICER,
            to=to,
            reason="核对过。",
            today=date(2026, 3, 17),
            pack=PACK,
            calendar=CALENDAR,
        )
        by_registrar = to not in (A.OBJECTED, A.TERMINATED) and status is not A.OBJECTED
        allowed = to in AMENDMENTS[kind].get(status, frozenset()) and by_registrar
        assert ("amendment.status" not in codes(refused)) == allowed


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


@pytest.mark.parametrize(
    ("income", "share", "consequence", "deducted"),
    [
        (100, "0", Consequence.NONE, 0),
        (110, "0.1", Consequence.ADJUST_PRICES, 10),
        (111, "0.11", Consequence.ADJUST_CAPS, 11),
        (90, "-0.1", Consequence.ADJUST_PRICES, 0),
        (89, "-0.11", Consequence.ADJUST_CAPS, 0),
    ],
)
def test_income_off_the_maximum_by_more_than_ten_percent_moves_the_caps(
    income: int, share: str, consequence: Consequence, deducted: int
) -> None:
    found = deviation(income=income, permitted=100, pack=PACK)
    assert (found.share, found.consequence, found.deducted) == (Decimal(share), consequence, deducted)


def test_every_wrong_digit_and_every_exchange_of_neighbours_is_seen_in_a_query_code() -> None:
    code = query_code(year=2026, number=123)
    assert is_query_code(code)
    for at, sign in enumerate(code):
        if not sign.isdigit():
            continue
        for other in "0123456789":
            assert (other == sign) == is_query_code(code[:at] + other + code[at + 1 :])
        if code[at + 1 : at + 2].isdigit() and code[at + 1] != sign:
            assert not is_query_code(code[:at] + code[at + 1] + sign + code[at + 2 :])


@pytest.mark.parametrize("number", [0, 1_000_000])
def test_number_that_does_not_fit_gets_no_code(number: int) -> None:
    with pytest.raises(ValueError, match="running number"):
        query_code(year=2026, number=number)


LATER_STEPS = [
    (T.CHANGE, A.APPLIED, Step.ACCEPT, date(2026, 3, 5)),
    (T.CHANGE, A.ACCEPTED, Step.REVIEW, date(2026, 3, 30)),
    (T.CHANGE, A.FORM_REVIEWED, Step.PUBLISH, date(2026, 3, 5)),
    (T.CHANGE, A.PUBLIC_NOTICE, Step.CODE, date(2026, 3, 19)),
    (T.CHANGE, A.OBJECTED, Step.OBJECTION, date(2026, 3, 16)),
    (T.CORRECTION, A.ACCEPTED, Step.REVIEW, date(2026, 3, 30)),
    (T.RENEWAL, A.APPLIED, Step.RENEW, date(2026, 6, 30)),
    (T.CANCELLATION, A.ACCEPTED, Step.CANCEL, date(2026, 3, 16)),
    (T.CANCELLATION, A.ENTERED, None, None),
    (T.CHANGE, A.RETURNED, None, None),
]


@pytest.mark.parametrize(("kind", "status", "step", "day"), LATER_STEPS)
def test_each_later_registration_has_its_own_clock(
    kind: RegistrationType, status: AmendmentStatus, step: Step | None, day: date | None
) -> None:
    found = due_of_amendment(
        kind,
        status,
        since=MONDAY,
        notice_began=MONDAY if status is A.PUBLIC_NOTICE else None,
        valid_until=date(2026, 7, 1),
        pack=PACK,
        calendar=CALENDAR,
    )
    assert (found.step, found.day) == (step, day) if found else step is None


def test_lapsed_registration_waits_for_its_cancellation_and_counts_as_cancelled() -> None:
    ended, today = date(2026, 6, 1), date(2026, 6, 2)
    found = due(
        S.CODED,
        released=MONDAY,
        since=MONDAY,
        valid_until=ended,
        pack=PACK,
        calendar=CALENDAR,
        today=today,
    )
    assert found == Due(step=Step.CANCEL, day=date(2026, 6, 15), warns=date(2026, 6, 8))
    assert status_on(S.CODED, ended, today) is S.CANCELLED
    assert status_on(S.CODED, ended, date(2026, 5, 31)) is S.CODED
    assert due(S.CODED, released=MONDAY, since=MONDAY, valid_until=None, pack=PACK, calendar=CALENDAR) is None


@pytest.mark.parametrize(
    ("began", "since", "day"), [(MONDAY, MONDAY, date(2026, 3, 19)), (MONDAY, date(2026, 3, 20), date(2026, 3, 25))]
)
def test_code_follows_the_notice_or_the_dismissal_that_came_later(began: date, since: date, day: date) -> None:
    found = due(
        S.PUBLIC_NOTICE,
        released=MONDAY,
        since=since,
        valid_until=None,
        notice_began=began,
        pack=PACK,
        calendar=CALENDAR,
    )
    assert found is not None
    assert found.day == day


def test_papers_are_due_by_the_end_of_march_of_the_next_year() -> None:
    for step in (Step.DISCLOSE, Step.REPORT):
        found = yearly(step, year=2026, pack=PACK)
        assert (found.warns, found.day) == (date(2027, 1, 1), date(2027, 3, 31))
        assert found.timing(date(2027, 4, 1)) is Timing.OVERDUE


def test_notice_that_ends_in_an_unpublished_year_runs_until_its_latest_end() -> None:
    began = date(2026, 12, 30)
    facts = ProductFacts(
        id="d-0001",
        operator_org="运营甲",
        status=S.PUBLIC_NOTICE,
        released=MONDAY,
        since=began,
        valid_until=None,
        licence_ends=date(2030, 1, 1),
        evidence=DIGEST,
        delivered=DIGEST,
    )
    end = notice_end(began, pack=PACK, calendar=CALENDAR)
    assert end == date(2027, 1, 26)
    for today, found in ((end, {"register.notice_running"}), (end + timedelta(days=1), set())):
        said = refusals_to_enter(facts, OFFICER, to=S.CODED, reason="", today=today, pack=PACK, calendar=CALENDAR)
        assert codes(said) == found
        assert ["provisionally" in str(one.text) for one in said] == [True] * len(found)


def test_materials_are_typed_and_their_digest_changes_with_every_field() -> None:
    typed = read_stated(STATED)
    assert (typed.data_rows, typed.data_from, typed.delivery) == (240, date(2026, 1, 1), Delivery.FILE)
    assert digest_of({"a": "1"}) != digest_of({"a": "2"})


def test_running_number_is_read_back_from_its_code() -> None:
    assert number_of(query_code(year=2027, number=41)) == (2027, 41)


def test_cancellation_is_asked_neither_for_content_nor_for_a_window() -> None:
    facts = ProductFacts(
        id="d-0001",
        operator_org="运营甲",
        status=S.CODED,
        released=MONDAY,
        since=MONDAY,
        valid_until=None,
        licence_ends=date(2030, 1, 1),
    )
    for kind, expected in ((T.CANCELLATION, set()), (T.RENEWAL, set()), (T.CHANGE, {"amendment.empty"})):
        found = refusals_to_amend(
            facts,
            ADMIN,
            kind=kind,
            grounds="产品停止提供，不再运营。",
            proof="",
            name="",
            description="",
            changed={},
            is_open=False,
            today=date(2026, 3, 17),
            pack=PACK,
        )
        assert codes(found) == expected


def test_notice_of_a_monday_runs_until_the_monday_after_next() -> None:
    assert notice_end(MONDAY, pack=PACK, calendar=CALENDAR) == date(2026, 3, 16)
