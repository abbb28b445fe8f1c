"""Social security and medical insurance numbers. No safe national format: by label or column name only."""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class SocialSecurity(LabelledRecognizer):
    """社保卡号、社会保障号、医保卡号、参保编号."""

    kind = EntityKind.SOCIAL_SECURITY
    labels = (
        r"社保卡?|社会保障(?:卡|号)?|社会保险|医保卡?|医疗保险|参保"
        r"|社保個人|社會保障(?:卡|號)?|社會保險|醫保卡?|醫療保險|參保|social security|ssn"
    )
    value = r"(?=[A-Za-z\-]{0,3}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{5,23}"
    headers = (
        "社保卡", "社保卡号", "医保卡号", "社会保障卡号", "社保号", "社保编号", "社会保障号", "社会保障卡",
        "医保卡", "医保号", "参保编号", "个人编号", "sbkh", "sbh", "shbzh", "ybkh", "social security", "ssn",
        "insurance no", "medicare no",
    )  # fmt: skip
