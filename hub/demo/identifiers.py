"""Identifiers for the demonstration district that can belong to nobody, with check digits that are right.

Detectors must meet numbers whose checksums hold, and no number made here may be anyone's: areas lie in the division
prefix 990107 (no division starts with 99), telephone numbers in 120 (no carrier's prefix), plates carry the letter I
(never issued). Source: DOMAIN.md §6.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

RESERVED_AREA: Final = "990107"
RESERVED_MOBILE_PREFIX: Final = "120"
RESERVED_PLATE_PREFIX: Final = "沪I"

_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS: Final = "10X98765432"
_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_PLATE_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


def citizen_check_digit(body: str) -> str:
    """The 18th character of a citizen identity number.

    Args:
        body: Its first 17 digits.

    Raises:
        ValueError: not 17 ASCII digits.
    Source: GB 11643-1999, ISO 7064 MOD 11-2.
    """
    _require(len(body) == 17 and body.isascii() and body.isdigit(), "a citizen number's body is 17 digits")
    return _ID_CHECKS[_weighted(body, _ID_WEIGHTS, "0123456789") % 11]


def citizen_number(*, born: date, order: int) -> str:
    """A citizen identity number of the reserved area; an odd order is a man's, an even one a woman's.

    Raises:
        ValueError: the order is not between 1 and 999.
    """
    _require(1 <= order <= 999, "the order lies between 1 and 999")
    body = f"{RESERVED_AREA}{born:%Y%m%d}{order:03d}"
    return body + citizen_check_digit(body)


def spoiled_citizen_number(number: str) -> str:
    """The same number with a check digit that is wrong: what a typing error leaves behind.

    Raises:
        ValueError: its first 17 characters are not digits.
    """
    right = _ID_CHECKS.index(citizen_check_digit(number[:17]))
    return number[:17] + _ID_CHECKS[(right + 3) % 11]


def credit_check_character(body: str) -> str:
    """The 18th character of a unified social credit code.

    Args:
        body: Its first 17 characters, without I, O, S, V and Z.

    Raises:
        ValueError: another length or another character.
    Source: GB 32100-2015.
    """
    _require(len(body) == 17 and all(c in _CREDIT_ALPHABET for c in body), "a credit code's body is 17 characters")
    weights = tuple(pow(3, place, 31) for place in range(17))
    return _CREDIT_ALPHABET[-_weighted(body, weights, _CREDIT_ALPHABET) % 31]


def organisation_check_character(body: str) -> str:
    """The ninth character of an organisation code, which is the 17th of a credit code.

    Raises:
        ValueError: not eight digits or capital letters.
    Source: GB 11714-1997.
    """
    _require(
        len(body) == 8 and all(c in _ORGANISATION_ALPHABET for c in body), "an organisation code's body is 8 characters"
    )
    check = (11 - _weighted(body, _ORGANISATION_WEIGHTS, _ORGANISATION_ALPHABET) % 11) % 11
    return "X" if check == 10 else str(check)


def credit_code(serial: int) -> str:
    """A credit code of the reserved area (registered by market regulation, kind enterprise); both checks hold.

    Raises:
        ValueError: the serial is not between 0 and 999999.
    """
    _require(0 <= serial <= 999_999, "the serial lies between 0 and 999999")
    organisation = f"MA{serial:06d}"
    body = f"91{RESERVED_AREA}{organisation}{organisation_check_character(organisation)}"
    return body + credit_check_character(body)


def mobile_number(serial: int) -> str:
    """A telephone number of eleven digits that no carrier hands out.

    Raises:
        ValueError: the serial is not between 0 and 99999999.
    """
    _require(0 <= serial <= 99_999_999, "the serial lies between 0 and 99999999")
    return f"{RESERVED_MOBILE_PREFIX}{serial:08d}"


def plate_number(serial: int) -> str:
    """A car plate with an office letter that is never issued.

    Raises:
        ValueError: the serial needs more than five characters.
    """
    base = len(_PLATE_ALPHABET)
    _require(0 <= serial < base**5, "the serial needs more than five characters")
    characters = ""
    for _ in range(5):
        serial, place = divmod(serial, base)
        characters = _PLATE_ALPHABET[place] + characters
    return RESERVED_PLATE_PREFIX + characters


def _weighted(body: str, weights: Sequence[int], alphabet: str) -> int:
    return sum(alphabet.index(character) * weight for character, weight in zip(body, weights, strict=True))


def _require(holds: bool, text: str) -> None:
    if not holds:
        raise ValueError(text)
