"""The order of an extract's rows: keyed, so that it tells nothing of the source and is the same for any order there."""

from __future__ import annotations

from typing import Final

import polars as pl

from anonymize.techniques.pseudonymize import derive_key, keyed_digest

_ORDER_LABEL: Final = b"zhakou row order v1\x00"
_ID_LABEL: Final = b"zhakou key id v1\x00"


def sort_rows(frame: pl.DataFrame, *, key: bytes) -> pl.DataFrame:
    """The rows ordered by the HMAC of their whole content.

    Equal rows are interchangeable, so the same rows give the same table whatever order they come in. Without the key
    nobody can tell where a given row would lie, nor anything from where it lies.
    """
    whole_rows = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return frame[keyed_digest(whole_rows, key=derive_key(key, _ORDER_LABEL)).arg_sort()]


def key_id(key: bytes) -> str:
    """A name for the key that tells nothing of it: equal for equal keys."""
    return derive_key(key, _ID_LABEL)[:16]
