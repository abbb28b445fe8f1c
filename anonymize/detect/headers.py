"""What a column's name says: Chinese words anywhere in it, Latin words as a run of the name's words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_LETTERS: Final = re.compile(r"[^0-9a-z]+")
_LATIN: Final = re.compile(r"[ -~]+")
MAX_HEADER: Final = 200


@lru_cache(maxsize=4096)
def header_words(name: str) -> tuple[str, str]:
    """A name as its lower-case whole and as its Latin words with one blank between them (and at both ends)."""
    whole = unicodedata.normalize("NFKC", name[:MAX_HEADER]).strip()
    words = _NOT_LETTERS.sub(" ", _CAMEL.sub(" ", whole).lower()).strip()
    return whole.lower(), f" {words} "


def header_has(name: str, words: Iterable[str]) -> bool:
    """Whether a column's name holds one of the words."""
    return last_word_end(name, words) != (0, 0)


def last_word_end(name: str, words: Iterable[str]) -> tuple[int, int]:
    """Where the last of the words ends in a column's name, and how long it is; (0, 0): none is held.

    The head of a Chinese or English compound stands last, so of two kinds the one named last is meant.
    """
    whole, latin = header_words(name)
    best = (0, 0)
    for word in words:
        if _LATIN.fullmatch(word):
            at = latin.rfind(f" {word} ")
            end = at + len(word) if at >= 0 else 0
        else:
            at = whole.rfind(word)
            end = at + len(word) if at >= 0 else 0
        best = max(best, (end, len(word)) if end else best)
    return best
