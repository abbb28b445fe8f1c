"""Numbers of property certificates: by their phrase (…不动产权第…号) or by label."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Judged, LabelledRecognizer

_HAN = r"[\u4e00-\u9fff]"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼滬蘇浙贛雲遼"
_PROPERTY = re.compile(r"不动产|不動產|房|[产產][权權]")


class PropertyCertificate(LabelledRecognizer):
    """沪(2020)普字不动产权第012345号, 房地产权证号, or a number behind 产权证."""

    kind = EntityKind.PROPERTY_CERT
    labels = (
        r"不动产(?:权证|单元)|房产证|产权证|房地产权证|房地产证"
        r"|不動產(?:權證|單元)|房產證|產權證|房地產權?證|property cert(?:ificate)?"
    )
    value = r"(?:(?![于在至到从自的为是])[\u4e00-\u9fff])?(?=[A-Za-z\-]{0,3}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{5,27}"
    headers = (
        "不动产权证", "不动产单元", "产权证", "房产证", "房地产权证", "fczh", "bdcqzh", "property cert",
        "title deed", "cert no house",
    )  # fmt: skip

    @classmethod
    def extra_patterns(cls) -> tuple[re.Pattern[str], ...]:
        return (
            re.compile(
                rf"(?:[{_PROVINCES}]{_HAN}{{0,6}})?[(〔\[][12][0-9]{{3}}[)〕\]]{_HAN}{{0,12}}"
                r"(?:不动产权|不動產權|房地?[产產]?[权權]?|[产產][权權])?[证證]?字?第[ ]?[0-9]{4,12}[ ]?[号號]"
            ),
            re.compile(rf"[{_PROVINCES}]房地?[产產]?[权權]?[证證]?{_HAN}{{1,4}}字第?[ ]?[A-Z]?[0-9]{{4,12}}[ ]?[号號]"),
        )

    def judge(self, match: re.Match[str]) -> Judged | None:
        """A phrase without the words for property is another kind of document (a contract, a decision)."""
        if "value" in match.re.groupindex or _PROPERTY.search(match.group()):
            return Judged(self.score)
        return None
