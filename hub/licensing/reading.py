"""Reading an agreement strictly: every field by its type, nothing left out, nothing unknown, all problems at once."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from hub.errors import InvalidInput, Refusal
from hub.licensing.contract import CONTRACT_BASIS, FORMAT, Contract, ContractItems, Header, Said
from hub.message import Message, msg
from hub.wording import refusals_of_words

T = TypeVar("T")

MOST_POLICY = 256 * 2**10
"""Characters of a policy; one of a hundred columns has some ten thousand."""

MOST_ENTRIES = 500
"""Entries of a list: columns of a table, people, tables."""


def read_header(said: object) -> Header:
    """The header. Raises InvalidInput naming every field that cannot be read."""
    return _whole(Header, said, "header")


def read_items(said: object) -> ContractItems:
    """The thirteen items. Raises InvalidInput naming every field that cannot be read."""
    return _whole(ContractItems, said, "items")


def read_draft(header: object, items: object) -> tuple[Header, ContractItems]:
    """Both, with the problems of both named at once."""
    reader = _Reader()
    found = reader.read(Header, header, "header"), reader.read(ContractItems, items, "items")
    reader.close()
    return found


def read_contract(text: str) -> Contract:
    """A kept agreement.

    Raises:
        InvalidInput: It is no agreement of this format.
    """
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_problem("contract.form", "contract", msg("This is no JSON."))) from error
    if not isinstance(kept, dict) or kept.pop("format", None) != FORMAT:
        raise InvalidInput(_problem("contract.form", "contract", msg("This is no agreement of this format.")))
    return _whole(Contract, kept, "contract")


def _whole(kind: type[T], said: object, path: str) -> T:
    reader = _Reader()
    found: T = reader.read(kind, said, path)
    reader.close()
    return found


@dataclass(slots=True)
class _Reader:
    """Reads by type; problems are collected, and what has one is never built."""

    problems: list[Refusal] = field(default_factory=list)

    def close(self) -> None:
        if self.problems:
            raise InvalidInput(*self.problems)

    def read(self, kind: Any, value: object, path: str, said: Said | None = None) -> Any:
        said = said or Said(label=msg("Value"))
        if is_dataclass(kind):
            return self._record(kind, value, path)
        if get_origin(kind) is tuple:
            return self._list(get_args(kind)[0], value, path, said)
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            if isinstance(value, str) and value in kind._value2member_map_:
                return kind(value)
            return self._wrong(path, msg("One of these is expected here: {choices}.", choices=", ".join(kind)))
        if kind is bool:
            return value if isinstance(value, bool) else self._wrong(path, msg("Yes or no is expected here."))
        if kind is int:
            return self._number(value, path, said)
        if kind is datetime:
            return self._moment(value, path)
        return self._words(value, path, said)

    def _record(self, kind: Any, value: object, path: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, msg("Named fields are expected here."))
        before = len(self.problems)
        known = _types(kind)
        for name in sorted(str(key) for key in value if key not in known):
            self.problems.append(_problem("contract.unknown", f"{path}.{name[:40]}", msg("There is no such field.")))
        read = {}
        for one in fields(kind):
            place = f"{path}.{one.name}"
            if one.name in value:
                read[one.name] = self.read(known[one.name], value[one.name], place, one.metadata.get("said"))
            else:
                self.problems.append(_problem("contract.missing", place, msg("This field is missing.")))
        return kind(**read) if len(self.problems) == before else None

    def _list(self, kind: Any, value: object, path: str, said: Said) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > MOST_ENTRIES:
            return self._wrong(path, msg("A list is expected here.")) or ()
        if not value and not said.may_be_empty:
            self.problems.append(_problem("contract.empty", path, msg("Nothing is entered here.")))
        entry = Said(label=said.label, is_line=True)
        return tuple(self.read(kind, one, f"{path}.{n}", entry) for n, one in enumerate(value))

    def _number(self, value: object, path: str, said: Said) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(path, msg("A whole number is expected here."))
        if not said.least <= value <= said.most:
            text = msg("A number from {least} to {most} is expected here.", least=said.least, most=said.most)
            self.problems.append(_problem("contract.bounds", path, text))
        return value

    def _moment(self, value: object, path: str) -> Any:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            return self._wrong(path, msg("A day is expected here."))
        return moment.astimezone(UTC)

    def _words(self, value: object, path: str, said: Said) -> Any:
        if not isinstance(value, str):
            return self._wrong(path, msg("A text is expected here."))
        text = value.replace("\r\n", "\n").strip()
        if not text and not said.may_be_empty:
            self.problems.append(_problem("contract.empty", path, msg("Nothing is entered here.")))
        if said.is_code:
            if len(text) > MOST_POLICY:
                self._wrong(path, msg("The text is too long."))
            return f"{text}\n"
        lines, texts = ([text], []) if said.is_line else ([], [text])
        self.problems += refusals_of_words(path, lines=lines, texts=texts)
        return text

    def _wrong(self, path: str, text: Message) -> Any:
        self.problems.append(_problem("contract.type", path, text))
        return None


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _problem(rule: str, path: str, text: Message) -> Refusal:
    return Refusal(
        rule=rule,
        subject=path,
        text=text,
        next_step=msg("Fill in this field of the agreement and send the form again."),
        basis=CONTRACT_BASIS,
    )
