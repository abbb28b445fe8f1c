"""R40: encoded runs are decoded and judged by what they are.

Definition: base64, base32 or hexadecimal of at least 64 characters, also split over the cells of a column;
decoded up to three layers deep. Text, tables, packed files, pickles: BLOCK; bytes of unknown meaning: FLAG; clean
pictures pass. Default: as said. Source: OUTPUT-CONTROL R40 (entropy tells nothing, content does); the bound of 64
is lower than its 200.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anonymize.screen.blobs import Blob, Meaning, blobs_in
from anonymize.screen.content import FileKind
from anonymize.screen.context import Context
from anonymize.screen.findings import finding, limited
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_MEANINGS: Final = {
    Meaning.TEXT: Text("文本或表格", "text or a table"),
    Meaning.PACKED: Text("压缩数据", "packed data"),
    Meaning.CODE: Text("pickle 对象", "a pickle"),
    Meaning.DIRTY_IMAGE: Text("夹带内容的图像", "a picture that holds more than its picture"),
    Meaning.FILE: Text("另一个文件", "another file"),
    Meaning.UNKNOWN: Text("含义不明的字节", "bytes of unknown meaning"),
}
JOINED: Final = "joined"
_JOINED_CELLS: Final = 3
_CELL_LENGTH: Final = 16


class Encoded:
    """Encoded content in text, in strings of JSON, in columns of cells."""

    id = "R40"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        if not subject.is_text:
            return
        found: list[Finding] = []
        for where, text in _texts(subject):
            context.deadline.check()
            if len(text) < context.pack.blob_characters:
                continue
            pack = context.pack
            blobs = blobs_in(
                text,
                least=pack.blob_characters,
                depth=pack.blob_depth,
                text_bytes=pack.image_text_bytes,
                max_pixels=pack.max_pixels,
            )
            # Cells put together are codes more often than not: only what has a meaning counts there.
            quiet = {Meaning.IMAGE, Meaning.UNKNOWN} if where.endswith(JOINED) else {Meaning.IMAGE}
            found += [self._blob(subject, where, blob) for blob in blobs if blob.meaning not in quiet]
        yield from limited(found)

    def _blob(self, subject: Subject, where: str, blob: Blob) -> Finding:
        what = _MEANINGS[blob.meaning]
        level = Level.FLAG if blob.meaning is Meaning.UNKNOWN else Level.BLOCK
        return finding(
            self.id,
            Code.HIDDEN_CONTENT,
            level,
            subject.name,
            where=where,
            text=Text(
                f"一段 {blob.length} 字符的编码内容解码后为{what.zh}（第 {blob.depth} 层）。",
                f"An encoded run of {blob.length} characters decodes to {what.en} (layer {blob.depth}).",
            ),
            next_step=Text(
                "请删除编码内容，以明文提交需要的结果。",
                "Remove the encoded content and submit the result in plain form.",
            ),
        )


def _texts(subject: Subject) -> Iterator[tuple[str, str]]:
    if subject.kind is not FileKind.JSON:
        yield "", subject.text
    yield from subject.pieces() if subject.kind is FileKind.JSON else ()
    for grid in subject.grids:
        for index, column in enumerate(grid.columns):
            long = [text.strip() for text in column if len(text.strip()) >= _CELL_LENGTH]
            if subject.kind is FileKind.JSON:
                yield from ((grid.column_place(index), text) for text in long)
            if len(long) >= _JOINED_CELLS and all(" " not in text for text in long[:50]):
                yield f"{grid.column_place(index)} {JOINED}", "".join(long)


RULE: Final = Encoded()
