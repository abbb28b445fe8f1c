"""Chance under a key: whoever has the key draws the same again, and nobody else can say what would be drawn.

Draws depend on the key, the policy and the named use alone; not on the machine, the order of calls or the version of a
library. Source: SHAKE256 as the stream of bytes, FIPS 202.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymize.techniques.pseudonymize import derive_key

_LABEL: Final = b"zhakou chance v1\x00"


class Chance:
    """A source of numbers for one purpose; each use inside it has a stream of its own."""

    def __init__(self, key: bytes, *, purpose: str) -> None:
        self._seed = derive_key(key, _LABEL + purpose.encode()).encode()

    def uniform(self, use: str, size: int) -> npt.NDArray[np.float64]:
        """Numbers in [0, 1), 53 bits each.

        Shape: `size` numbers; the same use gives the same numbers again.
        """
        stream = hashlib.shake_256(self._seed + b"\x00" + use.encode()).digest(8 * size)
        bits = np.frombuffer(stream, dtype="<u8") >> np.uint64(11)
        return bits.astype(np.float64) * 2.0**-53

    def order(self, use: str, size: int) -> npt.NDArray[np.int64]:
        """The numbers from 0 to `size` - 1 in random order."""
        return np.argsort(self.uniform(use, size), kind="stable").astype(np.int64)
