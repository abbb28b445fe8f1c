"""A sentence for people, in both languages, kept at the one place where it is written.

The anonymizer knows no hub and no catalog of translations; what it says to a person is a `Text`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Language = Literal["zh", "en"]
"""The languages of the house: simplified Chinese and English."""

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in Chinese and in English, saying the same thing.

    Raises:
        ValueError: one of the two is empty; half a sentence is no sentence.
    """

    zh: str
    en: str

    def __post_init__(self) -> None:
        if not self.zh.strip() or not self.en.strip():
            raise ValueError("a Text needs both a Chinese and an English sentence")

    def in_language(self, language: Language) -> str:
        """The sentence in one language.

        Raises:
            ValueError: the language is neither "zh" nor "en".
        """
        match language:
            case "zh":
                return self.zh
            case "en":
                return self.en
        raise ValueError("the language must be zh or en")

    def as_json(self) -> dict[str, str]:
        """Both languages, as manifests and findings carry them."""
        return {"zh": self.zh, "en": self.en}
