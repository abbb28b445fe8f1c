"""Pairs of longitude and latitude inside China, in either order.

Source: extent of the country (longitude 73 to 136, latitude 3 to 54). Three decimals are about 110 m, four about
11 m. The datum (WGS-84, GCJ-02, BD-09) moves a point by up to some hundred metres and plays no part here.
"""

from __future__ import annotations

import re

from anonymize.detect.entity import EntityKind
from anonymize.detect.recognizer import Judged, Recognizer

_NUMBER = r"[0-9]{1,3}\.[0-9]{3,12}"


class Coordinates(Recognizer):
    """Two numbers with at least three decimals, within the extent of the country."""

    kind = EntityKind.COORDINATES
    patterns = (
        re.compile(
            rf"(?<![0-9A-Za-z.])(?P<a>{_NUMBER})[°]?[ENen]?[ ]{{0,2}}[,;/、 ][ ]{{0,2}}"
            rf"(?P<b>{_NUMBER})[°]?[ENen]?(?![0-9A-Za-z.])"
        ),
    )
    context = ("经度", "纬度", "坐标", "经纬", "定位", "lng", "lat", "gps", "coordinate")
    headers = (
        "经度", "纬度", "经纬", "坐标", "jd", "wd", "jwd", "zb", "lng", "lat", "lon", "longitude", "latitude",
        "coordinate", "coordinates", "gps", "location xy",
    )  # fmt: skip
    cell_pattern = r"^[0-9]{1,3}\.[0-9]{3,12} ?[,; ] ?[0-9]{1,3}\.[0-9]{3,12}$"

    def judge(self, match: re.Match[str]) -> Judged | None:
        first, second = float(match["a"]), float(match["b"])
        if not any(73 <= lng <= 136 and 3 <= lat <= 54 for lng, lat in ((first, second), (second, first))):
            return None
        return Judged(0.5)
