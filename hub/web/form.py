"""The fields of a submitted form as typed values. What is missing or malformed is refused by the
field's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import FormData, UploadFile

from hub.errors import InvalidInput, Refusal
from hub.message import Message, msg
from hub.web.fields import field_word

MOST_FIELDS = 2000
MOST_TEXT = 20_000
MOST_SECRET = 1024

E = TypeVar("E", bound=StrEnum)


class Form:
    """One submitted form."""

    def __init__(self, data: FormData) -> None:
        self._data = data

    @property
    def filled(self) -> Mapping[str, str]:
        """Every text field as given, so that a refused form can be shown again as it was."""
        return {name: value for name, value in self._data.multi_items() if isinstance(value, str)}

    def text(self, name: str) -> str:
        """A text that must be there.

        Raises:
            InvalidInput: Empty, or longer than 20,000 characters.
        """
        value = self.optional(name)
        if not value:
            raise _refused(name, "form.missing", msg("The field {field} is empty.", field=field_word(name)))
        return value

    def optional(self, name: str) -> str:
        """A text without blanks around it; empty when the field is."""
        value = self._data.get(name, "")
        if not isinstance(value, str):
            raise _refused(name, "form.invalid", msg("The field {field} is not a text.", field=field_word(name)))
        if len(value) > MOST_TEXT:
            text = msg("The field {field} is longer than {most} characters.", field=field_word(name), most=MOST_TEXT)
            raise _refused(name, "form.too_long", text, msg("Shorten the text and send the form again."))
        return value.replace("\r\n", "\n").strip()

    def secret(self, name: str) -> str:
        """A password or code as typed: blanks at its ends belong to it, and it is never shown again."""
        value = self._data.get(name, "")
        if not isinstance(value, str) or len(value) > MOST_SECRET:
            raise _refused(name, "form.invalid", msg("The field {field} is not a text.", field=name))
        return value

    def code(self, name: str) -> str:
        """A program's text as given, but for its line ends; whoever reads it bounds its length."""
        value = self._data.get(name, "")
        return value.replace("\r\n", "\n") if isinstance(value, str) else ""

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a field that may be ticked more than once, in the order of the page."""
        return tuple(value for value in self._data.getlist(name) if isinstance(value, str) and value)

    def ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self._data.get(name) == "yes"

    def number(self, name: str) -> int:
        """A whole number that must be there."""
        value = self.text(name)
        if not (value.isascii() and value.removeprefix("-").isdecimal() and len(value) <= 12):
            raise _refused(
                name, "form.invalid", msg("The field {field} is not a whole number.", field=field_word(name))
            )
        return int(value)

    def day(self, name: str) -> date:
        """A calendar day that must be there, as YYYY-MM-DD; its beginning and its end exist in every time zone."""
        try:
            day = date.fromisoformat(self.text(name))
        except ValueError:
            day = date.max
        if not date.min < day < date.max:
            text = msg("The field {field} is not a date (YYYY-MM-DD).", field=field_word(name))
            raise _refused(name, "form.invalid", text)
        return day

    def one_of(self, name: str, choices: type[E]) -> E:
        """A value of a closed list."""
        try:
            return choices(self.text(name))
        except ValueError:
            text = msg("The field {field} holds none of the values to choose from.", field=field_word(name))
            raise _refused(name, "form.invalid", text) from None

    def file(self, name: str) -> UploadFile | None:
        """An uploaded file, if one was chosen."""
        value = self._data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    def suffixes(self, prefix: str) -> Iterator[str]:
        """What follows `prefix` in the names of the fields, each once, in the order of the page."""
        seen = dict.fromkeys(name.removeprefix(prefix) for name in self._data if name.startswith(prefix))
        yield from seen


_FILL_IN = msg("Fill in the field and send the form again.")


def _refused(field: str, rule: str, text: Message, next_step: Message = _FILL_IN) -> InvalidInput:
    return InvalidInput(Refusal(rule=rule, subject=field, text=text, next_step=next_step))
