"""R33: a picture comes with the table of counts behind it; no machine reads the picture.

Default: FLAG without a table in the same submission, NOTE with one. Source: OpenSAFELY and the German research data
centres ask for the underlying counts (OUTPUT-CONTROL R33).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.subject import IMAGE_KINDS, Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text


class Picture:
    """Pictures are a reviewer's matter."""

    id = "R33"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        if subject.kind not in IMAGE_KINDS:
            return
        if context.has_table:
            level = Level.NOTE
            text = Text(
                "机审不读取图像内容，请审核人查看。",
                "The machine check does not read the picture; a reviewer looks at it.",
            )
            step = Text(
                "请审核人对照所附数据表查看图像。", "Reviewers compare the picture with the table submitted beside it."
            )
        else:
            level = Level.FLAG
            text = Text(
                "图像没有附带其数据表，机审不读取图像内容。",
                "The picture comes without its table, and the machine check does not read pictures.",
            )
            step = Text(
                "请附上图中各项的计数表（CSV）后提交。", "Submit the table of counts behind the picture (CSV) with it."
            )
        yield finding(self.id, Code.DOC_MISSING, level, subject.name, where="", text=text, next_step=step)


RULE: Final = Picture()
