"""The tables of `tests/specs/workspaces.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Refusal
from hub.licensing.model import ExtractLevel
from hub.people.actor import Actor, OrgKind, Role
from hub.workspaces.model import WorkspaceStatus
from hub.workspaces.rules import (
    Origin,
    refusals_of_closed,
    refusals_of_destroyed,
    refusals_to_choose,
    refusals_to_mount,
    refusals_to_open,
    rung_to_mount,
)
from tests.spec_tables import Row, rows

ANALYST = Actor(person_id="分析师甲", org_id="运营机构甲", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.ANALYST}))
ISSUED = Origin(digest="签发时的摘要", source="现在的源文件", policy="现在的规则")


def open_(row: Row) -> Sequence[Refusal]:
    return refusals_to_open(
        actor=row.actor(ANALYST),
        licence_id="l-0001",
        operator_org="运营机构甲",
        extracts=row.number("extracts", 1),
    )


def rung(row: Row) -> Sequence[Refusal]:
    """What the rules find to lie in the workspace decides whether it opens."""
    level = rung_to_mount(
        row.words("issued", ExtractLevel),
        full_in_workspace=row.yes("full in workspace", default=False),
        chosen=row.word_or_none("chosen", ExtractLevel, None),
    )
    return refusals_to_open(
        actor=ANALYST, licence_id="l-0001", operator_org="运营机构甲", extracts=0 if level is None else 1
    )


def destroyed(row: Row) -> Sequence[Refusal]:
    return refusals_of_destroyed("w-0001", row.word("state", WorkspaceStatus, WorkspaceStatus.CLOSED))


def kernel(row: Row) -> Sequence[Refusal]:
    return refusals_of_closed("w-0001", row.word("state", WorkspaceStatus, WorkspaceStatus.OPEN))


def choose(row: Row) -> Sequence[Refusal]:
    return refusals_to_choose(
        actor=row.actor(ANALYST),
        workspace_id="w-0001",
        owner_id=row.text("owner", ANALYST.person_id),
        level=row.word("level", ExtractLevel, ExtractLevel.SYNTHETIC),
        full_in_workspace=row.yes("full in workspace", default=False),
    )


def mount(row: Row) -> Sequence[Refusal]:
    found = Origin(
        digest=row.text("digest", ISSUED.digest),
        source=row.text("source", ISSUED.source),
        policy=row.text("policy", ISSUED.policy),
    )
    return refusals_to_mount(extract_id="e-0001", issued=ISSUED, found=found)


@pytest.mark.parametrize("row", rows("workspaces"), ids=str)
def test_workspaces_as_their_tables_say(row: Row) -> None:
    row.holds({"open": open_, "rung": rung, "destroyed": destroyed, "kernel": kernel, "choose": choose, "mount": mount})
