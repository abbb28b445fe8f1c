"""One spelling of a text for the recognizers, with the way back to the original.

Full-width digits, digits of other scripts, invisible characters between digits and look-alike letters are how numbers
escape patterns, by accident or on purpose. Recognizers see the normalised text only; findings point into the original.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

# Letters of other scripts that look like the Latin letters used in identifiers (Cyrillic, Greek).
_LOOK_ALIKE: Final = str.maketrans("АВЕЅКМНОРСТХаеорсхΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABESKMHOPCTXaeopcxABEZHIKMNOPTX")
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u00b7\u30fb", "-"))
# Anything that can change below: digits outside ASCII, look-alikes, dashes, odd spaces, format characters.
_PLAIN: Final = re.compile(
    r"[\t\n\r\x20-\x7e\u3001\u3002\u300a-\u3011\u4e00-\u9fff\u201c\u201d\u2018\u2019\u3400-\u4dbf\u2460-\u2473]*\Z"
)
_CIRCLED: Final = re.compile(r"[\u2460-\u2473]")
# One character for one character: the full-width block, the ideographic space and the tables above.
_ONE_TO_ONE: Final = (
    {0x3000: " ", 0x00A0: " ", **{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}} | _LOOK_ALIKE | _DASHES
)


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text as the recognizers read it.

    Shape: `origin[i]` is the index in the original of the character that gave `text[i]`; None if they are the
    same text.
    """

    text: str
    origin: tuple[int, ...] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a span of the normalised text came from."""
        if self.origin is None:
            return start, end
        return self.origin[start], self.origin[end - 1] + 1


def normalize(text: str) -> Normalized:
    """NFKC character by character, format characters left out, digits of every script as 0-9."""
    if text.isascii():
        return Normalized(text, None)
    mapped = text.translate(_ONE_TO_ONE)
    if _PLAIN.match(mapped) and not _CIRCLED.search(mapped):
        return Normalized(mapped, None)
    letters: list[str] = []
    origin: list[int] = []
    for index, letter in enumerate(text):
        for plain in _plain(letter):
            letters.append(plain)
            origin.append(index)
    return Normalized("".join(letters), tuple(origin))


def _plain(letter: str) -> str:
    if letter < "\x7f":
        return letter
    category = unicodedata.category(letter)
    if category in {"Cf", "Mn", "Me"} or "\ufe00" <= letter <= "\ufe0f" or "\U000e0100" <= letter <= "\U000e01ef":
        return ""
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.digit(letter))
    plain = unicodedata.normalize("NFKC", letter)
    return plain.translate(_LOOK_ALIKE).translate(_DASHES)
