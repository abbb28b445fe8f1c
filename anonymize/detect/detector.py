"""Find identifiers in one text, by calling the recognizers directly (no engine, no network, no model)."""

from __future__ import annotations

from typing import Final

from anonymize.detect.entity import Entity
from anonymize.detect.normalize import normalize
from anonymize.detect.recognizer import REPORTED
from anonymize.detect.registry import RECOGNIZERS

IN_TEXT: Final = tuple(recognizer for recognizer in RECOGNIZERS if recognizer.patterns)


def detect_text(text: str, *, min_score: float = REPORTED) -> list[Entity]:
    """Identifiers in a text, in the order of the text and without overlaps.

    Shape: any text, also empty; spans count code points of the text as given.
    Note: names, addresses and organisations in free text are not found yet; they need a language model.
    """
    normal = normalize(text)
    found = [entity for recognizer in IN_TEXT for entity in recognizer.find(normal) if entity.score >= min_score]
    return without_overlaps(found)


def without_overlaps(found: list[Entity]) -> list[Entity]:
    """The surest of overlapping findings; of equally sure ones the longest, then the first."""
    found.sort(key=lambda entity: (-entity.score, entity.start - entity.end, entity.start))
    kept: list[Entity] = []
    taken: set[int] = set()
    for entity in found:
        span = range(entity.start, entity.end)
        if taken.isdisjoint(span):
            taken.update(span)
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity.start)
