"""IPv4 and IPv6 addresses. Source: RFC 791, RFC 4291; validity as the standard library sees it."""

from __future__ import annotations

import ipaddress
import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Judged, Recognizer


class IpAddress(Recognizer):
    """Four numbers up to 255, or a valid IPv6 text with at least two colons."""

    kind = EntityKind.IP
    patterns = (
        re.compile(r"(?<![0-9A-Za-z.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9A-Za-z])(?!\.[0-9])"),
        re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f:]{3,39}(?:%[0-9A-Za-z]{1,12})?(?![0-9A-Za-z:])"),
    )
    context = ("ip", "地址", "登录", "主机", "address")
    headers = ("ip", "ip地址", "ipv4", "ipv6", "ip address", "ipdz")
    cell_pattern = r"^(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        written = match.group().partition("%")[0]
        if "." not in written and (written.count(":") < 2 or not any(letter.isalnum() for letter in written)):
            return None
        try:
            ipaddress.ip_address(written)
        except ValueError:
            return None
        return Judged(0.6 if "." in written else 0.7)
