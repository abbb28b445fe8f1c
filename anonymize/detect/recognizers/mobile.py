"""Mobile numbers of mainland China.

Source: numbering plan, 11 digits 1[3-9]; segments open every few years and numbers move between carriers, so a segment
is worth a little score and nothing more. Other elevenfold numbers beginning with 1 count only beside a context word.
"""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer, compact

_UNASSIGNED = frozenset(("142", "143", "154", "161", "164", "194"))


class Mobile(Recognizer):
    """`1[3-9]` and nine more digits, in groups of 3-4-4, 3-3-5 or 4-3-4, with or without +86."""

    kind = EntityKind.CN_MOBILE
    patterns = (
        re.compile(
            LEFT + r"(?:\+?86[ \-]?|0086[ \-]?|0(?=1))?"
            r"(?P<value>1[3-9][0-9](?:[ \-]?[0-9]{4}[ \-]?[0-9]{4}"
            r"|[ \-][0-9]{3}[ \-][0-9]{5}|[0-9][ \-][0-9]{3}[ \-][0-9]{4}))" + RIGHT
        ),
        # Written apart digit by digit, or with a prefix that is not assigned: only beside a context word.
        re.compile(LEFT + r"(?P<weak>1(?:[ \-]{0,2}[0-9]){10})" + RIGHT),
        re.compile(LEFT + r"(?P<weak>1[0-9]{12})" + RIGHT),
    )
    context = (
        "手机", "电话", "联系方式", "联系", "致电", "来电", "拨打", "微信同号", "mobile", "phone", "tel", "sjh",
        "電話", "手機", "号码",
    )  # fmt: skip
    headers = (
        "手机", "移动电话", "联系电话", "联系方式", "电话", "sjh", "sjhm", "shouji", "lxdh", "dianhua", "dhhm",
        "phone", "mobile", "telephone", "tel", "cell", "contact no", "phoneno", "mobileno",
    )  # fmt: skip
    cell_pattern = r"^(?:\+?86[ \-]?|0086)?1[3-9][0-9][ \-]?[0-9]{4}[ \-]?[0-9]{4}$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        number = compact(match.group(match.lastgroup or 0))
        if match.lastgroup == "weak":
            return Judged(0.05)
        return Judged(0.45 if number[:3] in _UNASSIGNED else 0.55)
