"""Small tables and policies for the tests of the anonymizer; every test says only what matters to it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from anonymize.pipeline import Extracted, build_extract
from anonymize.policy import AnonymizationPolicy, parse_policy
from anonymize.toml import write_toml

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)

DROP: dict[str, Any] = {"class": "direct_id", "technique": "drop", "reason": "not needed"}
KEEP: dict[str, Any] = {"class": "non_sensitive", "technique": "keep", "reason": "needed"}
SENSITIVE: dict[str, Any] = {"class": "sensitive_attr", "technique": "keep", "reason": "the subject of the study"}
QUASI_KEPT: dict[str, Any] = {"class": "quasi_id", "technique": "keep", "reason": "counted as it is"}
QUASI_DROPPED: dict[str, Any] = {"class": "quasi_id", "technique": "drop", "reason": "tells too much"}
PSEUDONYM: dict[str, Any] = {
    "class": "direct_id",
    "technique": "pseudonymize",
    "reason": "joins tables",
    "params": {"domain": "person"},
}


def generalized(**params: Any) -> dict[str, Any]:
    """A quasi-identifier under a hierarchy."""
    return {"class": "quasi_id", "technique": "generalize", "reason": "known from elsewhere", "params": params}


AGE = generalized(kind="bands", widths=[10, 20, 40])
TOWN = generalized(kind="prefixes", lengths=[1])


def policy_text(columns: Mapping[str, Any], *, target: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """The TOML of a policy; the target is k = 2 with half of the rows free to go, unless said otherwise."""
    return write_toml(
        {
            "format": 1,
            "name": "test",
            "version": "1",
            "target": dict(target or {"k": 2, "suppression_limit": 0.5}),
            "columns": dict(columns),
            **changes,
        }
    )


def policy_of(columns: Mapping[str, Any], **target: Any) -> AnonymizationPolicy:
    """A policy over `columns` with the target given."""
    return parse_policy(policy_text(columns, target=target or None))


def extract_of(
    frame: pl.DataFrame,
    policy: AnonymizationPolicy,
    folder: Path,
    *,
    key: bytes = KEY,
    population_table: Path | None = None,
) -> Extracted:
    """An extract built from a frame, below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "source.parquet"
    frame.write_parquet(source)
    return build_extract(
        source=source,
        policy=policy,
        key=key,
        out_dir=folder / "out",
        created_at=NOW,
        population_table=population_table,
    )


def write_xlsx(path: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    """A workbook written by hand from its parts: no package that writes them is needed for anything else.

    Source: ECMA-376, Office Open XML, SpreadsheetML.
    """
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    numbers = range(1, len(sheets) + 1)
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{kinds}"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{links}"><Relationship Id="rId1" Type="{office}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        targets = "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        book.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{links}">{targets}</Relationships>')
        for number, rows in zip(numbers, sheets, strict=True):
            content = "".join(_xlsx_row(position, row) for position, row in enumerate(rows, start=1))
            book.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{content}</sheetData></worksheet>',
            )
    return path


def _xlsx_row(position: int, row: Sequence[object]) -> str:
    cells = "".join(_xlsx_cell(f"{chr(65 + column)}{position}", value) for column, value in enumerate(row))
    return f'<row r="{position}">{cells}</row>'


def _xlsx_cell(place: str, value: object) -> str:
    match value:
        case None:
            return ""
        case int() | float():
            return f'<c r="{place}"><v>{value!r}</v></c>'
        case _:
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
