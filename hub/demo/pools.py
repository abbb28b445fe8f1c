"""What the demonstration district's people and places are drawn from.

Street names and codes are real and public (DOMAIN.md §6.1); every road, building, person and firm below them is
invented, and roads and firms say so by the word 示例. The pools are kept here and not taken from a library, whose
word lists change from release to release and would change the table's bytes with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """One street of the district: its share of the served elders and how old and alone they live.

    `share` is in percent; `older` shifts the ages (0 young to 2 old); `alone` adds to the share that lives alone,
    in thousandths. The three are invented.
    """

    code: str
    name: str
    share: int
    older: int
    alone: int


STREETS: Final = (
    Street(code="310107005", name="曹杨新村街道", share=14, older=2, alone=60),
    Street(code="310107014", name="长风新村街道", share=10, older=1, alone=20),
    Street(code="310107015", name="长寿路街道", share=14, older=1, alone=40),
    Street(code="310107016", name="甘泉路街道", share=10, older=2, alone=50),
    Street(code="310107017", name="石泉路街道", share=11, older=2, alone=30),
    Street(code="310107020", name="宜川路街道", share=12, older=1, alone=30),
    Street(code="310107021", name="万里街道", share=6, older=0, alone=-20),
    Street(code="310107022", name="真如镇街道", share=9, older=1, alone=0),
    Street(code="310107102", name="长征镇", share=8, older=0, alone=0),
    Street(code="310107103", name="桃浦镇", share=6, older=0, alone=-10),
)

ROADS: Final = (
    "青禾", "望江", "听潮", "锦帆", "云杉", "芦汀", "枫桥湾", "石渡", "晴川坊", "银杏里", "水杉", "竹影",
    "春申里", "秋渡", "柳岸", "荷塘", "松风", "桂庭", "梅坞", "兰皋", "雁荡里", "鹤鸣", "燕来", "莺歌",
)  # fmt: skip
"""Names of invented roads; written 示例…路."""

ROADS_A_STREET: Final = 6
BUILDINGS_A_SHARE: Final = 30
"""Invented buildings for each percent of the elders."""

SURNAMES: Final = (
    ("王", 72), ("李", 72), ("张", 68), ("刘", 54), ("陈", 45), ("杨", 31), ("黄", 22), ("赵", 20), ("吴", 20),
    ("周", 20), ("徐", 17), ("孙", 15), ("马", 13), ("朱", 13), ("胡", 13), ("郭", 11), ("何", 11), ("林", 11),
    ("高", 10), ("罗", 10), ("郑", 9), ("梁", 9), ("谢", 8), ("宋", 8), ("唐", 7), ("许", 7), ("韩", 6), ("邓", 6),
    ("冯", 6), ("曹", 6), ("彭", 5), ("曾", 5), ("肖", 5), ("田", 5), ("董", 5), ("潘", 5), ("袁", 5), ("蔡", 5),
    ("蒋", 5), ("余", 5), ("于", 4), ("杜", 4), ("叶", 4), ("程", 4), ("魏", 4), ("苏", 4), ("吕", 4), ("丁", 4),
    ("任", 3), ("卢", 3), ("姚", 3), ("沈", 8), ("钟", 3), ("姜", 3), ("崔", 3), ("谭", 3), ("陆", 8), ("范", 3),
    ("汪", 3), ("石", 3), ("顾", 7), ("施", 4), ("俞", 3), ("戴", 3), ("欧阳", 1), ("诸葛", 1),
)  # fmt: skip
"""Common surnames and rough weights."""

GIVEN_FIRST: Final = {
    True: "国建志德明永文家荣福长兴宝金海根庆汉正伯",
    False: "秀桂玉美月凤素惠淑爱丽珍翠雅慧兰婉佩菊巧",
}
GIVEN_SECOND: Final = {
    True: "强华明平民良康生林祥发忠义成龙峰庭堂毅声",
    False: "英珍芳兰琴娟芬萍华仙妹娣宝琳凤霞云珠莲香",
}
"""Characters of the given names, by `is a man`."""

PROVIDERS: Final = 18
PROVIDERS_A_STREET: Final = 3

PLAIN_NOTES: Final = (
    "上门评估完成，精神状态良好。",
    "血压偏高，已提醒按时服药并复测。",
    "希望增加助餐服务，口味清淡。",
    "行走需要助行器，卫生间建议加装扶手。",
    "听力下降，沟通时需放慢语速。",
    "社区食堂用餐，暂无其他需求。",
    "夜间起床次数多，建议配置感应夜灯。",
    "近期跌倒一次，未见骨折，转介康复评估。",
    "对现有服务满意，维持原方案。",
    "申请助浴，每周一次。",
    "独自外出偶有迷路，建议佩戴定位手环。",
    "住院归来，需短期上门护理。",
)

NOTES_WITH_NUMBER: Final = ("补录身份证号{number}，原表漏填。", "上门核对证件，号码为{number}，信息一致。")
NOTES_WITH_PHONE: Final = ("家属来电{phone}，要求改约周四上午。", "紧急联系人电话更新为{phone}。")
NOTES_WITH_NAME: Final = ("与{name}本人沟通，同意增加助浴。", "{name}自述近期睡眠较差，建议复评。")
NOTES_WITH_ROOM: Final = ("上门地址为{room}，楼道无电梯。", "已搬至{room}，请更新档案。")
NOTES_WITH_BOTH: Final = ("{name}（电话{phone}）希望增加周末送餐。", "请联系{name}，手机{phone}，确认评估时间。")
