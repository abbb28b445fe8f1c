"""Text of the portal can be read by everyone: contrast of at least 4.5 to 1 for every pair of colours that meet.

Source: WCAG 2.2, success criterion 1.4.3 (AA), relative luminance as defined there.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hub.web

CSS = (Path(hub.web.__file__).parent / "static" / "portal.css").read_text(encoding="utf-8")
TOKENS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", CSS)) | {"white": "#ffffff", "bar-soft": "#bfe0e2"}
PAIRS = (
    *((text, ground) for text in ("ink", "ink-soft", "ink-faint", "sea") for ground in ("card", "paper")),
    ("white", "sea"),
    ("white", "sea-deep"),
    ("bar-soft", "sea-deep"),
    ("ink", "sea-soft"),
    ("ink-faint", "sea-soft"),
    ("good", "good-soft"),
    ("wait", "wait-soft"),
    ("bad", "bad-soft"),
    ("ink", "bad-soft"),
)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_measure_agrees_with_the_standards_own_ends() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(text: str, ground: str) -> None:
    assert contrast(TOKENS[text], TOKENS[ground]) >= 4.5


def test_text_of_a_grey_button_can_still_be_read() -> None:
    rule = re.search(r"button:disabled \{ background: (#\w{6}) [^}]* color: (#\w{6})", CSS)
    assert rule is not None
    assert contrast(rule[2], rule[1]) >= 4
