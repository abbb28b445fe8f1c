"""A table that civil affairs got by sharing: visits to community clinics, counted by the health commission.

It is there to be refused: the commission was asked for its consent to a scenario and has not answered (DOMAIN.md §6.4).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from hub.catalog.model import ColumnClass, Grade, OpenType, Origin, ShareType, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft
from hub.demo.catalog import DISCLAIMER

STREETS: Final = ("310107005", "310107014", "310107015", "310107016", "310107017")
BANDS: Final = ("60-69", "70-79", "80+")

VISIT_SUMMARY: Final = TableDraft(
    id="wj_visit_summary",
    title_zh="社区卫生服务就诊汇总（共享获取）",
    title_en="Summary of community clinic visits (shared in)",
    description=(
        f"{DISCLAIMER}。区卫健委共享给区民政局的就诊汇总，一行为一个街道、月份和年龄段。"
        "Demonstration data, unrelated to real people or firms: visits by street, month and age band, shared by the "
        "health commission with civil affairs."
    ),
    owner_org="mz",
    share_type=ShareType.AUTHORIZED,
    share_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十五条",
    open_type=OpenType.NONE,
    open_basis="普陀区公共数据管理办法 第十八条",
    update_cycle=UpdateCycle.MONTHLY,
    state_secret=False,
    columns=(
        ColumnDraft(name="street_code", name_zh="街道（镇）代码", column_class=ColumnClass.QUASI_ID, grade=Grade.L2),
        ColumnDraft(name="month", name_zh="月份", column_class=ColumnClass.QUASI_ID, grade=Grade.L2),
        ColumnDraft(name="age_band", name_zh="年龄段", column_class=ColumnClass.QUASI_ID, grade=Grade.L2),
        ColumnDraft(name="visits", name_zh="就诊人次", column_class=ColumnClass.SENSITIVE_ATTR, grade=Grade.L3),
    ),
    origin=Origin.SHARED_IN,
    provider_org="wj",
)


def write_visit_summary(path: Path) -> None:
    """Write the table as CSV: 180 rows, the same bytes each time.

    Shape: one row a street, month of 2026 and age band; no nulls.
    Units: `visits` counts visits.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in VISIT_SUMMARY.columns])
        for s, street in enumerate(STREETS):
            for month in range(1, 13):
                for b, band in enumerate(BANDS):
                    writer.writerow([street, f"2026-{month:02d}", band, 200 + (s * 37 + month * 11 + b * 53) % 150])
