"""A sentence for people, kept as its English source and values until someone is there to read it.

Rules and actions know no language. They say `msg("Licence {licence} ended on {day}.", licence=..., day=...)`;
Babel extracts the source text by the name `msg`, the catalogs in `hub/web/locales` hold the Chinese, and only the
page, the terminal or the exception text renders it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence: its English source text and the values that go into it. Values are ids, counts, dates; no data."""

    source: str
    values: tuple[tuple[str, Value], ...] = ()
    chinese: str = ""
    """The Chinese of a sentence that another package wrote in both languages; it is in no catalog of ours."""

    def render(self, translate: Callable[[str], str] | None = None) -> str:
        """The sentence in the language of `translate` (a gettext function); English without one."""
        if self.chinese:
            return self.chinese if translate is not None and translate(LANGUAGE.source) == "zh" else self.source
        text = self.source if translate is None else translate(self.source)
        said = {name: value.render(translate) if isinstance(value, Message) else value for name, value in self.values}
        return text.format_map(said)

    def __str__(self) -> str:
        return self.render()


Value = str | int | Message
"""What can stand in a sentence: an id, a count, a date, or a part that is itself translated."""


def msg(source: str, /, **values: Value) -> Message:
    """Mark `source` for translation and bind its values."""
    return Message(source, tuple(sorted(values.items())))


def both(*, en: str, zh: str) -> Message:
    """A finished sentence of `anonymize` or `sandbox`, which write both languages side by side."""
    return Message(en, chinese=zh)


LANGUAGE = msg("en")
"""Each catalog translates this to its own language's code, so that a gettext function can be asked for its language."""
