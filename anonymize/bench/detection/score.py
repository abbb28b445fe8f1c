"""Counts of what was found, by kind: what leaks first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from anonymize.bench.detection.tickets import Gold, Ticket
from anonymize.detect.entity import Entity, EntityKind

NAMED: Final = frozenset((EntityKind.PERSON, EntityKind.ADDRESS, EntityKind.ORGANIZATION))


@dataclass(slots=True, kw_only=True)
class Counts:
    """Of one kind. An identifier leaks if any character of it is in no finding, of whatever kind."""

    gold: int = 0
    found: int = 0
    right: int = 0
    leaked: int = 0
    characters: int = 0
    covered: int = 0

    @property
    def recall(self) -> float:
        """Share of the identifiers found with their kind from their first to their last character."""
        return _share(self.right, self.gold)

    @property
    def precision(self) -> float:
        return _share(self.right, self.found)

    @property
    def f1(self) -> float:
        return _share(2 * self.right, self.gold + self.found)

    @property
    def leak(self) -> float:
        return self.leaked / self.gold if self.gold else 0.0

    @property
    def coverage(self) -> float:
        """Share of the identifiers' characters that lie in a finding."""
        return _share(self.covered, self.characters)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


@dataclass(slots=True, kw_only=True)
class Score:
    """Counts by kind; `rooms` counts the parts of addresses below the street, found if wholly covered."""

    kinds: dict[EntityKind, Counts] = field(default_factory=dict)
    rooms: Counts = field(default_factory=Counts)
    valid: Counts = field(default_factory=Counts)
    invalid: Counts = field(default_factory=Counts)
    missed: list[tuple[int, EntityKind, str, str]] = field(default_factory=list)
    """Template, kind, the identifier, its text."""

    def numbered(self) -> Counts:
        """All kinds but names, addresses and organisations."""
        return _sum(counts for kind, counts in self.kinds.items() if kind not in NAMED)

    def table(self) -> str:
        lines = [f"{'kind':<20}{'gold':>6}{'leak':>8}{'recall':>8}{'covered':>9}{'precis.':>9}{'F1':>7}"]
        rows = [(kind.value, counts) for kind, counts in sorted(self.kinds.items())]
        rows += [("all numbered", self.numbered())] if self.valid.gold else []
        lines += [
            f"{name:<20}{one.gold:>6}{one.leak:>8.4f}{one.recall:>8.4f}{one.coverage:>9.4f}"
            f"{one.precision:>9.4f}{one.f1:>7.4f}"
            for name, one in rows
        ]
        for name, part in (
            ("rooms", self.rooms),
            ("right check digit", self.valid),
            ("wrong check digit", self.invalid),
        ):
            if part.gold:
                lines.append(f"{name:<20}{part.gold:>6}{part.leak:>8.4f}{part.recall:>8.4f}{part.coverage:>9.4f}")
        return "\n".join(lines)


def score(
    tickets: Sequence[Ticket],
    found: Sequence[Sequence[Entity]],
    *,
    of: Callable[[Ticket], bool] = lambda _: True,
) -> Score:
    """Counts over the tickets that `of` takes.

    Shape: as many lists of findings as tickets.
    """
    total = Score()
    for ticket, entities in zip(tickets, found, strict=True):
        if of(ticket):
            _count(total, ticket, entities)
    return total


def _count(total: Score, ticket: Ticket, entities: Sequence[Entity]) -> None:
    taken = {at for entity in entities for at in range(entity.start, entity.end)}
    spans = {(entity.kind, entity.start, entity.end) for entity in entities}
    for entity in entities:
        total.kinds.setdefault(entity.kind, Counts()).found += 1
    for gold in ticket.gold:
        right = (gold.kind, gold.start, gold.end) in spans
        open_characters = [at for at in range(gold.start, gold.end) if at not in taken]
        _add(total.kinds.setdefault(gold.kind, Counts()), gold, right=right, hidden=len(open_characters))
        if gold.valid is not None:
            _add(total.valid if gold.valid else total.invalid, gold, right=right, hidden=len(open_characters))
        if gold.room is not None:
            left = sum(at >= gold.room for at in open_characters)
            room = Gold(kind=gold.kind, start=gold.room, end=gold.end, room=None, valid=None)
            _add(total.rooms, room, right=left == 0, hidden=left)
        if not right:
            total.missed.append((ticket.template, gold.kind, ticket.text[gold.start : gold.end], ticket.text))


def _add(counts: Counts, gold: Gold, *, right: bool, hidden: int) -> None:
    counts.gold += 1
    counts.right += right
    counts.leaked += hidden > 0
    counts.characters += gold.end - gold.start
    counts.covered += gold.end - gold.start - hidden


def _sum(parts: Iterable[Counts]) -> Counts:
    total = Counts()
    for part in parts:
        for name in ("gold", "found", "right", "leaked", "characters", "covered"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
    return total
