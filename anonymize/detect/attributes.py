"""Words of column names that are no identifiers but tell on people all the same, and what each kind is worth.

Source: GB/T 42460-2023 annex B (quasi-identifiers), GB/T 45574-2025 (sensitive personal information), and the project's
tiers L1 public, L2 internal, L3 restricted, L4 highly sensitive. The tiers are defaults; a data steward decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from anonymize.detect.entity import EntityKind
from anonymize.policy import ColumnClass


class Grade(StrEnum):
    """The project's tiers of a field, low to high."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


QUASI_WORDS: Final = (
    "年龄", "性别", "民族", "籍贯", "国籍", "婚姻", "学历", "文化程度", "职业", "岗位", "街道", "居委", "社区",
    "邮编", "网格", "小区", "学校", "班级", "年级", "行业", "户籍", "户口", "入职", "离职", "日期", "时间", "年月",
    "建成年", "面积", "子女", "家庭人数", "age", "sex", "gender", "race", "nationality", "marital", "education",
    "educ", "occupation", "job", "job type", "street", "street code", "district", "grid", "grid id", "zip",
    "zipcode", "postcode", "postal code", "addr code", "school", "school code", "class", "year", "month",
    "children", "yrs married", "years married", "household size", "hukou", "hukou type", "industry",
    "industry code", "area m2", "build year", "xb", "nl", "mz", "xl", "zy", "hyzk", "jd", "nianling", "xingbie",
    "compound id",
)  # fmt: skip
SENSITIVE_WORDS: Final = (
    "疾病", "诊断", "病种", "残疾", "健康", "血型", "传染", "怀孕", "宗教", "信仰", "犯罪", "违法", "处罚", "工资",
    "收入", "薪", "缴费基数", "存款", "余额", "贷款", "欠款", "补贴", "低保", "独居", "征信", "信用", "满意度",
    "租金", "照护", "护理", "费用", "金额", "disease", "diagnosis", "icd", "icd10", "disability",
    "disability level", "health", "blood", "religion", "religious", "crime", "penalty", "penalty amt", "income",
    "salary", "wage", "base amt", "balance", "loan", "debt", "subsidy", "subsidy amt", "living alone",
    "care level", "affairs", "rate marriage", "marriage rating", "rating", "satisfaction", "chronic",
    "chronic flags", "ethnicity", "cost", "rent amt", "unemployment flag", "photo", "biometric", "fingerprint",
)  # fmt: skip
MOST_SENSITIVE_WORDS: Final = (
    "疾病", "诊断", "病种", "残疾", "健康", "传染", "怀孕", "宗教", "信仰", "犯罪", "独居", "民族", "disease",
    "diagnosis", "icd", "icd10", "disability", "disability level", "health", "religion", "religious", "crime",
    "living alone", "affairs", "chronic", "chronic flags", "ethnicity", "photo", "biometric", "fingerprint",
)  # fmt: skip
FREE_TEXT_WORDS: Final = (
    "备注", "描述", "说明", "内容", "诉求", "摘要", "意见", "案情", "情况", "留言", "正文", "content",
    "description", "remark", "remarks", "note", "notes", "comment", "comments", "memo", "text", "message",
    "narrative",
)  # fmt: skip
RECORD_WORDS: Final = (
    "编号", "流水号", "单号", "序号", "id", "no", "number", "code", "uuid", "guid", "key", "bh", "lsh",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a kind of identifier makes of its column."""

    column_class: ColumnClass
    grade: Grade


KINDS: Final[dict[EntityKind, Judgement]] = {
    EntityKind.PERSON: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.ADDRESS: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.ORGANIZATION: Judgement(column_class=ColumnClass.NON_SENSITIVE, grade=Grade.L2),
    EntityKind.CN_RESIDENT_ID: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.CN_CREDIT_CODE: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L2),
    EntityKind.CN_MOBILE: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.CN_LANDLINE: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.BANK_CARD: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.CN_PASSPORT: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.CN_TRAVEL_PERMIT: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.CN_PLATE: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.CN_DRIVING_LICENCE: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.EMAIL: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.WECHAT: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.QQ: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.IP: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.MAC: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L3),
    EntityKind.COORDINATES: Judgement(column_class=ColumnClass.QUASI_ID, grade=Grade.L3),
    EntityKind.DATE_OF_BIRTH: Judgement(column_class=ColumnClass.QUASI_ID, grade=Grade.L3),
    EntityKind.MEDICAL_RECORD: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.SOCIAL_SECURITY: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.PROPERTY_CERT: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
    EntityKind.SCHOOL_ROLL: Judgement(column_class=ColumnClass.DIRECT_ID, grade=Grade.L4),
}
