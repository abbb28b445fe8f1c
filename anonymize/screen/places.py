"""Places inside a file in Chinese. Rules write them in one form (`row 3, column 2 (n)`); this is its other reading."""

from __future__ import annotations

import re
from typing import Final

_TABLE: Final = r"^(?:row (?P<table>\d+) (?=row |column |header ))?(?P<before>[^(]*?)"
_FORMS: Final = tuple(
    (re.compile(_TABLE + form), words)
    for form, words in (
        (r"\brow (\d+), column (\d+) \((.*)\)$", "第 {} 行第 {} 列（{}）"),
        (r"\brow (\d+), column (\d+)$", "第 {} 行第 {} 列"),
        (r"\bheader of column (\d+)$", "第 {} 列的列名"),
        (r"\bcolumn (\d+) \((.*)\)$", "第 {} 列（{}）"),
        (r"\bcolumn (\d+)$", "第 {} 列"),
        (r"\b(?:row|line) (\d+)$", "第 {} 行"),
        (r"\bline endings$", "行尾"),
    )
)


def in_chinese(where: str) -> str:
    """The place as a Chinese reader expects it; what has none of the known forms (a path in JSON) stays as it is.

    Only what a rule wrote is reworded: a column that is itself called "row 3" keeps its name.
    """
    for form, words in _FORMS:
        if found := form.search(where):
            table = f"自第 {found['table']} 行起的表，" if found["table"] else ""
            return table + found["before"] + words.format(*found.groups()[2:])
    return where
