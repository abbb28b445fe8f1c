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
    values: tuple[tuple[str, str | int], ...] = ()

    def render(self, translate: Callable[[str], str] | None = None) -> str:
        """The sentence in the language of `translate` (a gettext function); English without one."""
        text = self.source if translate is None else translate(self.source)
        return text.format_map(dict(self.values))

    def __str__(self) -> str:
        return self.render()


def msg(source: str, /, **values: str | int) -> Message:
    """Mark `source` for translation and bind its values."""
    return Message(source, tuple(sorted(values.items())))
