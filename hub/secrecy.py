"""The marks by which a paper says that it is a state secret, so that it is stopped at every entrance.

State secrets are outside of the Measures (第三条) and of this platform. A mark is the grade with a star (机密★10年),
or the grade alone in brackets (【机密】). The words alone are no mark: people write that something is *not* secret.
Marks are looked for in what people write, in names of files and columns, and in the bytes of text files in UTF-8 and
GB 18030; a mark inside a compressed file (XLSX, Parquet, a picture) is not seen, which is why people declare besides.
"""

from __future__ import annotations

import re

BASIS = "普陀区公共数据管理办法 第三条"
_GRADES = ("绝密", "机密", "秘密")
_MARK = re.compile(r"(?:绝密|机密|秘密)\s*★|★\s*(?:绝密|机密|秘密)|[【〔\[](?:绝密|机密|秘密)(?:级)?[】〕\]]")
_BYTES = tuple(
    f"{before}{grade}{after}".encode(encoding)
    for encoding in ("utf-8", "gb18030")
    for grade in _GRADES
    for before, after in (("", "★"), ("★", ""), ("【", "】"), ("〔", "〕"))
)
LONGEST = max(len(mark) for mark in _BYTES)
"""Bytes of the longest mark: what two pieces of a file must overlap by."""


def is_marked(words: str) -> bool:
    """Whether a text carries a mark."""
    return _MARK.search(words) is not None


def holds_mark(content: bytes) -> bool:
    """Whether bytes carry a mark, in either encoding."""
    return any(mark in content for mark in _BYTES)
