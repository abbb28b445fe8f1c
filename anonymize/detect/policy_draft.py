"""A policy proposed from a scan: a draft for a data steward, never a decision.

Direct identifiers and free text are dropped, quasi-identifiers generalized where a hierarchy is plain from the values
(dates, numbers, administrative divisions, industries, codes), sensitive amounts rounded. Whatever needs knowledge of
the codes is kept as a counted quasi-identifier, with the reason saying so.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from anonymize.detect.headers import header_has
from anonymize.detect.measure import extremes
from anonymize.detect.scan_report import ColumnVerdict, ScanReport
from anonymize.errors import BadInput, Place
from anonymize.policy import FORMAT, ColumnClass, parse_policy
from anonymize.techniques.codes import Divisions, Industries
from anonymize.text import Text
from anonymize.toml import write_toml

DEFAULT_K: Final = 5
"""Source: policy-pack defaults of the project, k of an extract."""
DEFAULT_SUPPRESSION: Final = 0.05
_MEASURED: Final = (
    "年龄", "面积", "工龄", "子女", "人数", "年限", "age", "nl", "children", "size", "area m2", "yrs married",
    "years married", "tenure",
)  # fmt: skip
_DIVIDED: Final = (
    "区划", "街道", "乡镇", "区县", "居委", "社区", "户籍", "籍贯", "street", "street code", "district", "county",
    "addr code", "town", "region", "jd", "xzqh",
)  # fmt: skip
_INDUSTRIES: Final = ("行业", "industry", "industry code")
_MANY_AMOUNTS: Final = 50
"""Amounts with no more distinct values are steps of a scale already."""
_ISO_DATE: Final = r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$"
_FEW: Final = 12
"""Up to so many distinct values a column of codes is kept as it is: bands over codes mean nothing."""


def draft_policy(report: ScanReport, frame: pl.DataFrame, *, name: str) -> str:
    """The proposed policy as TOML.

    Raises:
        BadInput: the scan found no quasi-identifier, so there is nothing to measure; the text says what to do.
    """
    columns = {verdict.name: _column(verdict, frame[verdict.name]) for verdict in report.columns}
    content = {
        "format": FORMAT,
        "name": name,
        "version": "draft-1",
        "target": {"k": DEFAULT_K, "suppression_limit": DEFAULT_SUPPRESSION},
        "columns": columns,
    }
    text = write_toml(content)
    parse_policy(text)  # a draft that its own reader refuses is not handed out
    return text


def _column(verdict: ColumnVerdict, column: pl.Series) -> dict[str, Any]:
    technique, params, reason = verdict.technique, None, verdict.reason
    if verdict.column_class is ColumnClass.QUASI_ID:
        params = _hierarchy(verdict.name, column)
        if params is None:
            technique, reason = _without_hierarchy(column)
    if verdict.column_class is ColumnClass.SENSITIVE_ATTR and (base := _amount_step(column)) is not None:
        technique, params = "round", {"base": base}
        reason = Text(
            f"{verdict.reason.zh}；精确数额可与他处对上，取整",
            f"{verdict.reason.en}; an exact amount can be matched elsewhere, so it is rounded",
        )
    return {
        "class": verdict.column_class.value,
        "technique": technique,
        "reason": reason.as_json(),
        **({"params": params} if params else {}),
    }


def _without_hierarchy(column: pl.Series) -> tuple[str, Text]:
    if column.n_unique() <= 50:
        return "keep", Text(
            "准标识符，保留并计入 k；如需泛化请写明分组",
            "quasi-identifier, kept and counted for k; write groups to generalize it",
        )
    return "drop", Text(
        "准标识符取值过多且无明显层级，删除", "quasi-identifier with many values and no plain hierarchy, dropped"
    )


def _hierarchy(name: str, column: pl.Series) -> dict[str, Any] | None:
    held = column.drop_nulls()
    iso_text = column.dtype == pl.String and len(held) > 0 and bool(held.str.contains(_ISO_DATE).all())
    if column.dtype in (pl.Date, pl.Datetime) or iso_text:
        return {"kind": "dates", "steps": ["month", "quarter", "year"]}
    if column.dtype.is_float() and not bool(held.is_finite().all()):
        return None
    divided = _divisions(held) if header_has(name, _DIVIDED) else None
    if divided is not None:
        return divided
    if column.dtype.is_numeric() and len(held):
        if held.n_unique() <= _FEW and not header_has(name, _MEASURED):
            return None
        low, high = extremes(held)
        width = _width((high - low) / 20)
        return {"kind": "bands", "widths": [width, width * 2, width * 4, width * 8]}
    if header_has(name, _INDUSTRIES) and _fits(Industries(steps=("section",)), held):
        return {"kind": "industries", "steps": ["group", "division", "section"]}
    if column.dtype == pl.String and len(held):
        shortest, longest = (int(end) for end in extremes(held.str.len_chars()))
        if bool(held.str.contains(r"^[0-9A-Z]+$").all()) and shortest == longest and 4 <= longest <= 15:
            return {"kind": "prefixes", "lengths": sorted({longest - 2, longest // 2, 2}, reverse=True)}
    return None


def _divisions(held: pl.Series) -> dict[str, Any] | None:
    """The levels above the codes, where all of them are administrative divisions of one length."""
    if not _fits(Divisions(steps=("province",)), held):
        return None
    lengths = held.cast(pl.String).str.strip_chars().str.len_chars().unique()
    steps = {
        6: ["prefecture", "province"],
        9: ["county", "prefecture", "province"],
        12: ["township", "county", "prefecture", "province"],
    }
    return {"kind": "divisions", "steps": steps[int(lengths[0])]} if len(lengths) == 1 else None


def _fits(hierarchy: Divisions | Industries, held: pl.Series) -> bool:
    if not len(held):
        return False
    try:
        hierarchy.labels(held.unique(), Place(table="draft", column=held.name))
    except BadInput:
        return False
    return True


def _amount_step(column: pl.Series) -> int | None:
    """What to round exact amounts to: about a hundredth of their usual size; None for codes and few values."""
    held = column.drop_nulls()
    if not column.dtype.is_numeric() or held.n_unique() <= _MANY_AMOUNTS:
        return None
    if column.dtype.is_float() and not bool(held.is_finite().all()):
        return None
    usual = float(held.cast(pl.Float64).abs().quantile(0.5) or 0)
    base = _width(usual / 100) if usual >= 100 else None
    return base if base is not None and base > 1 else None


def _width(least: float) -> int:
    """The first of 1, 2, 5, 10, 20, 50 … that is at least so wide."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= least:
                return step * scale
        scale *= 10
