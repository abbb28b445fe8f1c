"""Check digits of Chinese numbers, for one value and for a column of them.

A check digit raises the score of a finding and never decides alone: a mistyped number is still personal data, and one
random number in eleven passes the resident check, one in ten the Luhn check.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
"""Source: GB 11643-1999, ISO 7064 MOD 11-2: weights 2^(17-i) mod 11."""
CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Source: GB 32100-2015: 31 characters, without I O S V Z."""
CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
"""Source: GB 32100-2015: weights 3^(i-1) mod 31."""
ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
"""Source: GB 11714-1997."""

Bools = npt.NDArray[np.bool_]


def resident_check(number: str) -> bool:
    """Whether an 18-character resident number ends in its right check character."""
    if (
        len(number) != 18
        or not number.isascii()
        or not number[:17].isdecimal()
        or not (number[17].isdecimal() or number[17] in "Xx")
    ):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, RESIDENT_WEIGHTS, strict=False))
    last = 10 if number[17] in "Xx" else int(number[17])
    return (total + last) % 11 == 1


def credit_check(code: str) -> bool:
    """Whether an 18-character unified social credit code ends in its right check character."""
    values = [CREDIT_ALPHABET.find(letter) for letter in code.upper()]
    if len(values) != 18 or min(values) < 0:
        return False
    total = sum(value * weight for value, weight in zip(values, CREDIT_WEIGHTS, strict=False))
    return (total + values[17]) % 31 == 0


def luhn_check(number: str) -> bool:
    """Whether the digits pass ISO/IEC 7812 Luhn."""
    if not (number.isascii() and number.isdecimal()):
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def business_check(number: str) -> bool:
    """Whether 15 digits pass ISO 7064 MOD 11,10, the check of the old business registration number (GB/T 17710)."""
    if len(number) != 15 or not (number.isascii() and number.isdecimal()):
        return False
    product = 10
    for digit in number[:14]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (product + int(number[14])) % 10 == 1


def organisation_check(code: str) -> bool:
    """Whether nine characters NNNNNNNNC carry the right check of the old organisation code (GB 11714)."""
    code = code.upper()
    if len(code) != 9 or not code.isascii() or not code.isalnum():
        return False
    values = [int(letter, 36) for letter in code[:8]]
    remainder = 11 - sum(value * weight for value, weight in zip(values, ORGANISATION_WEIGHTS, strict=True)) % 11
    return code[8] == {10: "X", 11: "0"}.get(remainder, str(remainder))


def _letters(values: list[str], width: int) -> npt.NDArray[np.uint8]:
    """The characters of equally long ASCII values as a matrix, one row a value."""
    return (
        np.array([value.encode("ascii", "replace") for value in values], dtype=f"S{width}")
        .view(np.uint8)
        .reshape(-1, width)
    )


def resident_checks(numbers: list[str]) -> Bools:
    """`resident_check` for a column of 18-character numbers."""
    if not numbers:
        return np.zeros(0, dtype=np.bool_)
    letters = _letters(numbers, 18)
    digits = letters.astype(np.int64) - ord("0")
    last = np.where((letters[:, 17] | 0x20) == ord("x"), 10, digits[:, 17])
    total = digits[:, :17] @ np.array(RESIDENT_WEIGHTS)
    sound = ((digits[:, :17] >= 0) & (digits[:, :17] <= 9)).all(axis=1) & (last >= 0) & (last <= 10)
    checked: Bools = ((total + last) % 11 == 1) & sound
    return checked


def credit_checks(codes: list[str]) -> Bools:
    """`credit_check` for a column of 18-character codes."""
    if not codes:
        return np.zeros(0, dtype=np.bool_)
    table = np.full(256, -1, dtype=np.int64)
    for value, letter in enumerate(CREDIT_ALPHABET):
        table[ord(letter)] = table[ord(letter.lower())] = value
    values = table[_letters(codes, 18)]
    total = values[:, :17] @ np.array(CREDIT_WEIGHTS)
    checked: Bools = ((total + values[:, 17]) % 31 == 0) & (values >= 0).all(axis=1)
    return checked


def luhn_checks(numbers: list[str]) -> Bools:
    """`luhn_check` for a column of numbers of up to 19 digits."""
    if not numbers:
        return np.zeros(0, dtype=np.bool_)
    letters = _letters([number.rjust(19, "0") for number in numbers], 19)
    digits = letters.astype(np.int64) - ord("0")
    doubled = digits[:, ::-1] * np.where(np.arange(19) % 2, 2, 1)
    total = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1)
    checked: Bools = (total % 10 == 0) & ((digits >= 0) & (digits <= 9)).all(axis=1)
    return checked
