"""Encoded runs inside text: base64, base32 and hexadecimal, decoded within bounds to see what they are."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from anonymize.screen.content import FileKind, is_pickle_text, sniff
from anonymize.screen.images import foreign_parts

MAX_DECODED: Final = 8 * 2**20
"""Bytes of one decoded run that are looked at."""
MAX_RUNS: Final = 2_000
"""Encoded runs of one file that are decoded; more are a block by themselves."""
UNKNOWN_LENGTH: Final = 160
"""Encoded characters from which bytes of unknown meaning are reported: digests and signatures are shorter."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX: Final = re.compile(r"(?:0x)?(?P<digits>(?:[0-9A-Fa-f]{2}){16,})")
_ALL_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_BASE32: Final = re.compile(r"[A-Z2-7]{32,}={0,6}")
_WRAPPED: Final = re.compile(r"(?<=[A-Za-z0-9+/=]{40})[ \t]*\r?\n[ \t]*(?=[A-Za-z0-9+/=]{4})")
_PRINTABLE: Final = re.compile(rb"[\x09\x0a\x0d\x20-\x7e]")


class Meaning(StrEnum):
    """What a decoded run is."""

    TEXT = "text"
    PACKED = "packed"
    CODE = "pickle"
    IMAGE = "image"
    DIRTY_IMAGE = "image with more than its picture"
    FILE = "file"
    UNKNOWN = "bytes of unknown meaning"


@dataclass(frozen=True, slots=True)
class Blob:
    """One encoded run: its length in characters, how deep it lay, what it is, its text if it is one."""

    length: int
    depth: int
    meaning: Meaning
    text: str = ""


def blobs_in(text: str, *, least: int, depth: int, text_bytes: int, max_pixels: int) -> Iterator[Blob]:
    """Every encoded run of at least `least` characters, and those inside decoded texts down to `depth` layers."""
    joined = _WRAPPED.sub("", text)
    done = 0
    for run, decoded in _decodings(joined, least):
        done += 1
        if done > MAX_RUNS:
            yield Blob(len(run), 1, Meaning.PACKED)
            return
        blob = _meaning(run, decoded, text_bytes, max_pixels)
        if blob is None:
            continue
        yield blob
        if blob.meaning is Meaning.TEXT and depth > 1:
            for inner in blobs_in(
                blob.text, least=least, depth=depth - 1, text_bytes=text_bytes, max_pixels=max_pixels
            ):
                yield Blob(inner.length, inner.depth + 1, inner.meaning, inner.text)


def _decodings(text: str, least: int) -> Iterator[tuple[str, bytes]]:
    for match in _HEX.finditer(text):
        if len(match["digits"]) >= least:
            yield match["digits"], binascii.unhexlify(match["digits"][: MAX_DECODED * 2])
    for match in _BASE32.finditer(text):
        run = match.group().rstrip("=")
        if len(run) >= least and any(letter.isdigit() for letter in run):
            run = run[: len(run) // 8 * 8]
            yield run, base64.b32decode(run)
    for match in _BASE64.finditer(text):
        run = match.group().rstrip("=")
        if len(run) < least or _ALL_HEX.fullmatch(run):
            continue
        body = run[: MAX_DECODED * 4 // 3].replace("-", "+").replace("_", "/")
        body = body[: len(body) - (len(body) % 4 == 1)]
        yield run, base64.b64decode(body + "=" * (-len(body) % 4))


def _meaning(run: str, decoded: bytes, text_bytes: int, max_pixels: int) -> Blob | None:
    kind = sniff(decoded)
    if kind is FileKind.ZIP or decoded[:2] in {b"\x78\x01", b"\x78\x9c", b"\x78\xda", b"\x78\x5e"}:
        return Blob(len(run), 1, Meaning.PACKED)
    if kind is FileKind.PICKLE or is_pickle_text(decoded):
        return Blob(len(run), 1, Meaning.CODE)
    if kind in {FileKind.PNG, FileKind.JPEG}:
        clean = not foreign_parts(decoded, text_bytes=text_bytes, max_pixels=max_pixels)
        return Blob(len(run), 1, Meaning.IMAGE if clean else Meaning.DIRTY_IMAGE)
    if kind in {FileKind.PARQUET, FileKind.PDF}:
        return Blob(len(run), 1, Meaning.FILE)
    if (readable := _readable(decoded)) is not None:
        return Blob(len(run), 1, Meaning.TEXT, readable)
    if kind is FileKind.BINARY and len(run) >= UNKNOWN_LENGTH and _mixed_letters(run):
        return Blob(len(run), 1, Meaning.UNKNOWN)
    return None


def _readable(decoded: bytes) -> str | None:
    for encoding in ("utf-8", "utf-16-le", "gb18030"):
        try:
            text = decoded.decode(encoding)
        except UnicodeDecodeError:
            continue
        plain = sum(_ordinary(letter) for letter in text)
        common = sum(letter in " ,\t\r\n.:;\"'0123456789" for letter in text)
        if text and plain >= 0.97 * len(text) and (encoding == "utf-8" or common * 8 >= len(text)):
            return text
    return None


def _ordinary(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable() or letter in "\t\r\n"
    return "\u4e00" <= letter <= "\u9fff"


def _mixed_letters(run: str) -> bool:
    """Whether a run looks encoded at all: letters of both cases and digits, or hexadecimal."""
    hexadecimal = all(letter in "0123456789abcdefABCDEF" for letter in run)
    return hexadecimal or (
        any(c.islower() for c in run) and any(c.isupper() for c in run) and any(c.isdigit() for c in run)
    )
