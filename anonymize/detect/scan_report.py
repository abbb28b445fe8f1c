"""The verdict on a table's columns, as values and as the JSON that `zhakou scan --json` promises."""

from __future__ import annotations

from dataclasses import dataclass

from anonymize.detect.attributes import Grade
from anonymize.detect.entity import EntityKind
from anonymize.policy import ColumnClass
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KindShare:
    """One kind of identifier in one column.

    Units: `share` of the examined distinct values that are or contain the kind; `checked` is the share of those,
    having a check digit, whose check digit is right (None: the kind has none). `by_name`: the column's name says so
    as well. `embedded`: found inside longer texts, not as whole cells.
    """

    kind: EntityKind
    share: float
    checked: float | None
    by_name: bool
    embedded: bool = False

    def as_json(self) -> dict[str, object]:
        checked = None if self.checked is None else round(self.checked, 4)
        return {"kind": self.kind.value, "share": round(self.share, 4), "checked": checked, "by_name": self.by_name}


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnVerdict:
    """What one column is, what it is proposed to become, and why.

    `examined` counts the distinct values looked at; `unreadable` those that no recognizer could read (binary, nested).
    """

    name: str
    column_class: ColumnClass
    grade: Grade
    technique: str
    kinds: tuple[KindShare, ...]
    reason: Text
    examined: int
    unreadable: int

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "class": self.column_class.value,
            "grade": self.grade.value,
            "technique": self.technique,
            "kinds": [kind.as_json() for kind in self.kinds],
            "reason": self.reason.as_json(),
            "examined": self.examined,
            "unreadable": self.unreadable,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """All columns; the table's grade is that of its highest column (就高从严)."""

    rows: int
    columns: tuple[ColumnVerdict, ...]

    @property
    def grade(self) -> Grade:
        return max((column.grade for column in self.columns), default=Grade.L1)

    def as_json(self) -> dict[str, object]:
        columns = [column.as_json() for column in self.columns]
        return {"rows": self.rows, "grade": self.grade.value, "columns": columns}
