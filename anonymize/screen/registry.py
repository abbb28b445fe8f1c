"""The rules in use, in one explicit list. Adding a rule is one file in `rules/` and one line here."""

from __future__ import annotations

from typing import Final

from anonymize.screen.context import Rule
from anonymize.screen.rules import (
    r01_small_cells,
    r12_suppression,
    r18_rows,
    r19_headers,
    r33_picture,
    r34_file_type,
    r36_appended,
    r40_encoded,
    r43_invisible,
    r44_formula,
    r46_rows,
    r48_codes,
    r49_identifiers,
    r58_repeated,
)

RULES: Final[tuple[Rule, ...]] = (
    r34_file_type.RULE,
    r36_appended.RULE,
    r43_invisible.RULE,
    r40_encoded.RULE,
    r44_formula.RULE,
    r18_rows.RULE,
    r19_headers.RULE,
    r48_codes.RULE,
    r49_identifiers.RULE,
    r46_rows.RULE,
    r58_repeated.RULE,
    r12_suppression.RULE,
    r01_small_cells.RULE,
    r33_picture.RULE,
)
"""In this order; a file that R34 blocks is not read further."""
