"""The materials of a registration: what the operator states, read as typed values, and all seven groups together.

Source: 登记办法 Art. 9(1), as DOMAIN.md §5.5 lists them: subject, lawful source, data resource, evidence, product and
service, scenario, security risk assessment. Rules here: `register.field_missing`, `register.field_invalid`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from hub.catalog.model import UpdateCycle
from hub.errors import Refusal
from hub.ledger.canonical import canonical
from hub.message import Message, msg
from hub.register.model import Delivery, RegistrationField, RiskLevel

BASIS = "公共数据资源登记管理暂行办法 第九条"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ROWS = re.compile(r"[0-9]{1,15}", re.ASCII)
F = RegistrationField


class Input(StrEnum):
    """How a field is typed."""

    LINE = "line"
    TEXT = "text"
    DAY = "day"
    ROWS = "rows"
    DIGEST = "digest"
    CHOICE = "choice"


CHOICES: Mapping[RegistrationField, type[StrEnum]] = {
    F.DATA_UPDATE: UpdateCycle,
    F.DELIVERY: Delivery,
    F.UPDATE: UpdateCycle,
    F.RISK_LEVEL: RiskLevel,
}

INPUTS: Mapping[RegistrationField, Input] = {
    F.CONTACT: Input.LINE,
    F.DATA_FROM: Input.DAY,
    F.DATA_UNTIL: Input.DAY,
    F.DATA_ROWS: Input.ROWS,
    F.DATA_UPDATE: Input.CHOICE,
    F.VERSION: Input.LINE,
    F.INPUT: Input.TEXT,
    F.OUTPUT: Input.TEXT,
    F.DELIVERY: Input.CHOICE,
    F.UPDATE: Input.CHOICE,
    F.RISK_REPORT: Input.DIGEST,
    F.RISK_LEVEL: Input.CHOICE,
    F.RISK_DATE: Input.DAY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the operator stated, each value in its own type."""

    contact: str
    data_from: date
    data_until: date
    data_rows: int
    data_update: UpdateCycle
    version: str
    input: str
    output: str
    delivery: Delivery
    update: UpdateCycle
    risk_report: str
    risk_level: RiskLevel
    risk_date: date


def read_stated(stated: Mapping[RegistrationField, str]) -> Stated:
    """The typed values of statements that `refusals_of_stated` lets through.

    Raises:
        ValueError: A value is not of its type.
    """
    return Stated(**{field.value: _READ[INPUTS[field]](field, stated[field].strip()) for field in F})


def refusals_of_stated(product_id: str, stated: Mapping[RegistrationField, str], *, today: date) -> tuple[Refusal, ...]:
    """Everything the statements lack: each missing and each malformed field is a refusal of its own."""
    found: list[Refusal] = []
    read: dict[RegistrationField, Any] = {}
    for field in F:
        text = stated.get(field, "").strip()
        if not text:
            found.append(missing(product_id, field))
            continue
        try:
            read[field] = _READ[INPUTS[field]](field, text)
        except ValueError:
            found.append(_invalid(product_id, field, _EXPECTED[INPUTS[field]]))
    if F.DATA_FROM in read and F.DATA_UNTIL in read and read[F.DATA_UNTIL] < read[F.DATA_FROM]:
        found.append(_invalid(product_id, F.DATA_UNTIL, msg("A time span ends after it begins.")))
    if F.RISK_DATE in read and read[F.RISK_DATE] > today:
        found.append(_invalid(product_id, F.RISK_DATE, msg("An assessment lies in the past.")))
    return tuple(found)


def missing(product_id: str, field: RegistrationField | Message) -> Refusal:
    """The refusal of one group or field that is not there."""
    return Refusal(
        rule="register.field_missing",
        subject=product_id,
        text=msg("The registration of {product} misses {field}.", product=product_id, field=field),
        next_step=msg("Fill it in; a missing credit code is entered in the directory by the bureau."),
        basis=BASIS,
    )


def digest_of(materials: Mapping[str, Any]) -> str:
    """Hex SHA-256 over the canonical JSON of all groups; stands in the ledger's event."""
    return hashlib.sha256(canonical(dict(materials))).hexdigest()


def _invalid(product_id: str, field: RegistrationField, expected: Message) -> Refusal:
    return Refusal(
        rule="register.field_invalid",
        subject=product_id,
        text=msg("{field} of {product} cannot be read.", field=field, product=product_id),
        next_step=expected,
        basis=BASIS,
    )


def _day(_field: RegistrationField, text: str) -> date:
    return date.fromisoformat(text)


def _rows(_field: RegistrationField, text: str) -> int:
    if not _ROWS.fullmatch(text):
        raise ValueError("no count")
    return int(text)


def _digest(_field: RegistrationField, text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise ValueError("no digest")
    return text


def _choice(field: RegistrationField, text: str) -> StrEnum:
    return CHOICES[field](text)


def _text(_field: RegistrationField, text: str) -> str:
    return text


_READ: Mapping[Input, Callable[[RegistrationField, str], Any]] = {
    Input.LINE: _text,
    Input.TEXT: _text,
    Input.DAY: _day,
    Input.ROWS: _rows,
    Input.DIGEST: _digest,
    Input.CHOICE: _choice,
}

_EXPECTED: Mapping[Input, Message] = {
    Input.LINE: msg("A text is expected here."),
    Input.TEXT: msg("A text is expected here."),
    Input.DAY: msg("A date like 2026-11-01 is expected."),
    Input.ROWS: msg("A whole number of rows is expected."),
    Input.DIGEST: msg("The SHA-256 of the report is expected: 64 characters of 0-9 and a-f."),
    Input.CHOICE: msg("Choose one of the list."),
}
