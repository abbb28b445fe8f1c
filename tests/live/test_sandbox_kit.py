"""The notebook kit in a real kernel: data comes in, results go to the outbox, refusals are in words."""

from __future__ import annotations

import json

import pytest

from sandbox.outbox import freeze, list_items
from tests.live.rooms import Room

pytestmark = pytest.mark.live

IMPORTS = "from zhakou import data, outbox\nimport polars as pl\n"


def test_extracts_are_listed_and_loaded(room: Room) -> None:
    ran = room.execute(IMPORTS + "print(data.tables())\nprint(data.load('elders').height, len(data.pandas('elders')))")
    assert ran.stdout == "elders [–]: 3 × 2 (district, count)\n3 3\n"


def test_unknown_extract_is_refused_with_the_ones_there_are(room: Room) -> None:
    error = room.execute(IMPORTS + "data.load('x')").error
    assert error is not None
    assert "elders" in error
    assert "[data.unknown]" in error


PUTS = {
    "polars": ("pl.DataFrame({'a': [1]})", "a.csv", b"a\n1\n"),
    "lazy": ("pl.LazyFrame({'a': [1]})", "a.csv", b"a\n1\n"),
    "pandas": ("__import__('pandas').DataFrame({'a': [1]})", "a.csv", b"a\n1\n"),
    "pandas_index": ("__import__('pandas').Series([5], index=['x'], name='n')", "a.csv", b",n\nx,5\n"),
    "pyarrow": ("__import__('pyarrow').table({'a': [1]})", "a.csv", b"a\n1\n"),
    "duckdb": ("__import__('duckdb').sql('select 1 as a')", "a.csv", b"a\n1\n"),
    "text": ("'结论'", "a.txt", "结论".encode()),
    "markdown": ("'# 结论'", "a.md", "# 结论".encode()),
    "json": ("{'k': [1, '二']}", "a.json", None),
}


@pytest.mark.parametrize("kind", PUTS)
def test_each_kind_of_result_becomes_one_plain_file(room: Room, kind: str) -> None:
    expression, name, content = PUTS[kind]
    ran = room.execute(IMPORTS + f"print(outbox.put({expression}, title='T', reason='R', name={name!r}).slug)")
    assert ran.error is None, ran.error
    slug = ran.stdout.strip()
    (item,) = [one for one in list_items(room.outbox) if one.slug == slug]
    assert (item.title, item.reason, item.payload, item.refused) == ("T", "R", name, None)
    kept = (room.outbox / slug / name).read_bytes()
    assert json.loads(kept) == {"k": [1, "二"]} if content is None else kept == content
    about = json.loads((room.outbox / slug / "about.json").read_bytes())
    assert set(about) == {"title", "reason", "created_at", "payload"}


def test_figure_with_chinese_becomes_a_picture_that_can_be_frozen(room: Room, folder) -> None:  # type: ignore[no-untyped-def]
    cell = (
        "import matplotlib.pyplot as plt, warnings\nwarnings.simplefilter('error')\n"
        "figure, axes = plt.subplots()\naxes.set_title('养老'); axes.plot([1, 2])\n"
        "print(outbox.put(figure, title='图 一', reason='R').slug)"
    )
    ran = room.execute(IMPORTS + cell)
    assert ran.error is None, ran.error
    (frozen,) = freeze(room.outbox, [ran.stdout.strip()], folder / "store")
    assert frozen.name == "图-一.png"
    assert frozen.path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("outbox.put(pl.DataFrame(), title='T', reason='R')", "outbox.empty"),
        ("outbox.put(pl.DataFrame({'a': []}), title='T', reason='R')", "outbox.empty"),
        ("outbox.put('', title='T', reason='R')", "outbox.empty"),
        ("outbox.put('x', title=' ', reason='R')", "outbox.title"),
        ("outbox.put('x', title='T', reason='')", "outbox.reason"),
        ("outbox.put('x', title='T' * 201, reason='R')", "outbox.title"),
        ("outbox.put('x' * (20 * 2**20 + 1), title='T', reason='R')", "outbox.too_large"),
        ("outbox.put(object(), title='T', reason='R')", "outbox.kind"),
        ("outbox.put(lambda: 1, title='T', reason='R')", "outbox.kind"),
        ("outbox.put(pl.DataFrame({'a': [[1]]}), title='T', reason='R')", "outbox.nested"),
        ("outbox.put({'a': float('nan')}, title='T', reason='R')", "outbox.not_json"),
        ("outbox.put('{', title='T', reason='R', name='a.json')", "outbox.not_json"),
        ("outbox.put(__import__('pathlib').Path('/tmp/none.csv'), title='T', reason='R')", "outbox.no_file"),
        ("outbox.put(__import__('pathlib').Path('/tmp/a.pkl'), title='T', reason='R')", "outbox.file_kind"),
        ("outbox.remove('../x')", "outbox.unknown"),
    ],
)
def test_what_cannot_go_out_is_refused_in_words(room: Room, call: str, code: str) -> None:
    ran = room.execute(IMPORTS + call)
    assert ran.error is not None
    assert f"[{code}]" in ran.error
    (shown,) = [message["content"]["traceback"] for message in ran.messages if message["msg_type"] == "error"]
    assert len(shown) == 1  # words, not lines of our code


def test_item_can_be_taken_out_again(room: Room) -> None:
    ran = room.execute(
        IMPORTS + "item = outbox.put('x', title='T', reason='R')\noutbox.remove(item.slug)\n"
        "print(item.slug in {one.slug for one in outbox.list()})"
    )
    assert ran.stdout == "False\n"


def test_rehearsal_says_what_the_gate_would_say(room: Room) -> None:
    cell = IMPORTS + (
        "for item in outbox.list(): outbox.remove(item.slug)\n"
        "outbox.put(pl.DataFrame({'name': ['x'], 'id': ['11010519491231002X']}), title='T', reason='R', name='a.csv')\n"
        "print(outbox.rehearse().verdict)\noutbox.rehearse()"
    )
    ran = room.execute(cell)
    assert ran.error is None, ran.error
    assert ran.stdout == "block\n"
    (shown,) = [message["content"]["data"] for message in ran.messages if message["msg_type"] == "execute_result"]
    assert "拦截" in shown["text/html"]
    assert "a.csv" in shown["text/html"]
    assert "11010519491231002X" not in shown["text/html"] + shown["text/plain"]


def test_rehearsal_of_nothing_is_refused(room: Room) -> None:
    ran = room.execute(IMPORTS + "for item in outbox.list(): outbox.remove(item.slug)\noutbox.rehearse()")
    assert ran.error is not None
    assert "[outbox.nothing]" in ran.error
