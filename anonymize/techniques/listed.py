"""A hierarchy as a file lists it: one row per value, its labels level by level, the coarsest last.

The layout is ARX's: no header, `;` or `,` between the cells, the value first. A last column of nothing but "*" may
stand or be left out. The policy holds what the file held, so that its digest covers the hierarchy too; a file is only
read where the policy itself lies, never from a text alone.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import polars as pl

from anonymize.errors import Place
from anonymize.strict import Fields, refuse_setting
from anonymize.techniques.hierarchy import STAR, refuse_unlisted, value_key
from anonymize.text import Text

MAX_FILE_BYTES: Final = 64 * 2**20
MAX_LEVELS: Final = 64

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Labels per value.

    Shape: `rows` sorted by value; each holds the value and its labels from level 1 on, without the last "*".
    """

    kind: ClassVar[str] = "file"

    rows: Rows

    @classmethod
    def read(cls, fields: Fields) -> Listed:
        if fields.has("path") == fields.has("rows"):
            raise refuse_setting(
                fields.at("path"), zh="与 rows 应恰好写明一项", en="or rows must be named, exactly one of them"
            )
        if fields.has("rows"):
            return cls(rows=_checked(fields.items("rows"), fields.at("rows")))
        return cls(rows=_checked(_read_file(fields), fields.at("path")))

    @property
    def depth(self) -> int:
        return len(self.rows[0]) + 1

    @property
    def domain(self) -> int | None:
        return len(self.rows)

    def coverage(self, level: int) -> Mapping[str, int] | None:
        return Counter(row[level] for row in self.rows)

    def labels(self, values: pl.Series, place: Place) -> list[pl.Series]:
        known = {row[0]: row for row in self.rows}
        wanted = [value_key(value) for value in values.to_list()]
        if missing := sum(value not in known for value in wanted):
            raise refuse_unlisted(missing, place)
        return [
            pl.Series([known[value][level] for value in wanted], dtype=pl.String) for level in range(1, self.depth - 1)
        ]

    def level_text(self, level: int) -> Text:
        count = len({row[level] for row in self.rows})
        return Text(f"归并为 {count} 个组", f"joined into {count} groups")

    def params(self) -> dict[str, Any]:
        return {"rows": [list(row) for row in self.rows]}


def _checked(rows: Sequence[object], subject: str) -> Rows:
    """Rows of one width without gaps, each value once, each label wholly inside one label of the next level."""
    table: list[tuple[str, ...]] = []
    for number, row in enumerate(rows, start=1):
        cells = [value_key(cell).strip() for cell in row] if isinstance(row, list) else []
        if len(cells) < 2 or len(cells) > MAX_LEVELS or "" in cells or len(cells) != len(rows[0] or ()):  # type: ignore[arg-type]  # only lists pass
            raise refuse_setting(
                subject,
                zh=f"第 {number} 行应为值及其各级标签，每行列数相同且没有空单元格",
                en=f"must hold a value and its labels in row {number}, as many as in the first row and none empty",
            )
        table.append(tuple(cells))
    if all(row[-1] == STAR for row in table):
        table = [row[:-1] for row in table]
    if any(STAR in row for row in table):
        raise refuse_setting(
            subject, zh="只有最后一列可以全为 *", en='may hold "*" only as the whole of its last column'
        )
    if len({row[0] for row in table}) != len(table):
        raise refuse_setting(subject, zh="有值出现两次", en="lists a value twice")
    for level in range(1, len(table[0]) - 1):
        pairs = {row[level : level + 2] for row in table}
        if len(pairs) != len({row[level] for row in table}):
            raise refuse_setting(
                subject,
                zh=f"第 {level} 级有标签分属下一级的两个标签，层次不嵌套",
                en=f"is not nested: a label of level {level} lies in two labels of the next level",
            )
    return tuple(sorted(table))


def _read_file(fields: Fields) -> list[list[str]]:
    path, subject = _inside(fields), fields.at("path")
    try:
        if path.stat().st_size > MAX_FILE_BYTES or not path.is_file():
            raise refuse_setting(subject, zh="不是普通文件或过大", en="is no regular file, or too large")
        content = path.read_bytes()
    except OSError as failed:
        raise refuse_setting(subject, zh="指的文件无法读取", en="names a file that can't be read") from failed
    text = _decoded(content, subject)
    first = text.partition("\n")[0]
    separator = ";" if first.count(";") >= max(1, first.count(",")) else ","
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if row]
    except csv.Error as failed:
        raise refuse_setting(subject, zh="指的文件不是 CSV", en="names a file that is no CSV") from failed
    if not rows:
        raise refuse_setting(subject, zh="指的文件为空", en="names an empty file")
    return rows


def _inside(fields: Fields) -> Path:
    """The file, beside the policy or below it."""
    name, folder = fields.text("path"), fields.folder
    if folder is None:
        raise refuse_setting(
            fields.at("path"),
            zh="只能用于以文件形式读取的规则；请把层次写入 rows",
            en="is only for a policy that is read from a file; write the hierarchy into rows",
        )
    relative = Path(name)
    if relative.is_absolute() or ".." in relative.parts or not (folder / relative).resolve().is_relative_to(folder):
        raise refuse_setting(
            fields.at("path"), zh="应在规则文件所在目录之内", en="must lie in the folder of the policy file"
        )
    return folder / relative


def _decoded(content: bytes, subject: str) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise refuse_setting(
        subject, zh="指的文件既不是 UTF-8 也不是 GB18030", en="names a file in neither UTF-8 nor GB18030"
    )
