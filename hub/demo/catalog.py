"""What the two departments say of the demonstration tables when they register them.

Source of classes and grades of `mz_elder_care`: DOMAIN.md §6.2, table 1, with two columns judged more strictly: a
record number that stays with an elder is a direct identifier, and so is an address code that names one building.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hub.catalog.model import ColumnClass, Grade, OpenType, ShareType, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft

POLICIES: Final = Path(__file__).with_name("policies")

DISCLAIMER: Final = "演示数据,与真实个人和企业无关"
"""Stands in the description of every generated table (DOMAIN.md §6.1)."""

_D, _Q = ColumnClass.DIRECT_ID, ColumnClass.QUASI_ID
_S, _T, _N = ColumnClass.SENSITIVE_ATTR, ColumnClass.FREE_TEXT, ColumnClass.NON_SENSITIVE
_L2, _L3, _L4 = Grade.L2, Grade.L3, Grade.L4


def _columns(*rows: tuple[str, str, ColumnClass, Grade]) -> tuple[ColumnDraft, ...]:
    return tuple(
        ColumnDraft(name=name, name_zh=name_zh, column_class=column_class, grade=grade)
        for name, name_zh, column_class, grade in rows
    )


ELDER_CARE: Final = TableDraft(
    id="mz_elder_care",
    title_zh="养老服务对象与补贴",
    title_en="Elder-care recipients and subsidies",
    description=(
        f"{DISCLAIMER}。本区接受养老服务或照护评估的老年人，一行一条档案，截至 2026 年 10 月。"
        "Demonstration data, unrelated to real people or firms: elders who are served or were assessed, one record a "
        "row, as of October 2026."
    ),
    owner_org="mz",
    share_type=ShareType.AUTHORIZED,
    share_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十五条",
    open_type=OpenType.NONE,
    open_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十七条",
    update_cycle=UpdateCycle.MONTHLY,
    state_secret=False,
    columns=_columns(
        ("elder_id", "档案编号", _D, _L3),
        ("name", "姓名", _D, _L3),
        ("id_no", "公民身份号码", _D, _L4),
        ("birth_date", "出生日期", _Q, _L3),
        ("gender", "性别代码", _Q, _L2),
        ("phone", "联系电话", _D, _L3),
        ("addr_full", "居住地址", _D, _L3),
        ("addr_code", "标准地址编码", _D, _L3),
        ("street_code", "街道（镇）代码", _Q, _L2),
        ("living_alone", "是否独居", _S, _L4),
        ("disability_level", "失能等级", _S, _L4),
        ("care_level", "照护等级", _S, _L3),
        ("subsidy_amt", "月补贴金额（元）", _S, _L3),
        ("provider_uscc", "服务机构统一社会信用代码", _Q, _L2),
        ("guardian_phone", "监护人电话", _D, _L3),
        ("assessed_on", "评估日期", _Q, _L2),
        ("visit_note", "走访记录", _T, _L4),
    ),
)

FAIR: Final = TableDraft(
    id="fair",
    title_zh="婚姻满意度调查微观数据",
    title_en="Survey microdata on marriage satisfaction",
    description=(
        "1974 年一家杂志对 6,366 名女性读者的问卷（Fair 1978），为公开的教学数据，不含姓名；由统计部门代管，用于演示。"
        "Answers of 6,366 women to a magazine's survey of 1974 (Fair 1978), a public teaching data set without names, "
        "kept here by the statistics department for the demonstration."
    ),
    owner_org="tj",
    share_type=ShareType.AUTHORIZED,
    share_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十五条",
    open_type=OpenType.NONE,
    open_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十七条",
    update_cycle=UpdateCycle.ONCE,
    state_secret=False,
    columns=_columns(
        ("rate_marriage", "婚姻评分", _S, _L3),
        ("age", "年龄", _Q, _L2),
        ("yrs_married", "婚龄（年）", _Q, _L2),
        ("children", "子女数", _Q, _L2),
        ("religious", "宗教虔诚程度", _S, _L4),
        ("educ", "受教育年限", _Q, _L2),
        ("occupation", "职业", _Q, _L2),
        ("occupation_husb", "丈夫职业", _Q, _L2),
        ("affairs", "婚外关系时间", _S, _L4),
    ),
)

DRAFTS: Final = (ELDER_CARE, FAIR)


def policy_of(table_id: str) -> str:
    """The policy that the demonstration licences use for a table."""
    return (POLICIES / f"{table_id}.toml").read_text(encoding="utf-8")
