"""What a reviewer sees of a frozen file: the first rows or lines as plain text, or the picture. Nothing is executed.

Must hold:
1. The bytes shown are the bytes under review: hashed again before anything of them is shown.
2. Content decides the kind, not the name: a picture must begin as one.
3. At most a part is shown and the page says so; all text is escaped by the template.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 64 * 2**10
MOST_ROWS = 40
MOST_COLUMNS = 30
MOST_LINES = 80
PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = frozenset({".csv", ".json", ".txt", ".md"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The beginning of one file. Exactly one of `rows`, `text`, `picture` is filled, or none: no preview."""

    name: str
    position: int
    changed: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    text: str = ""
    picture: bool = False
    cut: bool = False


def preview(path: Path, *, name: str, position: int, sha256: str) -> Preview:
    """The beginning of a frozen file, if its bytes are still the ones that were submitted."""
    content = whole(path, sha256=sha256)
    if content is None:
        return Preview(name=name, position=position, changed=True)
    if content.startswith(PNG):
        return Preview(name=name, position=position, picture=True)
    suffix = Path(name).suffix.lower()
    if suffix not in _TEXTS:
        return Preview(name=name, position=position)
    cut = len(content) > MOST_BYTES
    text = content[:MOST_BYTES].decode("utf-8-sig", "replace")
    if suffix == ".csv":
        rows = _rows(text)
        return Preview(
            name=name,
            position=position,
            rows=tuple(row[:MOST_COLUMNS] for row in rows[: MOST_ROWS + 1]),
            cut=cut or len(rows) > MOST_ROWS + 1 or any(len(row) > MOST_COLUMNS for row in rows),
        )
    lines = text.splitlines()
    return Preview(name=name, position=position, text="\n".join(lines[:MOST_LINES]), cut=cut or len(lines) > MOST_LINES)


def whole(path: Path, *, sha256: str) -> bytes | None:
    """All bytes of a frozen file if they still have the digest they were frozen under; None otherwise (1)."""
    if path.is_symlink() or not path.is_file():
        return None
    content = path.read_bytes()
    return content if hashlib.sha256(content).hexdigest() == sha256 else None


def _rows(text: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    try:
        for row in csv.reader(io.StringIO(text)):
            rows.append(tuple(row))
            if len(rows) > MOST_ROWS + 1:
                break
    except csv.Error:
        return [(line,) for line in text.splitlines()[: MOST_ROWS + 2]]
    return rows
