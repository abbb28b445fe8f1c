"""The demonstration district's scenarios and licences, one in each notable state: expired, in force, suspended, and one
that the bureau has decided on and nobody has signed; and a scenario whose shared-in table has no consent
(DOMAIN.md §6.4). All of it by the real steps; what is there already is left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from hub.context import Hub
from hub.demo.agreement import Signers, conclude, proposal
from hub.demo.catalog import policy_of
from hub.demo.parking import PARKING
from hub.demo.visits import VISIT_SUMMARY
from hub.licensing.actions import decide_scenario, file_scenario, give_opinion, suspend_licence
from hub.licensing.model import Lane, Licence, LicenceStatus, Scenario, Stance
from hub.people.actions import find_person

OFFICER: Final = "bureau-officer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A scenario of one operator and the agreement on it."""

    admin: str
    title: str
    purpose: str
    lane: Lane
    table_id: str
    document: str


OVER: Final = Plan(
    admin="ps-admin",
    title="家庭服务需求研究 / Demand for family services",
    purpose="为社区家庭服务设计提供汇总统计。",
    lane=Lane.INDUSTRY,
    table_id="fair",
    document="演示〔2026〕2号",
)
CURRENT: Final = Plan(
    admin="ky-admin",
    title="养老服务需求分布与站点选址 / Elder-care demand and station siting",
    purpose="按街道与年龄段统计养老服务需求，为站点选址提供评价指数与报告。",
    lane=Lane.PUBLIC,
    table_id="mz_elder_care",
    document="演示〔2026〕1号",
)
SUSPENDED: Final = Plan(
    admin="tg-admin",
    title="停车泊位供需预测 / Supply and demand of parking",
    purpose="按街道、场库类型与时段汇总停放，预测泊位供需。",
    lane=Lane.INDUSTRY,
    table_id=PARKING.id,
    document="演示〔2026〕3号",
)
RENEWAL: Final = "演示〔2026〕4号"
WITHOUT_CONSENT: Final = "老年人就诊与养老服务衔接 / Clinic visits and elder care"


def licensed(hub: Hub, plan: Plan, *, starts: datetime, ends: datetime) -> Licence:
    """The licence of a plan, brought into force."""
    known = _known(hub, plan.document)
    if known is not None:
        return known
    scenario_id = _scenario(hub, plan)
    header, items = proposal(
        hub,
        scenario_id=scenario_id,
        policies={plan.table_id: policy_of(plan.table_id)},
        starts_at=starts,
        ends_at=ends,
        document_ref=plan.document,
    )
    return conclude(hub, scenario_id=scenario_id, header=header, items=items, signers=Signers(operator=plan.admin))


def suspended(hub: Hub, *, starts: datetime, ends: datetime) -> None:
    """The parking licence, suspended."""
    licence = licensed(hub, SUSPENDED, starts=starts, ends=ends)
    if licence.status is LicenceStatus.ACTIVE:
        officer = find_person(hub, OFFICER).actor
        suspend_licence(hub, officer, licence_id=licence.id, reason="年度安全检查发现账号共用，整改完成前暂停。")


def renewed(hub: Hub, over: Licence, *, starts: datetime, ends: datetime) -> None:
    """The renewal of the expired licence: decided on, not signed, with a development entity that will work under it."""
    if _known(hub, RENEWAL) is not None:
        return
    header, items = proposal(
        hub,
        scenario_id=over.scenario_id,
        policies={OVER.table_id: policy_of(OVER.table_id)},
        starts_at=starts,
        ends_at=ends,
        document_ref=RENEWAL,
    )
    header |= {"renews": over.id, "developers": ["moxing"]}
    items["security"]["personnel"].append("mx-analyst")
    conclude(
        hub,
        scenario_id=over.scenario_id,
        header=header,
        items=items,
        signers=Signers(operator=OVER.admin),
        until=LicenceStatus.DELIBERATING,
    )


def without_consent(hub: Hub) -> None:
    """An approved scenario on a shared-in table whose provider has not answered: no agreement can be drafted on it."""
    with hub.reading() as session:
        if session.scalar(select(Scenario.id).where(Scenario.title == WITHOUT_CONSENT)) is not None:
            return
    scenario = file_scenario(
        hub,
        find_person(hub, "ky-admin").actor,
        title=WITHOUT_CONSENT,
        purpose="按街道与年龄段汇总就诊人次，衔接养老服务。",
        lane=Lane.PUBLIC,
        table_ids=[VISIT_SUMMARY.id],
    )
    _approve(hub, scenario.id, reason="演示场景，待提供部门同意后起草协议。")


def give_opinions(hub: Hub, scenario_id: str) -> None:
    """The three bodies sign, each by its own person."""
    for person in ("bureau-assessor", "cac-supervisor", "data-expert"):
        give_opinion(
            hub,
            find_person(hub, person).actor,
            scenario_id=scenario_id,
            stance=Stance.SUPPORT,
            compliance="用途与法定职责相符，数据范围为场景所必需。",
            security="数据在隔离环境内使用，产出经机审与人审后放行，风险可控。",
        )


def _known(hub: Hub, document: str) -> Licence | None:
    with hub.reading() as session:
        return session.scalar(select(Licence).where(Licence.document_ref == document))


def _scenario(hub: Hub, plan: Plan) -> str:
    scenario = file_scenario(
        hub,
        find_person(hub, plan.admin).actor,
        title=plan.title,
        purpose=plan.purpose,
        lane=plan.lane,
        table_ids=[plan.table_id],
    )
    return _approve(hub, scenario.id, reason="演示场景，用途明确，风险可控。")


def _approve(hub: Hub, scenario_id: str, *, reason: str) -> str:
    give_opinions(hub, scenario_id)
    officer = find_person(hub, OFFICER).actor
    return decide_scenario(hub, officer, scenario_id=scenario_id, approve=True, reason=reason).id
