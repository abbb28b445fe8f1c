"""R43: no invisible text. Zero-width, bidirectional, tag, variation-selector and control characters, space patterns.

Default: BLOCK. Source: own (OUTPUT-CONTROL R43). A variation selector directly behind an emoji is let through, and so
is the byte-order mark at the very beginning of a file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_HIDDEN: Final = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc\ue000-\uf8ff\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
)
_TRAILING: Final = re.compile(r"[ \t]+$")
_PATTERNED_LINES: Final = 8
"""Lines ending in mixed blanks and tabs from which that is a pattern and no carelessness."""


class Invisible:
    """Characters that a reader does not see, in the text, in names, in the file's name."""

    id = "R43"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        del context
        if count := _hidden(subject.name):
            yield self._found(subject, "file name", count)
        if not subject.is_text:
            return
        total, first = 0, 0
        for number, line in enumerate(subject.text.split("\n"), start=1):
            count = _hidden(line.rstrip("\r"))
            total += count
            first = first or (number if count else 0)
        inner = (
            sum(_hidden(text) for _, text in (*subject.names, *subject.texts)) if subject.kind.value == "json" else 0
        )
        inner += (
            sum(_hidden(text) for grid in subject.grids for column in grid.columns for text in column)
            if inner == 0 and subject.kind.value == "json"
            else 0
        )
        if total or inner:
            yield self._found(subject, f"line {first}" if first else "escaped characters", total or inner)
        endings = {match.group() for line in subject.text.splitlines() if (match := _TRAILING.search(line))}
        if (
            len([1 for line in subject.text.splitlines() if _TRAILING.search(line)]) >= _PATTERNED_LINES
            and len(endings) >= 4
        ):
            yield self._spaces(subject)

    def _found(self, subject: Subject, where: str, count: int) -> Finding:
        return finding(
            self.id,
            Code.HIDDEN_CONTENT,
            Level.BLOCK,
            subject.name,
            where=where,
            text=Text(f"含有 {count} 个不可见字符。", f"It holds {count} invisible characters."),
            next_step=Text("请删除不可见字符后重新提交。", "Remove the invisible characters and submit again."),
        )

    def _spaces(self, subject: Subject) -> Finding:
        return finding(
            self.id,
            Code.HIDDEN_CONTENT,
            Level.BLOCK,
            subject.name,
            where="line endings",
            text=Text(
                "多行行尾有长短不一的空白，可能藏有内容。",
                "Many lines end in blanks of varying length, which can hide content.",
            ),
            next_step=Text("请去除行尾空白后重新提交。", "Strip the ends of the lines and submit again."),
        )


def _hidden(text: str) -> int:
    if text.isascii() and text.isprintable():
        return 0
    count = 0
    for match in _HIDDEN.finditer(text):
        before = text[match.start() - 1] if match.start() else ""
        if match.group() == "\ufe0f" and before and (unicodedata.category(before) == "So" or before in "#*0123456789"):
            continue
        count += 1
    return count


RULE: Final = Invisible()
