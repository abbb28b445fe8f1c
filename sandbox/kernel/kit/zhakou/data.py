"""The extracts of this workspace: de-identified tables, read-only, under `/data`."""

from __future__ import annotations

import html
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .words import Refused, say

if TYPE_CHECKING:
    import polars

ROOT = Path("/data")
NOT_FACTS = ("metadata", "synthetic")
"""Rungs whose rows are nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """One extract: its rung, rows, and its columns with their types. `level`: metadata, synthetic, sampled, full."""

    name: str
    level: str
    rows: int
    columns: dict[str, str]


class Extracts(tuple[Extract, ...]):
    """All of them; shown as a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        lines = [
            f"{one.name} [{_rung(one.level)}]: {one.rows} × {len(one.columns)} ({', '.join(one.columns)})"
            for one in self
        ]
        notices = [notice(one.name) for one in self if one.level in NOT_FACTS]
        return "\n".join([*lines, *notices]) or say("此工作空间没有数据。", "There is no data in this workspace.")

    def _repr_html_(self) -> str:
        heads = (say("名称", "name"), say("级", "rung"), say("行数", "rows"), say("列", "columns"))
        head = "".join(f"<th>{cell}</th>" for cell in heads)
        rows = "".join(
            f"<tr><td>{html.escape(one.name)}</td><td>{_rung(one.level)}</td><td>{one.rows}</td><td>"
            + html.escape(", ".join(f"{column} ({kind})" for column, kind in one.columns.items()))
            + "</td></tr>"
            for one in self
        )
        notices = "".join(f"<p>{html.escape(notice(one.name))}</p>" for one in self if one.level in NOT_FACTS)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{notices}"


def tables() -> Extracts:
    """The extracts of this workspace, with rows and columns; no row is read."""
    import polars

    found = []
    for path in extract_files():
        lazy = polars.scan_parquet(path)
        schema = lazy.collect_schema()
        rows = lazy.select(polars.len()).collect().item()
        found.append(
            Extract(
                name=path.stem,
                level=level(path.stem),
                rows=rows,
                columns={name: str(kind) for name, kind in schema.items()},
            )
        )
    return Extracts(found)


def level(name: str) -> str:
    """The rung that lies under this name: metadata, synthetic, sampled, full; empty where nobody said.

    Raises:
        Refused: there is no extract of that name; the ones there are listed.
    """
    _path(name)
    try:
        return str(json.loads(os.environ.get("ZHAKOU_RUNGS", "{}")).get(name, ""))
    except (ValueError, AttributeError):
        return ""


def notice(name: str) -> str:
    """What must be known of the rows under this name before a figure is made of them; empty for people's rows."""
    match level(name):
        case "synthetic":
            return say(
                f"注意：{name} 是合成样例，每一行都是编造的；由它得出的数字没有任何含义，不是成果。",
                f"Note: {name} is a synthetic sample, every row is made up; figures from it mean nothing.",
            )
        case "metadata":
            return say(
                f"注意：{name} 只有列名与类型，没有任何行。", f"Note: {name} holds names and types only, and no row."
            )
        case _:
            return ""


def load(name: str) -> polars.DataFrame:
    """One extract as a polars frame. Says so where its rows are nobody's.

    Raises:
        Refused: there is no extract of that name; the ones there are listed.
    """
    import polars

    _tell(name)
    return polars.read_parquet(_path(name))


def scan(name: str) -> polars.LazyFrame:
    """One extract, read only as far as it is needed. Raises as `load`."""
    import polars

    _tell(name)
    return polars.scan_parquet(_path(name))


def pandas(name: str) -> Any:
    """One extract as a pandas frame. Raises as `load`."""
    import pandas as library

    _tell(name)
    return library.read_parquet(_path(name))


def extract_files() -> list[Path]:
    """Where the extracts lie, by name."""
    return sorted(ROOT.glob("*.parquet")) if ROOT.is_dir() else []


def _rung(level: str) -> str:
    return {
        "metadata": say("元数据", "metadata"),
        "synthetic": say("合成样例", "synthetic sample"),
        "sampled": say("抽样", "sample"),
        "full": say("全量", "full"),
    }.get(level, "–")


def _tell(name: str) -> None:
    if said := notice(name):
        sys.stderr.write(said + "\n")


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
