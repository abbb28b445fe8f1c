"""What an agreement proposes before anybody has typed: a sensible text for every item, which officers read and change.

The texts are in Chinese, the language in which the agreement is signed. Numbers come from the rule pack in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from anonymize.errors import AnonymizeError
from anonymize.policy import parse_policy
from hub.catalog.model import CatalogTable, ColumnClass
from hub.licensing.model import (
    ExtractLevel,
    GrantSource,
    LicenceMode,
    OutsideData,
    PlatformClass,
    ProductForm,
    Scenario,
    SuspensionTrigger,
)
from hub.rulebook.model import Pack
from hub.rulebook.parameters import Parameter

TERM = timedelta(days=365)
PLATFORM = "区公共数据授权运营沙箱"

PLAIN_ITEMS = (
    *("platform", "ownership", "disclosure", "finance", "security"),
    *("evaluation", "breach", "disputes", "change", "other"),
)
"""Items (4) to (13): their fields are plain texts, numbers and choices."""

_FORMS: Mapping[ProductForm, str] = {
    ProductForm.INDEX: "指数与统计",
    ProductForm.REPORT: "分析报告",
    ProductForm.MODEL: "模型",
}


def proposed_header() -> dict[str, Any]:
    """A header by scenario, from a pilot; the document has to be entered."""
    return {
        "mode": LicenceMode.SCENARIO.value,
        "grant_source": GrantSource.PILOT.value,
        "authority": "",
        "document_ref": "",
        "developers": [],
        "renews": "",
    }


def proposed_items(
    *,
    scenario: Scenario,
    tables: Sequence[CatalogTable],
    policies: Mapping[str, str],
    people: Sequence[str],
    starts_at: datetime,
    reviewers: int,
    pack: Pack,
) -> dict[str, Any]:
    """All thirteen items for a scenario.

    Args:
        policies: Table → policy in TOML.
        people: Accounts of the operator's people; the first is proposed as security officer.
    """
    return {
        "scope": {
            "tables": [_table(table, policies.get(table.id, "")) for table in tables],
            "joins": [],
            "security_opinion": "",
            "security_opinion_digest": "",
        },
        "term": {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + TERM).isoformat(),
            "is_renewable": True,
            "start_reason": "",
        },
        "products": {
            "plan": [_product(scenario, form) for form in (ProductForm.INDEX, ProductForm.REPORT)],
            "reviewers": reviewers,
        },
        **_texts(pack, people),
    }


def _table(table: CatalogTable, policy: str) -> dict[str, Any]:
    return {
        "table_id": table.id,
        "columns": proposed_columns(table, policy),
        "row_filter": "全部记录",
        "grain": "一行一条记录",
        "levels": [level.value for level in ExtractLevel],
        "full_in_workspace": False,
        "full_reason": "",
        "update_cycle": table.update_cycle.value,
        "quality": "以数据目录登记的质量情况为准；发现问题的，由数源单位核实并更正。",
        "policy": policy,
    }


def proposed_columns(table: CatalogTable, policy: str) -> list[str]:
    """The columns that the policy keeps; where there is none yet, those that name nobody by themselves."""
    try:
        dropped = {rule.name for rule in parse_policy(policy).columns if rule.technique.name == "drop"}
    except AnonymizeError:
        away = (ColumnClass.DIRECT_ID, ColumnClass.FREE_TEXT)
        dropped = {column.name for column in table.columns if column.column_class in away}
    return [column.name for column in table.columns if column.name not in dropped]


def _product(scenario: Scenario, form: ProductForm) -> dict[str, Any]:
    return {
        "name": _FORMS[form],
        "form": form.value,
        "lane": scenario.lane.value,
        "standard": "每格不少于十个贡献者，计数取整到五",
        "security_review": "机器检查与人工审核均通过，不含任何个人或单户信息",
        "conduct_review": "与场景用途一致，不作超范围使用",
    }


def _texts(pack: Pack, people: Sequence[str]) -> dict[str, Any]:
    hours, years = pack.count(Parameter.INCIDENT_VULNERABILITY_REPORT), pack.count(Parameter.RETENTION_AUDIT)
    return {
        "platform": {
            "platform_id": PLATFORM,
            "environment": PlatformClass.ISOLATED.value,
            "conditions": "仅在平台的隔离环境内开发利用；原始数据不出域，产出经机审、人审后放行。",
        },
        "ownership": {
            "facilities": "平台软硬件归实施机构；运营机构自带的程序归运营机构。",
            "products": "数据产品和服务的权益依法归运营机构；公共数据资源的权属不因授权改变。",
        },
        "disclosure": {
            "items": "授权对象、内容、范围、期限；产品和服务清单及数据资源使用情况。",
            "calendar": "每年三月底前披露上年度情况；产品变动后十个工作日内更新。",
            "redevelopment_ban": True,
        },
        "finance": {
            "accounting_unit": "授权运营单独核算账册",
            "costs": "公益用途产品免费；产业用途产品按不高于上限的价格收费，成本和收入单独核算。",
            "sharing": "收益扣除成本后，按实施机构与运营机构书面约定的比例分配。",
        },
        "security": {
            "duties": "落实数据安全与个人信息保护义务，不试图识别个人，不越权访问。",
            "officer": people[0] if people else "",
            "personnel": list(people),
            "training": "上岗前完成安全培训并签署保密承诺，每年复训；过期即停用。",
            "monitoring": "平台对访问、运行与出域全程留痕，区城运中心监测，区审计局可查。",
            "emergency": "发生安全事件立即停止使用、保留现场、通报实施机构，并按预案处置。",
            "incident_hours": hours,
        },
        "evaluation": {
            "indicators": "场景落地、产品质量、合规与安全、社会效益。",
            "threshold": "年度评价合格方可续期。",
            "exit_steps": "停止使用，封存，销毁脱敏数据包、工作空间与密钥，出具销毁证明和总结报告。",
        },
        "breach": {"clauses": "违反本协议的，责令改正、暂停或终止授权；造成损失的依法赔偿。"},
        "disputes": {"clauses": "先行协商；协商不成的，依法提起诉讼。", "venue": "实施机构所在地人民法院"},
        "change": {
            "conditions": "重大变更按原程序重新决策、签署和备案；变更前的条款保留备查。",
            "suspension_triggers": [trigger.value for trigger in SuspensionTrigger],
            "termination": "期满、双方同意、严重违约或授权依据失效时终止。",
        },
        "other": {
            "outside_data": OutsideData.OPEN_ONLY.value,
            "exports_per_week": pack.count(Parameter.EXPORT_PER_WEEK),
            "retention_years": years,
            "destruction": "期满或终止后销毁，不留副本；存证按期保存。",
        },
    }
