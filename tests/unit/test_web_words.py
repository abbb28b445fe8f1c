"""Whatever the machine calls by a code has a word for people, in both languages."""

from __future__ import annotations

import importlib
import inspect
from enum import StrEnum
from pathlib import Path

import pytest

import hub
from hub.catalog.model import TableStatus
from hub.message import both, msg
from hub.web import words
from hub.web.language import language

HOME = Path(hub.__file__).parent


def closed_lists() -> list[type[StrEnum]]:
    """Every closed list of the rooms that have pages, the people's roles and verbs, and the ledger's events."""
    names = [f"hub.{path.parent.name}.model" for path in HOME.glob("*/pages.py")]
    found = []
    for name in (*names, "hub.people.actor", "hub.people.rules", "hub.ledger.events"):
        module = importlib.import_module(name)
        found += [
            kind
            for _, kind in inspect.getmembers(module, inspect.isclass)
            if issubclass(kind, StrEnum) and kind is not StrEnum and kind.__module__ == name
        ]
    return found


@pytest.mark.parametrize("kind", closed_lists(), ids=lambda kind: kind.__name__)
def test_every_member_of_every_closed_list_has_a_word_in_both_languages(kind: type[StrEnum]) -> None:
    for member in kind:
        english = words.say(member, language("en").gettext)
        chinese = words.say(member, language("zh").gettext)
        assert english.isascii()
        assert not chinese.isascii()


def test_at_least_the_known_lists_are_walked() -> None:
    assert len(closed_lists()) >= 15


def test_tones_are_those_the_stylesheet_knows() -> None:
    css = (HOME / "web" / "static" / "portal.css").read_text(encoding="utf-8")
    for members in words.TONES.values():
        for tone in members.values():
            assert f".badge-{tone} " in css


def test_roles_inside_a_sentence_are_said_by_their_words() -> None:
    sentence = msg("It takes one of the roles {roles}; ask the bureau for an appointment.", roles="auditor, analyst")
    assert "审计员" in words.say(sentence, language("zh").gettext)
    assert "auditor, analyst" in words.say(sentence, language("en").gettext)


def test_text_that_is_no_code_stays_as_it_is() -> None:
    sentence = msg("It takes one of the roles {roles}; ask the bureau for an appointment.", roles="someone else")
    assert "someone else" in words.say(sentence, language("zh").gettext)


def test_state_inside_a_sentence_is_said_by_its_own_list() -> None:
    sentence = msg("Table {table} is {status}; only a draft can be published.", table="t", status=TableStatus.PUBLISHED)
    assert "“已发布”" in words.say(sentence, language("zh").gettext)


def test_sentence_inside_a_sentence_is_translated_too() -> None:
    sentence = msg("The ledger does not hold: {finding}.", finding=msg("the head of the ledger is missing"))
    assert "最新摘要缺失" in words.say(sentence, language("zh").gettext)


def test_sentence_of_another_package_brings_its_own_chinese() -> None:
    sentence = both(en="no table", zh="不是数据表")
    assert words.say(sentence, language("zh").gettext) == "不是数据表"
    assert words.say(sentence, language("en").gettext) == "no table"
