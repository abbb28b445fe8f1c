"""A form's fields are typed values, or a refusal that names the field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from starlette.datastructures import FormData

from hub.catalog.model import Grade
from hub.errors import InvalidInput
from hub.web.form import MOST_TEXT, Form


def form(*fields: tuple[str, str]) -> Form:
    return Form(FormData(list(fields)))


def test_fields_come_back_typed() -> None:
    given = form(("text", "  a b "), ("count", "7"), ("day", "2026-11-24"), ("grade", "L3"), ("box", "yes"))
    assert given.text("text") == "a b"
    assert given.number("count") == 7
    assert given.day("day") == date(2026, 11, 24)
    assert given.one_of("grade", Grade) is Grade.L3
    assert given.ticked("box")
    assert not given.ticked("other")


@pytest.mark.parametrize(
    ("ask", "value", "rule"),
    [
        (lambda given: given.text("x"), "", "form.missing"),
        (lambda given: given.text("x"), "   ", "form.missing"),
        (lambda given: given.text("x"), "a" * (MOST_TEXT + 1), "form.too_long"),
        (lambda given: given.number("x"), "seven", "form.invalid"),
        (lambda given: given.number("x"), "１２", "form.invalid"),
        (lambda given: given.number("x"), "9" * 13, "form.invalid"),
        (lambda given: given.day("x"), "24.11.2026", "form.invalid"),
        (lambda given: given.one_of("x", Grade), "L5", "form.invalid"),
    ],
)
def test_what_cannot_be_used_is_refused_by_the_name_of_its_field(
    ask: Callable[[Form], object], value: str, rule: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(form(("x", value)))
    assert refused.value.code == rule
    assert refused.value.refusals[0].subject == "x"
    assert not value.strip() or value not in str(refused.value)


def test_longest_text_is_still_taken() -> None:
    assert len(form(("x", "a" * MOST_TEXT)).text("x")) == MOST_TEXT


def test_box_that_may_be_ticked_more_than_once_keeps_its_order() -> None:
    assert form(("t", "b"), ("t", ""), ("t", "a")).many("t") == ("b", "a")
