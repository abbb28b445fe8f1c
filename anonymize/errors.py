"""What the anonymizer says when it refuses. Every refusal names its subject and the next step.

Callers decide on the type and on `code`, never on the wording. No text in here may hold a cell value, a name or a key:
the subject is a file, a column, a row number or a policy field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from anonymize.text import Language, Text

EXIT_NOT_FOUND: Final = 20
EXIT_BAD_INPUT: Final = 23
EXIT_CHECKS_FAILED: Final = 24


class AnonymizeError(Exception):
    """A refusal of the anonymizer: a stable code, what it is about, what was refused, what to do next.

    `str()` gives English, for logs; people are shown `sentence(language)`.
    """

    exit_code: ClassVar[int] = EXIT_BAD_INPUT

    def __init__(self, *, code: str, subject: str, text: Text, next_step: Text) -> None:
        super().__init__(code, subject)
        self.code = code
        self.subject = subject
        self.text = text
        self.next_step = next_step

    def __reduce__(self) -> tuple[Any, ...]:
        """A refusal travels home from a worker process as what it is."""
        return _rebuilt, (type(self), self.code, self.subject, self.text, self.next_step)

    def sentence(self, language: Language) -> str:
        """The refusal with its next step and its code, in one language."""
        glue = "" if language == "zh" else " "
        return f"{self.text.in_language(language)}{glue}{self.next_step.in_language(language)} [{self.code}]"

    def as_json(self, language: Language) -> dict[str, object]:
        """The refusal as programs read it; `text` and `next_step` in one language, both in `i18n`."""
        return {
            "code": self.code,
            "subject": self.subject,
            "text": self.text.in_language(language),
            "next_step": self.next_step.in_language(language),
            "i18n": {
                "zh": {"text": self.text.zh, "next_step": self.next_step.zh},
                "en": {"text": self.text.en, "next_step": self.next_step.en},
            },
        }

    def __str__(self) -> str:
        return self.sentence("en")


def _rebuilt(kind: type[AnonymizeError], code: str, subject: str, text: Text, next_step: Text) -> AnonymizeError:
    return kind(code=code, subject=subject, text=text, next_step=next_step)


class BadInput(AnonymizeError):
    """A table, a policy or a parameter can't be worked with."""

    exit_code = EXIT_BAD_INPUT


class NotFound(AnonymizeError):
    """A named file does not exist or can't be opened."""

    exit_code = EXIT_NOT_FOUND


class TargetNotMet(AnonymizeError):
    """The privacy target can't be reached, or was not reached on the written file. Nothing was written."""

    exit_code = EXIT_CHECKS_FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A column of a table, as refusals name it. The table is the name of a file, without its folder."""

    table: str
    column: str

    @property
    def subject(self) -> str:
        return f"{self.table}:{self.column}"

    def refuse(self, code: str, *, found: Text, next_step: Text) -> BadInput:
        """The refusal of this column: what was found in it (never a value) and what to do."""
        return BadInput(
            code=code,
            subject=self.subject,
            text=Text(
                f"表 {self.table} 的列“{self.column}”被拒绝：{found.zh}。",
                f"Table {self.table}, column “{self.column}” refused: {found.en}.",
            ),
            next_step=next_step,
        )


def no_such_column(table: str, column: str) -> BadInput:
    """The refusal when a table lacks a column that is asked for."""
    return Place(table=table, column=column).refuse(
        "column.not_found",
        found=Text("表中没有该列", "the table has no such column"),
        next_step=Text("请检查列名。", "Check the name of the column."),
    )
