"""A small table of parking sessions, so that the parking operator's licence is about something of its own.

It is there to be suspended: the licence on it shows that nothing works under a suspended licence (DOMAIN.md §6.4).
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

from hub.catalog.model import ColumnClass, Grade, OpenType, ShareType, UpdateCycle
from hub.catalog.rules import ColumnDraft, TableDraft
from hub.demo.catalog import DISCLAIMER

STREETS: Final = ("310107005", "310107014", "310107015", "310107016", "310107017")
KINDS: Final = ("路侧", "公共", "配建")
BANDS: Final = ("00-06", "06-12", "12-18", "18-24")

_D, _Q, _N = ColumnClass.DIRECT_ID, ColumnClass.QUASI_ID, ColumnClass.NON_SENSITIVE

PARKING: Final = TableDraft(
    id="cg_session",
    title_zh="停车记录",
    title_en="Parking sessions",
    description=(
        f"{DISCLAIMER}。本区停车场库一周的停车记录，一行为一次停放。车牌为不会发放的号段。"
        "Demonstration data, unrelated to real people or firms: a week of parking, one stay a row; the plates are of a "
        "range that is never issued."
    ),
    owner_org="cg",
    share_type=ShareType.AUTHORIZED,
    share_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十五条",
    open_type=OpenType.NONE,
    open_basis="中华人民共和国个人信息保护法 第二十八条；普陀区公共数据管理办法 第十七条",
    update_cycle=UpdateCycle.DAILY,
    state_secret=False,
    columns=(
        ColumnDraft(name="plate_no", name_zh="车牌号", column_class=_D, grade=Grade.L4),
        ColumnDraft(name="street_code", name_zh="街道（镇）代码", column_class=_Q, grade=Grade.L2),
        ColumnDraft(name="lot_type", name_zh="场库类型", column_class=_Q, grade=Grade.L2),
        ColumnDraft(name="hour_band", name_zh="入场时段", column_class=_Q, grade=Grade.L2),
        ColumnDraft(name="minutes", name_zh="停放时长（分钟）", column_class=_N, grade=Grade.L2),
    ),
)


def write_parking(path: Path) -> None:
    """Write the table as CSV: 1,200 rows, the same bytes each time.

    Shape: one stay a row, 20 for each street, kind of lot and band of hours; no nulls.
    Units: `minutes`.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in PARKING.columns])
        for n in range(1200):
            street, kind, band = STREETS[n % 5], KINDS[n // 5 % 3], BANDS[n // 15 % 4]
            writer.writerow([f"沪I{(n * 7919) % 100000:05d}", street, kind, band, 15 + (n * 131) % 400])
