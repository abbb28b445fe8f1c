"""Licensing rules as tables: scenario, grant, policy, and the question asked at every step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from hub.catalog.model import ColumnClass
from hub.licensing.model import (
    SCENARIO_MOVES,
    LicenceStatus,
    OpinionBody,
    ScenarioStatus,
    Stance,
)
from hub.licensing.rules import (
    LicenceTerms,
    PolicyFacts,
    TableGrant,
    refusals_to_grant,
    refusals_to_policy,
    refusals_to_use,
)
from hub.licensing.scenario_rules import Opinion, refusals_to_decide, refusals_to_file, refusals_to_give_opinion
from hub.people.actor import Actor, OrgKind, Role
from hub.people.rules import HOME, MAY, Verb
from hub.rulebook.packs import pack_version

NOW = datetime(2026, 11, 24, 8, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OFFICER = Actor(person_id="o", org_id="bureau", org_kind=OrgKind.BUREAU, roles=frozenset({Role.BUREAU_OFFICER}))
ADMIN = Actor(person_id="a", org_id="ky", org_kind=OrgKind.OPERATOR, roles=frozenset({Role.LICENSEE_ADMIN}))
ASSESSOR = replace(OFFICER, person_id="assessor")
CAC = Actor(person_id="c", org_id="cac", org_kind=OrgKind.CYBERSPACE, roles=frozenset({Role.CAC_SUPERVISOR}))
EXPERT = Actor(person_id="e", org_id="experts", org_kind=OrgKind.EXPERTS, roles=frozenset({Role.DATA_EXPERT}))
SIGNED = tuple(
    Opinion(body=body, stance=Stance.SUPPORT, given_by=person.person_id)
    for body, person in zip(OpinionBody, (ASSESSOR, CAC, EXPERT), strict=True)
)
CATALOG = {"id": ColumnClass.DIRECT_ID, "age": ColumnClass.QUASI_ID, "note": ColumnClass.FREE_TEXT}
POLICY = PolicyFacts(k=5, classes=CATALOG, dropped=frozenset({"id", "note"}))
TABLE = TableGrant(table_id="t", columns=("age",), catalog=CATALOG, policy=POLICY)
PACK = pack_version("district", "2026.1")
TERMS = LicenceTerms(id="l-0001", status=LicenceStatus.ACTIVE, starts_at=NOW, ends_at=NOW + timedelta(days=10))


def codes(refusals: tuple[object, ...]) -> set[str]:
    return {refusal.rule for refusal in refusals}  # type: ignore[attr-defined]


USES = [
    (LicenceStatus.ACTIVE, NOW - SECOND, {"licence.not_started"}),
    (LicenceStatus.ACTIVE, NOW, set()),
    (LicenceStatus.ACTIVE, NOW + timedelta(days=10) - SECOND, set()),
    (LicenceStatus.ACTIVE, NOW + timedelta(days=10), {"licence.expired"}),
    (LicenceStatus.SUSPENDED, NOW, {"licence.suspended"}),
    (LicenceStatus.SUSPENDED, NOW + timedelta(days=11), {"licence.suspended", "licence.expired"}),
    *((status, NOW, {f"licence.{status}"}) for status in LicenceStatus if status is not LicenceStatus.ACTIVE),
]


@pytest.mark.parametrize(("status", "now", "expected"), USES)
def test_licence_asked_at_a_time(status: LicenceStatus, now: datetime, expected: set[str]) -> None:
    assert codes(refusals_to_use(replace(TERMS, status=status), now)) == expected


GRANTS = [
    ({}, set()),
    ({"actor": ADMIN}, {"role.missing"}),
    ({"scenario_status": ScenarioStatus.FILED}, {"licence.scenario"}),
    ({"scenario_status": ScenarioStatus.REFUSED}, {"licence.scenario"}),
    ({"ends_at": NOW}, {"licence.term", "licence.past"}),
    ({"starts_at": NOW + timedelta(days=9), "ends_at": NOW + timedelta(days=8)}, {"licence.term"}),
    ({"ends_at": NOW + timedelta(days=1826)}, set()),
    ({"ends_at": NOW + timedelta(days=1826, seconds=1)}, {"licence.term"}),
    ({"max_days": 3000, "ends_at": NOW + timedelta(days=1826)}, set()),
    ({"max_days": 3000, "ends_at": NOW + timedelta(days=1826, seconds=1)}, {"licence.term"}),
    ({"max_days": 30}, {"licence.term"}),
    ({"min_reviewers": 1, "reviewers_required": 1}, {"licence.reviewers"}),
    ({"min_reviewers": 3}, {"licence.reviewers"}),
    ({"reviewers_required": 1}, {"licence.reviewers"}),
    ({"document_ref": " "}, {"licence.document"}),
    ({"tables": []}, {"licence.tables"}),
    ({"scenario_tables": ["other"]}, {"licence.tables"}),
    ({"tables": [replace(TABLE, policy=replace(POLICY, k=4))]}, {"licence.policy_k"}),
    ({"now": NOW + timedelta(days=400)}, {"licence.past"}),
]


@pytest.mark.parametrize(("change", "expected"), GRANTS)
def test_terms_of_a_grant(change: dict[str, object], expected: set[str]) -> None:
    terms: dict[str, object] = {
        "actor": OFFICER,
        "scenario_id": "s-0001",
        "scenario_status": ScenarioStatus.APPROVED,
        "scenario_tables": ["t"],
        "tables": [TABLE],
        "starts_at": NOW,
        "ends_at": NOW + timedelta(days=365),
        "reviewers_required": 2,
        "min_reviewers": 2,
        "max_days": 1826,
        "pack": PACK,
        "document_ref": "no. 1",
        "now": NOW,
    }
    assert codes(refusals_to_grant(**{**terms, **change})) == expected  # type: ignore[arg-type]


POLICIES = [
    (TABLE, set()),
    (replace(TABLE, columns=()), {"licence.columns", "licence.policy_scope"}),
    (replace(TABLE, columns=("age", "ghost")), {"licence.columns"}),
    (replace(TABLE, policy=replace(POLICY, dropped=frozenset({"note"}))), {"licence.policy_scope"}),
    (
        replace(TABLE, policy=replace(POLICY, classes={**CATALOG, "id": ColumnClass.NON_SENSITIVE})),
        {"licence.policy_class"},
    ),
    (replace(TABLE, policy=replace(POLICY, classes={"age": ColumnClass.QUASI_ID})), {"licence.policy_columns"}),
]


@pytest.mark.parametrize(("table", "expected"), POLICIES)
def test_policy_against_the_catalog(table: TableGrant, expected: set[str]) -> None:
    assert codes(refusals_to_policy(table, PACK)) == expected


@pytest.mark.parametrize(
    ("actor", "title", "purpose", "tables", "expected"),
    [
        (ADMIN, "t", "for planning", ["t"], set()),
        (OFFICER, "t", "for planning", ["t"], {"role.missing"}),
        (ADMIN, "", "for planning", ["t"], {"scenario.incomplete"}),
        (ADMIN, "t", "short", ["t"], {"scenario.incomplete"}),
        (ADMIN, "t", "for planning", [], {"scenario.tables"}),
        (ADMIN, "t", "for planning", ["draft"], {"scenario.tables"}),
    ],
)
def test_filing_a_scenario(actor: Actor, title: str, purpose: str, tables: list[str], expected: set[str]) -> None:
    found = refusals_to_file(actor=actor, title=title, purpose=purpose, table_ids=tables, published=["t"])
    assert codes(found) == expected


@pytest.mark.parametrize("status", ScenarioStatus)
@pytest.mark.parametrize("to", ScenarioStatus)
def test_scenario_is_decided_once(status: ScenarioStatus, to: ScenarioStatus) -> None:
    found = refusals_to_decide(actor=OFFICER, scenario_id="s", status=status, to=to, reason="because", opinions=SIGNED)
    fits = status is ScenarioStatus.FILED and to is not ScenarioStatus.FILED
    assert codes(found) == (set() if fits else {"scenario.status"})


PERSONS = [
    Actor(person_id="p", org_id="p", org_kind=kind, roles=frozenset({role}))
    for role in Role
    for kind in sorted(HOME[role])  # in one order for every test worker
]


@pytest.mark.parametrize("person", PERSONS, ids=lambda person: f"{person.org_kind}-{min(person.roles)}")
@pytest.mark.parametrize("status", ScenarioStatus)
def test_every_status_and_role_that_is_not_in_the_tables_is_refused(status: ScenarioStatus, person: Actor) -> None:
    [role] = person.roles
    gives = refusals_to_give_opinion(
        actor=person, scenario_id="s", status=status, given=(), compliance="fits the duties", security="isolated, small"
    )
    assert (not gives) == (role in MAY[Verb.GIVE_OPINION] and status is ScenarioStatus.FILED)
    for to in ScenarioStatus:
        decides = refusals_to_decide(
            actor=person, scenario_id="s", status=status, to=to, reason="because", opinions=SIGNED
        )
        assert (not decides) == (role in MAY[Verb.DECIDE_SCENARIO] and to in SCENARIO_MOVES[status])


OPINIONS = [
    (OFFICER, SIGNED, set()),
    (OFFICER, (), {"scenario.opinion_missing"}),
    (OFFICER, SIGNED[:2], {"scenario.opinion_missing"}),
    (OFFICER, (*SIGNED[:2], replace(SIGNED[2], stance=Stance.OPPOSE)), {"scenario.opposed"}),
    (OFFICER, (replace(SIGNED[0], stance=Stance.OPPOSE),), {"scenario.opinion_missing", "scenario.opposed"}),
    (ASSESSOR, SIGNED, {"scenario.own_opinion"}),
]


@pytest.mark.parametrize(("officer", "opinions", "expected"), OPINIONS)
def test_scenario_is_approved_after_three_opinions_and_none_against(
    officer: Actor, opinions: tuple[Opinion, ...], expected: set[str]
) -> None:
    asked = partial(
        refusals_to_decide,
        actor=officer,
        scenario_id="s",
        status=ScenarioStatus.FILED,
        reason="because",
        opinions=opinions,
    )
    assert codes(asked(to=ScenarioStatus.APPROVED)) == expected
    assert codes(asked(to=ScenarioStatus.REFUSED)) == set()


def test_missing_opinions_are_named() -> None:
    found = refusals_to_decide(
        actor=OFFICER,
        scenario_id="s",
        status=ScenarioStatus.FILED,
        to=ScenarioStatus.APPROVED,
        reason="because",
        opinions=SIGNED[:1],
    )
    assert dict(found[0].text.values)["bodies"] == "cyberspace, experts"


GIVING = [
    ({}, set()),
    ({"actor": ASSESSOR}, set()),
    ({"actor": EXPERT}, set()),
    ({"actor": ADMIN}, {"role.missing", "scenario.opinion_body"}),
    ({"actor": replace(CAC, org_kind=OrgKind.OPERATOR)}, {"scenario.opinion_body"}),
    ({"given": {OpinionBody.EXPERTS}}, set()),
    ({"given": {OpinionBody.CYBERSPACE}}, {"scenario.opinion_given"}),
    ({"status": ScenarioStatus.APPROVED}, {"scenario.status"}),
    ({"compliance": "too short"}, {"scenario.opinion_incomplete"}),
    ({"security": "          "}, {"scenario.opinion_incomplete"}),
    ({"security": "ten letter"}, set()),
]


@pytest.mark.parametrize(("change", "expected"), GIVING)
def test_giving_an_opinion(change: dict[str, Any], expected: set[str]) -> None:
    given: dict[str, Any] = {
        "actor": CAC,
        "scenario_id": "s",
        "status": ScenarioStatus.FILED,
        "given": set(),
        "compliance": "fits the duties",
        "security": "isolated, small risk",
    }
    assert codes(refusals_to_give_opinion(**{**given, **change})) == expected


def test_decisions_need_a_reason() -> None:
    found = refusals_to_decide(
        actor=OFFICER, scenario_id="s", status=ScenarioStatus.FILED, to=ScenarioStatus.REFUSED, reason=" "
    )
    assert codes(found) == {"scenario.reason_missing"}
