"""Number intervals of any width, as the policy cuts them; each level keeps some of the cuts of the level before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import read_numbers, show_number
from anonymize.text import Text

Number = int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """Below the first cut, from each cut to the next, from the last cut on.

    Units: those of the column; an interval holds its lower cut and not its upper one.
    """

    kind: ClassVar[str] = "intervals"

    cuts: tuple[tuple[Number, ...], ...]

    @classmethod
    def read(cls, fields: Fields) -> Intervals:
        levels: list[tuple[Number, ...]] = []
        for number, content in enumerate(fields.items("cuts"), start=1):
            cuts = Fields({"cuts": content}, "").numbers("cuts") if isinstance(content, list) and content else ()
            nested = not levels or set(cuts) < set(levels[-1])
            if not cuts or list(cuts) != sorted(set(cuts)) or not nested:
                raise refuse_setting(
                    f"{fields.at('cuts')}[{number}]",
                    zh="应为从小到大的数字，且只取上一级的一部分",
                    en="must be numbers in ascending order, and only some of the level before",
                )
            levels.append(cuts)
        return cls(cuts=tuple(levels))

    @property
    def depth(self) -> int:
        return len(self.cuts) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        numbers = read_numbers(values, place)
        return [_labels(numbers, cuts) for cuts in self.cuts]

    def level_text(self, level: int) -> Text:
        cuts = ", ".join(show_number(cut) for cut in self.cuts[level - 1])
        return Text(f"按界值 {cuts} 分段", f"in intervals cut at {cuts}")

    def params(self) -> dict[str, Any]:
        return {"cuts": [list(cuts) for cuts in self.cuts]}


def _labels(numbers: pl.Series, cuts: tuple[Number, ...]) -> pl.Series:
    whole = numbers.dtype.is_integer() and all(isinstance(cut, int) and cut >= 0 for cut in cuts)
    shown = [f"<{show_number(cuts[0])}"]
    for low, high in pairwise(cuts):
        if not whole:
            shown.append(f"[{show_number(low)}, {show_number(high)})")
        else:
            shown.append(show_number(low) if high - low == 1 else f"{show_number(low)}-{show_number(int(high) - 1)}")
    shown.append(f"≥{show_number(cuts[-1])}")
    at = np.searchsorted(np.array(cuts), numbers.to_numpy(), side="right")
    return pl.Series(shown, dtype=pl.String).gather(pl.Series(at))
