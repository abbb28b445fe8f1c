"""The unified social credit code of an organisation: eighteen signs, the last of which checks the others.

Source: GB 32100-2015 §4.6 and annex: weights 3^i mod 31 over an alphabet of 31 signs without I, O, S, V and Z.
"""

from __future__ import annotations

from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def is_uscc(code: str) -> bool:
    """Whether `code` has the form of a credit code and its check sign is right."""
    if len(code) != 18 or any(sign not in _ALPHABET for sign in code):
        return False
    total = sum(_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17]))
    return _ALPHABET.index(code[17]) == (31 - total % 31) % 31
