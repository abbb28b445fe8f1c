"""Codes of two Chinese standards made coarser: administrative divisions and industries.

Source: GB/T 2260-2007 (six digits: province, prefecture, county) and GB/T 10114-2003 (three more for the township;
statistical codes add three for the village); GB/T 4754-2017 (a letter for the section, two digits for the division,
three for the group, four for the class).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import polars as pl

from anonymize.errors import BadInput, Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import STAR
from anonymize.text import Text

DIVISIONS: Final[Mapping[str, tuple[int, Text]]] = {
    "township": (9, Text("街道、乡镇", "township")),
    "county": (6, Text("区县", "county")),
    "prefecture": (4, Text("地市", "prefecture")),
    "province": (2, Text("省级", "province")),
}
INDUSTRIES: Final[Mapping[str, tuple[int, Text]]] = {
    "group": (3, Text("中类", "group")),
    "division": (2, Text("大类", "division")),
    "section": (0, Text("门类", "section")),
}
_PROVINCE: Final = r"^(1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])"
_DIVISION_CODE: Final = _PROVINCE + r"([0-9]{4}|[0-9]{7}|[0-9]{10})$"
_SECTIONS: Final = {
    "A": (1, 5), "B": (6, 12), "C": (13, 43), "D": (44, 46), "E": (47, 50), "F": (51, 52), "G": (53, 60),
    "H": (61, 62), "I": (63, 65), "J": (66, 69), "K": (70, 70), "L": (71, 72), "M": (73, 75), "N": (76, 79),
    "O": (80, 82), "P": (83, 83), "Q": (84, 85), "R": (86, 90), "S": (91, 96), "T": (97, 97),
}  # fmt: skip
_SECTION_OF: Final = {
    f"{number:02d}": letter for letter, (low, high) in _SECTIONS.items() for number in range(low, high + 1)
}
_INDUSTRY_CODE: Final = r"^[A-T]?[0-9]{2,4}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Divisions:
    """Administrative divisions to the township, county, prefecture, province: any of them, finest first."""

    kind: ClassVar[str] = "divisions"

    steps: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Divisions:
        return cls(steps=_steps(fields, tuple(DIVISIONS)))

    @property
    def depth(self) -> int:
        return len(self.steps) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        codes = _as_codes(values, place)
        if bad := int((~codes.str.contains(_DIVISION_CODE)).sum()):
            raise _no_code(bad, Text("行政区划代码（6、9 或 12 位）", "division codes of 6, 9 or 12 digits"), place)
        return [codes.str.head(DIVISIONS[step][0]) + STAR for step in self.steps]

    def level_text(self, level: int) -> Text:
        name = DIVISIONS[self.steps[level - 1]][1]
        return Text(f"行政区划只保留到{name.zh}", f"administrative division to the {name.en}")

    def params(self) -> dict[str, Any]:
        return {"steps": list(self.steps)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Industries:
    """Industry codes to the group, division, section: any of them, finest first."""

    kind: ClassVar[str] = "industries"

    steps: tuple[str, ...]

    @classmethod
    def read(cls, fields: Fields) -> Industries:
        return cls(steps=_steps(fields, tuple(INDUSTRIES)))

    @property
    def depth(self) -> int:
        return len(self.steps) + 2

    @property
    def domain(self) -> int | None:
        return None

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return None

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        codes = _as_codes(values, place).str.to_uppercase()
        digits = codes.str.strip_chars_start("ABCDEFGHIJKLMNOPQRST")
        sections = digits.str.head(2).replace_strict(_SECTION_OF, default=None, return_dtype=pl.String)
        named = codes.str.contains("^[A-T]")
        right = codes.str.contains(_INDUSTRY_CODE) & sections.is_not_null() & (~named | (codes.str.head(1) == sections))
        if bad := int((~right.fill_null(False)).sum()):
            raise _no_code(bad, Text("国民经济行业代码（可带门类字母）", "industry codes of GB/T 4754"), place)
        return [(digits.str.head(size) if size else sections) + STAR for size, _ in (INDUSTRIES[s] for s in self.steps)]

    def level_text(self, level: int) -> Text:
        name = INDUSTRIES[self.steps[level - 1]][1]
        return Text(f"行业代码只保留到{name.zh}", f"industry to the {name.en}")

    def params(self) -> dict[str, Any]:
        return {"steps": list(self.steps)}


def _steps(fields: Fields, known: tuple[str, ...]) -> tuple[str, ...]:
    steps = fields.texts("steps")
    if any(step not in known for step in steps) or list(steps) != sorted(set(steps), key=known.index):
        listed = ", ".join(known)
        raise refuse_setting(
            fields.at("steps"),
            zh=f"应从细到粗取自：{listed}，不重复",
            en=f"must be taken from {listed}, finest first, none twice",
        )
    return steps


def _as_codes(values: pl.Series, place: Place) -> pl.Series:
    if not (values.dtype == pl.String or values.dtype.is_integer()):
        raise place.refuse(
            "column.not_a_code",
            found=Text("标准编码要求该列为文本或整数", "codes of a standard need a column of text or whole numbers"),
            next_step=Text(
                "请为该列换用适合其类型的泛化方法。", "Choose a hierarchy that fits the type of this column."
            ),
        )
    return values.cast(pl.String).str.strip_chars()


def _no_code(count: int, what: Text, place: Place) -> BadInput:
    return place.refuse(
        "column.not_a_code",
        found=Text(f"有 {count} 个不同的值不是{what.zh}", f"{count} distinct values are no {what.en}"),
        next_step=Text(
            "请在源表中改正（以文本保存，首位的 0 不可丢失），或换用 groups、file。",
            "Correct them in the source (kept as text, leading zeros and all), or use groups or a file instead.",
        ),
    )
