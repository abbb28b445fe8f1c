"""Every numbered kind is found beside Chinese characters, with and without a valid check digit."""

from __future__ import annotations

import random

import pytest

from anonymize.detect import Entity, EntityKind, detect_text
from anonymize.detect.checksums import (
    business_check,
    credit_check,
    credit_checks,
    luhn_check,
    luhn_checks,
    organisation_check,
    resident_check,
    resident_checks,
)

FOUND = [
    (EntityKind.CN_RESIDENT_ID, "990107198001010012", "身份证{}号"),
    (EntityKind.CN_RESIDENT_ID, "990107198001010013", "居民{},来电"),
    (EntityKind.CN_RESIDENT_ID, "99010719800101001x", "证件号码为{}。"),
    (EntityKind.CN_RESIDENT_ID, "990107 19800101 0012", "持{}办理"),
    (EntityKind.CN_RESIDENT_ID, "990107-19800101-0012", "持{}办理"),
    (EntityKind.CN_RESIDENT_ID, "810000199001010019", "永久居民{}申请"),
    (EntityKind.CN_RESIDENT_ID, "820000199001010013", "永久居民{}申请"),
    (EntityKind.CN_RESIDENT_ID, "830000199001010018", "居民{}申请"),
    (EntityKind.CN_RESIDENT_ID, "310115197803050018", "浦东{}登记"),
    (EntityKind.CN_RESIDENT_ID, "990107800101001", "旧证{}有效"),
    (EntityKind.CN_CREDIT_CODE, "91990107MA0000001M", "公司{}处罚"),
    (EntityKind.CN_CREDIT_CODE, "91990107MA0000001N", "公司{}处罚"),
    (EntityKind.CN_CREDIT_CODE, "91350100M000100Y43", "信用代码:{};"),
    (EntityKind.CN_CREDIT_CODE, "991234567890123", "注册号{}注销"),
    (EntityKind.CN_MOBILE, "13800138000", "请拨{}联系"),
    (EntityKind.CN_MOBILE, "138-0013-8000", "请拨{}联系"),
    (EntityKind.CN_MOBILE, "138 0013 8000", "请拨{}联系"),
    (EntityKind.CN_MOBILE, "12012345678", "联系电话{}无人接听"),
    (EntityKind.CN_LANDLINE, "021-62345678", "致{}查询"),
    (EntityKind.CN_LANDLINE, "(021)62345678", "致{}查询"),
    (EntityKind.CN_LANDLINE, "0512-65123456转801", "致{}查询"),
    (EntityKind.CN_LANDLINE, "62345678", "家中电话{}"),
    (EntityKind.BANK_CARD, "6222021234567890128", "打款至{}。"),
    (EntityKind.BANK_CARD, "6222021234567890123", "尾号有误{}。"),
    (EntityKind.BANK_CARD, "6222 0212 3456 7890 123", "卡号{}。"),
    (EntityKind.BANK_CARD, "4111111111111111", "使用{}支付"),
    (EntityKind.CN_PASSPORT, "E12345678", "持{}入境"),
    (EntityKind.CN_PASSPORT, "EA1234567", "持{}入境"),
    (EntityKind.CN_PASSPORT, "P1234567", "护照{}入境"),
    (EntityKind.CN_TRAVEL_PERMIT, "H1234567801", "持{}入境"),
    (EntityKind.CN_TRAVEL_PERMIT, "12345678", "台胞证{}入境"),
    (EntityKind.CN_TRAVEL_PERMIT, "C12345678", "通行证{}入境"),
    (EntityKind.CN_PLATE, "沪A12345", "车辆{}违停"),
    (EntityKind.CN_PLATE, "沪AD12345", "新能源{}违停"),
    (EntityKind.CN_PLATE, "沪A·12345", "车辆{}违停"),
    (EntityKind.CN_PLATE, "沪I12345", "车辆{}违停"),
    (EntityKind.CN_PLATE, "京A1234警", "车辆{}违停"),
    (EntityKind.EMAIL, "zhang.san@example.com", "发至{}即可"),
    (EntityKind.IP, "192.168.10.254", "主机{}登录"),
    (EntityKind.IP, "2001:db8::8a2e:370:7334", "主机{}登录"),
    (EntityKind.MAC, "00:1A:2B:3C:4D:5E", "网卡{}上线"),
    (EntityKind.COORDINATES, "121.4012,31.2503", "位于{}附近"),
    (EntityKind.DATE_OF_BIRTH, "1980年1月1日", "出生日期:{}"),
    (EntityKind.MEDICAL_RECORD, "B20231234", "病历号:{}"),
    (EntityKind.SOCIAL_SECURITY, "310990012345", "社保卡号{}"),
    (EntityKind.SCHOOL_ROLL, "G990107201001010012", "学籍{}转入"),
    (EntityKind.PROPERTY_CERT, "沪(2020)普字不动产权第012345号", "权证{}抵押"),
    (EntityKind.CN_DRIVING_LICENCE, "310000123456", "驾驶证档案编号{}"),
    (EntityKind.WECHAT, "abc_12345", "加微信{}"),
    (EntityKind.QQ, "123456789", "QQ号{}"),
]


def spans(text: str, kind: EntityKind) -> list[str]:
    return [text[found.start : found.end] for found in detect_text(text) if found.kind is kind]


@pytest.mark.parametrize(("kind", "number", "frame"), FOUND)
def test_a_number_between_chinese_characters_is_found_whole(kind: EntityKind, number: str, frame: str) -> None:
    found = spans(frame.format(number), kind)
    assert len(found) == 1
    assert found[0].strip("号") in number or number in found[0]
    assert number in found[0] or found[0] == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "本街道共有 12 个居委会,服务 3,456 人次。",
        "2024年1—10月累计 123456.78 万元,同比增长 5.6%",
        "电话 12345 热线、110、95588、400-820-8820",
        "版本 1.2.3 于 2024-01-05 12:30:45 发布",
        "abc990107198001010012def",
        "订单 99010719800101001234567",
        "0.13800138000 与 13800138000.5",
        "新华书店、云南白药、京东方 A123",
    ],
)
def test_ordinary_text_gives_no_finding(text: str) -> None:
    assert detect_text(text) == []


def test_full_width_digits_are_found_and_point_into_the_original() -> None:
    text = "公民身份号码:９９０１０７１９８００１０１００１２,谢谢"
    assert spans(text, EntityKind.CN_RESIDENT_ID) == ["９９０１０７１９８００１０１００１２"]


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\ufe0f"])
def test_invisible_characters_between_digits_hide_nothing(hidden: str) -> None:
    text = f"电话1380{hidden}0138{hidden}000尽快"
    assert spans(text, EntityKind.CN_MOBILE) == [f"1380{hidden}0138{hidden}000"]


@pytest.mark.parametrize("zero", ["٠", "०", "๐", "𝟎"])
def test_digits_of_other_scripts_are_digits(zero: str) -> None:
    digits = "".join(chr(ord(zero) + int(digit)) for digit in "13800138000")
    assert spans(f"手机{digits}。", EntityKind.CN_MOBILE) == [digits]


def test_a_context_word_raises_the_score_and_so_does_the_check_digit() -> None:
    def score(text: str) -> float:
        return detect_text(text, min_score=0)[0].score

    assert score("990107198001010013") < score("990107198001010012") < score("身份证990107198001010012")
    assert score("6222021234567890123") < score("6222021234567890128") < score("银行卡6222021234567890128")


def test_a_finding_tells_whether_the_check_digit_is_right() -> None:
    assert [found.checked for found in detect_text("990107198001010012,990107198001010013,13800138000")] == [
        True,
        False,
        None,
    ]


@pytest.mark.parametrize(("start", "end"), [(3, 3), (5, 2), (-1, 4)])
def test_an_entity_with_an_empty_span_cannot_be_built(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="span"):
        Entity(kind=EntityKind.IP, start=start, end=end, score=0.5)


def test_an_entity_with_a_score_above_one_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="score"):
        Entity(kind=EntityKind.IP, start=0, end=1, score=1.5)


@pytest.mark.parametrize("length", range(12, 33))
def test_random_digit_strings_raise_at_most_one_false_alarm_in_twenty(length: int) -> None:
    chance = random.Random(length)  # noqa: S311
    alarms = sum(
        bool(detect_text("编码" + "".join(chance.choices("0123456789", k=length)) + "。")) for _ in range(2000)
    )
    assert alarms / 2000 <= 0.05


def test_check_digits_of_published_examples_hold() -> None:
    assert resident_check("11010519491231002X")  # example of GB 11643
    assert resident_check("11010519491231002x")
    assert credit_check("91350100M000100Y43")  # example of GB 32100
    assert organisation_check("D2143569X")  # example of GB 11714
    assert business_check("110108000000016")  # example of GB/T 17710
    assert luhn_check("79927398713")


@pytest.mark.parametrize(
    "number", ["", "1", "11010519491231002Y", "1101051949123100２X", "11010519491231002XX", "A10105194912310021"]
)
def test_a_number_of_another_shape_fails_the_resident_check(number: str) -> None:
    assert not resident_check(number)


def test_column_checks_agree_with_the_checks_of_single_values() -> None:
    chance = random.Random(5)  # noqa: S311
    numbers = ["".join(chance.choices("0123456789", k=17)) + chance.choice("0123456789Xx") for _ in range(3000)]
    codes = ["".join(chance.choices("0123456789ABCDEFGHJKLMNPQRTUWXYIOS", k=18)) for _ in range(3000)]
    cards = ["".join(chance.choices("0123456789", k=chance.randint(13, 19))) for _ in range(3000)]
    assert resident_checks(numbers).tolist() == [resident_check(number) for number in numbers]
    assert credit_checks(codes).tolist() == [credit_check(code) for code in codes]
    assert luhn_checks(cards).tolist() == [luhn_check(card) for card in cards]
    assert sum(resident_check(number) for number in numbers) > 100
    assert resident_checks([]).tolist() == credit_checks([]).tolist() == luhn_checks([]).tolist() == []
