"""Any small table under any policy: an extract that a count by hand confirms, or one refusal of a known code.

Nothing else may happen: no traceback, no file left behind, no cell in a refusal.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from anonymize.errors import AnonymizeError
from anonymize.pipeline import Extracted
from anonymize.policy import parse_policy
from tests.anonymize_cases import (
    DROP,
    KEEP,
    PSEUDONYM,
    QUASI_DROPPED,
    QUASI_KEPT,
    SENSITIVE,
    extract_of,
    generalized,
    policy_text,
)

REFUSALS = re.compile(r"(column|policy|target|table)\.[a-z_]+")
CELLS: dict[str, st.SearchStrategy[Any]] = {
    "whole": st.none() | st.integers(-3, 40) | st.sampled_from([2**62, -(2**62)]),
    "real": st.none() | st.sampled_from([0.0, -0.0, 1.5, 7.25, 1e300, float("nan"), float("inf")]),
    "few": st.none() | st.sampled_from(["a1", "a2", "b1", "*", "", " a1", "é", "e\u0301", "ｎ", "n"]),
    "number": st.sampled_from(["1", "2", "30", "41", "5.5", "x", "NaN"]),
    "day": st.none() | st.sampled_from(["2026-01-31", "2026-02-01", "2025-12-31", "2026-02-30"]),
    "flag": st.none() | st.booleans(),
    "date": st.none() | st.sampled_from([date(2026, 1, 31), date(2025, 2, 1)]),
    "time": st.none() | st.sampled_from([datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2025, 2, 1, tzinfo=UTC)]),
}
TYPES = {"whole": pl.Int64, "real": pl.Float64, "flag": pl.Boolean, "date": pl.Date, "time": pl.Datetime("us", "UTC")}
ANY = (DROP, KEEP, PSEUDONYM, QUASI_DROPPED, QUASI_KEPT, SENSITIVE)
NUMBERS = (generalized(kind="bands", widths=[5, 10], bottom=0, top=35), generalized(kind="bands", widths=[0.5, 2.0]))
DATES = (generalized(kind="dates", steps=["month", "year"]),)
TEXTS = (
    generalized(kind="prefixes", lengths=[1]),
    generalized(kind="groups", levels=[{"a": ["a1", "a2"], "b": ["b1", "*", "", " a1", "é", "e\u0301", "ｎ", "n"]}]),
)
FITTING = {
    "whole": NUMBERS,
    "real": NUMBERS,
    "few": TEXTS,
    "number": NUMBERS,
    "day": DATES,
    "date": DATES,
    "time": DATES,
}


def rules_for(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Mostly rules that a column of the kind can bear."""
    fits = st.sampled_from((QUASI_KEPT, SENSITIVE, KEEP, *FITTING.get(kind, ())))
    return fits | fits | st.sampled_from((*ANY, *NUMBERS, *DATES, *TEXTS))


@st.composite
def tables(draw: st.DrawFn) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A table of up to four columns of any kind, with a rule for each; few kinds of rows, so that classes come out."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=4))
    different = draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)), min_size=1, max_size=5))
    few, many = (st.lists(st.sampled_from(different), min_size=low, max_size=40) for low in (0, 12))
    rows = draw(st.one_of(many, many, many, few))
    names = [f"c{number}" for number in range(len(kinds))]
    schema = {name: TYPES.get(kind, pl.String) for name, kind in zip(names, kinds, strict=True)}
    rules = {name: draw(rules_for(kind)) for name, kind in zip(names, kinds, strict=True)}
    if draw(st.integers(0, 5)):  # without a quasi-identifier there is only one refusal to see
        rules["c0"] = draw(st.sampled_from((QUASI_KEPT, *FITTING.get(kinds[0], ()))))
    return pl.DataFrame(rows, schema=schema, orient="row"), rules


@st.composite
def modes(draw: st.DrawFn) -> dict[str, Any]:
    recoding = draw(st.sampled_from(["global", "local"]))
    cells = draw(st.sampled_from(["labels", "tight"])) if recoding == "local" else "labels"
    return {"recoding": recoding, **({"cells": cells} if cells == "tight" else {})}


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    table=tables(),
    mode=modes(),
    k=st.integers(2, 4),
    diversity=st.sampled_from([None, None, None, 2, 3]),
    limit=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_any_table_gives_a_true_extract_or_one_refusal(
    table: tuple[pl.DataFrame, dict[str, Any]], mode: dict[str, Any], k: int, diversity: int | None, limit: float
) -> None:
    frame, rules = table
    target = {"k": k, "suppression_limit": limit, **({} if diversity is None else {"l": diversity})}
    with tempfile.TemporaryDirectory() as folder:
        try:
            policy = parse_policy(policy_text(rules, target=target, **mode))
            made = extract_of(frame, policy, Path(folder))
        except AnonymizeError as raised:
            refused = raised
        else:
            event("extract")
            return _check(made, frame, rules, k=k, diversity=diversity, limit=limit)
        event(refused.code)
        assert REFUSALS.fullmatch(refused.code), refused.code
        assert refused.next_step.zh
        named = refused.subject in ("columns", "target.l", "source.parquet") or ":c" in refused.subject
        assert named or refused.subject.startswith("columns.c")
        assert [path.name for path in Path(folder).iterdir() if path.name != "source.parquet"] == []


def _check(
    made: Extracted, frame: pl.DataFrame, rules: dict[str, Any], *, k: int, diversity: int | None, limit: float
) -> None:
    written = pl.read_parquet(made.extract_path)
    released = [name for name, rule in rules.items() if rule["technique"] != "drop"]
    assert written.columns == released
    removed = frame.height - written.height
    assert removed == made.manifest["rows"]["suppressed"] <= limit * frame.height + 1e-9
    quasi = [name for name in released if rules[name]["class"] == "quasi_id"]
    sensitive = [name for name in released if rules[name]["class"] == "sensitive_attr"]
    rows = [{name: json.dumps(row[name], default=str) for name in released} for row in written.iter_rows(named=True)]
    sizes = Counter(tuple(row[name] for name in quasi) for row in rows)
    assert min(sizes.values()) >= k
    assert made.k == min(sizes.values()) == made.manifest["risk"]["after"]["k"]
    for name in sensitive if diversity is not None else ():
        values: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for row in rows:
            values[tuple(row[column] for column in quasi)].add(row[name])
        assert min(len(found - {"null"}) for found in values.values()) >= (diversity or 0)
    assert 0 <= made.manifest["loss"]["lower_bound"] <= made.manifest["loss"]["value"] + 1e-6 <= 1 + 1e-6
    for name in released:
        if rules[name]["technique"] == "keep" and rules[name]["class"] != "quasi_id":
            assert not Counter(map(str, written[name])) - Counter(map(str, frame[name]))
