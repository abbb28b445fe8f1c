"""Bank card numbers: issuer prefix, length and the Luhn digit, each worth a part of the score.

Source: ISO/IEC 7812; UnionPay begins with 62 and has 16 to 19 digits (debit mostly 19). No list of issuers is
used: none with a clean licence is known. One random number in ten passes Luhn, so Luhn alone is never reported.
"""

from __future__ import annotations

import re

from anonymize.detect.checksums import luhn_check, luhn_checks
from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, Judged, Recognizer, compact

_OTHER_SCHEMES = re.compile(r"4|5[1-5]|2[2-7]|35")


class BankCard(Recognizer):
    """16 to 19 digits, together or in groups of four (or 6-13)."""

    kind = EntityKind.BANK_CARD
    patterns = (
        re.compile(LEFT + r"[2-69][0-9]{15,18}" + RIGHT),
        re.compile(LEFT + r"[2-69][0-9]{3}(?:[ \-][0-9]{4}){3}(?:[ \-][0-9]{1,3})?" + RIGHT),
        re.compile(LEFT + r"62[0-9]{4}[ \-][0-9]{10,13}" + RIGHT),
        re.compile(LEFT + r"[2-69](?:[ \-]{0,2}[0-9]){15,18}" + RIGHT),
    )
    context = (
        "银行卡", "卡号", "账号", "帐号", "账户", "借记卡", "信用卡", "开户", "打款", "card", "account", "銀行",
        "帳號", "存折",
    )  # fmt: skip
    headers = (
        "银行卡", "卡号", "银行账号", "银行账户", "银行帐号", "账号", "帐号", "yhkh", "yhzh", "yinhangka",
        "bank card", "bankcard", "card no", "card number", "cardno", "bank account", "account no", "accountno",
        "pay account",
    )  # fmt: skip
    cell_pattern = r"^(?:62[0-9]{14,17}|4[0-9]{15}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|35[0-9]{14}|9[0-9]{15,18})$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        number = compact(match.group())
        checked = luhn_check(number)
        if number.startswith("62"):
            score = 0.40 + (0.20 if checked else 0.0)
        elif len(number) == 16 and _OTHER_SCHEMES.match(number):
            score = 0.15 + (0.30 if checked else 0.0)
        else:
            score = 0.02 + (0.13 if checked else 0.0)
        if len(match.group()) > len(number) + 4:  # apart digit by digit: weak by itself
            score -= 0.10
        return Judged(max(0.0, score), checked)

    def check_share(self, values: list[str]) -> float | None:
        return float(luhn_checks(values).mean()) if values else None
