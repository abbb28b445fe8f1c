"""The report of an extract: one page for a data officer, made from the manifest and nothing else.

Self-contained: no script, no outside file, both languages in the page; the switch is two radio buttons. Since it is
made from the manifest, it can't show a cell value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from anonymize.report_words import LADDER_WORDS, WORDS
from anonymize.rung import REAL_ROWS
from anonymize.text import LANGUAGES, Language

_TEMPLATE: Final = "report.html.j2"
_BEIJING: Final = timezone(timedelta(hours=8))
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_COLOURS: Final = ("#b3261e", "#e08a2b", "#c9d66b", "#6fb36b", "#2f7d4f")
"""From alone in its class to well hidden."""


def render_report(manifest: Mapping[str, Any]) -> str:
    """The report as HTML."""
    environment = Environment(
        loader=PackageLoader("anonymize"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template(_TEMPLATE)
    real = manifest["rung"] in REAL_ROWS
    pages = [{"language": language, "words": _words(language)} for language in LANGUAGES]
    return template.render(
        m=manifest,
        pages=pages,
        real=real,
        sizes=_size_rows(manifest) if real else (),
        gauges=_gauges(manifest) if real else (),
        removed_share=_share(manifest["rows"]["suppressed"] / manifest["rows"]["in"]),
        quasi=[column for column in manifest["columns"] if column["class"] == "quasi_id" and column["released"]],
        percent=_share,
        named=_named,
        when=_when,
    )


def _words(language: Language) -> dict[str, str]:
    return {name: text.in_language(language) for name, text in {**WORDS, **LADDER_WORDS}.items()}


def _named(file: str) -> str:
    """The name of a table's file; one that is kept under its digest is named by the beginning of that."""
    stem = file.partition(".")[0]
    return f"sha256 {stem[:12]}…" if _DIGEST.fullmatch(stem) else file


def _when(moment: str) -> str:
    """A moment for readers in China, who have one zone: `2026-11-24 16:00 (UTC+8)`."""
    return f"{datetime.fromisoformat(moment).astimezone(_BEIJING):%Y-%m-%d %H:%M} (UTC+8)"


def _share(share: float) -> str:
    """A share for reading: 0 %, 12.3 %, and never "0 %" for something."""
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{share:.1%}".replace(".0%", "%")


def _size_rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Two stacked bars, before and after: the share of rows by the size of their class.

    Units: x and width in per cent of the bar.
    """
    return [{"key": key, "parts": _stack(manifest["risk"][key]["rows_by_class_size"])} for key in ("before", "after")]


def _stack(shares: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    colours = _COLOURS if len(shares) == len(_COLOURS) else (_COLOURS[0], *_COLOURS[len(_COLOURS) - len(shares) + 1 :])
    parts: list[dict[str, Any]] = []
    start = 0.0
    for part, colour in zip(shares, colours, strict=True):
        width = 100 * float(part["share"])
        low, high = part["from"], part["to"]
        label = f"{low}" if low == high else (f"≥ {low}" if high is None else f"{low}–{high}")
        parts.append({"x": start, "width": width, "colour": colour, "label": label, "share": _share(part["share"])})
        start += width
    return parts


def _gauges(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Risk figures as pairs of bars; the first has the target as a line.

    Units: lengths in per cent of the bar, which ends at 100 % risk.
    """
    before, after = manifest["risk"]["before"], manifest["risk"]["after"]
    shown = (
        ("worst", "prosecutor_max", 1 / manifest["target"]["k"]),
        ("mean", "marketer", None),
        ("high", "rows_at_high_risk", None),
    )
    return [
        {
            "name": name,
            "before": before[key],
            "after": after[key],
            "target": target,
        }
        for name, key, target in shown
    ]
