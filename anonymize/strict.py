"""Reading settings strictly: every key is asked for by name and by type, and a key nobody asked for is refused.

A policy that is read leniently protects nothing: a misspelt `supression_limit` would silently fall back to a default.
The refusal names the nearest setting that is known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from anonymize.errors import BadInput
from anonymize.text import Text


class RefuseField(Protocol):
    """How the reader of a file words the refusal of one field; `subject` is its dotted path."""

    def __call__(self, subject: str, *, zh: str, en: str) -> BadInput: ...


def refuse_setting(subject: str, *, zh: str, en: str) -> BadInput:
    """The refusal of one field of a policy; `subject` is its dotted path."""
    return BadInput(
        code="policy.invalid",
        subject=subject,
        text=Text(f"规则文件被拒绝：{subject} {zh}。", f"Policy refused: {subject} {en}."),
        next_step=Text("请修改规则文件中的这一项后重试。", "Correct this field of the policy and try again."),
    )


class Fields:
    """One table of a policy, read key by key; `close` refuses whatever was not read.

    `folder` is where files lie that the policy may name; None where it names none. `refuse` words the refusals of
    files that are no policies.

    Raises (all readers):
        BadInput: a key is missing, of the wrong type or out of its range. The refusal names the key, never its value.
    """

    def __init__(
        self, content: object, path: str, *, folder: Path | None = None, refuse: RefuseField = refuse_setting
    ) -> None:
        self.refuse = refuse
        if not isinstance(content, Mapping):
            raise self.refuse(path, zh="应为一个表（键值对）", en="must be a table of keys and values")
        self._content: dict[str, Any] = dict(content)
        self._left = set(self._content)
        self._known: set[str] = set()
        self.path = path
        self.folder = folder

    def at(self, key: str) -> str:
        """The dotted path of a key, for refusals."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._content

    def raw(self, key: str) -> Any:
        """The value of a key that must exist, unchecked."""
        self._known.add(key)
        if key not in self._content:
            near = _nearest(key, self._left)
            zh, en = (
                (f"缺失（是否误写成了 {near}？）", f"is missing (is {near} meant?)") if near else ("缺失", "is missing")
            )
            raise self.refuse(self.at(key), zh=zh, en=en)
        self._left.discard(key)
        return self._content[key]

    def text(self, key: str, *, default: str | None = None) -> str:
        if default is not None and not self.has(key):
            return default
        value = self.raw(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(self.at(key), zh="应为非空文本", en="must be text and not empty")
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        value = self.raw(key)
        if value not in choices:
            listed, near = ", ".join(choices), _nearest(str(value), choices)
            zh, en = f"应为以下之一：{listed}", f"must be one of: {listed}"
            zh, en = (f"{zh}（是否应为 {near}？）", f"{en} (did you mean {near}?)") if near else (zh, en)
            raise self.refuse(self.at(key), zh=zh, en=en)
        return str(value)

    def integer(self, key: str, *, low: int, high: int, default: int | None = None) -> int:
        if default is not None and not self.has(key):
            return default
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.refuse(
                self.at(key), zh=f"应为 {low} 至 {high} 的整数", en=f"must be a whole number from {low} to {high}"
            )
        return value

    def number(self, key: str, *, low: float | None = None, high: float | None = None) -> int | float:
        value = self.raw(key)
        return self._number(value, self.at(key), low=low, high=high)

    def boolean(self, key: str, *, default: bool) -> bool:
        if not self.has(key):
            return default
        value = self.raw(key)
        if not isinstance(value, bool):
            raise self.refuse(self.at(key), zh="应为 true 或 false", en="must be true or false")
        return value

    def date(self, key: str) -> dt.date:
        value = self.raw(key)
        if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
            raise self.refuse(
                self.at(key), zh="应为日期，例如 2026-11-01（不加引号）", en="must be a date like 2026-11-01, unquoted"
            )
        return value

    def items(self, key: str) -> list[Any]:
        """A list that must hold something."""
        value = self.raw(key)
        if not isinstance(value, list) or not value:
            raise self.refuse(self.at(key), zh="应为非空列表", en="must be a list and not empty")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if not all(isinstance(value, str) and value.strip() for value in values):
            raise self.refuse(self.at(key), zh="应为文本列表", en="must be a list of texts")
        return tuple(values)

    def numbers(self, key: str, *, low: float | None = None) -> tuple[int | float, ...]:
        return tuple(self._number(value, self.at(key), low=low, high=None) for value in self.items(key))

    def sentence(self, key: str) -> Text:
        """A text for people: one string for both languages, or a table with `zh` and `en`."""
        value = self.raw(key)
        if isinstance(value, str) and value.strip():
            return Text(value, value)
        inner = Fields(value, self.at(key), refuse=self.refuse)
        both = Text(inner.text("zh"), inner.text("en"))
        inner.close()
        return both

    def table(self, key: str) -> Fields:
        return Fields(self.raw(key), self.at(key), folder=self.folder, refuse=self.refuse)

    def names(self) -> tuple[str, ...]:
        """The keys of this table in the order written."""
        return tuple(self._content)

    def close(self) -> None:
        """Refuse the first key (in alphabetical order) that nobody read."""
        if self._left:
            key = sorted(self._left)[0]
            zh, en = "不是已知的设置项", "is not a known setting"
            if near := _nearest(key, self._known):
                zh, en = f"{zh}，是否应为 {near}", f"{en}; did you mean {near}"
            raise self.refuse(self.at(key), zh=zh, en=en)

    def _number(self, value: object, subject: str, *, low: float | None, high: float | None) -> int | float:
        fits = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and value == value
            and abs(value) != float("inf")
            and (low is None or value >= low)
            and (high is None or value <= high)
        )
        if not fits:
            bounds_zh = "" if low is None else f"，不小于 {low:g}"
            bounds_zh += "" if high is None else f"，不大于 {high:g}"
            bounds_en = "" if low is None else f", at least {low:g}"
            bounds_en += "" if high is None else f", at most {high:g}"
            raise self.refuse(subject, zh=f"应为数字{bounds_zh}", en=f"must be a number{bounds_en}")
        return value  # type: ignore[return-value]  # narrowed by `fits`


def _nearest(written: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one is nearest to, if any is near."""
    return next(iter(get_close_matches(written[:100], sorted(known), n=1, cutoff=0.7)), None)
