"""Chance for each row: draws that belong to the row and not to its place, so that any order of rows gives the same.

What must hold:
1. A draw depends on the licence's key, on what stands in the row, and on what is drawn for; on nothing else.
2. Rows that are equal in every column get different draws. Which of them gets which does not matter: they are equal.
3. Nobody without the key can tell what was drawn.

Source: HMAC-SHA-256 as a pseudorandom function, RFC 2104.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from anonymize.techniques.pseudonymize import derive_key, keyed_digest

_LABEL: Final = b"zhakou row draws v1\x00"

Bits = npt.NDArray[np.uint64]


class RowDraws:
    """Draws for the rows of one table under one key; nothing is computed before something is drawn.

    Shape: `frame` holds the columns that are told apart, each with single values.
    """

    def __init__(self, frame: pl.DataFrame, *, key: bytes) -> None:
        self._frame = frame
        self._key = key

    @cached_property
    def _rows(self) -> pl.Series:
        """A name for each row: of its content and, among equal rows, of its number."""
        content = self._frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
        digest = keyed_digest(content, key=derive_key(self._key, _LABEL)).alias("row")
        number = pl.int_range(pl.len()).over("row").cast(pl.String)
        return digest.to_frame().select(pl.col("row") + "/" + number).to_series()

    def bits(self, use: str) -> Bits:
        """64 random bits for each row; the same use gives the same bits again."""
        digest = keyed_digest(self._rows, key=derive_key(self._key, _LABEL + use.encode()))
        high, low = (
            digest.str.slice(start, 8).str.to_integer(base=16, dtype=pl.Int64).to_numpy().astype(np.uint64)
            for start in (0, 8)
        )
        return (high << np.uint64(32)) | low

    def uniform(self, use: str) -> npt.NDArray[np.float64]:
        """A number in [0, 1) for each row."""
        return (self.bits(use) >> np.uint64(11)).astype(np.float64) * 2.0**-53
