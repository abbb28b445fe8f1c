"""Refusals of the sandbox, in words of both languages.

The sandbox knows neither the hub's catalogs nor the anonymizer, yet its refusals reach people: each sentence is written
here or where it is raised, once, in both languages.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]


class Words(str):
    """One sentence: the English text itself, with the Chinese one beside it."""

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, *, en: str, zh: str) -> Words:
        words = super().__new__(cls, en)
        words.zh = zh
        return words

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else str(self)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, str]]:
        return (), {"en": str(self), "zh": self.zh}


class SandboxError(Exception):
    """A refusal: stable code, what was refused, what to do next. Never a value of the data, a name or a key."""

    def __init__(self, code: str, text: Words, next_step: Words) -> None:
        super().__init__(f"{text} {next_step} [{code}]")
        self.code = code
        self.text = text
        self.next_step = next_step

    def in_language(self, language: Language) -> str:
        return f"{self.text.in_language(language)}{self.next_step.in_language(language)} [{self.code}]"


class SpecRefused(SandboxError, ValueError):
    """A spec that can't be built: a value is outside what the sandbox can keep its promises for."""


class HostUnfit(SandboxError):
    """This machine lacks what confinement needs. Nothing starts weaker than its spec."""


class StartFailed(SandboxError):
    """A box did not come up; nothing of it is left running."""


class FreezeRefused(SandboxError):
    """Something in the outbox is not what may be frozen."""


def error_as_json(error: SandboxError) -> dict[str, str]:
    """For the process that asked; kinds come back as what their code says."""
    return {
        "kind": type(error).__name__,
        "code": error.code,
        "en": str(error.text),
        "zh": error.text.zh,
        "next_en": str(error.next_step),
        "next_zh": error.next_step.zh,
    }


def error_from_json(said: dict[str, str]) -> SandboxError:
    """The error again, of the kind it was."""
    kinds: dict[str, type[SandboxError]] = {kind.__name__: kind for kind in (SpecRefused, HostUnfit, StartFailed)}
    kind = kinds.get(said["kind"], SandboxError)
    return kind(
        said["code"],
        Words(en=said["en"], zh=said["zh"]),
        Words(en=said["next_en"], zh=said["next_zh"]),
    )
