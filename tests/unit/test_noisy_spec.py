"""The tables of `tests/specs/noisy.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from hub.catalog.model import ColumnClass
from hub.errors import Refusal
from hub.noisy.model import AnswerStatus
from hub.noisy.rules import Amount, BudgetFacts, TableFacts, refusals_to_ask, refusals_to_end, refusals_to_grant
from hub.people.actor import Actor, OrgKind, Role
from tests.spec_tables import Row, rows

ANALYST = Actor(person_id="分析师甲", org_id="运营机构甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))
OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
CLASSES = {
    "身份证号": ColumnClass.DIRECT_ID,
    "街道": ColumnClass.QUASI_ID,
    "年龄": ColumnClass.QUASI_ID,
    "费用": ColumnClass.SENSITIVE_ATTR,
    "备注": ColumnClass.FREE_TEXT,
}
LICENSED = frozenset({"身份证号", "街道", "费用", "备注"})
DELTA = "0.00001"


def amount(said: str, delta: str = "0") -> Amount:
    return Amount(amount=Decimal(said), delta=Decimal(delta))


def table(row: Row) -> TableFacts:
    name = row.text("table", "就诊表")
    return TableFacts(id=name, classes=CLASSES, licensed=LICENSED if name == "就诊表" else None)


def budget(row: Row, default: str) -> BudgetFacts | None:
    """Granted with the citizen's number as the unit; all of the delta is there."""
    granted = row.text("granted", default)
    if not granted:
        return None
    return BudgetFacts(
        composition="pure",
        unit="身份证号",
        granted=amount(granted, DELTA if "delta" not in row.cells or row.case == "ask" else "0"),
        spent=amount(row.text("spent", "0")),
    )


def ask(row: Row) -> Sequence[Refusal]:
    return refusals_to_ask(
        actor=row.actor(ANALYST),
        licence_id="l-0001",
        operator_org="运营机构甲",
        table=table(row),
        budget=budget(row, "3"),
        composition=row.text("composition", "pure"),
        unit=row.text("unit", "身份证号"),
        columns=row.texts("columns", ["街道"]),
        price=amount(row.text("price", "1"), row.text("delta", "0")),
    )


def grant(row: Row) -> Sequence[Refusal]:
    return refusals_to_grant(
        actor=row.actor(OFFICER),
        licence_id="l-0001",
        operator_org="运营机构甲",
        table=table(row),
        budget=budget(row, ""),
        composition=row.text("composition", "pure"),
        unit=row.text("unit", "身份证号"),
        wanted=amount(row.text("amount", "1"), row.text("delta", "0")),
        limit=amount("10", DELTA),
        document_ref=row.text("document", "2026-17"),
    )


def end(row: Row) -> Sequence[Refusal]:
    return refusals_to_end(answer_id="y-0001", status=row.word("state", AnswerStatus, AnswerStatus.COMPUTING))


@pytest.mark.parametrize("row", rows("noisy"), ids=str)
def test_noisy_as_its_tables_say(row: Row) -> None:
    row.holds({"ask": ask, "grant": grant, "end": end})
