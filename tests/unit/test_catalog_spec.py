"""The tables of `tests/specs/catalog.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.catalog.model import ColumnClass, Grade, OpenType, Origin, ShareType, TableStatus, UpdateCycle
from hub.catalog.rules import (
    ColumnDraft,
    TableDraft,
    refusals_of_id,
    refusals_of_taken,
    refusals_to_mark_secret,
    refusals_to_publish,
    refusals_to_register,
)
from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Post, Role
from tests.spec_tables import Row, rows

STEWARD = Actor(person_id="专员", org_id="区民政局", org_kind=OrgKind.DEPARTMENT, roles=frozenset({Role.DEPT_STEWARD}))
OFFICER = Actor(person_id="经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
DEPARTMENTS = ("区民政局", "区卫健委", "区统计局")
COLUMNS = ("年龄", "证件号")


def register(row: Row) -> Sequence[Refusal]:
    file_columns = row.texts("columns of the file", COLUMNS)
    classes = {"证件号": row.word("class of the id column", ColumnClass, ColumnClass.DIRECT_ID)}
    draft = TableDraft(
        id="eldercare",
        title_zh=row.text("chinese title", "养老服务"),
        title_en=row.text("english title", "Elder care"),
        description=row.text("description", "每人一行"),
        owner_org=row.text("owner", "区民政局"),
        share_type=row.word("share type", ShareType, ShareType.AUTHORIZED),
        share_basis=row.text("share basis", "某法第一条"),
        open_type=row.word("open type", OpenType, OpenType.NONE),
        open_basis=row.text("open basis", "某法第二条"),
        update_cycle=UpdateCycle.DAILY,
        state_secret=row.yes("state secret", default=False),
        columns=tuple(
            ColumnDraft(name=name, name_zh=name, column_class=classes.get(name, ColumnClass.QUASI_ID), grade=Grade.L3)
            for name in row.texts("columns described", COLUMNS)
        ),
        origin=row.word("origin", Origin, Origin.COLLECTED),
        provider_org=row.text("provider"),
    )
    filled = frozenset(row.words("posts filled", Post, list(Post)))
    return refusals_to_register(draft, row.actor(STEWARD), file_columns, filled=filled, departments=DEPARTMENTS)


def publish(row: Row) -> Sequence[Refusal]:
    return refusals_to_publish(
        status=row.word("state", TableStatus, TableStatus.DRAFT),
        table_id="eldercare",
        owner_org="区民政局",
        actor=row.actor(OFFICER),
        filled=frozenset(row.words("posts filled", Post, list(Post))),
        state_secret=row.yes("barred", default=False),
    )


def bar(row: Row) -> Sequence[Refusal]:
    return refusals_to_mark_secret(
        table_id="eldercare",
        owner_org="区民政局",
        state_secret=row.yes("barred", default=False),
        reason=row.text("reason", "保密审查发现"),
        actor=row.actor(STEWARD),
    )


def name_it(row: Row) -> Sequence[Refusal]:
    table_id = row.text("id", "eldercare")
    return (*refusals_of_id(table_id), *refusals_of_taken(table_id, taken=row.yes("taken", default=False)))


@pytest.mark.parametrize("row", rows("catalog"), ids=str)
def test_catalog_as_its_tables_say(row: Row) -> None:
    row.holds({"register": register, "publish": publish, "bar": bar, "name_it": name_it})
