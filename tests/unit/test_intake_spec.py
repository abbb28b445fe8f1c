"""The tables of `tests/specs/intake.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Refusal
from hub.intake.rules import (
    refusals_of_marks,
    refusals_of_owner,
    refusals_of_scan,
    refusals_of_size,
    refusals_to_receive,
)
from hub.secrecy import holds_mark
from tests.spec_tables import Row, rows


def receive(row: Row) -> Sequence[Refusal]:
    return refusals_to_receive(row.text("file name"), no_state_secret=row.yes("declared", default=True))


def size(row: Row) -> Sequence[Refusal]:
    return refusals_of_size(row.number("bytes", 0), limit=row.number("limit", 0))


def scan(row: Row) -> Sequence[Refusal]:
    names, counted = row.texts("columns"), row.number("rows", 240)
    if names == ("没有结果",):
        return refusals_of_scan(None)
    named = [{"name": "\ud800" if name == "半个字符" else name} for name in names]
    return refusals_of_scan({"rows": counted, "columns": named})


def owner(row: Row) -> Sequence[Refusal]:
    return refusals_of_owner(row.text("organisation"), known_of=row.text("known of") or None)


def content(row: Row) -> Sequence[Refusal]:
    found = holds_mark(row.text("content").encode(row.text("encoding")))
    return refusals_of_marks((), in_content=found)


ASKS = {"receive": receive, "size": size, "scan": scan, "owner": owner, "content": content}


@pytest.mark.parametrize("row", rows("intake"), ids=str)
def test_intake_as_its_tables_say(row: Row) -> None:
    row.holds(ASKS)
