"""Sentences of the kit in the language of the workspace, and the refusal that carries one."""

from __future__ import annotations

import os
from typing import Literal

LANGUAGE: Literal["zh", "en"] = "en" if os.environ.get("ZHAKOU_LANGUAGE") == "en" else "zh"


def say(zh: str, en: str) -> str:
    """The sentence in the language of this workspace."""
    return en if LANGUAGE == "en" else zh


class Refused(Exception):
    """A refusal: what, by which rule, and what to do next. Shown in a notebook without a traceback."""

    def __init__(self, code: str, text: str, next_step: str) -> None:
        super().__init__(f"{text}{'' if LANGUAGE == 'zh' else ' '}{next_step} [{code}]")
        self.code = code

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of the lines of our code."""
        return [f"{say('未执行', 'Refused')}: {self}"]
