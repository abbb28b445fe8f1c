"""Reading the rulebook's TOML strictly: every key is asked for by name and type, what nobody asked for is refused.

A rule file that is read leniently protects nothing: a misspelt threshold would silently fall away.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from hub.errors import InvalidInput, Refusal
from hub.message import Message, msg

Member = TypeVar("Member", bound=StrEnum)


def refuse(file: str, key: str, text: Message) -> InvalidInput:
    """The refusal of one place in a rule file. Values are not repeated."""
    return InvalidInput(
        Refusal(
            rule="rulebook.invalid",
            subject=f"{file}: {key}",
            text=text,
            next_step=msg("Mend this place in the rule file; nothing is decided on rules that cannot be read."),
        )
    )


def read(path: Path) -> Table:
    """A rule file as its outermost table.

    Raises:
        InvalidInput: It cannot be read as TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise refuse(path.name, "-", msg("The rule file cannot be read as TOML.")) from error
    return Table(content, file=path.name, path="")


class Table:
    """One table, read key by key; `close` refuses whatever was not read.

    Raises (all readers):
        InvalidInput: A key is missing, of another type or out of its range. The refusal names the key.
    """

    def __init__(self, content: object, *, file: str, path: str) -> None:
        self.file, self.path = file, path
        if not isinstance(content, dict):
            raise refuse(file, path or "-", msg("A table of keys and values is expected here."))
        self._content: dict[str, object] = content
        self._left = set(content)

    def refused(self, key: str, text: Message) -> InvalidInput:
        """The refusal of one key of this table."""
        return refuse(self.file, f"{self.path}.{key}" if self.path else key, text)

    def has(self, key: str) -> bool:
        return key in self._content

    def names(self) -> tuple[str, ...]:
        """The keys in the order in which they are written."""
        return tuple(self._content)

    def raw(self, key: str) -> object:
        """The value of a key that must be there, unchecked."""
        if key not in self._content:
            raise self.refused(key, msg("This key is missing."))
        self._left.discard(key)
        return self._content[key]

    def text(self, key: str, *, may_be_empty: bool = False) -> str:
        value = self.raw(key)
        if not isinstance(value, str) or not (value.strip() or may_be_empty):
            raise self.refused(key, msg("A text is expected here."))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; it may be empty, its texts may not, and none stands in it twice."""
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            raise self.refused(key, msg("A list of texts is expected here."))
        if len(set(value)) != len(value):
            raise self.refused(key, msg("The same text stands here twice."))
        return tuple(value)

    def member(self, key: str, kind: type[Member]) -> Member:
        """One of a closed list."""
        value = self.raw(key)
        try:
            return kind(str(value))
        except ValueError:
            listed = ", ".join(kind)
            raise self.refused(key, msg("One of these is expected here: {choices}.", choices=listed)) from None

    def number(self, key: str) -> Decimal:
        """An exact finite number."""
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            raise self.refused(key, msg("A number is expected here."))
        return Decimal(value)

    def day(self, key: str) -> date:
        return self._day(key, self.raw(key))

    def days(self, key: str) -> tuple[date, ...]:
        value = self.raw(key)
        if not isinstance(value, list):
            raise self.refused(key, msg("A list of dates is expected here."))
        return tuple(self._day(key, day) for day in value)

    def table(self, key: str) -> Table:
        return Table(self.raw(key), file=self.file, path=f"{self.path}.{key}" if self.path else key)

    def each(self, key: str) -> Iterator[tuple[str, Table]]:
        """The named tables below a key; at least one."""
        inner = self.table(key)
        if not inner.names():
            raise self.refused(key, msg("At least one entry is expected here."))
        for name in inner.names():
            yield name, inner.table(name)

    def rows(self, key: str) -> tuple[Table, ...]:
        """The tables of a list; at least one."""
        value = self.raw(key)
        if not isinstance(value, list) or not value:
            raise self.refused(key, msg("At least one entry is expected here."))
        return tuple(Table(row, file=self.file, path=f"{key}[{number}]") for number, row in enumerate(value, 1))

    def close(self) -> None:
        """Refuse the first key, in alphabetical order, that nobody asked for."""
        if self._left:
            raise self.refused(sorted(self._left)[0], msg("No such key is known here."))

    def _day(self, key: str, value: object) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.refused(key, msg("A date like 2026-11-01, without quotes, is expected here."))
        return value
