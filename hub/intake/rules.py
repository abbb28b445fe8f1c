"""May a file enter the raw zone, and if not, why.

Rules here: `file.type`, `file.size`, `file.unread` (no table that the column scan could read), `file.foreign` (another
department handed in the very same bytes), `file.state_secret` (declared so, not declared free of them, or marked).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from hub.errors import Refusal
from hub.message import Message, msg
from hub.secrecy import BASIS as SECRECY_BASIS
from hub.secrecy import is_marked
from hub.wording import is_line

SUFFIXES = (".csv", ".parquet", ".xlsx")
BASIS = "普陀区公共数据管理办法 第十一条"
_NAME = re.compile(r"[^\x00-\x1f\x7f/\\]{1,120}")
_MOST_ROWS = 2**53


def refusals_to_receive(name: str, *, no_state_secret: bool) -> tuple[Refusal, ...]:
    """Everything against taking in a file of this name.

    Args:
        no_state_secret: Whether the steward declares that the secrecy review found none.
    """
    found = []
    if not _NAME.fullmatch(name) or not is_line(name) or PurePath(name).suffix.lower() not in SUFFIXES:
        found.append(_refusal("file.type", msg("Files of type {types} are received.", types=", ".join(SUFFIXES))))
    if not no_state_secret:
        found.append(_secret(msg("The secrecy review of the file is not declared.")))
    return (*found, *refusals_of_marks([name]))


def refusals_of_size(size: int, *, limit: int) -> tuple[Refusal, ...]:
    """Everything against a file of this many bytes."""
    if size <= limit:
        return ()
    return (_refusal("file.size", msg("The file is larger than {limit} bytes.", limit=limit)),)


def refusals_of_scan(said: Any) -> tuple[Refusal, ...]:
    """Everything against what a column scan said of the file; its box has read something hostile perhaps."""
    if not _is_scan(said):
        return (_refusal("file.unread", msg("The file is no table that can be read.")),)
    return refusals_of_marks(column["name"] for column in said["columns"])


def refusals_of_marks(words: Iterable[str], *, in_content: bool = False) -> tuple[Refusal, ...]:
    """Everything against a file whose name, columns or bytes carry the mark of a state secret."""
    if not in_content and not any(is_marked(one) for one in words):
        return ()
    return (_secret(msg("The file carries the mark of a state secret.")),)


def refusals_of_owner(org_id: str, *, known_of: str | None) -> tuple[Refusal, ...]:
    """Everything against a department handing in bytes that are known already as those of `known_of`."""
    if known_of in (None, org_id):
        return ()
    return (_refusal("file.foreign", msg("Another department handed in the very same bytes.")),)


def _is_scan(said: Any) -> bool:
    try:
        names = [column["name"] for column in said["columns"]]
        rows = said["rows"]
    except (KeyError, TypeError):
        return False
    counted = isinstance(rows, int) and not isinstance(rows, bool) and 0 <= rows < _MOST_ROWS
    return counted and bool(names) and all(isinstance(name, str) and _is_text(name) for name in names)


def _is_text(name: str) -> bool:
    return not any(unicodedata.category(sign) == "Cs" for sign in name)


def _secret(text: Message) -> Refusal:
    return Refusal(
        rule="file.state_secret",
        subject="",
        text=text,
        next_step=msg("Data that concern state secrets are handled under the secrecy laws, outside of this platform."),
        basis=SECRECY_BASIS,
    )


def _refusal(rule: str, text: Message) -> Refusal:
    return Refusal(
        rule=rule, subject="", text=text, next_step=msg("Hand in another file; nothing was kept."), basis=BASIS
    )
