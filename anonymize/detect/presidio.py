"""Our recognizers and our language model behind presidio-analyzer, for sites that run presidio.

Importing presidio costs about three seconds, so it is imported inside the functions and by nobody else. Nothing here
touches the network: presidio's own recognizers, whose e-mail rule fetches a list of domains, are not loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from anonymize.detect.detector import IN_TEXT, detect_names
from anonymize.detect.entity import EntityKind
from anonymize.detect.normalize import normalize
from anonymize.detect.recognizer import Recognizer

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

LANGUAGE = "zh"
NAMED = (EntityKind.PERSON, EntityKind.ADDRESS, EntityKind.ORGANIZATION)


def presidio_analyzer() -> AnalyzerEngine:
    """A presidio analyzer for Chinese: our recognizers, our language model, and no others."""
    from presidio_analyzer import AnalyzerEngine

    return AnalyzerEngine(registry=presidio_registry(), nlp_engine=nlp_engine(), supported_languages=[LANGUAGE])


def nlp_engine() -> NlpEngine:
    """The language model as presidio's NlpEngine. Tokens are single characters; its entities are names."""
    import spacy
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
    from spacy.tokens import Doc, Span

    vocabulary = spacy.blank(LANGUAGE).vocab

    class NameEngine(NlpEngine):  # type: ignore[misc, unused-ignore]
        """Finds names, addresses and organisations; knows no grammar."""

        def load(self) -> None:
            """Load the model, by looking at nothing."""
            detect_names([""])

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return next(self.process_batch([text], language))[1]

        def process_batch(
            self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1, **kwargs: Any
        ) -> Iterator[tuple[str, NlpArtifacts]]:
            del batch_size, n_process, kwargs
            listed = list(texts)
            for text, entities in zip(listed, detect_names(listed), strict=True):
                tokens = Doc(vocabulary, words=list(text), spaces=[False] * len(text))
                yield (
                    text,
                    NlpArtifacts(
                        entities=[Span(tokens, one.start, one.end, label=one.kind.value) for one in entities],
                        tokens=tokens,
                        tokens_indices=list(range(len(text))),
                        lemmas=list(text),
                        nlp_engine=self,
                        language=language,
                        scores=[one.score for one in entities],
                    ),
                )

        def is_stopword(self, word: str, language: str) -> bool:
            del word, language
            return False

        def is_punct(self, word: str, language: str) -> bool:
            del language
            return not word.isalnum()

        def get_supported_entities(self) -> list[str]:
            return [kind.value for kind in NAMED]

        def get_supported_languages(self) -> list[str]:
            return [LANGUAGE]

    return NameEngine()


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
    from presidio_analyzer import EntityRecognizer, RecognizerRegistry, RecognizerResult

    class Names(EntityRecognizer):  # type: ignore[misc, unused-ignore]
        """Hands on what the language model found."""

        def load(self) -> None:
            """Nothing to load: the engine holds the model."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
            del text
            pairs = zip(nlp_artifacts.entities, nlp_artifacts.scores, strict=True) if nlp_artifacts else ()
            return [
                RecognizerResult(span.label_, span.start_char, span.end_char, score)
                for span, score in pairs
                if span.label_ in entities
            ]

    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    for recognizer in IN_TEXT:
        registry.add_recognizer(as_presidio(recognizer))
    registry.add_recognizer(
        Names(supported_entities=[kind.value for kind in NAMED], name="Names", supported_language=LANGUAGE)
    )
    return registry
