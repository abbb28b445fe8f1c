"""Which columns and texts identify a person or a firm."""

from anonymize.detect.detector import detect_text, detect_texts
from anonymize.detect.entity import Entity, EntityKind
from anonymize.detect.scan import scan_table
from anonymize.detect.scan_report import ColumnVerdict, KindShare, ScanReport

__all__ = [
    "ColumnVerdict",
    "Entity",
    "EntityKind",
    "KindShare",
    "ScanReport",
    "detect_text",
    "detect_texts",
    "scan_table",
]
