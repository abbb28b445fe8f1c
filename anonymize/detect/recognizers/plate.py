"""Number plates of vehicles. Source: GA 36-2018 and the special endings in use."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import RIGHT, Judged, Recognizer, compact

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼滬蘇贛雲遼"


class Plate(Recognizer):
    """Province, office letter, five characters; six for new energy; endings 学 警 挂 港 澳 领 使 应急.

    I and O are never issued; clerks and cameras write them for 1 and 0, so they cost score and don't exclude.
    """

    kind = EntityKind.CN_PLATE
    patterns = (
        re.compile(
            rf"[{_PROVINCES}][A-Za-z][ .\-]{{0,2}}[A-Za-z0-9]{{4,5}}(?:[A-Za-z0-9]|[学警挂港澳领使試试超]|应急){RIGHT}"
        ),
        re.compile(rf"[{_PROVINCES}][0-9]{{6}}领{RIGHT}|使[0-9]{{6}}{RIGHT}|(?<![0-9A-Za-z])[0-9]{{6}}使"),
    )
    context = ("车牌", "牌照", "号牌", "车号", "车辆", "plate", "車牌")
    headers = (
        "车牌", "号牌", "牌照", "cph", "cphm", "hphm", "chepai", "plate", "plate no", "plateno", "licence plate",
        "license plate",
    )  # fmt: skip
    cell_pattern = rf"^[{_PROVINCES}][A-Za-z][ .\-]?[A-Za-z0-9]{{4,5}}(?:[A-Za-z0-9]|[学警挂港澳领使]|应急)$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        plate = compact(match.group()).replace(".", "")
        if sum(letter.isdecimal() for letter in plate) < 2:
            return Judged(0.05)
        return Judged(0.55 if set("IO") & set(plate[1:]) else 0.7)
