"""Medical record numbers. No national format: found behind their label or by the column's name only."""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class MedicalRecord(LabelledRecognizer):
    """病历号、病案号、住院号、门诊号、就诊卡号."""

    kind = EntityKind.MEDICAL_RECORD
    labels = r"病历|病案|住院|门诊|就诊卡|病歷|門診|就診卡|medical record|patient id|mrn"
    value = r"(?=[A-Za-z\-]{0,8}[0-9])[A-Za-z0-9][A-Za-z0-9\-]{4,23}"
    headers = (
        "病历号", "病案号", "住院号", "门诊号", "就诊号", "就诊卡", "blh", "bah", "zyh", "mzh", "medical record",
        "patient id", "mrn", "visit id",
    )  # fmt: skip
