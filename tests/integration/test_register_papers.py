"""A year is told of once: accounts from separate books, what they mean, disclosures and the operating report."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.context import Hub
from hub.errors import HubError
from hub.gate.actions import cast_vote
from hub.gate.model import Decision
from hub.ledger.model import LedgerEntry
from hub.licensing.model import Lane
from hub.people.model import Person
from hub.products.actions import deliver_release
from hub.register import actions, charging
from hub.register.clock import Step, Timing
from hub.register.disclosure import alarms, board
from hub.register.income import Consequence
from hub.register.model import ChargeUnit, PaperKind
from hub.register.papers import owed, papers, publish_paper
from tests import factories
from tests.factories import Watch, actor

NEXT_YEAR = datetime(2027, 2, 1, 1, tzinfo=UTC)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def hub(tmp_path: Path, watch: Watch) -> Hub:
    """A product of the industry lane was used 300 times at one yuan in 2026; now it is February 2027."""
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
    cap = {"unit": ChargeUnit.CALLS, "yuan": "1", "document_ref": "演示价1号"}
    charging.enter_cap(hub, officer, product_id="d-0001", **cap, **days)  # type: ignore[arg-type]
    charging.set_price(hub, admin, product_id="d-0001", unit=ChargeUnit.CALLS, yuan="1")
    today = date(2026, 11, 24)
    used = {"unit": ChargeUnit.CALLS, "amount": 300, "first": today, "last": today}
    actions.meter_usage(hub, admin, product_id="d-0001", **used)  # type: ignore[arg-type]
    limit = {"yuan": "250", "bond_yield": "2.35", "profit_rate": "8.35", "document_ref": "演示价2号"}
    charging.permit_income(hub, officer, licence_id="l-0001", year=2026, **limit, **days)  # type: ignore[arg-type]
    with hub.database.writing() as session:
        for person in session.scalars(select(Person)):
            person.trained_until = person.confidentiality_until = NEXT_YEAR.replace(year=2030)
    watch.now = NEXT_YEAR
    return hub


def accounted(hub: Hub, income: str = "300") -> None:
    given = {"licence_id": "l-0001", "year": 2026, "income": income, "cost": "120", "book_ref": "授权运营账套001"}
    charging.enter_account(hub, actor(hub, "ky-admin"), **given)  # type: ignore[arg-type]


def steps(hub: Hub, person: str) -> set[tuple[Step, Timing]]:
    return {(alarm.due.step, alarm.timing) for alarm in alarms(hub, actor(hub, person))}


def test_papers_are_owed_from_the_new_year_and_overdue_after_march(hub: Hub, watch: Watch) -> None:
    kinds = sorted(paper.kind for paper in owed(hub, actor(hub, "bureau-officer")))
    assert kinds == sorted(PaperKind)
    assert {(Step.REPORT, Timing.DUE_SOON), (Step.DISCLOSE, Timing.DUE_SOON)} <= steps(hub, "ky-admin")
    assert (Step.DISCLOSE, Timing.DUE_SOON) in steps(hub, "bureau-officer")
    assert steps(hub, "ps-admin") == set()
    watch.now = datetime(2027, 3, 31, 16, tzinfo=UTC)  # April has begun in the district
    assert (Step.REPORT, Timing.OVERDUE) in steps(hub, "ky-admin")
    assert (Step.REPORT, Timing.OVERDUE) in steps(hub, "bureau-officer")


def test_report_waits_for_the_account_and_is_filled_from_facts(hub: Hub) -> None:
    admin = actor(hub, "ky-admin")
    with pytest.raises(HubError) as caught:
        publish_paper(hub, admin, kind=PaperKind.OPERATING_REPORT, year=2026)
    assert caught.value.code == "paper.account_missing"
    accounted(hub)
    paper = publish_paper(hub, admin, kind=PaperKind.OPERATING_REPORT, year=2026)
    (licence,) = paper.content["licences"]
    assert (licence["income"], licence["cost"], licence["profit"]) == (30000, 12000, 18000)
    assert (licence["permitted"], licence["deviation"], licence["deducted"]) == (25000, "0.2000", 5000)
    assert licence["consequence"] == Consequence.ADJUST_CAPS
    (product,) = licence["products"]
    assert product["use"] == {"calls": 300}
    assert product["computed_income"] == 30000
    assert PaperKind.OPERATING_REPORT not in {one.kind for one in owed(hub, admin)}


def test_income_off_the_maximum_by_more_than_a_tenth_is_on_the_board_and_a_corrected_one_is_not(hub: Hub) -> None:
    accounted(hub)
    found = [alarm for alarm in board(hub, actor(hub, "bureau-officer")) if alarm.due.step is Step.DEVIATION]
    assert [alarm.subject for alarm in found] == ["l-0001"]
    accounted(hub, income="270")
    assert Step.DEVIATION not in {alarm.due.step for alarm in board(hub, actor(hub, "bureau-officer"))}
    with hub.reading() as session:
        off = charging.deviation_in(hub, session, "l-0001", 2026)
    assert off is not None
    assert off.consequence is Consequence.ADJUST_PRICES


def test_new_cap_after_the_account_answers_the_deviation(hub: Hub) -> None:
    accounted(hub)
    days = {"decided_on": date(2027, 1, 31), "review_by": date(2029, 11, 1)}
    cap = {"unit": ChargeUnit.CALLS, "yuan": "0.80", "document_ref": "演示价3号"}
    officer = actor(hub, "bureau-officer")
    charging.enter_cap(hub, officer, product_id="d-0001", **cap, **days)  # type: ignore[arg-type]
    assert Step.DEVIATION not in {alarm.due.step for alarm in board(hub, officer)}


def test_published_paper_stays_as_it_was_and_its_digest_is_in_the_ledger(hub: Hub) -> None:
    paper = publish_paper(hub, actor(hub, "ky-admin"), kind=PaperKind.OPERATOR_DISCLOSURE, year=2026)
    accounted(hub)
    kept = papers(hub, actor(hub, "auditor"))[0]
    assert (kept.content, kept.digest) == (paper.content, paper.digest)
    with hub.reading() as session:
        bodies = [json.loads(body) for body in session.scalars(select(LedgerEntry.body))]
    assert [body["object_digest"] for body in bodies if body["kind"] == "paper.published"] == [paper.digest]


def test_operating_report_is_read_by_its_operator_and_the_government_alone(hub: Hub) -> None:
    accounted(hub)
    publish_paper(hub, actor(hub, "ky-admin"), kind=PaperKind.OPERATING_REPORT, year=2026)
    publish_paper(hub, actor(hub, "bureau-officer"), kind=PaperKind.BODY_DISCLOSURE, year=2026)
    assert [paper.kind for paper in papers(hub, actor(hub, "ps-admin"))] == [PaperKind.BODY_DISCLOSURE]
    assert len(papers(hub, actor(hub, "auditor"))) == 2
