"""What a file is, by its bytes. Names are compared with it afterwards and decide nothing."""

from __future__ import annotations

import io
import pickletools
import re
from enum import StrEnum
from typing import Final


class FileKind(StrEnum):
    """Kinds by content; only the first six may leave."""

    CSV = "csv"
    JSON = "json"
    MD = "md"
    TXT = "txt"
    PNG = "png"
    JPEG = "jpeg"
    PARQUET = "parquet"
    ZIP = "zip"
    PICKLE = "pickle"
    PDF = "pdf"
    HTML = "html"
    SVG = "svg"
    XML = "xml"
    NOTEBOOK = "ipynb"
    BINARY = "binary"
    EMPTY = "empty"


ALLOWED_NAMES: Final[dict[str, FileKind]] = {
    ".csv": FileKind.CSV,
    ".json": FileKind.JSON,
    ".md": FileKind.MD,
    ".txt": FileKind.TXT,
    ".png": FileKind.PNG,
    ".jpg": FileKind.JPEG,
    ".jpeg": FileKind.JPEG,
}
"""Endings that may leave, and what their content must be."""

_MAGIC: Final[tuple[tuple[bytes, FileKind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", FileKind.PNG),
    (b"\xff\xd8\xff", FileKind.JPEG),
    (b"PAR1", FileKind.PARQUET),
    (b"PK\x03\x04", FileKind.ZIP),
    (b"PK\x05\x06", FileKind.ZIP),
    (b"%PDF", FileKind.PDF),
    (b"\x1f\x8b", FileKind.ZIP),
    (b"BZh", FileKind.ZIP),
    (b"\xfd7zXZ", FileKind.ZIP),
    (b"\x28\xb5\x2f\xfd", FileKind.ZIP),
    (b"7z\xbc\xaf", FileKind.ZIP),
    (b"Rar!", FileKind.ZIP),
    (b"SQLite format 3", FileKind.BINARY),
    (b"\x89HDF", FileKind.BINARY),
    (b"ARROW1", FileKind.BINARY),
    (b"\xd0\xcf\x11\xe0", FileKind.BINARY),
)
_PICKLE: Final = re.compile(rb"\x80[\x02-\x05]")
_MARKUP: Final = re.compile(
    r"\s*(?:<!--.{0,2000}?-->\s*)*<(?P<tag>\?xml|!doctype|html|head|body|svg|script|table)\b", re.I | re.S
)
_CODE_OPS: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "BUILD"})
_DATA_OPS: Final = frozenset({"APPEND", "APPENDS", "SETITEM", "SETITEMS", "DICT", "LIST", "TUPLE"})
_PICKLE_HEAD: Final = re.compile(rb"[(cIFVSLi\]}\)]")


def sniff(data: bytes) -> FileKind:
    """The kind of the content; text is TXT unless its beginning says more.

    Shape: the whole file. Nothing is unpacked, decoded as an image or unpickled.
    """
    if not data:
        return FileKind.EMPTY
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if _PICKLE.match(data) or is_pickle_text(data):
        return FileKind.PICKLE
    if b"\x00" in data:
        return FileKind.BINARY
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return FileKind.BINARY
    return sniff_text(text)


def sniff_text(text: str) -> FileKind:
    """The kind of a text by its beginning: markup, JSON-like, or plain."""
    markup = _MARKUP.match(text[:4000])
    if markup is not None:
        tag = markup["tag"].lower()
        if tag == "svg" or (tag in {"?xml", "!doctype"} and "<svg" in text[:4000].lower()):
            return FileKind.SVG
        return FileKind.XML if tag == "?xml" else FileKind.HTML
    return FileKind.JSON if text.lstrip()[:1] in {"{", "["} else FileKind.TXT


def is_pickle_text(data: bytes) -> bool:
    """Whether the bytes are a pickle of the old text protocol: all its instructions read, and they build objects.

    Reads instructions only; nothing is executed.
    """
    if not data.rstrip().endswith(b".") or not _PICKLE_HEAD.match(data) or len(data) > 2**24:
        return False
    seen: set[str] = set()
    try:
        for operation, _argument, _position in pickletools.genops(io.BytesIO(data)):
            seen.add(operation.name)
    except (ValueError, KeyError, UnicodeDecodeError, OverflowError):
        return bool(seen & _CODE_OPS) and "STOP" in seen
    return "STOP" in seen and bool(seen & (_CODE_OPS | _DATA_OPS))
