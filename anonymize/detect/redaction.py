"""Free text with the found identifiers replaced by their kind.

What was not found stays: names and addresses still do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from anonymize.detect.detector import detect_text
from anonymize.detect.entity import Entity, EntityKind

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


def redact_text(text: str, entities: Sequence[Entity] | None = None) -> str:
    """The text with each found span replaced by 【kind】.

    Shape: `entities` must not overlap and must belong to this text; left out, they are looked for.
    """
    found = detect_text(text) if entities is None else sorted(entities, key=lambda entity: entity.start)
    pieces: list[str] = []
    at = 0
    for entity in found:
        if entity.start < at or entity.end > len(text):
            raise ValueError("entities overlap or lie outside the text")
        pieces += [text[at : entity.start], f"【{LABELS[entity.kind]}】"]
        at = entity.end
    return "".join([*pieces, text[at:]])
