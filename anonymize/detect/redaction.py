"""Free text with what was found replaced: by its kind, by signs, or by something invented.

What was not found stays; docs/explanation/detection.md says how much that is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, assert_never

from anonymize.detect.detector import detect_text
from anonymize.detect.entity import Entity, EntityKind
from anonymize.detect.normalize import normalize
from anonymize.detect.recognizer import compact
from anonymize.techniques.fake import invent
from anonymize.techniques.pseudonymize import MIN_KEY_BYTES

LABELS: Final[Mapping[EntityKind, str]] = {
    EntityKind.PERSON: "姓名",
    EntityKind.ADDRESS: "地址",
    EntityKind.ORGANIZATION: "单位",
    EntityKind.CN_RESIDENT_ID: "身份证号",
    EntityKind.CN_CREDIT_CODE: "信用代码",
    EntityKind.CN_MOBILE: "手机号",
    EntityKind.CN_LANDLINE: "电话",
    EntityKind.BANK_CARD: "银行卡号",
    EntityKind.CN_PASSPORT: "护照号",
    EntityKind.CN_TRAVEL_PERMIT: "通行证号",
    EntityKind.CN_PLATE: "车牌",
    EntityKind.CN_DRIVING_LICENCE: "驾驶证号",
    EntityKind.EMAIL: "邮箱",
    EntityKind.WECHAT: "微信号",
    EntityKind.QQ: "QQ号",
    EntityKind.IP: "IP地址",
    EntityKind.MAC: "MAC地址",
    EntityKind.COORDINATES: "坐标",
    EntityKind.DATE_OF_BIRTH: "出生日期",
    EntityKind.MEDICAL_RECORD: "病历号",
    EntityKind.SOCIAL_SECURITY: "社保号",
    EntityKind.PROPERTY_CERT: "产权证号",
    EntityKind.SCHOOL_ROLL: "学籍号",
}


class Mode(StrEnum):
    """What stands where an identifier stood."""

    TAG = "tag"
    MASK = "mask"
    FAKE = "fake"


INVENTED: Final[Mapping[EntityKind, str]] = {
    EntityKind.PERSON: "name",
    EntityKind.ADDRESS: "address",
    EntityKind.ORGANIZATION: "company",
    EntityKind.EMAIL: "email",
    EntityKind.CN_MOBILE: "mobile",
    EntityKind.CN_RESIDENT_ID: "resident_id",
    EntityKind.CN_PLATE: "plate",
}
"""Kinds that can be invented; the others are tagged in fakes too, for an invented number might belong to someone."""


class Redactor:
    """Replaces what was found. With fakes the same identifier gets the same fake as long as the key is the same."""

    def __init__(self, mode: Mode = Mode.TAG, *, key: bytes | None = None) -> None:
        self._mode = mode
        self._key = key or secrets.token_bytes(MIN_KEY_BYTES)
        self._given: dict[tuple[EntityKind, str], str] = {}

    def redact(self, text: str, entities: Sequence[Entity]) -> str:
        """The text with each found span replaced.

        Shape: `entities` must not overlap and must belong to this text.
        """
        pieces: list[str] = []
        at = 0
        for entity in sorted(entities, key=lambda entity: entity.start):
            if entity.start < at or entity.end > len(text):
                raise ValueError("entities overlap or lie outside the text")
            pieces += [text[at : entity.start], self._instead(entity.kind, text[entity.start : entity.end])]
            at = entity.end
        return "".join([*pieces, text[at:]])

    def _instead(self, kind: EntityKind, found: str) -> str:
        match self._mode:
            case Mode.TAG:
                return f"【{LABELS[kind]}】"
            case Mode.MASK:
                return "＊" * len(found)
            case Mode.FAKE:
                return self._fake(kind, found) if kind in INVENTED else f"【{LABELS[kind]}】"
            case _ as unknown:
                assert_never(unknown)

    def _fake(self, kind: EntityKind, found: str) -> str:
        known = (kind, compact(normalize(found).text))
        if known not in self._given:
            self._given[known] = invent(INVENTED[kind], known[1], key=self._key)
        return self._given[known]


def redact_text(text: str, entities: Sequence[Entity] | None = None) -> str:
    """The text with each found span replaced by 【kind】.

    Shape: `entities` must not overlap and must belong to this text; left out, numbers are looked for.
    """
    return Redactor().redact(text, detect_text(text) if entities is None else entities)
