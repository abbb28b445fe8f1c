"""The report of an extract: one page for a data officer, made from the manifest and nothing else.

Self-contained: no script, no outside file, both languages in the page; the switch is two radio buttons. Since it is
made from the manifest, it can't show a cell value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from anonymize.report_pictures import gauges, histogram, search, size_rows
from anonymize.report_words import LADDER_WORDS, WORDS
from anonymize.rung import REAL_ROWS
from anonymize.text import LANGUAGES, Language

_TEMPLATE: Final = "report/page.html.j2"
_BEIJING: Final = timezone(timedelta(hours=8))
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


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
        sizes=size_rows(manifest, percent=_share) if real else (),
        histogram=histogram(manifest) if real else None,
        gauges=gauges(manifest) if real else (),
        search=search(manifest, percent=_share) if real else None,
        removed_share=_share(manifest["rows"]["suppressed"] / manifest["rows"]["in"]),
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
