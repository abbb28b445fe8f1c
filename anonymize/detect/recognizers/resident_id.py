"""Resident identity numbers (公民身份号码), residence permits built like them, and their old 15-digit form.

Source: GB 11643-1999 (18 characters: region, birth date, order, check), the 1989 form (15 digits, no check). Permits of
Hong Kong, Macau and Taiwan residents use the regions 81, 82, 83; foreigners' cards since 2023 begin with 9.
The county is not looked up: regions belong to the year of first registration, and valid old numbers would be lost.
"""

from __future__ import annotations

import re

from anonymize.detect.checksums import resident_check, resident_checks
from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer, compact

# First two digits of GB/T 2260 divisions, the permits' regions, and 9x of the foreigners' cards.
_PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()  # noqa: SIM905
) | frozenset(f"9{digit}" for digit in range(10))
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _day_exists(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= _DAYS[int(month) - 1]


class ResidentId(Recognizer):
    """18 characters or 15 digits. Date, region and check digit raise the score; none of them alone decides.

    A lone run of 18 digits with a right check digit and neither a possible century nor a near context word stays
    below the reported score: one random number in eleven looks like that.
    """

    kind = EntityKind.CN_RESIDENT_ID
    patterns = (
        re.compile(LEFT + r"[1-9][0-9]{16}[0-9Xx]" + RIGHT),
        re.compile(LEFT + r"[1-9][0-9](?:[ \-]?[0-9]){15}[ \-]?[0-9Xx]" + RIGHT),
        re.compile(LEFT + r"[1-9][0-9]{14}" + RIGHT),
        re.compile(LEFT + r"[1-9][0-9]{5}[ \-][0-9]{6}[ \-][0-9]{3}" + RIGHT),
    )
    context = (
        "身份证", "身分证", "证件号", "居住证", "公民身份", "身份号码", "id no", "id card", "idcard", "identity",
        "sfz", "證",
    )  # fmt: skip
    headers = (
        "身份证", "身分证", "公民身份", "身份号码", "证件号", "证照号码", "居住证", "sfzh", "sfzhm", "sfz", "zjhm",
        "gmsfhm", "shenfenzheng", "id no", "id card", "id number", "idno", "idcard", "idnumber", "identity no",
        "identity number", "identity card", "citizen id", "resident id", "national id", "cert no", "certno",
    )  # fmt: skip
    cell_pattern = (
        r"^[1-9][0-9]{5}[ \-]?(?:(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[ \-]?[0-9]{3}[0-9Xx]"
        r"|[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3})$"
    )

    def judge(self, match: re.Match[str]) -> Judged | None:
        written = match.group()
        number = compact(written)
        judged = _judge_18(number) if len(number) == 18 else _judge_15(number)
        if judged is not None and len(written) != len(number) and judged.score < 0.5:
            return Judged(judged.score - 0.2, judged.checked)
        return judged

    def check_share(self, values: list[str]) -> float | None:
        long = [value for value in values if len(value) == 18]
        return float(resident_checks(long).mean()) if long else None


def _judge_18(number: str) -> Judged:
    score = 0.05 + (0.10 if number[:2] in _PROVINCES else 0.0)
    century = number[6:8] in {"18", "19", "20"}
    if century:
        score += 0.40 if _day_exists(number[10:12], number[12:14]) else 0.20
    checked = resident_check(number)
    if checked:
        score += 0.35 if century else 0.15
    return Judged(score, checked)


def _judge_15(number: str) -> Judged | None:
    score = 0.05 + (0.10 if number[:2] in _PROVINCES else 0.0)
    if _day_exists(number[8:10], number[10:12]):
        score += 0.25
    return Judged(score)
