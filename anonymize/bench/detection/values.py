"""What fills a slot of a template: made-up people, places, firms and numbers that belong to nobody.

Identity numbers and credit codes lie in a division that does not exist (990107), telephones in segments that are not
assigned (154, 161), plates have the letter I, mail goes to a reserved domain, cards begin with 620000.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from faker import Faker

from anonymize.detect.checksums import credit_check, luhn_check, resident_check
from anonymize.detect.entity import EntityKind

_CREDIT_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What stands in a slot. `room`: where in it the part below the street begins; `valid`: its check digit is right."""

    text: str
    kind: EntityKind
    room: int | None = None
    valid: bool | None = None


class Maker:
    """Draws values; the same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - made-up values, no secrets
        self._faker = Faker("zh_CN")
        self._faker.seed_instance(seed)

    def value(self, slot: str) -> Value:
        """One value for a slot; an unknown slot is a KeyError."""
        return _SLOTS[slot](self)

    def pick(self, choices: str) -> str:
        return self.random.choice(choices.split())

    def digits(self, count: int) -> str:
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def name(self) -> str:
        if self.random.random() < 0.6:
            return str(self._faker.name())
        given = [self.pick(_GIVEN) for _ in range(2 if self.random.random() < 0.75 else 1)]
        return self.pick(_SURNAMES) + "".join(given)

    def company(self) -> str:
        if self.random.random() < 0.3:
            return str(self._faker.company())
        return self.pick(_CITIES) + self.pick(_BRANDS) + self.pick(_TRADES) + self.pick(_FORMS)


_SURNAMES: Final = (
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 "
    "魏 薛 叶 阎 余 潘 杜 戴 夏 钟 汪 田 任 姜 范 方 石 姚 谭 廖 邹 熊 金 陆 郝 孔 白 崔 康 毛 邱 秦 江 史 顾 侯 邵 孟 龙 万 段 雷 钱 汤 尹 黎 易 常 武 "
    "乔 贺 赖 龚 文 庞 樊 殷 施 陶 洪 翟 安 颜 倪 严 牛 温 芦 季 俞 章 鲁 葛 伍 韦 申 尤 毕 聂 欧阳 上官 司马 诸葛 皇甫 尉迟 夏侯 端木"
)
_GIVEN: Final = (
    "建 国 志 强 秀 英 桂 兰 丽 娟 海 燕 晓 东 春 梅 文 涛 鹏 飞 雪 婷 子 涵 浩 然 宇 轩 梓 萱 思 远 淑 珍 玉 根 福 林 妹 水 生 宝 金 龙 凤 霞 芬 "
    "荣 华 明 德 忠 义 永 庆 长 顺 新 民 红 卫 军 爱 珠 美 佳 怡 若 曦 可 欣 嘉 豪 俊 杰 博 睿 天 佑 倩 琳 琪 瑶 毅 勇 斌 磊 亮 刚 平 伟 洁 敏 静"
)
_MINORITY: Final = (
    "阿依古丽·买买提 努尔兰·哈布力 巴特尔·额尔德尼 迪丽娜尔·阿不都拉 玉素甫·卡德尔 热依汗·依明 帕尔哈提·艾尔肯 才让·多吉 其其格·乌兰 木合塔尔·赛买提 "
    "迈克尔·约翰逊 安娜·彼得罗娃 让·皮埃尔·杜邦 玛丽亚·冈萨雷斯 大卫·史密斯 伊万·索科洛夫 索菲亚·穆勒 卡洛斯·费尔南德斯 穆罕默德·萨利赫 艾米丽·威尔逊"
)
_CITIES: Final = "上海 上海市 苏州 杭州市 南京 宁波 合肥市 无锡 嘉兴 常州"
_BRANDS: Final = "恒润 佳禾 亿顺 博远 汇丰源 天逸 锦鸿 诚泰 悦享 金栀 绿野 云翔 蓝桥 万舟 瑞德 星澜 民乐 康宁达 百家惠 乐居"
_TRADES: Final = "物业管理 装饰工程 健身服务 餐饮管理 信息科技 教育培训 家政服务 房地产经纪 网络技术 食品 建筑安装 汽车维修 医疗器械 文化传播 电子商务"
_FORMS: Final = "有限公司 有限公司 有限责任公司 股份有限公司 有限公司第二分公司"
_TITLED: Final = "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 林 何 郭 罗 梁 宋 郑 谢 韩 唐 冯 董 程 曹 袁 邓 许 沈 彭 蒋 蔡 魏 薛 潘 杜 戴 欧阳 上官"
_DISTRICTS: Final = "普陀区 静安区 徐汇区 浦东新区 闵行区 虹口区 杨浦区 长宁区 宝山区 松江区 上海市普陀区 上海市黄浦区 上海市嘉定区"
_ROADS: Final = "金沙江路 宜川路 枣阳路 延长西路 管弄路 华池路 清涧路 白兰路 大渡河路 芝川路 真光路 新村路 东新支路 中山北路 祁连山南路 武威东路"
_ESTATES: Final = "沁心佳园 河滨香景园 明珠公寓 金鼎花苑 未来街区 祥和名邸 中远两湾城 锦绣里 桃浦六村 梅川二街坊 半岛华庭 百合苑 曹安新村 品尊国际公寓 海棠小区"
_FAR: Final = (
    "江苏省盐城市阜宁县陈集镇 安徽省阜阳市颍上县江口镇 河南省信阳市固始县蒋集镇 浙江省绍兴市诸暨市枫桥镇 四川省南充市仪陇县马鞍镇 湖北省黄冈市麻城市白果镇 "
    "江西省上饶市鄱阳县油墩街镇"
)
_VILLAGES: Final = "前进村 大李庄村 新河村 石桥村 柳树屯 张家湾村"


def _address(maker: Maker) -> Value:
    number = maker.random.randint
    shape = number(0, 9)
    head = maker.pick(_DISTRICTS) if number(0, 2) else ""
    road, estate = maker.pick(_ROADS), maker.pick(_ESTATES)
    lane, house, room = number(3, 1999), number(1, 180), number(1, 28) * 100 + number(1, 12)
    front, chain = {
        0: (head + road, f"{lane}弄{house}号{room}室"),
        1: (head + road, f"{lane}弄{house}号{room}"),
        2: (head + road + f"{lane}号" + estate, f"{house}号楼{room}室"),
        3: (head + estate, f"{house}栋{number(1, 4)}单元{room}室"),
        4: (head + estate, f"{house}幢{room}"),
        5: (head + road, f"{lane}号{number(2, 30)}楼{maker.pick('A B C D E')}座"),
        6: (maker.pick(_FAR) + maker.pick(_VILLAGES), f"{maker.pick('一 二 三 四 五 六 七')}组{house}号"),
        7: (head + road, f"{lane}弄{house}支弄{number(1, 60)}号{maker.pick('前楼 亭子间 底楼 后客堂')}"),
        8: (head + estate, f"{house}-{number(1, 4)}-{room}"),
        9: (maker.pick(_DISTRICTS) + road, f"{lane}弄（{estate}）{house}号{room}室"),
    }[shape]
    return Value(text=front + chain, kind=EntityKind.ADDRESS, room=len(front))


def _masked(maker: Maker) -> Value:
    return Value(text=maker.pick(_TITLED) + maker.pick("某 某某 某甲 某乙 某丙 ×× 某1 某A"), kind=EntityKind.PERSON)


def _checked(maker: Maker, *, front: str, letters: str, right: Callable[[str], bool]) -> tuple[str, bool]:
    """A number with the right last character, or, every other time, with a wrong one."""
    wanted = maker.random.random() < 0.5
    return next(front + last for last in maker.random.sample(letters, len(letters)) if right(front + last) is wanted), wanted


def _resident_id(maker: Maker) -> Value:
    if maker.random.random() < 0.12:
        old = f"990107{maker.random.randint(20, 99)}{_month_day(maker)}{maker.digits(3)}"
        return Value(text=old, kind=EntityKind.CN_RESIDENT_ID)
    front = f"{maker.pick('990107 990107 830000 810000')}{maker.random.randint(1935, 2015)}{_month_day(maker)}{maker.digits(3)}"
    number, valid = _checked(maker, front=front, letters="0123456789X", right=resident_check)
    number = maker.random.choice((number, number, number.lower(), f"{number[:6]} {number[6:14]} {number[14:]}"))
    return Value(text=number, kind=EntityKind.CN_RESIDENT_ID, valid=valid)


def _month_day(maker: Maker) -> str:
    return f"{maker.random.randint(1, 12):02d}{maker.random.randint(1, 28):02d}"


def _credit_code(maker: Maker) -> Value:
    front = f"{maker.pick('91 92 52 12')}990107MA{''.join(maker.random.choice(_CREDIT_LETTERS) for _ in range(7))}"
    code, valid = _checked(maker, front=front, letters=_CREDIT_LETTERS, right=credit_check)
    return Value(text=code, kind=EntityKind.CN_CREDIT_CODE, valid=valid)


def _card(maker: Maker) -> Value:
    front = "620000" + maker.digits(maker.random.choice((9, 12)))
    number, valid = _checked(maker, front=front, letters="0123456789", right=luhn_check)
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return Value(text=maker.random.choice((number, number, spaced)), kind=EntityKind.BANK_CARD, valid=valid)


def _mobile(maker: Maker) -> Value:
    number = maker.pick("154 161") + maker.digits(8)
    apart = f"{number[:3]}-{number[3:7]}-{number[7:]}", f"{number[:3]} {number[3:7]} {number[7:]}"
    whole = (number, number, number, *apart)
    return Value(text=maker.random.choice(whole), kind=EntityKind.CN_MOBILE)


def _birth(maker: Maker) -> Value:
    year, month, day = maker.random.randint(1935, 2015), maker.random.randint(1, 12), maker.random.randint(1, 28)
    shapes = (f"{year}年{month}月{day}日", f"{year}-{month:02d}-{day:02d}", f"{year}.{month}.{day}", f"{year}{month:02d}{day:02d}")
    return Value(text=maker.random.choice(shapes), kind=EntityKind.DATE_OF_BIRTH)


def _drawn(kind: EntityKind, *patterns: str) -> Callable[[Maker], Value]:
    """A pattern in which # is a digit, % a letter A-H, and all else stands for itself."""

    def draw(maker: Maker) -> Value:
        pattern = maker.random.choice(patterns)
        text = "".join(
            maker.digits(1) if sign == "#" else maker.random.choice("ABCDEFGH") if sign == "%" else sign for sign in pattern
        )
        return Value(text=text, kind=kind)

    return draw


def _ip(maker: Maker) -> Value:
    four = ".".join(str(maker.random.randint(1, 254)) for _ in range(4))
    return Value(text=maker.random.choice((four, four, f"2001:db8::{maker.random.randint(4096, 65535):x}")), kind=EntityKind.IP)


def _mac(maker: Maker) -> Value:
    sign = maker.random.choice(":-")
    return Value(text=sign.join(f"{maker.random.randint(0, 255):02X}" for _ in range(6)), kind=EntityKind.MAC)


def _gps(maker: Maker) -> Value:
    lng, lat = f"121.{maker.digits(maker.random.randint(4, 6))}", f"31.{maker.digits(maker.random.randint(4, 6))}"
    return Value(text=maker.random.choice((f"{lng},{lat}", f"{lat}, {lng}", f"{lng}，{lat}")), kind=EntityKind.COORDINATES)


def _person(make: Callable[[Maker], str]) -> Callable[[Maker], Value]:
    return lambda maker: Value(text=make(maker), kind=EntityKind.PERSON)


_SLOTS: Final[Mapping[str, Callable[[Maker], Value]]] = {
    "n": _person(Maker.name),
    "s": _person(lambda maker: maker.pick(_TITLED)),
    "f": _person(lambda maker: maker.pick(_MINORITY)),
    "m": _masked,
    "a": _address,
    "o": lambda maker: Value(text=maker.company(), kind=EntityKind.ORGANIZATION),
    "id": _resident_id,
    "uscc": _credit_code,
    "card": _card,
    "mob": _mobile,
    "dob": _birth,
    "ip": _ip,
    "mac": _mac,
    "gps": _gps,
    "tel": _drawn(EntityKind.CN_LANDLINE, "021-5#######", "021-6#######", "(021)6#######", "0512-6#######", "021-6#######转8##"),
    "pass": _drawn(EntityKind.CN_PASSPORT, "E########", "E%#######", "G########"),
    "permit": _drawn(EntityKind.CN_TRAVEL_PERMIT, "H########", "M##########", "########", "H##########"),
    "plate": _drawn(EntityKind.CN_PLATE, "沪I#####", "沪I·#####", "苏I%###%", "沪ID#####", "浙I####学"),
    "mail": _drawn(EntityKind.EMAIL, "li.min##@example.com", "zhou_###@mail.example.org", "q####@example.net"),
    "wx": _drawn(EntityKind.WECHAT, "lxm_####", "wxid-%%####", "haitang####"),
    "qq": _drawn(EntityKind.QQ, "1########", "28######", "7#########"),
    "med": _drawn(EntityKind.MEDICAL_RECORD, "ZY########", "0#######", "B-2026-####"),
    "sb": _drawn(EntityKind.SOCIAL_SECURITY, "A########", "3109900#####", "%########"),
    "xj": _drawn(EntityKind.SCHOOL_ROLL, "G990107201#010100##", "2026#########", "L990107201#010100##"),
    "cert": _drawn(
        EntityKind.PROPERTY_CERT, "沪（2021）普字不动产权第0#####号", "沪房地普字（2009）第0#####号", "普2016######"
    ),
    "dl": _drawn(EntityKind.CN_DRIVING_LICENCE, "3100########", "9901########"),
}

NO_IDENTIFIER: Final = (
    "订单编号{20}，物流显示已签收。 工单{12}已转派。 发票代码{12}，发票号码{8}。 快递单号SF{13}一直没更新。 设备序列号{16}无法激活。 条形码{13}扫不出来。 "
    "水表读数{6}，比上月多。 合同编号HT-{8}-{4}请核对。 共计{7}元未结清。 流水{24}查无记录。 批次{10}的口罩破损。 票据号{15}丢失。 版本号{2}.{3}.{4}闪退。 "
    "燃气户号{10}欠费。 电表资产号{14}停走。 活动编码{9}已失效。 受理号{18}查询不到进度。 交易参考号{19}重复扣款。 防伪码{16}显示无效。 库存{5}件，编号{11}缺货。 "
    "项目代码{4}-{6}-{2}-{2}-{6}待批。 图书编号978{10}未归还。 楼面面积{3}.{4}平方米。 取件码{6}过期。 机器编号{17}报修。"
)
"""Sentences with long strings of digits that identify no person and no firm; {n} is n digits drawn evenly."""
