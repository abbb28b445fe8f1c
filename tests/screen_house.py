"""Material for the tests of the screen: extracts, pictures, and the shortest way from a file to its verdict."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from anonymize.screen import Finding, Verdict, screen_files

A01 = ",p,q\nx,50,3\ny,20,20\n"
"""The crosstab of case A01: one cell of 3."""


def screen_text(folder: Path, name: str, text: str | bytes, *, extracts: Sequence[Path] = ()) -> Verdict:
    """The verdict on one file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return screen_files([path], extracts=extracts)


def rules_of(verdict: Verdict) -> list[str]:
    """The rules that found something, notes left out."""
    return [found.rule for found in verdict.findings if found.level.value != "note"]


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    """Rule, level and code of every finding."""
    return [(found.rule, found.level.value, found.code.value) for found in verdict.findings]


def shown(findings: Sequence[Finding]) -> str:
    """Everything a finding says, in both languages; for looking for values that must not be there."""
    return " ".join(f"{f.file} {f.where} {f.text.zh} {f.text.en} {f.next_step.zh} {f.next_step.en}" for f in findings)


def people(rows: int = 30_000, seed: int = 3) -> pl.DataFrame:
    """An extract of persons: coarse groups, a date, money in detail, a pseudonym."""
    chance = np.random.default_rng(seed)
    streets = np.array([f"3101070{number:02d}" for number in (5, 14, 15, 16, 17, 20, 21, 22)])
    street = chance.integers(0, len(streets), rows)
    return pl.DataFrame(
        {
            "pid": [
                f"{value:032x}" for value in (int(a) << 64 | int(b) for a, b in chance.integers(1, 2**62, (rows, 2)))
            ],
            "street_code": streets[street],
            "district": np.where(street < 4, "北片", "南片"),
            "sex": chance.choice(["男", "女"], rows),
            "age": chance.integers(18, 95, rows),
            "care_level": chance.integers(1, 6, rows),
            "income": np.round(chance.lognormal(8.4, 0.6, rows), 2),
            "subsidy": np.round(chance.lognormal(6.0, 0.5, rows), 2),
            "visits": chance.poisson(6, rows),
            "assessed_on": np.datetime64("2024-01-01") + chance.integers(0, 700, rows).astype("timedelta64[D]"),
        }
    )


def png(width: int = 40, height: int = 20) -> bytes:
    """A clean picture as Pillow writes it."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(out, "PNG")
    return out.getvalue()


def jpeg() -> bytes:
    """A clean JPEG as Pillow writes it."""
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(out, "JPEG")
    return out.getvalue()


def with_chunk(picture: bytes, kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk before its end."""
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return picture[:-12] + chunk + picture[-12:]
