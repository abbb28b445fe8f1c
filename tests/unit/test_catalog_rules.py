"""Rules of the catalog as tables."""

from dataclasses import replace

import pytest

from hub.catalog.model import ColumnClass, Grade, OpenType, Origin, ShareType, TableStatus, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft, refusals_to_publish, refusals_to_register, table_grade
from hub.people.actor import Actor, OrgKind, Post, Role

STEWARD = Actor(person_id="s", org_id="mz", org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD}))
OFFICER = Actor(person_id="o", org_id="bureau", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
AGE = ColumnDraft(name="age", name_zh="年龄", column_class=ColumnClass.QUASI_ID, grade=Grade.L2)
ID = ColumnDraft(name="id_no", name_zh="证件", column_class=ColumnClass.DIRECT_ID, grade=Grade.L4)
DRAFT = TableDraft(
    id="t",
    title_zh="表",
    title_en="table",
    description="what it is",
    owner_org="mz",
    share_type=ShareType.AUTHORIZED,
    share_basis="law",
    open_type=OpenType.NONE,
    open_basis="law",
    update_cycle=UpdateCycle.DAILY,
    state_secret=False,
    columns=(AGE, ID),
)

ALL = frozenset(Post)
CASES = [
    (DRAFT, set()),
    (replace(DRAFT, owner_org="tj"), {"table.owner"}),
    (replace(DRAFT, state_secret=True), {"table.state_secret"}),
    (replace(DRAFT, share_basis=" "), {"table.basis_missing"}),
    (replace(DRAFT, open_basis=""), {"table.basis_missing"}),
    (replace(DRAFT, share_type=ShareType.UNCONDITIONAL, share_basis=""), set()),
    (replace(DRAFT, share_type=ShareType.NONE, share_basis=""), {"table.basis_missing"}),
    (replace(DRAFT, open_type=OpenType.UNCONDITIONAL, open_basis=""), {"table.identifier_open"}),
    (replace(DRAFT, open_type=OpenType.CONDITIONAL), set()),
    (replace(DRAFT, columns=(AGE,)), {"table.columns"}),
    (replace(DRAFT, columns=(AGE, ID, ID)), {"table.columns"}),
    (replace(DRAFT, columns=(AGE, replace(ID, name="ghost"))), {"table.columns"}),
    (replace(DRAFT, columns=()), {"table.columns"}),
    (replace(DRAFT, title_zh=" "), {"table.title"}),
]


@pytest.mark.parametrize(("draft", "expected"), CASES)
def test_registering(draft: TableDraft, expected: set[str]) -> None:
    assert {refusal.rule for refusal in refusals_to_register(draft, STEWARD, ["age", "id_no"], filled=ALL)} == expected


def test_only_stewards_register_and_only_the_bureau_publishes_and_once() -> None:
    assert "role.missing" in {r.rule for r in refusals_to_register(DRAFT, OFFICER, ["age", "id_no"], filled=ALL)}
    assert publishing(TableStatus.DRAFT, OFFICER) == set()
    assert publishing(TableStatus.DRAFT, STEWARD) == {"role.missing"}
    assert publishing(TableStatus.PUBLISHED, OFFICER) == {"table.status"}


def publishing(status: TableStatus, actor: Actor, filled: frozenset[Post] = ALL) -> set[str]:
    found = refusals_to_publish(status=status, table_id="t", owner_org="mz", actor=actor, filled=filled)
    return {refusal.rule for refusal in found}


@pytest.mark.parametrize("empty", list(Post))
def test_a_department_without_one_of_its_three_people_registers_and_publishes_nothing(empty: Post) -> None:
    filled = ALL - {empty}
    found = refusals_to_register(DRAFT, STEWARD, ["age", "id_no"], filled=filled)
    assert {refusal.rule for refusal in found} == {"table.responsibility"}
    assert empty.value in str(found[0].text)
    assert publishing(TableStatus.DRAFT, OFFICER, filled) == {"table.responsibility"}


SHARED = replace(DRAFT, origin=Origin.SHARED_IN, provider_org="wj")
ORIGINS = [
    (SHARED, set()),
    (replace(SHARED, provider_org=""), {"table.provider"}),
    (replace(SHARED, provider_org="mz"), {"table.provider"}),
    (replace(SHARED, provider_org="nobody"), {"table.provider"}),
    (replace(SHARED, origin=Origin.COLLECTED), {"table.provider"}),
    (replace(SHARED, open_type=OpenType.CONDITIONAL), {"table.shared_in_open"}),
    (replace(DRAFT, origin=Origin.NEGOTIATED, open_type=OpenType.CONDITIONAL), {"table.shared_in_open"}),
    (replace(DRAFT, origin=Origin.NEGOTIATED), set()),
    (replace(DRAFT, origin=Origin.PURCHASED, open_type=OpenType.CONDITIONAL), set()),
]


@pytest.mark.parametrize(("draft", "expected"), ORIGINS)
def test_origin_of_a_table(draft: TableDraft, expected: set[str]) -> None:
    found = refusals_to_register(draft, STEWARD, ["age", "id_no"], filled=ALL, departments=("mz", "wj"))
    assert {refusal.rule for refusal in found} == expected


def test_a_table_has_the_highest_grade_of_its_columns() -> None:
    assert table_grade([AGE]) is Grade.L2
    assert table_grade([AGE, ID, AGE]) is Grade.L4
    assert table_grade([]) is Grade.L4
