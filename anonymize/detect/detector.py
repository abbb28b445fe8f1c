"""Find identifiers in texts: numbers by the recognizers, names by the language model, nothing over any network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Final

from anonymize.detect.entity import Entity, EntityKind
from anonymize.detect.nlp.model import Label, Span, TextModel, text_model
from anonymize.detect.nlp.rules import improve
from anonymize.detect.nlp.worth import may_name
from anonymize.detect.normalize import Normalized, normalize
from anonymize.detect.recognizer import REPORTED
from anonymize.detect.registry import RECOGNIZERS

IN_TEXT: Final = tuple(recognizer for recognizer in RECOGNIZERS if recognizer.patterns)
SURE_NUMBER: Final = 0.5
"""A number at least this sure keeps all its characters from names that run into it."""
_DOTS: Final = frozenset("\u00b7\u2022\u30fb\u2027")
_KINDS: Final = {
    Label.PERSON: EntityKind.PERSON,
    Label.PLACE: EntityKind.ADDRESS,
    Label.ORGANIZATION: EntityKind.ORGANIZATION,
}


def detect_text(text: str, *, min_score: float = REPORTED) -> list[Entity]:
    """Numbers of persons and firms in a text, in the order of the text and without overlaps.

    Shape: any text, also empty; spans count code points of the text as given.
    Note: names, addresses and organisations are found by `detect_texts`.
    """
    return without_overlaps([entity for entity in _numbers(normalize(text)) if entity.score >= min_score])


def detect_texts(
    texts: Sequence[str], *, model: TextModel | None = None, min_score: float = REPORTED
) -> list[list[Entity]]:
    """Numbers, names, addresses and organisations in each text, in order and without overlaps.

    Shape: as many lists as texts; spans count code points of the texts as given. Equal texts are looked at once.
    """
    distinct = list(dict.fromkeys(texts))
    found: dict[str, list[Entity]] = {}
    for text, names in zip(distinct, detect_names(distinct, model=model), strict=True):
        numbers = _numbers(normalize(text))
        both = chain(numbers, _beside(names, numbers))
        found[text] = without_overlaps([entity for entity in both if entity.score >= min_score])
    return [list(found[text]) for text in texts]


def detect_names(texts: Sequence[str], *, model: TextModel | None = None) -> list[list[Entity]]:
    """Names, addresses and organisations alone, coarse places with their low score included.

    Shape: as many lists as texts; spans count code points of the texts as given.
    """
    normal = [normalize(text) for text in texts]
    named = _names([_spoken(*pair) for pair in zip(texts, normal, strict=True)], model or text_model())
    return [_entities(plain, spans) for plain, spans in zip(normal, named, strict=True)]


def _numbers(text: Normalized) -> list[Entity]:
    return [entity for recognizer in IN_TEXT for entity in recognizer.find(text)]


def _beside(names: Sequence[Entity], numbers: Sequence[Entity]) -> Iterator[Entity]:
    """The names without what a sure number has of them: of an address that ran into a telephone the address is left."""
    sure = [number for number in numbers if number.score >= SURE_NUMBER]
    for name in names:
        start, end = name.start, name.end
        for number in sure:
            if number.start <= start < number.end:
                start = number.end
            elif start < number.start < end:
                end = number.start
        if start < end:
            yield replace(name, start=start, end=end)


def _spoken(text: str, plain: Normalized) -> str:
    """The normalised text with the dots inside transliterated names, which numbers have as dashes."""
    if _DOTS.isdisjoint(text):
        return plain.text
    origin = plain.origin or range(len(text))
    return "".join("·" if text[at] in _DOTS else letter for letter, at in zip(plain.text, origin, strict=True))


def _names(texts: Sequence[str], model: TextModel) -> list[list[Span]]:
    """The names of each text; those that can hold none are not shown to the model."""
    worth = [number for number, text in enumerate(texts) if may_name(text)]
    found: list[list[Span]] = [[] for _ in texts]
    for number, spans in zip(worth, model.spans([texts[number] for number in worth]), strict=True):
        found[number] = improve(texts[number], spans)
    return found


def _entities(text: Normalized, spans: Sequence[Span]) -> list[Entity]:
    entities: list[Entity] = []
    for span in spans:
        start, end = text.span(span.start, span.end)
        entities.append(Entity(kind=_KINDS[span.label], start=start, end=end, score=span.score))
    return entities


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
