"""Passport numbers: Chinese ordinary, public affairs, service and diplomatic, and those of Hong Kong and Macau.

Source: published number forms (E + 8 digits; E + letter + 7 digits since 2017; older G, 14, 15). No check digit outside
the machine-readable zone, and some forms look like any product code: those count only beside a context word.
"""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer


class Passport(Recognizer):
    """Letter and digits; the weak forms (P, S, D, K, MA, 14x, 15x) need a context word."""

    kind = EntityKind.CN_PASSPORT
    patterns = (
        re.compile(LEFT + r"(?P<strong>E[A-HJ-NP-Za-hj-np-z][0-9]{7}|[EeGg][ ]?[0-9]{8})" + RIGHT),
        re.compile(
            LEFT + r"(?P<weak>(?:P|PE|S|SE|D|DE)[0-9]{7}|K[0-9]{8}|K[A-Z][0-9]{7}|MA[0-9]{7}|1[45][0-9]{7})" + RIGHT,
            re.I,
        ),
    )
    context = ("护照", "passport", "護照", "hzhm")
    headers = ("护照", "passport", "hzh", "hzhm", "huzhao")
    cell_pattern = r"^(?:E[A-HJ-NP-Z][0-9]{7}|[EG][0-9]{8})$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        return Judged(0.45 if match.lastgroup == "strong" else 0.1)
