"""What rules are made of: legal bases, parameters with their units and bounds, and packs of their values.

Pure values; where they are read from is the business of `bases`, `packs` and `calendar`. Rules take a `Pack` as an
argument and ask it for a parameter by name, so that a decision can be asked again under the version it was made by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum

from hub.rulebook.parameters import Parameter

DISTRICT_TIME = timezone(timedelta(hours=8))
"""The district's clock. China has one zone without summer time; dates of law begin at its midnight."""


class BasisStatus(StrEnum):
    """Whether a legal document binds (DOMAIN.md §1.1, article 1)."""

    DRAFT = "draft"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"


class Mark(StrEnum):
    """How well a sentence or a number is evidenced (DOMAIN.md, head)."""

    MEASURES = "S"
    PRIMARY = "P"
    EXCERPT = "E"
    REPOSITORY = "G"
    KNOWLEDGE = "K"
    DEFAULT = "D"


class Unit(StrEnum):
    """What a value counts."""

    YEARS = "years"
    MONTHS = "months"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    HOURS = "hours"
    SECONDS = "seconds"
    MONTH_DAY = "month_day"
    ROWS = "rows"
    PEOPLE = "people"
    CONTRIBUTORS = "contributors"
    DEPARTMENTS = "departments"
    FILES = "files"
    MEBIBYTES = "mebibytes"
    TIMES = "times"
    UNITS = "units"
    SHARE = "share"
    PERCENTAGE_POINTS = "percentage_points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A law, rule, standard, or this project's own reference. `since` and `until` bound [since, until)."""

    id: str
    cite: str
    aliases: tuple[str, ...]
    zh: str
    en: str
    number: str
    status: BasisStatus
    since: date | None
    until: date | None
    source: Mark

    def in_force(self, day: date) -> bool:
        """Whether it binds on `day`. A draft never does."""
        if self.status is BasisStatus.DRAFT or self.since is None:
            return False
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """One article of a document, with its content in one sentence of our own."""

    id: str
    document: Document
    article: str
    zh: str
    en: str
    source: Mark

    @property
    def cite(self) -> str:
        """How code and people cite it."""
        return f"{self.document.cite} {self.article}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a parameter is: unit, inclusive bounds no pack may pass, and the file that applies it (empty: none yet)."""

    parameter: Parameter
    unit: Unit
    least: Decimal | None
    most: Decimal | None
    zh: str
    en: str
    enforced: str
    """The file that applies it; empty: nothing does yet."""
    later_zh: str = ""
    later_en: str = ""
    """Which function will apply what nothing applies yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A parameter's value in one pack. `amount` is in the parameter's unit; for a month and day, month × 100 + day."""

    meaning: Meaning
    amount: Decimal
    basis: str
    source: Mark
    note: str

    @property
    def shown(self) -> str:
        """The amount as it is written: `5`, `0.1`, `03-31`."""
        if self.meaning.unit is Unit.MONTH_DAY:
            return f"{int(self.amount) // 100:02}-{int(self.amount) % 100:02}"
        return format(self.amount, "f")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One version of one set of thresholds, in force from the district's midnight of `since`."""

    name: str
    version: str
    since: date
    zh: str
    en: str
    values: Mapping[Parameter, Value]
    absent: frozenset[Parameter]
    digest: str
    """sha256 of the canonical form, hex."""

    @property
    def label(self) -> str:
        """What a ledger event keeps, so that the decision can be asked again: `name@version#digest`."""
        return f"{self.name}@{self.version}#{self.digest}"

    def value(self, parameter: Parameter) -> Value:
        """The value of `parameter`.

        Raises:
            LookupError: This version does not know it. What is not set is never taken as unlimited.
        """
        found = self.values.get(parameter)
        if found is None:
            raise LookupError(f"pack {self.name} {self.version} sets no {parameter}")
        return found

    def amount(self, parameter: Parameter) -> Decimal:
        """The exact amount, in the parameter's unit. Raises LookupError like `value`."""
        return self.value(parameter).amount

    def count(self, parameter: Parameter) -> int:
        """A whole amount, in the parameter's unit.

        Raises:
            LookupError: This version does not know it.
            ValueError: The amount is no whole number; ask for `amount`.
        """
        amount = self.amount(parameter)
        if amount != amount.to_integral_value():
            raise ValueError(f"{parameter} is no whole number")
        return int(amount)


def district_day(at: datetime) -> date:
    """The district's date at a moment.

    Raises:
        ValueError: The moment has no zone; it is refused rather than guessed.
    """
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC).astimezone(DISTRICT_TIME).date()
