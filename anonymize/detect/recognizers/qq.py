"""QQ numbers: 5 to 11 digits, only behind the word."""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class Qq(LabelledRecognizer):
    """QQ, QQ号, 企鹅号."""

    kind = EntityKind.QQ
    labels = r"(?<![A-Za-z])qq|扣扣|企鹅号"
    value = r"[1-9][0-9]{4,10}"
    headers = ("qq", "qqh", "扣扣")
