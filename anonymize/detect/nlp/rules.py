"""How clerks write names and addresses: what rules add to the spans of a language model, and take from them.

1. A title is no part of a name: 王阿姨 is 王, 李建国主任 is 李建国.
2. A family name and 某, a letter, a number or a cross is a person all the same.
3. A family name before a courtesy title is a person; so is what stands behind 姓名, 联系人 and their like.
4. Names in a row are names each.
5. Pieces of one address belong together, with the chain of numbers behind them down to the room.
6. A road or an estate with a chain of numbers is an address, whether or not the model saw it.
7. A name found once is looked for everywhere in the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from anonymize.detect.nlp.model import Label, Span
from anonymize.detect.nlp.surnames import ALSO_WORDS, DOUBLE, SINGLE, begins_with_surname

_HAN: Final = r"[\u4e00-\u9fff]"
_SURE_SINGLE: Final = "".join(letter for letter in SINGLE if letter not in ALSO_WORDS)
_ANY_SURNAME: Final = rf"(?:{'|'.join(DOUBLE)}|[{SINGLE}])"
_SURE_SURNAME: Final = rf"(?:{'|'.join(DOUBLE)}|[{_SURE_SINGLE}])"

COURTESY: Final = (
    "先生|女士|小姐|阿姨|叔叔|大叔|师傅|老师|大爷|大妈|大娘|大伯|大姐|大哥|奶奶|爷爷|伯伯|老伯|婆婆|同学|同志|警官|律师|医生|护士"
    "|老太太|老先生|老太|老人|嬢嬢|爷叔|阿伯|阿婆|阿公|阿嫂|大嫂|大婶|婶婶|姑娘|女仕|先森|小朋友|師傅|老師|醫生|護士|同學|爺爺"
)
"""Titles that stand behind names and hardly anywhere else."""
_OFFICES: Final = (
    "主任|书记|经理|总经理|科长|处长|局长|所长|站长|院长|校长|镇长|区长|市长|主席|总理|部长|队长|组长|店长|老板|教授|法官|检察官"
    "|审判员|书记员|居民|市民|业主|户主|房东|租客|租户|司机|员工|职工"
    "|会计|出纳|干事|秘书|助理|主管|总监|大夫|记者|保安|网格员|工程师|董事长|董事|庭长|行长|乡长|村长|园长|会长"
)
_TITLE_BEHIND: Final = re.compile(rf"(?:{COURTESY}|{_OFFICES}|总|工)$")
_TITLE_HERE: Final = re.compile(rf"{COURTESY}|{_OFFICES}")
_COURTESY_NAME: Final = re.compile(rf"(?P<name>{_SURE_SURNAME})(?=(?:{COURTESY}))")
_CALLED: Final = re.compile(rf"(?<![\u4e00-\u9fff])[老小阿](?P<name>[{_SURE_SINGLE}])(?=$|[^\u4e00-\u9fff])")
_MASKED: Final = re.compile(
    rf"(?P<sure>{_SURE_SURNAME})(?:某某|某[甲乙丙丁戊己庚辛]|某[A-Z0-9]{{1,2}}(?![0-9])|某(?!{_HAN})|某(?=[与和、及的在系于因将说称诉对被向从到]|$)"
    rf"|[×╳＊*○〇]{{1,2}}|(?<![A-Za-z])[xX]{{1,2}}(?![A-Za-z0-9]))"
    rf"|(?<!{_HAN})(?P<any>{_ANY_SURNAME})(?:某某|某[甲乙丙丁戊己庚辛]|某(?!{_HAN})|[×╳＊*○〇]{{1,2}})"
)
_LABELLED: Final = re.compile(
    r"(?:姓\s{0,4}名|联系人|收件人|寄件人|收货人|户\s{0,4}主|法定代表人|法人代表|负责人|经办人|申请人|被申请人|当事人|监护人|投诉人|举报人|来电人|"
    r"反映人|诉求人|委托人|代理人|被害人|证人|嫌疑人|原告|被告|患者|家长|业主|房东|租客|收款人|签收人|我叫|名叫|叫做)"
    rf"(?:[:：]\s{{0,4}}|\s{{1,4}}|为|是|(?=[^:：]))(?P<name>{_ANY_SURNAME}(?:\s?{_HAN}){{1,2}})"
    r"(?=$|[\s,，。;；、:：()（）|/\\0-9０-９A-Za-z+]|电话|手机|联系|身份证|住址|性别|男|女)"
)
_ROLE: Final = re.compile(
    rf"(?:付款|收款|委托|受托|出租|承租|[甲乙丙丁买卖])方|主任|保姆|护工|班长|邻居|儿子|女儿|母亲|父亲|妻子|丈夫|爱人|{COURTESY}|{_OFFICES}"
)
"""What stands before a name and may be taken for its beginning: 付款方施磊 is no 方施磊."""
_SAYS: Final = "讲称说哈啊呀哦呢吧嘛啦"
_WEEKDAY: Final = re.compile(rf"周[一二三四五六日](?={_ANY_SURNAME}{_HAN})")
_ALONE: Final = re.compile(rf"(?!{COURTESY}|{_OFFICES}|总|工){_HAN}")
_DOTTED: Final = re.compile(rf"(?<!{_HAN}){_HAN}{{1,7}}(?:[·•]{_HAN}{{1,8}}){{1,4}}")
_IN_ROW: Final = re.compile(rf"{_ANY_SURNAME}{_HAN}{{1,2}}")
_HAN_SIGN: Final = re.compile(_HAN)
_ROW_AFTER: Final = re.compile(r"\s{0,2}[、/|]\s{0,2}|[ \t\u3000]{1,3}|\n")
_NOBODY: Final = frozenset(
    (
        "阿拉",
        "伊拉",
        "侬",
        "俺",
        "本人",
        "对方",
        "双方",
        "大家",
        "某人",
        "自己",
        "老人",
        "市民",
        "居民",
        "业主",
        "来电",
        "保姆",
        "周一",
        "周二",
        "周三",
        "周四",
        "周五",
        "周六",
        "周日",
    )
)
_NAMES_APART: Final = re.compile(r"[、,，;；/|和与及]\s{0,2}|\s{2,}|[\t\n\r]")
_UNIT: Final = (
    r"(?:\d{1,5}|[一二三四五六七八九十百零〇两]{1,4}|[A-Za-z]\d{0,4}|[甲乙丙丁东西南北中])[ \u3000]{0,2}"
    r"(?:号楼(?!上|下(?!水))|號樓(?!上|下(?!水))|号院|号甲|号乙|号[东西]|号|號|支弄|弄|栋|棟|幢|座|单元|單元|层楼|层|楼(?!上|下(?!水))|層|樓(?!上|下(?!水))|室|房|组|户|门(?![前口外])|巷|村|区|期|梯)"
)
_END_NUMBER: Final = (
    r"(?:[A-Za-z]?\d{1,5}(?:[A-Za-z](?![A-Za-z]))?(?:[ \u3000]{0,2}[-－—][ \u3000]{0,2}[A-Za-z]?\d{1,5}){0,3}"
    r"(?!\d|[年月日元人时分秒岁个次起件名%％.:：]|[-－—]\d|[Kk][Mm]|小时|分钟|多|余|万|平|米))"
)
_TAIL: Final = "前楼|后楼|亭子间|后客堂|前客堂|三层阁|阁楼|底楼|地下室|东侧|西侧|南侧|北侧|前樓|後樓|亭子間|底樓"
_GAP: Final = r"[ \u3000]{0,2}"
_CHAIN: Final = re.compile(
    rf"(?:{_GAP}[(（]{_HAN}{{2,10}}[)）](?={_GAP}[0-9A-Za-z一二三四五六七八九十]))?"
    rf"(?:{_GAP}[,，]?[ \u3000]?{_UNIT}(?![年月日元人时分线]))*(?:{_GAP}{_END_NUMBER}(?:{_GAP}室)?)?"
    rf"(?:{_GAP}(?:{_TAIL}))?"
)
_ADMINISTRATIVE: Final = re.compile(
    rf"(?:{_HAN}{{2,12}}?(?:省|自治区|市|新区|区|县|自治州|州|地区|盟|旗))+|{_HAN}{{2,3}}|(?:中国|全国|本市|本区|市区|城区|郊区)"
)
_PLACE: Final = (
    "路|大道|大街|街|弄|巷|胡同|苑|小区|花园|新村|家园|公寓|名苑|华庭|花苑|名都|新城|雅苑|丽都|豪庭|公馆|大厦|广场|中心|园|里|坊|邸|府|庭|湾|"
    "[一二三四五六七八九十]村|村|庄|屯|组|城|郡|墅"
)
_PLAIN_ADDRESS: Final = re.compile(
    rf"(?P<head>{_HAN}{{2,14}}?(?:{_PLACE}))(?P<chain>(?:\s{{0,2}}{_UNIT}(?![年月日元人时分线]))+)"
)
_BEFORE_ADDRESS: Final = re.compile(
    r".{0,16}(?:居住在|居住于|住在|住址|地址|位于|坐落于|户籍地|现住|家住|租住|前往|来到|送到|寄到|发生在|发现|反映|称|在|住|于|至|到|从|沿|往|的|为|是|系|[勒拉垃])"
)
_BETWEEN: Final = re.compile(r"[ \u3000]{0,2}|(?<=[弄号路街巷村號])[ \u3000]{0,2}[(（][ \u3000]{0,2}")
"""Nothing, or a bracket with the name of the estate: 538弄（锦绣里）2号."""
_LINE: Final = re.compile(r"[^\t\n\r]+")
_ASIDE: Final = re.compile(r"(?<=[0-9A-Za-z弄号室栋幢座楼间堂阁號棟樓間])(?:[楼樓][上下]|[门門][前口外])\Z")
_ASIDE_CUT: Final = re.compile(
    r"(?<=[0-9A-Za-z弄号室栋幢座楼间堂阁號棟樓間])(?:[楼樓](?=上|下(?!水))|[门門](?=[前口外]))"
)
"""Where something is beside an address is no part of it: 18号1211室楼上, 5号门前."""

SURE: Final = 0.95
LIKELY: Final = 0.8
COARSE: Final = 0.3
"""A city or a district alone says of nobody where he lives: below what is reported."""


def improve(text: str, found: Sequence[Span]) -> list[Span]:
    """The names of a text as the rules above leave them, in order and without overlaps."""
    places = _addresses(text, [span for span in found if span.label is Label.PLACE])
    firms = [span for span in found if span.label is Label.ORGANIZATION]
    people = list(_people(text, [_whole(text, span) for span in found if span.label is Label.PERSON]))
    people += _in_row(text, people)
    people += _also(text, people)
    kept: list[Span] = []
    taken: set[int] = set()
    order = {Label.PLACE: 0, Label.PERSON: 1, Label.ORGANIZATION: 2}
    ranked = sorted(
        [*places, *people, *firms],
        key=lambda span: (span.score == COARSE, -_rank(span, text), order[span.label], span.start - span.end),
    )
    for span in ranked:
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def _rank(span: Span, text: str) -> int:
    """Of spans that overlap: an address with its numbers, then whatever covers more."""
    exact = span.label is Label.PLACE and any(letter.isdigit() for letter in text[span.start : span.end])
    return (1000 if exact else 0) + span.end - span.start


def _people(text: str, found: Sequence[Span]) -> Iterator[Span]:
    for span in found:
        yield from _apart(text, span)
    for pattern, score in ((_MASKED, SURE), (_COURTESY_NAME, LIKELY), (_CALLED, LIKELY), (_LABELLED, LIKELY)):
        for match in pattern.finditer(text):
            start, end = match.span("name") if "name" in pattern.groupindex else match.span()
            if not any(span.start < end and start < span.end for span in found) or pattern is _MASKED:
                yield Span(Label.PERSON, start, end, score)


def _apart(text: str, span: Span) -> Iterator[Span]:
    """One span as the names it holds, each without its title."""
    at = span.start
    for separator in [*_NAMES_APART.finditer(text, span.start, span.end), None]:
        if separator and separator.start() == span.start and not _HAN_SIGN.match(text, max(0, span.start - 1)):
            continue  # 和玉华: here the sign is a family name
        end = separator.start() if separator else span.end
        yield from _run_together(text, replace(span, start=at, end=end))
        at = separator.end() if separator else end


def _run_together(text: str, span: Span) -> Iterator[Span]:
    """张三李四 without a sign between them: two names; longer ones only where every part begins with a family name."""
    bare = _without_title(text, span)
    if bare is None:
        return
    name = text[bare.start : bare.end]
    if 5 <= len(name) <= 6 and name.isalpha() and not name.isascii() and name[:2] not in DOUBLE:
        for at in (3, 2):
            if name[at] in SINGLE and 2 <= len(name) - at <= 3:
                yield replace(bare, end=bare.start + at)
                yield replace(bare, start=bare.start + at)
                return
    yield bare


def _whole(text: str, span: Span) -> Span:
    """A name with a dot in it that the model cut: 格·乌兰 of 其其格·乌兰, where both ends are plain to see."""
    near = max(0, span.start - 8)
    for match in _DOTTED.finditer(text, near, min(len(text), span.end + 24)):
        if match.start() < span.end and span.start < match.end() and (match.start() > near or near == 0):
            roles = [role.end() for role in _ROLE.finditer(text, match.start(), span.start)]
            return replace(span, start=min(span.start, max([match.start(), *roles])))
    return span


def _in_row(text: str, people: Sequence[Span]) -> Iterator[Span]:
    """What stands beside a name in a row, reads like a name and ends where the row does: 夏军 李春梅 范桂珍."""
    for span in people:
        at = span.end
        while (sign := _ROW_AFTER.match(text, at)) and (name := _IN_ROW.match(text, sign.end())):
            end = next((end for end in (name.end(), name.end() - 1) if not _HAN_SIGN.match(text, end)), None)
            if end is None or end - name.start() < 2 or _TITLE_HERE.search(text, name.start(), end):
                break
            yield Span(Label.PERSON, name.start(), end, LIKELY)
            at = end


def _without_title(text: str, span: Span) -> Span | None:
    start, end = span.start, span.end
    while start < end and not text[start].isalnum() and text[start] not in "×*＊":
        start += 1
    while start < end and text[end - 1] in " \t\n:：,，。、;；":
        end -= 1
    for role in _ROLE.finditer(text, max(0, start - 3), end):
        if role.start() <= start < role.end() <= end - (1 if role.start() < start else 2):
            start = role.end()
    if weekday := _WEEKDAY.match(text, start, end):
        start = weekday.end()
    if end - start >= 3 and text[end - 1] in _SAYS:
        end -= 1
    for at in range(max(start + 1, end - 2), end):  # the model stopped inside a title: 梁先 of 梁先生
        if (title := _TITLE_HERE.match(text, at)) and title.end() > end:
            end = at
            break
    name = text[start:end]
    title = _TITLE_BEHIND.search(name)
    if title and title.start() >= 1 and (title.group() not in ("总", "工") or title.start() == 1):
        end = start + title.start()
    if end - start == 1 and _ALONE.match(text, end) and text[max(0, start - 1) : start] not in tuple("老小阿姓"):
        return None  # a family name alone means somebody only before a title: 信 of 信访办 is nobody
    if start >= end or text[start:end].isdigit() or text[start:end] in _NOBODY:
        return None
    return replace(span, start=start, end=end)


def _also(text: str, people: Sequence[Span]) -> list[Span]:
    """Everywhere else where a full name of this text stands."""
    found: list[Span] = []
    for name in {text[span.start : span.end]: span for span in people}:
        if len(name) < 2 or not begins_with_surname(name) or not name.isalpha() or len(name) > 12:
            continue
        at = text.find(name)
        while at >= 0:
            found.append(Span(Label.PERSON, at, at + len(name), LIKELY))
            at = text.find(name, at + 1)
    return found


def _addresses(text: str, found: Sequence[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in _with_plain(text, found):
        last = joined[-1] if joined else None
        if last and span.start <= last.end:
            joined[-1] = replace(last, end=max(last.end, span.end), score=max(last.score, span.score))
        elif last and _BETWEEN.fullmatch(text, last.end, span.start):
            joined[-1] = replace(last, end=span.end, score=max(last.score, span.score))
        else:
            joined.append(span)
        end = _chain_end(text, joined[-1])
        joined[-1] = replace(joined[-1], end=end)
    return [replace(span, score=_exactness(text[span.start : span.end], span.score)) for span in joined]


def _chain_end(text: str, span: Span) -> int:
    """Where the chain of numbers behind a place ends: 123弄4号502室."""
    end = span.end
    for tail in _TAIL.split("|"):  # the model stopped inside: 22号底 of 22号底楼
        for at in range(1, len(tail)):
            if text.endswith(tail[:at], span.start, span.end) and text.startswith(tail[at:], span.end):
                end = span.end + len(tail) - at
    match = _CHAIN.match(text, end)
    end = match.end() if match else end
    while end > span.end and text[end - 1] in " ,，":
        end -= 1
    if aside := _ASIDE.search(text, max(span.start, end - 3), end):
        return aside.start()
    return end - 1 if _ASIDE_CUT.match(text, end - 1) else end


def _with_plain(text: str, found: Sequence[Span]) -> list[Span]:
    """The places of the model, and those with a chain of numbers that it did not see."""
    spans = [
        replace(span, start=line.start(), end=line.end())
        for span in found
        for line in _LINE.finditer(text, span.start, span.end)
    ]
    for match in _PLAIN_ADDRESS.finditer(text):
        start = match.start()
        if before := _BEFORE_ADDRESS.match(text, start, match.end("head") - 2):
            start = before.end()
        if match.end("head") - start < 2:
            continue
        if not any(span.start < match.end() and start < span.end for span in found):
            spans.append(Span(Label.PLACE, start, match.end(), LIKELY))
    return sorted(spans, key=lambda span: (span.start, -span.end))


def _exactness(address: str, score: float) -> float:
    """A number makes an address exact; the name of a city or a district alone is none."""
    if re.search(r"[0-9０-９]|[一二三四五六七八九十]\s?(?:号|弄|栋|幢|室|楼|单元)", address):
        return max(score, SURE)
    if _ADMINISTRATIVE.fullmatch(address):
        return COARSE
    return min(max(score, 0.5), LIKELY)
