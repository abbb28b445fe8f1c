"""Reading a request for noisy statistics (TOML or JSON), strictly. What it leaves open is never asked of the data.

A bound taken from the data would itself tell of the person who holds it; so every bound, category and edge is stated by
whoever asks, and a request without them is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from math import prod
from pathlib import Path
from typing import Any, Final

from anonymize.errors import BadInput, NotFound
from anonymize.privacy.dp.loss import MAX_AMOUNT, MAX_DELTA, MIN_AMOUNT, MIN_DELTA, PLACES, Composition, Loss, plain
from anonymize.privacy.dp.queries import (
    AnyQuery,
    Categories,
    Cells,
    Count,
    Dimension,
    Edges,
    Keys,
    Mean,
    NoisyRequest,
    Quantiles,
    Range,
    Sum,
    Where,
)
from anonymize.strict import Fields
from anonymize.text import Text

FORMAT: Final = 1
MAX_BYTES: Final = 2**20
MAX_QUERIES: Final = 100
MAX_ROWS_OF_UNIT: Final = 10_000
MAX_CELLS: Final = 100_000
MAX_CANDIDATES: Final = 10_000
MAX_STEPS: Final = 10**12
"""Steps from zero to a bound: the sum of a million such cells still fits into 64 bits."""
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def refuse_request(subject: str, *, zh: str, en: str) -> BadInput:
    """The refusal of one field of a request."""
    return BadInput(
        code="noisy.request",
        subject=subject,
        text=Text(f"查询请求被拒绝：{subject} {zh}。", f"Request refused: {subject} {en}."),
        next_step=Text(
            "请修改请求中的这一项后重试，未消耗隐私预算。",
            "Correct this field of the request and try again. No budget was spent.",
        ),
    )


def load_request(path: Path) -> NoisyRequest:
    """Read a request file, TOML or (by its name) JSON.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no request; the refusal names the field.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as failed:
        raise NotFound(
            code="noisy.request_not_found",
            subject=path.name,
            text=Text(f"找不到请求文件 {path.name}。", f"There is no request file {path.name}."),
            next_step=Text("请检查路径。", "Check the path."),
        ) from failed
    try:
        return parse_request(content.decode("utf-8-sig"), is_json=path.suffix.lower() == ".json")
    except UnicodeDecodeError as failed:
        raise _not_readable() from failed


def parse_request(text: str, *, is_json: bool = False) -> NoisyRequest:
    """Read a request from its text.

    Raises:
        BadInput: it is neither TOML nor JSON, too long, or a field is missing, unknown or out of range.
    """
    if len(text) > MAX_BYTES:
        raise _not_readable()
    try:
        content = (
            json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
            if is_json
            else tomllib.loads(text, parse_float=Decimal)
        )
        json.dumps(content, ensure_ascii=False, default=str).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError, InvalidOperation) as failed:
        raise _not_readable() from failed
    fields = Fields(content, "", refuse=refuse_request)
    fields.integer("format", low=FORMAT, high=FORMAT)
    composition = (
        Composition(fields.choice("composition", tuple(Composition))) if fields.has("composition") else Composition.PURE
    )
    unit = fields.text("unit") if fields.has("unit") else None
    max_rows = fields.integer("max_rows", low=1, high=MAX_ROWS_OF_UNIT if unit else 1, default=None if unit else 1)
    read: dict[str, Any] = {
        "table": fields.text("table"),
        "unit": unit,
        "max_rows": max_rows,
        "composition": composition,
        "queries": _read_queries(fields, composition),
    }
    fields.close()
    return NoisyRequest(**read, digest=_digest(read))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that names no key twice: TOML refuses that, and of two values one would be ignored."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _not_readable() -> BadInput:
    return BadInput(
        code="noisy.not_readable",
        subject="request",
        text=Text(
            f"查询请求被拒绝：不是有效的 UTF-8 TOML 或 JSON，或超过 {MAX_BYTES // 2**20} MiB。",
            f"Request refused: it is no valid TOML or JSON in UTF-8, or longer than {MAX_BYTES // 2**20} MiB.",
        ),
        next_step=Text("请修正格式后重试，未消耗隐私预算。", "Mend its syntax and try again. No budget was spent."),
    )


def _digest(read: Mapping[str, Any]) -> str:
    """SHA-256 of what is asked: layout, order of keys and the writing of numbers do not count; their order does."""
    content = {**read, "queries": [{"kind": one.kind, **asdict(one)} for one in read["queries"]]}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), default=plain)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _read_queries(fields: Fields, composition: Composition) -> tuple[AnyQuery, ...]:
    items = fields.items("queries")
    if len(items) > MAX_QUERIES:
        raise refuse_request("queries", zh=f"超过 {MAX_QUERIES} 项", en=f"are more than {MAX_QUERIES}")
    queries = tuple(
        _read_query(Fields(item, f"queries[{number}]", refuse=refuse_request), composition)
        for number, item in enumerate(items, start=1)
    )
    if len({query.name for query in queries}) != len(queries):
        raise refuse_request("queries", zh="含有重名的查询", en="hold two of the same name")
    return queries


def _read_query(fields: Fields, composition: Composition) -> AnyQuery:
    name = fields.text("name")
    if not _NAME.fullmatch(name):
        raise refuse_request(
            fields.at("name"),
            zh="应为 1 至 64 个字母、数字、下划线或连字符",
            en="must be 1 to 64 letters, digits, underscores or hyphens",
        )
    kind = fields.choice("kind", tuple(_READERS))
    amount = _decimal(fields, composition.parameter, low=MIN_AMOUNT[composition], high=MAX_AMOUNT[composition])
    where = _read_where(fields.table("where")) if fields.has("where") else ()
    query = _READERS[kind](fields, {"name": name, "where": where}, amount)
    if isinstance(query, Keys) and composition is not Composition.PURE:
        raise refuse_request(
            fields.at("columns"),
            zh=f"不能含未声明的取值（keys），除非 composition 为 {Composition.PURE}",
            en=f"can hold unknown keys only where composition is {Composition.PURE}",
        )
    fields.close()
    return query


def _read_where(fields: Fields) -> tuple[Where, ...]:
    found = tuple(Where(column=name, values=_distinct(fields, name)) for name in sorted(fields.names()))
    fields.close()
    return found


def _read_count(fields: Fields, given: dict[str, Any], amount: Decimal) -> Count:
    of_units = fields.has("of") and fields.choice("of", ("rows", "units")) == "units"
    return Count(
        **given,
        loss=Loss(amount=amount),
        of_units=of_units,
        non_negative=fields.boolean("non_negative", default=False),
    )


def _read_sum(fields: Fields, given: dict[str, Any], amount: Decimal) -> Sum:
    return Sum(**given, loss=Loss(amount=amount), column=fields.text("column"), range=_read_range(fields))


def _read_mean(fields: Fields, given: dict[str, Any], amount: Decimal) -> Mean:
    return Mean(**given, loss=Loss(amount=amount), column=fields.text("column"), range=_read_range(fields))


def _read_quantiles(fields: Fields, given: dict[str, Any], amount: Decimal) -> Quantiles:
    column, bounds = fields.text("column"), _read_range(fields)
    low, high = bounds.steps
    if high - low >= MAX_CANDIDATES:
        raise refuse_request(
            fields.at("step"),
            zh=f"过细：上下限之间至多 {MAX_CANDIDATES} 个候选值",
            en=f"is too fine: at most {MAX_CANDIDATES} candidates between the bounds",
        )
    levels = tuple(
        _bounded(value, fields.at("levels"), low=Decimal("0.001"), high=Decimal("0.999"))
        for value in fields.items("levels")
    )
    if len(levels) > 50 or list(levels) != sorted(set(levels)):
        raise refuse_request(
            fields.at("levels"), zh="应为至多 50 个递增的数", en="must be at most 50 numbers that rise"
        )
    return Quantiles(**given, loss=Loss(amount=amount), column=column, range=bounds, levels=levels)


def _read_histogram(fields: Fields, given: dict[str, Any], amount: Decimal) -> Cells | Keys:
    columns = fields.table("columns")
    if len(columns.names()) != 1:
        raise refuse_request(columns.path, zh="在直方图中应恰为一列", en="of a histogram must be exactly one")
    name = columns.names()[0]
    inner = columns.table(name)
    if not inner.has("keys"):
        return _read_cells(fields, given, amount, columns)
    inner.choice("keys", ("unknown",))
    inner.close()
    columns.close()
    delta = _decimal(fields, "delta", low=MIN_DELTA, high=MAX_DELTA)
    return Keys(**given, loss=Loss(amount=amount, delta=delta), column=name)


def _read_contingency(fields: Fields, given: dict[str, Any], amount: Decimal) -> Cells:
    columns = fields.table("columns")
    if len(columns.names()) < 2:
        raise refuse_request(columns.path, zh="在列联表中应至少为两列", en="of a contingency table must be two or more")
    return _read_cells(fields, given, amount, columns)


def _read_cells(fields: Fields, given: dict[str, Any], amount: Decimal, columns: Fields) -> Cells:
    dimensions = tuple(_read_dimension(name, columns.table(name)) for name in columns.names())
    columns.close()
    keeps_other = not fields.has("other") or fields.choice("other", ("cell", "drop")) == "cell"
    cells = prod(len(one.labels) + keeps_other for one in dimensions)
    if cells > MAX_CELLS:
        raise refuse_request(columns.path, zh=f"的单元格超过 {MAX_CELLS} 个", en=f"make more than {MAX_CELLS} cells")
    return Cells(
        **given,
        loss=Loss(amount=amount),
        dimensions=dimensions,
        keeps_other=keeps_other,
        non_negative=fields.boolean("non_negative", default=False),
    )


def _read_dimension(name: str, fields: Fields) -> Dimension:
    if fields.has("categories"):
        found: Dimension = Categories(column=name, values=_distinct(fields, "categories"))
    elif fields.has("edges"):
        edges = tuple(_bounded(value, fields.at("edges")) for value in fields.items("edges"))
        if len(edges) < 2 or list(edges) != sorted(set(edges)):
            raise refuse_request(
                fields.at("edges"), zh="应为至少两个递增的数", en="must be at least two numbers that rise"
            )
        found = Edges(column=name, values=edges)
    else:
        raise refuse_request(
            fields.path,
            zh="缺少 categories 或 edges：取值须由请求方声明，系统不会从数据中读取",
            en="has neither categories nor edges: whoever asks states them, they are never read from the data",
        )
    fields.close()
    return found


def _read_range(fields: Fields) -> Range:
    for name in ("low", "high"):
        if not fields.has(name):
            raise refuse_request(
                fields.at(name),
                zh="缺失：上下限须由请求方声明，系统不会从数据中读取",
                en="is missing: whoever asks states the bounds, they are never read from the data",
            )
    low, high = _decimal(fields, "low"), _decimal(fields, "high")
    step = _decimal(fields, "step", low=Decimal("1e-9")) if fields.has("step") else Decimal(1)
    if low >= high:
        raise refuse_request(fields.at("low"), zh="应小于 high", en="must be less than high")
    if max(abs(low), abs(high)) / step > MAX_STEPS:
        raise refuse_request(
            fields.at("step"), zh=f"过细：离零至多 {MAX_STEPS:.0e} 步", en=f"is too fine: at most {MAX_STEPS:.0e} steps"
        )
    if low % step or high % step:
        raise refuse_request(
            fields.at("step"), zh="应能整除 low 与 high", en="must divide low and high without a remainder"
        )
    return Range(low=low, high=high, step=step)


def _distinct(fields: Fields, key: str) -> tuple[str, ...]:
    values = fields.texts(key)
    if len(set(values)) != len(values):
        raise refuse_request(fields.at(key), zh="含有重复的取值", en="hold a value twice")
    return values


def _decimal(fields: Fields, key: str, *, low: Decimal | None = None, high: Decimal | None = None) -> Decimal:
    return _bounded(fields.raw(key), fields.at(key), low=low, high=high)


def _bounded(value: object, subject: str, *, low: Decimal | None = None, high: Decimal | None = None) -> Decimal:
    """A number as it was written.

    Raises:
        BadInput: it is none, not finite, outside of its bounds, or has more than 18 decimal places.
    """
    fits = isinstance(value, int | Decimal) and not isinstance(value, bool)
    number = Decimal(value) if fits else Decimal("NaN")  # type: ignore[arg-type]  # narrowed by `fits`
    low, high = Decimal(-(10**15)) if low is None else low, Decimal(10**15) if high is None else high
    if not number.is_finite() or not low <= number <= high:
        raise refuse_request(
            subject, zh=f"应为 {low:f} 至 {high:f} 的数字", en=f"must be a number from {low:f} to {high:f}"
        )
    number = number.normalize()
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES:
        raise refuse_request(subject, zh=f"的小数位超过 {PLACES} 位", en=f"has more than {PLACES} decimal places")
    return number + 0  # no minus zero


_READERS: Final[dict[str, Callable[[Fields, dict[str, Any], Decimal], AnyQuery]]] = {
    "count": _read_count,
    "sum": _read_sum,
    "mean": _read_mean,
    "quantiles": _read_quantiles,
    "histogram": _read_histogram,
    "contingency": _read_contingency,
}
