"""Names as they may appear in a finding: short, without digits that could identify, without odd characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from anonymize.detect.redaction import redact_text

MAX_SHOWN: Final = 40
_DIGITS: Final = re.compile(r"\d{5,}")


def shown(name: str) -> str:
    """A column or file name fit for a finding: at most 40 characters, identifiers and runs of five digits masked.

    Names of columns can themselves be data (a transposed table), so they are treated as untrusted.
    """
    plain = "".join(letter if unicodedata.category(letter)[0] != "C" else "?" for letter in name[:400])
    masked = _DIGITS.sub("#", redact_text(plain))
    return masked if len(masked) <= MAX_SHOWN else masked[: MAX_SHOWN - 1] + "…"


def cell(row: int, column: int, name: str) -> str:
    """A cell by its numbers, counted from 1 as a spreadsheet does, and the name of its column."""
    return f"row {row}, column {column} ({shown(name)})" if name else f"row {row}, column {column}"


def column_place(column: int, name: str) -> str:
    """A column by its number, counted from 1, and its name."""
    return f"column {column} ({shown(name)})" if name else f"column {column}"
