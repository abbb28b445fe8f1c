"""Writing TOML. The standard library only reads it, and a policy that was proposed must reach its editor as TOML.

Covers what policies hold: texts, numbers, booleans, dates, lists, tables, lists of tables.
Source: TOML 1.0.0, https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, Final

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def write_toml(content: Mapping[str, Any]) -> str:
    """A document that reads back equal.

    Raises:
        TypeError: a value is of a kind that policies do not hold.
    """
    return "\n".join(_table(content, ())).strip("\n") + "\n"


def _table(content: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in content.items() if not _is_section(value, path)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    if path and (lines or not content):
        lines.insert(0, f"[{'.'.join(map(_key, path))}]")
    for key, value in content.items():
        if key not in plain:
            lines += ["", *_table(value, (*path, key))]
    return lines


def _is_section(value: object, path: tuple[str, ...]) -> bool:
    """Tables get a heading of their own, but for small ones deep inside (reasons), which stay on their line."""
    return isinstance(value, Mapping) and not (len(path) >= 2 and set(value) == {"zh", "en"})


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case dt.date():
            return value.isoformat()
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
        case _:
            raise TypeError(f"TOML for {type(value).__name__} is not written here")
