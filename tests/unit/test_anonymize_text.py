"""A sentence exists in both languages, and a refusal says what, and what next, in either."""

from __future__ import annotations

import pytest

from anonymize.errors import BadInput, NotFound, Place, TargetNotMet
from anonymize.text import Text


@pytest.mark.parametrize(("zh", "en"), [("", "x"), ("x", " ")])
def test_half_a_sentence_is_no_sentence(zh: str, en: str) -> None:
    with pytest.raises(ValueError, match="both"):
        Text(zh, en)


def test_unknown_language_is_an_error() -> None:
    with pytest.raises(ValueError, match="zh or en"):
        Text("是", "yes").in_language("de")  # type: ignore[arg-type]


def test_refusal_speaks_both_languages_and_names_its_code() -> None:
    refused = Place(table="t.csv", column="age").refuse(
        "column.x", found=Text("有误", "it is wrong"), next_step=Text("请改正。", "Correct it.")
    )
    assert refused.subject == "t.csv:age"
    assert refused.sentence("en") == "Table t.csv, column “age” refused: it is wrong. Correct it. [column.x]"
    assert refused.sentence("zh").endswith("有误。请改正。 [column.x]")
    assert str(refused) == refused.sentence("en")
    assert refused.as_json("zh")["i18n"] == {
        "zh": {"text": refused.text.zh, "next_step": "请改正。"},
        "en": {"text": refused.text.en, "next_step": "Correct it."},
    }


def test_kinds_of_refusals_have_the_exit_codes_of_the_contract() -> None:
    assert (NotFound.exit_code, BadInput.exit_code, TargetNotMet.exit_code) == (20, 23, 24)
