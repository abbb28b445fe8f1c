"""The query code of a registration (登记结果查询码): area, year, running number and two check digits.

`ZK310107-2026-000001-34`. The check is ISO 7064 MOD 97-10 over the digits, as in a bank account number: one wrong digit
and two digits that changed places are always seen, so that a mistyped code is told from an unknown one.
"""

from __future__ import annotations

import re

AREA = "310107"
"""The district's code in GB/T 2260; street codes begin with it (DOMAIN.md §6.1)."""

_CODE = re.compile(r"ZK([0-9]{6})-([0-9]{4})-([0-9]{6})-([0-9]{2})", re.ASCII)


def query_code(*, year: int, number: int) -> str:
    """The code of the `number`-th registration of a year.

    Raises:
        ValueError: The number does not fit.
    """
    if not 1 <= number <= 999_999:
        raise ValueError("a running number has one to six digits")
    digits = f"{AREA}{year:04}{number:06}"
    return f"ZK{AREA}-{year:04}-{number:06}-{98 - int(digits) * 100 % 97:02}"


def is_query_code(code: str) -> bool:
    """Whether the check digits of a typed code hold."""
    found = _CODE.fullmatch(code)
    return found is not None and int("".join(found.groups())) % 97 == 1


def number_of(code: str) -> tuple[int, int]:
    """Year and running number of a code that was assigned here."""
    _, year, number, _ = code.removeprefix("ZK").split("-")
    return int(year), int(number)
