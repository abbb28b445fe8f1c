"""The cases: a table, a target, the bars that ours must hold, and what ARX reached on the same.

Bars and ARX's figures are those of issue 4 and of the measurements it rests on: ARX 3.9.2 (2025-09-12), OpenJDK 17, one
two-core machine of this kind, CPU seconds of the working thread when warm. ARX is not in a package index that the bench
installs from, so its figures are stated here and marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from anonymize.bench.row import Bar

GLOBAL: Final = "global recoding, proven optimum"
LOCAL: Final = "local recoding"
TIGHT: Final = "local recoding, tight cells"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One table under one target.

    Shape: `arx` holds ARX's figures, by the names of `row.COLUMNS`.
    """

    name: str
    section: str
    data: str
    target: Mapping[str, Any]
    sensitive: str | None = None
    recoding: str = "local"
    cells: str = "labels"
    bars: tuple[Bar, ...] = ()
    arx: Mapping[str, Any] = field(default_factory=dict)
    anjana: bool = False
    anonypy: bool = False


def _global(percent: int, ncp: float, bars: tuple[Bar, ...] = (), **arx: Any) -> Case:
    return Case(
        name=f"Adult-9, k = 5, at most {percent} % removed",
        section=GLOBAL,
        data="adult",
        target={"k": 5, "suppression_limit": percent / 100},
        recoding="global",
        # The optimum is stated to five digits.
        bars=(Bar(figure="ncp", limit=ncp, slack=6e-6), Bar(figure="optimum proven", limit=1, at_least=True), *bars),
        arx={"ncp": ncp, **arx},
        anjana=percent < 100,
    )


CASES: Final = (
    _global(0, 0.63554, removed=0, levels="0 4 1 1 3 2 2 1 0", search_cpu_s=0.03, cpu_s=0.15, peak_mb=347),
    _global(2, 0.35748, removed=506, levels="0 3 0 2 2 1 1 2 0", search_cpu_s=0.62, cpu_s=0.93, peak_mb=391),
    _global(
        5,
        0.26963,
        (Bar(figure="cpu_s", limit=2.2),),
        removed=1346,
        levels="0 3 0 0 2 1 1 2 0",
        search_cpu_s=0.67,
        cpu_s=3.8,
        peak_mb=409,
    ),
    _global(100, 0.22770, removed=2553, levels="0 3 0 0 2 1 1 1 0", search_cpu_s=2.05, cpu_s=2.42, peak_mb=688),
    Case(
        name="Adult-9, k = 5",
        section=LOCAL,
        data="adult",
        target={"k": 5},
        bars=(
            Bar(figure="ncp", limit=0.0523),
            Bar(figure="search_cpu_s", limit=0.6),
            Bar(figure="removed", limit=0),
        ),
        arx={"ncp": 0.05894, "removed": 0, "search_cpu_s": 2.9, "cpu_s": 4.4, "peak_mb": 656, "classes": 4540},
    ),
    Case(
        name="mix1193k, k = 5",
        section=LOCAL,
        data="mix1193k",
        target={"k": 5},
        bars=(
            Bar(figure="ncp", limit=0.0106),
            Bar(figure="search_cpu_s", limit=7.0),
            Bar(figure="peak_mb", limit=560),
            Bar(figure="removed", limit=0),
        ),
        arx={"ncp": 0.01326, "removed": 0, "search_cpu_s": 35.6, "peak_mb": 3342, "classes": 89772},
    ),
    Case(
        name="mach2019, 16 quasi-identifiers, k = 5",
        section=LOCAL,
        data="mach2019",
        target={"k": 5},
        bars=(
            Bar(figure="ncp", limit=0.351),
            Bar(figure="search_cpu_s", limit=136.0),
            Bar(figure="removed", limit=0),
        ),
        arx={"ncp": 0.3905, "removed": 0, "search_cpu_s": 136.0, "peak_mb": 2655},
    ),
    Case(
        name="Adult-8s, k = 5, l = 3 distinct",
        section=LOCAL,
        data="adult",
        sensitive="occupation",
        target={"k": 5, "l": 3},
        bars=(
            Bar(figure="ncp", limit=0.0323),
            Bar(figure="l", limit=3, at_least=True),
            Bar(figure="removed", limit=0),
        ),
        arx={"ncp": 0.03666, "removed": 0, "search_cpu_s": 1.1},
        anjana=False,
    ),
    Case(
        name="Adult-8s, k = 5, t = 0.2 equal distance",
        section=LOCAL,
        data="adult",
        sensitive="occupation",
        target={"k": 5, "t": 0.2, "t_distance": "equal", "suppression_limit": 1090 / 30162},
        bars=(
            Bar(figure="ncp", limit=0.4425),
            Bar(figure="t", limit=0.2, slack=1e-9),
            Bar(figure="removed", limit=1090),
            Bar(figure="search_cpu_s", limit=3.8),
        ),
        arx={"ncp": 0.44247, "removed": 1090, "search_cpu_s": 38.2},
    ),
    Case(
        name="Adult-9, k = 5, tight cells",
        section=TIGHT,
        data="adult",
        target={"k": 5},
        cells="tight",
        bars=(Bar(figure="ncp", limit=0.0211), Bar(figure="removed", limit=0)),
        arx={},
        anonypy=True,
    ),
)

RISK: Final[Mapping[str, Mapping[str, float]]] = {
    "adult": {
        "sample_uniques": 0.51429,
        "prosecutor_mean": 0.64658,
        "marketer": 0.64658,
        "prosecutor_max": 1.0,
        "journalist_max": 1.0,
        "records_at_risk": 0.77813,
        "zayatz": 0.26456,
        "pitman": 0.03890,
        "snb": 0.0,
        "dankar": 0.03890,
    },
    "mix1193k": {
        "sample_uniques": 0.14316,
        "prosecutor_mean": 0.23351,
        "marketer": 0.23351,
        "records_at_risk": 0.28810,
        "zayatz": 0.02477,
        "pitman": 0.01471,
        "dankar": 0.01471,
    },
}
"""ARX's figures for the raw tables under all nine quasi-identifiers."""
POPULATION: Final = 317_238_626
"""ARX's figure for the USA."""
DIGITS: Final = 5e-5
"""What "to four digits" allows."""
