"""What the screen says: findings, and the verdict they add up to. A verdict without checks behind it is a block."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from anonymize.screen.places import in_chinese
from anonymize.text import Language, Text


class Level(StrEnum):
    """What a finding asks for: stop, a reviewer's written reason, or nothing."""

    BLOCK = "block"
    FLAG = "flag"
    NOTE = "note"


class Code(StrEnum):
    """Reason codes of refusals that this screen gives; the gate's full list is in the glossary of the domain."""

    RAW_ROWS = "RAW_ROWS"
    DIRECT_ID = "DIRECT_ID"
    QUASI_K = "QUASI_K"
    SMALL_CELL = "SMALL_CELL"
    DIFFERENCING = "DIFFERENCING"
    LINK_KEY = "LINK_KEY"
    FINE_GEO = "FINE_GEO"
    FILE_TYPE = "FILE_TYPE"
    HIDDEN_CONTENT = "HIDDEN_CONTENT"
    SIZE_LIMIT = "SIZE_LIMIT"
    DOC_MISSING = "DOC_MISSING"
    CHECK_DID_NOT_RUN = "CHECK_DID_NOT_RUN"


class Outcome(StrEnum):
    """The verdict on a submission."""

    BLOCK = "block"
    FLAG = "flag"
    PASS = "pass"  # noqa: S105 - a verdict, no password


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a rule found: where, why, with which number, and what to do next. Never a cell value.

    `where` is a place inside the file (row and column numbers, a sanitised column name, a JSON path), "" for the whole.
    """

    rule: str
    code: Code
    level: Level
    file: str
    where: str
    text: Text
    next_step: Text

    def as_json(self, language: Language) -> dict[str, object]:
        return {
            "rule": self.rule,
            "code": self.code.value,
            "level": self.level.value,
            "file": self.file,
            "where": self.where,
            "text": self.text.in_language(language),
            "next_step": self.next_step.in_language(language),
            "i18n": {
                "zh": {
                    "text": self.text.zh,
                    "next_step": self.next_step.zh,
                    "where": in_chinese(self.where),
                },
                "en": {"text": self.text.en, "next_step": self.next_step.en, "where": self.where},
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """The rules that ran to their end on one file."""

    file: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome, its findings, the rule pack and what ran."""

    verdict: Outcome
    findings: tuple[Finding, ...]
    pack: str
    pack_version: str
    checks_run: tuple[CheckRun, ...]

    def __post_init__(self) -> None:
        levels = {finding.level for finding in self.findings}
        expected = outcome_of(levels, ran=bool(self.checks_run))
        if self.verdict is not expected:
            raise ValueError("the verdict does not follow from its findings and checks")

    def as_json(self, language: Language) -> dict[str, object]:
        """The shape that `zhakou screen --json` promises."""
        return {
            "verdict": self.verdict.value,
            "pack": self.pack,
            "pack_version": self.pack_version,
            "checks_run": [{"file": run.file, "rules": list(run.rules)} for run in self.checks_run],
            "findings": [finding.as_json(language) for finding in self.findings],
        }


def outcome_of(levels: set[Level], *, ran: bool) -> Outcome:
    """Block if anything blocks or nothing ran; flag if anything is flagged; else pass."""
    if Level.BLOCK in levels or not ran:
        return Outcome.BLOCK
    return Outcome.FLAG if Level.FLAG in levels else Outcome.PASS
