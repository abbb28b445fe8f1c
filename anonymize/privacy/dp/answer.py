"""Answers to noisy queries: typed frames with intervals, and in words what was done to the rows.

Everything here but the release itself is post-processing of noise and of what the request declares: it costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import polars as pl

from anonymize.privacy.dp.loss import Composition
from anonymize.privacy.dp.mechanisms import (
    CONFIDENCE,
    Mechanism,
    cells_mechanism,
    count_mechanism,
    keys_mechanism,
    mean_mechanism,
    quantiles_mechanism,
    sum_mechanism,
)
from anonymize.privacy.dp.queries import (
    AnyQuery,
    Cells,
    Count,
    Keys,
    Mean,
    NoisyRequest,
    Quantiles,
    Range,
    Sum,
)
from anonymize.privacy.dp.rows import codes_of
from anonymize.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One released answer.

    Shape: `frame` has `value` (a count, a sum, ...) with `low` and `high` around it; for quantiles `level` and `value`;
    for cells one text column per dimension before it, null for `other`.
    """

    query: AnyQuery
    mechanism: Mechanism
    frame: pl.DataFrame

    def as_json(self, composition: Composition) -> dict[str, Any]:
        query, mechanism = self.query, self.mechanism
        return {
            "name": query.name,
            "kind": query.kind,
            "spent": query.loss.as_json(composition),
            "mechanism": {
                "library": "OpenDP",
                "name": mechanism.name,
                "scales": list(mechanism.scales),
                **({} if mechanism.threshold is None else {"threshold": mechanism.threshold}),
                "privacy_map": dict(zip((composition.parameter, "delta"), mechanism.loss, strict=True)),
            },
            "accuracy": _accuracy(query, mechanism),
            "notes": [note.as_json() for note in notes_on(query)],
            "columns": {name: str(dtype) for name, dtype in self.frame.schema.items()},
            "rows": self.frame.rows(named=True),
        }


def calibrate(request: NoisyRequest) -> list[Mechanism]:
    """The mechanism of each query, each held against what it costs. Touches no data."""
    made = [mechanism_of(query, request) for query in request.queries]
    for mechanism, query in zip(made, request.queries, strict=True):
        mechanism.check(query.loss)
    return made


def mechanism_of(query: AnyQuery, request: NoisyRequest) -> Mechanism:
    """The measurement that answers a query at its cost."""
    paid, most, how = query.loss, request.max_rows, request.composition
    match query:
        case Count():
            return count_mechanism(paid, 1 if query.of_units else most, how)
        case Sum():
            return sum_mechanism(paid, most, how, steps=query.range.steps)
        case Mean():
            return mean_mechanism(paid, most, how, steps=_centred(query.range))
        case Quantiles():
            low, high = query.range.steps
            return quantiles_mechanism(paid, most, how, candidates=range(low, high + 1), levels=query.levels)
        case Cells():
            return cells_mechanism(paid, most, how, cells=_cells(query))
        case Keys():
            return keys_mechanism(paid, most)
        case _ as unknown:
            assert_never(unknown)


def answer(query: AnyQuery, mechanism: Mechanism, frame: pl.DataFrame, request: NoisyRequest) -> Result:
    """Release one query on the rows of `frame`. The budget must have been spent before."""
    codes, keys = codes_of(frame, query, request)
    match query:
        case Count():
            table = _count(query, mechanism, mechanism.release(codes))
        case Sum():
            table = _sum(query, mechanism, mechanism.release(codes))
        case Mean():
            table = _mean(query, mechanism, mechanism.release(codes - _middle(query.range)))
        case Quantiles():
            table = _quantiles(query, mechanism.release(codes))
        case Cells():
            table = _cell_table(query, mechanism, mechanism.release(codes))
        case Keys():
            table = _key_table(query, mechanism, mechanism.release(codes), keys)
        case _ as unknown:
            assert_never(unknown)
    return Result(query=query, mechanism=mechanism, frame=table)


def notes_on(query: AnyQuery) -> list[Text]:
    """What was done to the rows, for whoever reads the figures."""
    notes = [
        Text(
            "缺失个体标识、不满足筛选条件或单元格无法使用的行未计入；同一个体超出 max_rows 的行未计入。",
            "Rows without a unit, outside the filter or without a usable cell do not count, nor do rows of a unit "
            "beyond max_rows.",
        )
    ]
    match query:
        case Sum() | Mean() | Quantiles():
            notes.append(
                Text(
                    f"数值先截断到 [{query.range.low:f}, {query.range.high:f}]，再取整到 {query.range.step:f} 的倍数；"
                    "无穷大视为超出界限，NaN 视为缺失。",
                    f"Numbers were moved into [{query.range.low:f}, {query.range.high:f}] and to multiples of "
                    f"{query.range.step:f}; infinity is beyond a bound, NaN is missing.",
                )
            )
        case Cells():
            notes.append(
                Text("未声明的取值和空值计入“其他”（列值为空）。", "Undeclared and empty cells count as other (null).")
                if query.keeps_other
                else Text("含未声明取值或空值的行未计入。", "Rows with an undeclared or empty cell do not count.")
            )
        case Keys():
            notes.append(
                Text(
                    "带噪计数低于阈值的取值不显示；未显示不代表不存在。",
                    "Values whose noisy count is below the threshold are not shown; not shown does not mean absent.",
                )
            )
        case Count():
            pass
    if isinstance(query, Count | Cells) and query.non_negative:
        notes.append(Text("负数已改为 0（仅后处理）。", "Negative figures were set to 0 (post-processing only)."))
    return notes


def _accuracy(query: AnyQuery, mechanism: Mechanism) -> dict[str, Any]:
    """How far noise alone can move an answer; what was clamped or left out comes on top."""
    if isinstance(query, Quantiles):
        meaning = Text(
            "以 95% 的概率，所给值的位次误差最多比最佳候选值多这么多行（各分位数单独成立）。",
            "With 95 % probability the value's rank is at most so many rows further off than the best candidate's "
            "(for each level by itself).",
        )
        return {"confidence": CONFIDENCE, "rank_error": list(mechanism.errors), "meaning": meaning.as_json()}
    meaning = Text(
        "以 95% 的概率，low 至 high 包含无噪声时的结果（逐个数字成立，只计噪声）。",
        "With 95 % probability low to high holds the answer without noise (for each figure by itself; noise alone).",
    )
    return {"confidence": CONFIDENCE, "meaning": meaning.as_json()}


def _count(query: Count, mechanism: Mechanism, value: int) -> pl.DataFrame:
    return _with_interval({}, [value], mechanism.errors[0], floor=query.non_negative)


def _sum(query: Sum, mechanism: Mechanism, value: int) -> pl.DataFrame:
    error, step = mechanism.errors[0], query.range.step
    figures = {"value": value, "low": value - error, "high": value + error}
    if query.range.is_whole:
        exact = {name: _within_64(int(number * step)) for name, number in figures.items()}
        return pl.DataFrame(exact, schema=dict.fromkeys(exact, pl.Int64))
    return pl.DataFrame({name: float(number * step) for name, number in figures.items()})


def _mean(query: Mean, mechanism: Mechanism, released: list[int]) -> pl.DataFrame:
    """Both noisy parts at the ends of their intervals bound the mean; a count that may be none bounds nothing."""
    total, rows = released
    sum_error, count_error = mechanism.errors
    low, high = (float(bound) for bound in (query.range.low, query.range.high))
    step, middle = float(query.range.step), float(_middle(query.range) * query.range.step)

    def mean(numerator: int, denominator: int) -> float:
        return min(max(middle + step * numerator / denominator, low), high)

    value = mean(total, max(rows, 1))
    if rows <= count_error:
        return pl.DataFrame({"value": value, "low": low, "high": high})
    corners = [mean(total + one * sum_error, rows + other * count_error) for one in (-1, 1) for other in (-1, 1)]
    return pl.DataFrame({"value": value, "low": min(corners), "high": max(corners)})


def _quantiles(query: Quantiles, released: list[int]) -> pl.DataFrame:
    """Released candidates in rising order: a higher level never has a lower value."""
    values = [number * query.range.step for number in sorted(released)]
    levels = [float(level) for level in query.levels]
    if query.range.is_whole:
        return pl.DataFrame({"level": levels, "value": [int(value) for value in values]})
    return pl.DataFrame({"level": levels, "value": [float(value) for value in values]})


def _cell_table(query: Cells, mechanism: Mechanism, released: list[int]) -> pl.DataFrame:
    labels = [[*one.labels, *([None] if query.keeps_other else [])] for one in query.dimensions]
    places = np.unravel_index(np.arange(len(released)), [len(one) for one in labels])
    columns = {
        one.column: pl.Series(names, dtype=pl.String).gather(place)
        for one, names, place in zip(query.dimensions, labels, places, strict=True)
    }
    return _with_interval(columns, released, mechanism.errors[0], floor=query.non_negative)


def _key_table(query: Keys, mechanism: Mechanism, released: dict[int, int], keys: tuple[str, ...]) -> pl.DataFrame:
    found = sorted((keys[code], value) for code, value in released.items())
    columns = {query.column: pl.Series([key for key, _ in found], dtype=pl.String)}
    return _with_interval(columns, [value for _, value in found], mechanism.errors[0], floor=False)


def _with_interval(columns: Mapping[str, pl.Series], values: list[int], error: int, *, floor: bool) -> pl.DataFrame:
    # A column of the table may itself be called value, low or high.
    taken = {name: f"{name}_" if name in ("value", "low", "high") else name for name in columns}
    figures = {
        "value": values,
        "low": [_within_64(value - error) for value in values],
        "high": [_within_64(value + error) for value in values],
    }
    frame = pl.DataFrame(
        {**{taken[name]: column for name, column in columns.items()}, **figures},
        schema_overrides=dict.fromkeys(figures, pl.Int64),
    )
    return frame.with_columns(pl.col(*figures).clip(lower_bound=0)) if floor else frame


def _within_64(number: int) -> int:
    return min(max(number, -(2**63)), 2**63 - 1)


def _cells(query: Cells) -> int:
    cells = 1
    for one in query.dimensions:
        cells *= len(one.labels) + query.keeps_other
    return cells


def _middle(bounds: Range) -> int:
    low, high = bounds.steps
    return (low + high) // 2


def _centred(bounds: Range) -> tuple[int, int]:
    low, high = bounds.steps
    return low - _middle(bounds), high - _middle(bounds)
