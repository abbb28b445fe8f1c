"""What a recognizer can find, and one finding. The kinds are the contract of `zhakou detect` and `zhakou scan`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EntityKind(StrEnum):
    """Kinds of identifiers of persons and firms."""

    PERSON = "PERSON"
    ADDRESS = "ADDRESS"
    ORGANIZATION = "ORGANIZATION"
    CN_RESIDENT_ID = "CN_RESIDENT_ID"
    CN_CREDIT_CODE = "CN_CREDIT_CODE"
    CN_MOBILE = "CN_MOBILE"
    CN_LANDLINE = "CN_LANDLINE"
    BANK_CARD = "BANK_CARD"
    CN_PASSPORT = "CN_PASSPORT"
    CN_TRAVEL_PERMIT = "CN_TRAVEL_PERMIT"
    CN_PLATE = "CN_PLATE"
    CN_DRIVING_LICENCE = "CN_DRIVING_LICENCE"
    EMAIL = "EMAIL"
    WECHAT = "WECHAT"
    QQ = "QQ"
    IP = "IP"
    MAC = "MAC"
    COORDINATES = "COORDINATES"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    MEDICAL_RECORD = "MEDICAL_RECORD"
    SOCIAL_SECURITY = "SOCIAL_SECURITY"
    PROPERTY_CERT = "PROPERTY_CERT"
    SCHOOL_ROLL = "SCHOOL_ROLL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One found span of the original text.

    Units: `start` and `end` count code points of the original text, end exclusive; `score` is from 0 to 1 and orders
    findings, it is no probability. `checked` tells whether the number's check digit is right; None where the kind
    has none.
    """

    kind: EntityKind
    start: int
    end: int
    score: float
    checked: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError("an entity needs a span that is not empty")
        if not 0.0 <= self.score <= 1.0:
            raise ValueError("a score lies between 0 and 1")

    def as_json(self) -> dict[str, object]:
        """The four members that `zhakou detect` promises."""
        return {"kind": self.kind.value, "start": self.start, "end": self.end, "score": round(self.score, 3)}
