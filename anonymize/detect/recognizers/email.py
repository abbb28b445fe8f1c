"""E-mail addresses. Source: RFC 5321 in the common ASCII form; no list of domains and no network is asked."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Judged, Recognizer


class Email(Recognizer):
    """A local part of at most 64 characters, a domain of at most eight labels."""

    kind = EntityKind.EMAIL
    patterns = (
        re.compile(
            r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}[ ]?@[ ]?"
            r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
        ),
    )
    context = ("邮箱", "邮件", "email", "e-mail", "mail")
    headers = ("邮箱", "电子邮件", "email", "e mail", "mail", "dzyx", "youxiang", "yx")
    cell_pattern = r"^[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,63}@(?:[A-Za-z0-9\-]{1,63}\.){1,8}[A-Za-z]{2,24}$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        return Judged(0.85)
