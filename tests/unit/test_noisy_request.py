"""A request for noisy statistics is read strictly, and what it leaves open is never taken from the data."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from anonymize.errors import BadInput, NotFound
from anonymize.privacy.dp.loss import Composition, Loss, epsilon_of_rho, plain
from anonymize.privacy.dp.queries import Cells, Count, Keys
from anonymize.privacy.dp.request import load_request, parse_request
from tests.noisy_cases import AGES, COUNT, EVERY_QUERY, KEYS, QUANTILES, SUM, TABLE, TOWNS, request_of, request_text


def _without(query: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in query.items() if key not in names}


def test_every_kind_of_query_is_read() -> None:
    request = request_of(*EVERY_QUERY)
    assert [query.kind for query in request.queries] == [
        "count", "sum", "mean", "quantiles", "cells", "cells", "cells", "keys",
    ]  # fmt: skip
    assert request.loss == Loss(amount=Decimal(8), delta=Decimal("0.000001"))


def test_ten_tenths_cost_one() -> None:
    assert request_of(*[{"kind": "count", "epsilon": 0.1}] * 10).loss.amount == 1


def test_json_and_toml_ask_the_same() -> None:
    text = '{"format": 1, "max_rows": 2, "table": "people", "unit": "id", "queries": [%s]}'
    query = '{"name": "q0", "kind": "count", "epsilon": 1.0, "of": "rows"}'
    assert parse_request(text % query, is_json=True).digest == request_of(COUNT).digest


def test_another_question_has_another_digest() -> None:
    asked = [
        request_of(COUNT),
        request_of(COUNT, max_rows=3),
        request_of({**COUNT, "epsilon": 1.1}),
        request_of({**COUNT, "of": "units"}),
        request_of({**COUNT, "where": {"town": ["A"]}}),
        request_of(COUNT, table="other"),
    ]
    assert len({one.digest for one in asked}) == len(asked)


def test_rows_that_are_units_need_no_column() -> None:
    request = request_of(COUNT, unit=None, max_rows=None)
    assert (request.unit, request.max_rows) == (None, 1)


def test_rows_that_are_units_are_one_each() -> None:
    with pytest.raises(BadInput) as refused:
        request_of(COUNT, unit=None, max_rows=2)
    assert refused.value.subject == "max_rows"


def test_kinds_of_columns() -> None:
    towns, table, keys, count = request_of(TOWNS, TABLE, KEYS, {**COUNT, "where": {"town": ["A"]}}).queries
    assert isinstance(towns, Cells)
    assert towns.columns == ("town",)
    assert isinstance(table, Cells)
    assert table.dimensions[1].labels == ("[0, 50)", "[50, 100)")
    assert isinstance(keys, Keys)
    assert keys.loss.delta == Decimal("0.000001")
    assert isinstance(count, Count)
    assert count.columns == ("town",)


ONE_COLUMN = {"town": {"categories": ["A", "B"]}}
REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("queries[1].epsilon", _without(COUNT, "epsilon")),
    ("queries[1].epsilon", {**COUNT, "epsilon": 0}),
    ("queries[1].epsilon", {**COUNT, "epsilon": -1}),
    ("queries[1].epsilon", {**COUNT, "epsilon": 0.0009}),
    ("queries[1].epsilon", {**COUNT, "epsilon": 10.1}),
    ("queries[1].epsilon", {**COUNT, "epsilon": "nan"}),
    ("queries[1].epsilon", {**COUNT, "epsilon": True}),
    ("queries[1].epsilon", {**COUNT, "epsilon": "0.1234567890123456789"}),
    ("queries[1].delta", {**COUNT, "delta": 0.000001}),
    ("queries[1].rho", {**COUNT, "rho": 0.1}),
    ("queries[1].kind", {**COUNT, "kind": "median"}),
    ("queries[1].name", {**COUNT, "name": "a name"}),
    ("queries[1].of", {**COUNT, "of": "people"}),
    ("queries[1].non_negative", {**COUNT, "non_negative": 1}),
    ("queries[1].where.town", {**COUNT, "where": {"town": ["A", "A"]}}),
    ("queries[1].low", _without(SUM, "low")),
    ("queries[1].high", _without(SUM, "high")),
    ("queries[1].low", {**SUM, "low": 100}),
    ("queries[1].high", {**SUM, "high": 10**15 + 1}),
    ("queries[1].step", {**SUM, "step": 0}),
    ("queries[1].step", {**SUM, "step": 3}),
    ("queries[1].step", {**SUM, "high": 10**6, "step": 0.0000001}),
    ("queries[1].column", _without(SUM, "column")),
    ("queries[1].step", {**QUANTILES, "step": 0.01}),
    ("queries[1].levels", {**QUANTILES, "levels": [0.5, 0.25]}),
    ("queries[1].levels", {**QUANTILES, "levels": [0]}),
    ("queries[1].columns.town", {**TOWNS, "columns": {"town": {}}}),
    ("queries[1].columns.town.categories", {**TOWNS, "columns": {"town": {"categories": ["A", "A"]}}}),
    ("queries[1].columns.income.edges", {**AGES, "columns": {"income": {"edges": [0]}}}),
    ("queries[1].columns.income.edges", {**AGES, "columns": {"income": {"edges": [0, 0]}}}),
    ("queries[1].columns.town.edges", {**TOWNS, "columns": {"town": {"categories": ["A"], "edges": [0, 1]}}}),
    ("queries[1].columns", {**TOWNS, "columns": {**ONE_COLUMN, "income": {"edges": [0, 1]}}}),
    ("queries[1].columns", {**TABLE, "columns": ONE_COLUMN}),
    ("queries[1].columns", {**TABLE, "columns": {name: {"edges": list(range(400))} for name in ("a", "b")}}),
    ("queries[1].other", {**TOWNS, "other": "hide"}),
    ("queries[1].delta", _without(KEYS, "delta")),
    ("queries[1].delta", {**KEYS, "delta": 0.001}),
    ("queries[1].delta", {**KEYS, "delta": 0}),
]


@pytest.mark.parametrize(
    ("subject", "query"), REFUSED, ids=[f"{n}-{subject}" for n, (subject, _) in enumerate(REFUSED)]
)
def test_refusal_names_the_field(subject: str, query: dict[str, Any]) -> None:
    text = request_text(query).replace('"nan"', "nan").replace('"0.1234567890123456789"', "0.1234567890123456789")
    with pytest.raises(BadInput) as refused:
        parse_request(text)
    assert (refused.value.code, refused.value.subject) == ("noisy.request", subject)


@pytest.mark.parametrize(
    ("subject", "changes"),
    [
        ("format", {"format": 2}),
        ("table", {"table": None}),
        ("max_rows", {"max_rows": None}),
        ("max_rows", {"max_rows": 0}),
        ("unit", {"unit": 7}),
        ("composition", {"composition": "renyi"}),
        ("seed", {"seed": 1}),
    ],
)
def test_refusal_names_the_field_of_the_whole(subject: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        request_of(COUNT, **changes)
    assert refused.value.subject == subject


def test_missing_bounds_are_refused_in_words() -> None:
    with pytest.raises(BadInput) as refused:
        request_of(_without(SUM, "low"))
    assert "never read from the data" in refused.value.sentence("en")
    assert "不会从数据中读取" in refused.value.sentence("zh")


def test_keys_nobody_declared_are_not_for_zcdp() -> None:
    query = {**_without(KEYS, "epsilon"), "rho": 0.1}
    with pytest.raises(BadInput) as refused:
        request_of(query, composition="zcdp")
    assert refused.value.subject == "queries[1].columns"


def test_names_are_not_used_twice() -> None:
    with pytest.raises(BadInput) as refused:
        request_of({**COUNT, "name": "a"}, {**COUNT, "name": "a"})
    assert refused.value.subject == "queries"


@pytest.mark.parametrize(
    ("text", "is_json"),
    [
        ("format = ", False),
        ("[" * 100_000, True),
        ('{"a": 1, "a": 2}', True),
        ('{"format": 1, "table": "\\ud800"}', True),
        ("#" * (2**20 + 1), False),
    ],
    ids=["toml", "deep", "twice", "surrogate", "long"],
)
def test_text_that_is_no_request_is_refused(text: str, is_json: bool) -> None:
    with pytest.raises(BadInput) as refused:
        parse_request(text, is_json=is_json)
    assert refused.value.code == "noisy.not_readable"


def test_file_that_is_missing_or_no_text_is_refused(tmp_path: Any) -> None:
    with pytest.raises(NotFound):
        load_request(tmp_path / "r.toml")
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput):
        load_request(tmp_path / "r.toml")


def test_amounts_are_written_one_way() -> None:
    assert [plain(Decimal(text)) for text in ("1.0", "0.10", "1E+1", "1e-6")] == ["1", "0.1", "10", "0.000001"]
    assert Loss(amount=Decimal("0.5"), delta=Decimal("0.000001")).in_words(Composition.ZCDP) == "rho 0.5, delta 1E-6"


def test_most_that_rho_may_be_is_epsilon_ten() -> None:
    assert 9.9 < epsilon_of_rho(Decimal("1.35")) < 10
