"""`make bench-detect`: what the detector finds in free text and what leaks, with the bars of it."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from typing import Final

from anonymize.bench.data import FOLDER_VARIABLE
from anonymize.bench.detection.score import Score, score
from anonymize.bench.detection.tickets import SEED, Ticket, digit_strings, held_from, tickets
from anonymize.bench.detection.uner import FILE, read_uner, uner_file
from anonymize.detect import EntityKind, detect_texts
from anonymize.detect.detector import detect_names

TICKET: Final = 90
"""Characters of a ticket where speed is told."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 0 when every bar holds, 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="make bench-detect", description=__doc__)
    parser.add_argument("--count", type=int, default=4280, help="tickets to make (4280)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--data", help=f"the folder that holds {FILE}; else {FOLDER_VARIABLE}, else data/")
    options = parser.parse_args(argv)
    held = held_from()
    made = tickets(options.count, seed=options.seed)
    texts = [ticket.text for ticket in made]
    detect_texts(texts[:50])
    began = time.process_time()
    found = detect_texts(texts)
    seconds = time.process_time() - began
    known, unseen = (
        score(made, found, of=lambda ticket: ticket.template < held),
        score(made, found, of=lambda ticket: ticket.template >= held),
    )
    print(f"generated tickets, ways of writing that the rules were mended by ({held})\n{known.table()}\n")
    print(f"generated tickets, ways of writing held back\n{unseen.table()}\n")
    _uner(options.data)
    strings = digit_strings(2000, seed=options.seed)
    alarms = sum(map(bool, detect_texts(strings))) / len(strings)
    speed = sum(map(len, texts)) / TICKET / seconds
    print(f"throughput: {speed:.0f} tickets of {TICKET} characters a CPU second; load {os.getloadavg()[0]:.1f}\n")
    everything = score(made, found)
    bars = (*_bars(everything), ("false alarms on digit strings", alarms, alarms <= 0.05, "<= 0.05"))
    bars = (*bars, ("tickets a CPU second", speed, speed >= 800, ">= 800"))
    for name, value, holds, bar in bars:
        print(f"{'holds ' if holds else 'MISSED'} {name}: {value:.4f} ({bar})")
    return 0


def _bars(total: Score) -> tuple[tuple[str, float, bool, str], ...]:
    person, address = (total.kinds[kind] for kind in (EntityKind.PERSON, EntityKind.ADDRESS))
    numbered = total.numbered().recall
    right, wrong = total.valid.recall, total.invalid.recall
    return (
        ("person recall", person.recall, person.recall >= 0.98, ">= 0.98"),
        ("full address F1", address.f1, address.f1 >= 0.97, ">= 0.97"),
        ("room parts recall", total.rooms.recall, total.rooms.recall >= 0.97, ">= 0.97"),
        ("numbered kinds recall", numbered, numbered == 1, "1.00"),
        ("with right check digits", right, right == 1, "1.00"),
        ("with wrong check digits", wrong, wrong == 1, "1.00"),
    )


def _uner(folder: str | None) -> None:
    file = uner_file(folder)
    if file is None:
        print(f"UNER dev: left out, no {FILE} in the folder of {FOLDER_VARIABLE} or data/ (docs/how-to/bench.md)\n")
        return
    sentences: list[Ticket] = read_uner(file)
    found = detect_names([sentence.text for sentence in sentences])
    print(f"UNER dev, {len(sentences)} sentences; ADDRESS: every place\n{score(sentences, found).table()}\n")


if __name__ == "__main__":
    sys.exit(main())
