"""PNG and JPEG taken apart to their last byte, without decoding a picture: what is in them that is no picture."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from anonymize.text import Text

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_PNG_PICTURE: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
)
_PNG_SIZES: Final = {
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"sBIT": 4,
    b"pHYs": 9,
    b"bKGD": 6,
    b"tRNS": 256,
    b"PLTE": 768,
}
_SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_JPEG_PICTURE: Final = frozenset({0xDB, 0xC4, 0xDD, 0xDA, *range(0xC0, 0xD0)} - {0xC8, 0xCC})


@dataclass(frozen=True, slots=True)
class Foreign:
    """Something in an image that is no picture.

    `rule` R36: bytes outside the format; R37: a part for text or metadata.
    """

    rule: str
    what: Text


def foreign_parts(data: bytes, *, text_bytes: int, max_pixels: int) -> list[Foreign]:
    """Everything in a PNG or JPEG that does not make the picture.

    Shape: the whole file. `text_bytes` is the longest Software note of a PNG that is let through.
    Note: the picture itself is not looked at; low bits and drawn text are a reviewer's matter.
    """
    if data.startswith(PNG_MAGIC):
        return _png(data, text_bytes=text_bytes, max_pixels=max_pixels)
    return _jpeg(data, max_pixels=max_pixels)


def _outside(zh: str, en: str) -> Foreign:
    return Foreign("R36", Text(zh, en))


def _png(data: bytes, *, text_bytes: int, max_pixels: int) -> list[Foreign]:
    found: list[Foreign] = []
    at, ended, header = len(PNG_MAGIC), False, b""
    picture: list[bytes] = []
    seen: set[bytes] = set()
    while at < len(data) and not ended:
        if at + 12 > len(data):
            return [*found, _outside("PNG 数据块不完整", "a PNG chunk is cut off")]
        (size,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        end = at + 12 + size
        if end > len(data) or size > 2**31 - 1:
            return [*found, _outside("PNG 数据块不完整", "a PNG chunk is cut off")]
        body = data[at + 8 : end - 4]
        if zlib.crc32(kind + body) != struct.unpack_from(">I", data, end - 4)[0]:
            return [*found, _outside("PNG 数据块校验和错误", "a PNG chunk has a wrong checksum")]
        found += _png_chunk(kind, body, seen, text_bytes)
        seen.add(kind)
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            picture.append(body)
        ended = kind == b"IEND"
        at = end
    if not ended:
        return [*found, _outside("PNG 没有结束块", "the PNG has no end chunk")]
    if at < len(data):
        count = len(data) - at
        found.append(_outside(f"PNG 结束之后还有 {count} 字节", f"{count} bytes stand behind the end of the PNG"))
    return found + _png_picture(header, picture, max_pixels)


def _png_chunk(kind: bytes, body: bytes, seen: set[bytes], text_bytes: int) -> list[Foreign]:
    name = kind.decode("latin-1") if kind.isalpha() else "????"
    if kind == b"IEND" and body:
        return [_outside("PNG 结束块带有数据", "the PNG's end chunk holds data")]
    if kind in _PNG_PICTURE:
        if (kind in seen and kind != b"IDAT") or len(body) > _PNG_SIZES.get(kind, len(body)):
            return [_outside(f"PNG 数据块 {name} 重复或过大", f"the PNG chunk {name} is there twice or too large")]
        return []
    if kind == b"tEXt" and b"tEXt" not in seen and body.startswith(b"Software\x00") and len(body) <= text_bytes:
        return []  # matplotlib's own note
    size = len(body)
    return [
        Foreign("R37", Text(f"PNG 含有 {name} 数据块（{size} 字节）", f"the PNG holds a {name} chunk of {size} bytes"))
    ]


def _png_picture(header: bytes, picture: list[bytes], max_pixels: int) -> list[Foreign]:
    """Whether the compressed data is the picture, all of it and nothing else."""
    if len(header) != 13:
        return [_outside("PNG 没有正确的文件头", "the PNG has no proper header")]
    width, height, depth, colour, _method, _filter, interlace = struct.unpack(">IIBBBBB", header)
    if not 0 < width * height <= max_pixels or depth not in {1, 2, 4, 8, 16} or colour not in _SAMPLES or interlace > 1:
        return [
            _outside(
                f"PNG 尺寸或格式不受支持(上限 {max_pixels} 像素)",
                f"the PNG's size or form is not supported (limit {max_pixels} pixels)",
            )
        ]
    bits = depth * _SAMPLES[colour]
    expected = sum(
        rows * (1 + (columns * bits + 7) // 8)
        for columns, rows in (_passes(width, height) if interlace else [(width, height)])
        if columns and rows
    )
    unpacker = zlib.decompressobj()
    got, packed = 0, b"".join(picture)
    try:
        while packed and got <= expected:
            got += len(unpacker.decompress(packed, 1 << 20))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        return [_outside("PNG 图像数据无法解压", "the PNG's picture can't be unpacked")]
    if got != expected or unpacker.unused_data or not unpacker.eof:
        return [_outside("PNG 图像数据与图像尺寸不符", "the PNG's data does not match the size of its picture")]
    return []


def _passes(width: int, height: int) -> list[tuple[int, int]]:
    return [(-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in _ADAM7]


def _jpeg(data: bytes, *, max_pixels: int) -> list[Foreign]:
    found: list[Foreign] = []
    at = 2
    while True:
        if at + 2 > len(data) or data[at] != 0xFF:
            return [*found, _outside("JPEG 数据段不完整", "a JPEG segment is cut off")]
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            break
        if at + 4 > len(data):
            return [*found, _outside("JPEG 数据段不完整", "a JPEG segment is cut off")]
        size = struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : at + 2 + size]
        found += _jpeg_segment(marker, body, max_pixels)
        at += 2 + size
        if marker == 0xDA:
            at = _scan_end(data, at)
    count = len(data) - at - 2
    if count > 0:
        found.append(_outside(f"JPEG 结束之后还有 {count} 字节", f"{count} bytes stand behind the end of the JPEG"))
    return found


def _scan_end(data: bytes, at: int) -> int:
    """The first marker behind a scan that is neither stuffing nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
            at += 2
            continue
        return at


def _jpeg_segment(marker: int, body: bytes, max_pixels: int) -> list[Foreign]:
    if marker in _JPEG_PICTURE:
        if marker not in {0xC4, 0xDB, 0xDD, 0xDA} and len(body) >= 5:
            height, width = struct.unpack_from(">HH", body, 1)
            if not 0 < width * height <= max_pixels:
                return [
                    _outside(
                        f"JPEG 尺寸不受支持(上限 {max_pixels} 像素)",
                        f"the JPEG's size is not supported (limit {max_pixels} pixels)",
                    )
                ]
        return []
    plain = (marker == 0xE0 and body.startswith(b"JFIF\x00") and len(body) == 14) or (
        marker == 0xEE and body.startswith(b"Adobe") and len(body) == 12
    )
    if plain:
        return []
    size = len(body)
    return [
        Foreign(
            "R37",
            Text(
                f"JPEG 含有 {marker:02X} 附加段（{size} 字节）",
                f"the JPEG holds an extra segment {marker:02X} of {size} bytes",
            ),
        )
    ]
