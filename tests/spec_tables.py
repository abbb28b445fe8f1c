"""Reads `tests/specs/*.md`: rules as tables that a data officer can read. The format is in `tests/specs/README.md`.

A row is asked by a function of the test module beside it: it takes the row and gives the refusals of the pure rule.
A row of 允许 holds when nothing stands against it; one of 拒绝 when its section's code does, and nothing else but what
the cell names. A column that the function never read would be an example of nothing, so it fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from hub.errors import Refusal
from hub.people.actor import Actor, OrgKind, Role
from hub.rulebook.bases import registry
from hub.web.language import language
from hub.web.words import WORDS, say

FOLDER = Path(__file__).parent / "specs"
RESULT = "result"
ALLOWED, REFUSED, WITH = "允许", "拒绝", "同时"
NONE, SAME = "无", "—"
_RAW = re.compile(r"\b[a-z]+_[a-z_]+\b(?!`)|[{}]")
"""A name of the code in a sentence, or a value that was not put in; between backticks it is a command."""

_SECTION = re.compile(r"## `(?P<code>[a-z_]+(?:\.[a-z_]+)?)` (?P<says>\S.*)")
_CASE = re.compile(r"情形 case: `(?P<case>[a-z_]+)`")
_HEADING = re.compile(r"(?P<zh>[^<>]*[^\x00-\x7f][^<>]*)<br>(?P<en>[a-z][a-z0-9 ',-]*)")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")
Ask = Callable[["Row"], Sequence[Refusal]]


class SpecFault(Exception):
    """A table that cannot be read, or a cell that means nothing."""


@dataclass(slots=True)
class Row:
    """One example. Cells are found by the English of their heading; a cell of `—` or no such column is the default."""

    room: str
    line: int
    code: str
    case: str
    cells: Mapping[str, str]
    _read: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.room}.md:{self.line} {self.code}"

    @property
    def allowed(self) -> bool:
        """Whether the table says that nothing stands against it."""
        return self.cells[RESULT] == ALLOWED

    @property
    def expected(self) -> set[str]:
        """The codes that stand against it."""
        if self.allowed:
            return set()
        return {self.code, *re.findall(r"`([a-z_.]+)`", self.cells[RESULT])}

    def holds(self, asks: Mapping[str, Ask]) -> None:
        """Ask the rule and compare.

        Raises:
            AssertionError: The rule says something else than the table, or a column was not asked for.
        """
        if self.case not in asks:
            raise SpecFault(f"{self}: the test module asks no case {self.case!r}; it asks {sorted(asks)}")
        refusals = asks[self.case](self)
        assert {refusal.rule for refusal in refusals} == self.expected, f"{self}: {dict(self.cells)}"
        for refusal in refusals:
            explains(refusal)
        unread = set(self.cells) - self._read - {RESULT}
        assert not unread, f"{self}: case {self.case!r} reads no column {sorted(unread)}"

    def text(self, heading: str, default: str = "") -> str:
        """The cell as it stands; `无` is the empty text."""
        cell = self._cell(heading)
        return default if cell is None else "" if cell == NONE else cell

    def texts(self, heading: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Parts of the cell, parted by `、`; `无` is none of them."""
        cell = self._cell(heading)
        return tuple(default) if cell is None else () if cell == NONE else tuple(cell.split("、"))

    def yes(self, heading: str, *, default: bool) -> bool:
        """`是` or `否`."""
        return self._as(heading, default, {"是": True, "否": False}.__getitem__)

    def number(self, heading: str, default: int) -> int:
        """A whole number."""
        return self._as(heading, default, int)

    def day(self, heading: str, default: date) -> date:
        """A day, as `2026-11-24`."""
        return self._as(heading, default, date.fromisoformat)

    def moment(self, heading: str, default: datetime) -> datetime:
        """A time, as `2026-11-24` or `2026-11-24 08:00`, in UTC."""
        return self._as(heading, default, lambda cell: datetime.fromisoformat(cell).replace(tzinfo=UTC))

    def word(self, heading: str, kind: type[E], default: E) -> E:
        """A member of a closed list, by the word that the portal shows for it."""
        return self._as(heading, default, lambda cell: member(kind, cell))

    def word_or_none(self, heading: str, kind: type[E], default: E | None) -> E | None:
        """The same; `无` is None."""
        cell = self._cell(heading)
        return default if cell is None else None if cell == NONE else self.word(heading, kind, next(iter(kind)))

    def words(self, heading: str, kind: type[E], default: Sequence[E] = ()) -> tuple[E, ...]:
        """Members of a closed list, parted by `、`; `无` is none of them."""
        self._cell(heading)
        if heading not in self.cells or self.cells[heading] == SAME:
            return tuple(default)
        return tuple(member(kind, part) for part in self.texts(heading))

    def actor(self, default: Actor) -> Actor:
        """Who acts: `default`, but for the columns person, organisation, kind of organisation, role, interest."""
        return replace(
            default,
            person_id=self.text("person", default.person_id),
            org_id=self.text("organisation", default.org_id),
            org_kind=self.word("kind of organisation", OrgKind, default.org_kind),
            roles=frozenset(self.words("role", Role, sorted(default.roles))),
            interests=frozenset(self.texts("interest", sorted(default.interests))),
        )

    def _cell(self, heading: str) -> str | None:
        self._read.add(heading)
        cell = self.cells.get(heading, SAME)
        return None if cell == SAME else cell

    def _as(self, heading: str, default: T, read: Callable[[str], T]) -> T:
        cell = self._cell(heading)
        try:
            return default if cell is None else read(cell)
        except (KeyError, ValueError) as error:
            raise SpecFault(f"{self}: {cell!r} below {heading!r} means nothing ({error})") from error


def explains(refusal: Refusal) -> None:
    """A refusal says what and what next in both languages, without a raw name of the code, on a basis that is known.

    Raises:
        AssertionError: It does not.
    """
    assert registry().resolve(refusal.basis), f"{refusal.rule}: no basis"
    for sentence in (refusal.text, refusal.next_step):
        english, chinese = say(sentence, str), say(sentence, language("zh").gettext)
        assert english.endswith("."), f"{refusal.rule}: {english}"
        assert chinese.endswith("。"), f"{refusal.rule}: {chinese}"
        for said in (english, chinese):
            said = said.replace(refusal.subject, "") if refusal.subject else said
            assert not _RAW.search(said), f"{refusal.rule} says a raw name: {said}"


def member(kind: type[E], said: str) -> E:
    """The member of a closed list that the portal calls so in Chinese.

    Raises:
        ValueError: None is called so.
    """
    spoken = language("zh").gettext
    for one in kind:
        if one in WORDS[kind] and spoken(WORDS[kind][one].source) == said:
            return one
    raise ValueError(f"{kind.__name__} knows {', '.join(spoken(word.source) for word in WORDS[kind].values())}")


def rooms() -> tuple[str, ...]:
    """Every room that has tables."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.md") if path.stem not in ("README", "matrix", "pages")))


def rows(room: str) -> tuple[Row, ...]:
    """Every example of a room, in the order of its page."""
    return tuple(parse((FOLDER / f"{room}.md").read_text(encoding="utf-8"), room=room))


def parse(text: str, *, room: str) -> Iterator[Row]:
    """The examples of one page.

    Raises:
        SpecFault: A line is none of the format; it is named.
    """
    code = case = ""
    headings: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        here = f"{room}.md:{number}"
        if line.startswith("#"):
            found = _SECTION.fullmatch(line)
            if line.startswith("##") and found is None:
                raise SpecFault(f"{here}: a section is headed ## `code` and what it says")
            code, case, headings = (found["code"] if found else ""), "", []
        elif line.startswith("情形"):
            asked = _CASE.fullmatch(line)
            if asked is None:
                raise SpecFault(f"{here}: write 情形 case: `name`")
            case, headings = asked["case"], []
        elif line.startswith("|") and not _RULE.fullmatch(line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not headings:
                headings = _headings(cells, here)
            elif not (code and case):
                raise SpecFault(f"{here}: a table stands below a section and its case")
            else:
                yield _row(cells, headings, Row(room=room, line=number, code=code, case=case, cells={}))
        elif not line.startswith("|"):
            headings = []


def _headings(cells: Sequence[str], here: str) -> list[str]:
    found = [_HEADING.fullmatch(cell) for cell in cells]
    names = [one["en"] for one in found if one]
    if len(names) < len(cells) or len(set(names)) < len(names) or names[-1] != RESULT:
        raise SpecFault(f"{here}: headings are 中文<br>english, each once, the last 结果<br>result")
    return names


def _row(cells: Sequence[str], headings: Sequence[str], row: Row) -> Row:
    if len(cells) != len(headings) or not all(cells):
        raise SpecFault(f"{row}: {len(headings)} cells are wanted, none empty; — is the usual, 无 is none")
    result = rf"{ALLOWED}|{REFUSED}(?:，{WITH} `[a-z_.]+`(?:、`[a-z_.]+`)*)?"
    if not re.fullmatch(result, cells[-1]):
        raise SpecFault(f"{row}: the result is {ALLOWED} or {REFUSED}, {REFUSED}，{WITH} `other.code`")
    return replace(row, cells=dict(zip(headings, cells, strict=True)), _read=set())
