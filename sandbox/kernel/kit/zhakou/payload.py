"""Turns what an analyst computed into the one plain file that the gate can judge: CSV, PNG, text, Markdown or JSON.

Libraries are recognised by what is already imported: a kit that imports all of them would make every notebook wait.
"""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .words import Refused, say

MAX_BYTES = 20 * 2**20
"""The gate takes 20 MiB at a time; a result for people is far smaller."""
DPI = 120
_TEXTS = (".txt", ".md", ".json", ".csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Bytes of a file and the ending its name must have."""

    content: bytes
    suffix: str


def render(obj: object, *, name: str | None) -> Payload:
    """The file for this object.

    Raises:
        Refused: an empty result, one that is too large, or a kind that can't leave.
    """
    payload = _rendered(obj, suffix=None if name is None else Path(name).suffix.lower())
    if not payload.content.strip():
        raise Refused(
            "outbox.empty", say("结果为空。", "The result is empty."), say("请检查计算。", "Check the computation.")
        )
    if len(payload.content) > MAX_BYTES:
        raise Refused(
            "outbox.too_large",
            say(f"结果超过 {MAX_BYTES >> 20} MiB。", f"The result is over {MAX_BYTES >> 20} MiB."),
            say("请先汇总；出口箱只放给人看的结果。", "Aggregate it; the outbox takes results for people."),
        )
    return payload


def _rendered(obj: object, *, suffix: str | None) -> Payload:
    for module, convert in (
        ("polars", _polars),
        ("pandas", _pandas),
        ("pyarrow", _pyarrow),
        ("duckdb", _duckdb),
        ("matplotlib", _matplotlib),
    ):
        if module in sys.modules and (payload := convert(obj, sys.modules[module])) is not None:
            return payload
    if isinstance(obj, os.PathLike):
        return _file(Path(obj))
    if isinstance(obj, str):
        return _text(obj, suffix if suffix in _TEXTS else ".txt")
    if isinstance(obj, dict | list):
        return _json(obj)
    raise Refused(
        "outbox.kind",
        say(f"{type(obj).__name__} 类型不能放入出口箱。", f"A {type(obj).__name__} can't be put into the outbox."),
        say(
            "请传入数据框、matplotlib 图、文本或 JSON 数据。",
            "Pass a data frame, a matplotlib figure, text or JSON values.",
        ),
    )


def _polars(obj: Any, polars: Any) -> Payload | None:
    if isinstance(obj, polars.LazyFrame):
        obj = obj.collect()
    if isinstance(obj, polars.Series):
        obj = obj.to_frame()
    if not isinstance(obj, polars.DataFrame):
        return None
    _not_empty(obj.height, obj.width)
    nested = [name for name, kind in obj.schema.items() if kind.is_nested() or kind == polars.Object]
    if nested:
        raise _nested(nested)
    return Payload(content=obj.write_csv().encode("utf-8"), suffix=".csv")


def _pandas(obj: Any, pandas: Any) -> Payload | None:
    if isinstance(obj, pandas.Series):
        obj = obj.to_frame()
    if not isinstance(obj, pandas.DataFrame):
        return None
    _not_empty(*obj.shape)
    text = obj.to_csv(index=not isinstance(obj.index, pandas.RangeIndex), lineterminator="\n")
    return Payload(content=text.encode("utf-8"), suffix=".csv")


def _pyarrow(obj: Any, pyarrow: Any) -> Payload | None:
    if not isinstance(obj, pyarrow.Table | pyarrow.RecordBatch):
        return None
    import polars

    return _polars(polars.from_arrow(obj), polars)


def _duckdb(obj: Any, duckdb: Any) -> Payload | None:
    if not isinstance(obj, duckdb.DuckDBPyRelation):
        return None
    import polars

    return _polars(obj.pl(), polars)


def _matplotlib(obj: Any, _: Any) -> Payload | None:
    figure = obj if hasattr(obj, "savefig") and hasattr(obj, "axes") else getattr(obj, "figure", None)
    if figure is None or not hasattr(figure, "savefig"):
        return None
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    return Payload(content=drawn.getvalue(), suffix=".png")


def _file(path: Path) -> Payload:
    suffix = path.suffix.lower()
    if suffix not in (*_TEXTS, ".png"):
        raise Refused(
            "outbox.file_kind",
            say(f"{suffix or '无后缀'} 文件不能放入出口箱。", f"A {suffix or 'nameless kind of'} file can't be put."),
            say("可用：.csv .png .txt .md .json。", "These can: .csv .png .txt .md .json."),
        )
    try:
        content = path.read_bytes()
    except OSError:
        raise Refused(
            "outbox.no_file",
            say("读不到这个文件。", "This file can't be read."),
            say("请检查路径。", "Check the path."),
        ) from None
    return Payload(content=content, suffix=suffix) if suffix == ".png" else _text(_decoded(content), suffix)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(
            "outbox.not_utf8",
            say("文本不是 UTF-8 编码。", "The text is not UTF-8."),
            say("请以 UTF-8 保存后重试。", "Save it as UTF-8 and try again."),
        ) from None


def _text(text: str, suffix: str) -> Payload:
    if suffix == ".json":
        try:
            json.loads(text)
        except ValueError:
            raise Refused(
                "outbox.not_json",
                say("内容不是有效的 JSON。", "The content is not valid JSON."),
                say("请检查，或改用 .txt。", "Check it, or name it .txt."),
            ) from None
    return Payload(content=text.encode("utf-8", "replace"), suffix=suffix)


def _json(obj: object) -> Payload:
    try:
        text = json.dumps(obj, ensure_ascii=False, indent=2, allow_nan=False)
    except (TypeError, ValueError):
        raise Refused(
            "outbox.not_json",
            say("其中有不能写成 JSON 的值。", "Some of it can't be written as JSON."),
            say("请转换为数字、文本、列表或字典。", "Turn it into numbers, texts, lists and dictionaries."),
        ) from None
    return Payload(content=text.encode("utf-8"), suffix=".json")


def _not_empty(rows: int, columns: int) -> None:
    if not rows or not columns:
        raise Refused(
            "outbox.empty",
            say("数据框没有行或没有列。", "The frame has no rows or no columns."),
            say("请检查筛选条件。", "Check the filters."),
        )


def _nested(columns: list[str]) -> Refused:
    return Refused(
        "outbox.nested",
        say(
            f"{len(columns)} 个列是嵌套类型，不能写成 CSV。", f"{len(columns)} columns are nested and don't fit a CSV."
        ),
        say("请先展开（explode / unnest）。", "Explode or unnest them first."),
    )
