"""Canonical JSON for whatever is hashed or signed.

Source: RFC 8785 (JSON Canonicalization Scheme), narrowed: keys are ASCII, numbers are integers below 2^53, no floats.
Within that, sorted keys without white space are exactly the RFC's form, so any JCS library recomputes the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

_LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """The canonical UTF-8 bytes of `value`.

    Raises:
        ValueError: A float, a key that is no ASCII text, an integer past 2^53 or a lone surrogate.
    """
    _check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _check(value: object) -> None:
    match value:
        case None | bool():
            return
        case str():
            value.encode("utf-8")
        case int():
            if abs(value) > _LARGEST:
                raise ValueError("an integer past 2^53 is not portable JSON")
        case Mapping():
            for key, inner in value.items():
                if not isinstance(key, str) or not key.isascii():
                    raise ValueError("keys are ASCII text")
                _check(inner)
        case Sequence() if not isinstance(value, bytes | bytearray):
            for inner in value:
                _check(inner)
        case _:
            raise ValueError(f"{type(value).__name__} has no canonical form here")
