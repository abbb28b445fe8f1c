"""Which texts can hold a name at all: the model costs some ten thousand times what looking for one character does."""

from __future__ import annotations

import re
from typing import Final

from anonymize.detect.nlp.surnames import DOUBLE, SINGLE

_MARKS: Final = re.compile(
    rf"[{SINGLE}]|{'|'.join(DOUBLE)}|[·•]|[省市区县镇乡村路街弄巷苑园里坊庄屯]|公司|大厦|广场|小区|集团|医院|学校|银行|中心|局|院|店|厂"
)


def may_name(text: str) -> bool:
    """Whether a text holds a family name, a part of an address or of an organisation's name."""
    return _MARKS.search(text) is not None
