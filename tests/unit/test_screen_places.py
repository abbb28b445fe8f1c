"""Where a finding is, in both languages."""

from __future__ import annotations

import pytest

from anonymize.screen.places import in_chinese
from anonymize.screen.shown import cell, column_place


@pytest.mark.parametrize(
    ("where", "chinese"),
    [
        (cell(3, 2, "n"), "第 3 行第 2 列（n）"),
        (cell(3, 2, ""), "第 3 行第 2 列"),
        (column_place(2, "row 9, column 9"), "第 2 列（row 9, column 9）"),
        (column_place(1, ""), "第 1 列"),
        ("row 7 header of column 2", "自第 7 行起的表，第 2 列的列名"),
        ("row 7 row 9, column 2 (n)", "自第 7 行起的表，第 9 行第 2 列（n）"),
        ("$.a row 9, column 2", "$.a 第 9 行第 2 列"),
        ("row 4", "第 4 行"),
        ("line 12", "第 12 行"),
        ("line endings", "行尾"),
        ("$.items[3]", "$.items[3]"),
        ("", ""),
    ],
)
def test_place_is_said_in_chinese(where: str, chinese: str) -> None:
    assert in_chinese(where) == chinese
