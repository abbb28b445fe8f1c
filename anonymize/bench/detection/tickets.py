"""Tickets and records with what a detector should find in them, in many ways of writing.

The templates were written by someone who had read the rules but not the training texts of the network. What the first
part of them showed has mended the rules since; the part behind the line HELD was written afterwards and only counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anonymize.bench.detection.values import WORDS, Maker, Value
from anonymize.detect.entity import EntityKind

SEED: Final = 51107
_FILE: Final = Path(__file__).with_name("templates.txt")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_FULL: Final = {ord("0") + digit: chr(ord("０") + digit) for digit in range(10)}
_TRADITIONAL: Final = str.maketrans(WORDS["simple"], WORDS["complex"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """One identifier of a text. `room`: where its part below the street begins; `valid`: its check digit is right."""

    kind: EntityKind
    start: int
    end: int
    room: int | None
    valid: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A text and all that is to be found in it, in order; `template` counts the templates from 0."""

    text: str
    gold: tuple[Gold, ...]
    template: int
    writing: str


Piece = str | Value


def held_from() -> int:
    """The number of the first template by which nothing was mended."""
    before, _, _ = _FILE.read_text("utf-8").partition("# -- HELD")
    return sum(bool(line) and not line.startswith("#") for line in before.splitlines())


def templates() -> list[str]:
    """The ways of writing, as the file beside this one has them."""
    lines = _FILE.read_text("utf-8").splitlines()
    return [line.replace("⏎", "\n").replace("⇥", "\t") for line in lines if line and not line.startswith("#")]


def tickets(count: int, *, seed: int = SEED) -> list[Ticket]:
    """So many tickets, each template and each way of writing in turn."""
    maker, forms = Maker(seed), templates()
    made = []
    for number in range(count):
        template = number % len(forms)
        written = "plain" if number // len(forms) % 2 == 0 else maker.random.choice(sorted(WRITINGS))
        parts = _SLOT.split(forms[template])
        pieces: list[Piece] = [maker.value(part) if at % 2 else part for at, part in enumerate(parts)]
        made.append(_assembled(WRITINGS[written](pieces, maker), template, written))
    return made


def digit_strings(count: int, *, seed: int = SEED) -> list[str]:
    """Sentences with long strings of digits that identify nobody."""
    maker, forms = Maker(seed), WORDS["no_identifier"].split()
    return [
        re.sub(r"\{(\d+)\}", lambda match: maker.digits(int(match[1])), forms[number % len(forms)])
        for number in range(count)
    ]


def _assembled(pieces: Sequence[Piece], template: int, writing: str) -> Ticket:
    text, gold = "", list[Gold]()
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        room = None if piece.room is None else len(text) + piece.room
        end = len(text) + len(piece.text)
        gold.append(Gold(kind=piece.kind, start=len(text), end=end, room=room, valid=piece.valid))
        text += piece.text
    return Ticket(text=text, gold=tuple(gold), template=template, writing=writing)


def _each(change: Callable[[str], str]) -> Callable[[list[Piece], Maker], list[Piece]]:
    """A way of writing that changes signs one by one and keeps their number."""

    def written(pieces: list[Piece], _: Maker) -> list[Piece]:
        return [change(piece) if isinstance(piece, str) else _with(piece, change(piece.text)) for piece in pieces]

    return written


def _with(value: Value, text: str, *, room: int | None = None) -> Value:
    return Value(text=text, kind=value.kind, room=value.room if room is None else room, valid=value.valid)


def _ocr(pieces: list[Piece], maker: Maker) -> list[Piece]:
    """A reader of scans puts a space between a number and the characters beside it, inside addresses too."""
    spaced: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Value) and piece.kind is EntityKind.ADDRESS and piece.room is not None:
            front, chain = piece.text[: piece.room], piece.text[piece.room :]
            chain = re.sub(r"(?<=[号弄栋幢])(?=[0-9])", " ", chain)
            spaced.append(_with(piece, f"{front} {chain}", room=piece.room + 1))
        elif isinstance(piece, Value) and maker.random.random() < 0.5:
            spaced += [" ", piece, " "]
        else:
            spaced.append(piece)
    return spaced


def _unpunctuated(pieces: list[Piece], _: Maker) -> list[Piece]:
    return [re.sub(r"[，。；]", " ", piece) if isinstance(piece, str) else piece for piece in pieces]


WRITINGS: Final[dict[str, Callable[[list[Piece], Maker], list[Piece]]]] = {
    "plain": lambda pieces, _: pieces,
    "full-width": _each(lambda text: text.translate(_FULL)),
    "ascii signs": _each(lambda text: text.translate(str.maketrans("，；：（）", ",;:()"))),
    "traditional": _each(lambda text: text.translate(_TRADITIONAL)),
    "OCR spaces": _ocr,
    "no punctuation": _unpunctuated,
}
