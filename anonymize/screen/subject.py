"""One file under examination: its bytes read once, its kind by content, its tables and its texts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from anonymize.screen.content import ALLOWED_NAMES, FileKind, sniff
from anonymize.screen.csv_tables import read_csv
from anonymize.screen.deadline import Deadline
from anonymize.screen.faults import broken
from anonymize.screen.grid import Grid
from anonymize.screen.json_tables import read_json
from anonymize.screen.pack import RulePack
from anonymize.screen.roles import Table, read_table_of
from anonymize.screen.text_tables import tables_in
from anonymize.text import Text

TEXT_KINDS: Final = frozenset({FileKind.CSV, FileKind.JSON, FileKind.MD, FileKind.TXT})
IMAGE_KINDS: Final = frozenset({FileKind.PNG, FileKind.JPEG})
_LONG_TEXT: Final = 2
"""Line breaks from which a single cell or string is itself looked at for tables."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A file as the rules see it.

    `kind` is what the name claims if the content bears it out, else what the content is. `texts` are pieces of
    text with their place that stand in no table; `names` are keys of objects. Empty for images.
    """

    name: str
    data: bytes
    kind: FileKind
    text: str = ""
    grids: tuple[Grid, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = field(default=())

    @property
    def is_text(self) -> bool:
        return self.kind in TEXT_KINDS

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The grids read as statistics, once for all rules; numbers picked out of sentences are no tables."""
        return tuple(read_table_of(grid) for grid in self.grids if grid.rows and not grid.pieces)

    def pieces(self) -> Iterator[tuple[str, str]]:
        """Every text outside the cells of tables, with its place: file name, keys, titles, headers, lines."""
        yield "file name", self.name
        yield from self.names
        yield from self.texts
        for grid in self.grids:
            for text in grid.loose:
                yield grid.where or "title", text
            for index, header in enumerate(grid.header):
                if header:
                    yield f"{grid.where} header of column {index + 1}".strip(), header


def claimed_kind(name: str) -> FileKind | None:
    """What the file's ending claims; None if the ending may not leave."""
    dot = name.rfind(".")
    return ALLOWED_NAMES.get(name[dot:].lower()) if dot > 0 else None


def examine(name: str, data: bytes, *, pack: RulePack, deadline: Deadline) -> Subject:
    """Read a file's content. Whether its kind may leave is R34's decision; a kind that may not is not opened.

    Raises:
        Unreadable: it is not what it claims and can't be read as it.
        TimeUp: reading took too long.
    """
    found, claimed = sniff(data), claimed_kind(name)
    if found in IMAGE_KINDS or claimed is None or claimed in IMAGE_KINDS or found not in {FileKind.JSON, FileKind.TXT}:
        return Subject(name=name, data=data, kind=found)
    text = data.decode("utf-8-sig")
    if claimed is FileKind.CSV:
        if found is FileKind.JSON and _is_json(text, pack, deadline):
            return Subject(name=name, data=data, kind=FileKind.JSON, text=text)
        grids = read_csv(text, max_cells=pack.max_cells, deadline=deadline)
        return _with_inner(Subject(name=name, data=data, kind=FileKind.CSV, text=text, grids=tuple(grids)), deadline)
    if claimed is FileKind.JSON:
        if found is not FileKind.JSON:
            raise broken("JSON", "", Text("内容不是对象或数组", "its content is no object and no array"))
        content = read_json(text, max_cells=pack.max_cells, deadline=deadline)
        kind = FileKind.NOTEBOOK if content.notebook else FileKind.JSON
        subject = Subject(
            name=name,
            data=data,
            kind=kind,
            text=text,
            grids=tuple(content.grids),
            texts=tuple(content.texts),
            names=tuple(content.names),
        )
        return _with_inner(subject, deadline)
    lines = tuple((f"line {number}", line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())
    grids = tables_in(text, deadline=deadline)
    names: tuple[tuple[str, str], ...] = ()
    if found is FileKind.JSON and _is_json(text, pack, deadline):
        content = read_json(text, max_cells=pack.max_cells, deadline=deadline)
        if content.notebook:
            return Subject(name=name, data=data, kind=FileKind.NOTEBOOK, text=text)
        grids, names = [*grids, *content.grids], tuple(content.names)
        lines += tuple(content.texts)
    grids += _json_lines(text, pack, deadline)
    return Subject(name=name, data=data, kind=claimed, text=text, grids=tuple(grids), texts=lines, names=names)


def _is_json(text: str, pack: RulePack, deadline: Deadline) -> bool:
    from anonymize.screen.faults import Unreadable

    try:
        read_json(text, max_cells=pack.max_cells, deadline=deadline)
    except Unreadable:
        return False
    return True


def _json_lines(text: str, pack: RulePack, deadline: Deadline) -> list[Grid]:
    """Records written one JSON object a line."""
    lines = [line for line in text.splitlines() if line.lstrip().startswith("{") and line.rstrip().endswith("}")]
    if len(lines) < 3 or not _is_json(joined := "[" + ",".join(lines) + "]", pack, deadline):
        return []
    return read_json(joined, max_cells=pack.max_cells, deadline=deadline).grids


def _with_inner(subject: Subject, deadline: Deadline) -> Subject:
    """Tables inside single cells and strings, added to those of the file."""
    inner: list[Grid] = []
    long = [(place, text) for place, text in subject.texts if text.count("\n") >= _LONG_TEXT]
    for grid in subject.grids:
        for index, column in enumerate(grid.columns):
            long += [(grid.column_place(index), text) for text in column if text.count("\n") >= _LONG_TEXT]
    for place, text in long:
        inner += tables_in(text, deadline=deadline, where=place)
    if not inner:
        return subject
    return Subject(
        name=subject.name, data=subject.data, kind=subject.kind, text=subject.text,
        grids=(*subject.grids, *inner), texts=subject.texts, names=subject.names,
    )  # fmt: skip
