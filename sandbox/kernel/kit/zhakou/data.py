"""The extracts of this workspace: de-identified tables, read-only, under `/data`."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .words import Refused, say

if TYPE_CHECKING:
    import polars

ROOT = Path("/data")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """One extract: rows, and its columns with their types."""

    name: str
    rows: int
    columns: dict[str, str]


class Extracts(tuple[Extract, ...]):
    """All of them; shown as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        lines = [f"{one.name}: {one.rows} × {len(one.columns)} ({', '.join(one.columns)})" for one in self]
        return "\n".join(lines) or say("此工作空间没有数据。", "There is no data in this workspace.")

    def _repr_html_(self) -> str:
        heads = (say("名称", "name"), say("行数", "rows"), say("列", "columns"))
        head = "".join(f"<th>{cell}</th>" for cell in heads)
        rows = "".join(
            f"<tr><td>{html.escape(one.name)}</td><td>{one.rows}</td><td>"
            + html.escape(", ".join(f"{column} ({kind})" for column, kind in one.columns.items()))
            + "</td></tr>"
            for one in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def tables() -> Extracts:
    """The extracts of this workspace, with rows and columns; no row is read."""
    import polars

    found = []
    for path in extract_files():
        lazy = polars.scan_parquet(path)
        schema = lazy.collect_schema()
        rows = lazy.select(polars.len()).collect().item()
        found.append(Extract(name=path.stem, rows=rows, columns={name: str(kind) for name, kind in schema.items()}))
    return Extracts(found)


def load(name: str) -> polars.DataFrame:
    """One extract as a polars frame.

    Raises:
        Refused: there is no extract of that name; the ones there are listed.
    """
    import polars

    return polars.read_parquet(_path(name))


def scan(name: str) -> polars.LazyFrame:
    """One extract, read only as far as it is needed. Raises as `load`."""
    import polars

    return polars.scan_parquet(_path(name))


def pandas(name: str) -> Any:
    """One extract as a pandas frame. Raises as `load`."""
    import pandas as library

    return library.read_parquet(_path(name))


def extract_files() -> list[Path]:
    """Where the extracts lie, by name."""
    return sorted(ROOT.glob("*.parquet")) if ROOT.is_dir() else []


def _path(name: str) -> Path:
    known = {path.stem: path for path in extract_files()}
    if name in known:
        return known[name]
    there = ", ".join(known) or say("无", "none")
    raise Refused(
        "data.unknown",
        say("此工作空间没有这个数据集。", "There is no such extract in this workspace."),
        say(f"现有：{there}。", f"There are: {there}."),
    )
