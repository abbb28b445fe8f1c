"""School-roll numbers (学籍号): G or L before a resident number, or by label."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LEFT, RIGHT, LabelledRecognizer


class SchoolRoll(LabelledRecognizer):
    """The national number is G + resident number (L for pupils without one)."""

    kind = EntityKind.SCHOOL_ROLL
    labels = r"学籍|学号|學籍|學號|school roll|student id"
    value = r"(?=[A-Za-z\-]{0,3}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{5,23}"
    headers = ("学籍号", "学籍", "学号", "xjh", "xh", "roll no", "school roll", "student id", "student no")

    @classmethod
    def extra_patterns(cls) -> tuple[re.Pattern[str], ...]:
        return (re.compile(LEFT + r"[GgLl][1-9][0-9]{16}[0-9Xx]" + RIGHT),)
