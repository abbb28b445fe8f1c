"""Pseudonyms of two real tables meet exactly where the licence lists the join, whatever a policy calls its domain."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, product

import polars as pl
import pytest

from hub.catalog.actions import publish_table, register_table
from hub.catalog.model import ColumnClass, Grade
from hub.catalog.rules import ColumnDraft
from hub.context import Hub
from hub.demo.agreement import conclude, proposal
from hub.demo.ladder import climb
from hub.demo.licences import give_opinions
from hub.extracts.actions import extract_path
from hub.extracts.issue import joined_policy
from hub.intake.actions import receive_file
from hub.licensing.actions import decide_scenario, file_scenario
from hub.licensing.model import ExtractLevel, Lane, Licence
from tests import factories
from tests.factories import actor

TABLES = ("one", "two")
COLUMNS = ("citizen", "carer")
PLACES = [f"{table}.{column}" for table in TABLES for column in COLUMNS]
JOINS = (
    [],
    [("one.citizen", "two.citizen")],
    [("one.citizen", "two.carer"), ("one.carer", "two.carer"), ("one.carer", "one.citizen")],
)
POLICY = """
format = 1
name = "{table}"
version = "1"
[target]
k = 5
[columns.citizen]
class = "direct_id"
technique = "pseudonymize"
reason = {{ zh = "识别", en = "recognise" }}
params = {{ domain = "same" }}
[columns.carer]
class = "direct_id"
technique = "pseudonymize"
reason = {{ zh = "识别", en = "recognise" }}
params = {{ domain = "same" }}
[columns.street]
class = "quasi_id"
technique = "keep"
reason = {{ zh = "统计", en = "counted" }}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """Two tables in which the same numbers stand in every column that names a person."""
    hub = factories.district(tmp_path_factory.mktemp("joins") / "state")
    for table in TABLES:
        lines = [f"P{n:04d},P{n:04d},{table}-{n % 3}" for n in range(90)]
        content = ("citizen,carer,street\n" + "\n".join(lines) + "\n").encode()
        steward = actor(hub, "mz-steward")
        raw = receive_file(
            hub,
            steward,
            stream=io.BytesIO(content),
            name=f"{table}.csv",
            no_state_secret=True,
            scan=factories.scan_here,
        )
        columns = [*((name, ColumnClass.DIRECT_ID, Grade.L3) for name in COLUMNS)]
        draft = factories.clinic_draft(
            id=table,
            columns=tuple(
                ColumnDraft(name=name, name_zh=name, column_class=kind, grade=grade)
                for name, kind, grade in (*columns, ("street", ColumnClass.QUASI_ID, Grade.L2))
            ),
        )
        register_table(hub, steward, draft, raw_digest=raw.digest)
        publish_table(hub, actor(hub, "bureau-officer"), table_id=table)
    return hub


def licensed(hub: Hub, joins: list[tuple[str, str]]) -> Licence:
    scenario = file_scenario(
        hub,
        actor(hub, "ky-admin"),
        title="两表统计",
        purpose="按街道统计人数,用于站点规划。",
        lane=Lane.PUBLIC,
        table_ids=list(TABLES),
    )
    give_opinions(hub, scenario.id)
    decide_scenario(hub, actor(hub, "bureau-officer"), scenario_id=scenario.id, approve=True, reason="用途明确。")
    header, items = proposal(
        hub,
        scenario_id=scenario.id,
        policies={table: POLICY.format(table=table) for table in TABLES},
        starts_at=hub.clock(),
        ends_at=hub.clock() + timedelta(days=30),
        document_ref=f"演示〔2026〕{scenario.id}号",
        columns=dict.fromkeys(TABLES, (*COLUMNS, "street")),
    )
    items["scope"]["joins"] = [
        {"left": left, "right": right, "reason": "两表按人合并后统计服务需求"} for left, right in joins
    ]
    return conclude(hub, scenario_id=scenario.id, header=header, items=items)


def pseudonyms(hub: Hub, licence: Licence, level: ExtractLevel) -> dict[str, set[str]]:
    found = {}
    for table in TABLES:
        extract = climb(hub, licence_id=licence.id, table_id=table, level=level, requester="ky-analyst")
        assert extract.refusal_code == ""
        frame = pl.read_parquet(extract_path(hub, extract))
        for column in COLUMNS:
            found[f"{table}.{column}"] = set(frame[column].drop_nulls())
    return found


def connected(joins: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Pairs that the joins connect, directly or through others."""
    groups = {place: {place} for place in PLACES}
    for left, right in joins:
        merged = groups[left] | groups[right]
        groups |= {place: merged for place in merged}
    yield from ((one, other) for one, other in combinations(PLACES, 2) if groups[one] is groups[other])


@pytest.mark.parametrize("joins", JOINS, ids=["none", "one", "chain"])
def test_pseudonyms_meet_exactly_where_the_licence_lists_the_join(hub: Hub, joins: list[tuple[str, str]]) -> None:
    found = pseudonyms(hub, licensed(hub, joins), ExtractLevel.FULL)
    allowed = set(connected(joins))
    for one, other in combinations(PLACES, 2):
        meet = found[one] & found[other]
        assert (found[one] == found[other]) if (one, other) in allowed else not meet, (one, other)


def test_nothing_of_two_licences_ever_meets(hub: Hub) -> None:
    one, other = (pseudonyms(hub, licensed(hub, JOINS[2]), ExtractLevel.FULL) for _ in range(2))
    for left, right in product(PLACES, PLACES):
        assert not one[left] & other[right]


def test_rungs_of_one_licence_join_as_the_licence_says_and_synthetic_rows_join_with_nobody(hub: Hub) -> None:
    licence = licensed(hub, JOINS[1])
    full = pseudonyms(hub, licence, ExtractLevel.FULL)
    made_up = pseudonyms(hub, licence, ExtractLevel.SYNTHETIC)
    people = set().union(*full.values())
    assert not people & set().union(*made_up.values())


def test_manifest_lists_the_domains_the_joins_and_what_they_mean(hub: Hub) -> None:
    licence = licensed(hub, JOINS[1])
    for level, word in ((ExtractLevel.FULL, "same identifier"), (ExtractLevel.SYNTHETIC, "chance")):
        extract = climb(hub, licence_id=licence.id, table_id="one", level=level, requester="ky-analyst")
        said = extract.manifest["issue"]["joins"]
        assert set(said["domains"]) == set(COLUMNS)
        assert len(set(said["domains"].values())) == 2
        assert said["permitted"] == [["one.citizen", "two.citizen"]]
        assert word in said["meaning"]["en"]


def test_column_without_a_domain_is_never_built(hub: Hub) -> None:
    with pytest.raises(KeyError):
        joined_policy(POLICY.format(table="one"), {"citizen": "x"})
