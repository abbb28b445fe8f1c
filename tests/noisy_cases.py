"""Requests, tables and ledgers for the tests of noisy statistics; every test says only what matters to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from anonymize.privacy.dp.ledger import BudgetLedger
from anonymize.privacy.dp.loss import Composition, Loss
from anonymize.privacy.dp.queries import NoisyRequest
from anonymize.privacy.dp.request import parse_request
from anonymize.toml import write_toml

COUNT: dict[str, Any] = {"kind": "count", "epsilon": 1}
SUM: dict[str, Any] = {"kind": "sum", "column": "income", "low": 0, "high": 100, "epsilon": 1}
MEAN: dict[str, Any] = {**SUM, "kind": "mean"}
QUANTILES: dict[str, Any] = {**SUM, "kind": "quantiles", "levels": [0.25, 0.5, 0.75]}
TOWNS: dict[str, Any] = {"kind": "histogram", "epsilon": 1, "columns": {"town": {"categories": ["A", "B"]}}}
AGES: dict[str, Any] = {"kind": "histogram", "epsilon": 1, "columns": {"income": {"edges": [0, 50, 100]}}}
TABLE: dict[str, Any] = {
    "kind": "contingency",
    "epsilon": 1,
    "columns": {"town": {"categories": ["A", "B"]}, "income": {"edges": [0, 50, 100]}},
}
KEYS: dict[str, Any] = {
    "kind": "histogram",
    "epsilon": 1,
    "delta": 0.000001,
    "columns": {"town": {"keys": "unknown"}},
}
EVERY_QUERY = [COUNT, SUM, MEAN, QUANTILES, TOWNS, AGES, TABLE, KEYS]

PEOPLE = pl.DataFrame(
    {
        "id": [f"p{number // 2}" for number in range(400)],
        "town": ["A", "B", "C", "A"] * 100,
        "income": [number % 100 for number in range(400)],
    }
)


def request_text(*queries: Mapping[str, Any], **changes: Any) -> str:
    """The TOML of a request about `PEOPLE`; a change to None leaves the field out."""
    content = {"format": 1, "table": "people", "unit": "id", "max_rows": 2, **changes}
    lines = write_toml({key: value for key, value in content.items() if value is not None})
    for number, query in enumerate(queries or [COUNT]):
        lines += "\n[[queries]]\n" + "".join(
            f"{key} = {_inline(value)}\n" for key, value in {"name": f"q{number}", **query}.items()
        )
    return lines


def request_of(*queries: Mapping[str, Any], **changes: Any) -> NoisyRequest:
    return parse_request(request_text(*queries, **changes))


def granted(
    path: Path,
    *,
    amount: str = "5",
    delta: str = "0.00001",
    unit: str | None = "id",
    composition: Composition = Composition.PURE,
    table: str = "people",
    licence: str = "L-1",
) -> BudgetLedger:
    """A ledger in which one account was opened."""
    ledger = BudgetLedger(path)
    loss = Loss(amount=Decimal(amount), delta=Decimal(delta))
    ledger.grant(table=table, licence=licence, composition=composition, unit=unit, loss=loss, basis="decision 17")
    return ledger


def _inline(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value + '"'
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_inline(inner)}" for key, inner in value.items()) + " }"
        case Sequence():
            return "[" + ", ".join(map(_inline, value)) + "]"
    return f"{value}"
