"""What people may write into the record: titles, purposes, reasons, legal bases.

What is written is signed, voted on and read aloud to auditors, so it must be the same text to everyone's eyes and to
every program: no control signs, no signs that hide or reorder text, no halves of characters; and not without end.

Rules here: `words.signs`, `words.long`, `words.state_secret`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from hub.errors import Refusal
from hub.message import msg
from hub.secrecy import BASIS as SECRECY_BASIS
from hub.secrecy import is_marked

MOST_IN_LINE = 200
"""Characters of a title or name."""

MOST_IN_TEXT = 4000
"""Characters of a purpose, reason or description."""

_REFUSED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Control, format (bidi, zero-width), surrogate, and the two separators that some programs take for a line's end.
Private-use and unassigned characters stay allowed: rare Chinese characters live there."""

_IN_TEXT = frozenset("\t\n\r")


def is_line(words: str) -> bool:
    """Whether `words` is one line that reads the same everywhere."""
    return not any(unicodedata.category(sign) in _REFUSED for sign in words)


def refusals_of_words(subject: str, *, lines: Iterable[str] = (), texts: Iterable[str] = ()) -> tuple[Refusal, ...]:
    """Everything against keeping these words about `subject`: titles as `lines`, longer ones as `texts`."""
    given = [(line, line, MOST_IN_LINE) for line in lines]
    given += [("".join(sign for sign in text if sign not in _IN_TEXT), text, MOST_IN_TEXT) for text in texts]
    found: list[Refusal] = []
    if not all(is_line(visible) for visible, _, _ in given):
        found.append(
            Refusal(
                rule="words.signs",
                subject=subject,
                text=msg("A text holds control characters or signs that hide or reorder text."),
                next_step=msg("Type the text anew instead of pasting it."),
            )
        )
    if any(is_marked(whole) for _, whole, _ in given):
        found.append(
            Refusal(
                rule="words.state_secret",
                subject=subject,
                text=msg("A text carries the mark of a state secret."),
                next_step=msg(
                    "Data that concern state secrets are handled under the secrecy laws, outside of this platform."
                ),
                basis=SECRECY_BASIS,
            )
        )
    over = [most for _, whole, most in given if len(whole) > most]
    if over:
        found.append(
            Refusal(
                rule="words.long",
                subject=subject,
                text=msg("A text is longer than {count} characters.", count=min(over)),
                next_step=msg("Shorten it; details belong in a document that the text refers to."),
            )
        )
    return tuple(found)
