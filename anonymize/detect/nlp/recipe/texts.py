"""Texts as clerks write them, with the spans of their names. Every person, address and number is made up."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import opencc

_HERE: Final = Path(__file__).parent
POOLS: Final[dict[str, Any]] = tomllib.loads((_HERE / "pools.toml").read_text("utf-8"))
TEMPLATES: Final = [
    line.replace("\\n", "\n").replace("\\t", "\t")
    for line in (_HERE / "templates.txt").read_text("utf-8").split("\n")
    if line
]
"""In braces: P a name, K a name as courts mask it, T and B with a title, U a family name, A an address, R a road, L a
place, O an organisation; M, I, G, D, Y, N numbers and dates; X, Q, S words."""
_SURNAMES: Final[str] = POOLS["surnames"]
_WEIGHTS: Final = [max(1, 3000 // (rank + 4)) for rank in range(len(_SURNAMES))]
_GIVEN: Final[str] = POOLS["given"]
_NUMERALS: Final = "一二三四五六七八九十"
_TO_TRADITIONAL: Final = opencc.OpenCC("s2t")

Spans = list[tuple[str, int, int]]


def _surname(r: Random) -> str:
    return r.choices(_SURNAMES, _WEIGHTS)[0]


def name(r: Random) -> str:
    x = r.random()
    if x < 0.02:
        return str(r.choice(POOLS["transliterated"]))
    surname = r.choice(POOLS["double_surnames"]) if x < 0.05 else _surname(r)
    letters = 1 if r.random() < 0.22 else 2
    if r.random() < 0.06:
        letter = r.choice(_GIVEN)
        return f"{surname}{letter}{letter}"
    return surname + "".join(r.choice(_GIVEN) for _ in range(letters))


def masked(r: Random) -> str:
    """A name as courts and the police print it."""
    marks = ["某", "某某", "某甲", "某乙", "某1", "某2", "××", "**", "*", "XX", "某丙", "某强", "某华"]
    return _surname(r) + r.choice(marks)


def titled(r: Random) -> tuple[str, str, str]:
    """What stands before a name, the name, and its title."""
    x = r.random()
    if x < 0.45:
        return "", _surname(r), r.choice(POOLS["titles_behind_surnames"])
    if x < 0.85:
        return "", name(r), r.choice(POOLS["titles_behind_names"])
    return r.choice(["老", "小", "阿"]), _surname(r), ""


def _called(r: Random) -> tuple[str, str, str]:
    choices = [
        (r.choice(["老", "小", "阿"]), _surname(r), ""),
        ("", _surname(r), r.choice(POOLS["titles_behind_surnames"])),
        ("", name(r), ""),
    ]
    return r.choice(choices)


def _number(r: Random, most: int) -> str:
    return str(r.randint(1, most))


def _room(r: Random) -> str:
    floor = r.randint(1, 28)
    if r.random() < 0.85:
        return f"{floor}{r.randint(1, 8):02d}"
    return f"{r.choice('ABCD')}{r.randint(1, 30)}"


def _unit(r: Random) -> str:
    """The chain of numbers behind a road or an estate."""
    n, room = _number, _room
    kinds: list[tuple[float, Callable[[], str]]] = [
        (0.30, lambda: f"{n(r, 999)}弄{n(r, 99)}号{room(r)}室"),
        (0.42, lambda: f"{n(r, 999)}弄{n(r, 99)}号{room(r)}"),
        (0.50, lambda: f"{n(r, 2000)}号{n(r, 30)}号楼{room(r)}室"),
        (0.58, lambda: f"{n(r, 30)}号楼{n(r, 6)}单元{room(r)}室"),
        (0.63, lambda: f"{n(r, 30)}栋{n(r, 6)}单元{room(r)}"),
        (0.68, lambda: f"{n(r, 30)}幢{room(r)}室"),
        (0.72, lambda: f"{n(r, 30)}-{n(r, 6)}-{room(r)}"),
        (0.76, lambda: f"{n(r, 99)}号{room(r)}"),
        (0.80, lambda: f"{n(r, 2000)}号"),
        (0.84, lambda: f"{n(r, 2000)}号{n(r, 30)}楼{r.choice(['', 'A座', '东侧', ''])}"),
        (
            0.88,
            lambda: (
                f"{n(r, 999)}弄{n(r, 99)}号{r.choice(_NUMERALS)}楼"
                f"{r.choice(['', '东', '西', '前楼', '后客堂', '亭子间'])}"
            ),
        ),
        (0.91, lambda: f"{n(r, 20)}座{n(r, 30)}层{room(r)}"),
        (0.94, lambda: f"{n(r, 999)}弄{n(r, 99)}支弄{n(r, 99)}号"),
        (0.97, lambda: f"{n(r, 999)}弄{n(r, 99)}号甲"),
        (1.0, lambda: f"{r.choice(_NUMERALS)}号楼{r.choice(_NUMERALS)}单元{room(r)}室"),
    ]
    x = r.random()
    return next(make() for below, make in kinds if x < below)


def _road(r: Random) -> str:
    x = r.random()
    base = r.choice(POOLS["roads"]) if x < 0.8 else r.choice(_GIVEN) + r.choice(_GIVEN)
    return f"{base}{r.choice(POOLS['road_kinds'])}"


def _estate(r: Random) -> str:
    base = r.choice(POOLS["estates"]) if r.random() < 0.8 else r.choice(_GIVEN) + r.choice(_GIVEN)
    return f"{base}{r.choice(POOLS['estate_kinds'])}"


def _village(r: Random) -> str:
    return (
        f"{r.choice(_GIVEN)}{r.choice(['家', '庄', '桥', '塘', '河', '店'])}"
        f"{r.choice(['村', '庄村', '湾村', '新村'])}{r.choice(['', '', '第三', '五'])}"
        f"{r.choice(['', '组', '村民小组'])}{_number(r, 99)}号"
    )


def _district(r: Random) -> str:
    x = r.random()
    choose = r.choice
    if x < 0.35:
        return "上海市" + str(choose(POOLS["shanghai_districts"]))
    if x < 0.50:
        return str(choose(POOLS["shanghai_districts"]))
    if x < 0.55:
        whole = r.random() >= 0.3
        district = str(choose(POOLS["shanghai_districts"]))
        return "上海" + (district if whole else district[:2])
    if x < 0.68:
        return f"{choose(POOLS['provinces'][1:15])}{choose(POOLS['cities'])}{choose(POOLS['districts'])}"
    if x < 0.76:
        return f"{choose(POOLS['provinces'][1:15])}{choose(POOLS['cities'])}{choose(POOLS['counties'])}"
    if x < 0.80:
        return f"{choose(POOLS['cities'])}{choose(POOLS['districts'])}"
    return ""


def address(r: Random) -> str:
    district = _district(r)
    street = r.choice(POOLS["streets"]) if district and r.random() < 0.3 else ""
    x = r.random()
    front = f"{district}{street}"
    if x < 0.06 and district:
        return district + (street or r.choice(["城关镇", "双河镇", "新集镇", "王店乡"])) + _village(r)
    if x < 0.60:
        return front + _road(r) + _unit(r)
    if x < 0.72:
        return front + _road(r) + _number(r, 999) + r.choice(["号", "弄"]) + _estate(r) + _unit(r)
    if x < 0.94:
        return front + _estate(r) + _unit(r)
    if r.random() < 0.3:
        return front + _road(r) + r.choice(["近", "与", "/"]) + _road(r)
    return front + _road(r) + _number(r, 999) + r.choice(["号", "弄"])


def organisation(r: Random) -> str:
    x = r.random()
    brand = r.choice(POOLS["brands"]) if r.random() < 0.7 else r.choice(_GIVEN) + r.choice(_GIVEN)
    region = r.choice(["上海", "上海市", "上海", "苏州", "杭州", "北京", "", "南京市"])
    if x < 0.55:
        return f"{region}{brand}{r.choice(POOLS['trades'])}{r.choice(POOLS['legal_forms'])}"
    kinds = next(parts for below, parts in _INSTITUTIONS if x < below)
    if kinds[0] is None:
        return f"{brand}{r.choice(kinds[1])}"
    first = kinds[0] or POOLS["roads"]
    return f"{first[0] if len(first) == 1 else r.choice(first)}{r.choice(kinds[1])}"


_INSTITUTIONS: Final[list[tuple[float, tuple[list[str] | None, list[str]]]]] = [
    (0.62, ([], ["社区居委会", "居委会", "居民委员会", "业委会"])),
    (
        0.70,
        (
            ["普陀区", "静安区", "上海市", "长宁区"],
            ["中心医院", "人民医院", "妇婴保健院", "妇幼保健院", "中医医院", "疾控中心", "利群医院", "精神卫生中心"],
        ),
    ),
    (
        0.78,
        (
            ["曹杨", "武宁", "真如", "长风", "桃浦", "宜川"],
            ["中学", "第二中学", "小学", "幼儿园", "实验学校", "社区卫生服务中心", "派出所"],
        ),
    ),
    (0.86, (None, ["物业", "超市", "饭店", "理发店", "早餐店", "宾馆", "药房", "网吧", "健身房"])),
    (
        0.93,
        (
            ["上海"],
            [
                "市普陀区市场监督管理局",
                "市公安局普陀分局",
                "市普陀区城市管理行政执法局",
                "市普陀区民政局",
                "市普陀区房屋管理局",
            ],
        ),
    ),
    (
        1.0,
        (
            ["中国工商银行", "中国建设银行", "招商银行", "上海银行", "农业银行"],
            ["普陀支行", "曹杨支行", "真如支行", "武宁路支行"],
        ),
    ),
]


def _mobile(r: Random) -> str:
    digits = "1" + r.choice("3456789") + "".join(r.choice("0123456789") for _ in range(9))
    x = r.random()
    if x < 0.14:
        gap = " " if x < 0.08 else "-"
        return gap.join((digits[:3], digits[3:7], digits[7:]))
    return f"+86{digits}" if x < 0.18 else digits


def _identity(r: Random) -> str:
    region = r.choice(["310107", "310105", "310115", "320102", "341226", "411524"])
    born = f"{r.randint(1940, 2018)}{r.randint(1, 12):02d}{r.randint(1, 28):02d}"
    return f"{region}{born}{r.randint(0, 999):03d}{r.choice('0123456789X')}"


def _digits(r: Random) -> str:
    return "".join(r.choice("0123456789") for _ in range(r.randint(6, 20)))


def _date(r: Random) -> str:
    year, month, day = r.randint(2019, 2026), r.randint(1, 12), r.randint(1, 28)
    choices = [
        f"{year}年{month}月{day}日",
        f"{year}-{month:02d}-{day:02d}",
        f"{month}月{day}日",
        f"{year}.{month}.{day}",
        *("昨日", "今日上午", "上周三", "近期"),
        f"{month}月{day}日{r.randint(0, 23)}时{r.randint(0, 59)}分",
    ]
    return r.choice(choices)


def _money(r: Random) -> str:
    return f"{r.randint(1, 99999)}{r.choice(['元', '万元', '元整'])}"


def _place(r: Random) -> str:
    near = ["普陀区", "长宁区", "上海", "上海市", "北京", "安徽", "江苏省", "浦东新区", "苏州", "外地"]
    return r.choice([*near, "美国", "日本", "真如镇", "曹杨新村"])


_NAMES: Final[dict[str, tuple[str, Callable[[Random], str]]]] = {
    "P": ("PER", lambda r: masked(r) if r.random() < 0.05 else name(r)),
    "K": ("PER", lambda r: masked(r) if r.random() < 0.6 else name(r)),
    "U": ("PER", _surname),
    "A": ("LOC", address),
    "R": ("LOC", _road),
    "L": ("LOC", _place),
    "O": ("ORG", organisation),
}
_WORDS: Final[dict[str, Callable[[Random], str]]] = {
    "M": _mobile,
    "I": _identity,
    "G": _digits,
    "D": _date,
    "Y": _money,
    "N": lambda r: str(r.randint(1, 90)),
    "X": lambda r: str(r.choice(POOLS["troubles"])),
    "Q": lambda r: str(r.choice(POOLS["wishes"])),
    "S": lambda r: str(r.choice(POOLS["everyday_words"])),
}


def fill(r: Random, template: str) -> tuple[str, Spans]:
    """A template with every place filled, and where its names are."""
    text = ""
    spans: Spans = []
    for match in re.finditer(r"\{(\w)\}|([^{]+)", template):
        place = match.group(1)
        if place is None:
            text += match.group(2)
        elif place in "TB":
            before, called, after = titled(r) if place == "T" else _called(r)
            start = len(text) + len(before)
            spans.append(("PER", start, start + len(called)))
            text += before + called + after
        elif place in _NAMES:
            label, make = _NAMES[place]
            made = make(r)
            spans.append((label, len(text), len(text) + len(made)))
            text += made
        else:
            text += _WORDS[place](r)
    return text, spans


def spoil(r: Random, text: str, spans: Spans) -> tuple[str, Spans]:
    """Some texts as they come out of scans, forms and other people's keyboards."""
    x = r.random()
    if x < 0.05:
        letters = [_TO_TRADITIONAL.convert(letter) for letter in text]
        return ("".join(letters), spans) if all(len(letter) == 1 for letter in letters) else (text, spans)
    if x < 0.12:
        return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text), spans
    if x < 0.20:
        share = r.uniform(0.03, 0.3)
        return _spread(text, spans, lambda letter: letter + (" " if r.random() < share else ""))
    if x < 0.30:
        return _spread(text, spans, lambda letter: _without_mark(r, letter))
    if x < 0.34:
        return text.translate(str.maketrans("，。：；（）", ",.:;()")), spans
    return text, spans


def _without_mark(r: Random, letter: str) -> str:
    if letter not in "，。：；、（）":
        return letter
    return "" if r.random() < 0.5 else " "


def _spread(text: str, spans: Spans, change: Callable[[str], str]) -> tuple[str, Spans]:
    """A text with each letter changed, and its spans where they are then."""
    made = ""
    places: list[tuple[int, int]] = []
    for letter in text:
        changed = change(letter)
        places.append((len(made), len(made) + len(changed.rstrip(" ") or changed)))
        made += changed
    return made, [(label, places[start][0], places[end - 1][1]) for label, start, end in spans]


def sample(r: Random, templates: list[str]) -> tuple[str, Spans]:
    """One text: a template, sometimes two."""
    parts = 1 if r.random() < 0.75 else 2
    text, spans = "", Spans()
    for _ in range(parts):
        more, found = fill(r, r.choice(templates))
        spans += [(label, start + len(text), end + len(text)) for label, start, end in found]
        text += more
    return spoil(r, text, spans)
