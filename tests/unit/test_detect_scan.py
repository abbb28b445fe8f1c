"""The scan judges columns by their names and values, in Chinese, pinyin and English, and proposes a policy that
reads.
"""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

from anonymize.detect import EntityKind, scan_table
from anonymize.detect.checksums import CREDIT_ALPHABET, credit_check, resident_check
from anonymize.detect.policy_draft import draft_policy
from anonymize.detect.registry import BY_KIND, RECOGNIZERS
from anonymize.detect.scan_report import ColumnVerdict
from anonymize.errors import BadInput
from anonymize.policy import ColumnClass, parse_policy

ROWS = 60


def resident_numbers(*, good: int, count: int = ROWS) -> list[str]:
    numbers = []
    for order in range(count):
        body = f"99010719{40 + order % 50:02d}0{1 + order % 9}1{order % 10}{order:03d}"
        right = next(last for last in "0123456789X" if resident_check(body + last))
        numbers.append(body + (right if order < good else "1" if right != "1" else "2"))
    return numbers


def credit_codes() -> list[str]:
    bodies = [f"91990107MA{order:07d}" for order in range(ROWS)]
    return [next(body + last for last in CREDIT_ALPHABET if credit_check(body + last)) for body in bodies]


def verdict(**columns: object) -> ColumnVerdict:
    return scan_table(pl.DataFrame(columns)).columns[0]


@pytest.mark.parametrize("name", ["公民身份号码", "sfzh", "id_no", "idNo", "ID Number", "col7"])
def test_a_column_of_resident_numbers_is_known_by_any_name(name: str) -> None:
    column = verdict(**{name: resident_numbers(good=ROWS)})
    assert column.column_class is ColumnClass.DIRECT_ID
    assert (column.kinds[0].kind, column.kinds[0].share, column.kinds[0].checked) == (
        EntityKind.CN_RESIDENT_ID,
        1.0,
        1.0,
    )


def test_checked_is_the_share_of_right_check_digits() -> None:
    column = verdict(sfzh=resident_numbers(good=45))
    assert column.kinds[0].checked == pytest.approx(45 / ROWS)
    assert column.kinds[0].share == 1.0


def test_resident_numbers_stored_as_whole_numbers_are_found() -> None:
    numbers = [int(number) for number in resident_numbers(good=ROWS) if number.isdecimal()]
    assert verdict(value=numbers).kinds[0].kind is EntityKind.CN_RESIDENT_ID


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("联系人电话", EntityKind.CN_MOBILE),
        ("联系人", EntityKind.PERSON),
        ("guardian_phone", EntityKind.CN_MOBILE),
        ("法定代表人姓名", EntityKind.PERSON),
        ("xm", EntityKind.PERSON),
        ("家庭住址", EntityKind.ADDRESS),
        ("病历号", EntityKind.MEDICAL_RECORD),
        ("社保卡号", EntityKind.SOCIAL_SECURITY),
        ("学籍号", EntityKind.SCHOOL_ROLL),
        ("银行卡号", EntityKind.BANK_CARD),
        ("车牌号", EntityKind.CN_PLATE),
        ("出生日期", EntityKind.DATE_OF_BIRTH),
        ("birthYear", EntityKind.DATE_OF_BIRTH),
        ("微信号", EntityKind.WECHAT),
        ("不动产权证号", EntityKind.PROPERTY_CERT),
    ],
)
def test_an_empty_column_is_judged_by_its_name(name: str, kind: EntityKind) -> None:
    column = verdict(**{name: pl.Series([], dtype=pl.String)})
    assert [found.kind for found in column.kinds] == [kind]
    assert column.kinds[0].by_name


def test_a_column_of_persons_names_is_found_by_its_values() -> None:
    names = [first + last for first in "王李张刘陈杨赵黄周吴" for last in ["伟", "芳", "秀英", "志强", "小明", "桂兰"]]
    column = verdict(col1=names)
    assert column.column_class is ColumnClass.DIRECT_ID
    assert column.kinds[0].kind is EntityKind.PERSON


def test_a_street_name_is_no_person() -> None:
    streets = ["曹杨新村街道", "长风新村街道", "长寿路街道", "甘泉路街道", "石泉路街道"] * 12
    assert verdict(street_name=streets).column_class is not ColumnClass.DIRECT_ID


def test_addresses_are_found_by_their_values() -> None:
    places = [f"曹杨路{number}弄{number % 9 + 1}号{number % 5 + 1}0{number % 4 + 1}室" for number in range(ROWS)]
    assert verdict(c=places).kinds[0].kind is EntityKind.ADDRESS


def test_free_text_tells_which_identifiers_it_holds() -> None:
    notes = [f"来电人反映{n}号楼门口积水,请尽快派人处理,联系电话1380013{n:04d}谢谢" for n in range(ROWS)]
    column = verdict(诉求内容=notes)
    assert column.column_class is ColumnClass.FREE_TEXT
    assert column.technique == "drop"
    assert EntityKind.CN_MOBILE in {kind.kind for kind in column.kinds}


def test_credit_codes_are_not_taken_for_resident_numbers() -> None:
    column = verdict(c=credit_codes())
    assert column.kinds[0].kind is EntityKind.CN_CREDIT_CODE
    assert column.kinds[0].checked == 1.0


def test_a_number_that_differs_on_every_row_is_a_direct_identifier() -> None:
    assert verdict(elder_id=[f"E{n:06d}" for n in range(ROWS)]).column_class is ColumnClass.DIRECT_ID


def test_amounts_of_money_are_no_cards_and_no_phones() -> None:
    column = verdict(金额=[13_800_138_000 + 977 * n * n * n * 5 for n in range(ROWS)])
    assert column.column_class is ColumnClass.SENSITIVE_ATTR


def test_binary_and_nested_columns_are_counted_and_dropped() -> None:
    column = verdict(blob=[b"\x00\xff"] * 3)
    assert (column.unreadable, column.technique) == (3, "drop")
    assert verdict(many=[[1, 2], [3]]).unreadable == 2


def test_one_huge_cell_and_odd_characters_are_read() -> None:
    column = verdict(x=["x" * 50_000_000, "\U0001f600\u202e", "", None, "\u0000"])
    assert column.examined >= 2


def test_values_of_every_kind_never_reach_the_report() -> None:
    frame = pl.DataFrame({"身份证": resident_numbers(good=50), "xydm": credit_codes()})
    shown = str(scan_table(frame).as_json())
    assert not any(value in shown for column in frame.columns for value in frame[column])


def test_the_grade_of_a_table_is_its_highest() -> None:
    report = scan_table(pl.DataFrame({"公民身份号码": resident_numbers(good=ROWS), "数量": [1] * ROWS}))
    assert (report.grade.value, [column.grade.value for column in report.columns]) == ("L4", ["L4", "L2"])


def test_the_draft_policy_is_read_back_by_the_policy_reader() -> None:
    frame = pl.DataFrame(
        {
            "公民身份号码": resident_numbers(good=ROWS),
            "年龄": [20 + n for n in range(ROWS)],
            "出生日期": [f"19{40 + n % 50}-01-02" for n in range(ROWS)],
            "备注": [f"上门走访情况说明第{n}次,老人身体健康,无其他需求反映" for n in range(ROWS)],
            "n": [5] * ROWS,
        }
    )
    policy = parse_policy(draft_policy(scan_table(frame), frame, name="draft"))
    told = {rule.name: (rule.column_class.value, rule.technique.name) for rule in policy.columns}
    assert told == {
        "公民身份号码": ("direct_id", "drop"),
        "年龄": ("quasi_id", "generalize"),
        "出生日期": ("quasi_id", "generalize"),
        "备注": ("free_text", "drop"),
        "n": ("non_sensitive", "keep"),
    }


def test_draft_takes_standards_for_their_codes_and_rounds_amounts() -> None:
    frame = pl.DataFrame(
        {
            "户籍街道": ["310107005", "310107014", "310104003"] * 20,
            "行业代码": ["C3911", "A0111", "I6510"] * 20,
            "街道名称": ["长征镇", "真如镇", "曹杨新村街道"] * 20,
            "补贴金额": [1_000 + 37 * number for number in range(ROWS)],
            "行业": ["C3911", "Z9999", "其他"] * 20,
        }
    )
    policy = parse_policy(draft_policy(scan_table(frame), frame, name="draft"))
    params = {rule.name: (rule.technique.name, rule.technique.params()) for rule in policy.columns}
    assert params["户籍街道"][1] | {"min_level": 0, "max_level": 4} == params["户籍街道"][1]
    assert params["户籍街道"][1]["steps"] == ["county", "prefecture", "province"]
    assert params["行业代码"][1]["steps"] == ["group", "division", "section"]
    assert params["街道名称"][0] == "keep"
    assert params["补贴金额"] == ("round", {"base": 50})
    assert params["行业"][0] == "keep"


def test_a_table_without_quasi_identifiers_gives_no_draft() -> None:
    frame = pl.DataFrame({"公民身份号码": resident_numbers(good=ROWS)})
    with pytest.raises(BadInput, match="quasi_id"):
        draft_policy(scan_table(frame), frame, name="draft")


def test_every_kind_has_exactly_one_recognizer() -> None:
    assert set(BY_KIND) == set(EntityKind)
    assert len(RECOGNIZERS) == len(EntityKind)


def test_importing_detection_loads_neither_presidio_nor_spacy() -> None:
    code = "import sys, anonymize.detect.cli; print('presidio_analyzer' in sys.modules, 'spacy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
