"""The tables of `tests/specs/wording.md`, asked of the rules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Refusal
from hub.wording import refusals_of_words
from tests.spec_tables import Row, rows

SAID = {
    "第一行⏎第二行": "第一行\n第二行",
    "含零宽字符": "街\u200b道",
    "含反向文字符": "街\u202e道",
    "含半个字符": "街\ud800道",
}
"""What a table cannot show as it is."""


def write(row: Row) -> Sequence[Refusal]:
    words = row.text("words", "街")
    length = row.number("length", 0)
    said = SAID.get(words, words) if not length else "街" * length
    as_line = row.text("kind", "正文") == "名称"
    return refusals_of_words("-", lines=[said] if as_line else [], texts=[] if as_line else [said])


@pytest.mark.parametrize("row", rows("wording"), ids=str)
def test_wording_as_its_tables_say(row: Row) -> None:
    row.holds({"write": write})
