"""R36, R37: an image is its picture and nothing else; markdown hides nothing from its reader.

Definition: no bytes outside the format, no text, EXIF or unknown parts; HTML comments and scripts in markdown.
Default: BLOCK, but for the one short Software note that matplotlib writes. Source: own measurements (OUTPUT-CONTROL
R36, R37): Pillow opens every doctored variant without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anonymize.screen.content import FileKind
from anonymize.screen.context import Context
from anonymize.screen.findings import finding
from anonymize.screen.images import foreign_parts
from anonymize.screen.subject import IMAGE_KINDS, Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_UNSEEN: Final = re.compile(
    r"<!--|<\s*(?:script|style|iframe|object|embed|svg|link|meta|details|template|form|img|[a-z]{1,12}\s[^>\n]{0,200}(?:hidden|display\s*:\s*none))"
    r"|^\s{0,3}\[[^\]\n]{1,100}\]:\s*#|^\s{0,3}\[//\]:",
    re.I | re.M,
)


class Appended:
    """Bytes and parts of an image that are no picture; parts of markdown that are not shown."""

    id = "R36"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        if subject.kind in IMAGE_KINDS:
            pack = context.pack
            for part in foreign_parts(subject.data, text_bytes=pack.image_text_bytes, max_pixels=pack.max_pixels):
                yield self._image(subject, part.rule, part.what)
        elif subject.kind in {FileKind.MD, FileKind.TXT}:
            for number, line in enumerate(subject.text.splitlines(), start=1):
                if subject.kind is FileKind.MD and _UNSEEN.search(line):
                    yield self._markdown(subject, number)
                    return

    def _image(self, subject: Subject, rule: str, what: Text) -> Finding:
        return finding(
            rule,
            Code.HIDDEN_CONTENT,
            Level.BLOCK,
            subject.name,
            where="",
            text=Text(f"图像含有图像以外的内容：{what.zh}。", f"The image holds more than its picture: {what.en}."),
            next_step=Text(
                "请重新绘制并另存图像，去除元数据后提交。",
                "Draw and save the image again without metadata, then submit it.",
            ),
        )

    def _markdown(self, subject: Subject, line: int) -> Finding:
        return finding(
            self.id,
            Code.HIDDEN_CONTENT,
            Level.BLOCK,
            subject.name,
            where=f"line {line}",
            text=Text(
                f"第 {line} 行含有读者看不到的内容（注释、脚本或嵌入）。",
                f"Line {line} holds what a reader does not see (comment, script, embedding).",
            ),
            next_step=Text("请删除该处后重新提交。", "Remove it and submit again."),
        )


RULE: Final = Appended()
