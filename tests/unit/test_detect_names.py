"""Names, addresses and organisations in free text, as clerks of a hotline write them. Everyone here is made up."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest

from anonymize.detect import EntityKind, detect_texts
from anonymize.detect.nlp.model import SETTING, Label, Span, text_model
from anonymize.detect.nlp.tagger import PIECE, cut
from anonymize.detect.redaction import Mode, Redactor
from anonymize.errors import BadInput

PERSONS = (
    ("来电人许文博（电话见附件）反映楼道堆物。", ["许文博"]),
    ("姓名：欧阳雪 性别：女", ["欧阳雪"]),
    ("参会人员：丁晓峰、薛敏、贾立群和邹玲。", ["丁晓峰", "薛敏", "贾立群", "邹玲"]),
    ("王阿姨说楼上吵得睡不着。", ["王"]),
    ("已联系市民李建国先生，其表示满意。", ["李建国"]),
    ("嫌疑人张某某与赵某甲发生口角。", ["张某某", "赵某甲"]),
    ("收件人:尹×× 请转交", ["尹××"]),
    ("租客古丽米热·艾合买提反映押金未退。", ["古丽米热·艾合买提"]),
    ("老人郑国栋独居，郑国栋的女儿在外地。", ["郑国栋", "郑国栋"]),
    ("張志強先生來電反映電梯故障。", ["張志強"]),
    ("阿拉爷叔姓孙，叫孙福根，住勒三楼。", ["孙", "孙福根"]),
)
ADDRESSES = (
    ("住普陀区兰溪路123弄4号502室，要求处理。", "普陀区兰溪路123弄4号502室"),
    ("地址：上海市普陀区曹杨三村12号楼3单元601室", "上海市普陀区曹杨三村12号楼3单元601室"),
    ("户籍地江苏省南通市如皋市磨头镇丁家庄村五组18号。", "江苏省南通市如皋市磨头镇丁家庄村五组18号"),
    ("反映人家住翠湖花园7幢1203，漏水半年。", "翠湖花园7幢1203"),
    ("请到武宁路２５０１号楼下查看", "武宁路２５０１号"),
)
NOBODY = (
    "马上就要下雨了，高兴地等待，万一停电后果严重。",
    "任何时候都可以联系，金额以发票为准。",
    "方便的话请在黄金周之前解决，和物业沟通无果。",
    "申请编号 202611240001 已办结，时间不固定。",
    "周末施工至凌晨，严重影响居民休息。",
)


def found(text: str, kind: EntityKind) -> list[str]:
    (entities,) = detect_texts([text])
    return [text[entity.start : entity.end] for entity in entities if entity.kind is kind]


@pytest.mark.parametrize(("text", "names"), PERSONS)
def test_every_name_is_found_without_its_title(text: str, names: list[str]) -> None:
    assert found(text, EntityKind.PERSON) == names


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_address_is_found_whole_down_to_the_room(text: str, address: str) -> None:
    assert address in [hit.removesuffix("楼下") for hit in found(text, EntityKind.ADDRESS)]


@pytest.mark.parametrize("text", NOBODY)
def test_everyday_words_are_nobody(text: str) -> None:
    assert found(text, EntityKind.PERSON) == []
    assert found(text, EntityKind.ADDRESS) == []


def test_city_alone_is_no_address() -> None:
    assert found("上海市民政局称安徽省来沪人员较多。", EntityKind.ADDRESS) == []


def test_firm_is_found_with_its_legal_form() -> None:
    text = "投诉上海锦程装饰设计有限公司拖延退款。"
    assert found(text, EntityKind.ORGANIZATION) == ["上海锦程装饰设计有限公司"]


def test_texts_are_answered_in_their_order_and_equal_ones_alike() -> None:
    texts = ["", "薛敏", "来电人许文博反映漏水", "", "来电人许文博反映漏水", "😀" * 50]
    answers = detect_texts(texts)
    assert len(answers) == len(texts)
    assert answers[2] == answers[4] != []
    assert answers[0] == answers[3] == answers[5] == []


def test_many_texts_at_once_and_one_by_one_give_the_same_names() -> None:
    texts = [text for text, _ in PERSONS] + [text for text, _ in ADDRESSES]
    together = [[(one.kind, one.start, one.end) for one in entities] for entities in detect_texts(texts)]
    apart = [[(one.kind, one.start, one.end) for one in detect_texts([text])[0]] for text in texts]
    assert together == apart


def test_name_far_into_a_long_text_keeps_its_place() -> None:
    text = "楼道堆物影响通行，请尽快处理。" * 400 + "来电人许文博。"
    (entities,) = detect_texts([text])
    assert [text[one.start : one.end] for one in entities] == ["许文博"]


@pytest.mark.parametrize("text", ["", "字", "字" * PIECE, "字" * (PIECE + 1), "一句话。" * 200, "，" * 1000])
def test_pieces_cover_a_text_without_gaps(text: str) -> None:
    pieces = list(cut(text))
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(0 < end - start <= PIECE for start, end in pieces)


def test_same_person_gets_the_same_fake_and_another_key_another_one() -> None:
    text = "许文博来电，许文博住普陀区兰溪路123弄4号502室。"
    (entities,) = detect_texts([text])
    first, again, other = (
        Redactor(Mode.FAKE, key=sha256(key).digest()).redact(text, entities) for key in (b"a", b"a", b"b")
    )
    assert first == again != other
    assert "许文博" not in first
    assert first.split("来电，")[0] == first.split("来电，")[1].split("住")[0]


def test_another_model_is_plugged_in_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "tests.unit.test_detect_names:Everything")
    assert text_model().version == "everything"
    monkeypatch.setenv(SETTING, "tests.unit.test_detect_names:nothing")
    with pytest.raises(BadInput, match=SETTING):
        text_model()


class Everything:
    """A model of a site: each text is one name."""

    version = "everything"

    def spans(self, texts: list[str]) -> list[list[Span]]:
        return [[Span(Label.PERSON, 0, len(text), 1.0)] for text in texts]


def test_nothing_is_asked_of_any_network() -> None:
    script = (
        "import socket\n"
        "def never(*_a, **_k): raise SystemExit('the network was asked')\n"
        "socket.socket.connect = never; socket.getaddrinfo = never; socket.create_connection = never\n"
        "from anonymize.detect import detect_texts\n"
        "assert detect_texts(['来电人许文博住普陀区兰溪路123弄4号502室'])[0]\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
