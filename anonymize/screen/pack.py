"""A rule pack: every threshold of the screen as a value with its source, read strictly from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from anonymize.errors import BadInput, NotFound
from anonymize.strict import Fields
from anonymize.text import Text

FORMAT: Final = 1
BASE: Final = Path(__file__).parent / "packs" / "base-1.toml"
MAX_PACK_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RulePack:
    """The thresholds of one named and versioned pack.

    Units: `max_*_bytes` bytes; `max_rows`, `max_cells`, `max_files`, `min_cell`, `rare_units`, `row_minimum` counts;
    `max_seconds` seconds of one file; `row_excess` a share from 0 to 1; `blob_characters` characters.
    """

    name: str
    version: str
    min_cell: int
    zero_cells: str
    max_files: int
    max_file_bytes: int
    max_total_bytes: int
    max_rows: int
    max_cells: int
    max_seconds: int
    max_pixels: int
    image_text_bytes: int
    blob_characters: int
    blob_depth: int
    row_excess: float
    row_minimum: int
    rare_units: int
    sources: Mapping[str, str]


@lru_cache(maxsize=1)
def base_pack() -> RulePack:
    """The pack that comes with the product."""
    return load_pack(BASE)


def load_pack(path: Path) -> RulePack:
    """Read a rule pack.

    Raises:
        NotFound: there is no such file.
        BadInput: it is no pack; the refusal names the field.
    """
    try:
        content = path.read_bytes()
    except OSError as failed:
        raise NotFound(
            code="pack.not_found",
            subject=path.name,
            text=Text(f"找不到规则包 {path.name}。", f"There is no rule pack {path.name}."),
            next_step=Text("请检查路径。", "Check the path."),
        ) from failed
    if len(content) > MAX_PACK_BYTES:
        raise _not_toml(path.name)
    try:
        return parse_pack(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as failed:
        raise _not_toml(path.name) from failed


def parse_pack(text: str) -> RulePack:
    """Read a rule pack from its TOML text.

    Raises:
        BadInput: a field is missing, unknown or out of range.
        tomllib.TOMLDecodeError: it is no TOML.
    """
    fields = Fields(tomllib.loads(text), "")
    fields.integer("format", low=FORMAT, high=FORMAT)
    sources: dict[str, str] = {}

    def entry(key: str) -> Fields:
        inner = fields.table(key)
        sources[key] = inner.text("source")
        return inner

    def whole(key: str, low: int, high: int) -> int:
        inner = entry(key)
        value = inner.integer("value", low=low, high=high)
        inner.close()
        return value

    zero = entry("zero_cells")
    zero_cells = zero.choice("value", ("flag", "allow"))
    zero.close()
    excess = entry("row_excess")
    row_excess = float(excess.number("value", low=0.01, high=1))
    excess.close()
    pack = RulePack(
        name=fields.text("name"),
        version=fields.text("version"),
        min_cell=whole("min_cell", 2, 1_000),
        zero_cells=zero_cells,
        max_files=whole("max_files", 1, 1_000),
        max_file_bytes=whole("max_file_bytes", 1, 2**30),
        max_total_bytes=whole("max_total_bytes", 1, 2**32),
        max_rows=whole("max_rows", 1, 10_000_000),
        max_cells=whole("max_cells", 1, 20_000_000),
        max_seconds=whole("max_seconds", 1, 3_600),
        max_pixels=whole("max_pixels", 1, 1_000_000_000),
        image_text_bytes=whole("image_text_bytes", 0, 4_096),
        blob_characters=whole("blob_characters", 24, 10_000),
        blob_depth=whole("blob_depth", 1, 10),
        row_excess=row_excess,
        row_minimum=whole("row_minimum", 1, 1_000),
        rare_units=whole("rare_units", 2, 1_000),
        sources=sources,
    )
    fields.close()
    return pack


def _not_toml(subject: str) -> BadInput:
    return BadInput(
        code="pack.not_toml",
        subject=subject,
        text=Text(
            "规则包被拒绝：不是有效的 UTF-8 TOML 文件。", "Rule pack refused: it is not a valid TOML file in UTF-8."
        ),
        next_step=Text("请用 TOML 1.0 语法修改后重试。", "Mend its TOML 1.0 syntax and try again."),
    )
