"""The geometry of the report's pictures, from the manifest's figures. Colours are classes of the style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any, Final

from anonymize.explain import RECODING_WORDS
from anonymize.policy import Cells, Recoding
from anonymize.text import Text

SHADES: Final = 5
"""Classes `s0` to `s4` of the style sheet, from alone in its class to well hidden."""
HISTOGRAM_HEIGHT: Final = 150
"""Pixels of the tallest bar."""

_TIGHT: Final = Text(
    "局部泛化，紧致取值：先按层级分出等价类，再拆分、归并；每个等价类只给出所含的取值集合或区间。",
    "Local recoding with tight cells: classes are found by levels, then split and mended; each is released with "
    "exactly the set or interval of what it holds.",
)


def size_rows(manifest: Mapping[str, Any], *, percent: Callable[[float], str]) -> list[dict[str, Any]]:
    """Two stacked bars, before and after: the share of rows by the size of their class.

    Units: x and width in per cent of the bar.
    """
    risk = manifest["risk"]
    return [
        {"key": key, "parts": _stack(risk[key]["rows_by_class_size"], percent=percent)} for key in ("before", "after")
    ]


def histogram(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Shares of the rows by class size in doublings, before and after side by side, and where the target is.

    Units: x, width and target in per cent of the picture, heights in pixels.
    """
    before, after = (manifest["risk"][key]["class_sizes"] for key in ("before", "after"))
    shares = [{part["from"]: part["share"] for part in parts} for parts in (before, after)]
    edges = sorted({*shares[0], *shares[1]})
    highest = max(share for side in shares for share in side.values()) or 1.0
    room = 100 / len(edges)
    bins = [
        {
            "label": _span(low, None if number + 1 == len(edges) else edges[number + 1] - 1),
            "short": f"{low}" if low < 1000 else f"{low // 1000}k",
            "x": number * room + room * 0.1,
            "width": room * 0.4,
            **{key: side.get(low, 0.0) for key, side in zip(("before", "after"), shares, strict=True)},
            **{
                f"{key}_height": side.get(low, 0.0) / highest * HISTOGRAM_HEIGHT
                for key, side in zip(("before", "after"), shares, strict=True)
            },
        }
        for number, low in enumerate(edges)
    ]
    return {"bins": bins, "target": edges.index(manifest["target"]["k"]) * room}


def gauges(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Risk figures as pairs of bars; the first has the target as a line.

    Units: shares of the bar, which ends at 100 % risk.
    """
    before, after = manifest["risk"]["before"], manifest["risk"]["after"]
    shown = (
        ("worst", "prosecutor_max", 1 / manifest["target"]["k"]),
        ("mean", "marketer", None),
        ("high", "rows_at_high_risk", None),
    )
    return [{"name": name, "before": before[key], "after": after[key], "target": target} for name, key, target in shown]


def search(manifest: Mapping[str, Any], *, percent: Callable[[float], str]) -> dict[str, Any]:
    """What the search was for and what it found, column by column.

    Shape: `steps` has one boolean per level above the exact value, true up to the one found; `shares` one part per
    level where rows stand at different ones.
    """
    columns = [column for column in manifest["columns"] if column["class"] == "quasi_id" and column["released"]]
    words = _TIGHT if manifest["cells"] == Cells.TIGHT else RECODING_WORDS[Recoding(manifest["recoding"])]
    return {
        "words": words.as_json(),
        "lattice": prod(column["choices"] for column in columns),
        "columns": [
            {
                "name": column["name"],
                "done": column["done"],
                "level": column["level"],
                "steps": [number < (column["level"] or 0) for number in range((column["levels"] or 1) - 1)],
                "shares": _levels(column["level_shares"], percent=percent) if column["level_shares"] else (),
            }
            for column in columns
        ],
    }


def _stack(shares: Sequence[Mapping[str, Any]], *, percent: Callable[[float], str]) -> list[dict[str, Any]]:
    last = len(shares) - 1
    parts: list[dict[str, Any]] = []
    start = 0.0
    for number, part in enumerate(shares):
        width = 100 * float(part["share"])
        shade = 0 if number == 0 else SHADES - 1 - (last - number)
        label = _span(part["from"], part["to"])
        parts.append(
            {"x": start, "width": width, "style": f"s{shade}", "label": label, "share": percent(part["share"])}
        )
        start += width
    return parts


def _levels(shares: Mapping[str, float], *, percent: Callable[[float], str]) -> list[dict[str, Any]]:
    """Parts of a bar by level: the finer, the greener."""
    parts: list[dict[str, Any]] = []
    start, last = 0.0, len(shares) - 1
    for number, (level, share) in enumerate(sorted(shares.items(), key=lambda pair: int(pair[0]))):
        shade = SHADES - 1 - round(number * (SHADES - 1) / last) if last else SHADES - 1
        parts.append({"x": start, "width": 100 * share, "style": f"s{shade}", "level": level, "share": percent(share)})
        start += 100 * share
    return parts


def _span(low: int, high: int | None) -> str:
    if high is None:
        return f"≥ {low}"
    return f"{low}" if low == high else f"{low}–{high}"
