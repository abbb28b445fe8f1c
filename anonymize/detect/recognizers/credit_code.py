"""Unified social credit codes of organisations, and the two numbers they replaced.

Source: GB 32100-2015 (18 of 31 characters, two check characters inside), GB 11714-1997 (organisation code NNNNNNNN-C),
GB/T 17710 (old 15-digit business registration number).
"""

from __future__ import annotations

import re

from anonymize.detect.checksums import business_check, credit_check, credit_checks, organisation_check
from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer, compact

_SET = "0-9A-HJ-NPQRTUWXY"
_BORN = re.compile(r"[0-9]{6}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]\Z")


class CreditCode(Recognizer):
    """Registering authority and kind (two characters), region (six digits), organisation code (nine), check."""

    kind = EntityKind.CN_CREDIT_CODE
    patterns = (
        re.compile(LEFT + rf"(?P<long>[1-9AN-Y][0-9A-Z][0-9]{{6}}[{_SET}]{{10}})" + RIGHT, re.I),
        re.compile(
            LEFT
            + rf"(?P<apart>[1-9AN-Y][0-9A-Z][ \-]?[0-9]{{6}}[ \-]?[{_SET}]{{8}}[ \-]?[{_SET}][ \-]?[{_SET}])"
            + RIGHT,
            re.I,
        ),
        re.compile(LEFT + r"(?P<organisation>[0-9A-Z]{8}-[0-9X])" + RIGHT, re.I),
        re.compile(LEFT + r"(?P<business>[1-9][0-9]{14})" + RIGHT),
    )
    context = (
        "信用代码", "统一代码", "机构代码", "注册号", "营业执照", "税号", "纳税人识别号", "credit code", "uscc",
        "信用代碼", "税务登记",
    )  # fmt: skip
    headers = (
        "信用代码", "统一代码", "机构代码", "工商注册号", "营业执照", "纳税人识别号", "税号", "uscc", "tyshxydm",
        "shxydm", "xydm", "zzjgdm", "credit code", "creditcode", "social credit", "org code", "organization code",
        "business license", "tax id",
    )  # fmt: skip
    cell_pattern = r"^(?:[1-9AN-Yan-y][0-9A-Za-z][0-9]{6}[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{10}|[0-9A-Z]{8}-[0-9X])$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        code = compact(match.group())
        if match.lastgroup == "organisation":
            return Judged(0.55, True) if organisation_check(code) else Judged(0.15, False)
        if match.lastgroup == "business":
            return Judged(0.30, True) if business_check(code) else Judged(0.05, False)
        checked = credit_check(code)
        known = code[:2] in _AUTHORITIES
        score = 0.10 + (0.20 if known else 0.0)
        if any(letter.isalpha() for letter in code):
            score += 0.15
        if len(match.group()) != len(code) and not checked:
            score -= 0.20
        if checked:  # one random number in 31 passes, so the check weighs less without a known authority
            score += 0.45 if known else 0.20
        if _BORN.match(code):  # digits alone with a date where a resident number has it: that is likelier
            score = min(score, 0.5)
        return Judged(score, checked)

    def check_share(self, values: list[str]) -> float | None:
        long = [value for value in values if len(value) == 18]
        return float(credit_checks(long).mean()) if long else None


# Registering authority and kind of organisation in use (GB 32100-2015, table of codes).
_AUTHORITIES = frozenset(
    f"{authority}{kind}"
    for authority, kinds in {
        "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "123459", "6": "129",
        "7": "129", "8": "19", "9": "123", "A": "19", "N": "1239", "Y": "1",
    }.items()
    for kind in kinds
)  # fmt: skip
