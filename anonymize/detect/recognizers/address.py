"""Postal addresses, in columns only: by the column's name, or by cells with two or more address markers.

Addresses inside free text need a language model (a later piece of work).
"""

from __future__ import annotations

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Recognizer

_COARSE = "省|市|区|县|镇|乡|街道|村|社区"
_FINE = "路|街|弄|巷|号|室|栋|幢|楼|单元|苑|里|胡同|大道|小区|花园|新村"


class Address(Recognizer):
    """At least two markers, one of them finer than a town; a number makes it an address."""

    kind = EntityKind.ADDRESS
    headers = (
        "地址", "住址", "居住地", "详细地址", "家庭住址", "户籍地", "通讯地址", "门牌", "dz", "zz", "jtzz", "xxdz",
        "hjdz", "dizhi", "address", "addr", "residence", "home address", "addr full", "addr text", "reg addr",
        "street address",
    )  # fmt: skip
    cell_pattern = (
        rf"^.{{0,40}}[\x{{4e00}}-\x{{9fff}}](?:{_COARSE}|{_FINE}).{{0,40}}?"
        rf"[0-9一二三四五六七八九十]{{1,5}}(?:{_FINE}|-).{{0,60}}$"
    )
