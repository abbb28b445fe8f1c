"""The recognizers in use, in one explicit list. Adding a kind is one file in `recognizers/` and one line here."""

from __future__ import annotations

from typing import Final

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Recognizer
from anonymize.detect.recognizers.address import Address
from anonymize.detect.recognizers.bank_card import BankCard
from anonymize.detect.recognizers.birth_date import BirthDate
from anonymize.detect.recognizers.coordinates import Coordinates
from anonymize.detect.recognizers.credit_code import CreditCode
from anonymize.detect.recognizers.driving_licence import DrivingLicence
from anonymize.detect.recognizers.email import Email
from anonymize.detect.recognizers.ip import IpAddress
from anonymize.detect.recognizers.landline import Landline
from anonymize.detect.recognizers.mac import MacAddress
from anonymize.detect.recognizers.medical_record import MedicalRecord
from anonymize.detect.recognizers.mobile import Mobile
from anonymize.detect.recognizers.organization import Organization
from anonymize.detect.recognizers.passport import Passport
from anonymize.detect.recognizers.person import PersonName
from anonymize.detect.recognizers.plate import Plate
from anonymize.detect.recognizers.property_cert import PropertyCertificate
from anonymize.detect.recognizers.qq import Qq
from anonymize.detect.recognizers.resident_id import ResidentId
from anonymize.detect.recognizers.school_roll import SchoolRoll
from anonymize.detect.recognizers.social_security import SocialSecurity
from anonymize.detect.recognizers.travel_permit import TravelPermit
from anonymize.detect.recognizers.wechat import WeChat

RECOGNIZERS: Final[tuple[Recognizer, ...]] = (
    ResidentId(),
    CreditCode(),
    Mobile(),
    Landline(),
    BankCard(),
    Passport(),
    TravelPermit(),
    Plate(),
    DrivingLicence(),
    Email(),
    WeChat(),
    Qq(),
    IpAddress(),
    MacAddress(),
    Coordinates(),
    BirthDate(),
    MedicalRecord(),
    SocialSecurity(),
    PropertyCertificate(),
    SchoolRoll(),
    PersonName(),
    Address(),
    Organization(),
)
"""Order breaks ties between equally sure kinds of the same column."""

BY_KIND: Final[dict[EntityKind, Recognizer]] = {recognizer.kind: recognizer for recognizer in RECOGNIZERS}
"""Every kind has exactly one recognizer."""
