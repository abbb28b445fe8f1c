"""Names of firms and institutions, in columns only: by the column's name or by the legal form at the end of the
cell.
"""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Recognizer

_FORMS = (
    "有限责任公司|股份有限公司|有限公司|公司|事务所|合作社|合伙企业"
    "|个体工商户|工作室|经营部|商行|分行|支行|医院|学校|幼儿园|研究院|协会|基金会"
)


class Organization(Recognizer):
    """Text that ends in a legal form or a kind of institution."""

    kind = EntityKind.ORGANIZATION
    headers = (
        "单位名称", "企业名称", "公司名称", "机构名称", "工作单位", "商户名称", "qymc", "dwmc", "gsmc", "company",
        "employer", "unit name", "org name", "company name",
    )  # fmt: skip
    cell_pattern = rf"^[\x{{4e00}}-\x{{9fff}}A-Za-z0-9()（）·]{{2,40}}(?:{_FORMS})$"
