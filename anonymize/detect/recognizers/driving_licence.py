"""Driving licences: the licence number equals the resident number; the file number has 12 digits and needs its
label.
"""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import LabelledRecognizer


class DrivingLicence(LabelledRecognizer):
    """档案编号 of a driving licence, or a number behind 驾驶证."""

    kind = EntityKind.CN_DRIVING_LICENCE
    labels = r"驾驶证档案|驾驶证|驾照|档案编号|駕駛證檔案|駕駛證|駕照|檔案編號|driving licen[cs]e|driver'?s licen[cs]e"
    value = r"[0-9]{12}(?:[0-9]{5}[0-9Xx])?"
    headers = (
        "驾驶证", "驾照", "档案编号", "jszh", "driving licence", "driving license", "driver license",
        "driver licence",
    )  # fmt: skip
