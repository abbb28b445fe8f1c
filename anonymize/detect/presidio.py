"""Our recognizers as presidio-analyzer recognizers, for sites that run presidio.

Importing presidio costs about three seconds, so it is imported inside the functions and by nobody else. Nothing here
touches the network: presidio's own recognizers, whose e-mail rule fetches a list of domains, are not loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anonymize.detect.detector import IN_TEXT
from anonymize.detect.normalize import normalize
from anonymize.detect.recognizer import Recognizer

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer, RecognizerRegistry

LANGUAGE = "zh"


def as_presidio(recognizer: Recognizer) -> EntityRecognizer:
    """One recognizer behind presidio's interface; scores and spans are the same as without presidio."""
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Adapted(EntityRecognizer):  # type: ignore[misc, unused-ignore]
        """Calls the recognizer; presidio's tokens are not needed."""

        def load(self) -> None:
            """Nothing to load: patterns are compiled on import."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
            del nlp_artifacts
            if recognizer.kind.value not in entities:
                return []
            found = recognizer.find(normalize(text))
            return [RecognizerResult(entity.kind.value, entity.start, entity.end, entity.score) for entity in found]

    name = type(recognizer).__name__
    return Adapted(
        supported_entities=[recognizer.kind.value],
        name=name,
        supported_language=LANGUAGE,
        context=list(recognizer.context),
    )


def presidio_registry() -> RecognizerRegistry:
    """A presidio registry that holds our recognizers and no others."""
    from presidio_analyzer import RecognizerRegistry

    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    for recognizer in IN_TEXT:
        registry.add_recognizer(as_presidio(recognizer))
    return registry
