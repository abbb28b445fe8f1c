"""The ladder of extracts: four rungs with one schema, so that what is written on one runs unchanged on the next.

Source: DOMAIN M15 (metadata, synthetic sample, sampled, full) and §6.6 (policy-pack defaults; no Chinese statute gives
these numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Final

from anonymize.text import Text

MAX_SAMPLE_RATE: Final = Fraction(1, 10)
"""Share of the table's rows a sampled extract may hold at most. Source: DOMAIN §6.6."""
MAX_SAMPLE_ROWS: Final = 50_000
"""Rows a sampled extract may hold at most. Source: DOMAIN §6.6."""
MAX_SYNTHETIC_ROWS: Final = 50_000
"""No larger than a sample may be: a rung to write code on, not a stand-in for the data."""
SYNTHETIC_ROWS: Final = 10_000
"""Synthetic rows when nobody asks for a number, or the table's own (rounded) when it is smaller."""


class Rung(StrEnum):
    """How much of a table an extract shows, least first."""

    METADATA = "metadata"
    SYNTHETIC = "synthetic"
    SAMPLED = "sampled"
    FULL = "full"


REAL_ROWS: Final = frozenset({Rung.SAMPLED, Rung.FULL})
"""Rungs whose rows are people's."""

RUNG_NAMES: Final[Mapping[Rung, Text]] = {
    Rung.METADATA: Text("元数据", "metadata"),
    Rung.SYNTHETIC: Text("合成样例", "synthetic sample"),
    Rung.SAMPLED: Text("抽样脱敏数据", "sampled extract"),
    Rung.FULL: Text("全量脱敏数据", "full de-identified extract"),
}

RUNG_WARNINGS: Final[Mapping[Rung, Text]] = {
    Rung.METADATA: Text(
        "元数据：只有列名、类型和处理说明，没有任何数据行；行数已取整。",
        "Metadata: names, types and what was done to each column; it holds no row, and numbers of rows are rounded.",
    ),
    Rung.SYNTHETIC: Text(
        "合成样例：每一行都是生成的，只供编写和调试代码；由它得出的统计没有意义，不得作为成果提交出门。",
        "Synthetic sample: every row is made up, for writing and trying code only; statistics from it mean nothing for "
        "release.",
    ),
    Rung.SAMPLED: Text(
        "抽样脱敏数据：从全量脱敏数据中按密钥抽取的一部分行，列、类型和层级与全量相同。",
        "Sampled extract: a keyed part of the rows of the full de-identified extract, with its columns, types and "
        "levels.",
    ),
    Rung.FULL: Text(
        "全量脱敏数据：源表的全部行，达不到目标的行已删除。",
        "Full de-identified extract: all rows of the source but those removed to meet the target.",
    ),
}


def rounded_rows(rows: int) -> int:
    """A number of rows as rungs without real rows may tell it: to two significant digits, at least to tens."""
    step = int(max(10, 10 ** (len(str(rows)) - 2)))
    return (rows + step // 2) // step * step
