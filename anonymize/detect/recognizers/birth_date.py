"""Dates of birth: a date behind a word that says so. A date alone is not one."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, LabelledRecognizer


class BirthDate(LabelledRecognizer):
    """出生日期、生日、生于、DOB, followed by a date, or a date followed by 出生."""

    kind = EntityKind.DATE_OF_BIRTH
    labels = r"出生日期|出生年月日|出生年月|出生于|出生|生日|生于|date of birth|birth ?date|birthday|born|dob"
    value = r"(?:18|19|20)[0-9]{2}(?:[\-/. ]|年[ ]?)?[0-9]{1,2}(?:(?:[\-/. ]|月[ ]?)?[0-9]{1,2}日?|月)?"
    headers = ("出生", "生日", "csrq", "csny", "birth", "birthday", "dob", "date of birth", "birthdate", "birthyear")

    @classmethod
    def extra_patterns(cls) -> tuple[re.Pattern[str], ...]:
        """1980年1月1日出生."""
        return (re.compile(rf"{LEFT}(?P<value>{cls.value})(?=[ ]{{0,2}}(?:出生|生人))"),)
