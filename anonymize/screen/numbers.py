"""Numbers as people write them in tables: thousands separators, percent signs, units, footnote marks, full width."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

MAX_NUMBER: Final = 40
"""Characters; longer runs are text."""
_NUMBER: Final = re.compile(
    r"[¥$€]?\s?(?P<number>[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?)"
    r"\s?(?P<percent>%|‰)?\s?(?P<unit>人次|人|户|家|件|例|辆|个|起|名|位|岁|元|万元|亿元|天|年|月)?\s?(?:\*{1,3}|†|‡)?"
)
_PLAIN: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,17})?")
_SUPPRESSED: Final = re.compile(
    r"|[*]{1,3}|…|\.{2,3}|x{1,2}|-{1,3}|—{1,2}|–|[<≤≦＜]\s?[0-9]{1,3}|\[?c\]?|n/?a|n\.a\.|nan|none|null|suppressed|redacted|"
    r"\[redacted\]|保密|隐去|已隐去|抑制|不公布|\*{3,}|/",
    re.I,
)
_OF: Final = re.compile(
    r"\s*(?P<part>[0-9]{1,12})\s*(?:of|/|∕|／|之)\s*(?P<whole>[0-9]{1,12})\s*(?:\(.{0,12}\))?\s*", re.I
)
COUNTED_UNITS: Final = frozenset({"人次", "人", "户", "家", "件", "例", "辆", "个", "起", "名", "位"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number read from a cell.

    Units: `value` as written, percent signs not applied; `decimals` digits behind the point; `unit` what stood behind.
    """

    value: float
    decimals: int
    percent: bool
    unit: str

    @property
    def whole(self) -> bool:
        """Whether it is a whole number, also when written 3.0."""
        return self.value == int(self.value)


def read_number(cell: str) -> Number | None:
    """The number in a cell, None if the cell is anything else.

    Shape: one cell; NaN, infinities and numbers of more than 40 characters are no numbers here.
    """
    if _PLAIN.fullmatch(cell):
        return Number(float(cell), len(cell.partition(".")[2]), False, "")
    text = unicodedata.normalize("NFKC", cell[: MAX_NUMBER + 1]).strip()
    if not text or len(text) > MAX_NUMBER:
        return None
    match = _NUMBER.fullmatch(text)
    if match is None or not any(letter.isdecimal() for letter in match["number"]):
        return None
    digits = match["number"].replace(",", "")
    value = float(digits)
    if abs(value) > 1e300:
        return None
    decimals = len(digits.partition(".")[2].partition("e")[0].partition("E")[0])
    return Number(value, decimals, match["percent"] == "%", match["unit"] or "")


def read_part_of_whole(cell: str) -> tuple[int, int] | None:
    """The two counts of a cell like "7 of 19" or "7/19"; None if it is anything else or the part exceeds the whole."""
    match = _OF.fullmatch(cell[:80])
    if match is None:
        return None
    part, whole = int(match["part"]), int(match["whole"])
    return (part, whole) if part <= whole else None


def is_suppressed(cell: str) -> bool:
    """Whether a cell shows that its number was taken out: empty, a star, "<10", "保密" …"""
    return _SUPPRESSED.fullmatch(unicodedata.normalize("NFKC", cell[:40]).strip()) is not None
