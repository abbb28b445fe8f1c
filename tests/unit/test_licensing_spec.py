"""The tables of `tests/specs/licensing.md`, asked of the rules of scenarios, agreements, steps and joins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

import pytest

from hub.catalog.model import CatalogTable, ColumnClass, UpdateCycle
from hub.errors import Refusal
from hub.licensing.contract import Contract, Join, Parties
from hub.licensing.linkage import JoinFacts, domain_labels, refusals_of_joins
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    Lane,
    LicenceStatus,
    OpinionBody,
    OutsideData,
    ProductForm,
    Scenario,
    ScenarioStatus,
    SigningSide,
    Stance,
    SuspensionTrigger,
)
from hub.licensing.moves import (
    LicenceFacts,
    refusals_to_deliberate,
    refusals_to_enter_filing,
    refusals_to_move,
    refusals_to_put_in_force,
    refusals_to_revise,
    refusals_to_sign,
)
from hub.licensing.proposal import proposed_header, proposed_items
from hub.licensing.reading import read_draft
from hub.licensing.rules import (
    LicenceTerms,
    PolicyFacts,
    TableGrant,
    is_expiring,
    refusals_to_grant,
    refusals_to_policy,
    refusals_to_use,
)
from hub.licensing.scenario_rules import Opinion, refusals_to_decide, refusals_to_file, refusals_to_give_opinion
from hub.licensing.terms import (
    Agreed,
    Renewed,
    Surroundings,
    compile_terms,
    refusals_of_agreement,
    refusals_of_start,
    refusals_to_offer,
)
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import Verb
from hub.rulebook.model import Pack
from hub.rulebook.packs import pack_version
from hub.rulebook.parameters import Parameter
from tests.spec_tables import Row, rows

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TODAY = date(2026, 11, 24)
PACK = pack_version("district", "2026.1")
DIGEST, MINUTES = "a" * 64, "b" * 64
OFFICER = Actor(
    person_id="另一经办人", org_id="区数据局", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER})
)
ADMIN = Actor(person_id="管理员", org_id="康养服务", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
CAC = Actor(person_id="监督员", org_id="网信办", org_kind=OrgKind.CYBERSPACE, roles=frozenset({Role.CAC_SUPERVISOR}))
CATALOG = {"证件号": ColumnClass.DIRECT_ID, "年龄": ColumnClass.QUASI_ID, "记录": ColumnClass.FREE_TEXT}


def file(row: Row) -> Sequence[Refusal]:
    return refusals_to_file(
        actor=row.actor(ADMIN),
        title=row.text("title", "站点选址"),
        purpose=row.text("purpose", "按街道统计养老服务需求并选址"),
        table_ids=row.texts("tables", ["养老"]),
        published=row.texts("published", ["养老", "停车"]),
        secret=row.texts("barred"),
    )


def opine(row: Row) -> Sequence[Refusal]:
    return refusals_to_give_opinion(
        actor=row.actor(CAC),
        scenario_id="s-0001",
        status=row.word("state", ScenarioStatus, ScenarioStatus.FILED),
        given=row.words("given", OpinionBody),
        compliance=row.text("compliance", "与法定职责相符，范围必需"),
        security=row.text("security", "在隔离环境内使用，风险可控"),
    )


def decide(row: Row) -> Sequence[Refusal]:
    opposed = row.words("against", OpinionBody)
    heard = [*row.words("in favour", OpinionBody, list(OpinionBody)), *opposed]
    signers = {OpinionBody.BUREAU: "区数据局签署人"}
    return refusals_to_decide(
        actor=row.actor(OFFICER),
        scenario_id="s-0001",
        status=row.word("state", ScenarioStatus, ScenarioStatus.FILED),
        to=row.word("to", ScenarioStatus, ScenarioStatus.APPROVED),
        reason=row.text("reason", "用途明确"),
        opinions=[
            Opinion(
                body=body,
                stance=Stance.OPPOSE if body in opposed else Stance.SUPPORT,
                given_by=signers.get(body, "他人"),
            )
            for body in heard
        ],
    )


def grant_of(table: str) -> TableGrant:
    policy = PolicyFacts(k=5, classes=CATALOG, dropped=frozenset({"证件号", "记录"}))
    return TableGrant(table_id=table, columns=("年龄",), catalog=CATALOG, policy=policy)


def terms(row: Row) -> Sequence[Refusal]:
    return refusals_to_grant(
        actor=row.actor(OFFICER),
        scenario_id="s-0001",
        scenario_status=row.word("state of the scenario", ScenarioStatus, ScenarioStatus.APPROVED),
        scenario_tables=row.texts("tables of the scenario", ["养老"]),
        tables=[grant_of(table) for table in row.texts("tables", ["养老"])],
        starts_at=row.moment("starts", NOW),
        ends_at=row.moment("ends", datetime(2027, 11, 24, tzinfo=UTC)),
        reviewers_required=row.number("reviewers", 2),
        min_reviewers=2,
        max_days=1826,
        document_ref=row.text("document", "某文〔2026〕1号"),
        now=NOW,
        pack=PACK,
    )


def policy(row: Row) -> Sequence[Refusal]:
    named = row.texts("named by the policy", list(CATALOG))
    classes = {**CATALOG, "证件号": row.word("class of the id column", ColumnClass, ColumnClass.DIRECT_ID)}
    facts = PolicyFacts(
        k=row.number("k", 5),
        classes={name: classes[name] for name in named},
        dropped=frozenset(row.texts("dropped", ["证件号", "记录"])),
    )
    grant = TableGrant(table_id="养老", columns=row.texts("licensed", ["年龄"]), catalog=CATALOG, policy=facts)
    return refusals_to_policy(grant, PACK)


def use(row: Row) -> Sequence[Refusal]:
    asked = LicenceTerms(
        id="l-0001",
        status=row.word("state", LicenceStatus, LicenceStatus.ACTIVE),
        starts_at=NOW,
        ends_at=datetime(2027, 11, 24, tzinfo=UTC),
        secret_tables=row.texts("barred"),
    )
    return refusals_to_use(asked, row.moment("time", NOW))


def contract(row: Row) -> Contract:
    scenario = Scenario(id="s-0001", lane=Lane.PUBLIC)
    table = CatalogTable(id="养老", update_cycle=UpdateCycle.MONTHLY, columns=[])
    items = proposed_items(
        scenario=scenario,
        tables=[table],
        policies={"养老": "x = 1"},
        people=["管理员"],
        starts_at=NOW,
        reviewers=2,
        pack=PACK,
    )
    [scope] = items["scope"]["tables"]
    scope["columns"] = ["年龄"]
    scope["full_in_workspace"] = row.yes("full in workspace", default=False)
    scope["full_reason"] = row.text("reason")
    scope["levels"] = [level.value for level in row.words("levels", ExtractLevel, list(ExtractLevel))]
    product = items["products"]["plan"][0]
    lane = row.word("lane", Lane, Lane.PUBLIC)
    items["products"]["plan"] = [
        product | {"name": name, "lane": lane.value} for name in row.texts("products", ["需求指数"])
    ]
    items["disclosure"]["redevelopment_ban"] = row.yes("ban on redevelopment", default=True)
    items["security"]["officer"] = row.text("security officer", "管理员")
    items["security"]["personnel"] = list(row.texts("personnel", ["管理员"]))
    items["security"]["incident_hours"] = row.number("incident hours", 24)
    items["other"]["retention_years"] = row.number("retention", 5)
    header = proposed_header() | {
        "grant_source": row.word("source", GrantSource, GrantSource.PILOT).value,
        "authority": row.text("authority"),
        "document_ref": "某文〔2026〕1号",
        "developers": list(row.texts("developers")),
        "renews": row.text("renews"),
    }
    read = read_draft(header, items)
    parties = Parties(
        licence_no="l-0002",
        version=1,
        scenario_id="s-0001",
        purpose="按街道统计",
        lane=Lane.PUBLIC,
        implementing_body="区数据局",
        operator_org="康养服务",
        operator_uscc=row.text("credit code", "91990107MA00000016"),
    )
    return Contract(parties=parties, header=read[0], items=read[1])


def stricter(hours: int) -> Pack:
    """The pack with other hours for incidents."""
    value = PACK.values[Parameter.INCIDENT_VULNERABILITY_REPORT]
    values = {**PACK.values, Parameter.INCIDENT_VULNERABILITY_REPORT: replace(value, amount=Decimal(hours))}
    return replace(PACK, values=MappingProxyType(values))


def start(row: Row) -> Sequence[Refusal]:
    asked = contract(row)
    given = {"starts_at": row.moment("starts", NOW), "start_reason": row.text("reason")}
    term = replace(asked.items.term, **given)  # type: ignore[arg-type]
    return refusals_of_start(replace(asked, items=replace(asked.items, term=term)), TODAY)


def agreement(row: Row) -> Sequence[Refusal]:
    asked = contract(row)
    old = Renewed(
        id="l-0001",
        operator_org=row.text("operator of the old", "康养服务"),
        status=row.word("state of the old", LicenceStatus, LicenceStatus.ACTIVE),
        is_renewable=row.yes("renewable", default=True),
    )
    people: Mapping[str, str] = {"管理员": "康养服务", "开发者": "模型工坊"}
    around = Surroundings(people=people, attached=("模型工坊",), renewed=old if asked.header.renews == old.id else None)
    return refusals_of_agreement(asked, around, stricter(row.number("hours of the pack", 24)))


FACTS = LicenceFacts(
    id="l-0001",
    status=LicenceStatus.DRAFTING,
    digest=DIGEST,
    drafted_by="草拟人",
    implementing_body="区数据局",
    operator_org="康养服务",
    signed_on=date(2026, 11, 20),
)


def step(row: Row) -> Sequence[Refusal]:
    facts = replace(FACTS, status=row.word("state", LicenceStatus, LicenceStatus.ACTIVE))
    verb, actor, reason = row.word("act", Verb, Verb.GRANT_LICENCE), row.actor(OFFICER), row.text("reason", "年度检查")
    if verb is Verb.DRAFT_LICENCE:
        return refusals_to_revise(facts, actor, reason=reason)
    if verb is Verb.GRANT_LICENCE:
        return refusals_to_put_in_force(facts, actor)
    return refusals_to_move(facts, actor, verb, reason=reason)


def read_version(row: Row) -> str:
    return {"当前版本": DIGEST, "旧版本": "c" * 64}[row.text("version read", "当前版本")]


def deliberate(row: Row) -> Sequence[Refusal]:
    return refusals_to_deliberate(
        FACTS,
        row.actor(OFFICER),
        digest=read_version(row),
        meeting=row.text("meeting", "党组会"),
        held_on=row.day("day", TODAY),
        today=TODAY,
        attendees=row.texts("attendees", ["局长", "分管副局长"]),
        names={"某经办人"},
        minutes_digest=MINUTES if row.yes("minutes", default=True) else "",
    )


def sign(row: Row) -> Sequence[Refusal]:
    facts = replace(FACTS, status=LicenceStatus.DELIBERATING, signed=frozenset(row.words("signed", SigningSide)))
    return refusals_to_sign(facts, row.actor(OFFICER), digest=read_version(row))


def filing(row: Row) -> Sequence[Refusal]:
    facts = replace(FACTS, status=LicenceStatus.SIGNED)
    number, day = row.text("number", "备〔2026〕1号"), row.day("day", TODAY)
    return refusals_to_enter_filing(facts, row.actor(OFFICER), filing_no=number, filed_on=day, today=TODAY)


def offer(row: Row) -> Sequence[Refusal]:
    planned = row.words("planned", ProductForm, [ProductForm.INDEX])
    agreed = Agreed(
        tables=(),
        joins=(),
        product_plan=tuple((form, Lane.PUBLIC) for form in planned),
        redevelopment_ban=True,
        outside_data=OutsideData.FORBIDDEN,
        exports_per_week=row.number("quota", 3),
        security_officer="管理员",
        personnel=frozenset({"管理员"}),
        suspension_triggers=frozenset(SuspensionTrigger),
    )
    return refusals_to_offer(
        "l-0001",
        agreed,
        form=row.word("form", ProductForm, ProductForm.INDEX),
        lane=row.word("lane", Lane, Lane.PUBLIC),
        submitted_in_week=row.number("submitted this week", 0),
    )


KINDS = {"养老.证件号": "人", "医疗.证件号": "人", "民政.证件号": "人", "法人.证件号": "人", "停车.车牌": "车"}
DEPARTMENTS = {"养老": "民政局", "民政": "民政局", "医疗": "卫健委", "法人": "市场监管局", "停车": "城管局"}


def join(row: Row) -> Sequence[Refusal]:
    pairs = [pair.split("=") for pair in row.texts("joins", ["养老.证件号=医疗.证件号"])]
    reason, opinion = row.text("reason", "同一老人的照护与就诊情况"), row.yes("security opinion", default=True)
    facts = JoinFacts(
        licence_id="l-0001",
        joins=tuple(Join(left=left, right=right, reason=reason) for left, right in pairs),
        licensed=frozenset({*KINDS, "养老.年龄", "医疗.年龄"}),
        kinds=KINDS,
        departments={table: frozenset({owner}) for table, owner in DEPARTMENTS.items()},
        security_opinion="安全意见1号" if opinion else "",
        security_opinion_digest=MINUTES if opinion else "",
    )
    return refusals_of_joins(facts, PACK)


ASKED = {
    "file": file,
    "opine": opine,
    "decide": decide,
    "terms": terms,
    "policy": policy,
    "use": use,
    "agreement": agreement,
    "start": start,
    "step": step,
    "deliberate": deliberate,
    "sign": sign,
    "filing": filing,
    "offer": offer,
    "join": join,
}


@pytest.mark.parametrize("row", rows("licensing"), ids=str)
def test_licensing_as_its_tables_say(row: Row) -> None:
    row.holds(ASKED)


def test_terms_are_compiled_from_the_items() -> None:
    [row] = [one for one in rows("licensing") if one.code == "licence.redevelopment" and one.allowed]
    agreed = compile_terms(contract(row))
    assert agreed.product_plan == ((ProductForm.INDEX, Lane.PUBLIC),)
    assert (agreed.redevelopment_ban, agreed.security_officer, agreed.exports_per_week) == (True, "管理员", 3)
    assert agreed.personnel == {"管理员"}
    assert [(table.table_id, table.levels) for table in agreed.tables] == [("养老", frozenset(ExtractLevel))]


def test_licence_in_force_expires_within_ninety_days() -> None:
    ends = NOW + timedelta(days=90)
    asked = LicenceTerms(id="l-0001", status=LicenceStatus.ACTIVE, starts_at=NOW, ends_at=ends)
    second = timedelta(seconds=1)
    assert [is_expiring(asked, now, PACK) for now in (NOW - second, NOW, ends - second, ends)] == [
        *(False, True, True, False)
    ]
    assert not is_expiring(replace(asked, status=LicenceStatus.SUSPENDED), NOW, PACK)


def test_join_to_a_column_that_is_no_pseudonym_brings_nothing_together() -> None:
    assert domain_labels(["a.id", "b.id"], [("a.id", "b.age"), ("a.id", "b.id")]) == {
        "a.id": "a.id=b.id",
        "b.id": "a.id=b.id",
    }
    assert domain_labels(["a.id", "b.id"], [("a.id", "b.age")]) == {"a.id": "a.id", "b.id": "b.id"}
