"""One row of the table: who did what, how well, and whether that holds a bar."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

OURS: Final = "zhakou"
STATED: Final = "stated"
"""Marks a figure that was not measured in this run."""

COLUMNS: Final[Mapping[str, str]] = {
    "ncp": "NCP",
    "lca_ncp": "LCA-NCP",
    "removed": "removed",
    "k": "k",
    "l": "l",
    "t": "t",
    "classes": "classes",
    "levels": "levels",
    "search_cpu_s": "search CPU s",
    "cpu_s": "CPU s",
    "peak_mb": "peak MB",
    "rows_per_cpu_s": "rows / CPU s",
}
"""Figures in the order of the table's columns; any other figure goes into the last column by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure must reach: at most `limit`, or at least it."""

    figure: str
    limit: float
    at_least: bool = False
    slack: float = 0.0

    def ratio(self, value: float) -> float:
        """The figure over its limit; 1 where both are nothing."""
        return value / self.limit if self.limit else float(value == 0)

    def holds(self, value: float) -> bool:
        return value >= self.limit - self.slack if self.at_least else value <= self.limit + self.slack

    def text(self, value: float | None) -> str:
        sign = "≥" if self.at_least else "≤"
        if value is None:
            return f"{self.figure} {sign} {self.limit:g}: not measured"
        verdict = "held" if self.holds(value) else "MISSED"
        return f"{self.figure} {sign} {self.limit:g}: {verdict}, ratio {self.ratio(value):.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one tool reached on one case.

    Units: as their names say; `ncp` from 0 to 1, `removed` in rows.
    """

    section: str
    case: str
    tool: str
    figures: Mapping[str, Any]
    bars: tuple[Bar, ...] = ()
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        bars = [
            {
                "figure": bar.figure,
                "limit": bar.limit,
                "at_least": bar.at_least,
                "held": bar.figure in self.figures and bar.holds(self.figures[bar.figure]),
            }
            for bar in self.bars
        ]
        return {
            "section": self.section,
            "case": self.case,
            "tool": self.tool,
            "figures": dict(self.figures),
            "bars": bars,
            "note": self.note,
        }


@dataclass(slots=True)
class Sheet:
    """The rows of a run; written anew after each, so that a run that is stopped has lost nothing."""

    folder: Path
    name: str
    about: Mapping[str, Any]
    rows: list[Row] = field(default_factory=list)

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.rows.append(row)
            self._write()

    def _write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {"about": dict(self.about), "rows": [row.as_json() for row in self.rows]}
        text = json.dumps(content, ensure_ascii=False, indent=1)
        (self.folder / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        (self.folder / f"{self.name}.md").write_text(self.markdown(), encoding="utf-8")

    def markdown(self) -> str:
        lines = [f"# {self.name}", "", *(f"{key}: {value}  " for key, value in self.about.items()), ""]
        for section in dict.fromkeys(row.section for row in self.rows):
            lines += [f"## {section}", "", *_table([row for row in self.rows if row.section == section]), ""]
        missed = [row for row in self.rows for bar in row.bars if not _held(row, bar)]
        bars = sum(len(row.bars) for row in self.rows)
        lines += [f"{bars - len(missed)} of {bars} bars held.", ""]
        return "\n".join(lines)


def _held(row: Row, bar: Bar) -> bool:
    return bar.figure in row.figures and bar.holds(row.figures[bar.figure])


def _table(rows: Sequence[Row]) -> list[str]:
    """One Markdown table with the columns that these rows fill."""
    used = [name for name in COLUMNS if any(name in row.figures for row in rows)]
    head = ["case", "tool", *(COLUMNS[name] for name in used), "bars and notes"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        cells = [row.case, row.tool, *(_cell(row.figures.get(name)) for name in used)]
        others = [f"{name} {_cell(value)}" for name, value in row.figures.items() if name not in COLUMNS]
        bars = [bar.text(row.figures.get(bar.figure)) for bar in row.bars]
        notes = [*bars, *others, *([row.note] if row.note else [])]
        lines.append("| " + " | ".join([*cells, "; ".join(notes)]) + " |")
    return lines


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if abs(value) >= 1000:
            return f"{value:,.0f}"
        case float() if abs(value) >= 10:
            return f"{value:.1f}"
        case float():
            return f"{value:.5g}"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return " ".join(map(_cell, value))
        case _:
            return str(value).replace("|", "\\|")
