"""The one interface of language models here: texts in, spans out.

A site with a better model names it by `ZHAKOU_TEXT_MODEL=package.module:maker`; the maker takes nothing and returns an
object with `spans`. The rules of `anonymize.detect.nlp.rules` are applied to whatever it finds.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from anonymize.errors import BadInput
from anonymize.text import Text

SETTING: Final = "ZHAKOU_TEXT_MODEL"


class Label(StrEnum):
    """What a span names."""

    PERSON = "PER"
    PLACE = "LOC"
    ORGANIZATION = "ORG"


@dataclass(frozen=True, slots=True)
class Span:
    """One name. Units: code points of the text, end exclusive; `score` from 0 to 1 orders spans."""

    label: Label
    start: int
    end: int
    score: float


class TextModel(Protocol):
    """What finds names in texts."""

    @property
    def version(self) -> str:
        """Name and digest of the model, for manifests."""
        ...

    def spans(self, texts: Sequence[str]) -> list[list[Span]]:
        """For each text its names, in order and without overlaps."""
        ...


def text_model() -> TextModel:
    """The model in use, loaded once for each setting.

    Raises:
        BadInput: the setting names nothing that can be loaded.
    """
    return _load(os.environ.get(SETTING, ""))


@lru_cache(maxsize=2)
def _load(setting: str) -> TextModel:
    if not setting:
        from anonymize.detect.nlp.tagger import Tagger  # onnxruntime takes a third of a second to load

        return Tagger()
    module, _, maker = setting.partition(":")
    try:
        model: TextModel = getattr(importlib.import_module(module), maker)()
    except (ImportError, AttributeError, TypeError, ValueError) as failed:
        raise BadInput(
            code="detect.model",
            subject=SETTING,
            text=Text(
                f"{SETTING} 指定的语言模型无法加载。", f"The language model that {SETTING} names could not be loaded."
            ),
            next_step=Text(
                "请写成 package.module:maker，或留空以使用自带模型。",
                "Write package.module:maker, or leave it empty for the model that comes with the package.",
            ),
        ) from failed
    return model
