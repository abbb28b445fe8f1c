"""Numbers of property certificates: by their phrase (…不动产权第…号) or by label."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class PropertyCertificate(LabelledRecognizer):
    """沪(2020)普字不动产权第012345号, 房地产权证号, or a number behind 产权证."""

    kind = EntityKind.PROPERTY_CERT
    labels = r"不动产(?:权证|单元)|房产证|产权证|房地产权证|房地产证|property cert(?:ificate)?"
    value = r"(?=[A-Za-z\-]{0,3}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{5,27}"
    headers = (
        "不动产权证", "不动产单元", "产权证", "房产证", "房地产权证", "fczh", "bdcqzh", "property cert",
        "title deed", "cert no house",
    )  # fmt: skip

    @classmethod
    def extra_patterns(cls) -> tuple[re.Pattern[str], ...]:
        return (
            re.compile(
                r"[\u4e00-\u9fff]{0,3}[(〔\[][12][0-9]{3}[)〕\]][\u4e00-\u9fff]{0,12}"
                r"(?:不动产权|房地产?权?|产权)证?[字]?第[ ]?[0-9]{4,12}[ ]?号"
            ),
        )
