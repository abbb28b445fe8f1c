"""Which kinds of identifiers a column holds: its name, patterns over its distinct values, check digits, embedded
numbers.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from anonymize.detect.detector import detect_text
from anonymize.detect.entity import EntityKind
from anonymize.detect.headers import header_words, last_word_end
from anonymize.detect.measure import mean_of
from anonymize.detect.normalize import normalize
from anonymize.detect.recognizer import Recognizer
from anonymize.detect.registry import RECOGNIZERS
from anonymize.detect.scan_report import KindShare

SHOWN_SHARE: Final = 0.02
"""Kinds held by a smaller share of the values are not reported, unless the column's name says so."""
TEXT_VALUES: Final = 1_000
"""Distinct values of a text column in which embedded identifiers are looked for."""
PLACES_AND_NAMES: Final = frozenset({EntityKind.PERSON, EntityKind.ADDRESS, EntityKind.ORGANIZATION})
_SEPARATED: Final = re.compile(r"[ \-]")


def kinds_in(name: str, values: pl.Series, *, numeric: bool) -> tuple[KindShare, ...]:
    """Kinds of one column, those the name says first, then by share.

    Shape: `values` are distinct and not empty texts; numeric columns come as their digits.
    """
    cells = _normalized(values)
    named = _named_kind(name, cells)
    shares = [_share(recognizer, cells, named=recognizer.kind is named) for recognizer in RECOGNIZERS]
    found = {share.kind: share for share in shares if share is not None}
    if not numeric:
        for kind, share in _embedded(values, known=max((kind.share for kind in found.values()), default=0.0)).items():
            if kind not in found:
                found[kind] = KindShare(kind=kind, share=share, checked=None, by_name=kind is named, embedded=True)
    ordered = sorted(found.values(), key=lambda kind: (not kind.by_name, -kind.share * _certainty(kind)))
    # A column of resident numbers looks like cards and codes too; wrong check digits tell that it is not.
    told = bool(ordered) and ordered[0].share >= 0.5
    return tuple(kind for kind in ordered if kind.by_name or not told or kind.checked is None or kind.checked >= 0.2)


def _normalized(values: pl.Series) -> pl.Series:
    """One spelling of the values; only those outside ASCII take the slow way."""
    odd = values.str.contains(r"[^\x00-\x7f]")
    if not odd.any():
        return values
    return pl.Series(values.name, [normalize(value).text.strip() for value in values.to_list()], dtype=pl.String)


def _named_kind(name: str, cells: pl.Series) -> EntityKind | None:
    """The kind whose word stands last in the name (联系人电话 is a telephone); of two words ending there, the
    longer.
    """
    ends = [(last_word_end(name, recognizer.headers), recognizer) for recognizer in RECOGNIZERS]
    end, recognizer = max(ends, key=lambda item: item[0])
    if end == (0, 0):
        return None
    generic = (
        recognizer.kind is EntityKind.PERSON and header_words(name)[1].endswith(" name ") and end[1] <= len("name")
    )
    if generic and header_words(name)[1] != " name " and _pattern_share(recognizer, cells) < 0.3:
        return None  # street_name, lot_name: named, but not a person
    return recognizer.kind


def _share(recognizer: Recognizer, cells: pl.Series, *, named: bool) -> KindShare | None:
    share = _pattern_share(recognizer, cells)
    if share < SHOWN_SHARE and not named:
        return None
    checked = None
    if share > 0 and recognizer.cell_pattern is not None:
        hits = cells.filter(cells.str.contains(recognizer.cell_pattern))
        checked = recognizer.check_share([_SEPARATED.sub("", value) for value in hits.to_list() if value.isascii()])
    return KindShare(kind=recognizer.kind, share=share, checked=checked, by_name=named)


def _pattern_share(recognizer: Recognizer, cells: pl.Series) -> float:
    if recognizer.cell_pattern is None or not len(cells):
        return 0.0
    return mean_of(cells.str.contains(recognizer.cell_pattern))


def _embedded(values: pl.Series, *, known: float) -> dict[EntityKind, float]:
    """Kinds inside longer texts, as the share of values that hold one."""
    if known >= 0.8 or not len(values):
        return {}
    sample = values.head(TEXT_VALUES).to_list()
    held: dict[EntityKind, int] = {}
    for value in sample:
        for kind in {entity.kind for entity in detect_text(value)}:
            held[kind] = held.get(kind, 0) + 1
    return {kind: count / len(sample) for kind, count in held.items()}


def _certainty(kind: KindShare) -> float:
    """Of two kinds with equal shares the one with right check digits leads; looks alone (names, places) come last."""
    if kind.checked is not None:
        return 0.5 + kind.checked
    return 0.5 if kind.kind in PLACES_AND_NAMES else 0.9
