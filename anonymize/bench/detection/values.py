"""What fills a slot of a template: made-up people, places, firms and numbers that belong to nobody.

Identity numbers and credit codes lie in a division that does not exist (990107), telephones in segments that are not
assigned (154, 161), plates have the letter I, mail goes to a reserved domain, cards begin with 620000.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faker import Faker

from anonymize.detect.checksums import CREDIT_ALPHABET, credit_check, luhn_check, resident_check
from anonymize.detect.entity import EntityKind

WORDS: Final[dict[str, str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What stands in a slot. `room`: where its part below the street begins; `valid`: the check digit is right."""

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
        given = [self.pick(WORDS["given"]) for _ in range(2 if self.random.random() < 0.75 else 1)]
        return self.pick(WORDS["surnames"]) + "".join(given)

    def company(self) -> str:
        if self.random.random() < 0.3:
            return str(self._faker.company())
        return (
            self.pick(WORDS["cities"])
            + self.pick(WORDS["brands"])
            + self.pick(WORDS["trades"])
            + self.pick(WORDS["forms"])
        )


def _address(maker: Maker) -> Value:
    number = maker.random.randint
    shape = number(0, 9)
    head = maker.pick(WORDS["districts"]) if number(0, 2) else ""
    road, estate = maker.pick(WORDS["roads"]), maker.pick(WORDS["estates"])
    lane, house, room = number(3, 1999), number(1, 180), number(1, 28) * 100 + number(1, 12)
    front, chain = {
        0: (head + road, f"{lane}弄{house}号{room}室"),
        1: (head + road, f"{lane}弄{house}号{room}"),
        2: (head + road + f"{lane}号" + estate, f"{house}号楼{room}室"),
        3: (head + estate, f"{house}栋{number(1, 4)}单元{room}室"),
        4: (head + estate, f"{house}幢{room}"),
        5: (head + road, f"{lane}号{number(2, 30)}楼{maker.pick('A B C D E')}座"),
        6: (
            maker.pick(WORDS["far"]) + maker.pick(WORDS["villages"]),
            f"{maker.pick('一 二 三 四 五 六 七')}组{house}号",
        ),
        7: (head + road, f"{lane}弄{house}支弄{number(1, 60)}号{maker.pick('前楼 亭子间 底楼 后客堂')}"),
        8: (head + estate, f"{house}-{number(1, 4)}-{room}"),
        9: (maker.pick(WORDS["districts"]) + road, f"{lane}弄（{estate}）{house}号{room}室"),
    }[shape]
    return Value(text=front + chain, kind=EntityKind.ADDRESS, room=len(front))


def _masked(maker: Maker) -> Value:
    return Value(
        text=maker.pick(WORDS["titled"]) + maker.pick("某 某某 某甲 某乙 某丙 ×× 某1 某A"), kind=EntityKind.PERSON
    )


def _checked(maker: Maker, *, front: str, letters: str, right: Callable[[str], bool]) -> tuple[str, bool]:
    """A number with the right last character, or, every other time, with a wrong one."""
    wanted = maker.random.random() < 0.5
    return next(
        front + last for last in maker.random.sample(letters, len(letters)) if right(front + last) is wanted
    ), wanted


def _resident_id(maker: Maker) -> Value:
    if maker.random.random() < 0.12:
        old = f"990107{maker.random.randint(20, 99)}{_month_day(maker)}{maker.digits(3)}"
        return Value(text=old, kind=EntityKind.CN_RESIDENT_ID)
    region = maker.pick("990107 990107 830000 810000")
    front = f"{region}{maker.random.randint(1935, 2015)}{_month_day(maker)}{maker.digits(3)}"
    number, valid = _checked(maker, front=front, letters="0123456789X", right=resident_check)
    number = maker.random.choice((number, number, number.lower(), f"{number[:6]} {number[6:14]} {number[14:]}"))
    return Value(text=number, kind=EntityKind.CN_RESIDENT_ID, valid=valid)


def _month_day(maker: Maker) -> str:
    return f"{maker.random.randint(1, 12):02d}{maker.random.randint(1, 28):02d}"


def _credit_code(maker: Maker) -> Value:
    front = f"{maker.pick('91 92 52 12')}990107MA{''.join(maker.random.choice(CREDIT_ALPHABET) for _ in range(7))}"
    code, valid = _checked(maker, front=front, letters=CREDIT_ALPHABET, right=credit_check)
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
    shapes = (
        f"{year}年{month}月{day}日",
        f"{year}-{month:02d}-{day:02d}",
        f"{year}.{month}.{day}",
        f"{year}{month:02d}{day:02d}",
    )
    return Value(text=maker.random.choice(shapes), kind=EntityKind.DATE_OF_BIRTH)


def _drawn(kind: EntityKind, *patterns: str) -> Callable[[Maker], Value]:
    """A pattern in which # is a digit, % a letter A-H, and all else stands for itself."""

    def draw(maker: Maker) -> Value:
        pattern = maker.random.choice(patterns)
        text = "".join(
            maker.digits(1) if sign == "#" else maker.random.choice("ABCDEFGH") if sign == "%" else sign
            for sign in pattern
        )
        return Value(text=text, kind=kind)

    return draw


def _ip(maker: Maker) -> Value:
    four = ".".join(str(maker.random.randint(1, 254)) for _ in range(4))
    return Value(
        text=maker.random.choice((four, four, f"2001:db8::{maker.random.randint(4096, 65535):x}")), kind=EntityKind.IP
    )


def _mac(maker: Maker) -> Value:
    sign = maker.random.choice(":-")
    return Value(text=sign.join(f"{maker.random.randint(0, 255):02X}" for _ in range(6)), kind=EntityKind.MAC)


def _gps(maker: Maker) -> Value:
    lng, lat = f"121.{maker.digits(maker.random.randint(4, 6))}", f"31.{maker.digits(maker.random.randint(4, 6))}"
    return Value(
        text=maker.random.choice((f"{lng},{lat}", f"{lat}, {lng}", f"{lng}，{lat}")), kind=EntityKind.COORDINATES
    )


def _person(make: Callable[[Maker], str]) -> Callable[[Maker], Value]:
    return lambda maker: Value(text=make(maker), kind=EntityKind.PERSON)


_SLOTS: Final[Mapping[str, Callable[[Maker], Value]]] = {
    "n": _person(Maker.name),
    "s": _person(lambda maker: maker.pick(WORDS["titled"])),
    "f": _person(lambda maker: maker.pick(WORDS["minority"])),
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
    "tel": _drawn(
        EntityKind.CN_LANDLINE, "021-5#######", "021-6#######", "(021)6#######", "0512-6#######", "021-6#######转8##"
    ),
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
