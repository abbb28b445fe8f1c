"""Landline numbers of mainland China: area code and seven or eight digits, with or without an extension.

Source: numbering plan. Service numbers (110, 12345, 95xxx, 400, 800) are not personal and don't match.
"""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer

_AREA = r"0(?:10|2[0-57-9]|[3-9][0-9]{2})"
_LOCAL = r"[2-8][0-9]{6,7}"
_EXTENSION = r"(?:[ ]?(?:-|转|分机|ext\.?)[ ]?[0-9]{1,6})?"


class Landline(Recognizer):
    """With a separator behind the area code; unseparated or without area code only beside a context word."""

    kind = EntityKind.CN_LANDLINE
    patterns = (
        re.compile(
            LEFT + rf"(?:\+?86[ \-]?)?(?P<apart>(?:\({_AREA}\)[ ]?|{_AREA}[ \-]){_LOCAL}{_EXTENSION})" + RIGHT, re.I
        ),
        re.compile(LEFT + rf"(?P<whole>{_AREA}{_LOCAL}{_EXTENSION})" + RIGHT, re.I),
        re.compile(LEFT + rf"(?P<local>[2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}{_EXTENSION})" + RIGHT, re.I),
    )
    context = (
        "座机", "电话", "固话", "固定电话", "传真", "联系方式", "联系", "tel", "phone", "landline", "fax", "電話",
    )  # fmt: skip
    headers = ("固定电话", "座机", "固话", "传真", "办公电话", "landline", "fax", "gddh", "zuoji")
    cell_pattern = r"^(?:\(0[0-9]{2,3}\) ?|0(?:10|2[0-57-9]|[3-9][0-9]{2})[ \-])[2-8][0-9]{6,7}(?:[\-转][0-9]{1,6})?$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        if match.lastgroup == "apart":
            return Judged(0.5)
        return Judged(0.2 if match.lastgroup == "whole" else 0.05)
