"""The development part of Universal NER Chinese (CC BY-SA 4.0): general text, marked by people; never trained on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from anonymize.bench.data import FOLDER_VARIABLE, PROJECT
from anonymize.bench.detection.tickets import Gold, Ticket
from anonymize.detect.entity import EntityKind

FILE: Final = Path("uner-zh", "dev.iob2")
_KINDS: Final = {"PER": EntityKind.PERSON, "LOC": EntityKind.ADDRESS, "ORG": EntityKind.ORGANIZATION}


def uner_file(given: str | None = None) -> Path | None:
    """Where the set lies: as given, else by the environment, else `data/` beside the packages; None: nowhere."""
    file = Path(given or os.environ.get(FOLDER_VARIABLE) or PROJECT / "data") / FILE
    return file if file.is_file() else None


def read_uner(file: Path) -> list[Ticket]:
    """Its sentences. Shape: lines `number word tag - -`, sentences apart by an empty line, comments begin with #."""
    return [
        _sentence([line.split("\t") for line in block.splitlines() if line and not line.startswith("#")])
        for block in file.read_text("utf-8").strip().split("\n\n")
    ]


def _sentence(rows: list[list[str]]) -> Ticket:
    text, gold = "", list[Gold]()
    for _, word, tag, *_ in rows:
        start, text = len(text), text + word
        kind = _KINDS.get(tag[2:])
        if kind and tag.startswith("I-") and gold and gold[-1].kind is kind and gold[-1].end == start:
            gold[-1] = Gold(kind=kind, start=gold[-1].start, end=len(text), room=None, valid=None)
        elif kind:
            gold.append(Gold(kind=kind, start=start, end=len(text), room=None, valid=None))
    return Ticket(text=text, gold=tuple(gold), template=0, writing="UNER")
