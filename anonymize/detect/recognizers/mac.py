"""Hardware addresses of network cards (MAC). Source: IEEE 802, 48 bits."""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Judged, Recognizer


class MacAddress(Recognizer):
    """Six pairs with one kind of separator, or three groups of four with dots."""

    kind = EntityKind.MAC
    patterns = (
        re.compile(r"(?<![0-9A-Za-z:\-])[0-9A-Fa-f]{2}([:\-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z:\-])"),
        re.compile(r"(?<![0-9A-Za-z.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Za-z.])"),
    )
    context = ("mac", "网卡", "物理地址")
    headers = ("mac", "mac地址", "mac address", "物理地址", "网卡")
    cell_pattern = r"^(?:[0-9A-Fa-f]{2}(?:[:\-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        if re.fullmatch(r"[0-9.]+", match.group()):
            return Judged(0.2)
        return Judged(0.85)
