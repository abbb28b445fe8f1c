"""The agreement's form: its fields follow from the dataclasses of the agreement, so that none is forgotten.

A posted form becomes plain names and values again, as they were typed; `reading` says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from hub.licensing.contract import TITLES, ContractItems, Join, PlannedProduct, Said, ScopeItem
from hub.licensing.proposal import PLAIN_ITEMS
from hub.message import Message
from hub.rulebook.model import DISTRICT_TIME
from hub.web.form import Form

JOINS_SHOWN = 6
PRODUCTS_SHOWN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of an item: how it is asked for and shown."""

    name: str
    said: Said
    kind: str
    """line, area, number, tick, choice, choices, person or people."""
    options: tuple[StrEnum, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, StrEnum], ...]:
        """The options as a choice on a page takes them."""
        return tuple((option.value, option) for option in self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One of the items whose fields are plain: number within the article, title, fields."""

    name: str
    number: str
    title: Message
    entries: tuple[Entry, ...]


def entries_of(kind: Any) -> tuple[Entry, ...]:
    """The fields of one dataclass of the agreement."""
    return tuple(_entries(kind))


def _entries(kind: Any) -> Iterator[Entry]:
    types = get_type_hints(kind)
    for one in fields(kind):
        said: Said = one.metadata["said"]
        of = types[one.name]
        inner = get_args(of)[0] if get_origin(of) is tuple else None
        if is_dataclass(inner) or of is datetime:
            continue
        if isinstance(of, type) and issubclass(of, StrEnum):
            yield Entry(name=one.name, said=said, kind="choice", options=tuple(of))
        elif isinstance(inner, type) and issubclass(inner, StrEnum):
            yield Entry(name=one.name, said=said, kind="choices", options=tuple(inner))
        elif one.name in ("officer", "personnel"):
            yield Entry(name=one.name, said=said, kind="people" if inner else "person")
        elif of is bool:
            yield Entry(name=one.name, said=said, kind="tick")
        elif of is int:
            yield Entry(name=one.name, said=said, kind="number")
        else:
            yield Entry(name=one.name, said=said, kind="line" if said.is_line else "area")


def groups() -> tuple[Group, ...]:
    """Items (4) to (13), whose fields are all plain."""
    types = get_type_hints(ContractItems)
    return tuple(
        Group(name=name, number=TITLES[name][0], title=TITLES[name][1], entries=entries_of(types[name]))
        for name in PLAIN_ITEMS
    )


def header_in(form: Form) -> dict[str, Any]:
    """The header as it was typed."""
    return {
        "mode": form.optional("header.mode"),
        "grant_source": form.optional("header.grant_source"),
        "authority": form.optional("header.authority"),
        "document_ref": form.optional("header.document_ref"),
        "developers": list(form.many("header.developers")),
        "renews": form.optional("header.renews"),
    }


def items_in(form: Form) -> dict[str, Any]:
    """The thirteen items as they were typed."""
    return {
        "scope": {
            "tables": [_table(form, table_id) for table_id in form.many("table")],
            "joins": list(_rows(form, "join", entries_of(Join), blank="left")),
            "security_opinion": form.optional("scope.security_opinion"),
            "security_opinion_digest": form.optional("scope.security_opinion_digest").lower(),
        },
        "term": {
            "starts_at": _midnight(form.optional("starts")),
            "ends_at": _midnight(form.optional("ends")),
            "is_renewable": form.ticked("term.is_renewable"),
            "start_reason": form.optional("term.start_reason"),
        },
        "products": {
            "plan": list(_rows(form, "plan", entries_of(PlannedProduct), blank="name")),
            "reviewers": _number(form.optional("reviewers")),
        },
        **{
            group.name: {one.name: _value(form, f"{group.name}.{one.name}", one) for one in group.entries}
            for group in groups()
        },
    }


def _table(form: Form, table_id: str) -> dict[str, Any]:
    typed = {one.name: _value(form, f"{one.name}.{table_id}", one) for one in entries_of(ScopeItem)}
    return typed | {
        "table_id": table_id,
        "columns": list(form.many(f"columns.{table_id}")),
        "policy": form.code(f"policy.{table_id}"),
    }


def _rows(form: Form, prefix: str, entries: Sequence[Entry], *, blank: str) -> Iterator[Mapping[str, Any]]:
    """Rows of a list, in their order; a row whose field `blank` is empty was not filled in."""
    numbers = {name.partition(".")[0] for name in form.suffixes(f"{prefix}.")}
    for number in sorted(numbers, key=lambda one: (len(one), one)):
        if form.optional(f"{prefix}.{number}.{blank}"):
            yield {one.name: _value(form, f"{prefix}.{number}.{one.name}", one) for one in entries}


def _value(form: Form, name: str, entry: Entry) -> object:
    match entry.kind:
        case "tick":
            return form.ticked(name)
        case "number":
            return _number(form.optional(name))
        case "choices" | "people":
            return list(form.many(name))
    return form.optional(name)


def _number(typed: str) -> object:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else typed


def _midnight(typed: str) -> str:
    """The moment a day begins in the district, in UTC as database and ledger keep it; as typed if it is none."""
    try:
        return datetime.combine(date.fromisoformat(typed), time(), tzinfo=DISTRICT_TIME).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return typed


def day_of(moment: str) -> str:
    """The district's day of a moment, for a date field; empty if it is none."""
    try:
        return datetime.fromisoformat(moment).astimezone(DISTRICT_TIME).date().isoformat()
    except (ValueError, OverflowError):
        return ""
