"""What every recognizer is: patterns over the normalised text, a judgement of each match, words that make it likelier.

presidio-analyzer is the frame for sites that use it (`anonymize.detect.presidio` hands every recognizer here to
it as an `EntityRecognizer`); importing presidio costs seconds and its engine milliseconds a call, so the scan and
the gate call recognizers directly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from anonymize.detect.entity import Entity, EntityKind
from anonymize.detect.normalize import Normalized

# Python counts Chinese characters as word characters, so \b fails beside them. These guards mean: not inside a
# longer run of digits or Latin letters, and not the inside of a decimal number.
LEFT: Final = r"(?<![0-9A-Za-z])(?<![0-9][.])"
RIGHT: Final = r"(?![0-9A-Za-z])(?![.][0-9])"

CONTEXT_GAIN: Final = 0.35
"""What a context word near the match adds to its score."""
CONTEXT_BEFORE: Final = 16
CONTEXT_AFTER: Final = 6
REPORTED: Final = 0.35
"""Findings below this score are not reported unless asked for."""
_SEPARATORS: Final = re.compile(r"[ \-]")


@dataclass(frozen=True, slots=True)
class Judged:
    """How sure a match is by itself, and whether its check digit is right (None: it has none)."""

    score: float
    checked: bool | None = None


def compact(number: str) -> str:
    """A number without the separators that the patterns accept, letters in upper case."""
    return _SEPARATORS.sub("", number).upper()


class Recognizer:
    """Finds one kind of identifier in a normalised text.

    `patterns` are bounded: no quantifier without an upper limit, so the work is linear in the length of the text.
    `cell_pattern` is the same rule for a whole cell without separators, in the syntax that polars takes (no
    lookaround); None: the kind can't be told from a single cell. `headers` are words of column names: Chinese
    ones match anywhere in the name, others as a run of its words.
    """

    kind: ClassVar[EntityKind]
    patterns: ClassVar[tuple[re.Pattern[str], ...]] = ()
    context: ClassVar[tuple[str, ...]] = ()
    headers: ClassVar[tuple[str, ...]] = ()
    cell_pattern: ClassVar[str | None] = None

    def judge(self, match: re.Match[str]) -> Judged | None:
        """The score of a match by itself; None: it is not this kind at all. Whoever has patterns says it."""
        return None

    def span(self, match: re.Match[str]) -> tuple[int, int]:
        """The part of the match that identifies: the group `value` if the pattern has one."""
        if "value" in match.re.groupindex:
            return match.span("value")
        return match.span()

    def find(self, text: Normalized) -> Iterator[Entity]:
        """Every match with its score; overlapping matches of several patterns included, equal ones once."""
        lowered: str | None = None
        seen: set[tuple[int, int]] = set()
        for pattern in self.patterns:
            for match in pattern.finditer(text.text):
                judged = self.judge(match)
                if judged is None:
                    continue
                if lowered is None:
                    lowered = text.text.lower()
                start, end = self.span(match)
                if (start, end) in seen:
                    continue
                seen.add((start, end))
                gain = CONTEXT_GAIN if self._in_context(lowered, start, end) else 0.0
                first, last = text.span(start, end)
                score = min(1.0, max(0.0, judged.score) + gain)
                yield Entity(kind=self.kind, start=first, end=last, score=score, checked=judged.checked)

    def check_share(self, values: list[str]) -> float | None:
        """Share of values, already matched by `cell_pattern`, that pass the kind's check digit; None: it has none."""
        del values
        return None

    def _in_context(self, lowered: str, start: int, end: int) -> bool:
        if not self.context:
            return False
        near = lowered[max(0, start - CONTEXT_BEFORE) : start] + "\n" + lowered[end : end + CONTEXT_AFTER]
        return any(word in near for word in self.context)


class LabelledRecognizer(Recognizer):
    """A number without a national format: found only behind its label (病历号:…), never by its looks.

    `labels` is a regular expression for the label, `value` one for what follows it.
    """

    labels: ClassVar[str]
    value: ClassVar[str] = r"[A-Za-z0-9][A-Za-z0-9\-]{3,23}"
    score: ClassVar[float] = 0.75

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.patterns = (
            re.compile(
                rf"(?:{cls.labels})[ ]{{0,2}}(?:为|是|号|码|编号|编號|號|碼|編號|爲|為|No\.?|[:(#]){{0,3}}[ ]{{0,2}}"
                rf"(?P<value>{cls.value}){RIGHT}",
                re.I,
            ),
            *cls.extra_patterns(),
        )

    @classmethod
    def extra_patterns(cls) -> tuple[re.Pattern[str], ...]:
        """Patterns that hold without a label."""
        return ()

    def judge(self, match: re.Match[str]) -> Judged | None:
        return Judged(self.score)
