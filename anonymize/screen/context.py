"""What the rules of one run share: the pack, the extracts, the earlier releases, the other files, the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from anonymize.screen.deadline import Deadline
from anonymize.screen.extract_index import ExtractIndex
from anonymize.screen.pack import RulePack
from anonymize.screen.subject import Subject
from anonymize.screen.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Shared by all rules over one file; `with_tables` tells whether a file of the submission holds a table of
    counts.
    """

    pack: RulePack
    extracts: tuple[ExtractIndex, ...]
    released: Path | None
    has_table: bool
    deadline: Deadline


class Rule(Protocol):
    """One check. Its docstring gives definition, default and source; its findings carry its id."""

    id: str

    def check(self, subject: Subject, context: Context) -> Iterable[Finding]:
        """Every finding on one file; nothing if the rule does not concern its kind."""
        ...
