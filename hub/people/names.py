"""The form of ids that people choose: part of paths, addresses and scopes, so plain letters, digits and hyphens."""

from __future__ import annotations

import re

from hub.errors import InvalidInput, InvalidState, Refusal
from hub.message import msg
from hub.people.actor import SYSTEM

_NAME = re.compile(r"[a-z]{2}|[a-z][a-z0-9-]{1,30}[a-z0-9]")


def is_name(name: str) -> bool:
    """Whether `name` has the form of an id."""
    return _NAME.fullmatch(name) is not None


def refuse_bad_name(name: str) -> None:
    """Refuse what is no id, and the one under which the service itself stands in the ledger.

    Raises:
        InvalidInput: It is one of these.
    """
    if not is_name(name) or name == SYSTEM.person_id:
        raise InvalidInput(
            Refusal(
                rule="name.form",
                subject="",
                text=msg("The id is not of the form a-z, 0-9 and -, with 2 to 32 characters, or it is reserved."),
                next_step=msg("Choose such an id; the full name goes into its own field."),
            )
        )


def refuse_taken_name(name: str, *, is_taken: bool) -> None:
    """Refuse an id that someone or something has.

    Raises:
        InvalidState: It is taken.
    """
    if is_taken:
        raise InvalidState(
            Refusal(
                rule="name.taken",
                subject=name,
                text=msg("The id {id} is taken.", id=name),
                next_step=msg("Choose another id."),
            )
        )
