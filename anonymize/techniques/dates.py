"""Dates made coarser: by the calendar, or as ages at a fixed day.

The reference day of an age is written in the policy and never "today", or the same policy would give another extract
tomorrow.
"""

from __future__ import annotations

import datetime as dt
from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.bands import Bands, check_widths
from anonymize.techniques.hierarchy import read_dates, show_number
from anonymize.text import Text

CALENDAR: Final[dict[str, Text]] = {
    "day": Text("日", "day"),
    "month": Text("月", "month"),
    "quarter": Text("季度", "quarter"),
    "year": Text("年", "year"),
    "decade": Text("十年", "decade"),
}
"""The steps of the calendar, finest first; each lies wholly inside the next."""
_LENGTHS: Final[dict[str, str]] = {"day": "1d", "month": "1mo", "quarter": "1q", "year": "1y", "decade": "10y"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDates:
    """Day, month, quarter, year, decade: any of them, finest first."""

    kind: ClassVar[str] = "dates"

    steps: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> CalendarDates:
        steps = fields.texts("steps")
        known = tuple(CALENDAR)
        if any(step not in known for step in steps) or list(steps) != sorted(set(steps), key=known.index):
            listed = ", ".join(known)
            raise refuse_setting(
                fields.at("steps"),
                zh=f"应从细到粗取自：{listed}，不重复",
                en=f"must be taken from {listed}, finest first, none twice",
            )
        return cls(steps=steps)

    @property
    def depth(self) -> int:
        return len(self.steps) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        dates = read_dates(values, place)
        return [_calendar_label(dates, step) for step in self.steps]

    def ends(self, values: pl.Series, level: int, place: Place) -> tuple[pl.Series, pl.Series]:
        """First and last day of the step around each date; at level 0 the value itself. Shape: as in `labels`."""
        if level == 0:
            return values, values
        step = _LENGTHS[self.steps[level - 1]]
        first = read_dates(values, place).dt.truncate(step)
        return first, first.dt.offset_by(step).dt.offset_by("-1d")

    def level_text(self, level: int) -> Text:
        step = CALENDAR[self.steps[level - 1]]
        return Text(f"日期只保留到{step.zh}", f"dates to the {step.en}")

    def params(self) -> dict[str, Any]:
        return {"steps": list(self.steps)}


def _calendar_label(dates: pl.Series, step: str) -> pl.Series:
    year = dates.dt.year().cast(pl.String).str.zfill(4)
    match step:
        case "day":
            return dates.dt.strftime("%Y-%m-%d")
        case "month":
            return dates.dt.strftime("%Y-%m")
        case "quarter":
            return year + "-Q" + dates.dt.quarter().cast(pl.String)
        case "year":
            return year
        case "decade":
            first = dates.dt.year() // 10 * 10
            return first.cast(pl.String).str.zfill(4) + "-" + (first + 9).cast(pl.String).str.zfill(4)
        case _:
            raise LookupError("steps are checked when the policy is read")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBands:
    """Full years lived at a fixed day, in bands; level 1 is the age itself when the first width is 1.

    Units: years.
    """

    kind: ClassVar[str] = "ages"

    at: dt.date
    widths: tuple[int | float, ...]
    top: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> AgeBands:
        widths = fields.numbers("widths", low=1)
        if not all(isinstance(width, int) for width in widths):
            raise refuse_setting(fields.at("widths"), zh="应为整数年", en="must be whole years")
        check_widths(widths, fields.at("widths"))
        top = fields.integer("top", low=1, high=150) if fields.has("top") else None
        return cls(at=fields.date("at"), widths=widths, top=top)

    @property
    def depth(self) -> int:
        return len(self.widths) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        born = read_dates(values, place)
        had_birthday = (born.dt.month() < self.at.month) | (
            (born.dt.month() == self.at.month) & (born.dt.day() <= self.at.day)
        )
        ages = self.at.year - born.dt.year() - (~had_birthday).cast(pl.Int32)
        if late := int((ages < 0).sum()):
            raise place.refuse(
                "column.invalid_date",
                found=Text(
                    f"有 {late} 个不同的出生日期晚于规则的基准日",
                    f"{late} distinct birth dates are after the policy's day",
                ),
                next_step=Text(
                    "请改正源表，或在规则中改用更晚的基准日。", "Correct the source, or set a later day in the policy."
                ),
            )
        return self._bands().labels(ages.cast(pl.Int64), place)

    def ends(self, values: pl.Series, level: int, place: Place) -> tuple[pl.Series, pl.Series]:
        """The birth date itself twice; that of people at `top` or above is the open end before a day.

        Shape: as in `labels`; only level 0, where ages are not yet reckoned.
        """
        if level:
            raise LookupError("ages run against birth dates, and have no ends in them")
        if self.top is None:
            return values, values
        # Whoever was born on this day or before is at least that old; 29 February falls back by a day.
        year = self.at.year - self.top
        common = (self.at.month, self.at.day) == (2, 29) and not isleap(year)
        day = dt.date(year, self.at.month, 28 if common else self.at.day)
        old = read_dates(values, place) <= day
        last = pl.lit(day) if values.dtype == pl.Date else pl.lit(dt.datetime.combine(day, dt.time.max))
        frame = pl.DataFrame({"value": values, "old": old})
        low = pl.when("old").then(None).otherwise("value")
        high = pl.when("old").then(last.cast(values.dtype)).otherwise("value")
        ends = frame.select(low.alias("low"), high.alias("high"))
        return ends["low"], ends["high"]

    def _bands(self) -> Bands:
        return Bands(widths=self.widths, origin=0, top=self.top)

    def level_text(self, level: int) -> Text:
        width = show_number(self.widths[level - 1])
        zh, en = f"换算为 {self.at} 时的年龄，每 {width} 岁一段", f"as age on {self.at} in bands of {width} years"
        if self.top is not None:
            zh, en = f"{zh},{self.top} 岁及以上合并", f"{en}, {self.top} and above as one"
        return Text(zh, en)

    def params(self) -> dict[str, Any]:
        top = {} if self.top is None else {"top": self.top}
        return {"at": self.at, "widths": list(self.widths), **top}
