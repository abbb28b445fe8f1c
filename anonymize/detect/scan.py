"""Judge every column of a table from a sample of its distinct values: what it identifies, its class, its grade.

Columns are judged by vectorised patterns over distinct values, never cell by cell through an engine. Every value
that could not be read is counted in the verdict; nothing is skipped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from anonymize.detect.attributes import (
    FREE_TEXT_WORDS,
    KINDS,
    MOST_SENSITIVE_WORDS,
    QUASI_WORDS,
    RECORD_WORDS,
    SENSITIVE_WORDS,
    Grade,
    Judgement,
)
from anonymize.detect.column_kinds import kinds_in
from anonymize.detect.headers import header_has, last_word_end
from anonymize.detect.measure import mean_of
from anonymize.detect.scan_report import ColumnVerdict, KindShare, ScanReport
from anonymize.policy import ColumnClass
from anonymize.text import Text

SAMPLED_ROWS: Final = 200_000
"""Rows looked at for distinct values, evenly spread over the table. Source: PII-ZH measurements, section 9."""
SAMPLED_VALUES: Final = 10_000
MAX_CELL: Final = 2_000
"""Characters of a cell that are looked at; longer cells are text anyhow."""
FREE_TEXT_LENGTH: Final = 15
"""Mean length from which varied text counts as free text."""
_DATE: Final = r"^(?:18|19|20)[0-9]{2}[-/.年][0-9]{1,2}(?:[-/.月][0-9]{1,2}日?)?(?:[ T][0-9:.]{4,15})?$"
UNIQUE_SHARE: Final = 0.95
"""Share of distinct values from which a code points at single rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Distinct values of a column as text, at most `SAMPLED_VALUES`, and what is known of the column.

    `distinct_share` is distinct values over rows that hold one; `unreadable` counts values that can't be read as text.
    """

    name: str
    values: pl.Series
    numeric: bool
    temporal: bool
    distinct: int
    distinct_share: float
    unreadable: int


def scan_table(frame: pl.DataFrame) -> ScanReport:
    """The verdict on every column.

    Shape: any table; an empty one is judged by its column names alone.
    """
    step = max(1, frame.height // SAMPLED_ROWS)
    return ScanReport(
        rows=frame.height,
        columns=tuple(
            _judge(sample_column(frame[name].gather_every(step) if step > 1 else frame[name])) for name in frame.columns
        ),
    )


def sample_column(column: pl.Series) -> Sample:
    """The distinct values of a column as text."""
    held = column.drop_nulls()
    dtype = column.dtype
    if dtype.is_nested() or dtype in (pl.Binary, pl.Object, pl.Duration):
        return Sample(
            name=column.name, values=pl.Series([], dtype=pl.String), numeric=False, temporal=False,
            distinct=0, distinct_share=0.0, unreadable=len(held),
        )  # fmt: skip
    distinct = held.unique(maintain_order=True)
    shown = distinct.head(SAMPLED_VALUES)
    if dtype.is_float():
        whole = (shown == shown.floor()).fill_null(False) & (shown.abs() < 2**53)
        shown = pl.select(
            pl.when(whole).then(shown.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(shown.cast(pl.String))
        ).to_series()
    values = shown.cast(pl.String).str.slice(0, MAX_CELL).str.strip_chars()
    dated = dtype == pl.String and len(values) > 0 and mean_of(values.str.contains(_DATE)) >= 0.8
    return Sample(
        name=column.name,
        values=values.filter(values != "").alias(column.name),
        numeric=dtype.is_numeric(),
        temporal=dtype.is_temporal() or dated,
        distinct=len(distinct),
        distinct_share=len(distinct) / len(held) if len(held) else 0.0,
        unreadable=0,
    )


def _judge(sample: Sample) -> ColumnVerdict:
    kinds = kinds_in(sample.name, sample.values, numeric=sample.numeric)
    judgement, technique, reason = _decide(sample, kinds)
    return ColumnVerdict(
        name=sample.name,
        column_class=judgement.column_class,
        grade=judgement.grade,
        technique=technique,
        kinds=kinds,
        reason=reason,
        examined=len(sample.values),
        unreadable=sample.unreadable,
    )


def _decide(sample: Sample, kinds: tuple[KindShare, ...]) -> tuple[Judgement, str, Text]:
    """Class, technique and the sentence why; the first rule that holds decides, the strictest come first."""
    if sample.unreadable:
        return (
            Judgement(column_class=ColumnClass.FREE_TEXT, grade=Grade.L4),
            "drop",
            Text("该列为二进制或嵌套值，无法检查", "binary or nested values that no check can read"),
        )
    leading = next((kind for kind in kinds if _leads(kind, sample)), None)
    text_like = _is_free_text(sample)
    if leading is not None and not (text_like and not leading.by_name and leading.share < 0.8):
        judgement = KINDS[leading.kind]
        how = Text(
            "列名与取值" if leading.by_name else "取值",
            "by its name and values" if leading.by_name else "by its values",
        )
        reason = Text(f"按{how.zh}判断为 {leading.kind}", f"judged as {leading.kind} {how.en}")
        return judgement, _technique(judgement.column_class), reason
    if text_like:
        found = ", ".join(kind.kind.value for kind in kinds)
        return (
            Judgement(column_class=ColumnClass.FREE_TEXT, grade=Grade.L3),
            "drop",
            Text(
                f"自由文本，可能含有个人信息{'：' + found if found else ''}",
                f"free text that may hold personal data {found}".strip(),
            ),
        )
    return _by_words(sample)


def _leads(kind: KindShare, sample: Sample) -> bool:
    """Whether a kind decides its column: named so, or held by half the values (with right check digits where
    there are any).
    """
    if kind.by_name:
        return True
    if kind.embedded or kind.share < 0.5:
        return False
    if kind.checked is not None:
        return kind.checked >= 0.3
    # Numbers without a check digit in a column that is named as something else are that something (amounts, areas).
    return not (sample.numeric and header_has(sample.name, (*SENSITIVE_WORDS, *QUASI_WORDS)))


def _by_words(sample: Sample) -> tuple[Judgement, str, Text]:
    name = sample.name
    unique = sample.distinct_share >= UNIQUE_SHARE and sample.distinct >= 20
    if unique and not sample.temporal and header_has(name, RECORD_WORDS):
        return (
            Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
            "drop",
            Text(
                "几乎每行一个不同的编号，可与他处关联",
                "a number that differs on nearly every row and links to elsewhere",
            ),
        )
    if last_word_end(name, SENSITIVE_WORDS) > last_word_end(name, QUASI_WORDS) or header_has(
        name, MOST_SENSITIVE_WORDS
    ):
        grade = Grade.L4 if header_has(name, MOST_SENSITIVE_WORDS) else Grade.L3
        return (
            Judgement(column_class=ColumnClass.SENSITIVE_ATTR, grade=grade),
            "keep",
            Text("列名表明为敏感属性", "its name tells of a sensitive attribute"),
        )
    if sample.temporal or header_has(name, QUASI_WORDS):
        return (
            Judgement(column_class=ColumnClass.QUASI_ID, grade=Grade.L2),
            "generalize",
            Text("与他处信息结合可识别个人", "tells on a person together with what is known elsewhere"),
        )
    if unique and not sample.numeric:
        return (
            Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
            "drop",
            Text("几乎每行一个不同的取值", "a value that differs on nearly every row"),
        )
    return (
        Judgement(column_class=ColumnClass.NON_SENSITIVE, grade=Grade.L2),
        "keep",
        Text("未发现标识符", "no identifier found"),
    )


def _technique(column_class: ColumnClass) -> str:
    return {ColumnClass.DIRECT_ID: "drop", ColumnClass.FREE_TEXT: "drop", ColumnClass.QUASI_ID: "generalize"}.get(
        column_class, "keep"
    )


def _is_free_text(sample: Sample) -> bool:
    if sample.numeric or sample.temporal or not len(sample.values):
        return bool(header_has(sample.name, FREE_TEXT_WORDS) and not sample.numeric and not sample.temporal)
    lengths = sample.values.str.len_chars()
    mean = mean_of(lengths)
    varied = sample.distinct >= 10 and sample.distinct_share >= 0.3
    spoken = mean_of(sample.values.str.contains(r"[\x{4e00}-\x{9fff}]{4}|[A-Za-z]{2,} [A-Za-z]{2,} [A-Za-z]"))
    if header_has(sample.name, FREE_TEXT_WORDS) and (mean >= 6 or spoken >= 0.3):
        return True
    return varied and mean >= FREE_TEXT_LENGTH and spoken >= 0.5
