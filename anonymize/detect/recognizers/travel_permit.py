"""Travel permits between the mainland, Hong Kong, Macau and Taiwan.

Source: published number forms: H or M + 8 lifelong digits (+ 2 of the renewal on older prints); 8 digits for Taiwan
residents; C, W (to Hong Kong and Macau), L, T (to Taiwan) + 8, newer C + letter + 7.
"""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer


class TravelPermit(Recognizer):
    """H and M forms by themselves; C, W, L, T and the bare digits of Taiwan residents beside a context word."""

    kind = EntityKind.CN_TRAVEL_PERMIT
    patterns = (
        re.compile(LEFT + r"(?P<strong>[HM][0-9]{8}(?:[0-9]{2})?)" + RIGHT, re.I),
        re.compile(LEFT + r"(?P<weak>[CWLT][0-9]{8}|C[A-Z][0-9]{7}|[0-9]{8}(?:[0-9]{2}|\([A-Z0-9]\))?)" + RIGHT, re.I),
    )
    context = ("通行证", "回乡证", "台胞证", "港澳", "来往", "travel permit", "通行證", "台湾居民")
    headers = ("通行证", "回乡证", "台胞证", "travel permit", "txz", "txzh", "permit no")
    cell_pattern = r"^[HM][0-9]{8}(?:[0-9]{2})?$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        return Judged(0.4 if match.lastgroup == "strong" else 0.02)
