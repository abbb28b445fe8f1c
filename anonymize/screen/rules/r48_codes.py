"""R48: no pseudonym of the extract in the output, in any file, also decoded.

Definition: a value of a column of codes (letters and digits, 12 or longer, nearly all values so) standing anywhere in
text. Default: BLOCK. Source: OUTPUT-CONTROL R48; a pseudonym links every row of one person across tables and releases.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.extract_index import TOKEN
from anonymize.screen.findings import finding
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text


class Codes:
    """Exact codes of the extract."""

    id = "R48"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        known = [codes for index in context.extracts for codes in index.pseudonyms.values()]
        if not known or not subject.is_text:
            return
        count, first = 0, ""
        for where, text in _texts(subject):
            tokens = {match.lower() for match in TOKEN.findall(text)}
            found = sum(len(tokens & codes) for codes in known)
            count += found
            first = first or (where if found else "")
        context.deadline.check()
        if count:
            yield finding(
                self.id,
                Code.LINK_KEY,
                Level.BLOCK,
                subject.name,
                where=first,
                text=Text(f"含有脱敏数据包中的假名 {count} 个。", f"It holds {count} pseudonyms of the extract."),
                next_step=Text("请删除假名列，只提交汇总结果。", "Drop the pseudonyms and submit aggregates only."),
            )


def _texts(subject: Subject) -> Iterator[tuple[str, str]]:
    yield from subject.pieces()
    for grid in subject.grids:
        for index, column in enumerate(grid.columns):
            long = [text for text in column if len(text) >= 12]
            if long:
                yield grid.column_place(index), "\n".join(long)


RULE: Final = Codes()
