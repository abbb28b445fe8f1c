"""R49: no numbers of persons or firms: resident numbers, credit codes, cards, telephones, plates and the like.

Definition: what `anonymize.detect` finds in cells, names, keys, text and the file's name. Default: BLOCK with a
right check digit (resident number, credit code, UnionPay card); FLAG in the right form without one. Bare numbers
of a column are taken for telephones or cards only if half of the column looks so or its name says so: one random
number in fourteen looks like a telephone. Source: OUTPUT-CONTROL R49 and PII-ZH section 7.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from anonymize.detect import Entity, EntityKind, detect_text
from anonymize.detect.headers import header_has
from anonymize.detect.registry import BY_KIND
from anonymize.screen.blobs import Meaning, blobs_in
from anonymize.screen.context import Context
from anonymize.screen.findings import finding, limited
from anonymize.screen.grid import Grid
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Code, Finding, Level
from anonymize.text import Text

_WORTH: Final = re.compile(
    r"\d(?:[^\n]{0,3}?\d){5}|@|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]\s?[A-Za-z]|[0-9A-Fa-f]:[0-9A-Fa-f]|号|微信|QQ",
    re.I,
)
_BARE: Final = re.compile(r"[+\-]?[0-9,]{7,25}(?:\.[0-9]+)?")
_UNSURE: Final = frozenset(
    {
        EntityKind.CN_MOBILE,
        EntityKind.BANK_CARD,
        EntityKind.CN_LANDLINE,
        EntityKind.CN_TRAVEL_PERMIT,
        EntityKind.COORDINATES,
    }
)
_CHECKED: Final = frozenset({EntityKind.CN_RESIDENT_ID, EntityKind.CN_CREDIT_CODE, EntityKind.BANK_CARD})
_SURE: Final = 0.5
_COLUMN_SHARE: Final = 0.5


class Identifiers:
    """Numbers of persons and firms."""

    id = "R49"

    def check(self, subject: Subject, context: Context) -> Iterator[Finding]:
        found: list[Finding] = []
        held: dict[EntityKind, tuple[int, str, Level]] = {}
        for where, text in _pieces(subject, context):
            if _WORTH.search(text):
                for entity in detect_text(text[:100_000]):
                    _add(held, entity, where)
        found += [self._found(subject, kind, *what) for kind, what in held.items()]
        for grid in subject.grids:
            for index in range(grid.width):
                context.deadline.check()
                found += self._column(subject, grid, index)
        yield from limited(found)

    def _column(self, subject: Subject, grid: Grid, index: int) -> Iterator[Finding]:
        column = grid.columns[index]
        rows: dict[str, int] = {}
        for row, text in enumerate(column):
            rows.setdefault(text, row)
        held: dict[EntityKind, tuple[int, str, Level]] = {}
        unsure: dict[EntityKind, tuple[int, str, Level]] = {}
        filled = sum(1 for text in rows if text.strip())
        for text, row in rows.items():
            if not _WORTH.search(text):
                continue
            bare = _BARE.fullmatch(text.strip()) is not None
            for entity in detect_text(text[:100_000]):
                _add(unsure if bare and _is_unsure(entity, text) else held, entity, grid.place(row, index))
        for kind, what in unsure.items():
            named = header_has(grid.header[index], BY_KIND[kind].headers)
            if named or (what[0] >= 3 and what[0] >= _COLUMN_SHARE * filled):
                held.setdefault(kind, what)
        yield from (self._found(subject, kind, *what) for kind, what in held.items())

    def _found(self, subject: Subject, kind: EntityKind, count: int, where: str, level: Level) -> Finding:
        code = Code.FINE_GEO if kind is EntityKind.COORDINATES else Code.DIRECT_ID
        sure_zh, sure_en = ("，校验位正确", " with a right check digit") if level is Level.BLOCK else ("", "")
        return finding(
            self.id,
            code,
            level,
            subject.name,
            where=where,
            text=Text(
                f"发现 {count} 处 {kind.value}{sure_zh}（首处见位置）。",
                f"{count} values look like {kind.value}{sure_en} (the first one's place is given).",
            ),
            next_step=Text(
                "请删除标识符；若为误报，请书面说明。",
                "Remove the identifiers; if this is a false alarm, explain it in writing.",
            ),
        )


def _is_unsure(entity: Entity, text: str) -> bool:
    """Bare digits that only look like something: without a check digit that is right, or of a kind that has none."""
    if entity.kind is EntityKind.CN_RESIDENT_ID:
        return len(text.strip()) == 15 or entity.score < _SURE
    if entity.kind is EntityKind.CN_CREDIT_CODE:
        return entity.score < _SURE
    return entity.kind in _UNSURE


def _add(held: dict[EntityKind, tuple[int, str, Level]], entity: Entity, where: str) -> None:
    sure = entity.kind in _CHECKED and entity.checked is True and entity.score >= _SURE
    level = Level.BLOCK if sure else Level.FLAG
    count, first, before = held.get(entity.kind, (0, where, level))
    if level is Level.BLOCK and before is not Level.BLOCK:
        first = where
    held[entity.kind] = (count + 1, first, Level.BLOCK if Level.BLOCK in {level, before} else level)


def _pieces(subject: Subject, context: Context) -> Iterator[tuple[str, str]]:
    """Text outside tables, and the texts of encoded runs."""
    yield from subject.pieces()
    if subject.is_text:
        pack = context.pack
        for blob in blobs_in(
            subject.text,
            least=pack.blob_characters,
            depth=pack.blob_depth,
            text_bytes=pack.image_text_bytes,
            max_pixels=pack.max_pixels,
        ):
            if blob.meaning is Meaning.TEXT:
                yield "encoded content", blob.text


RULE: Final = Identifiers()
